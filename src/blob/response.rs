//! From the service's answers to our types: headers, and bodies that are small.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, ETAG, LAST_MODIFIED};
use http::{HeaderMap, HeaderName, Response, StatusCode};
use http_body::Body as _;

use super::operation::Operation;
use super::request::{METADATA_PREFIX, names};
use super::{BlobProperties, MetadataPairs, Written};
use crate::net::PooledBody;
use crate::object::text::unbase64;
use crate::object::{ContentHeaders, Error, ErrorKind, Result, StoreTag, Timestamp};

/// The head of an answer, its body still on the connection.
pub(super) type Answer = Response<PooledBody>;

/// Properties from the answer to a GET or HEAD of a blob of `length` bytes.
pub(super) fn properties(headers: &HeaderMap, status: StatusCode, length: u64) -> Result<BlobProperties> {
    // Content-MD5 of a partial answer is of the range.
    let whole_md5 = headers.get(&names::BLOB_CONTENT_MD5);
    let plain_md5 = headers.get(&names::CONTENT_MD5).filter(|_| status != StatusCode::PARTIAL_CONTENT);
    let metadata = metadata(headers);
    // Anybody may write the metadata: where the account tells the type, that counts.
    let told = text(headers, &names::RESOURCE_TYPE).map(|kind| kind == "directory");
    let is_directory = told.unwrap_or_else(|| marks_directory(&metadata));
    Ok(BlobProperties {
        store_tag: store_tag(headers)?,
        last_modified: last_modified(headers)?,
        length,
        content_md5: whole_md5.or(plain_md5).and_then(|value| unbase64(value.to_str().ok()?)),
        content: content(headers),
        metadata,
        is_directory,
    })
}

/// True for the metadata that marks a directory (Hadoop's ABFS driver, and hierarchical accounts).
pub(super) fn marks_directory(metadata: &MetadataPairs) -> bool {
    metadata.iter().any(|(name, value)| name == "hdi_isfolder" && value.eq_ignore_ascii_case("true"))
}

/// What a write answered; `crc64` says whether the CRC in the answer is of the blob's bytes.
pub(super) fn written(headers: &HeaderMap, crc64_of_bytes: bool) -> Result<Written> {
    Ok(Written {
        store_tag: store_tag(headers)?,
        last_modified: last_modified(headers)?,
        content_md5: text(headers, &names::CONTENT_MD5).and_then(unbase64),
        crc64: crc64_of_bytes.then(|| crc64(headers)).flatten(),
    })
}

pub(super) fn crc64(headers: &HeaderMap) -> Option<u64> {
    text(headers, &names::CONTENT_CRC64).and_then(unbase64).map(u64::from_le_bytes)
}

pub(super) fn store_tag(headers: &HeaderMap) -> Result<StoreTag> {
    text(headers, &ETAG).map(StoreTag::parse).ok_or_else(|| missing(&ETAG))
}

pub(super) fn last_modified(headers: &HeaderMap) -> Result<Timestamp> {
    text(headers, &LAST_MODIFIED).and_then(Timestamp::parse_http).ok_or_else(|| missing(&LAST_MODIFIED))
}

pub(super) fn content_length(headers: &HeaderMap) -> Result<u64> {
    number(headers, &CONTENT_LENGTH).ok_or_else(|| missing(&CONTENT_LENGTH))
}

pub(super) fn number(headers: &HeaderMap, name: &HeaderName) -> Option<u64> {
    text(headers, name)?.parse().ok()
}

pub(super) fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// First byte, end (exclusive) and whole length from `Content-Range: bytes a-b/n`.
pub(super) fn content_range(headers: &HeaderMap) -> Option<(u64, u64, u64)> {
    let (span, length) = text(headers, &http::header::CONTENT_RANGE)?.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = span.split_once('-')?;
    let (first, last, length): (u64, u64, u64) = (first.parse().ok()?, last.parse().ok()?, length.parse().ok()?);
    (first <= last && last < length).then_some((first, last + 1, length))
}

/// The whole length from `Content-Range`, whatever range it tells.
pub(super) fn content_range_length(headers: &HeaderMap) -> Option<u64> {
    text(headers, &http::header::CONTENT_RANGE)?.rsplit_once('/')?.1.parse().ok()
}

/// Reads an answer's body to its end, so that the connection can be used again.
///
/// # Errors
/// `Unavailable` if the connection breaks or the body is longer than `limit` bytes.
pub(super) async fn collect(operation: Operation, response: Answer, limit: usize) -> Result<Bytes> {
    response.into_body().collect(limit).await.map_err(|error| broken(operation, error))
}

/// Takes the head of an answer whose body says nothing, after reading the body to its end. A body
/// that breaks off does not matter: the head has told all.
pub(super) async fn head(response: Answer) -> HeaderMap {
    let (parts, body) = response.into_parts();
    if !body.is_end_stream() {
        let _ = body.collect(EMPTY_BODY_MAX).await;
    }
    parts.headers
}

/// Longest body read for the connection's sake alone, in bytes.
const EMPTY_BODY_MAX: usize = 64 << 10;

pub(super) fn broken(operation: Operation, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::new(ErrorKind::Unavailable, format!("{}: the answer broke off", operation.name())).with_source(error)
}

fn content(headers: &HeaderMap) -> ContentHeaders {
    ContentHeaders {
        content_type: owned(headers, &http::header::CONTENT_TYPE),
        content_encoding: owned(headers, &http::header::CONTENT_ENCODING),
        content_language: owned(headers, &http::header::CONTENT_LANGUAGE),
        content_disposition: owned(headers, &http::header::CONTENT_DISPOSITION),
        cache_control: owned(headers, &http::header::CACHE_CONTROL),
        expires: None,
    }
}

/// Header values as text; bytes that are no UTF-8 are replaced rather than dropping the header.
fn owned(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers
        .get(name)
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        .filter(|text| !text.is_empty())
}

pub(super) fn metadata(headers: &HeaderMap) -> MetadataPairs {
    let pairs = headers.iter().filter_map(|(name, value)| {
        let name = name.as_str().strip_prefix(METADATA_PREFIX)?;
        Some((name.into(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
    });
    pairs.collect()
}

fn missing(name: &HeaderName) -> Error {
    Error::new(ErrorKind::Corrupt, format!("the answer has no valid {name} header"))
}
