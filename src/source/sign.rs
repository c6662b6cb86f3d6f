//! AWS Signature Version 4 in headers (AWS "Signature Version 4 signing process"), for S3: the path
//! is signed as it is sent.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sigv4::sign::v4;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::credentials::Credentials;
use super::header;
use crate::object::{Error, ErrorKind, Result, Timestamp, checksum, text};

/// Signs requests of one region. Keeps the signing key of the day.
pub struct Signer {
    region: String,
    key: Mutex<Option<SigningKey>>,
}

/// What the signature says of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayloadHash<'a> {
    Empty,
    Unsigned,
    /// SHA-256 in lower-case hex, or one of S3's words for streamed payloads.
    Text(&'a str),
}

#[derive(Clone)]
struct SigningKey {
    credentials: Arc<Credentials>,
    day: String,
    bytes: Arc<[u8]>,
}

const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// Headers that proxies change, or that are added after signing.
const UNSIGNED: [&str; 8] = [
    "authorization",
    "user-agent",
    "accept-encoding",
    "connection",
    "content-length",
    "expect",
    "transfer-encoding",
    "x-amzn-trace-id",
];

impl Signer {
    pub fn new(region: impl Into<String>) -> Self {
        Self { region: region.into(), key: Mutex::default() }
    }

    pub fn region(&self) -> &str {
        &self.region
    }

    /// Adds date, payload hash, session token and `Authorization` to a request whose `Host` is set
    /// and whose path and query are percent-encoded as S3 does it.
    ///
    /// # Errors
    /// `Invalid` if a header value, or a credential, is no visible ASCII.
    pub fn sign(
        &self,
        request: &mut Parts,
        credentials: &Arc<Credentials>,
        payload: PayloadHash<'_>,
        now: Timestamp,
    ) -> Result<()> {
        let time = now.amz();
        let day = &time[..8];
        let payload = match payload {
            PayloadHash::Empty => EMPTY_SHA256,
            PayloadHash::Unsigned => "UNSIGNED-PAYLOAD",
            PayloadHash::Text(text) => text,
        };
        insert(&mut request.headers, header::DATE, &time)?;
        insert(&mut request.headers, header::CONTENT_SHA256, payload)?;
        if let Some(token) = credentials.session_token() {
            insert(&mut request.headers, header::SECURITY_TOKEN, token)?;
        }
        let (canonical, names) = canonical_request(request, payload)?;
        let scope = format!("{day}/{}/s3/aws4_request", self.region);
        let digest = text::hex(&checksum::sha256(canonical.as_bytes()));
        let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{digest}");
        let signature = v4::calculate_signature(self.key(credentials, day, now), to_sign.as_bytes());
        let id = credentials.access_key_id();
        let authorization =
            format!("AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}");
        insert(&mut request.headers, "authorization", &authorization)
    }

    fn key(&self, credentials: &Arc<Credentials>, day: &str, now: Timestamp) -> Arc<[u8]> {
        let mut cached = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = &*cached
            && key.day == day
            && Arc::ptr_eq(&key.credentials, credentials)
        {
            return key.bytes.clone();
        }
        let key = v4::generate_signing_key(credentials.secret_access_key(), now.system_time(), &self.region, "s3");
        let bytes: Arc<[u8]> = key.as_ref().into();
        *cached = Some(SigningKey { credentials: credentials.clone(), day: day.to_owned(), bytes: bytes.clone() });
        bytes
    }
}

/// The canonical request, and the names of the headers signed.
fn canonical_request(request: &Parts, payload: &str) -> Result<(String, String)> {
    let mut headers = Vec::with_capacity(request.headers.len());
    for name in request.headers.keys() {
        if !UNSIGNED.contains(&name.as_str()) {
            headers.push((name.as_str(), header_value(&request.headers, name)?));
        }
    }
    headers.sort_unstable();
    let mut text = String::with_capacity(512);
    for part in [request.method.as_str(), request.uri.path(), &canonical_query(request.uri.query().unwrap_or(""))] {
        text.push_str(part);
        text.push('\n');
    }
    let mut names = String::with_capacity(96);
    for (name, value) in headers {
        for part in [name, ":", &value, "\n"] {
            text.push_str(part);
        }
        if !names.is_empty() {
            names.push(';');
        }
        names.push_str(name);
    }
    for part in ["\n", &names, "\n", payload] {
        text.push_str(part);
    }
    Ok((text, names))
}

