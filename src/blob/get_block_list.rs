//! Get Block List.

use http::Method;

use super::operation::Operation;
use super::request::{Call, names};
use super::response;
use super::xml::{Node, Xml, corrupt};
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
    /// # Errors
    /// `NotFound`, `ContainerMissing`, and the common kinds.
    pub async fn get_block_list(&self, blob: BlobRef<'_>, kind: BlockListKind) -> Result<BlockList> {
        let target = self.blob_target(blob, &[("comp", "blocklist"), ("blocklisttype", kind.name())]);
        let call = Call::new(Operation::GetBlockList, Method::GET, target);
        let response = self.send(&call).await?;
        let headers = response.headers();
        let store_tag = response::text(headers, &http::header::ETAG).map(StoreTag::parse);
        let length = response::number(headers, &names::BLOB_CONTENT_LENGTH);
        let body = response::collect(call.operation, response, BODY_MAX).await?;
        let (committed, uncommitted) = parse(&body)?;
        Ok(BlockList { store_tag, length, committed, uncommitted })
    }
}

/// 150,000 blocks with the longest ids.
const BODY_MAX: usize = 64 << 20;

impl BlockListKind {
    fn name(self) -> &'static str {
        match self {
            Self::Committed => "committed",
            Self::Uncommitted => "uncommitted",
            Self::All => "all",
        }
    }
}

/// Committed and uncommitted blocks.
fn parse(document: &[u8]) -> Result<(Vec<Block>, Vec<Block>)> {
    let (mut committed, mut uncommitted) = (Vec::new(), Vec::new());
    let mut in_uncommitted = false;
    let mut block: Option<Block> = None;
    let mut xml = Xml::within("BlockList", document)?;
    loop {
        match xml.node()? {
            Node::Open(start) => match start.name {
                "CommittedBlocks" => in_uncommitted = false,
                "UncommittedBlocks" => in_uncommitted = true,
                "Block" => block = Some(Block { id: String::new(), length: 0 }),
                "Name" => {
                    let id = xml.text()?.into_owned();
                    block.as_mut().ok_or_else(|| corrupt("names a block outside a list"))?.id = id;
                }
                "Size" => {
                    let length = xml.text()?.trim().parse().map_err(|_| corrupt("has a block without a size"))?;
                    block.as_mut().ok_or_else(|| corrupt("sizes a block outside a list"))?.length = length;
                }
                _ => {}
            },
            Node::Close => {
                if let Some(block) = block.take() {
                    if in_uncommitted { &mut uncommitted } else { &mut committed }.push(block);
                }
            }
            Node::Empty(_) => {}
            Node::End => return Ok((committed, uncommitted)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists() {
        let document = "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList><CommittedBlocks><Block><Name>AAA=</Name><Size>4</Size></Block><Block><Name>BBB=</Name><Size>5</Size></Block></CommittedBlocks><UncommittedBlocks><Block><Name>CCC=</Name><Size>6</Size></Block></UncommittedBlocks></BlockList>";
        let block = |id: &str, length| Block { id: id.to_owned(), length };
        let (committed, uncommitted) = parse(document.as_bytes()).unwrap();
        assert_eq!(committed, [block("AAA=", 4), block("BBB=", 5)]);
        assert_eq!(uncommitted, [block("CCC=", 6)]);
        let empty = b"<BlockList><CommittedBlocks /><UncommittedBlocks /></BlockList>";
        assert_eq!(parse(empty).unwrap(), (vec![], vec![]));
        // Fewer blocks than there are would be taken for all.
        for end in 0..document.len() {
            assert!(parse(&document.as_bytes()[..end]).is_err(), "{end} bytes");
        }
    }
}
