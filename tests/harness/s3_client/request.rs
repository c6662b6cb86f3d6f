//! Building and signing one request.

use std::time::{SystemTime, UNIX_EPOCH};

use super::body::{self, BodyMode};
use crate::harness::percent;
use crate::harness::sigv4::{Canonical, Credentials};

/// What shall be sent; [`RequestBuilder::build`] signs it.
#[derive(Clone)]
pub struct RequestBuilder {
    method: String,
    path: String,
    query: String,
    host: String,
    credentials: Credentials,
    headers: Vec<(String, String)>,
    unsigned: Vec<(String, String)>,
    body: Vec<u8>,
    mode: BodyMode,
    chunked: bool,
    date: String,
    /// Sent in place of `x-amz-date`.
    http_date: Option<String>,
    expires: Option<i64>,
    anonymous: bool,
    decoded_length: Option<usize>,
    tells_hash: bool,
}

/// A request ready to go out. Every field may still be spoiled.
#[derive(Clone, Debug)]
pub struct RawRequest {
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl RequestBuilder {
    pub(super) fn new(method: &str, target: &str, host: &str, credentials: &Credentials) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Self {
            method: method.into(),
            path: path.into(),
            query: query.into(),
            host: host.into(),
            credentials: credentials.clone(),
            headers: Vec::new(),
            unsigned: Vec::new(),
            body: Vec::new(),
            mode: BodyMode::Signed,
            chunked: false,
            date: amz_date(SystemTime::now()),
            http_date: None,
            expires: None,
            anonymous: false,
            decoded_length: None,
            tells_hash: true,
        }
    }

    /// A header that is signed.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// A header that is sent but not signed.
    pub fn unsigned_header(mut self, name: &str, value: &str) -> Self {
        self.unsigned.push((name.into(), value.into()));
        self
    }

    pub fn body(self, body: &[u8], mode: BodyMode) -> Self {
        Self { body: body.into(), mode, ..self }
    }

    /// Sends the body with `Transfer-Encoding: chunked` and no Content-Length.
    pub fn transfer_chunked(self) -> Self {
        Self { chunked: true, ..self }
    }

    /// Signs for another time: `20130524T000000Z`.
    pub fn date(self, amz_date: &str) -> Self {
        Self { date: amz_date.into(), ..self }
    }

    /// Signs by a `Date` header in place of `x-amz-date`, as `Sun, 06 Nov 1994 08:49:37` and a zone.
    pub fn dated(self, date: &str) -> Self {
        let at = httpdate::parse_http_date(&format!("{} GMT", &date[..25])).unwrap();
        Self { date: amz_date(at), http_date: Some(date.into()), ..self }
    }

