//! `CompleteMultipartUpload`: the parts that the client wants, in order.

use crate::object::{Algorithm, Checksum, ETag};
use crate::s3::error::{Result, S3Code, S3Error};
use crate::s3::operation::PartNumber;
use crate::s3::payload::full_object;

use super::reader::{Element, malformed, read};

/// Longest document in bytes (set by us: 10,000 indented parts with a SHA-256 each fit).
pub const BYTES_MAX: usize = 4 << 20;

/// A part as the client names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompletedPart {
    pub number: PartNumber,
    pub etag: ETag,
    pub checksum: Option<Checksum>,
}

/// # Errors
/// InvalidRequest without a document; MalformedXML, also for no part in one and for more than 10,000;
/// InvalidArgument for an impossible number; InvalidPartOrder if the numbers do not ascend.
pub fn parse(document: &[u8]) -> Result<Vec<CompletedPart>> {
    if document.is_empty() {
        return Err(S3Error::new(S3Code::InvalidRequest, "You must specify at least one part"));
    }
    let root = read(document, "CompleteMultipartUpload")?;
    if root.all("Part").count() > usize::from(PartNumber::MAX) {
        return Err(malformed());
    }
    let parts = root.all("Part").map(part).collect::<Result<Vec<_>>>()?;
    if parts.is_empty() {
        return Err(malformed());
    }
    if !parts.is_sorted_by(|earlier, later| earlier.number < later.number) {
        return Err(S3Code::InvalidPartOrder.into());
    }
    Ok(parts)
}

fn part(element: &Element) -> Result<CompletedPart> {
    let number = element.required("PartNumber")?.trim().parse().map_err(|_| malformed())?;
    let number = PartNumber::new(number).ok_or_else(|| {
        S3Error::new(S3Code::InvalidArgument, "PartNumber must be an integer between 1 and 10000, inclusive")
            .with("ArgumentName", "PartNumber")
    })?;
    let etag = element.required("ETag")?.trim();
    if etag.is_empty() {
        return Err(malformed());
    }
    Ok(CompletedPart { number, etag: ETag::parse(etag), checksum: checksum(element)? })
}

/// At most one checksum of a known algorithm; others are accepted and not looked at.
fn checksum(element: &Element) -> Result<Option<Checksum>> {
    for algorithm in Algorithm::ALL {
        if let Some(value) = element.text_of(name(algorithm))? {
            let wrong = || S3Error::new(S3Code::InvalidRequest, "The checksum of a part is not a valid value.");
            return full_object(algorithm, value.trim()).map(Some).ok_or_else(wrong);
        }
    }
    Ok(None)
}

/// The element that holds a checksum in every document.
pub(super) fn name(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Crc32 => "ChecksumCRC32",
        Algorithm::Crc32c => "ChecksumCRC32C",
        Algorithm::Crc64Nvme => "ChecksumCRC64NVME",
        Algorithm::Sha1 => "ChecksumSHA1",
        Algorithm::Sha256 => "ChecksumSHA256",
    }
}
