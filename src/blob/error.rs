//! From Azure's status and `x-ms-error-code` to an error kind: one table.

use std::fmt;
use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::{RETRY_AFTER, SERVER};

use super::operation::Operation;
use super::request::names;
use super::response::{self, collect, number, text};
use super::xml;
use crate::object::{Error, ErrorKind, Retry};

/// Which of an account's limits a throttled request ran into, as the service words it. Attached to
/// an error as its source; see [`ThrottleReason::of`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ThrottleReason {
    Ingress,
    Egress,
    Operations,
    Unnamed,
}

/// What decides on the kind of an error.
#[derive(Clone, Copy, Debug)]
struct Answer<'a> {
    operation: Operation,
    status: u16,
    /// From the header, else from the body.
    code: Option<&'a str>,
    /// Why the service could not read the source of a copy.
    source_code: Option<&'a str>,
    /// Azurite says so in its `Server` header.
    azurite: bool,
}

/// Makes an error of an answer that is no success. Reads the answer's body.
pub(super) async fn refusal(operation: Operation, response: response::Answer) -> Error {
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    let body = tokio::time::timeout(BODY_WAIT, collect(operation, response, BODY_MAX)).await;
    let body = body.ok().and_then(Result::ok).unwrap_or_default();
    error(operation, status, &headers, &body)
}

/// Makes an error of the parts of an answer; also for the parts of a batch.
pub(super) fn error(operation: Operation, status: u16, headers: &HeaderMap, body: &[u8]) -> Error {
    let code = text(headers, &names::ERROR_CODE).map(str::to_owned).or_else(|| xml::find(body, "Code"));
    let source_code = text(headers, &names::COPY_SOURCE_ERROR_CODE)
        .map(str::to_owned)
        .or_else(|| operation.copies().then(|| xml::find(body, "CopySourceErrorCode")).flatten());
    let azurite = text(headers, &SERVER).is_some_and(|server| server.starts_with("Azurite"));
    let told = xml::find(body, "Message").unwrap_or_default();
    let answer = Answer { operation, status, code: code.as_deref(), source_code: source_code.as_deref(), azurite };
    let kind = kind(answer);
    let mut error = Error::new(kind, message(answer, kind, &told));
    if kind == ErrorKind::Throttled {
        error = error.with_source(ThrottleReason::from_text(&told));
    }
    if error.retry() == Retry::Backoff
        && let Some(wait) = retry_after(headers)
    {
        error = error.with_retry(Retry::After(wait));
    }
    error.with_answer(status, code, text(headers, &names::REQUEST_ID).map(str::to_owned))
}

/// Longest wait for the body of an error, and its greatest length: it only adds to the message.
const BODY_WAIT: Duration = Duration::from_secs(5);
const BODY_MAX: usize = 64 << 10;

