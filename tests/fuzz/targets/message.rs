//! A request as bytes: a request line without version, then headers, one a line.

use http::{HeaderMap, HeaderName, HeaderValue, Method};

/// A request that HTTP could carry.
pub struct Message<'a> {
    pub method: Method,
    pub path: &'a str,
    pub query: &'a str,
    pub headers: HeaderMap,
    /// What follows the empty line.
    pub rest: &'a [u8],
}

impl<'a> Message<'a> {
    /// `None` for what the layer of HTTP refuses before anybody here sees it.
    pub fn parse(data: &'a [u8]) -> Option<Self> {
        let end = data.windows(2).position(|pair| pair == b"\n\n").unwrap_or(data.len());
        let (head, rest) = data.split_at(end);
        let mut lines = head.split(|byte| *byte == b'\n');
        let (method, target) = std::str::from_utf8(lines.next()?).ok()?.split_once(' ')?;
        let method = Method::from_bytes(method.as_bytes()).ok()?;
        let uri: http::Uri = target.parse().ok()?;
        // The pieces as the product gets them.
        if uri.path() != target.split('?').next()? {
            return None;
        }
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        if uri.query().unwrap_or("") != query {
            return None;
        }
        let mut headers = HeaderMap::new();
        for line in lines.take(100) {
            let colon = line.iter().position(|byte| *byte == b':')?;
            let name = HeaderName::from_bytes(&line[..colon]).ok()?;
            headers.append(name, HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?);
        }
        Some(Self { method, path, query, headers, rest: rest.get(2..).unwrap_or(b"") })
    }
}
