//! CopyObject within the account: Put Blob From URL, and staged blocks where that is not to be had.

use futures::TryStreamExt;

use super::codec::{Decoded, Replaced};
use super::get::{changed_meanwhile, no_object};
use super::multipart::stage;
use super::put::{Exact, metadata_moved, refused, replaces};
use super::{Bucket, StoredObject, WriteId, codec};
use crate::blob::copy::PutBlobFromUrl;
use crate::blob::put_blob::PUT_BLOB_BYTES_MAX;
use crate::blob::put_block_list::PutBlockList;
use crate::blob::{BlobCondition, SourceCondition};
use crate::object::condition::Verdict;
use crate::object::{
    Algorithm, Attributes, Checksum, ChecksumKind, CopyRequest, Error, ErrorKind, Hasher, ObjectKey, Result, Stored,
    WriteCondition,
};

/// Rounds of a copy whose source or target changes while it runs.
const ROUNDS_MAX: u32 = 32;

impl Bucket {
    /// Copies `request.source` of `from` to `key` of this bucket.
    ///
    /// # Errors
    /// `NotFound` and `PreconditionFailed` (of source or target), `KeyUnmappable`, `Conflict`,
    /// `MetadataTooLarge`, and those of the Blob client.
    pub async fn copy(&self, key: &ObjectKey, from: &Bucket, request: &CopyRequest) -> Result<Stored> {
        self.mappable(key)?;
        for _ in 0..ROUNDS_MAX {
            let source = from.source(&request.source, &request.source_condition).await?;
            let checksums = match from.checksums_of_copy(&request.source, &source, request.attributes.checksum).await {
                Err(error) if changed_meanwhile(&error) => continue,
                other => other?,
            };
            let exact = match self.in_place(key, from, &source, request) {
                Some(exact) => exact,
                None => self.exact(key, &request.condition).await?,
            };
            let attributes = attributes_of_copy(&source, request);
            let own = Decoded {
                write_id: Some(WriteId::generate()),
                replaced: exact.replaced.clone(),
                // The bytes are the source's, so its ETag holds for the copy.
                etag: Some(source.meta.etag.clone()),
                checksums: checksums.clone(),
                ..Default::default()
            };
            let copy = Copy { from, source_key: &request.source, source: &source, attributes: &attributes, own };
            match self.copy_once(key, &copy, exact.condition.clone()).await {
                Ok(last_modified) => {
                    return Ok(Stored { etag: source.meta.etag, last_modified, checksums, size: source.meta.size });
                }
                Err(error) if error.kind() == ErrorKind::SourcePreconditionFailed => {}
                Err(error) if metadata_moved(&error, &exact) => {}
                Err(error) if self.may_be_in_the_way(&error) => {
                    self.clear_way(key, error).await.map_err(|error| refused(error, &request.condition))?;
                }
                Err(error) => return Err(self.takes_no_blocks(refused(error, &request.condition))),
            }
        }
        Err(Error::new(
            ErrorKind::Conflict,
            format!("source or target of the copy to {key} is being changed by others"),
        ))
    }

    /// A copy of an object onto itself replaces what it was made of and nothing else: whatever was
    /// written between its two halves would be lost. `None` where the copy goes elsewhere, or where a
    /// condition has to be judged first.
    fn in_place(&self, key: &ObjectKey, from: &Bucket, source: &StoredObject, request: &CopyRequest) -> Option<Exact> {
        let onto_itself = from.container == self.container && request.source == *key;
        (onto_itself && request.condition == WriteCondition::None).then(|| Exact {
            condition: BlobCondition::Match(source.store_tag.clone()),
            replaced: Some(replaces(source)),
        })
    }

    /// The source of a copy, once its conditions hold.
    pub(super) async fn source(
        &self,
        key: &ObjectKey,
        condition: &crate::object::ReadCondition,
    ) -> Result<StoredObject> {
        let object = self.look(key).await?.ok_or_else(|| no_object(key))?;
        match condition.judge(&object.meta.etag, object.meta.last_modified) {
            Verdict::Proceed => Ok(object),
            Verdict::NotModified | Verdict::Failed => {
                Err(Error::new(ErrorKind::PreconditionFailed, "a condition on the source of the copy does not hold"))
            }
        }
    }

    /// The checksums of a copy: the source's, unless one of another algorithm is asked for. The service
    /// tells none of those, so the bytes pass through here once; the copy is of the same version.
    async fn checksums_of_copy(
        &self,
        key: &ObjectKey,
        source: &StoredObject,
        asked: Option<Algorithm>,
    ) -> Result<Vec<Checksum>> {
        let Some(algorithm) = asked else { return Ok(source.meta.checksums.clone()) };
        let known = source
            .meta
            .checksums
            .iter()
            .find(|checksum| checksum.algorithm == algorithm && checksum.kind == ChecksumKind::FullObject);
        if let Some(checksum) = known {
            return Ok(vec![checksum.clone()]);
        }
        let mut body = self.read_version(key, None, &source.store_tag).await?;
        let mut hasher = Hasher::new(algorithm);
        while let Some(bytes) = body.try_next().await? {
            hasher.update(&bytes);
        }
        Ok(vec![hasher.finish()])
    }

