//! ListMultipartUploads: the markers of a bucket, put into the order of their keys.

use std::collections::BTreeMap;

use super::names;
use super::record::parse_listed;
use crate::bucket::Bucket;
use crate::object::listing::{ListEntry, ListPage};
use crate::object::multipart::{Upload, UploadQuery};
use crate::object::{ObjectKey, Result, Timestamp, UploadId};

/// Place of an entry: uploads of one key stand in the order of their beginning, as in S3.
type Order = (String, Timestamp, String);

impl Bucket {
    /// A page of the uploads in progress. Marker names are hashes, so every page reads all markers of
    /// the bucket and keeps only the entries it answers.
    ///
    /// # Errors
    /// Those of the Blob client.
    pub async fn list_uploads(&self, query: &UploadQuery) -> Result<ListPage<Upload>> {
        let mut kept: BTreeMap<Order, ListEntry<Upload>> = BTreeMap::new();
        let after_initiated = self.initiated_of(query).await?;
        let mut marker = None;
        loop {
            let (records, next) = self.state.list(&names::markers(&self.name), marker.as_deref()).await?;
            for record in records {
                let listed = names::marker_id(&record.name).zip(parse_listed(&record.metadata));
                let Some((id, (key, initiated))) = listed else { continue };
                if let Some((order, entry)) = place(Upload { key, id, initiated }, query, after_initiated) {
                    kept.insert(order, entry);
                    if kept.len() > query.limit + 1 {
                        kept.pop_last();
                    }
                }
            }
            marker = next;
            if marker.is_none() {
                break;
            }
        }
        let truncated = kept.len() > query.limit;
        Ok(ListPage { entries: kept.into_values().take(query.limit).collect(), truncated })
    }

    /// When the upload named by the marker was begun: the order needs it.
    async fn initiated_of(&self, query: &UploadQuery) -> Result<Option<Timestamp>> {
        let (Some(key), Some(id)) = (&query.after_key, &query.after_id) else { return Ok(None) };
        let (Ok(key), Some(id)) = (ObjectKey::new(key.as_str()), UploadId::parse(id)) else { return Ok(None) };
        Ok(self.marker(&key, &id).await.ok().map(|(marker, _)| Timestamp(marker.initiated)))
    }
}

fn place(
    upload: Upload,
    query: &UploadQuery,
    after_initiated: Option<Timestamp>,
) -> Option<(Order, ListEntry<Upload>)> {
    let key = upload.key.as_str();
    let rest = key.strip_prefix(query.prefix.as_str())?;
    if let Some(after) = query.after_key.as_deref() {
        let is_after = match (query.after_id.as_deref(), after_initiated) {
            (Some(id), Some(initiated)) if key == after => (upload.initiated, upload.id.as_str()) > (initiated, id),
            _ => key > after,
        };
        if !is_after {
            return None;
        }
    }
    let delimiter = query.delimiter.as_deref().filter(|delimiter| !delimiter.is_empty());
    if let Some((at, delimiter)) = delimiter.and_then(|delimiter| Some((rest.find(delimiter)?, delimiter))) {
        let folded = key[..query.prefix.len() + at + delimiter.len()].to_owned();
        if query.after_key.as_deref().is_some_and(|after| folded.as_str() <= after) {
            return None;
        }
        return Some(((folded.clone(), Timestamp(0), String::new()), ListEntry::Prefix(folded)));
    }
    let order = (key.to_owned(), upload.initiated, upload.id.as_str().to_owned());
    Some((order, ListEntry::Object(upload)))
}
