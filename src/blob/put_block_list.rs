//! Put Block List: makes a blob of staged blocks, and drops every staged block it does not name.

use bytes::Bytes;
use http::Method;

use super::operation::Operation;
use super::request::{Call, names};
use super::response;
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
    pub async fn put_block_list(&self, blob: BlobRef<'_>, request: &PutBlockList) -> Result<Written> {
        let body = Bytes::from(block_list(&request.blocks));
        let mut call =
            Call::new(Operation::PutBlockList, Method::PUT, self.blob_target(blob, &[("comp", "blocklist")]));
        call.content_length(body.len() as u64);
        call.content(&request.content)?;
        call.md5(names::BLOB_CONTENT_MD5, request.blob_md5);
        call.metadata(&request.metadata)?;
        call.condition(&request.condition)?;
        let response = self.send_with(&call, body.into()).await?;
        let headers = response::head(response).await;
        // The checksums in the answer are of the XML.
        Ok(Written { content_md5: request.blob_md5, ..response::written(&headers, false)? })
    }
}

fn block_list(blocks: &[BlockId]) -> String {
    let mut xml = String::with_capacity(64 + blocks.len() * 80);
    xml.push_str("<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>");
    for block in blocks {
        xml.push_str("<Uncommitted>");
        xml.push_str(&block.base64());
        xml.push_str("</Uncommitted>");
    }
    xml.push_str("</BlockList>");
    xml
}
