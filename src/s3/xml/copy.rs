//! `CopyObjectResult` and `CopyPartResult`.

use crate::object::{Checksum, ETag, Timestamp};

use super::complete::name;
use super::multipart::checksum_type;
use super::writer::Writer;

/// The answer to CopyObject.
pub fn render_object(etag: &ETag, last_modified: Timestamp, checksums: &[Checksum]) -> String {
    render("CopyObjectResult", etag, last_modified, checksums)
}

/// The answer to UploadPartCopy.
pub fn render_part(etag: &ETag, last_modified: Timestamp, checksums: &[Checksum]) -> String {
    render("CopyPartResult", etag, last_modified, checksums)
}

fn render(root: &str, etag: &ETag, last_modified: Timestamp, checksums: &[Checksum]) -> String {
    let mut xml = Writer::document(384);
    xml.root(root);
    xml.time("LastModified", last_modified);
    xml.etag(etag.as_str());
    for checksum in checksums {
        xml.text(name(checksum.algorithm), &checksum.text());
    }
    if let (Some(checksum), "CopyObjectResult") = (checksums.first(), root) {
        xml.text("ChecksumType", checksum_type(checksum));
    }
    xml.close(root);
    xml.finish()
}
