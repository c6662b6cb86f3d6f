//! `ListVersionsResult`: every object is the only version of itself, named `null`.

use crate::object::listing::{ListEntry, ListPage, ListedObject};
use crate::s3::operation::ListObjectVersions;

use super::Owner;
use super::list_objects::{details, head, prefixes};
use super::writer::Writer;

/// `next_key` is the last entry of a page that others follow.
pub fn render(
    request: &ListObjectVersions,
    page: &ListPage<ListedObject>,
    next_key: Option<&str>,
    owner: &Owner,
) -> String {
    let encoding = request.listing.encoding;
    let mut xml = Writer::document(512 + page.entries.len() * 400);
    xml.root("ListVersionsResult");
    xml.text("Name", request.bucket.as_str());
    head(&mut xml, &request.listing, "MaxKeys");
    xml.boolean("IsTruncated", page.truncated);
    xml.key("KeyMarker", request.key_marker.as_deref().unwrap_or(""), encoding);
    xml.text("VersionIdMarker", request.version_id_marker.as_deref().unwrap_or(""));
    if let Some(key) = next_key {
        xml.key("NextKeyMarker", key, encoding);
        xml.text("NextVersionIdMarker", "null");
    }
    for entry in &page.entries {
        let ListEntry::Object(object) = entry else { continue };
        xml.open("Version");
        xml.key("Key", object.key.as_str(), encoding);
        xml.raw("<VersionId>null</VersionId><IsLatest>true</IsLatest>");
        details(&mut xml, object, Some(owner));
        xml.close("Version");
    }
    prefixes(&mut xml, page, encoding);
    xml.close("ListVersionsResult");
    xml.finish()
}
