//! List Blobs.

use super::{BlobClient, BlobProperties};
use crate::object::{ContainerName, Result};

/// Entries of a page at the most (Azure, List Blobs).
pub const LIST_PAGE_MAX: usize = 5000;

#[derive(Clone, Debug, Default)]
pub struct ListBlobs<'a> {
    pub prefix: &'a str,
    pub delimiter: Option<&'a str>,
    /// Opaque, from the page before.
    pub marker: Option<&'a str>,
    /// Inclusive, in the account's own order. With a delimiter only one level deep.
    pub start_from: Option<&'a str>,
    /// 1 to 5000.
    pub max_results: Option<usize>,
    pub include_metadata: bool,
    /// Also blobs that have only staged blocks.
    pub include_uncommitted: bool,
}

/// A page, in the order the service lists: UTF-16 on flat accounts. It may be empty and still have a
/// next marker.
#[derive(Debug, Default)]
pub struct BlobPage {
    pub items: Vec<BlobItem>,
    pub next_marker: Option<String>,
}

#[derive(Debug)]
pub enum BlobItem {
    Blob { name: String, properties: BlobProperties },
    Prefix(String),
}

impl BlobClient {
    pub async fn list_blobs(&self, _container: &ContainerName, _query: &ListBlobs<'_>) -> Result<BlobPage> {
        todo!()
    }
}
