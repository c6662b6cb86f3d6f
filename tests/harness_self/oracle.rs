//! The judge: it must accept what is right and name what is wrong.

use std::collections::BTreeSet;

use crate::harness::oracle::{
    Accounting, Action, ContentId, Event, History, Operation, Stamp, Writer, check_all, exact_accounting, linearizable,
    no_loss,
};
use crate::harness::random::{Random, seed};
use crate::harness::s3_source::S3Source;

fn content(text: &str) -> ContentId {
    ContentId::of(text.as_bytes())
}

fn source(at: u64, text: &str) -> Event {
    Event::SourceWrite { at, key: "k".into(), content: content(text), etag: format!("etag {text}") }
}

fn source_delete(at: u64) -> Event {
    Event::SourceDelete { at, key: "k".into() }
}

fn import(at: u64, text: &str) -> Event {
    let stamp = Some(Stamp { etag: format!("etag {text}"), length: text.len() as u64 });
    Event::StoreWrite { at, key: "k".into(), content: content(text), writer: Writer::Mover, stamp }
}

fn client(at: u64, text: &str) -> Event {
    Event::StoreWrite { at, key: "k".into(), content: content(text), writer: Writer::Client, stamp: None }
}

fn delete(at: u64, writer: Writer) -> Event {
    Event::StoreDelete { at, key: "k".into(), writer }
}

fn read(began: u64, ended: u64, text: Option<&str>) -> Event {
    Event::StoreRead { began, ended, key: "k".into(), seen: text.map(content) }
}

#[test]
fn invariants_accept_and_name() {
    let (mover, user) = (Writer::Mover, Writer::Client);
    let wrong_stamp = Event::StoreWrite {
        at: 3,
        key: "k".into(),
        content: content("a"),
        writer: mover,
        stamp: Some(Stamp { etag: "etag b".into(), length: 1 }),
    };
    let unstamped = Event::StoreWrite { at: 3, key: "k".into(), content: content("a"), writer: mover, stamp: None };
    let cases: Vec<(Vec<Event>, &str)> = vec![
        (
            vec![
                source(1, "a"),
                import(2, "a"),
                source(3, "b"),
                import(4, "b"),
                read(1, 5, Some("a")),
                read(5, 6, Some("b")),
            ],
            "",
        ),
        (vec![source(1, "a"), source(2, "b"), import(3, "ab")], "I2"),
        (vec![source(1, "a"), source(2, "b"), wrong_stamp], "I2"),
        (vec![source(1, "a"), unstamped], "I2"),
        (vec![source(5, "a"), import(4, "a")], "I2"),
        (vec![source(1, "a"), import(2, "a"), read(3, 4, Some("b"))], "I3"),
        (vec![source(1, "a"), import(2, "a"), read(3, 4, None)], "I3"),
        (vec![source(1, "a"), import(2, "a"), client(5, "c"), read(3, 4, Some("c"))], "I3"),
        (vec![source(1, "a"), import(2, "a"), client(5, "c"), read(3, 6, Some("c")), read(3, 6, Some("a"))], ""),
        (vec![source(1, "a"), client(2, "c"), import(3, "a")], "I4"),
        (vec![source(1, "a"), client(2, "c"), Event::TruthAtSource { at: 3 }, import(4, "a")], ""),
        (vec![source(1, "a"), source(2, "b"), import(3, "b"), import(4, "a")], "I4"),
        (vec![source(1, "a"), source(2, "b"), source(3, "a"), import(4, "b"), import(5, "a")], ""),
        (vec![source(1, "a"), import(2, "a"), delete(3, user), import(4, "a")], "I5"),
        (vec![source(1, "a"), import(2, "a"), delete(3, user), source(4, "b"), import(5, "b")], ""),
        (vec![source(1, "a"), import(2, "a"), source_delete(3), delete(4, mover), import(5, "a")], "I5"),
        (vec![source(1, "a"), import(2, "a"), source_delete(3), delete(4, mover), source(5, "a"), import(6, "a")], ""),
        (vec![source(1, "a"), import(2, "a"), delete(3, mover)], "I6"),
        (vec![source(1, "a"), source_delete(2), client(3, "c"), delete(4, mover)], "I6"),
        (vec![source(1, "a"), source_delete(2), import(3, "a"), delete(4, mover)], ""),
    ];
    for (events, expected) in cases {
        let found: BTreeSet<_> =
            check_all(&History::new(events.clone())).iter().map(|broken| broken.invariant[..2].to_owned()).collect();
        let expected: BTreeSet<_> = expected.split(' ').filter(|name| !name.is_empty()).map(str::to_owned).collect();
        assert_eq!(found, expected, "{events:#?}");
    }
}

