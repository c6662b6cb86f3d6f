//! Put Block and Put Block From URL.

use http::Method;

use super::copy::CopySource;
use super::operation::Operation;
use super::request::Call;
use super::response;
use super::{BlobClient, BlobRef, BlockId};
use crate::object::{Payload, Result, Span};

/// Longest block in bytes (Azure, "Scalability and performance targets for Blob storage").
pub const BLOCK_BYTES_MAX: u64 = 4000 << 20;

const SOURCE_RANGE: http::HeaderName = http::HeaderName::from_static("x-ms-source-range");

impl BlobClient {
    /// Stages a block. `crc64` is sent as the transactional checksum. Returns the CRC-64 that the
    /// service computed, where it tells.
    pub async fn put_block(
        &self,
        blob: BlobRef<'_>,
        id: BlockId,
        payload: Payload,
        crc64: Option<u64>,
    ) -> Result<Option<u64>> {
        let target = self.blob_target(blob, &[("comp", "block"), ("blockid", &id.base64())]);
        let mut call = Call::new(Operation::PutBlock, Method::PUT, target);
        call.content_length(payload.length);
        call.crc64(crc64);
        let response = self.send_with(&call, payload).await?;
        Ok(response::crc64(&response::head(response).await))
    }

    /// Stages a block from another blob (`span: None` = all of it) within the service. Returns its CRC-64.
    ///
    /// # Errors
    /// `SourcePreconditionFailed`, `CopySourceUnreadable`, `Unsupported`, and the common kinds.
    pub async fn put_block_from_url(
        &self,
        blob: BlobRef<'_>,
        id: BlockId,
        source: &CopySource,
        span: Option<Span>,
    ) -> Result<Option<u64>> {
        let target = self.blob_target(blob, &[("comp", "block"), ("blockid", &id.base64())]);
        let mut call = Call::new(Operation::PutBlockFromUrl, Method::PUT, target);
        call.content_length(0);
        self.name_source(&mut call, source).await?;
        if let Some(span) = span {
            call.text(SOURCE_RANGE, &span.header())?;
        }
        let response = self.send(&call).await?;
        Ok(response::crc64(&response::head(response).await))
    }
}
