//! Get Blob.

use super::{BlobClient, BlobCondition, BlobProperties, BlobRef};
use crate::object::{ByteStream, Result, Span};

/// A blob being read.
pub struct Download {
    pub properties: BlobProperties,
    /// The bytes that the body holds.
    pub span: Option<Span>,
    pub body: ByteStream,
}

/// What to read: Azure knows no suffix ranges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadRange {
    All,
    From(u64),
    Span(Span),
}

impl BlobClient {
    /// Reads a blob or a part of it. A body that breaks off is resumed from the byte reached, pinned
    /// to the blob's ETag, so that one read never mixes two versions.
    ///
    /// # Errors
    /// `NotFound`, `ContainerMissing`, `PreconditionFailed`, `RangeUnsatisfiable` (any range of an
    /// empty blob too), and the common kinds.
    pub async fn get_blob(
        &self,
        _blob: BlobRef<'_>,
        _range: ReadRange,
        _condition: &BlobCondition,
    ) -> Result<Download> {
        todo!()
    }
}
