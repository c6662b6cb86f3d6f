//! Set Blob Metadata.

use super::{BlobClient, BlobCondition, BlobRef, MetadataPairs, Written};
use crate::object::Result;

impl BlobClient {
    /// Replaces all metadata. Changes the blob's ETag and Last-Modified; Content-MD5 stays.
    pub async fn set_metadata(
        &self,
        _blob: BlobRef<'_>,
        _metadata: &MetadataPairs,
        _condition: &BlobCondition,
    ) -> Result<Written> {
        todo!()
    }
}
