//! Put Block List: makes a blob of staged blocks, and drops every staged block it does not name.

use super::{BlobClient, BlobCondition, BlobRef, BlockId, MetadataPairs, Written};
use crate::object::{ContentHeaders, Result};

/// Blocks of a blob at the most (Azure, Put Block List).
pub const BLOCKS_MAX: usize = 50_000;

/// A commit. The ids are sent as `<Uncommitted>`, so that a commit that has landed cannot land again.
#[derive(Clone, Debug, Default)]
pub struct PutBlockList {
    pub blocks: Vec<BlockId>,
    pub content: ContentHeaders,
    /// Stored as the blob's Content-MD5 and not verified by the service: only ever the MD5 of the bytes.
    pub blob_md5: Option<[u8; 16]>,
    pub metadata: MetadataPairs,
    pub condition: BlobCondition,
}

impl BlobClient {
    /// # Errors
    /// `InvalidBlockList` if a block is not staged (any more), `Exists` or `PreconditionFailed` by the
    /// condition, and the common kinds. After an unknown outcome it is not sent again here.
    pub async fn put_block_list(&self, _blob: BlobRef<'_>, _request: &PutBlockList) -> Result<Written> {
        todo!()
    }
}
