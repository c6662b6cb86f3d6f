//! From S3's status and error code to an error kind: one table.

use std::time::Duration;

use http::HeaderMap;
use http::response::Parts;

use super::header;
use super::xml::{Step, walk};
use crate::object::{Error, ErrorKind, Retry, Timestamp};

/// What a request was about, for answers that leave it open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    Bucket,
    Object,
}

/// The fields of an error document.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ErrorDocument {
    pub code: Option<String>,
    message: Option<String>,
    region: Option<String>,
    request_id: Option<String>,
}

/// The kind of an error answer (S3 API reference, "Error responses"). Answers to HEAD have no code.
pub fn kind(status: u16, code: Option<&str>, subject: Subject) -> ErrorKind {
    use ErrorKind::*;
    match code.unwrap_or("") {
        "NoSuchKey" | "NoSuchVersion" => NotFound,
        "NoSuchBucket" => ContainerMissing,
        "AccessDenied" | "AccountProblem" | "AllAccessDisabled" | "NotSignedUp" => Denied,
        code if code.starts_with("KMS.") => Denied,
        "ExpiredToken"
        | "InvalidAccessKeyId"
        | "InvalidToken"
        | "RequestTimeTooSkewed"
        | "SignatureDoesNotMatch"
        | "TokenRefreshRequired" => AuthExpired,
        "InvalidObjectState" => Archived,
        "PreconditionFailed" => PreconditionFailed,
        "ConditionalRequestConflict" | "OperationAborted" => Conflict,
        "InvalidRange" => RangeUnsatisfiable,
        "BandwidthLimitExceeded"
        | "RequestLimitExceeded"
        | "ServiceUnavailable"
        | "SlowDown"
        | "Throttling"
        | "ThrottlingException"
        | "TooManyRequests" => Throttled,
        "RequestTimeout" => Timeout,
        "InternalError" => Unavailable,
        "NotImplemented" => Unsupported,
        // A read of ours is well-formed: the object is encrypted with a key of its owner's (SSE-C).
        "InvalidRequest" if subject == Subject::Object && status == 400 => Unsupported,
        _ => kind_of_status(status, subject),
    }
}

fn kind_of_status(status: u16, subject: Subject) -> ErrorKind {
    match status {
        304 => ErrorKind::NotModified,
        300..=400 => ErrorKind::Invalid,
        401 => ErrorKind::AuthExpired,
        403 => ErrorKind::Denied,
        404 if subject == Subject::Bucket => ErrorKind::ContainerMissing,
        404 => ErrorKind::NotFound,
        405 | 501 => ErrorKind::Unsupported,
        408 => ErrorKind::Timeout,
        409 => ErrorKind::Conflict,
        412 => ErrorKind::PreconditionFailed,
        416 => ErrorKind::RangeUnsatisfiable,
        429 | 503 => ErrorKind::Throttled,
        500..=599 => ErrorKind::Unavailable,
        _ => ErrorKind::Unexpected,
    }
}

/// The error that an answer means. `configured` is the region we sign for.
pub(super) fn from_answer(head: &Parts, body: &[u8], subject: Subject, configured: &str) -> Error {
    let document = ErrorDocument::parse(body);
    let status = head.status.as_u16();
    let mut kind = kind(status, document.code.as_deref(), subject);
    if kind == ErrorKind::Unsupported && head.headers.contains_key(header::DELETE_MARKER) {
        kind = ErrorKind::NotFound;
    }
    let region = document.region.clone().or_else(|| text(&head.headers, header::BUCKET_REGION));
    let message = match (region, &document.message) {
        (Some(region), _) if kind == ErrorKind::Invalid && region != configured => {
            format!("the bucket is in region {region}, not in {configured}")
        }
        _ if is_sse_customer(kind, &document) => {
            "the object cannot be read without its owner's encryption key (SSE-C)".to_owned()
        }
        (_, Some(message)) => message.chars().take(MESSAGE_MAX).collect(),
        (_, None) => head.status.canonical_reason().unwrap_or("no reason given").to_lowercase(),
    };
    let request_id = text(&head.headers, header::REQUEST_ID).or(document.request_id);
    let error = Error::new(kind, message).with_answer(status, document.code, request_id);
    let retry = match error.retry() {
        Retry::Backoff => retry_after(&head.headers, Timestamp::now()).map_or(Retry::Backoff, Retry::After),
        other => other,
    };
    error.with_retry(retry)
}

