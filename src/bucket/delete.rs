//! DELETE of one object and of many, without reading first.

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};

use super::Bucket;
use super::get::no_object;
use super::put::condition_failed;
use crate::blob::BlobCondition;
use crate::blob::batch::BATCH_MAX;
use crate::object::write::DeleteOutcome;
use crate::object::{DeleteCondition, Error, ErrorKind, ObjectKey, Result, WriteCondition};

/// Rounds of a conditional delete while the blob's metadata moves.
const ROUNDS_MAX: u32 = 16;
/// Requests at one time where the keys are deleted one by one.
const PARALLEL: usize = 16;
/// From this many keys on a batch costs less than single requests.
const BATCH_MIN: usize = 8;

impl Bucket {
    /// Deletes an object. That there is none is success, as in S3.
    ///
    /// # Errors
    /// `PreconditionFailed` if a condition does not hold, and those of the Blob client.
    pub async fn delete(&self, key: &ObjectKey, condition: &WriteCondition) -> Result<()> {
        if key.mappable().is_err() {
            return Ok(());
        }
        let WriteCondition::Match(list) = condition else {
            // Without a look an empty directory would be deleted, which is nobody's object.
            if self.is_hierarchical() && self.look(key).await?.is_none() {
                return Ok(());
            }
            return gone(self.blobs.delete_blob(self.blob(key), &BlobCondition::None).await);
        };
        let condition = DeleteCondition { etag: Some(list.clone()), ..DeleteCondition::default() };
        gone(self.delete_if(key, &condition).await)
    }

    /// Deletes an object of which something is demanded. `NotFound` where an ETag is demanded of nothing;
    /// a demand on time or size alone is met by nothing, as S3 has it.
    ///
    /// # Errors
    /// `PreconditionFailed`, `NotFound`, `Conflict`, and those of the Blob client.
    pub async fn delete_if(&self, key: &ObjectKey, condition: &DeleteCondition) -> Result<()> {
        let absent = || if condition.etag.is_some() { Err(no_object(key)) } else { Ok(()) };
        if key.mappable().is_err() {
            return absent();
        }
        for _ in 0..ROUNDS_MAX {
            let Some(object) = self.look(key).await? else { return absent() };
            if !condition.holds(&object.meta.etag, object.meta.last_modified, object.meta.size) {
                return Err(condition_failed());
            }
            match self.blobs.delete_blob(self.blob(key), &BlobCondition::Match(object.store_tag)).await {
                Err(error) if error.kind() == ErrorKind::PreconditionFailed => {}
                other => return gone(other),
            }
        }
        Err(Error::new(ErrorKind::Conflict, format!("object {key} is being changed by others")))
    }

    /// Deletes many objects; one outcome for each key, in order.
    pub async fn delete_many(&self, keys: &[ObjectKey]) -> Vec<DeleteOutcome> {
        if keys.len() < BATCH_MIN || self.is_hierarchical() {
            return self.delete_each(keys).await;
        }
        let mut outcomes = Vec::with_capacity(keys.len());
        for chunk in keys.chunks(BATCH_MAX) {
            outcomes.extend(self.delete_chunk(chunk).await);
        }
        outcomes
    }

    async fn delete_chunk(&self, keys: &[ObjectKey]) -> Vec<DeleteOutcome> {
        let mappable: Vec<_> = keys.iter().filter(|key| key.mappable().is_ok()).map(ObjectKey::as_str).collect();
        let Ok(results) = self.blobs.delete_batch(&self.container, &mappable).await else {
            return self.delete_each(keys).await;
        };
        let mut results = results.into_iter();
        let of_each = keys.iter().map(|key| match key.mappable() {
            // Without an outcome it may still be there.
            Ok(()) => gone(results.next().unwrap_or_else(|| Err(no_outcome(key)))),
            Err(_) => Ok(()),
        });
        of_each.collect()
    }

    async fn delete_each(&self, keys: &[ObjectKey]) -> Vec<DeleteOutcome> {
        // Boxed, because the compiler cannot see that a closure's future is Send for every lifetime.
        let delete = |key| -> BoxFuture<'_, DeleteOutcome> { self.delete(key, &WriteCondition::None).boxed() };
        let deletes: Vec<_> = keys.iter().map(delete).collect();
        futures::stream::iter(deletes).buffered(PARALLEL).collect().await
    }
}

fn no_outcome(key: &ObjectKey) -> Error {
    Error::new(ErrorKind::Corrupt, format!("the batch has no outcome for object {key}"))
}

fn gone(result: Result<()>) -> Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
