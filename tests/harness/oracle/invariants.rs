//! The invariants of a migration as predicates over a history. Each returns what breaks it.

use std::collections::BTreeSet;
use std::fmt;

use super::history::{ContentId, Event, History, Moment, Stamp, Writer};

/// One broken promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    pub invariant: &'static str,
    pub key: String,
    pub at: Moment,
    pub detail: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} broken at {} for {:?}: {}", self.invariant, self.at, self.key, self.detail)
    }
}

/// Everything that must hold at any time (I2 to I6); [`no_loss`] holds at rest only.
pub fn check_all(history: &History) -> Vec<Violation> {
    [no_corruption, no_torn_read, no_stale_overwrite, no_resurrected_delete, no_wrong_delete]
        .into_iter()
        .flat_map(|check| check(history))
        .collect()
}

/// I1: at rest the store has every key that lives at the source, in its last version, unless the
/// report excuses the key or a client has written or deleted it in the store since.
pub fn no_loss(history: &History, excused: &BTreeSet<String>) -> Vec<Violation> {
    per_key(history, "I1 no loss", |key, events| {
        let Some(Event::SourceWrite { at, content, .. }) = events.iter().rev().find(|event| is_source(event)) else {
            return None;
        };
        let problem = match last_store_event(events) {
            _ if excused.contains(key) => None,
            Some(
                Event::StoreWrite { writer: Writer::Client, .. } | Event::StoreDelete { writer: Writer::Client, .. },
            ) => None,
            Some(Event::StoreWrite { content: stored, .. }) if stored == content => None,
            Some(Event::StoreWrite { .. }) => Some("the store holds another version than the source's last"),
            _ => Some("lives at the source and not in the store"),
        };
        problem.map(|problem| (*at, problem.to_owned()))
    })
}

/// I2: what the mover made visible is one version of the source byte for byte, and its stamp names
/// that version.
pub fn no_corruption(history: &History) -> Vec<Violation> {
    per_key_all(history, "I2 no corruption", |events| {
        let mut broken = Vec::new();
        for write in mover_writes(events) {
            let same: Vec<_> =
                versions(events).filter(|version| version.at < write.at && version.content == write.content).collect();
            if same.is_empty() {
                broken.push((write.at, format!("{} bytes that no version of the source had", write.content.length)));
                continue;
            }
            match write.stamp {
                None => broken.push((write.at, "an import without a stamp".into())),
                Some(stamp)
                    if stamp.length != write.content.length || !same.iter().any(|version| names(stamp, version)) =>
                {
                    broken.push((write.at, format!("the stamp {stamp:?} names another version")));
                }
                Some(_) => {}
            }
        }
        broken
    })
}

/// I3: a reader of the store sees one whole value that was there at some instant of the read.
pub fn no_torn_read(history: &History) -> Vec<Violation> {
    per_key_all(history, "I3 no torn visibility", |events| {
        let mut broken = Vec::new();
        for event in events {
            let Event::StoreRead { began, ended, seen, .. } = event else { continue };
            let before = values(events).filter(|(at, _)| at < began).last().and_then(|(_, value)| value);
            let mut possible = vec![before];
            possible.extend(values(events).filter(|(at, _)| (began..=ended).contains(&at)).map(|(_, value)| value));
            if !possible.contains(&seen.as_ref()) {
                broken.push((*began, format!("a read saw {seen:?}, possible were {possible:?}")));
            }
        }
        broken
    })
}

/// I4: no mover write after a client's, and none from an older version than the mover wrote before.
pub fn no_stale_overwrite(history: &History) -> Vec<Violation> {
    per_key_all(history, "I4 no stale overwrite", |events| {
        let mut broken = Vec::new();
        let mut client_wrote = None;
        let mut newest = 0;
        for event in events {
            match event {
                Event::TruthAtSource { .. } => client_wrote = None,
                Event::StoreWrite { writer: Writer::Client, at, .. } => client_wrote = Some(*at),
                Event::StoreWrite { writer: Writer::Mover, at, content, stamp, .. } => {
                    if let Some(client) = client_wrote {
                        broken.push((*at, format!("the mover replaced what a client wrote at {client}")));
                    }
                    // Equal versions cannot be told apart: the oldest that fits is assumed.
                    match versions(events).find(|version| version.at >= newest && fits(version, *at, content, stamp)) {
                        Some(version) => newest = version.at,
                        None if versions(events).any(|version| fits(&version, *at, content, stamp)) => {
                            broken
                                .push((*at, format!("older than the version of {newest} that the mover wrote before")));
                        }
                        // Of no version at all: another invariant's matter.
                        None => {}
                    }
                }
                _ => {}
            }
        }
        broken
    })
}

