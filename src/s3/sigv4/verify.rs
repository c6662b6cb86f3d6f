//! Verifies the signature of a request.

use std::borrow::Cow;

use http::{HeaderMap, Method};

use crate::object::Timestamp;
use crate::s3::error::{Result, S3Code, S3Error};
use crate::s3::header;
use crate::s3::payload::PayloadMode;
use crate::s3::query::Query;

use super::canonical::{Canonical, canonical_path, hex_into};
use super::credential::Credential;
use super::{ChunkSigner, Mac, SigningKey, authorization, presigned};

/// A request that carries a signature, not yet verified.
pub struct SignedRequest<'a> {
    method: &'a Method,
    path: &'a str,
    query: &'a str,
    headers: &'a HeaderMap,
    credential: Credential<'a>,
    signed_headers: Cow<'a, str>,
    signature: Mac,
    time: Timestamp,
    /// The time as it is signed.
    amz_date: String,
    session_token: Option<Cow<'a, str>>,
    placement: Placement,
    /// As it enters the signature; `None`: the hash of the body, which the caller has to know.
    payload_hash: Option<Cow<'a, str>>,
}

/// Where a signature stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    Header,
    /// In the query, valid for so many seconds.
    Query {
        expires: u64,
    },
}

/// What this endpoint accepts.
#[derive(Clone, Copy, Debug)]
pub struct Expectations<'a> {
    /// `None` accepts the region that the client chose.
    pub region: Option<&'a str>,
    /// `s3`, or `sts` for the token service.
    pub service: &'a str,
    /// Largest difference between the clocks in seconds; S3 allows [`Expectations::SKEW_MAX`].
    pub max_skew: i64,
    /// SHA-256 of the body, for requests to `sts`, which do not announce it.
    pub body_sha256: Option<[u8; 32]>,
}

impl<'a> Expectations<'a> {
    /// 15 minutes in seconds (set by S3).
    pub const SKEW_MAX: i64 = 900;

    /// For S3 itself.
    pub fn s3(region: Option<&'a str>) -> Self {
        Self { region, service: "s3", max_skew: Self::SKEW_MAX, body_sha256: None }
    }
}

/// Proof that a signature was checked.
#[derive(Debug)]
pub struct Verified {
    /// For bodies whose chunks are signed.
    pub chunk_signer: Option<ChunkSigner>,
}

impl<'a> SignedRequest<'a> {
    /// Finds the signature of a request, in a header or in the query. `None`: it is unsigned, which
    /// is for the caller to refuse. `path` and `query` are as they stand in the request line.
    ///
    /// # Errors
    /// InvalidArgument for two signatures, InvalidRequest for Signature Version 2, and S3's codes for
    /// malformed ones. AccessDenied if `host` or a header of S3 is there and not signed.
    pub fn parse(method: &'a Method, path: &'a str, query: &'a str, headers: &'a HeaderMap) -> Result<Option<Self>> {
        let in_query = if query.is_empty() { None } else { presigned::parse(&Query::parse(query)?)? };
        if in_query.is_some() && headers.contains_key(http::header::AUTHORIZATION) {
            return Err(S3Error::new(
                S3Code::InvalidArgument,
                "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string \
                 parameter or the Authorization header should be specified",
            ));
        }
        let announced = content_sha256(headers)?.map(Cow::Borrowed);
        let request = match in_query {
            Some(found) => Self {
                method,
                path,
                query,
                headers,
                credential: found.credential,
                signed_headers: found.signed_headers.into(),
                signature: found.signature,
                amz_date: found.time.amz(),
                time: found.time,
                session_token: found.session_token.map(Cow::Owned),
                placement: Placement::Query { expires: found.expires },
                payload_hash: announced
                    .or(found.payload_hash.map(Cow::Owned))
                    .or(Some(Cow::Borrowed(PayloadMode::UNSIGNED))),
            },
            None => {
                let Some(found) = authorization::parse(headers)? else { return Ok(None) };
                let token = headers.get(&header::SECURITY_TOKEN).and_then(|value| value.to_str().ok());
                Self {
                    method,
                    path,
                    query,
                    headers,
                    credential: found.credential,
                    signed_headers: found.signed_headers.into(),
                    signature: found.signature,
                    amz_date: found.time.amz(),
                    time: found.time,
                    session_token: token.map(Cow::Borrowed),
                    placement: Placement::Header,
                    payload_hash: announced,
                }
            }
        };
        request.check_signed_headers()?;
        Ok(Some(request))
    }