/// Characters of S3's own message that are passed on.
const MESSAGE_MAX: usize = 300;

/// A `Retry-After` of more than this is not believed.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(300);

fn is_sse_customer(kind: ErrorKind, document: &ErrorDocument) -> bool {
    kind == ErrorKind::Unsupported && document.code.as_deref() == Some("InvalidRequest")
}

/// `Retry-After` in seconds or as a date (RFC 9110 section 10.2.3).
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let value = text(headers, "retry-after")?;
    let seconds = match value.parse::<u64>() {
        Ok(seconds) => seconds,
        Err(_) => u64::try_from(Timestamp::parse_http(&value)?.seconds_since(now)).unwrap_or(0),
    };
    Some(Duration::from_secs(seconds).min(RETRY_AFTER_MAX))
}

/// A header that is visible ASCII.
pub(super) fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

impl ErrorDocument {
    /// Whatever can be read; an answer of a proxy in between has no document at all.
    pub fn parse(body: &[u8]) -> Self {
        let mut document = Self::default();
        let _ = walk(body, |parent, name, step| {
            if let (Step::End(text), "Error") = (step, parent) {
                let field = match name {
                    "Code" => &mut document.code,
                    "Message" => &mut document.message,
                    "Region" => &mut document.region,
                    "RequestId" => &mut document.request_id,
                    _ => return Ok(()),
                };
                *field = Some(text.to_owned());
            }
            Ok(())
        });
        document
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table() {
        use ErrorKind::*;
        for (status, code, subject, expected) in [
            (404, Some("NoSuchKey"), Subject::Object, NotFound),
            (404, Some("NoSuchBucket"), Subject::Object, ContainerMissing),
            (404, None, Subject::Object, NotFound),
            (404, None, Subject::Bucket, ContainerMissing),
            (403, Some("AccessDenied"), Subject::Object, Denied),
            (403, Some("InvalidObjectState"), Subject::Object, Archived),
            (403, Some("RequestTimeTooSkewed"), Subject::Object, AuthExpired),
            (403, Some("SignatureDoesNotMatch"), Subject::Bucket, AuthExpired),
            (400, Some("ExpiredToken"), Subject::Object, AuthExpired),
            (400, Some("InvalidRequest"), Subject::Object, Unsupported),
            (400, Some("InvalidRequest"), Subject::Bucket, Invalid),
            (400, Some("AuthorizationHeaderMalformed"), Subject::Bucket, Invalid),
            (400, Some("KMS.DisabledException"), Subject::Object, Denied),
            (301, Some("PermanentRedirect"), Subject::Bucket, Invalid),
            (304, None, Subject::Object, NotModified),
            (412, Some("PreconditionFailed"), Subject::Object, PreconditionFailed),
            (412, None, Subject::Object, PreconditionFailed),
            (416, Some("InvalidRange"), Subject::Object, RangeUnsatisfiable),
            (503, Some("SlowDown"), Subject::Object, Throttled),
            (503, None, Subject::Object, Throttled),
            (429, None, Subject::Object, Throttled),
            (400, Some("RequestTimeout"), Subject::Object, Timeout),
            (500, Some("InternalError"), Subject::Object, Unavailable),
            (502, None, Subject::Object, Unavailable),
            (501, Some("NotImplemented"), Subject::Bucket, Unsupported),
            (418, Some("SomethingNew"), Subject::Bucket, Unexpected),
        ] {
            assert_eq!(kind(status, code, subject), expected, "{status} {code:?} {subject:?}");
        }
    }

    #[test]
    fn retry_after_forms() {
        let now = Timestamp(1_795_412_511);
        let of = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("retry-after", value.parse().unwrap());
            retry_after(&headers, now).map(|wait| wait.as_secs())
        };
        assert_eq!(of("7"), Some(7));
        assert_eq!(of("Mon, 23 Nov 2026 05:42:01 GMT"), Some(10));
        assert_eq!(of("Mon, 23 Nov 2020 05:42:01 GMT"), Some(0));
        assert_eq!(of("99999999"), Some(300));
        assert_eq!(of("soon"), None);
    }
}
