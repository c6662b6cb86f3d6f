//! Blob Batch: up to 256 deletes in one request.

use super::BlobClient;
use crate::object::{ContainerName, Result};

/// Operations of a batch at the most (Azure, Blob Batch).
pub const BATCH_MAX: usize = 256;

impl BlobClient {
    /// Deletes up to [`BATCH_MAX`] blobs of one container. The outer error is of the whole batch;
    /// the results are of each name, in order.
    pub async fn delete_batch(&self, _container: &ContainerName, _names: &[&str]) -> Result<Vec<Result<()>>> {
        todo!()
    }
}