/// The table. Codes: "Common REST API error codes" and "Blob service error codes"; what the real
/// service was seen to answer where that differs.
fn kind(answer: Answer<'_>) -> ErrorKind {
    let Answer { operation, status, code, source_code, azurite } = answer;
    let source_condition = matches!(status, 304 | 412) || source_code == Some("ConditionNotMet");
    match code {
        // A write never answers 304 for its own conditions: that one is of the source.
        Some("ConditionNotMet") if status == 304 && !operation.reads() => ErrorKind::SourcePreconditionFailed,
        Some("ConditionNotMet") if status == 304 => ErrorKind::NotModified,
        Some("ConditionNotMet" | "TargetConditionNotMet") => ErrorKind::PreconditionFailed,
        Some("SourceConditionNotMet") => ErrorKind::SourcePreconditionFailed,
        Some("CannotVerifyCopySource") if source_condition => ErrorKind::SourcePreconditionFailed,
        Some("CannotVerifyCopySource") if source_code == Some("ServerBusy") => ErrorKind::Throttled,
        Some("CannotVerifyCopySource") => ErrorKind::CopySourceUnreadable,
        Some("BlobAlreadyExists") => ErrorKind::Exists,

        Some("BlobNotFound") => ErrorKind::NotFound,
        Some("ResourceNotFound") => missing(operation),
        Some("ContainerNotFound") => ErrorKind::ContainerMissing,
        Some("ContainerAlreadyExists") => ErrorKind::ContainerExists,
        Some("ContainerBeingDeleted") => ErrorKind::ContainerBeingDeleted,

        Some(code) if code.starts_with("Lease") => ErrorKind::Leased,
        Some("InvalidBlockList") => ErrorKind::InvalidBlockList,
        // Staged blocks of another writer, with ids of another length, stand in the way.
        Some("InvalidBlobOrBlock") => ErrorKind::Conflict,
        Some("SnapshotsPresent" | "PendingCopyOperation") => ErrorKind::Conflict,
        // A directory of a hierarchical account stands where the blob should be, or the reverse.
        Some(
            "ResourceTypeMismatch"
            | "PathConflict"
            | "PathAlreadyExists"
            | "DirectoryNotEmpty"
            | "DirectoryIsNotEmpty"
            | "OperationNotSupportedOnDirectory",
        ) => ErrorKind::Obstructed,
        Some("BlobArchived" | "BlobBeingRehydrated") => ErrorKind::Archived,
        Some("BlobImmutableDueToPolicy" | "BlobImmutableDueToLegalHold") => ErrorKind::Denied,

        Some("Md5Mismatch" | "Crc64Mismatch") => ErrorKind::ChecksumMismatch,
        Some("InvalidRange") => ErrorKind::RangeUnsatisfiable,
        Some("MetadataTooLarge" | "RequestHeaderFieldsTooLarge") => ErrorKind::MetadataTooLarge,
        Some(
            "RequestBodyTooLarge"
            | "BlockCountExceedsLimit"
            | "BlockListTooLong"
            | "RequestEntityTooLargeBlockCountExceedsLimit"
            | "MaxBlobSizeConditionNotMet",
        ) => ErrorKind::TooLarge,
        Some("InvalidResourceName" | "OutOfRangeInput" | "InvalidUri") if on_blob(operation) => {
            ErrorKind::KeyUnmappable
        }

        Some("ServerBusy" | "TooManyRequests") => ErrorKind::Throttled,
        Some("OperationTimedOut") => ErrorKind::Timeout,
        Some("APINotImplemented" | "FeatureNotSupported" | "UnsupportedHttpVerb") => ErrorKind::Unsupported,
        Some("InvalidBlobType" | "BlobTypeNotSupported" | "BlobOperationNotSupported") => ErrorKind::Unsupported,
        // Azurite answers 500 to copies that it has no permission table for.
        _ if azurite && operation.copies() && status == 500 => ErrorKind::Unsupported,
        Some("InternalError" | "AccountBeingCreated") => ErrorKind::Unavailable,

        Some("AuthenticationFailed" | "NoAuthenticationInformation" | "InvalidAuthenticationInfo") => {
            ErrorKind::AuthExpired
        }
        Some(code) if code.starts_with("Authorization") => ErrorKind::Denied,
        Some(
            "InsufficientAccountPermissions"
            | "AccountIsDisabled"
            | "KeyBasedAuthenticationNotPermitted"
            | "PublicAccessNotPermitted",
        ) => ErrorKind::Denied,

        Some(code) if status == 400 && is_our_mistake(code) => ErrorKind::Invalid,
        Some("MissingContentLengthHeader") => ErrorKind::Invalid,
        other => by_status(operation, status, other.is_some()),
    }
}

/// Codes of 400 that say that the request was wrong.
fn is_our_mistake(code: &str) -> bool {
    ["Invalid", "Missing", "OutOfRange", "Unsupported", "Empty", "MultipleConditionHeaders", "RequestUrlFailedToParse"]
        .iter()
        .any(|start| code.starts_with(start))
        || code == "UnsatisfiableCondition"
}

