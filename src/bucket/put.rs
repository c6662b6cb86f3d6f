//! PUT: one atomic Put Blob; over 5000 MiB blocks and one commit.

use super::codec::{self, Decoded, Replaced};
use super::get::no_object;
use super::{Bucket, Place, StoredObject, WriteId, block_ids};
use crate::blob::put_blob::{PUT_BLOB_BYTES_MAX, PutBlob};
use crate::blob::put_block::BLOCK_BYTES_MAX;
use crate::blob::put_block_list::PutBlockList;
use crate::blob::{BlobClient, BlobCondition, BlobRef, Written};
use crate::object::body::Splitter;
use crate::object::checksum::RunningMd5;
use crate::object::{
    Attributes, Checksum, ETag, Error, ErrorKind, ObjectKey, Payload, PutRequest, Result, StoreTag, Stored,
    WriteCondition,
};

/// Rounds of a replayable write whose condition stays true while the blob's metadata moves.
const ROUNDS_MAX: u32 = 8;

/// A client's condition, made exact against what was read.
pub(super) struct Exact {
    pub condition: BlobCondition,
    /// Recorded by conditional writes.
    pub replaced: Option<Replaced>,
}

impl Bucket {
    /// Writes an object: wholly or not at all.
    ///
    /// # Errors
    /// `KeyUnmappable`, `MetadataTooLarge`, `PreconditionFailed`, `Conflict`, `NotFound` (If-Match on
    /// nothing), whatever the payload's stream ends in, and those of the Blob client.
    pub async fn put(&self, key: &ObjectKey, request: PutRequest) -> Result<Stored> {
        self.mappable(key)?;
        let PutRequest { payload, attributes, content_md5, checksums, condition } = request;
        let length = payload.length;
        let replay = payload.replayable().cloned();
        if replay.is_none() {
            self.clear_way_early(key).await?;
        }
        let mut next = Some(payload);
        for _ in 0..ROUNDS_MAX {
            let Some(payload) = next.take().or_else(|| replay.clone().map(Payload::from)) else { break };
            let exact = self.exact(key, &condition).await?;
            let own = Decoded {
                write_id: Some(WriteId::generate()),
                replaced: exact.replaced.clone(),
                etag: content_md5.map(ETag::from_md5),
                checksums: checksums.clone(),
                ..Default::default()
            };
            let write = Write { attributes: &attributes, own, content_md5, condition: exact.condition.clone() };
            match self.write(self.blob(key), self.place(key, length), payload, write).await {
                Ok(written) => {
                    self.note_length(key, &written.store_tag, length);
                    return Ok(written.stored(length, checksums));
                }
                Err(error) if metadata_moved(&error, &exact) => {}
                Err(error) if self.may_be_in_the_way(&error) => {
                    self.clear_way(key, error).await.map_err(|error| refused(error, &condition))?;
                }
                Err(error) => return Err(self.takes_no_blocks(refused(error, &condition))),
            }
        }
        Err(Error::new(ErrorKind::Conflict, format!("object {key} is being changed by others")))
    }

    /// Turns a condition on S3 ETags into one on the blob as it is now.
    ///
    /// # Errors
    /// `PreconditionFailed` or `NotFound` if it does not hold.
    pub(super) async fn exact(&self, key: &ObjectKey, condition: &WriteCondition) -> Result<Exact> {
        match condition {
            WriteCondition::None => Ok(Exact { condition: BlobCondition::None, replaced: None }),
            WriteCondition::Absent => Ok(Exact { condition: BlobCondition::Absent, replaced: Some(Replaced::Absent) }),
            WriteCondition::Match(list) => {
                let object = Box::pin(self.look(key)).await?.ok_or_else(|| no_object(key))?;
                if !list.names(&object.meta.etag) {
                    return Err(condition_failed());
                }
                Ok(Exact { replaced: Some(replaces(&object)), condition: BlobCondition::Match(object.store_tag) })
            }
        }
    }

    pub(super) async fn write(
        &self,
        blob: BlobRef<'_>,
        place: Place<'_>,
        payload: Payload,
        write: Write<'_>,
    ) -> Result<Landed> {
        write_blob(&self.blobs, blob, place, payload, write).await
    }
}

/// One write of a blob with our metadata.
pub(super) struct Write<'a> {
    pub attributes: &'a Attributes,
    pub own: Decoded,
    pub content_md5: Option<[u8; 16]>,
    pub condition: BlobCondition,
}

/// A write that is known to have taken effect.
pub(super) struct Landed {
    pub etag: ETag,
    pub store_tag: StoreTag,
    pub last_modified: crate::object::Timestamp,
}

impl Landed {
    fn new(own: &Decoded, written: &Written) -> Self {
        Self {
            etag: codec::shown_etag(own, written.content_md5, &written.store_tag),
            store_tag: written.store_tag.clone(),
            last_modified: own.last_modified.unwrap_or(written.last_modified),
        }
    }

