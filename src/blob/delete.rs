//! Delete Blob.

use super::{BlobClient, BlobCondition, BlobRef};
use crate::object::Result;

impl BlobClient {
    /// # Errors
    /// `NotFound`, `PreconditionFailed`, and the common kinds.
    pub async fn delete_blob(&self, _blob: BlobRef<'_>, _condition: &BlobCondition) -> Result<()> {
        todo!()
    }
}
