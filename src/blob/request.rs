//! How a request is put together: its URL by hand, its headers from our types.

use std::cell::RefCell;

use http::header::{CONTENT_LENGTH, IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::operation::Operation;
use super::{BlobClient, BlobCondition, BlobRef, MetadataPairs, SourceCondition};
use crate::object::text::{base64, percent_encode_into};
use crate::object::{ContainerName, ContentHeaders, Error, ErrorKind, Result, StoreTag, Timestamp};

/// Headers of the Blob service that several operations send or read.
pub(super) mod names {
    use http::HeaderName;

    pub const BLOB_TYPE: HeaderName = HeaderName::from_static("x-ms-blob-type");
    pub const CONTENT_CRC64: HeaderName = HeaderName::from_static("x-ms-content-crc64");
    pub const CONTENT_MD5: HeaderName = HeaderName::from_static("content-md5");
    pub const BLOB_CONTENT_MD5: HeaderName = HeaderName::from_static("x-ms-blob-content-md5");
    pub const BLOB_CONTENT_LENGTH: HeaderName = HeaderName::from_static("x-ms-blob-content-length");
    pub const COPY_SOURCE: HeaderName = HeaderName::from_static("x-ms-copy-source");
    pub const COPY_SOURCE_AUTHORIZATION: HeaderName = HeaderName::from_static("x-ms-copy-source-authorization");
    pub const COPY_SOURCE_ERROR_CODE: HeaderName = HeaderName::from_static("x-ms-copy-source-error-code");
    pub const DATE: HeaderName = HeaderName::from_static("x-ms-date");
    pub const ERROR_CODE: HeaderName = HeaderName::from_static("x-ms-error-code");
    pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-ms-request-id");
    pub const RESOURCE_TYPE: HeaderName = HeaderName::from_static("x-ms-resource-type");
    pub const RETRY_AFTER_MS: HeaderName = HeaderName::from_static("x-ms-retry-after-ms");
    pub const SOURCE_IF_MATCH: HeaderName = HeaderName::from_static("x-ms-source-if-match");
    pub const VERSION: HeaderName = HeaderName::from_static("x-ms-version");
}

/// A request without its body, before it is signed.
pub(super) struct Call {
    pub operation: Operation,
    pub method: Method,
    /// Path and query as they go on the wire.
    pub target: String,
    pub headers: HeaderMap,
}

impl Call {
    pub fn new(operation: Operation, method: Method, target: String) -> Self {
        Self { operation, method, target, headers: HeaderMap::with_capacity(16) }
    }

    pub fn header(&mut self, name: HeaderName, value: HeaderValue) {
        self.headers.insert(name, value);
    }

    /// Sets a header to text from outside.
    ///
    /// # Errors
    /// `Invalid` if the text holds control characters.
    pub fn text(&mut self, name: HeaderName, value: &str) -> Result<()> {
        let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| {
            Error::new(ErrorKind::Invalid, format!("the value of {name} holds a character that a header cannot carry"))
        })?;
        self.headers.insert(name, value);
        Ok(())
    }

    pub fn number(&mut self, name: HeaderName, value: u64) {
        self.headers.insert(name, HeaderValue::from(value));
    }

    pub fn md5(&mut self, name: HeaderName, md5: Option<[u8; 16]>) {
        if let Some(md5) = md5 {
            self.base64(name, &md5);
        }
    }

    /// Azure's CRC64 is base64 of the little-endian bytes.
    pub fn crc64(&mut self, crc64: Option<u64>) {
        if let Some(crc64) = crc64 {
            self.base64(names::CONTENT_CRC64, &crc64.to_le_bytes());
        }
    }

    fn base64(&mut self, name: HeaderName, bytes: &[u8]) {
        if let Ok(value) = HeaderValue::try_from(base64(bytes)) {
            self.headers.insert(name, value);
        }
    }

    pub fn condition(&mut self, condition: &BlobCondition) -> Result<()> {
        match condition {
            BlobCondition::None => {}
            BlobCondition::Absent => self.header(IF_NONE_MATCH, HeaderValue::from_static("*")),
            BlobCondition::Exists => self.header(IF_MATCH, HeaderValue::from_static("*")),
            BlobCondition::Match(tag) => self.tag(IF_MATCH, tag)?,
        }
        Ok(())
    }

    pub fn source_condition(&mut self, condition: &SourceCondition) -> Result<()> {
        match condition {
            SourceCondition::None => Ok(()),
            SourceCondition::Match(tag) => self.tag(names::SOURCE_IF_MATCH, tag),
        }
    }

    pub fn tag(&mut self, name: HeaderName, tag: &StoreTag) -> Result<()> {
        self.text(name, &tag.quoted())
    }

    /// The content headers, under the names that all writes of a blob take.
    pub fn content(&mut self, content: &ContentHeaders) -> Result<()> {
        let pairs = [
            ("x-ms-blob-content-type", &content.content_type),
            ("x-ms-blob-content-encoding", &content.content_encoding),
            ("x-ms-blob-content-language", &content.content_language),
            ("x-ms-blob-content-disposition", &content.content_disposition),
            ("x-ms-blob-cache-control", &content.cache_control),
        ];
        for (name, value) in pairs {
            if let Some(value) = value {
                self.text(HeaderName::from_static(name), value)?;
            }
        }
        Ok(())
    }

    /// # Errors
    /// `Invalid` if a name or value cannot stand in a header.
    pub fn metadata(&mut self, metadata: &MetadataPairs) -> Result<()> {
        let mut header = String::with_capacity(32);
        for (name, value) in metadata {
            header.clear();
            header.push_str(METADATA_PREFIX);
            header.push_str(name);
            let name = HeaderName::try_from(header.as_str()).map_err(|_| {
                Error::new(ErrorKind::Invalid, "a metadata name holds a character that a header name cannot carry")
            })?;
            self.text(name, value)?;
        }
        Ok(())
    }

    pub fn content_length(&mut self, length: u64) {
        self.number(CONTENT_LENGTH, length);
    }
}

