//! `GetObjectAttributesOutput`.

use crate::object::{Checksum, ETag};
use crate::s3::operation::{GetObjectAttributes, PartNumber};

use super::complete::name;
use super::multipart::checksum_type;
use super::writer::Writer;

/// What is known of an object; only what the request asks for is rendered.
#[derive(Clone, Debug)]
pub struct ObjectAttributes<'a> {
    pub etag: &'a ETag,
    /// Size in bytes.
    pub size: u64,
    /// `None` = STANDARD.
    pub storage_class: Option<&'a str>,
    pub checksums: &'a [Checksum],
    /// `None` if the object did not come from a multipart upload.
    pub parts: Option<ObjectParts>,
}

/// The parts of an object, from the marker of the request on.
#[derive(Clone, Debug, Default)]
pub struct ObjectParts {
    pub total: u64,
    pub truncated: bool,
    /// None if only their number is known.
    pub parts: Vec<ObjectPart>,
}

#[derive(Clone, Debug)]
pub struct ObjectPart {
    pub number: PartNumber,
    /// Size in bytes.
    pub size: u64,
    pub checksum: Option<Checksum>,
}

pub fn render(request: &GetObjectAttributes, object: &ObjectAttributes<'_>) -> String {
    let wanted = request.attributes;
    let mut xml = Writer::document(768);
    xml.root("GetObjectAttributesOutput");
    if wanted.etag {
        // Here alone S3 shows an ETag without its quotes.
        xml.text("ETag", object.etag.as_str());
    }
    if let (true, Some(first)) = (wanted.checksum, object.checksums.first()) {
        xml.open("Checksum");
        for checksum in object.checksums {
            xml.text(name(checksum.algorithm), &digits(checksum));
        }
        xml.text("ChecksumType", checksum_type(first));
        xml.close("Checksum");
    }
    if let (true, Some(parts)) = (wanted.object_parts, &object.parts) {
        write_parts(&mut xml, request, parts);
    }
    if wanted.storage_class {
        xml.text("StorageClass", object.storage_class.unwrap_or("STANDARD"));
    }
    if wanted.object_size {
        xml.number("ObjectSize", object.size);
    }
    xml.close("GetObjectAttributesOutput");
    xml.finish()
}

fn write_parts(xml: &mut Writer, request: &GetObjectAttributes, parts: &ObjectParts) {
    xml.open("ObjectParts");
    xml.number("PartsCount", parts.total);
    xml.number("PartNumberMarker", u64::from(request.part_number_marker));
    let last = parts.parts.last().map_or(0, |part| part.number.get());
    xml.number("NextPartNumberMarker", u64::from(last));
    xml.number("MaxParts", request.max_parts as u64);
    xml.boolean("IsTruncated", parts.truncated);
    for part in &parts.parts {
        xml.open("Part");
        xml.number("PartNumber", u64::from(part.number.get()));
        xml.number("Size", part.size);
        if let Some(checksum) = &part.checksum {
            xml.text(name(checksum.algorithm), &checksum.text());
        }
        xml.close("Part");
    }
    xml.close("ObjectParts");
}

/// Here S3 shows a composite checksum without the number of parts.
fn digits(checksum: &Checksum) -> String {
    crate::object::text::base64(checksum.value())
}
