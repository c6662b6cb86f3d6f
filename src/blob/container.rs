//! Create, get and delete a container, and the metadata of one.

use http::Method;

use super::operation::Operation;
use super::request::Call;
use super::response;
use super::{BlobClient, MetadataPairs};
use crate::object::{ContainerName, Result, Timestamp};

impl BlobClient {
    /// # Errors
    /// `ContainerExists`, `ContainerBeingDeleted`, and the common kinds.
    pub async fn create_container(&self, container: &ContainerName) -> Result<()> {
        self.create_container_with(container, &MetadataPairs::new()).await
    }

    /// Creates a container that has metadata from the beginning.
    ///
    /// # Errors
    /// As [`Self::create_container`].
    pub async fn create_container_with(&self, container: &ContainerName, metadata: &MetadataPairs) -> Result<()> {
        let mut call = Call::new(Operation::CreateContainer, Method::PUT, self.container_target(container, CONTAINER));
        call.content_length(0);
        call.metadata(metadata)?;
        let response = self.send(&call).await?;
        response::head(response).await;
        Ok(())
    }

    /// When the container was last modified.
    ///
    /// # Errors
    /// `ContainerMissing`, and the common kinds.
    pub async fn get_container(&self, container: &ContainerName) -> Result<Timestamp> {
        let call = Call::new(Operation::GetContainer, Method::HEAD, self.container_target(container, CONTAINER));
        let response = self.send(&call).await?;
        response::last_modified(&response::head(response).await)
    }

    /// # Errors
    /// `ContainerMissing`, and the common kinds.
    pub async fn container_metadata(&self, container: &ContainerName) -> Result<MetadataPairs> {
        let call = Call::new(Operation::GetContainer, Method::HEAD, self.container_target(container, CONTAINER));
        let response = self.send(&call).await?;
        Ok(response::metadata(&response::head(response).await))
    }

    /// Replaces all metadata. The service knows no condition on what was there before.
    ///
    /// # Errors
    /// `ContainerMissing`, and the common kinds.
    pub async fn set_container_metadata(&self, container: &ContainerName, metadata: &MetadataPairs) -> Result<()> {
        let target = self.container_target(container, CONTAINER_METADATA);
        let mut call = Call::new(Operation::SetContainerMetadata, Method::PUT, target);
        call.content_length(0);
        call.metadata(metadata)?;
        let response = self.send(&call).await?;
        response::head(response).await;
        Ok(())
    }

    /// # Errors
    /// `ContainerMissing`, and the common kinds.
    pub async fn delete_container(&self, container: &ContainerName) -> Result<()> {
        let call = Call::new(Operation::DeleteContainer, Method::DELETE, self.container_target(container, CONTAINER));
        let response = self.send(&call).await?;
        response::head(response).await;
        Ok(())
    }
}

const CONTAINER: &[(&str, &str)] = &[("restype", "container")];
const CONTAINER_METADATA: &[(&str, &str)] = &[("restype", "container"), ("comp", "metadata")];
