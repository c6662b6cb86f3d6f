//! `ListMultipartUploadsResult`.

use crate::object::listing::{ListEntry, ListPage};
use crate::object::{Algorithm, ObjectKey, Timestamp};
use crate::s3::operation::{ChecksumType, ListMultipartUploads};

use super::Owner;
use super::list_objects::{head, prefixes};
use super::writer::Writer;

/// An upload as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedUpload {
    pub key: ObjectKey,
    pub upload_id: String,
    pub initiated: Timestamp,
    /// `None` = STANDARD.
    pub storage_class: Option<String>,
    pub checksum_algorithm: Option<Algorithm>,
    pub checksum_type: Option<ChecksumType>,
}

/// `next` is the key and the upload id that a page ends at, if others follow it.
pub fn render(
    request: &ListMultipartUploads,
    page: &ListPage<ListedUpload>,
    next: Option<(&str, &str)>,
    owner: &Owner,
) -> String {
    let encoding = request.listing.encoding;
    let mut xml = Writer::document(512 + page.entries.len() * 448);
    xml.root("ListMultipartUploadsResult");
    xml.text("Bucket", request.bucket.as_str());
    xml.key("KeyMarker", request.key_marker.as_deref().unwrap_or(""), encoding);
    xml.text("UploadIdMarker", request.upload_id_marker.as_deref().unwrap_or(""));
    if let Some((key, upload_id)) = next {
        xml.key("NextKeyMarker", key, encoding);
        xml.text("NextUploadIdMarker", upload_id);
    }
    head(&mut xml, &request.listing, "MaxUploads");
    xml.boolean("IsTruncated", page.truncated);
    for entry in &page.entries {
        let ListEntry::Object(upload) = entry else { continue };
        xml.open("Upload");
        xml.key("Key", upload.key.as_str(), encoding);
        xml.text("UploadId", &upload.upload_id);
        owner.write(&mut xml, "Initiator");
        owner.write(&mut xml, "Owner");
        xml.text("StorageClass", upload.storage_class.as_deref().unwrap_or("STANDARD"));
        xml.time("Initiated", upload.initiated);
        xml.optional("ChecksumAlgorithm", upload.checksum_algorithm.map(Algorithm::name));
        xml.optional("ChecksumType", upload.checksum_type.map(ChecksumType::name));
        xml.close("Upload");
    }
    prefixes(&mut xml, page, encoding);
    xml.close("ListMultipartUploadsResult");
    xml.finish()
}
