//! AbortMultipartUpload: the key itself is never touched.

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};

use super::complete::Settled;
use super::record::{Done, Ended};
use super::{names, no_such_upload};
use crate::blob::BlobCondition;
use crate::blob::batch::BATCH_MAX;
use crate::bucket::Bucket;
use crate::object::{Error, ErrorKind, ObjectKey, Result, UploadId};
use crate::state::Version;

/// Deletes at one time where a batch is not to be had.
const PARALLEL: usize = 16;
/// Rounds against others that complete the upload at the same time.
const ROUNDS_MAX: u32 = 64;

impl Bucket {
    /// Gives up an upload. One whose commit is on its way is taken to its end first.
    ///
    /// # Errors
    /// `NoSuchUpload` if there is none or it turns out to be complete, and those of the Blob client.
    pub async fn abort_upload(&self, key: &ObjectKey, id: &UploadId) -> Result<()> {
        for _ in 0..ROUNDS_MAX {
            let dropped = match self.settle_upload(key, id).await? {
                Settled::Done => Err(no_such_upload(id)),
                Settled::Open(version) => self.drop_upload(key, id, &version).await,
                Settled::Unknown(version) => self.give_up(key, id, &version).await,
            };
            match dropped {
                Err(error) if error.kind() == ErrorKind::Conflict => {}
                other => return other,
            }
        }
        Err(Error::new(ErrorKind::Conflict, format!("upload {id} is being completed")))
    }

    /// Removes an upload whose commit can land no more, as it was at `version`. That it did land may be
    /// known to a Complete that has not said so yet: it will not say so after this.
    ///
    /// # Errors
    /// As [`Bucket::drop_upload`].
    pub(super) async fn give_up(&self, key: &ObjectKey, id: &UploadId, version: &Version) -> Result<()> {
        match self.record_end(key, id, &Done::given_up(key)).await? {
            Ended::Completed(_) => Err(no_such_upload(id)),
            Ended::GivenUp => self.drop_upload(key, id, version).await,
        }
    }

    /// Removes an upload that is open, or given up, as it was at `version`.
    ///
    /// # Errors
    /// `Conflict` if somebody has moved it since, `NoSuchUpload` if it turns out to be complete.
    pub(super) async fn drop_upload(&self, key: &ObjectKey, id: &UploadId, version: &Version) -> Result<()> {
        self.state.delete(&names::marker(&self.name, key, id), version).await?;
        self.shared.uploads_seen.forget(id);
        // That the marker was gone already is no error of the deletion: it may have been completed.
        match self.ended(key, id).await? {
            Some(Ended::Completed(_)) => Err(no_such_upload(id)),
            Some(Ended::GivenUp) | None => self.delete_parts(id).await,
        }
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
