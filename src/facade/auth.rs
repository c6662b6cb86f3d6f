//! Who asks: key pairs, sessions, and the signature that proves one of them.

mod caller;
mod pairs;
mod sessions;
mod signing_keys;

use http::{HeaderMap, Method};

use crate::object::Timestamp;
use crate::s3::error::{Result, S3Code, S3Error};
use crate::s3::sigv4::{ChunkSigner, Expectations, SignedRequest};
use crate::telemetry::label::AuthFailure;

pub(super) use caller::Caller;
pub use pairs::{AccessKey, AccessKeys};
pub(super) use sessions::{SessionFailure, Sessions};
pub(super) use signing_keys::SigningKeys;

/// A request whose signature has been verified.
pub(super) struct Identity {
    pub caller: Caller,
    /// For a body whose chunks are signed.
    pub chunk_signer: Option<ChunkSigner>,
}

/// Verifies the signature of a request.
///
/// # Errors
/// The S3 error, and the reason as metrics count it.
pub(super) fn authenticate(
    keys: &AccessKeys,
    (sessions, signing_keys): (&Sessions, &SigningKeys),
    region: &str,
    request: (&Method, &str, &str, &HeaderMap),
    now: Timestamp,
) -> Result<Identity, (S3Error, AuthFailure)> {
    let (method, path, query, headers) = request;
    let signed = SignedRequest::parse(method, path, query, headers)
        .map_err(|error| (error, AuthFailure::Malformed))?
        .ok_or_else(|| (S3Code::AccessDenied.into(), AuthFailure::Unsigned))?;
    let expected = Expectations::s3(Some(region));
    signed.check(now, &expected).map_err(with_reason)?;
    let caller = sessions.caller(keys, &signed, now).map_err(SessionFailure::answer)?;
    let signing_key = signing_keys.get(&caller, &signed);
    let verified = signed.verify(&signing_key, now, &expected).map_err(with_reason)?;
    Ok(Identity { caller, chunk_signer: verified.chunk_signer })
}

fn with_reason(error: S3Error) -> (S3Error, AuthFailure) {
    let reason = match error.code() {
        S3Code::SignatureDoesNotMatch => AuthFailure::Signature,
        S3Code::RequestTimeTooSkewed | S3Code::AccessDenied => AuthFailure::Expired,
        _ => AuthFailure::Malformed,
    };
    (error, reason)
}

impl SessionFailure {
    fn answer(self) -> (S3Error, AuthFailure) {
        match self {
            Self::UnknownKey => (S3Code::InvalidAccessKeyId.into(), AuthFailure::UnknownKey),
            Self::Invalid => (S3Code::InvalidToken.into(), AuthFailure::Token),
            Self::Expired => (S3Code::ExpiredToken.into(), AuthFailure::Expired),
        }
    }
}
