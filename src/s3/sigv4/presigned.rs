//! A signature in the query: a presigned URL.

use std::borrow::Cow;

use crate::object::Timestamp;
use crate::s3::error::{Result, S3Code, S3Error};
use crate::s3::query::Query;

use super::Mac;
use super::authorization::version_2;
use super::credential::Credential;

/// The parts of a presigned query.
pub struct Presigned {
    pub credential: Credential<'static>,
    pub signed_headers: String,
    pub signature: Mac,
    pub time: Timestamp,
    /// Validity in seconds from `time`.
    pub expires: u64,
    pub session_token: Option<String>,
    pub payload_hash: Option<String>,
}

/// Reads a presigned query; `None` if the query carries no signature.
///
/// Names are compared without regard to case where it is asked *whether* a signature is there, so
/// that an odd spelling is refused and never taken for an unsigned request.
pub fn parse(query: &Query<'_>) -> Result<Option<Presigned>> {
    let mentions = |name: &str| query.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
    if ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature"].into_iter().any(mentions) {
        return presigned(query).map(Some);
    }
    if query.has("AWSAccessKeyId") || query.has("Signature") {
        return Err(version_2());
    }
    Ok(None)
}

fn presigned(query: &Query<'_>) -> Result<Presigned> {
    let required = |name: &str| match query.get(name) {
        Ok(Some(value)) if !value.is_empty() => Ok(value),
        Ok(_) => Err(error(
            "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, \
             X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
        )),
        Err(_) => Err(error("An authorization query parameter was given more than once.")),
    };
    match required("X-Amz-Algorithm")? {
        super::ALGORITHM => {}
        "AWS4-ECDSA-P256-SHA256" => {
            return Err(S3Error::new(S3Code::NotImplemented, "Signature Version 4A (ECDSA) is not served."));
        }
        _ => return Err(error("X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\"")),
    }
    let credential = Credential::parse(Cow::Owned(required("X-Amz-Credential")?.to_owned())).ok_or_else(|| {
        error(
            "Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting \
             \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".",
        )
    })?;
    Ok(Presigned {
        credential,
        signed_headers: required("X-Amz-SignedHeaders")?.to_owned(),
        signature: Mac::parse(required("X-Amz-Signature")?)
            .ok_or_else(|| error("X-Amz-Signature must be 64 hexadecimal digits"))?,
        time: Timestamp::parse_amz(required("X-Amz-Date")?)
            .ok_or_else(|| error("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\""))?,
        expires: expires(required("X-Amz-Expires")?)?,
        session_token: query.get("X-Amz-Security-Token")?.map(str::to_owned),
        payload_hash: query.get("X-Amz-Content-Sha256")?.map(str::to_owned),
    })
}

fn expires(text: &str) -> Result<u64> {
    if text.starts_with('-') {
        return Err(error("X-Amz-Expires must be non-negative"));
    }
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(error("X-Amz-Expires should be a number"));
    }
    match text.parse().unwrap_or(u64::MAX) {
        0 => Err(error("X-Amz-Expires must be at least one second")),
        seconds @ 1..=super::EXPIRES_MAX => Ok(seconds),
        _ => Err(error("X-Amz-Expires must be at most a week (in seconds): 604800")),
    }
}

fn error(message: &'static str) -> S3Error {
    S3Error::new(S3Code::AuthorizationQueryParametersError, message)
}
