//! Errors as S3 answers them: one table of codes, one total mapping from [`ErrorKind`].
//!
//! Source: Amazon S3 API reference, "Error responses".

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use http::StatusCode;

use crate::object::{Error, ErrorKind};

use super::xml::writer::Writer;

pub type Result<T, E = S3Error> = std::result::Result<T, E>;

macro_rules! codes {
    ($($variant:ident = $status:literal, $message:literal;)*) => {
        /// The error codes that are ever answered. The name of a variant is the code on the wire.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum S3Code { $($variant,)* }

        impl S3Code {
            /// Every code, for tests and metrics.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The code as it stands in the answer.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => stringify!($variant),)* }
            }

            /// The HTTP status.
            pub fn status(self) -> StatusCode {
                let status = match self { $(Self::$variant => $status,)* };
                StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }

            /// What is said if nothing more precise is known.
            pub fn message(self) -> &'static str {
                match self { $(Self::$variant => $message,)* }
            }
        }
    };
}

codes! {
    AccessControlListNotSupported = 400, "The bucket does not allow ACLs.";
    AccessDenied = 403, "Access Denied";
    AuthorizationHeaderMalformed = 400, "The authorization header that you provided is not valid.";
    AuthorizationQueryParametersError = 400, "The authorization query parameters that you provided are not valid.";
    BadDigest = 400, "The checksum or Content-MD5 that you specified did not match what was received.";
    BadRequest = 400, "Bad Request";
    BucketAlreadyExists = 409, "The bucket exists and is somebody else's.";
    BucketAlreadyOwnedByYou = 409, "The bucket exists and is yours.";
    BucketNotEmpty = 409, "The bucket that you tried to delete is not empty.";
    ConditionalRequestConflict = 409, "A conflicting operation occurred during this conditional request. Try again.";
    EntityTooLarge = 400, "The upload exceeds the maximum allowed object size.";
    EntityTooSmall = 400, "The upload is smaller than the minimum allowed size.";
    ExpiredToken = 400, "The provided token has expired.";
    IllegalLocationConstraintException = 400, "The location constraint does not fit the region of this endpoint.";
    IncompleteBody = 400, "The body does not have the number of bytes that was announced.";
    InternalError = 500, "An internal error occurred. Try again.";
    InvalidAccessKeyId = 403, "The access key id that you provided does not exist in our records.";
    InvalidArgument = 400, "Invalid Argument";
    InvalidBucketAclWithObjectOwnership = 400, "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting";
    InvalidBucketName = 400, "The specified bucket is not valid.";
    InvalidChunkSizeError = 400, "The size of a chunk is not valid.";
    InvalidDigest = 400, "The Content-MD5 that you specified is not valid.";
    InvalidEncryptionAlgorithmError = 400, "The encryption request that you specified is not valid. Supported value: AES256.";
    InvalidObjectState = 403, "The object is archived and has to be restored before it can be read.";
    InvalidPart = 400, "One or more of the specified parts could not be found or its ETag did not match.";
    InvalidPartNumber = 416, "The requested partnumber is not satisfiable";
    InvalidPartOrder = 400, "The list of parts was not in ascending order.";
    InvalidRange = 416, "The requested range is not satisfiable";
    InvalidRequest = 400, "Invalid Request";
    InvalidStorageClass = 400, "The storage class that you specified is not valid.";
    InvalidTag = 400, "The tag provided was not a valid tag.";
    InvalidToken = 400, "The provided token is malformed or otherwise not valid.";
    InvalidURI = 400, "Couldn't parse the specified URI.";
    KeyTooLongError = 400, "Your key is too long.";
    MalformedTrailerError = 400, "The request contained trailing data that was not well-formed.";
    MalformedXML = 400, "The XML that you provided was not well-formed or did not validate against our published schema.";
    MaxMessageLengthExceeded = 400, "Your request was too large.";
    MetadataTooLarge = 400, "Your metadata headers exceed the maximum allowed metadata size.";
    MethodNotAllowed = 405, "The specified method is not allowed against this resource.";
    MissingContentLength = 411, "You must provide the Content-Length HTTP header.";
    MissingRequestBodyError = 400, "The request body is empty.";
    MissingSecurityHeader = 400, "Your request was missing a required header.";
    NoSuchBucket = 404, "The specified bucket does not exist.";
    NoSuchBucketPolicy = 404, "The bucket policy does not exist.";
    NoSuchCORSConfiguration = 404, "The CORS configuration does not exist.";
    NoSuchConfiguration = 404, "The specified configuration does not exist.";
    NoSuchKey = 404, "The specified key does not exist.";
    NoSuchLifecycleConfiguration = 404, "The lifecycle configuration does not exist.";
    NoSuchTagSet = 404, "The TagSet does not exist.";
    NoSuchUpload = 404, "The specified upload does not exist. It may have been aborted or completed.";
    NoSuchVersion = 404, "The specified version does not exist.";
    NoSuchWebsiteConfiguration = 404, "The specified bucket does not have a website configuration.";
    NotImplemented = 501, "This functionality is not implemented.";
    NotModified = 304, "Not Modified";
    ObjectLockConfigurationNotFoundError = 404, "Object Lock configuration does not exist for this bucket.";
    OperationAborted = 409, "A conflicting operation is in progress against this resource. Try again.";
    PreconditionFailed = 412, "At least one of the preconditions that you specified did not hold.";
    ReplicationConfigurationNotFoundError = 404, "The replication configuration was not found.";
    RequestHeaderSectionTooLarge = 400, "Your request header section exceeds the maximum allowed size.";
    RequestTimeTooSkewed = 403, "The difference between the request time and the server's time is too large.";
    RequestTimeout = 400, "The body was not received within the timeout period.";
    ServiceUnavailable = 503, "Service is unable to handle the request. Try again.";
    SignatureDoesNotMatch = 403, "The request signature we calculated does not match the signature you provided. Check your secret access key and signing method.";
    SlowDown = 503, "Please reduce your request rate.";
    XAmzContentSHA256Mismatch = 400, "The provided x-amz-content-sha256 header does not match what was computed.";
}