    /// Signs for a time that is off by so many seconds.
    pub fn skewed(self, seconds: i64) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as i64);
        let at = UNIX_EPOCH + std::time::Duration::from_secs((now + seconds).max(0).unsigned_abs());
        Self { date: amz_date(at), ..self }
    }

    /// Signs in the query, valid for so many seconds.
    pub fn presigned(self, expires: i64) -> Self {
        Self { expires: Some(expires), ..self }
    }

    /// Announces (and signs) another length than the body has.
    pub fn decoded_length(self, length: usize) -> Self {
        Self { decoded_length: Some(length), ..self }
    }

    /// Signs the hash of the body without telling it, as clients of the token service may.
    pub fn untold_hash(self) -> Self {
        Self { tells_hash: false, ..self }
    }

    /// Does not sign at all.
    pub fn anonymous(self) -> Self {
        Self { anonymous: true, ..self }
    }

    pub fn build(&self) -> RawRequest {
        match (self.anonymous, self.expires) {
            (true, _) => self.build_anonymous(),
            (false, Some(expires)) => self.build_presigned(expires),
            (false, None) => self.build_signed(),
        }
    }

    fn build_signed(&self) -> RawRequest {
        let payload = self.mode.payload(&self.body);
        let mut headers = vec![("host".to_owned(), self.host.clone())];
        match &self.http_date {
            Some(date) => headers.push(("date".into(), date.clone())),
            None => headers.push(("x-amz-date".into(), self.date.clone())),
        }
        if self.tells_hash {
            headers.push(("x-amz-content-sha256".into(), payload.clone()));
        }
        if let Some(token) = &self.credentials.session_token {
            headers.push(("x-amz-security-token".into(), token.clone()));
        }
        headers.extend(self.mode.headers(self.decoded_length.unwrap_or(self.body.len())));
        headers.extend(self.headers.iter().cloned());
        let scope = self.credentials.scope(&self.date);
        let signed = signed_names(&headers);
        let canonical = self.canonical(&self.query, &headers, &signed, &payload);
        let signature = self.credentials.sign(&self.date, &canonical.string_to_sign(&self.date, &scope));
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope},SignedHeaders={},Signature={signature}",
            self.credentials.access_key,
            signed.join(";")
        );
        let body = body::encode(self.mode, &self.body, &self.credentials, &self.date, &signature);
        headers.push(("authorization".into(), authorization));
        self.finish(self.target(&self.query), headers, body)
    }

    fn build_presigned(&self, expires: i64) -> RawRequest {
        let mut headers = vec![("host".to_owned(), self.host.clone())];
        headers.extend(self.headers.iter().cloned());
        let signed = signed_names(&headers);
        let scope = self.credentials.scope(&self.date);
        let credential = format!("{}/{scope}", self.credentials.access_key);
        let mut query = self.query.clone();
        let mut add = |name: &str, value: &str| {
            let separator = if query.is_empty() { "" } else { "&" };
            query.push_str(&format!("{separator}{name}={}", percent::encode(value.as_bytes(), b"")));
        };
        add("X-Amz-Algorithm", "AWS4-HMAC-SHA256");
        add("X-Amz-Credential", &credential);
        add("X-Amz-Date", &self.date);
        add("X-Amz-Expires", &expires.to_string());
        add("X-Amz-SignedHeaders", &signed.join(";"));
        if let Some(token) = &self.credentials.session_token {
            add("X-Amz-Security-Token", token);
        }
        let canonical = self.canonical(&query, &headers, &signed, "UNSIGNED-PAYLOAD");
        let signature = self.credentials.sign(&self.date, &canonical.string_to_sign(&self.date, &scope));
        let target = self.target(&format!("{query}&X-Amz-Signature={signature}"));
        self.finish(target, headers, self.body.clone())
    }

    fn build_anonymous(&self) -> RawRequest {
        let mut headers = vec![("host".to_owned(), self.host.clone())];
        headers.extend(self.headers.iter().cloned());
        self.finish(self.target(&self.query), headers, self.body.clone())
    }

    fn canonical<'a>(
        &'a self,
        query: &'a str,
        headers: &'a [(String, String)],
        signed: &'a [String],
        payload: &'a str,
    ) -> Canonical<'a> {
        Canonical { method: &self.method, path: &self.path, query, headers, signed, payload }
    }

    fn finish(&self, target: String, mut headers: Vec<(String, String)>, body: Vec<u8>) -> RawRequest {
        headers.extend(self.unsigned.iter().cloned());
        let given = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        let bodied = !body.is_empty() || matches!(self.method.as_str(), "PUT" | "POST");
        let body = match self.chunked {
            true => {
                headers.push(("transfer-encoding".into(), "chunked".into()));
                body::transfer_chunks(&body)
            }
            false => body,
        };
        if bodied && !given && !self.chunked {
            headers.push(("content-length".into(), body.len().to_string()));
        }
        RawRequest { method: self.method.clone(), target, headers, body }
    }

    fn target(&self, query: &str) -> String {
        if query.is_empty() { self.path.clone() } else { format!("{}?{query}", self.path) }
    }
}

impl RawRequest {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(have, _)| have.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Replaces or adds a header, after signing.
    pub fn set_header(&mut self, name: &str, value: &str) -> &mut Self {
        self.remove_header(name);
        self.headers.push((name.into(), value.into()));
        self
    }

    pub fn remove_header(&mut self, name: &str) -> &mut Self {
        self.headers.retain(|(have, _)| !have.eq_ignore_ascii_case(name));
        self
    }

    /// Changes one digit of the signature, wherever it is.
    pub fn spoil_signature(&mut self) -> &mut Self {
        let spoil = |text: &str| {
            let (before, after) = text.split_once("Signature=")?;
            let first = if after.starts_with('0') { "1" } else { "0" };
            Some(format!("{before}Signature={first}{}", &after[1..]))
        };
        if let Some(spoiled) = self.header("authorization").and_then(spoil) {
            self.set_header("authorization", &spoiled);
        } else if let Some(spoiled) = spoil(&self.target) {
            self.target = spoiled;
        }
        self
    }

    /// The request line and the headers as sent.
    pub fn head_bytes(&self) -> Vec<u8> {
        let mut text = format!("{} {} HTTP/1.1\r\n", self.method, self.target);
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        (text + "\r\n").into_bytes()
    }

    /// All of it as sent.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.head_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

fn signed_names(headers: &[(String, String)]) -> Vec<String> {
    let mut names: Vec<_> = headers.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    names.sort();
    names.dedup();
    names
}

/// `20130524T000000Z`
pub(super) fn amz_date(at: SystemTime) -> String {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let http = httpdate::fmt_http_date(at);
    let month = MONTHS.find(&http[8..11]).unwrap_or(0) / 3 + 1;
    format!("{}{month:02}{}T{}Z", &http[12..16], &http[5..7], http[17..25].replace(':', ""))
}
