//! Put Blob: one atomic write of up to 5000 MiB.

use super::{BlobClient, BlobCondition, BlobRef, MetadataPairs, Written};
use crate::object::{ContentHeaders, Payload, Result};

/// Longest body in bytes (Azure, "Scalability and performance targets for Blob storage").
pub const PUT_BLOB_BYTES_MAX: u64 = 5000 << 20;

/// What goes with the bytes.
#[derive(Clone, Debug, Default)]
pub struct PutBlob {
    pub content: ContentHeaders,
    pub metadata: MetadataPairs,
    pub condition: BlobCondition,
    /// Transactional: the service refuses the write if the bytes do not have it. At most one of the two.
    pub content_md5: Option<[u8; 16]>,
    pub crc64: Option<u64>,
}

impl BlobClient {
    /// Writes a block blob. A replayable payload is sent again after throttling or when nothing can
    /// have arrived; a stream is sent once.
    ///
    /// # Errors
    /// `Exists` or `PreconditionFailed` by the condition, `ChecksumMismatch`, `BodyIncomplete` if the
    /// payload ended early, and the common kinds.
    pub async fn put_blob(&self, _blob: BlobRef<'_>, _payload: Payload, _request: PutBlob) -> Result<Written> {
        todo!()
    }
}