fn canonical_query(query: &str) -> String {
    let mut pairs: Vec<_> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .collect();
    pairs.sort_unstable();
    let mut text = String::with_capacity(query.len() + 4);
    for (name, value) in pairs {
        if !text.is_empty() {
            text.push('&');
        }
        text.push_str(name);
        text.push('=');
        text.push_str(value);
    }
    text
}

/// All values of a header, joined by commas, runs of spaces made one.
fn header_value(headers: &HeaderMap, name: &HeaderName) -> Result<String> {
    let mut joined = String::new();
    for (index, value) in headers.get_all(name).iter().enumerate() {
        let value = value.to_str().map_err(|_| unsignable(name.as_str()))?;
        if index > 0 {
            joined.push(',');
        }
        let before = joined.len();
        for word in value.split(' ').filter(|word| !word.is_empty()) {
            if joined.len() > before {
                joined.push(' ');
            }
            joined.push_str(word);
        }
    }
    Ok(joined)
}

fn insert(headers: &mut HeaderMap, name: &'static str, value: &str) -> Result<()> {
    let mut value = HeaderValue::from_str(value).map_err(|_| unsignable(name))?;
    value.set_sensitive(name == "authorization" || name == header::SECURITY_TOKEN);
    headers.insert(name, value);
    Ok(())
}

fn unsignable(name: &str) -> Error {
    Error::new(ErrorKind::Invalid, format!("the value of header {name} cannot be signed"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn signed(request: http::request::Builder, credentials: Credentials, payload: PayloadHash<'_>) -> Parts {
        let mut parts = request.body(()).unwrap().into_parts().0;
        let now = Timestamp::parse_iso8601("2013-05-24T00:00:00Z").unwrap();
        Signer::new("us-east-1").sign(&mut parts, &Arc::new(credentials), payload, now).unwrap();
        parts
    }

    fn example() -> Credentials {
        Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    }

    /// The worked examples of the S3 API reference, "Signature Calculations for the Authorization Header".
    #[test]
    fn vendor_vectors() {
        let get = || Request::get("/test.txt").header("host", "examplebucket.s3.amazonaws.com");
        let list = |query| Request::get(query).header("host", "examplebucket.s3.amazonaws.com");
        for (request, signature) in [
            (get().header("range", "bytes=0-9"), "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
            (list("/?lifecycle"), "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
            (list("/?max-keys=2&prefix=J"), "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
        ] {
            let parts = signed(request, example(), PayloadHash::Empty);
            let authorization = parts.headers["authorization"].to_str().unwrap();
            assert!(authorization.ends_with(signature), "{authorization}");
        }
    }

    /// Against the signer of AWS's own SDK, over paths that a careless one would normalise.
    #[test]
    #[cfg(feature = "aws-chain")]
    fn agrees_with_the_vendors_signer() {
        use aws_sigv4::http_request::{
            PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
            UriPathNormalizationMode, sign,
        };
        for path in ["/b/a//b", "/b/./x", "/b/../%2F", "/b/%5C%20%2B?list-type=2&a&prefix=%C3%A9%2F&max-keys=1"] {
            for token in [None, Some("token==")] {
                let mut credentials = example();
                credentials = match token {
                    Some(token) => credentials.with_session_token(token),
                    None => credentials,
                };
                let request = Request::get(path)
                    .header("host", "h:9000")
                    .header("if-match", "\"a  b\"")
                    .header("x-amz-checksum-mode", "ENABLED");
                let ours = signed(request, credentials, PayloadHash::Empty);

                let mut settings = SigningSettings::default();
                settings.percent_encoding_mode = PercentEncodingMode::Single;
                settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
                settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
                let theirs = aws_credential_types::Credentials::new(
                    "AKIAIOSFODNN7EXAMPLE",
                    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                    token.map(str::to_owned),
                    None,
                    "test",
                );
                let identity = theirs.into();
                let params = aws_sigv4::sign::v4::SigningParams::builder()
                    .identity(&identity)
                    .region("us-east-1")
                    .name("s3")
                    .time(Timestamp::parse_iso8601("2013-05-24T00:00:00Z").unwrap().system_time())
                    .settings(settings)
                    .build()
                    .unwrap()
                    .into();
                let headers = [("host", "h:9000"), ("if-match", "\"a  b\""), ("x-amz-checksum-mode", "ENABLED")];
                let url = format!("http://h:9000{path}");
                let request = SignableRequest::new("GET", url, headers.into_iter(), SignableBody::Bytes(b"")).unwrap();
                let (instructions, _) = sign(request, &params).unwrap().into_parts();
                let theirs = instructions.headers().find(|(name, _)| *name == "authorization").unwrap().1;
                assert_eq!(ours.headers["authorization"], theirs, "{path}");
            }
        }
    }
}