    pub fn access_key(&self) -> &str {
        self.credential.access_key()
    }

    /// The day of the credential scope, `yyyymmdd`: a part of the name of a cached key.
    pub fn date(&self) -> &str {
        self.credential.date()
    }

    pub fn region(&self) -> &str {
        self.credential.region()
    }

    pub fn service(&self) -> &str {
        self.credential.service()
    }

    pub fn session_token(&self) -> Option<&str> {
        self.session_token.as_deref()
    }

    pub fn time(&self) -> Timestamp {
        self.time
    }

    pub fn placement(&self) -> Placement {
        self.placement
    }

    /// How the body is protected.
    ///
    /// # Errors
    /// As [`PayloadMode::parse`]; InvalidRequest if a signed header request does not say.
    pub fn payload_mode(&self) -> Result<PayloadMode> {
        match &self.payload_hash {
            Some(text) => PayloadMode::parse(text),
            None => Err(content_sha256_missing()),
        }
    }

    /// Checks everything but the signature: scope and time. To be called before a key is derived or
    /// cached, so that nobody fills the cache with keys for made-up scopes.
    ///
    /// # Errors
    /// AuthorizationHeaderMalformed or AuthorizationQueryParametersError for another region or
    /// service or a scope of another day, RequestTimeTooSkewed, and AccessDenied for an expired URL.
    pub fn check(&self, now: Timestamp, expected: &Expectations<'_>) -> Result<()> {
        self.check_scope(expected)?;
        let age = now.seconds_since(self.time);
        match self.placement {
            Placement::Header if age.abs() <= expected.max_skew => Ok(()),
            Placement::Header => Err(S3Error::from(S3Code::RequestTimeTooSkewed)
                .with("RequestTime", self.time.amz())
                .with("ServerTime", now.iso8601())
                .with("MaxAllowedSkewMilliseconds", (expected.max_skew * 1_000).to_string())),
            Placement::Query { .. } if age < -expected.max_skew => {
                Err(S3Error::new(S3Code::AccessDenied, "Request is not valid yet"))
            }
            Placement::Query { expires } if age > expires as i64 => {
                Err(S3Error::new(S3Code::AccessDenied, "Request has expired")
                    .with("X-Amz-Expires", expires.to_string())
                    .with("Expires", Timestamp(self.time.0 + expires as i64).iso8601())
                    .with("ServerTime", now.iso8601()))
            }
            Placement::Query { .. } => Ok(()),
        }
    }

    /// Checks scope, time and signature; `key` is that of [`Self::access_key`] for the scope.
    ///
    /// # Errors
    /// As [`Self::check`]; SignatureDoesNotMatch; InvalidRequest if the payload is not declared.
    pub fn verify(&self, key: &SigningKey, now: Timestamp, expected: &Expectations<'_>) -> Result<Verified> {
        self.check(now, expected)?;
        let payload_hash = self.payload_hash(expected)?;
        if !self.matches(key, self.path, &payload_hash) {
            // Some clients sign the canonical encoding of the path and send another one. Both name the
            // same key, so nothing is accepted that the holder of the secret did not sign.
            let signed = canonical_path(self.path).is_some_and(|path| self.matches(key, &path, &payload_hash));
            if !signed {
                return Err(S3Code::SignatureDoesNotMatch.into());
            }
        }
        // A hash is the common case, and need not be decoded to know that nothing is streamed.
        let streaming = payload_hash.starts_with("STREAMING-")
            && matches!(PayloadMode::parse(&payload_hash), Ok(PayloadMode::StreamingSigned { .. }));
        let chunk_signer =
            streaming.then(|| ChunkSigner::new(key.clone(), self.signature, &self.amz_date, self.credential.scope()));
        Ok(Verified { chunk_signer })
    }

