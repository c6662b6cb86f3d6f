//! `InitiateMultipartUploadResult` and `CompleteMultipartUploadResult`.

use crate::object::{Checksum, ChecksumKind, ETag};
use crate::s3::operation::{ChecksumType, ObjectAddress};

use super::complete::name;
use super::writer::Writer;

/// The answer to CreateMultipartUpload.
pub fn render_initiated(address: &ObjectAddress, upload_id: &str) -> String {
    let mut xml = Writer::document(384);
    xml.root("InitiateMultipartUploadResult");
    xml.text("Bucket", address.bucket.as_str());
    xml.text("Key", address.key.as_str());
    xml.text("UploadId", upload_id);
    xml.close("InitiateMultipartUploadResult");
    xml.finish()
}

/// The answer to CompleteMultipartUpload. `location` is the URL of the object.
pub fn render_completed(address: &ObjectAddress, location: &str, etag: &ETag, checksums: &[Checksum]) -> String {
    let mut xml = Writer::document(640);
    xml.root("CompleteMultipartUploadResult");
    xml.text("Location", location);
    xml.text("Bucket", address.bucket.as_str());
    xml.text("Key", address.key.as_str());
    xml.etag(etag.as_str());
    for checksum in checksums {
        xml.text(name(checksum.algorithm), &checksum.text());
    }
    xml.optional("ChecksumType", checksums.first().map(checksum_type));
    xml.close("CompleteMultipartUploadResult");
    xml.finish()
}

/// What a checksum covers, as S3 names it.
pub fn checksum_type(checksum: &Checksum) -> &'static str {
    match checksum.kind {
        ChecksumKind::FullObject => ChecksumType::FullObject.name(),
        ChecksumKind::Composite { .. } => ChecksumType::Composite.name(),
    }
}
