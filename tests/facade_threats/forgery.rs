//! Requests signed, well or badly or not at all, with anything in `x-amz-content-sha256`.

use crate::harness::product::{ACCESS_KEY, Product, SECRET};
use crate::harness::s3_client::RawRequest;
use crate::harness::sigv4::{Canonical, Credentials};
use crate::harness::{hash, percent};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placement {
    Header,
    Query,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signature {
    Good,
    Bad,
    Missing,
}

/// A request to be made.
pub struct Forgery<'a> {
    pub method: &'a str,
    pub target: &'a str,
    pub headers: &'a [(&'a str, &'a str)],
    pub body: &'a [u8],
    /// The value of `x-amz-content-sha256`; `None`: it is not sent.
    pub payload: Option<&'a str>,
    pub placement: Placement,
    pub signature: Signature,
}

impl Forgery<'_> {
    pub fn build(&self, product: &Product) -> RawRequest {
        let host = product.address.to_string();
        let date = product.client().request("GET", "/").build().header("x-amz-date").unwrap().to_owned();
        let mut headers = vec![("host".to_owned(), host)];
        headers.extend(self.headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        headers.extend(self.payload.map(|payload| ("x-amz-content-sha256".to_owned(), payload.to_owned())));
        let mut target = self.target.to_owned();
        match self.placement {
            _ if self.signature == Signature::Missing => {}
            Placement::Header => self.sign_header(&mut headers, &date),
            Placement::Query => self.sign_query(&mut target, &headers, &date),
        }
        headers.push(("content-length".into(), self.body.len().to_string()));
        let mut request = RawRequest { method: self.method.into(), target, headers, body: self.body.into() };
        if self.signature == Signature::Bad {
            request.spoil_signature();
        }
        request
    }

    fn sign_header(&self, headers: &mut Vec<(String, String)>, date: &str) {
        headers.push(("x-amz-date".into(), date.to_owned()));
        let payload = self.payload.map_or_else(|| hash::sha256_hex(self.body), str::to_owned);
        let (names, signature) = self.signature(self.target, headers, &payload, date);
        let scope = credentials().scope(date);
        let value =
            format!("AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/{scope},SignedHeaders={names},Signature={signature}");
        headers.push(("authorization".into(), value));
    }

    fn sign_query(&self, target: &mut String, headers: &[(String, String)], date: &str) {
        let names = names(headers).join("%3B");
        let credential = percent::encode(format!("{ACCESS_KEY}/{}", credentials().scope(date)).as_bytes(), b"");
        target.push(if target.contains('?') { '&' } else { '?' });
        target.push_str(&format!(
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={credential}&X-Amz-Date={date}&X-Amz-Expires=60\
             &X-Amz-SignedHeaders={names}"
        ));
        let (_, signature) = self.signature(target, headers, self.payload.unwrap_or("UNSIGNED-PAYLOAD"), date);
        target.push_str(&format!("&X-Amz-Signature={signature}"));
    }

    fn signature(&self, target: &str, headers: &[(String, String)], payload: &str, date: &str) -> (String, String) {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let signed = names(headers);
        let canonical = Canonical { method: self.method, path, query, headers, signed: &signed, payload };
        let credentials = credentials();
        let text = canonical.string_to_sign(date, &credentials.scope(date));
        (signed.join(";"), credentials.sign(date, &text))
    }
}

fn credentials() -> Credentials {
    Credentials::new(ACCESS_KEY, SECRET)
}

fn names(headers: &[(String, String)]) -> Vec<String> {
    let mut names: Vec<_> = headers.iter().map(|(name, _)| name.clone()).collect();
    names.sort();
    names.dedup();
    names
}