/// An error on its way to an S3 client. Cheap to clone, small to return.
#[derive(Clone)]
pub struct S3Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    code: S3Code,
    message: Cow<'static, str>,
    details: Vec<(&'static str, String)>,
    cause: Option<Arc<Error>>,
}

/// Whether the failed operation could have changed something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Read,
    Write,
}

impl S3Error {
    /// An error with a message for the client: a sentence, without secrets.
    pub fn new(code: S3Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner { code, message: message.into(), details: Vec::new(), cause: None }))
    }

    /// What a client is told about `error`; the operator's text stays in [`S3Error::cause`].
    pub fn from_object(error: Error, access: Access) -> Self {
        let code = S3Code::of(error.kind(), access);
        // What stands in the way of a key is known to us alone, and trying again does not help.
        let mut answer = match error.kind() {
            ErrorKind::Obstructed => Self::new(code, sentence(error.message())),
            _ => Self::from(code),
        };
        answer.0.cause = Some(Arc::new(error));
        answer
    }

    /// Adds an element to the error document, as `Region` or `ArgumentName`.
    #[must_use]
    pub fn with(mut self, element: &'static str, text: impl Into<String>) -> Self {
        self.0.details.push((element, text.into()));
        self
    }

    pub fn code(&self) -> S3Code {
        self.0.code
    }

    /// The text of an element that [`S3Error::with`] added.
    pub fn detail(&self, element: &str) -> Option<&str> {
        self.0.details.iter().find(|(known, _)| *known == element).map(|(_, text)| text.as_str())
    }

    pub fn status(&self) -> StatusCode {
        self.0.code.status()
    }

    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The error behind the answer, for logs and not for the client.
    pub fn cause(&self) -> Option<&Error> {
        self.0.cause.as_deref()
    }

    /// The error document. A HEAD and a 304 are answered without it.
    pub fn to_xml(&self, resource: &str, request_id: &str, host_id: &str) -> String {
        let mut xml = Writer::document(512);
        xml.open("Error");
        xml.text("Code", self.code().as_str());
        xml.text("Message", self.message());
        for (element, text) in &self.0.details {
            xml.text(element, text);
        }
        xml.text("Resource", resource);
        xml.text("RequestId", request_id);
        xml.text("HostId", host_id);
        xml.close("Error");
        xml.finish()
    }

    /// The same error for layers that know only [`Error`]; it stays reachable as the source.
    pub fn into_object(self) -> Error {
        let kind = match self.code() {
            S3Code::BadDigest | S3Code::InvalidDigest | S3Code::XAmzContentSHA256Mismatch => {
                ErrorKind::ChecksumMismatch
            }
            S3Code::IncompleteBody | S3Code::RequestTimeout => ErrorKind::BodyIncomplete,
            S3Code::SignatureDoesNotMatch | S3Code::AccessDenied => ErrorKind::Denied,
            S3Code::EntityTooLarge => ErrorKind::TooLarge,
            _ => ErrorKind::Invalid,
        };
        Error::new(kind, format!("request refused with {}", self.code().as_str())).with_source(self)
    }
}

