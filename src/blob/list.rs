//! List Blobs.

mod page;

use futures::StreamExt;
use http::Method;

use self::page::PageReader;
use super::operation::Operation;
use super::request::Call;
use super::response::{self, Answer};
use super::{BlobClient, BlobProperties};
use crate::object::{ContainerName, Error, ErrorKind, Result};

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
#[expect(clippy::large_enum_variant, reason = "nearly all entries are blobs")]
pub enum BlobItem {
    /// A blob. One with only staged blocks has an empty tag, no date and no length.
    Blob { name: String, properties: BlobProperties },
    /// The names that begin so, up to and including the delimiter.
    Prefix(String),
}

impl BlobClient {
    /// Lists one page of a container.
    ///
    /// # Errors
    /// `ContainerMissing`, and the common kinds.
    pub async fn list_blobs(&self, container: &ContainerName, query: &ListBlobs<'_>) -> Result<BlobPage> {
        let max_results = query.max_results.map(|count| count.clamp(1, LIST_PAGE_MAX).to_string());
        let include = match (query.include_metadata, query.include_uncommitted) {
            (false, false) => None,
            (true, false) => Some("metadata"),
            (false, true) => Some("uncommittedblobs"),
            (true, true) => Some("metadata,uncommittedblobs"),
        };
        let optional = [
            ("prefix", Some(query.prefix).filter(|prefix| !prefix.is_empty())),
            ("delimiter", query.delimiter),
            ("marker", query.marker),
            ("startFrom", query.start_from),
            ("maxresults", max_results.as_deref()),
            ("include", include),
        ];
        let mut pairs = vec![("restype", "container"), ("comp", "list")];
        pairs.extend(optional.into_iter().filter_map(|(name, value)| Some((name, value?))));
        let call = Call::new(Operation::ListBlobs, Method::GET, self.container_target(container, &pairs));
        let response = self.send(&call).await?;
        read_page(call.operation, response).await
    }
}

async fn read_page(operation: Operation, response: Answer) -> Result<BlobPage> {
    let mut body = response.into_body();
    let mut page = PageReader::default();
    let mut bytes = 0;
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(|error| response::broken(operation, error))?;
        bytes += piece.len();
        if bytes > PAGE_BYTES_MAX {
            return Err(Error::new(ErrorKind::Corrupt, "a page of a listing is larger than any can be"));
        }
        page.push(&piece)?;
    }
    page.finish()
}

impl BlobItem {
    /// The name of the blob or the prefix: what pages are in order of.
    pub fn name(&self) -> &str {
        match self {
            Self::Blob { name, .. } | Self::Prefix(name) => name,
        }
    }
}

/// 5000 entries with names and metadata as large as they can be.
const PAGE_BYTES_MAX: usize = 128 << 20;
