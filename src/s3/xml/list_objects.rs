//! `ListBucketResult`, of both versions of ListObjects.

use crate::object::listing::{ListEntry, ListPage, ListedObject};
use crate::s3::operation::{ListObjectsV1, ListObjectsV2, Listing};

use super::Owner;
use super::writer::{KeyEncoding, Writer};

const ROOT: &str = "ListBucketResult";

/// The answer to ListObjects. `next_marker` is the last entry of a page that others follow.
pub fn render_v1(
    request: &ListObjectsV1,
    page: &ListPage<ListedObject>,
    next_marker: Option<&str>,
    owner: &Owner,
) -> String {
    let encoding = request.listing.encoding;
    let mut xml = begin(request.bucket.as_str(), &request.listing, page);
    xml.key("Marker", request.marker.as_deref().unwrap_or(""), encoding);
    if let Some(marker) = next_marker {
        xml.key("NextMarker", marker, encoding);
    }
    entries(xml, page, encoding, Some(owner))
}

/// The answer to ListObjectsV2. `next_token` continues a page that others follow.
pub fn render_v2(
    request: &ListObjectsV2,
    page: &ListPage<ListedObject>,
    next_token: Option<&str>,
    owner: &Owner,
) -> String {
    let encoding = request.listing.encoding;
    let mut xml = begin(request.bucket.as_str(), &request.listing, page);
    xml.number("KeyCount", page.entries.len() as u64);
    xml.optional("ContinuationToken", request.continuation_token.as_deref());
    xml.optional("NextContinuationToken", next_token);
    // A continuation token takes its place, in the answer too.
    if let Some(start_after) = request.start_after.as_ref().filter(|_| request.continuation_token.is_none()) {
        xml.key("StartAfter", start_after, encoding);
    }
    entries(xml, page, encoding, request.fetch_owner.then_some(owner))
}

fn begin(bucket: &str, listing: &Listing, page: &ListPage<ListedObject>) -> Writer {
    let mut xml = Writer::document(512 + page.entries.len() * 288);
    xml.root(ROOT);
    xml.text("Name", bucket);
    head(&mut xml, listing, "MaxKeys");
    xml.boolean("IsTruncated", page.truncated);
    xml
}

/// What every listing echoes of its request.
pub(super) fn head(xml: &mut Writer, listing: &Listing, limit: &str) {
    xml.key("Prefix", &listing.prefix, listing.encoding);
    if let Some(delimiter) = &listing.delimiter {
        xml.key("Delimiter", delimiter, listing.encoding);
    }
    xml.number(limit, listing.max_keys as u64);
    if listing.encoding == KeyEncoding::Url {
        xml.text("EncodingType", "url");
    }
}

fn entries(mut xml: Writer, page: &ListPage<ListedObject>, encoding: KeyEncoding, owner: Option<&Owner>) -> String {
    for entry in &page.entries {
        let ListEntry::Object(object) = entry else { continue };
        xml.open("Contents");
        contents(&mut xml, object, encoding, owner);
        xml.close("Contents");
    }
    prefixes(&mut xml, page, encoding);
    xml.close(ROOT);
    xml.finish()
}

/// What a listing says of an object.
fn contents(xml: &mut Writer, object: &ListedObject, encoding: KeyEncoding, owner: Option<&Owner>) {
    xml.key("Key", object.key.as_str(), encoding);
    details(xml, object, owner);
}

pub(super) fn details(xml: &mut Writer, object: &ListedObject, owner: Option<&Owner>) {
    xml.time("LastModified", object.last_modified);
    xml.etag(object.etag.as_str());
    xml.number("Size", object.size);
    if let Some(owner) = owner {
        owner.write(xml, "Owner");
    }
    xml.text("StorageClass", object.storage_class.as_deref().unwrap_or("STANDARD"));
}

pub(super) fn prefixes<T>(xml: &mut Writer, page: &ListPage<T>, encoding: KeyEncoding) {
    for entry in &page.entries {
        let ListEntry::Prefix(prefix) = entry else { continue };
        xml.open("CommonPrefixes");
        xml.key("Prefix", prefix, encoding);
        xml.close("CommonPrefixes");
    }
}
