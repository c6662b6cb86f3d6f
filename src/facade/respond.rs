//! Answers: every header that S3 shows of an object, and every error, in one place.

use bytes::Bytes;
use futures::TryStreamExt;
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH,
    CONTENT_RANGE, CONTENT_TYPE, ETAG, EXPIRES, HeaderName, LAST_MODIFIED, RETRY_AFTER, SERVER, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use crate::net::Body;
use crate::object::checksum::ChecksumKind;
use crate::object::{ByteStream, Checksum, ETag, ObjectHead, ObjectMeta, Timestamp};
use crate::s3::error::{S3Code, S3Error};
use crate::s3::header;
use crate::s3::operation::ResponseOverrides;

/// What S3 stores for an object whose type the client did not name.
pub(super) const DEFAULT_CONTENT_TYPE: &str = "binary/octet-stream";

/// Seconds after which a client that was turned away may come again.
const RETRY_AFTER_SECONDS: &str = "1";

/// An answer without a body.
pub(super) fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = status;
    response
}

/// An answer with a document.
pub(super) fn xml(document: String) -> Response<Body> {
    let mut response = Response::new(Body::from(Bytes::from(document)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    response
}

/// The answer to a HEAD: a Content-Length without a body.
pub(super) fn object_head(head: &ObjectHead, overrides: &ResponseOverrides, checksum_mode: bool) -> Response<Body> {
    let mut response = empty(if head.span.is_some() { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK });
    object_headers(response.headers_mut(), head, overrides, checksum_mode);
    response
}

/// The answer to a GET.
pub(super) fn object_body(
    head: &ObjectHead,
    body: ByteStream,
    overrides: &ResponseOverrides,
    checksum_mode: bool,
) -> Response<Body> {
    let mut response = object_head(head, overrides, checksum_mode);
    let length = head.length();
    *response.body_mut() = match length {
        0 => Body::Empty,
        _ => Body::Stream { length: Some(length), stream: Box::pin(body.map_err(Into::into)) },
    };
    response
}

/// 304: the validators and nothing else (RFC 9110 section 15.4.5).
pub(super) fn not_modified(meta: &ObjectMeta) -> Response<Body> {
    let mut response = empty(StatusCode::NOT_MODIFIED);
    set(response.headers_mut(), ETAG, &meta.etag.quoted());
    set(response.headers_mut(), LAST_MODIFIED, &meta.last_modified.http());
    response
}

fn object_headers(headers: &mut HeaderMap, head: &ObjectHead, overrides: &ResponseOverrides, checksum_mode: bool) {
    let meta = &head.meta;
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(head.length()));
    if let Some(span) = head.span {
        let range = if span.length() == 0 { format!("bytes */{}", meta.size) } else { span.content_range(meta.size) };
        set(headers, CONTENT_RANGE, &range);
    }
    set(headers, ETAG, &meta.etag.quoted());
    set(headers, LAST_MODIFIED, &meta.last_modified.http());
    content_headers(headers, meta, overrides);
    for (name, value) in meta.user.iter() {
        let name = HeaderName::try_from(format!("{}{name}", header::META_PREFIX));
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value.as_bytes())) {
            headers.insert(name, value);
        }
    }
    if let Some(class) = &meta.storage_class {
        set(headers, header::STORAGE_CLASS.clone(), class);
    }
    if !meta.tags.is_empty() {
        headers.insert(&header::TAGGING_COUNT, HeaderValue::from(meta.tags.len()));
    }
    if let Some(parts) = head.parts {
        headers.insert(&header::MP_PARTS_COUNT, HeaderValue::from(parts));
    }
    if checksum_mode {
        selected_checksums(headers, head);
    }
}

/// Checksums of the bytes that are sent: one of the whole object beside a part of it would make SDKs
/// reject the bytes. That of a part is called what the object's is, as S3 does.
fn selected_checksums(headers: &mut HeaderMap, head: &ObjectHead) {
    let of_whole = &head.meta.checksums;
    match (head.parts, &head.part_checksum) {
        (Some(_), Some(checksum)) => {
            headers.insert(HeaderName::from_static(checksum.algorithm.header()), value(&checksum.text()));
            let kind = of_whole.first().map_or(ChecksumKind::FullObject, |checksum| checksum.kind);
            headers.insert(&header::CHECKSUM_TYPE, HeaderValue::from_static(kind_name(kind)));
        }
        (Some(parts), None) if parts > 1 => {}
        _ if head.is_whole() => checksums(headers, of_whole),
        _ => {}
    }
}