/// What the status alone says; a code that the table does not know makes 400, 409 and 412 unexpected.
fn by_status(operation: Operation, status: u16, coded: bool) -> ErrorKind {
    match status {
        304 if operation.reads() => ErrorKind::NotModified,
        304 => ErrorKind::SourcePreconditionFailed,
        401 => ErrorKind::AuthExpired,
        403 => ErrorKind::Denied,
        404 if !coded => missing(operation),
        400 if !coded => ErrorKind::Invalid,
        408 | 504 => ErrorKind::Timeout,
        412 if !coded => ErrorKind::PreconditionFailed,
        413 => ErrorKind::TooLarge,
        416 => ErrorKind::RangeUnsatisfiable,
        429 => ErrorKind::Throttled,
        431 => ErrorKind::MetadataTooLarge,
        501 => ErrorKind::Unsupported,
        500..=599 => ErrorKind::Unavailable,
        _ => ErrorKind::Unexpected,
    }
}

fn missing(operation: Operation) -> ErrorKind {
    if on_blob(operation) { ErrorKind::NotFound } else { ErrorKind::ContainerMissing }
}

fn on_blob(operation: Operation) -> bool {
    use Operation as O;
    match operation {
        O::AccountInfo | O::ServiceProperties | O::ListContainers | O::UserDelegationKey => false,
        O::CreateContainer | O::GetContainer | O::SetContainerMetadata | O::DeleteContainer | O::ListBlobs => false,
        O::GetBlob | O::GetProperties | O::GetBlockList | O::PutBlob | O::PutBlock | O::PutBlockList => true,
        O::PutBlobFromUrl | O::PutBlockFromUrl | O::CopyBlobFromUrl => true,
        O::SetMetadata | O::SetProperties | O::DeleteBlob | O::DeleteBatch | O::Probe => true,
    }
}

fn message(answer: Answer<'_>, kind: ErrorKind, told: &str) -> String {
    let operation = answer.operation.name();
    let remedy = match answer.code {
        Some("AuthorizationPermissionMismatch") => {
            "the identity lacks a role: assign Storage Blob Data Contributor on the container or account, then wait a few minutes"
        }
        Some("AuthorizationFailure") => {
            "the account refuses requests from this network: allow it in the account's network rules or use its private endpoint"
        }
        Some("KeyBasedAuthenticationNotPermitted") => {
            "the account does not allow account keys: use a workload or managed identity"
        }
        _ if kind == ErrorKind::AuthExpired => "the service did not accept the credential",
        _ => "",
    };
    let told = told.lines().next().unwrap_or_default();
    match (remedy, told) {
        ("", "") => format!("{operation}: the service refused"),
        ("", told) => format!("{operation}: {}", lower_first(told)),
        (remedy, _) => format!("{operation}: {remedy}"),
    }
}

/// The service's sentence in the form of our messages: lower case at its start, no full stop, no
/// longer than a line.
fn lower_first(sentence: &str) -> String {
    let mut characters = sentence.trim_end_matches('.').chars().take(200);
    characters.next().into_iter().flat_map(char::to_lowercase).chain(characters).collect()
}

/// The wait that the service asks for: `x-ms-retry-after-ms`, or `Retry-After` in seconds or as a date.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    if let Some(milliseconds) = number(headers, &names::RETRY_AFTER_MS) {
        return Some(Duration::from_millis(milliseconds));
    }
    if let Some(seconds) = number(headers, &RETRY_AFTER) {
        return Some(Duration::from_secs(seconds));
    }
    let at = httpdate::parse_http_date(text(headers, &RETRY_AFTER)?).ok()?;
    Some(at.duration_since(SystemTime::now()).unwrap_or_default())
}

impl ThrottleReason {
    /// The reason that goes with a throttled error of this client.
    pub fn of(error: &Error) -> Option<Self> {
        std::error::Error::source(error)?.downcast_ref().copied()
    }

