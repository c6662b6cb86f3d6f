//! Signature Version 4, for headers, written from "Create a signed AWS API request" in the AWS
//! reference. The test client signs with it, the test source checks with it.

use super::hash;

/// Who signs, and for which region and service.
#[derive(Clone)]
pub struct Credentials {
    pub access_key: String,
    pub secret_key: String,
    pub session_token: Option<String>,
    pub region: String,
    /// `s3`, or `sts`.
    pub service: &'static str,
}

impl Credentials {
    pub fn new(access_key: &str, secret_key: &str) -> Self {
        Self {
            access_key: access_key.into(),
            secret_key: secret_key.into(),
            session_token: None,
            region: "us-east-1".into(),
            service: "s3",
        }
    }

    /// `date/region/service/aws4_request`, with the date of an `x-amz-date` value.
    pub fn scope(&self, amz_date: &str) -> String {
        format!("{}/{}/{}/aws4_request", amz_date.get(..8).unwrap_or_default(), self.region, self.service)
    }

    /// The signature of a string to sign.
    pub fn sign(&self, amz_date: &str, string_to_sign: &str) -> String {
        let mut key = format!("AWS4{}", self.secret_key).into_bytes();
        for part in self.scope(amz_date).split('/') {
            key = hash::hmac_sha256(&key, part.as_bytes());
        }
        hash::hex(&hash::hmac_sha256(&key, string_to_sign.as_bytes()))
    }
}

/// What is signed of a request.
pub struct Canonical<'a> {
    pub method: &'a str,
    /// As on the request line: S3 signs the path as it is sent.
    pub path: &'a str,
    pub query: &'a str,
    pub headers: &'a [(String, String)],
    /// Lower case, sorted.
    pub signed: &'a [String],
    /// The value of `x-amz-content-sha256`.
    pub payload: &'a str,
}

impl Canonical<'_> {
    pub fn text(&self) -> String {
        let mut headers = String::new();
        for name in self.signed {
            let values: Vec<_> = self.headers.iter().filter(|(have, _)| have.eq_ignore_ascii_case(name)).collect();
            let joined: Vec<_> = values.iter().map(|(_, value)| squeeze(value)).collect();
            headers.push_str(&format!("{name}:{}\n", joined.join(",")));
        }
        let query = canonical_query(self.query);
        let signed = self.signed.join(";");
        format!("{}\n{}\n{query}\n{headers}\n{signed}\n{}", self.method, self.path, self.payload)
    }

    pub fn string_to_sign(&self, amz_date: &str, scope: &str) -> String {
        format!("AWS4-HMAC-SHA256\n{amz_date}\n{scope}\n{}", hash::sha256_hex(self.text().as_bytes()))
    }
}

/// Names and values re-encoded and sorted, without the signature itself.
fn canonical_query(query: &str) -> String {
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (reencode(name), reencode(value))
        })
        .filter(|(name, _)| name != "X-Amz-Signature")
        .collect();
    pairs.sort();
    let joined: Vec<_> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    joined.join("&")
}

fn reencode(text: &str) -> String {
    super::percent::decode(text, false).map_or_else(|| text.to_owned(), |bytes| super::percent::encode(&bytes, b""))
}

fn squeeze(value: &str) -> String {
    value.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}
