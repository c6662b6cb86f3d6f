//! Errors as the token service answers them.
//!
//! Source: AWS STS API reference, "Common Errors" and the errors of AssumeRole.

use std::borrow::Cow;
use std::fmt;

use http::StatusCode;

use crate::s3::error::{S3Code, S3Error};

macro_rules! codes {
    ($($variant:ident = $status:ident, $message:literal;)*) => {
        /// The codes that are ever answered. The name of a variant is the code on the wire.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum StsCode { $($variant,)* }

        impl StsCode {
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => stringify!($variant),)* }
            }

            pub fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status,)* }
            }

            fn message(self) -> &'static str {
                match self { $(Self::$variant => $message,)* }
            }
        }
    };
}

codes! {
    AccessDenied = FORBIDDEN, "Access denied.";
    ExpiredToken = FORBIDDEN, "The security token included in the request is expired";
    IncompleteSignature = BAD_REQUEST, "The request signature does not conform to AWS standards.";
    InternalFailure = INTERNAL_SERVER_ERROR, "The request processing has failed because of an unknown error.";
    InvalidAction = BAD_REQUEST, "The action or operation requested is invalid.";
    InvalidClientTokenId = FORBIDDEN, "The security token included in the request is invalid.";
    MalformedPolicyDocument = BAD_REQUEST, "The policy document is malformed.";
    MissingAuthenticationToken = FORBIDDEN, "Request is missing Authentication Token";
    NotImplemented = NOT_IMPLEMENTED, "This functionality is not implemented.";
    PackedPolicyTooLarge = BAD_REQUEST, "The packed policy is too large.";
    RequestExpired = BAD_REQUEST, "The date of the request is too far from the server's time.";
    ServiceUnavailable = SERVICE_UNAVAILABLE, "The request has failed due to a temporary failure of the server.";
    SignatureDoesNotMatch = FORBIDDEN, "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.";
    ValidationError = BAD_REQUEST, "The input fails to satisfy the constraints specified by an AWS service.";
}

/// An error on its way to a client.
#[derive(Clone, Debug)]
pub struct StsError {
    code: StsCode,
    message: Cow<'static, str>,
}

impl StsError {
    /// With a message for the client: a sentence, without secrets.
    pub fn new(code: StsCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into() }
    }

    /// A parameter that breaks a constraint, told as the service tells it. A long value is not repeated.
    pub fn constraint(parameter: &str, value: &str, constraint: &str) -> Self {
        let shown: String = value.chars().filter(|c| !c.is_control()).take(SHOWN_CHARS).collect();
        let message = format!(
            "1 validation error detected: Value '{shown}' at '{parameter}' failed to satisfy constraint: {constraint}"
        );
        Self::new(StsCode::ValidationError, message)
    }

    /// What the verifier of signatures, or the reader of the body, says.
    pub fn of_signature(error: S3Error) -> Self {
        let code = match error.code() {
            S3Code::SignatureDoesNotMatch | S3Code::XAmzContentSHA256Mismatch => StsCode::SignatureDoesNotMatch,
            S3Code::RequestTimeTooSkewed => StsCode::RequestExpired,
            S3Code::SlowDown | S3Code::ServiceUnavailable => StsCode::ServiceUnavailable,
            S3Code::InternalError => StsCode::InternalFailure,
            S3Code::MaxMessageLengthExceeded | S3Code::IncompleteBody | S3Code::RequestTimeout => {
                StsCode::ValidationError
            }
            _ => StsCode::IncompleteSignature,
        };
        Self::new(code, error.message().to_owned())
    }

    pub fn code(&self) -> StsCode {
        self.code
    }

    pub fn message(&self) -> &str {
        &self.message
    }
}

const SHOWN_CHARS: usize = 128;

impl From<StsCode> for StsError {
    fn from(code: StsCode) -> Self {
        Self::new(code, code.message())
    }
}

impl fmt::Display for StsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.message)
    }
}
