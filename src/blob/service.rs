//! Requests to the account: its kind, user delegation keys, the containers it has.

use super::BlobClient;
use crate::object::{ContainerName, Result, Timestamp};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountInfo {
    pub sku: String,
    pub kind: String,
    /// Hierarchical namespace; a missing header means flat (Azurite leaves it out).
    pub hierarchical: bool,
}

impl BlobClient {
    pub async fn account_info(&self) -> Result<AccountInfo> {
        todo!()
    }

    /// All containers with their last modification, in order of their names.
    pub async fn list_containers(&self) -> Result<Vec<(ContainerName, Timestamp)>> {
        todo!()
    }
}
