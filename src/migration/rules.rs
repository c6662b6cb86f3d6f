//! What a source object and what is at its key mean together: pure, exhaustively tested.

use crate::bucket::{ImportTarget, Origin, StoredEntry};
use crate::object::{ETag, ObjectKey, Timestamp, Unmappable};

/// A source object as listed.
#[derive(Clone, Copy, Debug)]
pub struct SourceSide<'a> {
    pub etag: &'a ETag,
    pub size: u64,
    pub last_modified: Timestamp,
    /// S3's name of the storage class, empty if not told.
    pub storage_class: &'a str,
}

/// What the mover has to do about a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Copy it, if what is there is still what was listed.
    Copy(ImportTarget),
    /// The blob carries the stamp of this very version.
    Unchanged,
    /// A client wrote the key through the facade: the mover never touches it again.
    ClientNewer,
    /// Somebody else's blob of that name: left alone until it is adopted.
    Foreign,
    /// Blob Storage cannot hold the key.
    Unmappable(Unmappable),
    /// The object has to be made readable first.
    NeedsAction(Action),
}

/// What the owner of an object has to do before it can be copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Restore it from its archive tier.
    Restore,
    /// Rewrite it without SSE-C: only its owner has the key.
    ReencryptSseC,
}

impl Action {
    pub fn label(self) -> &'static str {
        match self {
            Self::Restore => "archived",
            Self::ReencryptSseC => "sse_c",
        }
    }
}

/// Decides about a key by its listings on both sides. Storage classes that S3 serves no bytes of
/// until they are restored: GLACIER and DEEP_ARCHIVE ("Understanding S3 Glacier storage classes").
pub fn decide(key: &ObjectKey, source: SourceSide<'_>, stored: Option<&StoredEntry>) -> Decision {
    if let Err(reason) = key.mappable() {
        return Decision::Unmappable(reason);
    }
    let target = match stored {
        None => ImportTarget::New,
        Some(entry) => match (entry.origin, &entry.stamp) {
            (Origin::Import, Some(stamp)) => {
                // S3's times have the grain of a second, so a version is its ETag, time and size together.
                let same = stamp.etag == *source.etag
                    && stamp.last_modified == source.last_modified
                    && entry.listed.size == source.size;
                if same {
                    return Decision::Unchanged;
                }
                ImportTarget::OwnCopy(entry.store_tag.clone())
            }
            (Origin::Client, _) => return Decision::ClientNewer,
            (Origin::Foreign | Origin::Import, _) => return Decision::Foreign,
        },
    };
    match source.storage_class {
        "GLACIER" | "DEEP_ARCHIVE" => Decision::NeedsAction(Action::Restore),
        _ => Decision::Copy(target),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::listing::ListedObject;
    use crate::object::{Stamp, StoreTag};

    #[test]
    fn table() {
        let key = ObjectKey::new("a").unwrap();
        let etag = ETag::parse("e1");
        let source = |class| SourceSide { etag: &etag, size: 5, last_modified: Timestamp(10), storage_class: class };
        let stored = |origin, stamp: Option<(&str, i64)>, size| StoredEntry {
            listed: ListedObject {
                key: key.clone(),
                size,
                etag: ETag::parse("shown"),
                last_modified: Timestamp(1),
                storage_class: None,
            },
            stamp: stamp.map(|(etag, at)| Stamp {
                etag: ETag::parse(etag),
                last_modified: Timestamp(at),
                epoch: 0,
                version: None,
            }),
            origin,
            store_tag: StoreTag::parse("0x1"),
        };
        let own = Decision::Copy(ImportTarget::OwnCopy(StoreTag::parse("0x1")));
        for (class, entry, expected) in [
            ("STANDARD", None, Decision::Copy(ImportTarget::New)),
            ("", None, Decision::Copy(ImportTarget::New)),
            ("GLACIER", None, Decision::NeedsAction(Action::Restore)),
            ("GLACIER_IR", None, Decision::Copy(ImportTarget::New)),
            ("", Some(stored(Origin::Import, Some(("e1", 10)), 5)), Decision::Unchanged),
            ("DEEP_ARCHIVE", Some(stored(Origin::Import, Some(("e1", 10)), 5)), Decision::Unchanged),
            ("", Some(stored(Origin::Import, Some(("e0", 10)), 5)), own.clone()),
            ("", Some(stored(Origin::Import, Some(("e1", 9)), 5)), own.clone()),
            ("", Some(stored(Origin::Import, Some(("e1", 10)), 4)), own),
            ("", Some(stored(Origin::Client, None, 5)), Decision::ClientNewer),
            ("", Some(stored(Origin::Foreign, None, 5)), Decision::Foreign),
        ] {
            assert_eq!(decide(&key, source(class), entry.as_ref()), expected, "{class} {entry:?}");
        }
        let dots = ObjectKey::new("a/../b").unwrap();
        assert_eq!(decide(&dots, source(""), None), Decision::Unmappable(Unmappable::DotSegment));
    }
}
