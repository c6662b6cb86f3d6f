//! ListParts: a listing of the state container.

use super::names;
use super::whole::StoredPart;
use crate::blob::list::{BlobItem, ListBlobs};
use crate::bucket::{Bucket, Decoded, Place, codec};
use crate::object::multipart::{Part, PartPage};
use crate::object::{ObjectKey, Result, UploadId};

/// A page of part blobs.
pub(super) struct StoredPage {
    pub parts: Vec<StoredPart>,
    pub next_marker: Option<String>,
}

impl Bucket {
    /// The parts after number `after`, at most `limit`.
    ///
    /// # Errors
    /// `NoSuchUpload`, and those of the Blob client.
    pub async fn list_parts(&self, key: &ObjectKey, id: &UploadId, after: u16, limit: usize) -> Result<PartPage> {
        let (marker, _) = self.marker(key, id).await?;
        let prefix = names::parts(id);
        let start = names::part(id, after.saturating_add(1));
        let mut page = PartPage { checksum: marker.checksum(), ..Default::default() };
        let mut next = None;
        loop {
            let wanted = limit + 1 - page.parts.len();
            let stored = self.list_part_page(&prefix, next.as_deref(), Some(&start), Some(wanted)).await?;
            for part in stored.parts.into_iter().filter(|part| part.number > after) {
                if page.parts.len() == limit {
                    page.truncated = true;
                    return Ok(page);
                }
                page.parts.push(shown(part));
            }
            next = stored.next_marker;
            if next.is_none() {
                return Ok(page);
            }
        }
    }

    pub(super) async fn list_part_page(
        &self,
        prefix: &str,
        marker: Option<&str>,
        start_from: Option<&str>,
        limit: Option<usize>,
    ) -> Result<StoredPage> {
        let query = ListBlobs {
            prefix,
            marker,
            start_from: if marker.is_none() { start_from } else { None },
            max_results: limit.map(|limit| limit.min(crate::blob::list::LIST_PAGE_MAX)),
            include_metadata: true,
            ..Default::default()
        };
        let page = self.blobs.list_blobs(self.state.container(), &query).await?;
        let parts = page.items.into_iter().filter_map(|item| match item {
            BlobItem::Blob { name, properties } => {
                let (_, number) = names::part_of(&name)?;
                let container = self.state.container().as_str();
                let own =
                    Decoded::of(&properties.metadata, Place { container, name: &name, length: properties.length });
                Some(StoredPart {
                    number,
                    size: properties.length,
                    etag: codec::shown_etag(&own, properties.content_md5, &properties.store_tag),
                    last_modified: own.shown_time(properties.last_modified),
                    checksums: own.checksums,
                    store_tag: properties.store_tag,
                    name,
                })
            }
            BlobItem::Prefix(_) => None,
        });
        Ok(StoredPage { parts: parts.collect(), next_marker: page.next_marker })
    }
}

fn shown(part: StoredPart) -> Part {
    Part {
        number: part.number,
        etag: part.etag,
        size: part.size,
        last_modified: part.last_modified,
        checksums: part.checksums,
    }
}
