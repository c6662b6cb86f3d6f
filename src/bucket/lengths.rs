//! Lengths of objects seen lately: spares the reader of a suffix a look at the object.
//!
//! Azure knows no suffix ranges ("Specifying the range header for Blob service operations"), so the length has to be
//! known before the bytes can be asked for. One from here is a guess that the read itself makes sure of: it goes with
//! `If-Match` on the version whose length it is.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::object::{ContainerName, StoreTag};

/// Shared by all threads of a process. A name has one place, and whatever comes there last is kept: forgetting costs
/// a look and nothing else.
pub struct SeenLengths {
    places: Box<[Mutex<Option<Seen>>]>,
    hasher: RandomState,
}

struct Seen {
    container: ContainerName,
    name: Box<str>,
    version: Version,
}

/// A version of a blob and its length in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Version {
    pub tag: StoreTag,
    pub length: u64,
}

/// Half a MiB with names of usual length, 5 MiB with the longest.
const PLACES: usize = 4096;

impl Default for SeenLengths {
    fn default() -> Self {
        Self { places: (0..PLACES).map(|_| Mutex::default()).collect(), hasher: RandomState::new() }
    }
}

impl SeenLengths {
    /// The version of a blob that was seen last, if that is still known.
    pub(super) fn of(&self, container: &ContainerName, name: &str) -> Option<Version> {
        let place = self.place(container, name)?;
        place.as_ref().filter(|seen| seen.is(container, name)).map(|seen| seen.version.clone())
    }

    pub(super) fn note(&self, container: &ContainerName, name: &str, tag: &StoreTag, length: u64) {
        let Some(mut place) = self.place(container, name) else { return };
        match &mut *place {
            Some(seen) if seen.is(container, name) => {
                if seen.version.tag != *tag {
                    seen.version = Version { tag: tag.clone(), length };
                }
            }
            other => {
                let version = Version { tag: tag.clone(), length };
                *other = Some(Seen { container: container.clone(), name: name.into(), version });
            }
        }
    }

    fn place(&self, container: &ContainerName, name: &str) -> Option<MutexGuard<'_, Option<Seen>>> {
        let hash = self.hasher.hash_one((container.as_str(), name));
        let place = self.places.get(hash as usize % PLACES)?;
        Some(place.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Seen {
    fn is(&self, container: &ContainerName, name: &str) -> bool {
        self.container == *container && *self.name == *name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_version_of_each_blob_until_its_place_is_taken() {
        let seen = SeenLengths::default();
        let (flink, iceberg) = (ContainerName::new("flink").unwrap(), ContainerName::new("iceberg").unwrap());
        let tag = |number: u64| StoreTag::parse(&format!("0x{number}"));
        assert_eq!(seen.of(&flink, "a"), None);
        seen.note(&flink, "a", &tag(1), 10);
        seen.note(&iceberg, "a", &tag(2), 20);
        seen.note(&flink, "a", &tag(3), 30);
        assert_eq!(seen.of(&flink, "a"), Some(Version { tag: tag(3), length: 30 }));
        assert_eq!(seen.of(&iceberg, "a").map(|version| version.length), Some(20));
        let names: Vec<_> = (0..4 * PLACES as u64).map(|number| (number, number.to_string())).collect();
        names.iter().for_each(|(number, name)| seen.note(&flink, name, &tag(*number), *number));
        let kept: Vec<_> =
            names.iter().filter_map(|(number, name)| Some((number, seen.of(&flink, name)?.length))).collect();
        assert!(kept.iter().all(|(number, length)| *number == length));
        assert!(kept.len() <= PLACES && kept.len() > PLACES / 2, "{}", kept.len());
    }
}
