//! What the headers of a GET or HEAD say of an object.

use http::{HeaderMap, HeaderValue, StatusCode};

use super::header;
use crate::object::{
    Algorithm, Checksum, ContentHeaders, ETag, Error, ErrorKind, Result, Span, Timestamp, UserMetadata,
};

/// An object of the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceMeta {
    pub etag: ETag,
    /// Size of the whole object in bytes.
    pub size: u64,
    pub last_modified: Timestamp,
    pub content: ContentHeaders,
    /// As the source shows it: values that are no ASCII come in the form of RFC 2047, undecoded.
    pub metadata: UserMetadata,
    /// User metadata that the source has and does not show, because HTTP cannot carry it.
    pub metadata_missing: u32,
    /// Checksums of the object; empty for a read of a range, whose checksums would be another thing.
    pub checksums: Vec<Checksum>,
    pub version_id: Option<String>,
    pub tag_count: u32,
    /// S3's name of the storage class; `None` = STANDARD.
    pub storage_class: Option<String>,
    /// `AES256`, `aws:kms`, ...
    pub encryption: Option<String>,
    /// Encrypted with a key that its owner keeps (SSE-C).
    pub sse_customer: bool,
    /// Parts of the multipart upload that made it, where the source says so.
    pub parts_count: Option<u32>,
    pub replication_status: Option<String>,
    /// State of a restore from an archive tier.
    pub restore: Option<String>,
}

impl SourceMeta {
    /// Reads the headers of an answer to GET or HEAD.
    ///
    /// # Errors
    /// `Corrupt` without an ETag, a date, or a length: what cannot be pinned cannot be copied.
    pub(super) fn parse(status: StatusCode, headers: &HeaderMap) -> Result<Self> {
        let text = |name: &str| headers.get(name).map(value);
        let number = |name: &str| text(name).and_then(|value| value.parse().ok());
        let size = match content_range(headers) {
            Some((_, size)) => Some(size),
            None => text("content-length").and_then(|length| length.parse().ok()),
        };
        Ok(Self {
            etag: ETag::parse(&text("etag").ok_or_else(|| missing("ETag"))?),
            size: size.ok_or_else(|| missing("Content-Length"))?,
            last_modified: text("last-modified")
                .and_then(|date| Timestamp::parse_http(&date))
                .ok_or_else(|| missing("Last-Modified"))?,
            content: ContentHeaders {
                content_type: text("content-type"),
                content_encoding: text("content-encoding"),
                content_language: text("content-language"),
                content_disposition: text("content-disposition"),
                cache_control: text("cache-control"),
                expires: text("expires"),
            },
            metadata: user_metadata(headers),
            metadata_missing: number(header::MISSING_META).unwrap_or(0),
            checksums: if status == StatusCode::PARTIAL_CONTENT { Vec::new() } else { checksums(headers) },
            version_id: text(header::VERSION_ID).filter(|id| id != "null"),
            tag_count: number(header::TAGGING_COUNT).unwrap_or(0),
            storage_class: text(header::STORAGE_CLASS).filter(|class| class != "STANDARD"),
            encryption: text(header::SSE),
            sse_customer: headers.contains_key(header::SSE_CUSTOMER_ALGORITHM),
            parts_count: number(header::PARTS_COUNT),
            replication_status: text(header::REPLICATION_STATUS),
            restore: text(header::RESTORE),
        })
    }
}

/// The span of a `Content-Range` header and the size of the whole object.
pub(super) fn content_range(headers: &HeaderMap) -> Option<(Span, u64)> {
    let (span, size) = headers.get("content-range")?.to_str().ok()?.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = span.split_once('-')?;
    let (start, last, size) = (first.parse::<u64>().ok()?, last.parse::<u64>().ok()?, size.parse::<u64>().ok()?);
    let end = last.checked_add(1)?;
    (start < end && end <= size).then_some((Span { start, end }, size))
}

/// Checksums of the whole object. `x-amz-checksum-type` is not needed: composite values end in `-parts`.
fn checksums(headers: &HeaderMap) -> Vec<Checksum> {
    let composite = headers.get(header::CHECKSUM_TYPE).is_some_and(|kind| kind == "COMPOSITE");
    let read = |algorithm: Algorithm| Checksum::parse(algorithm, &value(headers.get(algorithm.header())?));
    let of_kind = |checksum: &Checksum| !composite || checksum.text().contains('-');
    Algorithm::ALL.into_iter().filter_map(read).filter(of_kind).collect()
}

fn user_metadata(headers: &HeaderMap) -> UserMetadata {
    let mut metadata = UserMetadata::default();
    for (name, text) in headers {
        if let Some(name) = name.as_str().strip_prefix(header::META_PREFIX) {
            metadata.insert(name, &value(text));
        }
    }
    metadata
}

/// A header value as text; bytes that are no UTF-8 are read as Latin-1, as HTTP once had it.
fn value(header: &HeaderValue) -> String {
    match std::str::from_utf8(header.as_bytes()) {
        Ok(text) => text.to_owned(),
        Err(_) => header.as_bytes().iter().map(|&byte| char::from(byte)).collect(),
    }
}

fn missing(name: &str) -> Error {
    Error::new(ErrorKind::Corrupt, format!("the source's answer has no usable {name}"))
}
