//! Put Block and Put Block From URL.

use super::copy::CopySource;
use super::{BlobClient, BlobRef, BlockId};
use crate::object::{Payload, Result, Span};

/// Longest block in bytes (Azure, "Scalability and performance targets for Blob storage").
pub const BLOCK_BYTES_MAX: u64 = 4000 << 20;

impl BlobClient {
    /// Stages a block. `crc64` is sent as the transactional checksum. Returns the CRC-64 that the
    /// service computed, where it tells.
    pub async fn put_block(
        &self,
        _blob: BlobRef<'_>,
        _id: BlockId,
        _payload: Payload,
        _crc64: Option<u64>,
    ) -> Result<Option<u64>> {
        todo!()
    }

    /// Stages a block from another blob (`span: None` = all of it) within the service. Returns its CRC-64.
    ///
    /// # Errors
    /// `SourcePreconditionFailed`, `CopySourceUnreadable`, `Unsupported`, and the common kinds.
    pub async fn put_block_from_url(
        &self,
        _blob: BlobRef<'_>,
        _id: BlockId,
        _source: &CopySource,
        _span: Option<Span>,
    ) -> Result<Option<u64>> {
        todo!()
    }
}
