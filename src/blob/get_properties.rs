//! Get Blob Properties.

use super::{BlobClient, BlobProperties, BlobRef};
use crate::object::Result;

impl BlobClient {
    /// # Errors
    /// `NotFound`, `ContainerMissing`, and the common kinds.
    pub async fn get_properties(&self, _blob: BlobRef<'_>) -> Result<BlobProperties> {
        todo!()
    }
}
