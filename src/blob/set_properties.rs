//! Set Blob Properties.

use super::{BlobClient, BlobCondition, BlobRef, Written};
use crate::object::{ContentHeaders, Result};

impl BlobClient {
    /// Replaces all content headers. What is not sent is cleared, the MD5 too, so it has to be given again.
    pub async fn set_properties(
        &self,
        _blob: BlobRef<'_>,
        _content: &ContentHeaders,
        _blob_md5: Option<[u8; 16]>,
        _condition: &BlobCondition,
    ) -> Result<Written> {
        todo!()
    }
}