impl S3Code {
    /// The code for a kind of error; what a failure means may depend on whether something was written.
    pub fn of(kind: ErrorKind, access: Access) -> Self {
        let write = access == Access::Write;
        match kind {
            ErrorKind::NotFound => Self::NoSuchKey,
            ErrorKind::ContainerMissing => Self::NoSuchBucket,
            ErrorKind::ContainerExists => Self::BucketAlreadyOwnedByYou,
            ErrorKind::ContainerNotEmpty => Self::BucketNotEmpty,
            ErrorKind::ContainerBeingDeleted | ErrorKind::Leased | ErrorKind::Obstructed => Self::OperationAborted,
            ErrorKind::Exists | ErrorKind::PreconditionFailed | ErrorKind::SourcePreconditionFailed => {
                Self::PreconditionFailed
            }
            ErrorKind::NotModified => Self::NotModified,
            ErrorKind::Conflict => Self::ConditionalRequestConflict,
            ErrorKind::RangeUnsatisfiable => Self::InvalidRange,
            ErrorKind::Throttled => Self::SlowDown,
            // A write that may have landed is an honest 500; a read is only "later".
            ErrorKind::Timeout | ErrorKind::Unavailable if write => Self::InternalError,
            ErrorKind::Timeout | ErrorKind::Unavailable => Self::ServiceUnavailable,
            // Our own credential towards the store: nothing that the client could mend.
            ErrorKind::AuthExpired | ErrorKind::Cancelled => Self::ServiceUnavailable,
            ErrorKind::Denied => Self::AccessDenied,
            ErrorKind::Unsupported => Self::NotImplemented,
            ErrorKind::ChecksumMismatch if write => Self::BadDigest,
            ErrorKind::BodyIncomplete if write => Self::IncompleteBody,
            ErrorKind::TooLarge => Self::EntityTooLarge,
            ErrorKind::MetadataTooLarge => Self::MetadataTooLarge,
            // Blob cannot hold the key, so there is nothing to be read under it.
            ErrorKind::KeyUnmappable if write => Self::InvalidArgument,
            ErrorKind::KeyUnmappable => Self::NoSuchKey,
            ErrorKind::Invalid => Self::InvalidRequest,
            ErrorKind::NoSuchUpload => Self::NoSuchUpload,
            ErrorKind::InvalidPart => Self::InvalidPart,
            ErrorKind::InvalidPartOrder => Self::InvalidPartOrder,
            ErrorKind::PartTooSmall => Self::EntityTooSmall,
            ErrorKind::Archived => Self::InvalidObjectState,
            ErrorKind::ChecksumMismatch
            | ErrorKind::BodyIncomplete
            | ErrorKind::CopySourceUnreadable
            | ErrorKind::InvalidBlockList
            | ErrorKind::Corrupt
            | ErrorKind::Unexpected => Self::InternalError,
        }
    }
}

/// A message of ours in the form of S3's.
fn sentence(message: &str) -> String {
    let mut characters = message.chars();
    characters.next().into_iter().flat_map(char::to_uppercase).chain(characters).chain(['.']).collect()
}

impl From<S3Code> for S3Error {
    fn from(code: S3Code) -> Self {
        Self::new(code, code.message())
    }
}

impl fmt::Display for S3Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code().as_str(), self.message())
    }
}

impl fmt::Debug for S3Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "S3Error({self})")
    }
}

impl std::error::Error for S3Error {}

#[cfg(test)]
mod tests {
    use super::*;
    use ErrorKind as K;
    use S3Code as C;

