//! A request as S3 reads it: path style, or virtual-hosted for buckets that exist.

use super::answer::S3Error;
use crate::harness::http1::Head;
use crate::harness::percent;

/// A parsed request without its body.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    /// The path as sent.
    pub raw_path: String,
    pub raw_query: String,
    pub bucket: Option<String>,
    pub key: Option<String>,
    pub query: Vec<(String, String)>,
    pub headers: Vec<(String, String)>,
}

impl Request {
    pub(super) fn parse(head: &Head, is_bucket: impl Fn(&str) -> bool) -> Result<Self, S3Error> {
        let mut words = head.first.split(' ');
        let (method, target, version) = (words.next(), words.next(), words.next());
        let (Some(method), Some(target), Some("HTTP/1.1" | "HTTP/1.0"), None) = (method, target, version, words.next())
        else {
            return Err(S3Error::new(400, "BadRequest", "the request line is malformed"));
        };
        let (raw_path, raw_query) = target.split_once('?').unwrap_or((target, ""));
        let path =
            raw_path.strip_prefix('/').ok_or(S3Error::new(400, "InvalidURI", "the path must begin with a slash"))?;
        let invalid = S3Error::new(400, "InvalidURI", "could not parse the specified URI");
        let decoded =
            percent::decode(path, false).and_then(|bytes| String::from_utf8(bytes).ok()).ok_or(invalid.clone())?;
        let host_bucket = head
            .header("host")
            .and_then(|host| host.split_once('.'))
            .map(|(label, _)| label)
            .filter(|label| is_bucket(label));
        let (bucket, key) = match host_bucket {
            Some(bucket) => (bucket.to_owned(), decoded),
            None => {
                decoded.split_once('/').map_or_else(|| (decoded.clone(), String::new()), |(b, k)| (b.into(), k.into()))
            }
        };
        Ok(Self {
            method: method.into(),
            raw_path: raw_path.into(),
            raw_query: raw_query.into(),
            bucket: Some(bucket).filter(|bucket| !bucket.is_empty()),
            key: Some(key).filter(|key| !key.is_empty()),
            query: percent::query_pairs(raw_query).ok_or(invalid)?,
            headers: head.headers.clone(),
        })
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(have, _)| have.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// A query parameter; `Some("")` if it has no value.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(have, _)| have == name).map(|(_, value)| value.as_str())
    }

    pub fn is_listing(&self) -> bool {
        const OTHERS: [&str; 4] = ["location", "uploads", "tagging", "versioning"];
        self.method == "GET"
            && self.bucket.is_some()
            && self.key.is_none()
            && !OTHERS.iter().any(|other| self.query(other).is_some())
    }

    /// What makes two requests attempts at the same thing.
    pub(super) fn identity(&self) -> String {
        format!("{} {}?{} {}", self.method, self.raw_path, self.raw_query, self.header("range").unwrap_or_default())
    }
}