    fn matches(&self, key: &SigningKey, path: &str, payload_hash: &str) -> bool {
        let canonical = Canonical {
            method: self.method,
            path,
            query: self.query,
            headers: self.headers,
            signed_headers: &self.signed_headers,
            payload_hash,
        };
        let mut buffer = Vec::with_capacity(1_024);
        if canonical.string_to_sign(&mut buffer, &self.amz_date, self.credential.scope()).is_err() {
            return false;
        }
        key.sign(&buffer) == self.signature
    }

    fn payload_hash(&self, expected: &Expectations<'_>) -> Result<Cow<'_, str>> {
        match (&self.payload_hash, expected.body_sha256) {
            (Some(text), _) => Ok(Cow::Borrowed(text)),
            (None, Some(sha256)) => {
                let mut hex = Vec::with_capacity(64);
                hex_into(&mut hex, &sha256);
                Ok(Cow::Owned(hex.into_iter().map(char::from).collect()))
            }
            (None, None) => Err(content_sha256_missing()),
        }
    }

    /// `host` and every header of S3 that is there has to be signed: an unsigned one could have been
    /// added or changed by anybody on the way. No name stands twice: each time its values would be put
    /// together and hashed, before it is known who asks.
    fn check_signed_headers(&self) -> Result<()> {
        if self.names_a_header_twice() {
            return Err(S3Code::SignatureDoesNotMatch.into());
        }
        let signed = |name: &str| self.signed_headers.split(';').any(|signed| signed == name);
        if !signed("host") {
            return Err(not_signed("host"));
        }
        let amz = self.headers.keys().map(http::HeaderName::as_str).filter(|name| name.starts_with(header::AMZ_PREFIX));
        amz.into_iter().find(|name| !signed(name)).map_or(Ok(()), |name| Err(not_signed(name)))
    }

    fn names_a_header_twice(&self) -> bool {
        let names = || self.signed_headers.split(';');
        // More names than headers: one of them is not there at all.
        let known = self.headers.keys_len();
        names().nth(known).is_some()
            || names().enumerate().any(|(at, name)| names().take(at).any(|earlier| earlier == name))
    }

    fn check_scope(&self, expected: &Expectations<'_>) -> Result<()> {
        let wrong = |what: &str, got: &str, want: &str| match self.placement {
            Placement::Header => S3Error::new(
                S3Code::AuthorizationHeaderMalformed,
                format!("The authorization header is malformed; the {what} '{got}' is wrong; expecting '{want}'"),
            ),
            Placement::Query { .. } => S3Error::new(
                S3Code::AuthorizationQueryParametersError,
                format!(
                    "Error parsing the X-Amz-Credential parameter; the {what} '{got}' is wrong; expecting '{want}'"
                ),
            ),
        };
        if let Some(region) = expected.region.filter(|region| *region != self.region()) {
            return Err(wrong("region", self.region(), region).with("Region", region));
        }
        if self.service() != expected.service {
            return Err(wrong("service", self.service(), expected.service));
        }
        match self.amz_date.get(..8) {
            Some(day) if day == self.date() => Ok(()),
            day => Err(wrong("date", self.date(), day.unwrap_or_default())),
        }
    }
}

/// The value of `x-amz-content-sha256`; two of them could mean two things.
fn content_sha256(headers: &HeaderMap) -> Result<Option<&str>> {
    let mut values = headers.get_all(&header::CONTENT_SHA256).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => match value.to_str() {
            Ok(text) => Ok(Some(text.trim())),
            Err(_) => Err(S3Code::InvalidArgument.into()),
        },
        (Some(_), Some(_)) => Err(S3Error::new(S3Code::InvalidArgument, "x-amz-content-sha256 was given twice.")),
    }
}

fn content_sha256_missing() -> S3Error {
    S3Error::new(S3Code::InvalidRequest, "Missing required header for this request: x-amz-content-sha256")
}

fn not_signed(name: &str) -> S3Error {
    S3Error::new(S3Code::AccessDenied, "There were headers present in the request which were not signed")
        .with("HeadersNotSigned", name)
}

#[cfg(test)]
mod tests;