    /// The reason as one word, for metrics.
    pub fn label(self) -> &'static str {
        match self {
            Self::Ingress => "ingress",
            Self::Egress => "egress",
            Self::Operations => "operations",
            Self::Unnamed => "unnamed",
        }
    }

    /// From the service's words, which name the limit where no code does.
    fn from_text(told: &str) -> Self {
        if told.starts_with("Ingress") {
            Self::Ingress
        } else if told.starts_with("Egress") {
            Self::Egress
        } else if told.starts_with("Operations") {
            Self::Operations
        } else {
            Self::Unnamed
        }
    }
}

impl fmt::Display for ThrottleReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "limit: {}", self.label())
    }
}

impl std::error::Error for ThrottleReason {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::ErrorKind as K;
    use Operation as O;

    #[test]
    fn table() {
        let cases: &[(Operation, u16, &str, &str, ErrorKind)] = &[
            (O::GetBlob, 404, "BlobNotFound", "", K::NotFound),
            (O::GetProperties, 404, "", "", K::NotFound),
            (O::GetContainer, 404, "", "", K::ContainerMissing),
            (O::GetBlob, 404, "ContainerNotFound", "", K::ContainerMissing),
            (O::CreateContainer, 409, "ContainerAlreadyExists", "", K::ContainerExists),
            (O::CreateContainer, 409, "ContainerBeingDeleted", "", K::ContainerBeingDeleted),
            (O::PutBlob, 409, "BlobAlreadyExists", "", K::Exists),
            (O::PutBlob, 412, "ConditionNotMet", "", K::PreconditionFailed),
            (O::PutBlobFromUrl, 412, "TargetConditionNotMet", "", K::PreconditionFailed),
            (O::PutBlobFromUrl, 412, "SourceConditionNotMet", "", K::SourcePreconditionFailed),
            (O::PutBlobFromUrl, 304, "CannotVerifyCopySource", "", K::SourcePreconditionFailed),
            (O::PutBlobFromUrl, 304, "CannotVerifyCopySource", "ConditionNotMet", K::SourcePreconditionFailed),
            (O::PutBlobFromUrl, 412, "CannotVerifyCopySource", "ConditionNotMet", K::SourcePreconditionFailed),
            (O::PutBlobFromUrl, 304, "", "", K::SourcePreconditionFailed),
            (O::PutBlockFromUrl, 401, "CannotVerifyCopySource", "NoAuthenticationInformation", K::CopySourceUnreadable),
            (O::PutBlockFromUrl, 403, "CannotVerifyCopySource", "", K::CopySourceUnreadable),
            (O::CopyBlobFromUrl, 404, "CannotVerifyCopySource", "", K::CopySourceUnreadable),
            (O::PutBlockFromUrl, 503, "CannotVerifyCopySource", "ServerBusy", K::Throttled),
            (O::GetBlob, 304, "ConditionNotMet", "", K::NotModified),
            (O::GetBlob, 412, "ConditionNotMet", "", K::PreconditionFailed),
            (O::PutBlock, 412, "LeaseIdMissing", "", K::Leased),
            (O::PutBlob, 412, "LeaseIdMismatchWithBlobOperation", "", K::Leased),
            (O::PutBlob, 412, "LeaseLost", "", K::Leased),
            (O::PutBlockList, 400, "InvalidBlockList", "", K::InvalidBlockList),
            (O::PutBlock, 400, "InvalidBlobOrBlock", "", K::Conflict),
            (O::PutBlock, 400, "Md5Mismatch", "", K::ChecksumMismatch),
            (O::PutBlock, 400, "Crc64Mismatch", "", K::ChecksumMismatch),
            (O::GetBlob, 416, "InvalidRange", "", K::RangeUnsatisfiable),
            (O::PutBlob, 503, "ServerBusy", "", K::Throttled),
            (O::PutBlob, 429, "", "", K::Throttled),
            (O::PutBlob, 500, "OperationTimedOut", "", K::Timeout),
            (O::PutBlob, 500, "InternalError", "", K::Unavailable),
            (O::PutBlobFromUrl, 500, "InternalError", "", K::Unavailable),
            (O::PutBlob, 502, "", "", K::Unavailable),
            (O::PutBlob, 504, "", "", K::Timeout),
            (O::PutBlobFromUrl, 501, "APINotImplemented", "", K::Unsupported),
            (O::PutBlockList, 409, "BlobOperationNotSupported", "", K::Unsupported),
            (O::PutBlob, 401, "", "", K::AuthExpired),
            (O::PutBlob, 403, "AuthenticationFailed", "", K::AuthExpired),
            (O::GetBlob, 401, "InvalidAuthenticationInfo", "", K::AuthExpired),
            (O::GetBlob, 403, "AuthorizationPermissionMismatch", "", K::Denied),
            (O::GetBlob, 403, "AuthorizationFailure", "", K::Denied),
            (O::PutBlob, 400, "MetadataTooLarge", "", K::MetadataTooLarge),
            (O::PutBlob, 400, "InvalidMetadata", "", K::Invalid),
            (O::PutBlob, 400, "InvalidResourceName", "", K::KeyUnmappable),
            (O::PutBlob, 400, "OutOfRangeInput", "", K::KeyUnmappable),
            (O::CreateContainer, 400, "InvalidResourceName", "", K::Invalid),
            (O::PutBlob, 400, "InvalidHeaderValue", "", K::Invalid),
            (O::GetBlob, 400, "UnsatisfiableCondition", "", K::Invalid),
            (O::PutBlob, 413, "RequestBodyTooLarge", "", K::TooLarge),
            (O::PutBlob, 411, "MissingContentLengthHeader", "", K::Invalid),
            (O::PutBlock, 409, "RequestEntityTooLargeBlockCountExceedsLimit", "", K::TooLarge),
            (O::DeleteBlob, 409, "SnapshotsPresent", "", K::Conflict),
            (O::DeleteBlob, 409, "DirectoryIsNotEmpty", "", K::Obstructed),
            (O::PutBlob, 409, "ResourceTypeMismatch", "", K::Obstructed),
            (O::GetBlob, 409, "BlobArchived", "", K::Archived),
            (O::PutBlob, 409, "BlobImmutableDueToPolicy", "", K::Denied),
            (O::PutBlob, 409, "NeverHeardOf", "", K::Unexpected),
            (O::PutBlob, 412, "NeverHeardOf", "", K::Unexpected),
            (O::PutBlob, 503, "NeverHeardOf", "", K::Unavailable),
        ];
        for &(operation, status, code, source, expected) in cases {
            let answer = Answer {
                operation,
                status,
                code: (!code.is_empty()).then_some(code),
                source_code: (!source.is_empty()).then_some(source),
                azurite: false,
            };
            assert_eq!(kind(answer), expected, "{operation:?} {status} {code} {source}");
        }
        let azurite =
            Answer { operation: O::PutBlockFromUrl, status: 500, code: None, source_code: None, azurite: true };
        assert_eq!(kind(azurite), K::Unsupported);
    }

    #[test]
    fn code_from_the_body_reason_and_wait() {
        let body = "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<Error><Code>ServerBusy</Code><Message>Egress is over the account limit.\nRequestId:1\nTime:2</Message></Error>";
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", http::HeaderValue::from_static("7"));
        let throttled = error(O::GetBlob, 503, &headers, body.as_bytes());
        assert_eq!(throttled.kind(), K::Throttled);
        assert_eq!(throttled.vendor_code(), Some("ServerBusy"));
        assert_eq!(throttled.retry(), Retry::After(Duration::from_secs(7)));
        assert_eq!(ThrottleReason::of(&throttled), Some(ThrottleReason::Egress));
        assert_eq!(throttled.message(), "get_blob: egress is over the account limit");
        headers.insert("x-ms-retry-after-ms", http::HeaderValue::from_static("250"));
        assert_eq!(retry_after(&headers), Some(Duration::from_millis(250)));
        let silent = error(O::GetProperties, 404, &HeaderMap::new(), b"");
        assert_eq!(silent.kind(), K::NotFound);
    }
}
