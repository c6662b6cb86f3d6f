//! Complete over a file made through the Data Lake endpoint, which takes no blocks: the parts are put
//! together beside the key and copied onto it by one write.

use tokio::time::sleep;

use super::record::Publishing;
use super::stage::RESENDS;
use super::{names, stage};
use crate::blob::copy::PutBlobFromUrl;
use crate::blob::get_blob::ReadRange;
use crate::blob::put_blob::{PUT_BLOB_BYTES_MAX, PutBlob};
use crate::blob::put_block_list::PutBlockList;
use crate::blob::{BlobCondition, SourceCondition, Written};
use crate::bucket::Bucket;
use crate::bucket::copy::not_to_be_had;
use crate::bucket::hierarchy::too_large_over_file;
use crate::object::text::hex;
use crate::object::{ErrorKind, ObjectKey, Payload, Result, StoreTag, UploadId};

impl Bucket {
    /// Stages the parts on the key, or, if what is there takes no blocks, puts them together in the state
    /// container and returns the version that they are there.
    ///
    /// # Errors
    /// As [`stage::stage`]; `Obstructed` if they are more than can be copied in one write.
    pub(super) async fn stage_whole(
        &self,
        key: &ObjectKey,
        id: &UploadId,
        nonce: [u8; 8],
        pieces: &[stage::Piece<'_>],
        size: u64,
    ) -> Result<Option<StoreTag>> {
        // No bytes are staged for an empty object, so it would show only at the commit.
        let unknown = pieces.is_empty() && self.is_hierarchical();
        if !unknown {
            match stage::stage(self, self.blob(key), nonce, pieces).await {
                Err(error) if self.is_hierarchical() && error.kind() == ErrorKind::Unsupported => {}
                other => return other.map(|_| None),
            }
        }
        if size > PUT_BLOB_BYTES_MAX {
            return Err(too_large_over_file());
        }
        let name = names::whole(id, &hex(&nonce));
        let blob = self.state.blob(&name);
        let blocks = stage::stage(self, blob, nonce, pieces).await?;
        let commit = PutBlockList { blocks, ..Default::default() };
        for tries in 1.. {
            match self.blobs.put_block_list(blob, &commit).await {
                Ok(written) => return Ok(Some(written.store_tag)),
                Err(error) if error.outcome_unknown() && tries < RESENDS.tries_max => sleep(RESENDS.wait(tries)).await,
                // The name is this try's alone: it has landed without our knowing.
                Err(error) if error.kind() == ErrorKind::InvalidBlockList => {
                    return self.blobs.get_properties(blob).await.map(|there| Some(there.store_tag));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Sends the commit that is on record. `InvalidBlockList` means of either kind that what it was to be
    /// made of is not there any more.
    pub(super) async fn send_commit(
        &self,
        key: &ObjectKey,
        id: &UploadId,
        record: &Publishing,
        commit: &PutBlockList,
    ) -> Result<Written> {
        let sent = match record.composed(id) {
            None => self.blobs.put_block_list(self.blob(key), commit).await,
            Some((name, tag)) => Box::pin(self.copy_composed(key, &name, tag, record.size, commit)).await,
        };
        sent.map_err(|error| match error.kind() {
            ErrorKind::SourcePreconditionFailed => error.with_kind(ErrorKind::InvalidBlockList),
            // A file that takes no blocks has come to the key since they were staged.
            ErrorKind::Unsupported if self.is_hierarchical() => error.with_kind(ErrorKind::InvalidBlockList),
            _ => error,
        })
    }

    /// It takes effect once at most, as a block list does: its condition names the version it replaces.
    async fn copy_composed(
        &self,
        key: &ObjectKey,
        name: &str,
        composed: StoreTag,
        size: u64,
        commit: &PutBlockList,
    ) -> Result<Written> {
        let request = PutBlobFromUrl {
            content: commit.content.clone(),
            metadata: commit.metadata.clone(),
            condition: commit.condition.clone(),
        };
        for auth in self.shared.route.auths() {
            let unchanged = SourceCondition::Match(composed.clone());
            let copied = match self.blobs.copy_source(self.state.blob(name), unchanged, auth).await {
                Ok(source) => self.blobs.put_blob_from_url(self.blob(key), &source, &request).await,
                Err(error) => Err(error),
            };
            match copied {
                Err(error) if not_to_be_had(&error) => {}
                other => {
                    if other.is_ok() {
                        self.shared.route.worked(auth);
                    }
                    return other;
                }
            }
        }
        self.stream_composed(key, name, composed, size, request).await
    }

    /// The bytes through this process, where the service cannot read the source itself.
    async fn stream_composed(
        &self,
        key: &ObjectKey,
        name: &str,
        composed: StoreTag,
        size: u64,
        request: PutBlobFromUrl,
    ) -> Result<Written> {
        let unchanged = BlobCondition::Match(composed);
        let download = match self.blobs.get_blob(self.state.blob(name), ReadRange::All, &unchanged).await {
            Err(error) if crate::bucket::get::changed_meanwhile(&error) => {
                return Err(error.with_kind(ErrorKind::SourcePreconditionFailed));
            }
            other => other?,
        };
        let PutBlobFromUrl { content, metadata, condition } = request;
        let put = PutBlob { content, metadata, condition, ..Default::default() };
        self.blobs.put_blob(self.blob(key), Payload::stream(size, download.body), put).await
    }
}
