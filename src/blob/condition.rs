//! Conditions on the blob that a request reads or replaces, always by Azure's own ETag.

use crate::object::StoreTag;

/// Condition on the blob itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum BlobCondition {
    #[default]
    None,
    /// `If-None-Match: *`, for writes only: Azure refuses it on reads.
    Absent,
    /// `If-Match`.
    Match(StoreTag),
    /// `If-Match: *`
    Exists,
}

/// Condition on the source of a copy (`x-ms-source-if-match`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SourceCondition {
    #[default]
    None,
    Match(StoreTag),
}
