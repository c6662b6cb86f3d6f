//! Answers before they become responses.

use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, StatusCode, header};

use super::call::Call;
use super::checksum::{base64, crc_text};
use super::clock::{Etag, rfc1123};
use super::error::Outcome;
use super::store::Blob;
use crate::net::Body;

pub(super) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Body,
    /// Without `x-ms-version`.
    pub bare: bool,
}

impl Answer {
    pub fn new(status: u16) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, headers: HeaderMap::with_capacity(24), body: Body::Empty, bare: false }
    }

    pub fn with(mut self, name: &'static str, value: impl IntoValue) -> Self {
        if let Some(value) = value.into_value() {
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }

    /// The two headers that every version of a blob or container is known by.
    pub fn version(self, etag: Etag, modified: std::time::SystemTime) -> Self {
        self.with("etag", format!("\"{etag}\"")).with("last-modified", rfc1123(modified))
    }

    /// An answer to a write.
    pub fn written(self) -> Self {
        self.with("x-ms-request-server-encrypted", "true")
    }

    pub fn md5(self, md5: Option<[u8; 16]>) -> Self {
        self.with("content-md5", md5.map(|md5| base64(&md5)))
    }

    pub fn crc64(self, crc: Option<u64>) -> Self {
        self.with("x-ms-content-crc64", crc.map(crc_text))
    }

    /// An XML document, sent chunked as the service does.
    pub fn xml(mut self, text: String) -> Self {
        let stream = futures::stream::once(std::future::ready(Ok(bytes::Bytes::from(text))));
        self.body = Body::Stream { length: None, stream: Box::pin(stream) };
        self.with("content-type", "application/xml")
    }

    /// The headers of a blob that reads show.
    pub fn blob(mut self, blob: &Blob, lease: &LeaseView, call: &Call<'_>, head: bool) -> Outcome<Self> {
        blob.properties.write(&mut self.headers);
        call.grant.overrides.write(&mut self.headers);
        blob.metadata.write(&mut self.headers);
        let mut answer = self
            .version(blob.etag, blob.modified)
            .with("accept-ranges", "bytes")
            .with("x-ms-blob-type", "BlockBlob")
            .with("x-ms-creation-time", rfc1123(blob.created))
            .with("x-ms-lease-status", lease.status)
            .with("x-ms-lease-state", lease.state)
            .with("x-ms-lease-duration", lease.duration)
            .with("x-ms-server-encrypted", "true");
        if call.account.config.hierarchical {
            answer = answer
                .with("x-ms-resource-type", super::tree::resource_type(blob))
                .with("x-ms-owner", "$superuser")
                .with("x-ms-group", "$superuser")
                .with("x-ms-permissions", super::tree::permissions(blob));
        }
        if let Some(copy) = &blob.copy {
            answer = answer
                .with("x-ms-copy-id", copy.id.as_str())
                .with("x-ms-copy-source", copy.source.as_str())
                .with("x-ms-copy-status", copy.status)
                .with("x-ms-copy-progress", format!("{}/{}", copy.copied, copy.total))
                .with("x-ms-copy-completion-time", copy.completed.map(rfc1123));
        }
        if head || call.version_at_least("2026-04-06") {
            answer = match &blob.tier {
                Some((tier, changed)) => answer
                    .with("x-ms-access-tier", tier.as_str())
                    .with("x-ms-access-tier-change-time", rfc1123(*changed)),
                None => answer.with("x-ms-access-tier", "Hot").with("x-ms-access-tier-inferred", "true"),
            };
        }
        Ok(answer)
    }
}

/// What reads show of a lease.
pub(super) struct LeaseView {
    pub status: &'static str,
    pub state: &'static str,
    pub duration: Option<&'static str>,
}

impl LeaseView {
    pub fn of(lease: Option<&super::lease::Lease>, now: std::time::SystemTime) -> Self {
        let state = super::lease::state(lease, now);
        let leased = state == super::lease::LeaseState::Leased;
        Self {
            status: state.status(),
            state: state.as_str(),
            duration: lease.filter(|_| leased).map(|lease| lease.duration_text()),
        }
    }
}

/// What a header value is made of; `None` leaves the header out.
pub(super) trait IntoValue {
    fn into_value(self) -> Option<HeaderValue>;
}

impl IntoValue for &str {
    fn into_value(self) -> Option<HeaderValue> {
        HeaderValue::from_str(self).ok()
    }
}

impl IntoValue for String {
    fn into_value(self) -> Option<HeaderValue> {
        HeaderValue::from_maybe_shared(bytes::Bytes::from(self)).ok()
    }
}

impl IntoValue for u64 {
    fn into_value(self) -> Option<HeaderValue> {
        Some(self.into())
    }
}

impl<V: IntoValue> IntoValue for Option<V> {
    fn into_value(self) -> Option<HeaderValue> {
        self.and_then(IntoValue::into_value)
    }
}

/// Adds the length that `Body::Full` and `Body::Empty` have by themselves, for answers to HEAD.
pub(super) fn content_length(answer: Answer, length: u64) -> Answer {
    let mut answer = answer;
    answer.headers.insert(header::CONTENT_LENGTH, length.into());
    answer
}