    pub(super) fn stored(self, size: u64, checksums: Vec<Checksum>) -> Stored {
        Stored { etag: self.etag, last_modified: self.last_modified, checksums, size }
    }
}

/// Writes a blob, and looks whether it landed where the answer does not tell.
pub(super) async fn write_blob(
    blobs: &BlobClient,
    blob: BlobRef<'_>,
    place: Place<'_>,
    payload: Payload,
    write: Write<'_>,
) -> Result<Landed> {
    let own = write.own.clone();
    let result = if payload.length <= PUT_BLOB_BYTES_MAX {
        let request = PutBlob {
            content: write.attributes.content.clone(),
            metadata: codec::encode(write.attributes, &own, place)?,
            condition: write.condition,
            content_md5: write.content_md5,
            crc64: None,
        };
        blobs.put_blob(blob, payload, request).await
    } else {
        Box::pin(write_long(blobs, blob, place, payload, write)).await
    };
    match result {
        Ok(written) => Ok(Landed::new(&own, &written)),
        Err(error) if error.outcome_unknown() => Box::pin(settle(blobs, blob, place, &own, error)).await,
        Err(error) => Err(error),
    }
}

/// A write whose outcome is unknown has landed if the blob carries its write id, or was written on
/// condition that it replaces that very write.
async fn settle(
    blobs: &BlobClient,
    blob: BlobRef<'_>,
    place: Place<'_>,
    own: &Decoded,
    error: Error,
) -> Result<Landed> {
    let Ok(properties) = blobs.get_properties(blob).await else { return Err(error) };
    let object = codec::stored_object(properties, place.container, place.name);
    let Some(write_id) = own.write_id else { return Err(error) };
    if let (Some(Replaced::Write(replaced)), Some(etag)) = (&object.replaced, &own.etag)
        && *replaced == write_id
    {
        let last_modified = own.last_modified.unwrap_or(object.meta.last_modified);
        return Ok(Landed { etag: etag.clone(), store_tag: object.store_tag, last_modified });
    }
    if object.write_id != own.write_id {
        return Err(error);
    }
    Ok(Landed { etag: object.meta.etag, store_tag: object.store_tag, last_modified: object.meta.last_modified })
}

/// Writes a body longer than Put Blob takes: blocks, an MD5 of ours, and one commit.
async fn write_long(
    blobs: &BlobClient,
    blob: BlobRef<'_>,
    place: Place<'_>,
    payload: Payload,
    write: Write<'_>,
) -> Result<Written> {
    let write_id = write.own.write_id.unwrap_or_else(WriteId::generate);
    let length = payload.length;
    let md5 = std::sync::Arc::new(std::sync::Mutex::new(RunningMd5::default()));
    let splitter = Splitter::new(payload.into_stream(), {
        let md5 = md5.clone();
        move |bytes| md5.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).update(bytes)
    });
    let mut blocks = Vec::new();
    let mut left = length;
    while left > 0 {
        let id = block_ids::long_put(write_id.0, blocks.len() as u32);
        let piece = left.min(BLOCK_BYTES_MAX);
        blobs.put_block(blob, id, Payload::stream(piece, splitter.take(piece)), None).await?;
        blocks.push(id);
        left -= piece;
    }
    splitter.finish().await?;
    let computed = md5.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone().finish();
    if write.content_md5.is_some_and(|declared| declared != computed) {
        return Err(Error::new(ErrorKind::ChecksumMismatch, "the body does not have the announced MD5"));
    }
    let request = PutBlockList {
        blocks,
        content: write.attributes.content.clone(),
        blob_md5: Some(computed),
        metadata: codec::encode(write.attributes, &write.own, place)?,
        condition: write.condition,
    };
    let written = blobs.put_block_list(blob, &request).await?;
    Ok(Written { content_md5: Some(computed), ..written })
}

/// What a conditional write records of the object it replaces.
pub(super) fn replaces(object: &StoredObject) -> Replaced {
    object.write_id.map_or_else(|| Replaced::Foreign(object.store_tag.clone()), Replaced::Write)
}

/// A failed If-Match may only mean that the blob's metadata moved: worth another round.
pub(super) fn metadata_moved(error: &Error, exact: &Exact) -> bool {
    error.kind() == ErrorKind::PreconditionFailed && matches!(exact.condition, BlobCondition::Match(_))
}

/// What the client is told of a write that Azure refused.
pub(super) fn refused(error: Error, condition: &WriteCondition) -> Error {
    match (error.kind(), condition) {
        (ErrorKind::Exists, WriteCondition::Absent) => error.with_kind(ErrorKind::PreconditionFailed),
        _ => error,
    }
}

pub(super) fn condition_failed() -> Error {
    Error::new(ErrorKind::PreconditionFailed, "a condition of the write does not hold")
}