pub(super) const METADATA_PREFIX: &str = "x-ms-meta-";

impl BlobClient {
    /// The path of the account itself, with a query.
    pub(super) fn account_target(&self, query: &[(&str, &str)]) -> String {
        let mut target = self.base_target(32);
        target.push('/');
        push_query(&mut target, query);
        target
    }

    pub(super) fn container_target(&self, container: &ContainerName, query: &[(&str, &str)]) -> String {
        let mut target = self.base_target(container.as_str().len() + 256);
        target.push('/');
        target.push_str(container.as_str());
        push_query(&mut target, query);
        target
    }

    pub(super) fn blob_target(&self, blob: BlobRef<'_>, query: &[(&str, &str)]) -> String {
        let mut target = self.base_target(blob.container.as_str().len() + blob.name.len() + 64);
        push_blob(&mut target, blob);
        push_query(&mut target, query);
        target
    }

    /// The URL of a blob without a query.
    pub(super) fn blob_url(&self, blob: BlobRef<'_>) -> String {
        let mut url = self.inner.account.url();
        push_blob(&mut url, blob);
        url
    }

    fn base_target(&self, rest: usize) -> String {
        let path = &self.inner.account.path;
        let mut target = String::with_capacity(path.len() + rest);
        target.push_str(path);
        target
    }
}

/// Every byte of the name but the unreserved ones and `/` is percent-encoded, once. Dot segments
/// stay what they are: no URL type that would resolve them sees the name.
fn push_blob(target: &mut String, blob: BlobRef<'_>) {
    target.push('/');
    target.push_str(blob.container.as_str());
    target.push('/');
    percent_encode_into(target, blob.name.as_bytes(), b"/");
}

fn push_query(target: &mut String, query: &[(&str, &str)]) {
    let mut separator = '?';
    for (name, value) in query {
        target.push(separator);
        target.push_str(name);
        target.push('=');
        percent_encode_into(target, value.as_bytes(), b"");
        separator = '&';
    }
}

/// The value of `x-ms-date`, formatted once a second.
pub(super) fn date() -> HeaderValue {
    thread_local! {
        static LAST: RefCell<(Timestamp, HeaderValue)> =
            const { RefCell::new((Timestamp(i64::MIN), HeaderValue::from_static(""))) };
    }
    let now = Timestamp::now();
    LAST.with_borrow_mut(|(at, value)| {
        if *at != now
            && let Ok(fresh) = HeaderValue::try_from(now.http())
        {
            (*at, *value) = (now, fresh);
        }
        value.clone()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_encoded_once_and_never_normalised() {
        let container = ContainerName::new("flink").unwrap();
        for (name, path) in [
            ("a/b c", "/flink/a/b%20c"),
            ("a//b/../c/./", "/flink/a//b/../c/./"),
            ("50%2F?#&=+é", "/flink/50%252F%3F%23%26%3D%2B%C3%A9"),
            ("/lead", "/flink//lead"),
        ] {
            let mut target = String::new();
            push_blob(&mut target, BlobRef { container: &container, name });
            assert_eq!(target, path);
            assert_eq!(http::uri::PathAndQuery::try_from(target.as_str()).unwrap().as_str(), path);
        }
        let mut target = String::from("/c");
        push_query(&mut target, &[("comp", "block"), ("blockid", "a+/=")]);
        assert_eq!(target, "/c?comp=block&blockid=a%2B%2F%3D");
    }
}