#[test]
fn losses_are_found_unless_excused() {
    let losses = |events: Vec<Event>, excused: &[&str]| {
        no_loss(&History::new(events), &excused.iter().map(|key| (*key).to_owned()).collect()).len()
    };
    assert_eq!(losses(vec![source(1, "a")], &[]), 1);
    assert_eq!(losses(vec![source(1, "a")], &["k"]), 0);
    assert_eq!(losses(vec![source(1, "a"), import(2, "a")], &[]), 0);
    assert_eq!(losses(vec![source(1, "a"), import(2, "a"), source(3, "b")], &[]), 1);
    assert_eq!(losses(vec![source(1, "a"), import(2, "a"), delete(3, Writer::Client)], &[]), 0);
    assert_eq!(losses(vec![source(1, "a"), import(2, "a"), delete(3, Writer::Mover)], &[]), 1);
    assert_eq!(losses(vec![source(1, "a"), source_delete(2)], &[]), 0);
}

#[test]
fn a_history_comes_from_the_source_log() {
    let s3 = S3Source::new(1);
    s3.put("b", "k", b"a".to_vec());
    s3.delete("b", "k");
    s3.put("other", "k", b"a".to_vec());
    for history in [History::of_source(&s3, "b"), History::of_source_by_clock(&s3, "b")] {
        assert!(
            matches!(history.events(), [Event::SourceWrite { content: found, .. }, Event::SourceDelete { .. }] if *found == content("a"))
        );
    }
}

#[test]
fn accounting_must_be_exact() {
    let history = History::new([source(1, "abc"), import(2, "abc")]);
    let right = Accounting { listed: 3, copied: 1, unchanged: 1, failed: 1, bytes_copied: 3, ..Accounting::default() };
    assert!(exact_accounting(&right, &right, &history).is_empty());
    let wrong = [
        Accounting { listed: 4, ..right },
        Accounting { copied: 2, unchanged: 0, ..right },
        Accounting { bytes_copied: 4, ..right },
    ];
    for wrong in wrong {
        assert_eq!(exact_accounting(&wrong, &wrong, &history).len(), 1, "{wrong:?}");
    }
    assert_eq!(exact_accounting(&right, &Accounting { failed: 0, ..right }, &history).len(), 1);
}

fn operation(called: u64, returned: u64, action: Action<u8>) -> Operation<u8> {
    // 99 stands for an outcome that nobody learned.
    Operation { called, returned: (returned != 99).then_some(returned), action }
}

#[test]
fn linearizability_table() {
    use Action::{Delete, DeleteIf, Read, Write, WriteIf};
    let create = |value, landed| WriteIf { base: None, value, landed };
    let drop_of = |base, landed| DeleteIf { base, landed };
    let cases: Vec<(&str, bool, Vec<Operation<u8>>)> = vec![
        ("nothing", true, vec![]),
        ("read own write", true, vec![operation(1, 2, Write(1)), operation(3, 4, Read(Some(1)))]),
        ("lost write", false, vec![operation(1, 2, Write(1)), operation(3, 4, Read(None))]),
        ("never written", false, vec![operation(1, 2, Write(1)), operation(3, 4, Read(Some(2)))]),
        (
            "stale read",
            false,
            vec![operation(1, 2, Write(1)), operation(3, 4, Write(2)), operation(5, 6, Read(Some(1)))],
        ),
        ("overlap may see old", true, vec![operation(1, 9, Write(1)), operation(2, 3, Read(None))]),
        ("overlap may see new", true, vec![operation(1, 9, Write(1)), operation(2, 3, Read(Some(1)))]),
        (
            "new then old",
            false,
            vec![operation(1, 9, Write(1)), operation(2, 3, Read(Some(1))), operation(4, 5, Read(None))],
        ),
        (
            "unknown may land late",
            true,
            vec![operation(1, 99, Write(1)), operation(2, 3, Read(None)), operation(4, 5, Read(Some(1)))],
        ),
        ("unknown may never land", true, vec![operation(1, 99, Write(1)), operation(2, 3, Read(None))]),
        (
            "unknown lands once",
            false,
            vec![
                operation(1, 99, Write(1)),
                operation(2, 3, Read(Some(1))),
                operation(4, 5, Write(2)),
                operation(6, 7, Read(Some(1))),
            ],
        ),
        (
            "resurrected",
            false,
            vec![operation(1, 2, Write(1)), operation(3, 4, Delete), operation(5, 6, Read(Some(1)))],
        ),
        (
            "unknown delete",
            true,
            vec![operation(1, 2, Write(1)), operation(3, 99, Delete), operation(5, 6, Read(None))],
        ),
        ("two creates win", false, vec![operation(1, 5, create(1, true)), operation(2, 6, create(2, true))]),
        (
            "one create wins",
            true,
            vec![operation(1, 5, create(1, true)), operation(2, 6, create(2, false)), operation(7, 8, Read(Some(1)))],
        ),
        (
            "deleted what was written since",
            false,
            vec![operation(1, 2, Write(1)), operation(3, 4, Write(2)), operation(5, 6, drop_of(1, true))],
        ),
        ("deleted what was there", true, vec![operation(1, 2, Write(1)), operation(3, 4, drop_of(1, true))]),
        ("delete refused for nothing", false, vec![operation(1, 2, Write(1)), operation(3, 4, drop_of(1, false))]),
        ("refused for nothing", false, vec![operation(1, 2, create(1, false))]),
        (
            "unknown create explains the refusal",
            true,
            vec![operation(1, 99, create(1, true)), operation(3, 4, create(2, false))],
        ),
        (
            "readers disagree on order",
            false,
            vec![
                operation(1, 20, Write(1)),
                operation(1, 20, Write(2)),
                operation(2, 3, Read(Some(1))),
                operation(4, 5, Read(Some(2))),
                operation(6, 7, Read(Some(1))),
            ],
        ),
    ];
    for (name, expected, operations) in cases {
        assert_eq!(linearizable(None, &operations).is_ok(), expected, "{name}");
    }
}

