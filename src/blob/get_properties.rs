//! Get Blob Properties.

use http::Method;

use super::operation::Operation;
use super::request::Call;
use super::response;
use super::{BlobClient, BlobProperties, BlobRef};
use crate::object::Result;

impl BlobClient {
    /// Reads what the service tells of a blob without its bytes.
    ///
    /// # Errors
    /// `NotFound`, `ContainerMissing`, and the common kinds.
    pub async fn get_properties(&self, blob: BlobRef<'_>) -> Result<BlobProperties> {
        let call = Call::new(Operation::GetProperties, Method::HEAD, self.blob_target(blob, &[]));
        let response = self.send(&call).await?;
        let status = response.status();
        let headers = response::head(response).await;
        response::properties(&headers, status, response::content_length(&headers)?)
    }
}
