//! Set Blob Properties.

use http::Method;

use super::operation::Operation;
use super::request::{Call, names};
use super::response;
use super::{BlobClient, BlobCondition, BlobRef, Written};
use crate::object::{ContentHeaders, Result};

impl BlobClient {
    /// Replaces all content headers. What is not sent is cleared, the MD5 too, so it has to be given again.
    pub async fn set_properties(
        &self,
        blob: BlobRef<'_>,
        content: &ContentHeaders,
        blob_md5: Option<[u8; 16]>,
        condition: &BlobCondition,
    ) -> Result<Written> {
        let mut call =
            Call::new(Operation::SetProperties, Method::PUT, self.blob_target(blob, &[("comp", "properties")]));
        call.content_length(0);
        call.content(content)?;
        call.md5(names::BLOB_CONTENT_MD5, blob_md5);
        call.condition(condition)?;
        let response = self.send(&call).await?;
        response::written(&response::head(response).await, false)
    }
}
