//! Signs requests: towards an S3 source, and in tests against our own verifier.

use std::fmt;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, Method};

use crate::object::text::percent_encode_into;
use crate::object::{Error, ErrorKind, Result, Timestamp};
use crate::s3::header;

use super::canonical::Canonical;
use super::{ChunkSigner, Mac, SigningKey};

/// What signs a request.
#[derive(Clone)]
pub struct Credentials {
    pub access_key: String,
    pub secret: String,
    pub session_token: Option<String>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("access_key", &self.access_key).finish_non_exhaustive()
    }
}

/// A request to be signed. Its headers hold `host` and everything else that is to be signed.
pub struct Signable<'a> {
    pub method: &'a Method,
    /// As it will stand in the request line.
    pub path: &'a str,
    /// As it will stand in the request line, without `?`.
    pub query: &'a str,
    pub headers: &'a mut HeaderMap,
    /// Hex SHA-256 of the body, or one of the words of `x-amz-content-sha256`.
    pub payload_hash: &'a str,
}

/// Signs all headers of a request and adds `x-amz-date`, `x-amz-content-sha256`, the session token
/// and `Authorization`. The answer signs the chunks of a streamed body.
///
/// # Errors
/// If the credentials or the payload hash cannot stand in a header.
pub fn sign(
    request: Signable<'_>,
    credentials: &Credentials,
    region: &str,
    service: &str,
    now: Timestamp,
) -> Result<ChunkSigner> {
    let amz_date = now.amz();
    request.headers.remove(AUTHORIZATION);
    request.headers.insert(header::DATE.clone(), value(&amz_date)?);
    request.headers.insert(header::CONTENT_SHA256.clone(), value(request.payload_hash)?);
    if let Some(token) = &credentials.session_token {
        let mut token = value(token)?;
        token.set_sensitive(true);
        request.headers.insert(header::SECURITY_TOKEN.clone(), token);
    }
    let signed_headers = names(request.headers);
    let scope = scope(&amz_date, region, service);
    let key = SigningKey::derive(&credentials.secret, day(&amz_date), region, service);
    let signature = signature(&request, &signed_headers, &key, &amz_date, &scope)?;
    let authorization = format!(
        "{} Credential={}/{scope}, SignedHeaders={signed_headers}, Signature={}",
        super::ALGORITHM,
        credentials.access_key,
        signature.hex()
    );
    request.headers.insert(AUTHORIZATION, value(&authorization)?);
    Ok(ChunkSigner::new(key, signature, &amz_date, &scope))
}

/// The query of a presigned URL for a request with these headers, `host` among them.
///
/// # Errors
/// None in practice: every signed header is taken from the request.
pub fn presign(
    request: &Signable<'_>,
    credentials: &Credentials,
    region: &str,
    service: &str,
    now: Timestamp,
    expires: u64,
) -> Result<String> {
    let amz_date = now.amz();
    let scope = scope(&amz_date, region, service);
    let signed_headers = names(request.headers);
    let credential = format!("{}/{scope}", credentials.access_key);
    let expires = expires.to_string();
    let mut query = request.query.to_owned();
    let mut add = |name: &str, text: &str| {
        if !query.is_empty() {
            query.push('&');
        }
        query.push_str(name);
        query.push('=');
        percent_encode_into(&mut query, text.as_bytes(), b"");
    };
    add("X-Amz-Algorithm", super::ALGORITHM);
    add("X-Amz-Credential", &credential);
    add("X-Amz-Date", &amz_date);
    add("X-Amz-Expires", &expires);
    if let Some(token) = &credentials.session_token {
        add("X-Amz-Security-Token", token);
    }
    add("X-Amz-SignedHeaders", &signed_headers);
    let key = SigningKey::derive(&credentials.secret, day(&amz_date), region, service);
    let canonical = Canonical {
        method: request.method,
        path: request.path,
        query: &query,
        headers: request.headers,
        signed_headers: &signed_headers,
        payload_hash: request.payload_hash,
    };
    let signature = sign_canonical(&canonical, &key, &amz_date, &scope)?;
    query.push_str("&X-Amz-Signature=");
    query.push_str(&signature.hex());
    Ok(query)
}

fn signature(
    request: &Signable<'_>,
    signed_headers: &str,
    key: &SigningKey,
    amz_date: &str,
    scope: &str,
) -> Result<Mac> {
    let canonical = Canonical {
        method: request.method,
        path: request.path,
        query: request.query,
        headers: request.headers,
        signed_headers,
        payload_hash: request.payload_hash,
    };
    sign_canonical(&canonical, key, amz_date, scope)
}

fn sign_canonical(canonical: &Canonical<'_>, key: &SigningKey, amz_date: &str, scope: &str) -> Result<Mac> {
    let mut buffer = Vec::with_capacity(1_024);
    canonical
        .string_to_sign(&mut buffer, amz_date, scope)
        .map_err(|_| Error::new(ErrorKind::Invalid, "a header to be signed is missing"))?;
    Ok(key.sign(&buffer))
}

fn scope(amz_date: &str, region: &str, service: &str) -> String {
    format!("{}/{region}/{service}/aws4_request", day(amz_date))
}

/// `yyyymmdd`
fn day(amz_date: &str) -> &str {
    amz_date.split('T').next().unwrap_or_default()
}

/// The names of all headers, sorted and joined.
fn names(headers: &HeaderMap) -> String {
    let mut names: Vec<&str> = headers.keys().map(http::HeaderName::as_str).collect();
    names.sort_unstable();
    names.join(";")
}

fn value(text: &str) -> Result<HeaderValue> {
    HeaderValue::from_str(text).map_err(|_| Error::new(ErrorKind::Invalid, "a signed value cannot stand in a header"))
}
