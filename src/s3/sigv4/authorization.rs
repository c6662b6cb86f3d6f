//! A signature in the `Authorization` header.

use std::borrow::Cow;

use http::header::{AUTHORIZATION, DATE};
use http::{HeaderMap, HeaderValue};

use crate::object::Timestamp;
use crate::s3::error::{Result, S3Code, S3Error};
use crate::s3::header;

use super::Mac;
use super::credential::Credential;

/// The parts of an `Authorization` header, and the time that is signed with it.
pub struct Authorization<'a> {
    pub credential: Credential<'a>,
    pub signed_headers: &'a str,
    pub signature: Mac,
    pub time: Timestamp,
}

/// Reads the `Authorization` header; `None` if there is none.
pub fn parse(headers: &HeaderMap) -> Result<Option<Authorization<'_>>> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(S3Error::new(S3Code::InvalidArgument, "Only one Authorization header is allowed."));
    }
    let value = text(value).ok_or_else(malformed)?.trim();
    let (scheme, rest) = value.split_once(' ').unwrap_or((value, ""));
    match scheme {
        super::ALGORITHM => {}
        "AWS4-ECDSA-P256-SHA256" => {
            return Err(S3Error::new(S3Code::NotImplemented, "Signature Version 4A (ECDSA) is not served."));
        }
        "AWS" => return Err(version_2()),
        _ => return Err(S3Error::new(S3Code::InvalidArgument, "Unsupported Authorization Type")),
    }
    let (mut credential, mut signed_headers, mut signature) = (None, None, None);
    for field in rest.split(',') {
        let (name, value) = field.trim().split_once('=').ok_or_else(malformed)?;
        let slot = match name {
            "Credential" => &mut credential,
            "SignedHeaders" => &mut signed_headers,
            "Signature" => &mut signature,
            _ => return Err(malformed()),
        };
        if slot.replace(value.trim()).is_some() {
            return Err(malformed());
        }
    }
    Ok(Some(Authorization {
        credential: credential.and_then(|text| Credential::parse(text.into())).ok_or_else(malformed)?,
        signed_headers: signed_headers.filter(|names| !names.is_empty()).ok_or_else(malformed)?,
        signature: signature.and_then(Mac::parse).ok_or_else(malformed)?,
        time: time(headers)?,
    }))
}

/// The answer to Signature Version 2, which some tools still choose by themselves.
pub fn version_2() -> S3Error {
    S3Error::new(
        S3Code::InvalidRequest,
        "Signature Version 2 is not served. Please use AWS4-HMAC-SHA256: with the AWS CLI and boto set \
         s3.signature_version = s3v4, for presigned URLs as well.",
    )
}

/// The time of the request: `x-amz-date`, else `Date`.
fn time(headers: &HeaderMap) -> Result<Timestamp> {
    let of = |value: &HeaderValue| {
        let text = text(value)?.trim();
        Timestamp::parse_amz(text).or_else(|| Timestamp::parse_http(&with_zone_name(text)))
    };
    headers.get(&header::DATE).or_else(|| headers.get(DATE)).and_then(of).ok_or_else(|| {
        S3Error::new(S3Code::AccessDenied, "AWS authentication requires a valid Date or x-amz-date header")
    })
}

/// RFC 2822 writes Greenwich as a number as well, and several signers do (section 3.3).
fn with_zone_name(date: &str) -> Cow<'_, str> {
    let zones = ["+0000", "-0000", "UTC", "UT", "Z"];
    match zones.iter().find_map(|zone| date.strip_suffix(zone)) {
        Some(date) => Cow::Owned(format!("{} GMT", date.trim_end())),
        None => Cow::Borrowed(date),
    }
}

fn text(value: &HeaderValue) -> Option<&str> {
    value.to_str().ok()
}

fn malformed() -> S3Error {
    S3Code::AuthorizationHeaderMalformed.into()
}
