//! Put Blob: one atomic write of up to 5000 MiB.

use http::{HeaderValue, Method};

use super::operation::Operation;
use super::request::{Call, names};
use super::response;
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
    pub async fn put_blob(&self, blob: BlobRef<'_>, payload: Payload, request: PutBlob) -> Result<Written> {
        let mut call = Call::new(Operation::PutBlob, Method::PUT, self.blob_target(blob, &[]));
        call.header(names::BLOB_TYPE, HeaderValue::from_static("BlockBlob"));
        call.content_length(payload.length);
        call.content(&request.content)?;
        call.metadata(&request.metadata)?;
        call.condition(&request.condition)?;
        call.md5(names::CONTENT_MD5, request.content_md5);
        call.crc64(request.crc64);
        let response = self.send_with(&call, payload).await?;
        response::written(&response::head(response).await, true)
    }
}