/// I5: what a client deleted, or the mover after the source, does not come back unless the source
/// got a newer write.
pub fn no_resurrected_delete(history: &History) -> Vec<Violation> {
    per_key_all(history, "I5 no resurrected delete", |events| {
        let mut broken = Vec::new();
        let mut dead_until: Option<Moment> = None;
        for event in events {
            match event {
                Event::TruthAtSource { .. } | Event::StoreWrite { writer: Writer::Client, .. } => dead_until = None,
                Event::StoreDelete { writer: Writer::Client, at, .. } => dead_until = Some(*at),
                Event::StoreDelete { writer: Writer::Mover, at, .. } => {
                    let applied = events
                        .iter()
                        .filter(|event| matches!(event, Event::SourceDelete { .. }))
                        .map(|event| event.at());
                    dead_until = dead_until.max(applied.filter(|deleted| deleted < at).max());
                }
                Event::StoreWrite { writer: Writer::Mover, at, content, stamp, .. } => {
                    let Some(dead) = dead_until else { continue };
                    match versions(events).any(|version| version.at > dead && fits(&version, *at, content, stamp)) {
                        true => dead_until = None,
                        false => broken.push((*at, format!("came back after its delete of {dead}"))),
                    }
                }
                _ => {}
            }
        }
        broken
    })
}

/// I6: the mover removes only what it wrote itself, and only when the source lacked the key at some
/// instant since.
pub fn no_wrong_delete(history: &History) -> Vec<Violation> {
    per_key_all(history, "I6 no wrong delete", |events| {
        let mut broken = Vec::new();
        let mut last_write: Option<(Moment, Writer)> = None;
        for event in events {
            match event {
                Event::StoreWrite { at, writer, .. } => last_write = Some((*at, *writer)),
                Event::StoreDelete { at, writer: Writer::Mover, .. } => match last_write {
                    Some((_, Writer::Client)) => broken.push((*at, "the mover deleted what a client wrote".into())),
                    Some((since, Writer::Mover)) if !source_lacked(events, since, *at) => {
                        broken.push((*at, "the mover deleted a key that lived at the source all the time".into()));
                    }
                    _ => last_write = None,
                },
                Event::StoreDelete { .. } => last_write = None,
                _ => {}
            }
        }
        broken
    })
}

fn source_lacked(events: &[&Event], since: Moment, until: Moment) -> bool {
    let mut live_at_since = false;
    for event in events.iter().filter(|event| is_source(event) && event.at() <= since) {
        live_at_since = matches!(event, Event::SourceWrite { .. });
    }
    let deleted = |event: &&&Event| matches!(event, Event::SourceDelete { at, .. } if (since..=until).contains(at));
    !live_at_since || events.iter().any(|event| deleted(&event))
}

struct SourceVersion<'a> {
    at: Moment,
    content: &'a ContentId,
    etag: &'a str,
}

struct MoverWrite<'a> {
    at: Moment,
    content: &'a ContentId,
    stamp: Option<&'a Stamp>,
}

fn versions<'a>(events: &'a [&'a Event]) -> impl Iterator<Item = SourceVersion<'a>> {
    events.iter().filter_map(|event| match event {
        Event::SourceWrite { at, content, etag, .. } => Some(SourceVersion { at: *at, content, etag }),
        _ => None,
    })
}

fn mover_writes<'a>(events: &'a [&'a Event]) -> impl Iterator<Item = MoverWrite<'a>> {
    events.iter().filter_map(|event| match event {
        Event::StoreWrite { at, content, writer: Writer::Mover, stamp, .. } => {
            Some(MoverWrite { at: *at, content, stamp: stamp.as_ref() })
        }
        _ => None,
    })
}

/// What the store held from when on.
fn values<'a>(events: &'a [&'a Event]) -> impl Iterator<Item = (Moment, Option<&'a ContentId>)> {
    events.iter().filter_map(|event| match event {
        Event::StoreWrite { at, content, .. } => Some((*at, Some(content))),
        Event::StoreDelete { at, .. } => Some((*at, None)),
        _ => None,
    })
}

/// Whether a mover write at `at` can be of that version.
fn fits(version: &SourceVersion, at: Moment, content: &ContentId, stamp: &Option<Stamp>) -> bool {
    version.at < at && version.content == content && stamp.as_ref().is_none_or(|stamp| names(stamp, version))
}

fn names(stamp: &Stamp, version: &SourceVersion) -> bool {
    stamp.etag.trim_matches('"') == version.etag
}

fn is_source(event: &Event) -> bool {
    matches!(event, Event::SourceWrite { .. } | Event::SourceDelete { .. })
}

fn last_store_event<'a>(events: &[&'a Event]) -> Option<&'a Event> {
    events.iter().rev().find(|event| matches!(event, Event::StoreWrite { .. } | Event::StoreDelete { .. })).copied()
}

fn per_key(
    history: &History,
    invariant: &'static str,
    check: impl Fn(&str, &[&Event]) -> Option<(Moment, String)>,
) -> Vec<Violation> {
    let keys = history.by_key();
    let broken = keys.iter().filter_map(|(key, events)| Some((key, check(key, events)?)));
    broken.map(|(key, (at, detail))| Violation { invariant, key: (*key).into(), at, detail }).collect()
}

fn per_key_all(
    history: &History,
    invariant: &'static str,
    check: impl Fn(&[&Event]) -> Vec<(Moment, String)>,
) -> Vec<Violation> {
    let mut violations = Vec::new();
    for (key, events) in history.by_key() {
        let broken = check(&events).into_iter();
        violations.extend(broken.map(|(at, detail)| Violation { invariant, key: key.into(), at, detail }));
    }
    violations
}
