//! Create, get and delete a container.

use super::BlobClient;
use crate::object::{ContainerName, Result, Timestamp};

impl BlobClient {
    /// # Errors
    /// `ContainerExists`, `ContainerBeingDeleted`, and the common kinds.
    pub async fn create_container(&self, _container: &ContainerName) -> Result<()> {
        todo!()
    }

    /// When the container was last modified.
    ///
    /// # Errors
    /// `ContainerMissing`, and the common kinds.
    pub async fn get_container(&self, _container: &ContainerName) -> Result<Timestamp> {
        todo!()
    }

    /// # Errors
    /// `ContainerMissing`, and the common kinds.
    pub async fn delete_container(&self, _container: &ContainerName) -> Result<()> {
        todo!()
    }
}
