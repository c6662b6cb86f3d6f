//! `ListPartsResult`.

use crate::object::{Algorithm, Checksum, ETag, Timestamp};
use crate::s3::operation::{ChecksumType, ListParts, PartNumber};

use super::Owner;
use super::complete::name;
use super::writer::{KeyEncoding, Writer};

/// A part as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedPart {
    pub number: PartNumber,
    pub etag: ETag,
    /// Size in bytes.
    pub size: u64,
    pub last_modified: Timestamp,
    pub checksum: Option<Checksum>,
}

/// A page of parts, in the order of their numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartsPage {
    pub parts: Vec<ListedPart>,
    /// More parts follow the last one of this page.
    pub truncated: bool,
    pub checksum_algorithm: Option<Algorithm>,
    pub checksum_type: Option<ChecksumType>,
    /// `None` = STANDARD.
    pub storage_class: Option<String>,
}

pub fn render(request: &ListParts, page: &PartsPage, owner: &Owner) -> String {
    let address = &request.upload.address;
    let mut xml = Writer::document(1_024 + page.parts.len() * 256);
    xml.root("ListPartsResult");
    xml.text("Bucket", address.bucket.as_str());
    xml.key("Key", address.key.as_str(), request.encoding);
    if request.encoding == KeyEncoding::Url {
        xml.text("EncodingType", "url");
    }
    xml.text("UploadId", &request.upload.upload_id);
    owner.write(&mut xml, "Initiator");
    owner.write(&mut xml, "Owner");
    xml.text("StorageClass", page.storage_class.as_deref().unwrap_or("STANDARD"));
    xml.number("PartNumberMarker", u64::from(request.part_number_marker));
    let last = page.parts.last().map_or(0, |part| part.number.get());
    xml.number("NextPartNumberMarker", u64::from(last));
    xml.number("MaxParts", request.max_parts as u64);
    xml.boolean("IsTruncated", page.truncated);
    xml.optional("ChecksumAlgorithm", page.checksum_algorithm.map(Algorithm::name));
    xml.optional("ChecksumType", page.checksum_type.map(ChecksumType::name));
    for part in &page.parts {
        xml.open("Part");
        xml.number("PartNumber", u64::from(part.number.get()));
        xml.time("LastModified", part.last_modified);
        xml.etag(part.etag.as_str());
        xml.number("Size", part.size);
        if let Some(checksum) = &part.checksum {
            xml.text(name(checksum.algorithm), &checksum.text());
        }
        xml.close("Part");
    }
    xml.close("ListPartsResult");
    xml.finish()
}
