//! Create, get and delete a container.

use http::Method;

use super::BlobClient;
use super::operation::Operation;
use super::request::Call;
use super::response;
use crate::object::{ContainerName, Result, Timestamp};

impl BlobClient {
    /// # Errors
    /// `ContainerExists`, `ContainerBeingDeleted`, and the common kinds.
    pub async fn create_container(&self, container: &ContainerName) -> Result<()> {
        let mut call = Call::new(Operation::CreateContainer, Method::PUT, self.container_target(container, CONTAINER));
        call.content_length(0);
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
    pub async fn delete_container(&self, container: &ContainerName) -> Result<()> {
        let call = Call::new(Operation::DeleteContainer, Method::DELETE, self.container_target(container, CONTAINER));
        let response = self.send(&call).await?;
        response::head(response).await;
        Ok(())
    }
}

const CONTAINER: &[(&str, &str)] = &[("restype", "container")];
