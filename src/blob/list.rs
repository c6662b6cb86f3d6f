//! List Blobs.

mod page;

use futures::StreamExt;
use http::Method;

use self::page::PageReader;
use super::operation::Operation;
use super::request::Call;
use super::response::{self, Answer};
use super::{BlobClient, ListedProperties};
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
#[derive(Debug)]
pub struct BlobPage<T = BlobItem> {
    pub items: Vec<T>,
    pub next_marker: Option<String>,
    /// Some entry says whether it is a file or a directory, as all do on hierarchical accounts.
    pub is_hierarchical: bool,
}

#[derive(Debug)]
pub enum BlobItem {
    /// A blob. One with only staged blocks has an empty tag, no date and no length.
    Blob { name: String, properties: ListedProperties },
    /// The names that begin so, up to and including the delimiter.
    Prefix(String),
}

/// What has the name by which a page of a flat account is in order.
pub trait Named {
    fn name(&self) -> &str;
}

impl BlobClient {
    /// Lists one page of a container.
    ///
    /// # Errors
    /// `ContainerMissing`, and the common kinds.
    pub async fn list_blobs(&self, container: &ContainerName, query: &ListBlobs<'_>) -> Result<BlobPage> {
        self.list_blobs_as(container, query, Some).await
    }

    /// As [`BlobClient::list_blobs`], with what `keep` makes of each entry as soon as it has been read, so that
    /// the rest of thousands of them is not held until the page is whole.
    ///
    /// # Errors
    /// As [`BlobClient::list_blobs`].
    pub async fn list_blobs_as<T: Named>(
        &self,
        container: &ContainerName,
        query: &ListBlobs<'_>,
        keep: impl FnMut(BlobItem) -> Option<T>,
    ) -> Result<BlobPage<T>> {
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
        read_page(call.operation, response, PageReader::new(keep)).await
    }
}

async fn read_page<T: Named>(
    operation: Operation,
    response: Answer,
    mut page: PageReader<T, impl FnMut(BlobItem) -> Option<T>>,
) -> Result<BlobPage<T>> {
    let mut body = response.into_body();
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

impl<T> Default for BlobPage<T> {
    fn default() -> Self {
        Self { items: Vec::new(), next_marker: None, is_hierarchical: false }
    }
}

impl Named for BlobItem {
    fn name(&self) -> &str {
        match self {
            Self::Blob { name, .. } | Self::Prefix(name) => name,
        }
    }
}

/// 5000 entries with names and metadata as large as they can be.
const PAGE_BYTES_MAX: usize = 128 << 20;
