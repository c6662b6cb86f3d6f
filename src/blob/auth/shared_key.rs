//! Signing with the account key ("Authorize with Shared Key").

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::hmac;
use http::header::{
    CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_TYPE, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    IF_UNMODIFIED_SINCE, RANGE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::query_pairs;
use crate::object::text::{base64, unbase64_vec};
use crate::object::{Error, ErrorKind, Result};

/// An account's name and key.
#[derive(Clone)]
pub struct SharedKey {
    account: Arc<str>,
    key: Arc<hmac::Key>,
}

impl SharedKey {
    /// # Errors
    /// `Invalid` if the key is not base64.
    pub fn new(account: &str, key: &str) -> Result<Self> {
        let key = unbase64_vec(key).filter(|key| !key.is_empty());
        let key = key.ok_or_else(|| Error::new(ErrorKind::Invalid, "the account key is not base64"))?;
        Ok(Self { account: account.into(), key: Arc::new(hmac::Key::new(hmac::HMAC_SHA256, &key)) })
    }

    /// Base64 of the HMAC-SHA-256 of `text`.
    pub(super) fn sign(&self, text: &str) -> String {
        base64(hmac::sign(&self.key, text.as_bytes()).as_ref())
    }

    /// The `Authorization` header of a request. All its other headers have to be set.
    pub(super) fn authorization(&self, method: &Method, target: &str, headers: &HeaderMap) -> Result<HeaderValue> {
        let signature = self.sign(&self.string_to_sign(method, target, headers));
        let value = HeaderValue::try_from(format!("SharedKey {}:{signature}", self.account));
        let mut value = value.map_err(|_| Error::new(ErrorKind::Invalid, "the account name is not plain text"))?;
        value.set_sensitive(true);
        Ok(value)
    }

    fn string_to_sign(&self, method: &Method, target: &str, headers: &HeaderMap) -> String {
        let mut out = String::with_capacity(512);
        out.push_str(method.as_str());
        out.push('\n');
        for name in SIGNED {
            let value = headers.get(&name).map(|value| String::from_utf8_lossy(value.as_bytes())).unwrap_or_default();
            // An empty body is signed as no length at all.
            if name != CONTENT_LENGTH || value != "0" {
                out.push_str(&value);
            }
            out.push('\n');
        }
        push_canonical_headers(&mut out, headers);
        self.push_canonical_resource(&mut out, target);
        out
    }

    fn push_canonical_resource(&self, out: &mut String, target: &str) {
        out.push('/');
        out.push_str(&self.account);
        out.push_str(target.split('?').next().unwrap_or_default());
        let mut pairs = query_pairs(target);
        pairs.sort();
        for (name, value) in pairs {
            out.push('\n');
            out.push_str(&name.to_ascii_lowercase());
            out.push(':');
            out.push_str(&value);
        }
    }
}

const CONTENT_MD5: HeaderName = HeaderName::from_static("content-md5");

/// Headers that are signed without their names, in this order.
const SIGNED: [HeaderName; 11] = [
    CONTENT_ENCODING,
    CONTENT_LANGUAGE,
    CONTENT_LENGTH,
    CONTENT_MD5,
    CONTENT_TYPE,
    http::header::DATE,
    IF_MODIFIED_SINCE,
    IF_MATCH,
    IF_NONE_MATCH,
    IF_UNMODIFIED_SINCE,
    RANGE,
];

fn push_canonical_headers(out: &mut String, headers: &HeaderMap) {
    let mut own: Vec<_> = headers.iter().filter(|(name, _)| name.as_str().starts_with("x-ms-")).collect();
    own.sort_by_key(|(name, _)| name.as_str());
    for (name, value) in own {
        out.push_str(name.as_str());
        out.push(':');
        out.push_str(String::from_utf8_lossy(value.as_bytes()).trim());
        out.push('\n');
    }
}

impl fmt::Debug for SharedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SharedKey({})", self.account)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of "Authorize with Shared Key", with this client's header names.
    #[test]
    fn string_to_sign() {
        let key = SharedKey::new("myaccount", "a2V5").unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("x-ms-version", HeaderValue::from_static("2015-02-21"));
        headers.insert("x-ms-date", HeaderValue::from_static("Fri, 26 Jun 2015 23:39:12 GMT"));
        headers.insert("content-length", HeaderValue::from_static("0"));
        let text = key.string_to_sign(
            &Method::GET,
            "/mycontainer?restype=container&comp=metadata&timeout=20&prefix=a%2Fb",
            &headers,
        );
        assert_eq!(
            text,
            "GET\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:Fri, 26 Jun 2015 23:39:12 GMT\nx-ms-version:2015-02-21\n\
             /myaccount/mycontainer\ncomp:metadata\nprefix:a/b\nrestype:container\ntimeout:20"
        );
        assert!(format!("{key:?}").ends_with("SharedKey(myaccount)"));
    }
}