fn kind_name(kind: ChecksumKind) -> &'static str {
    match kind {
        ChecksumKind::FullObject => "FULL_OBJECT",
        ChecksumKind::Composite { .. } => "COMPOSITE",
    }
}

fn content_headers(headers: &mut HeaderMap, meta: &ObjectMeta, overrides: &ResponseOverrides) {
    let content = &meta.content;
    let either = |name, asked: &Option<String>, stored: &Option<String>, headers: &mut HeaderMap| {
        if let Some(value) = asked.as_ref().or(stored.as_ref()) {
            set(headers, name, value);
        }
    };
    either(CONTENT_TYPE, &overrides.content_type, &content.content_type, headers);
    either(CONTENT_ENCODING, &overrides.content_encoding, &content.content_encoding, headers);
    either(CONTENT_LANGUAGE, &overrides.content_language, &content.content_language, headers);
    either(CONTENT_DISPOSITION, &overrides.content_disposition, &content.content_disposition, headers);
    either(CACHE_CONTROL, &overrides.cache_control, &content.cache_control, headers);
    either(EXPIRES, &overrides.expires, &content.expires, headers);
    if !headers.contains_key(CONTENT_TYPE) {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(DEFAULT_CONTENT_TYPE));
    }
}

/// Checksums as headers, with what they cover.
pub(super) fn checksums(headers: &mut HeaderMap, checksums: &[Checksum]) {
    for checksum in checksums {
        headers.insert(HeaderName::from_static(checksum.algorithm.header()), value(&checksum.text()));
        headers.insert(&header::CHECKSUM_TYPE, HeaderValue::from_static(kind_name(checksum.kind)));
    }
}

/// The answer to a write that made an object or a part.
pub(super) fn written(etag: &ETag, stored: &[Checksum]) -> Response<Body> {
    let mut response = empty(StatusCode::OK);
    set(response.headers_mut(), ETAG, &etag.quoted());
    checksums(response.headers_mut(), stored);
    response
}

/// An error as S3 answers it; a HEAD and a 304 have no document.
pub(super) fn error(error: &S3Error, resource: &str, request_id: &str, is_head: bool) -> Response<Body> {
    let mut response = if is_head || error.code() == S3Code::NotModified {
        empty(error.status())
    } else {
        let mut response = xml(error.to_xml(resource, request_id, HOST_ID));
        *response.status_mut() = error.status();
        response
    };
    if let Some(size) = error.detail(ACTUAL_SIZE) {
        set(response.headers_mut(), CONTENT_RANGE, &format!("bytes */{size}"));
    }
    // Clients that sign for the wrong region ask with a HEAD which one is right.
    if let Some(region) = error.detail(REGION) {
        set(response.headers_mut(), header::BUCKET_REGION.clone(), region);
    }
    if error.status() == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS));
    }
    response
}

/// The element that tells a client whose range lies outside how long the object is.
pub(super) const ACTUAL_SIZE: &str = "ActualObjectSize";

/// The element that tells a client which region to sign for.
const REGION: &str = "Region";

/// What every answer carries, errors included: objects hold whatever clients put into them, and a browser is not to
/// guess that one is a page.
pub(super) fn always(headers: &mut HeaderMap) {
    headers.insert(SERVER, HeaderValue::from_static(HOST_ID));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
}

/// Stands where S3 names the host that answered.
pub(super) const HOST_ID: &str = "bluebucket";

/// Sets a header; a value that HTTP cannot carry is left out rather than cut.
pub(super) fn set(headers: &mut HeaderMap, name: HeaderName, text: &str) {
    if let Ok(value) = HeaderValue::from_bytes(text.as_bytes()) {
        headers.insert(name, value);
    }
}

fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""))
}

/// A time as headers carry it.
pub(super) fn http_date(time: Timestamp) -> HeaderValue {
    value(&time.http())
}
