//! Get Block List.

use super::{BlobClient, BlobRef};
use crate::object::{Result, StoreTag};

#[derive(Clone, Debug)]
pub struct BlockList {
    /// Unset for a blob that has only uncommitted blocks.
    pub store_tag: Option<StoreTag>,
    /// Length of the committed blob in bytes.
    pub length: Option<u64>,
    /// In the order of the blob; empty if it was made by Put Blob.
    pub committed: Vec<Block>,
    pub uncommitted: Vec<Block>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Base64 as the service tells it; foreign blobs have ids of any length.
    pub id: String,
    pub length: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockListKind {
    Committed,
    Uncommitted,
    All,
}

impl BlobClient {
    pub async fn get_block_list(&self, _blob: BlobRef<'_>, _kind: BlockListKind) -> Result<BlockList> {
        todo!()
    }
}
