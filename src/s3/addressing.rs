//! Which bucket and key a request names: path style, or virtual-host style below configured domains.

use crate::object::text::percent_decode;

use super::error::{Result, S3Code};

/// The domains below which a host name begins with a bucket. Empty: path style only.
#[derive(Clone, Debug, Default)]
pub struct Addressing {
    domains: Vec<String>,
}

/// What a request line names, decoded once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// `None`: the service itself.
    pub bucket: Option<String>,
    /// `None`: the bucket itself.
    pub key: Option<String>,
}

impl Addressing {
    /// `domains` are host names without a port, as in `s3.example.org` for `bucket.s3.example.org`.
    pub fn new(domains: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let clean = |domain: String| domain.trim_matches('.').to_ascii_lowercase();
        Self { domains: domains.into_iter().map(|domain| clean(domain.into())).collect() }
    }

    /// Splits a raw path into bucket and key. In a path `+` is a plus.
    ///
    /// # Errors
    /// InvalidURI for a broken escape, what is not UTF-8, and a path that does not begin with `/`.
    pub fn resolve(&self, host: Option<&str>, path: &str) -> Result<Target> {
        let path = path.strip_prefix('/').ok_or(S3Code::InvalidURI)?;
        if let Some(bucket) = host.and_then(|host| self.bucket_of(host)) {
            return Ok(Target { bucket: Some(bucket), key: decode_key(path)? });
        }
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        if bucket.is_empty() && key.is_empty() && path.is_empty() {
            return Ok(Target { bucket: None, key: None });
        }
        let bucket = percent_decode(bucket).ok_or(S3Code::InvalidURI)?;
        Ok(Target { bucket: Some(bucket), key: decode_key(key)? })
    }

    fn bucket_of(&self, host: &str) -> Option<String> {
        let host = host.rsplit_once(':').map_or(host, |(name, port)| match port.parse::<u16>() {
            Ok(_) => name,
            Err(_) => host,
        });
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let before = self.domains.iter().filter_map(|domain| host.strip_suffix(domain.as_str())?.strip_suffix('.'));
        // The longest domain wins, so the shortest rest.
        before.filter(|bucket| !bucket.is_empty()).min_by_key(|bucket| bucket.len()).map(str::to_owned)
    }
}

fn decode_key(raw: &str) -> Result<Option<String>> {
    if raw.is_empty() {
        return Ok(None);
    }
    percent_decode(raw).map(Some).ok_or_else(|| S3Code::InvalidURI.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table() {
        let addressing = Addressing::new(["S3.example.org", "example.org."]);
        let cases = [
            (None, "/", None, None),
            (None, "/bucket", Some("bucket"), None),
            (None, "/bucket/", Some("bucket"), None),
            (None, "/bucket//", Some("bucket"), Some("/")),
            (None, "/bucket/a//b/../c/.", Some("bucket"), Some("a//b/../c/.")),
            (None, "/bucket/a+b%20c%2Fd%252F", Some("bucket"), Some("a+b c/d%2F")),
            (None, "/bucket%2Fa/b", Some("bucket/a"), Some("b")),
            (None, "//key", Some(""), Some("key")),
            (Some("localhost:9000"), "/bucket/k", Some("bucket"), Some("k")),
            (Some("s3.example.org"), "/bucket/k", Some("bucket"), Some("k")),
            (Some("Bucket.s3.example.org:9000"), "/", Some("bucket"), None),
            (Some("a.b.example.org"), "/k/%C3%A9", Some("a.b"), Some("k/é")),
            (Some("bucket.example.org."), "//k", Some("bucket"), Some("/k")),
            (Some("badexample.org"), "/bucket", Some("bucket"), None),
            (Some("[::1]:9000"), "/bucket", Some("bucket"), None),
        ];
        for (host, path, bucket, key) in cases {
            // `s3.example.org` is itself below `example.org`: a domain is never a bucket of another.
            let target = if host == Some("s3.example.org") {
                Addressing::new(["s3.example.org"]).resolve(host, path)
            } else {
                addressing.resolve(host, path)
            };
            let expected = Target { bucket: bucket.map(str::to_owned), key: key.map(str::to_owned) };
            assert_eq!(target.unwrap(), expected, "{host:?} {path}");
        }
        for bad in ["", "bucket", "*", "http://other/bucket", "/bucket/%ff", "/bucket/%", "/%zz/k"] {
            assert!(addressing.resolve(None, bad).is_err(), "{bad}");
        }
    }
}
