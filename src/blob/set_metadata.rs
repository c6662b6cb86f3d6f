//! Set Blob Metadata.

use http::Method;

use super::operation::Operation;
use super::request::Call;
use super::response;
use super::{BlobClient, BlobCondition, BlobRef, MetadataPairs, Written};
use crate::object::Result;

impl BlobClient {
    /// Replaces all metadata. Changes the blob's ETag and Last-Modified; Content-MD5 stays.
    pub async fn set_metadata(
        &self,
        blob: BlobRef<'_>,
        metadata: &MetadataPairs,
        condition: &BlobCondition,
    ) -> Result<Written> {
        let mut call = Call::new(Operation::SetMetadata, Method::PUT, self.blob_target(blob, &[("comp", "metadata")]));
        call.content_length(0);
        call.metadata(metadata)?;
        call.condition(condition)?;
        let response = self.send(&call).await?;
        response::written(&response::head(response).await, false)
    }
}