/// The same question answered by trying every order and every choice of unknown operations.
fn by_force(state: Option<u8>, left: &[Operation<u8>]) -> bool {
    if left.iter().all(|operation| operation.returned.is_none()) {
        return true;
    }
    let deadline = left.iter().filter_map(|operation| operation.returned).min().unwrap_or(u64::MAX);
    (0..left.len()).filter(|&place| left[place].called <= deadline).any(|place| {
        let mut rest = left.to_vec();
        let operation = rest.remove(place);
        let known = operation.returned.is_some();
        let after = match operation.action {
            Action::Write(value) => Some(Some(value)),
            Action::Delete => Some(None),
            Action::Read(value) => (!known || value == state).then_some(state),
            Action::WriteIf { base, value, landed } if base == state => (!known || landed).then_some(Some(value)),
            Action::WriteIf { landed, .. } => (!known || !landed).then_some(state),
            Action::DeleteIf { base, landed } if state.is_none_or(|value| value == base) => {
                (!known || landed).then_some(None)
            }
            Action::DeleteIf { landed, .. } => (!known || !landed).then_some(state),
        };
        after.is_some_and(|after| by_force(after, &rest))
    })
}

#[test]
fn linearizability_agrees_with_brute_force() {
    let mut random = Random::new(seed("linearizability_agrees_with_brute_force"));
    let (mut accepted, mut rejected) = (0, 0);
    for _ in 0..20_000 {
        let operations: Vec<_> = (0..1 + random.below(6))
            .map(|_| {
                let called = random.below(20);
                let value = random.below(3) as u8;
                let maybe = random.chance(0.7).then_some(value);
                let action = match random.below(9) {
                    0..3 => Action::Write(value),
                    3 => Action::Delete,
                    4 => Action::WriteIf { base: maybe, value: random.below(3) as u8, landed: random.chance(0.5) },
                    5 => Action::DeleteIf { base: value, landed: random.chance(0.5) },
                    _ => Action::Read(maybe),
                };
                let returned = random.chance(0.8).then(|| called + 1 + random.below(8));
                Operation { called, returned, action }
            })
            .collect();
        let expected = by_force(None, &operations);
        assert_eq!(linearizable(None, &operations).is_ok(), expected, "{operations:#?}");
        *if expected { &mut accepted } else { &mut rejected } += 1;
    }
    assert!(accepted > 1000 && rejected > 1000, "{accepted} accepted, {rejected} rejected");
}

#[test]
fn long_true_histories_are_accepted_and_a_lie_is_found() {
    let mut random = Random::new(seed("long_true_histories_are_accepted_and_a_lie_is_found"));
    for round in 0..20 {
        // Operations take effect at `instant`, and are called before and return after it.
        let mut state = None;
        let mut operations = Vec::new();
        for instant in 0..200_u64 {
            let instant = instant * 10;
            let value = random.below(1 << 40);
            let mut known = true;
            let action = match random.below(5) {
                0 | 1 => {
                    known = random.chance(0.9);
                    if known || random.chance(0.5) {
                        state = Some(value);
                    }
                    Action::Write(value)
                }
                2 if random.chance(0.3) => {
                    state = None;
                    Action::Delete
                }
                _ => Action::Read(state),
            };
            let called = instant.saturating_sub(random.below(30));
            operations.push(Operation { called, returned: known.then(|| instant + random.below(30)), action });
        }
        assert_eq!(linearizable(None, &operations), Ok(()), "round {round}");
        operations.push(Operation { called: 9_000, returned: Some(9_001), action: Action::Read(Some(u64::MAX)) });
        assert!(linearizable(None, &operations).is_err(), "round {round}");
    }
}
