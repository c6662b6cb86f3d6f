//! Delete Blob.

use http::Method;

use super::operation::Operation;
use super::request::Call;
use super::response;
use super::{BlobClient, BlobCondition, BlobRef};
use crate::object::Result;

impl BlobClient {
    /// Deletes a blob.
    ///
    /// # Errors
    /// `NotFound`, `PreconditionFailed`, and the common kinds.
    pub async fn delete_blob(&self, blob: BlobRef<'_>, condition: &BlobCondition) -> Result<()> {
        let mut call = Call::new(Operation::DeleteBlob, Method::DELETE, self.blob_target(blob, &[]));
        call.condition(condition)?;
        let response = self.send(&call).await?;
        response::head(response).await;
        Ok(())
    }
}