    #[test]
    fn every_kind_has_its_answer() {
        for (kind, read, write) in [
            (K::NotFound, C::NoSuchKey, C::NoSuchKey),
            (K::ContainerMissing, C::NoSuchBucket, C::NoSuchBucket),
            (K::ContainerExists, C::BucketAlreadyOwnedByYou, C::BucketAlreadyOwnedByYou),
            (K::ContainerBeingDeleted, C::OperationAborted, C::OperationAborted),
            (K::ContainerNotEmpty, C::BucketNotEmpty, C::BucketNotEmpty),
            (K::Exists, C::PreconditionFailed, C::PreconditionFailed),
            (K::PreconditionFailed, C::PreconditionFailed, C::PreconditionFailed),
            (K::SourcePreconditionFailed, C::PreconditionFailed, C::PreconditionFailed),
            (K::NotModified, C::NotModified, C::NotModified),
            (K::Conflict, C::ConditionalRequestConflict, C::ConditionalRequestConflict),
            (K::Leased, C::OperationAborted, C::OperationAborted),
            (K::Obstructed, C::OperationAborted, C::OperationAborted),
            (K::RangeUnsatisfiable, C::InvalidRange, C::InvalidRange),
            (K::Throttled, C::SlowDown, C::SlowDown),
            (K::Timeout, C::ServiceUnavailable, C::InternalError),
            (K::Unavailable, C::ServiceUnavailable, C::InternalError),
            (K::AuthExpired, C::ServiceUnavailable, C::ServiceUnavailable),
            (K::Denied, C::AccessDenied, C::AccessDenied),
            (K::CopySourceUnreadable, C::InternalError, C::InternalError),
            (K::Unsupported, C::NotImplemented, C::NotImplemented),
            (K::ChecksumMismatch, C::InternalError, C::BadDigest),
            (K::BodyIncomplete, C::InternalError, C::IncompleteBody),
            (K::TooLarge, C::EntityTooLarge, C::EntityTooLarge),
            (K::MetadataTooLarge, C::MetadataTooLarge, C::MetadataTooLarge),
            (K::KeyUnmappable, C::NoSuchKey, C::InvalidArgument),
            (K::Invalid, C::InvalidRequest, C::InvalidRequest),
            (K::NoSuchUpload, C::NoSuchUpload, C::NoSuchUpload),
            (K::InvalidPart, C::InvalidPart, C::InvalidPart),
            (K::InvalidPartOrder, C::InvalidPartOrder, C::InvalidPartOrder),
            (K::PartTooSmall, C::EntityTooSmall, C::EntityTooSmall),
            (K::InvalidBlockList, C::InternalError, C::InternalError),
            (K::Archived, C::InvalidObjectState, C::InvalidObjectState),
            (K::Corrupt, C::InternalError, C::InternalError),
            (K::Cancelled, C::ServiceUnavailable, C::ServiceUnavailable),
            (K::Unexpected, C::InternalError, C::InternalError),
        ] {
            assert_eq!(C::of(kind, Access::Read), read, "{kind:?}");
            assert_eq!(C::of(kind, Access::Write), write, "{kind:?}");
        }
    }

    #[test]
    fn every_code_is_an_error_status() {
        for code in C::ALL {
            assert!(code.status().as_u16() == 304 || code.status().as_u16() >= 400, "{code:?}");
            assert!(!code.message().is_empty());
        }
    }

    #[test]
    fn document_escapes_and_hides_the_cause() {
        let cause = Error::new(K::NotFound, "account secret-name said no");
        let error = S3Error::from_object(cause, Access::Read).with("Key", "a<b&\u{1}");
        assert_eq!(
            error.to_xml("/bucket/a<b", "4442587FB7D0A2F9", "host"),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>NoSuchKey</Code>\
             <Message>The specified key does not exist.</Message><Key>a&lt;b&amp;&#x1;</Key>\
             <Resource>/bucket/a&lt;b</Resource><RequestId>4442587FB7D0A2F9</RequestId><HostId>host</HostId></Error>"
        );
        assert_eq!(error.cause().map(Error::kind), Some(K::NotFound));
    }

    #[test]
    fn travels_as_an_object_error() {
        let error = S3Error::from(C::XAmzContentSHA256Mismatch).into_object();
        assert_eq!(error.kind(), K::ChecksumMismatch);
        let source = std::error::Error::source(&error).and_then(|source| source.downcast_ref::<S3Error>());
        assert_eq!(source.map(S3Error::code), Some(C::XAmzContentSHA256Mismatch));
    }
}
