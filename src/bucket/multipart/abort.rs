//! AbortMultipartUpload: the key itself is never touched.

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};

use super::names;
use crate::blob::BlobCondition;
use crate::blob::batch::BATCH_MAX;
use crate::bucket::Bucket;
use crate::object::{ErrorKind, ObjectKey, Result, UploadId};

/// Deletes at one time where a batch is not to be had.
const PARALLEL: usize = 16;

impl Bucket {
    /// Gives up an upload. One whose commit is on its way is taken to its end first.
    ///
    /// # Errors
    /// `NoSuchUpload` if there is none or it turns out to be complete, and those of the Blob client.
    pub async fn abort_upload(&self, key: &ObjectKey, id: &UploadId) -> Result<()> {
        self.drop_upload(key, id).await
    }

    /// Deletes all parts of an upload whose marker is gone.
    pub(super) async fn delete_parts(&self, id: &UploadId) -> Result<()> {
        let prefix = names::parts(id);
        loop {
            let page = self.list_part_page(&prefix, None, None, Some(BATCH_MAX)).await?;
            if page.parts.is_empty() && page.next_marker.is_none() {
                return Ok(());
            }
            let last_page = page.next_marker.is_none();
            let names: Vec<_> = page.parts.iter().map(|part| part.name.as_str()).collect();
            self.delete_state_blobs(&names).await?;
            if last_page {
                return Ok(());
            }
        }
    }

    /// Deletes blobs of the state container, at most [`BATCH_MAX`].
    pub(super) async fn delete_state_blobs(&self, names: &[&str]) -> Result<()> {
        // Boxed, because the compiler cannot see that a closure's future is Send for every lifetime.
        let single = |name| -> BoxFuture<'_, Result<()>> {
            async move { self.blobs.delete_blob(self.state.blob(name), &BlobCondition::None).await }.boxed()
        };
        let results = match names {
            [] => return Ok(()),
            [name] => vec![single(*name).await],
            _ => match self.blobs.delete_batch(self.state.container(), names).await {
                Ok(results) => results,
                Err(_) => {
                    let deletes: Vec<_> = names.iter().map(|name| single(*name)).collect();
                    futures::stream::iter(deletes).buffered(PARALLEL).collect().await
                }
            },
        };
        results
            .into_iter()
            .find(|result| result.as_ref().is_err_and(|error| error.kind() != ErrorKind::NotFound))
            .unwrap_or(Ok(()))
    }
}
