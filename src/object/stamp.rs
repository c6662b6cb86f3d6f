//! Provenance of an imported blob.

use super::{ETag, Timestamp};

/// Which version of a source object an imported blob is. It replaces any per-object ledger:
/// comparing a listing of the source with the stamps is the delta.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The source's ETag, as the source shows it.
    pub etag: ETag,
    pub last_modified: Timestamp,
    /// Epoch of the migration phase in which the import was made.
    pub epoch: u64,
    /// The source's version id, where the bucket is versioned.
    pub version: Option<String>,
}
