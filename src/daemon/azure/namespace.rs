//! What kind of account it is, asked at the start.

use crate::blob::BlobClient;
use crate::blob::list::ListBlobs;
use crate::bucket::Namespace;
use crate::object::{ContainerName, ErrorKind, Result};

/// Asks the account; where that is not allowed, looks how it lists the records of the state container.
///
/// # Errors
/// Those of the Blob client: an account that does not answer is not taken for a flat one.
pub(super) async fn ask(blobs: &BlobClient, state: &ContainerName) -> Result<Namespace> {
    match blobs.account_info().await {
        Ok(info) if info.hierarchical => Ok(Namespace::Hierarchical),
        Ok(_) => Ok(Namespace::Flat),
        Err(error) if refused(error.kind()) => look(blobs, state).await,
        Err(error) => Err(error.context("ask what kind of account it is (azure.hierarchical may say it)")),
    }
}

/// A hierarchical account says of every entry whether it is a file.
async fn look(blobs: &BlobClient, state: &ContainerName) -> Result<Namespace> {
    let query = ListBlobs { max_results: Some(1), ..Default::default() };
    let page = match blobs.list_blobs(state, &query).await {
        Ok(page) => page,
        Err(error) if refused(error.kind()) => Default::default(),
        Err(error) => return Err(error),
    };
    match page.items.first() {
        Some(_) if page.is_hierarchical => Ok(Namespace::Hierarchical),
        Some(_) => Ok(Namespace::Flat),
        None => {
            tracing::warn!("the account does not tell its kind and is taken for flat; azure.hierarchical may say it");
            Ok(Namespace::Flat)
        }
    }
}

/// The identity may not ask, or the service does not know the question.
fn refused(kind: ErrorKind) -> bool {
    use ErrorKind::{AuthExpired, ContainerMissing, Denied, Invalid, Unsupported};
    matches!(kind, AuthExpired | ContainerMissing | Denied | Invalid | Unsupported)
}