    async fn copy_once(
        &self,
        key: &ObjectKey,
        copy: &Copy<'_>,
        condition: BlobCondition,
    ) -> Result<crate::object::Timestamp> {
        if copy.source.meta.size <= PUT_BLOB_BYTES_MAX {
            match self.copy_in_one(key, copy, condition.clone()).await {
                Err(error) if not_to_be_had(&error) => {}
                other => return other,
            }
        }
        self.copy_in_blocks(key, copy, condition).await
    }

    /// Put Blob From URL: one atomic write.
    async fn copy_in_one(
        &self,
        key: &ObjectKey,
        copy: &Copy<'_>,
        condition: BlobCondition,
    ) -> Result<crate::object::Timestamp> {
        let request = PutBlobFromUrl {
            content: copy.attributes.content.clone(),
            metadata: codec::encode(copy.attributes, &copy.own, self.place(key, copy.source.meta.size))?,
            condition,
        };
        let mut refusal = None;
        for auth in self.shared.route.auths() {
            let unchanged = SourceCondition::Match(copy.source.store_tag.clone());
            let source = self.blobs.copy_source(copy.from.blob(copy.source_key), unchanged, auth).await?;
            match self.blobs.put_blob_from_url(self.blob(key), &source, &request).await {
                Err(error) if error.kind() == ErrorKind::CopySourceUnreadable => refusal = Some(error),
                Err(error) if error.outcome_unknown() => return self.find_write(key, &copy.own, error).await,
                Err(error) => return Err(error),
                Ok(written) => {
                    self.shared.route.worked(auth);
                    return Ok(written.last_modified);
                }
            }
        }
        Err(refusal
            .unwrap_or_else(|| Error::new(ErrorKind::CopySourceUnreadable, "the service cannot read the source")))
    }

    /// Put Block From URL and one commit: sources over 5000 MiB, and services without Put Blob From URL.
    async fn copy_in_blocks(
        &self,
        key: &ObjectKey,
        copy: &Copy<'_>,
        condition: BlobCondition,
    ) -> Result<crate::object::Timestamp> {
        let source = copy.from.blob(copy.source_key);
        let pieces = stage::pieces(1, source, &copy.source.store_tag, 0, copy.source.meta.size);
        let blocks = stage::stage(self, self.blob(key), stage::nonce(), &pieces).await?;
        let request = PutBlockList {
            blocks,
            content: copy.attributes.content.clone(),
            blob_md5: copy.source.content_md5,
            metadata: codec::encode(copy.attributes, &copy.own, self.place(key, copy.source.meta.size))?,
            condition,
        };
        match self.blobs.put_block_list(self.blob(key), &request).await {
            Err(error) if error.outcome_unknown() => self.find_write(key, &copy.own, error).await,
            // Another writer's commit dropped our blocks: stage again.
            Err(error) if error.kind() == ErrorKind::InvalidBlockList => {
                Err(error.with_kind(ErrorKind::SourcePreconditionFailed))
            }
            other => other.map(|written| written.last_modified),
        }
    }

    /// A copy whose outcome is unknown has landed if the blob carries its write id, or was written on
    /// condition that it replaces that very write.
    async fn find_write(&self, key: &ObjectKey, own: &Decoded, error: Error) -> Result<crate::object::Timestamp> {
        match self.look(key).await {
            Ok(Some(object)) if object.write_id == own.write_id => Ok(object.meta.last_modified),
            Ok(Some(object)) if object.replaced == own.write_id.map(Replaced::Write) => Ok(object.meta.last_modified),
            _ => Err(error),
        }
    }
}

/// One try of a copy.
struct Copy<'a> {
    from: &'a Bucket,
    source_key: &'a ObjectKey,
    source: &'a StoredObject,
    attributes: &'a Attributes,
    own: Decoded,
}

/// Always explicit, and never the source's stamp or upload id.
fn attributes_of_copy(source: &StoredObject, request: &CopyRequest) -> Attributes {
    let (content, user) =
        request.attributes.replace.clone().unwrap_or_else(|| (source.meta.content.clone(), source.meta.user.clone()));
    let tags = request.attributes.tags.clone().unwrap_or_else(|| source.meta.tags.clone());
    Attributes { content, user, tags, storage_class: request.attributes.storage_class.clone() }
}

/// The service does not do it this way on this account: another way may work.
pub(super) fn not_to_be_had(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::CopySourceUnreadable | ErrorKind::Unsupported | ErrorKind::TooLarge)
}
