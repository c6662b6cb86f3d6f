//! Multipart uploads: what is asked, and what comes back.

use std::fmt;

use super::{
    Attributes, Checksum, DeclaredChecksum, ETag, ObjectKey, Payload, ReadCondition, Span, Timestamp, WriteCondition,
    text,
};

/// Parts have the numbers 1 to this (S3 user guide, "Amazon S3 multipart upload limits").
pub const PART_NUMBER_MAX: u16 = 10_000;
/// Smallest part but the last, in bytes (same page).
pub const PART_BYTES_MIN: u64 = 5 << 20;
/// Largest part, in bytes (same page).
pub const PART_BYTES_MAX: u64 = 5 << 30;

/// The id of a multipart upload. It names its side in its first letter, so that an upload begun on
/// one side is completed there, and holds no `/`: Flink makes it part of a key.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct UploadId(Box<str>);

impl UploadId {
    /// A new upload on the Blob side.
    #[expect(clippy::expect_used, reason = "without randomness nothing may be written")]
    pub fn generate() -> Self {
        let mut random = [0; 18];
        getrandom::fill(&mut random).expect("the operating system provides randomness");
        Self(format!("b1{}", text::base64url(&random)).into())
    }

    /// `None` for what cannot be an id of ours: NoSuchUpload. The check keeps foreign text out of
    /// the names of state blobs.
    pub fn parse(id: &str) -> Option<Self> {
        text::unbase64url_exactly::<18>(id.strip_prefix("b1")?)?;
        Some(Self(id.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UploadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for UploadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UploadId({})", self.0)
    }
}

/// CreateMultipartUpload.
#[derive(Clone, Debug, Default)]
pub struct CreateUpload {
    pub attributes: Attributes,
    pub checksum: Option<DeclaredChecksum>,
}

/// UploadPart.
pub struct UploadPart {
    pub number: u16,
    pub payload: Payload,
    pub content_md5: Option<[u8; 16]>,
    /// Known before the body.
    pub checksums: Vec<Checksum>,
    /// Asked once the body has been read to its end: checksums that came behind it.
    pub late_checksums: Option<LateChecksums>,
}

/// Yields the verified checksums of a body that has been read.
pub type LateChecksums = Box<dyn FnOnce() -> Vec<Checksum> + Send>;

/// UploadPartCopy.
#[derive(Clone, Debug)]
pub struct CopyPart {
    pub number: u16,
    pub source: ObjectKey,
    pub source_condition: ReadCondition,
    /// `None` = the whole source.
    pub span: Option<Span>,
}

/// A part that is there.
#[derive(Clone, Debug)]
pub struct Part {
    pub number: u16,
    pub etag: ETag,
    pub size: u64,
    pub last_modified: Timestamp,
    pub checksums: Vec<Checksum>,
}

/// A part as named at Complete.
#[derive(Clone, Debug)]
pub struct CompletedPart {
    pub number: u16,
    pub etag: ETag,
    /// What the client says of the part; compared with what is stored where both are known.
    pub checksums: Vec<Checksum>,
}

/// CompleteMultipartUpload.
#[derive(Clone, Debug, Default)]
pub struct CompleteUpload {
    pub parts: Vec<CompletedPart>,
    pub condition: WriteCondition,
    /// What the client says of the whole object.
    pub checksums: Vec<Checksum>,
    /// `x-amz-mp-object-size`.
    pub size: Option<u64>,
}

/// An upload in progress.
#[derive(Clone, Debug)]
pub struct Upload {
    pub key: ObjectKey,
    pub id: UploadId,
    pub initiated: Timestamp,
}

/// A page of ListParts.
#[derive(Clone, Debug, Default)]
pub struct PartPage {
    pub parts: Vec<Part>,
    pub truncated: bool,
    pub checksum: Option<DeclaredChecksum>,
}

/// What ListMultipartUploads asks for.
#[derive(Clone, Debug, Default)]
pub struct UploadQuery {
    pub prefix: String,
    pub delimiter: Option<String>,
    /// Uploads of keys after this one; of this key too if `after_id` is set.
    pub after_key: Option<String>,
    pub after_id: Option<String>,
    pub limit: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids() {
        let id = UploadId::generate();
        assert_eq!(UploadId::parse(id.as_str()), Some(id.clone()));
        assert_ne!(UploadId::generate(), id);
        assert_eq!(id.as_str().len(), 26);
        for bad in ["", "b1", "b1/../x", "a1AAAAAAAAAAAAAAAAAAAAAAAA", "b1AAAA!AAAAAAAAAAAAAAAAAAA"] {
            assert_eq!(UploadId::parse(bad), None, "{bad}");
        }
    }
}
