//! What happened, in one order.

use std::collections::BTreeMap;

use crate::harness::hash;
use crate::harness::s3_source::{S3Source, Stored};

/// A point in the common order: a number of [`crate::harness::sequence`] within one process,
/// nanoseconds since the epoch across processes. One history keeps to one of the two.
pub type Moment = u64;

/// What identifies bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContentId {
    pub sha256: String,
    pub length: u64,
}

/// Who wrote to the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writer {
    Mover,
    Client,
}

/// What an imported blob says about its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    pub etag: String,
    pub length: u64,
}

/// One event of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    SourceWrite {
        at: Moment,
        key: String,
        content: ContentId,
        etag: String,
    },
    SourceDelete {
        at: Moment,
        key: String,
    },
    /// The instant a blob became visible.
    StoreWrite {
        at: Moment,
        key: String,
        content: ContentId,
        writer: Writer,
        stamp: Option<Stamp>,
    },
    StoreDelete {
        at: Moment,
        key: String,
        writer: Writer,
    },
    /// What a reader of the store saw between two instants.
    StoreRead {
        began: Moment,
        ended: Moment,
        key: String,
        seen: Option<ContentId>,
    },
    /// The source holds the truth again (rollback): what clients wrote to the store no longer counts.
    TruthAtSource {
        at: Moment,
    },
}

/// Events of one bucket, ordered.
#[derive(Clone, Debug, Default)]
pub struct History {
    events: Vec<Event>,
}

impl ContentId {
    pub fn of(bytes: &[u8]) -> Self {
        Self { sha256: hash::sha256_hex(bytes), length: bytes.len() as u64 }
    }

    pub fn of_stored(stored: &Stored) -> Self {
        let mut running = hash::Running::new(hash::Algorithm::Sha256);
        stored.content.for_each(|piece| running.update(piece));
        Self { sha256: hash::hex(&running.finish()), length: stored.size }
    }
}

impl Event {
    /// When it happened; a read, when it began.
    pub fn at(&self) -> Moment {
        match self {
            Self::SourceWrite { at, .. }
            | Self::SourceDelete { at, .. }
            | Self::StoreWrite { at, .. }
            | Self::StoreDelete { at, .. }
            | Self::TruthAtSource { at } => *at,
            Self::StoreRead { began, .. } => *began,
        }
    }

    pub fn key(&self) -> Option<&str> {
        match self {
            Self::SourceWrite { key, .. }
            | Self::SourceDelete { key, .. }
            | Self::StoreWrite { key, .. }
            | Self::StoreDelete { key, .. }
            | Self::StoreRead { key, .. } => Some(key),
            Self::TruthAtSource { .. } => None,
        }
    }
}

impl History {
    pub fn new(events: impl IntoIterator<Item = Event>) -> Self {
        let mut events: Vec<_> = events.into_iter().collect();
        events.sort_by_key(Event::at);
        Self { events }
    }

    /// The source's side, ordered by the process's sequence.
    pub fn of_source(source: &S3Source, bucket: &str) -> Self {
        Self::of_source_at(source, bucket, |version| version.sequence)
    }

    /// The source's side, ordered by nanoseconds of the wall clock, to be merged with what another
    /// process recorded.
    pub fn of_source_by_clock(source: &S3Source, bucket: &str) -> Self {
        Self::of_source_at(source, bucket, |version| u64::try_from(version.real_at.as_nanos()).unwrap_or(u64::MAX))
    }

    fn of_source_at(
        source: &S3Source,
        bucket: &str,
        at: impl Fn(&crate::harness::s3_source::Version) -> Moment,
    ) -> Self {
        Self::new(source.log().into_iter().filter(|version| version.bucket == bucket).map(|version| {
            let (at, key) = (at(&version), version.key.clone());
            match &version.object {
                Some(stored) => {
                    Event::SourceWrite { at, key, content: ContentId::of_stored(stored), etag: stored.etag.clone() }
                }
                None => Event::SourceDelete { at, key },
            }
        }))
    }

    pub fn merged(self, other: Self) -> Self {
        Self::new(self.events.into_iter().chain(other.events))
    }

    pub fn push(&mut self, event: Event) {
        let place = self.events.partition_point(|earlier| earlier.at() <= event.at());
        self.events.insert(place, event);
    }

    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// Events by key, in order; what concerns all keys is among each key's.
    pub fn by_key(&self) -> BTreeMap<&str, Vec<&Event>> {
        let mut keys: BTreeMap<&str, Vec<&Event>> =
            self.events.iter().filter_map(|event| Some((event.key()?, Vec::new()))).collect();
        for event in &self.events {
            match event.key() {
                Some(key) => keys.entry(key).or_default().push(event),
                None => keys.values_mut().for_each(|events| events.push(event)),
            }
        }
        keys
    }
}
