//! Writes of the mover: conditional in their final commit, and stamped.

use super::block_ids::{ImportBlock, SourceVersion};
use super::codec::{self, Decoded, Replaced};
use super::{Bucket, WriteId};
use crate::blob::get_block_list::BlockListKind;
use crate::blob::put_blob::PutBlob;
use crate::blob::put_block_list::PutBlockList;
use crate::blob::{BlobCondition, Written};
use crate::object::{ETag, Error, ErrorKind, ImportRequest, ObjectKey, Payload, Result, StoreTag};

use bytes::Bytes;

/// What an import may replace: nothing, or the mover's own earlier copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImportTarget {
    New,
    OwnCopy(StoreTag),
}

impl ImportTarget {
    fn condition(&self) -> BlobCondition {
        match self {
            Self::New => BlobCondition::Absent,
            Self::OwnCopy(tag) => BlobCondition::Match(tag.clone()),
        }
    }

    fn replaced(&self) -> Replaced {
        match self {
            Self::New => Replaced::Absent,
            Self::OwnCopy(tag) => Replaced::Foreign(tag.clone()),
        }
    }
}

impl Bucket {
    /// Imports an object by one Put Blob.
    ///
    /// # Errors
    /// `Exists` or `PreconditionFailed` if something else is at the key by now, whatever the payload's
    /// stream ends in, `MetadataTooLarge`, `KeyUnmappable`, and those of the Blob client.
    pub async fn import(
        &self,
        key: &ObjectKey,
        payload: Payload,
        request: ImportRequest,
        target: &ImportTarget,
    ) -> Result<()> {
        self.mappable(key)?;
        let own = own(&request, target);
        let put = PutBlob {
            content: request.attributes.content.clone(),
            metadata: codec::encode(&request.attributes, &own, self.place(key, payload.length))?,
            condition: target.condition(),
            content_md5: request.content_md5,
            crc64: if request.content_md5.is_none() { request.crc64 } else { None },
        };
        let result = self.blobs.put_blob(self.blob(key), payload, put).await;
        self.settle_import(key, &own, result).await
    }

    /// Blocks of this version of the source object that an earlier try has staged.
    ///
    /// # Errors
    /// Those of the Blob client.
    pub async fn staged_import_blocks(&self, key: &ObjectKey, version: SourceVersion) -> Result<Vec<ImportBlock>> {
        self.mappable(key)?;
        let list = match self.blobs.get_block_list(self.blob(key), BlockListKind::Uncommitted).await {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            other => other?,
        };
        let blocks = list.uncommitted.iter().filter_map(|block| {
            ImportBlock::parse(&block.id).filter(|id| id.version == version && u64::from(id.length) == block.length)
        });
        Ok(blocks.collect())
    }

    /// Stages a block; the service checks its CRC.
    ///
    /// # Errors
    /// `ChecksumMismatch`, and those of the Blob client.
    pub async fn stage_import_block(&self, key: &ObjectKey, block: ImportBlock, pieces: Vec<Bytes>) -> Result<()> {
        self.mappable(key)?;
        self.blobs.put_block(self.blob(key), block.id(), Payload::from(pieces), Some(block.crc64)).await.map(drop)
    }

    /// Makes the object of its staged blocks.
    ///
    /// # Errors
    /// As [`Bucket::import`]; `InvalidBlockList` if another write dropped the blocks.
    pub async fn commit_import(
        &self,
        key: &ObjectKey,
        blocks: &[ImportBlock],
        request: ImportRequest,
        target: &ImportTarget,
    ) -> Result<()> {
        self.mappable(key)?;
        let own = own(&request, target);
        let length = blocks.iter().map(|block| u64::from(block.length)).sum();
        let commit = PutBlockList {
            blocks: blocks.iter().map(|block| block.id()).collect(),
            content: request.attributes.content.clone(),
            blob_md5: request.content_md5,
            metadata: codec::encode(&request.attributes, &own, self.place(key, length))?,
            condition: target.condition(),
        };
        let result = self.blobs.put_block_list(self.blob(key), &commit).await;
        self.settle_import(key, &own, result).await
    }

    /// An import has landed if the key carries its write id, whatever the answer was.
    async fn settle_import(&self, key: &ObjectKey, own: &Decoded, result: Result<Written>) -> Result<()> {
        let error = match result {
            Ok(_) => return Ok(()),
            Err(error) if error.outcome_unknown() => error,
            // An empty directory is no newer object, and the next try will not meet it.
            Err(error) if self.may_be_in_the_way(&error) => {
                self.clear_way(key, error).await?;
                return Err(Error::new(ErrorKind::Unavailable, "an empty directory stood in the way of the object"));
            }
            Err(error) => return Err(error),
        };
        match self.look(key).await {
            Ok(Some(object)) if object.write_id == own.write_id => Ok(()),
            _ => Err(error),
        }
    }

    /// Checks that an import of `request` would fit, without writing anything.
    ///
    /// # Errors
    /// `MetadataTooLarge`.
    pub fn check_import_fits(&self, key: &ObjectKey, request: &ImportRequest, size: u64) -> Result<()> {
        codec::encode(&request.attributes, &own(request, &ImportTarget::New), self.place(key, size)).map(drop)
    }
}

fn own(request: &ImportRequest, target: &ImportTarget) -> Decoded {
    Decoded {
        write_id: Some(WriteId::generate()),
        replaced: Some(target.replaced()),
        etag: shown_etag(request),
        checksums: request.checksums.clone(),
        stamp: Some(request.stamp.clone()),
        ..Default::default()
    }
}

/// A source ETag that looks like an MD5 and is none (SSE-KMS) is shown with `-1`, so that no client
/// checks bytes against it. Any other is shown as the stamp has it.
fn shown_etag(request: &ImportRequest) -> Option<ETag> {
    let etag = &request.stamp.etag;
    let false_md5 = etag.md5().is_some() && request.content_md5 != etag.md5();
    false_md5.then(|| ETag::parse(&format!("{etag}-1")))
}

/// Whether an import failed because somebody else has written the key by now.
pub fn client_newer(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Exists | ErrorKind::PreconditionFailed)
}
