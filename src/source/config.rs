//! Where the source is and how to speak to it.

use crate::net::{Backoff, Endpoint};
use crate::object::{BucketName, Error, ErrorKind, Result};

use super::CredentialProvider;

/// Settings of a source client.
#[derive(Clone)]
pub struct SourceConfig {
    /// URL of an S3-compatible service; `None` = AWS in `region`.
    pub endpoint: Option<String>,
    pub region: String,
    pub addressing: Addressing,
    pub credentials: CredentialProvider,
    pub user_agent: String,
    pub backoff: Backoff,
}

/// Where the bucket's name goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Addressing {
    /// `https://endpoint/bucket/key`: every S3-compatible service understands it.
    #[default]
    Path,
    /// `https://bucket.endpoint/key`.
    VirtualHost,
}

/// An endpoint and the path below which the buckets lie.
#[derive(Clone)]
pub(super) struct Target {
    endpoint: Endpoint,
    path: String,
    addressing: Addressing,
}

impl Target {
    pub fn new(config: &SourceConfig) -> Result<Self> {
        let url = config.endpoint.clone().unwrap_or_else(|| aws_url(&config.region));
        let (endpoint, path) = Endpoint::parse(&url)
            .map_err(|error| Error::new(ErrorKind::Invalid, format!("the source's endpoint {error}")))?;
        Ok(Self { endpoint, path, addressing: config.addressing })
    }

    /// The endpoint of a bucket, and the path that its keys follow, without a slash at its end.
    pub fn of(&self, bucket: &BucketName) -> (Endpoint, String) {
        match self.addressing {
            // A dot in the bucket's name would break the certificate's wildcard.
            Addressing::VirtualHost if !bucket.as_str().contains('.') => {
                let host = format!("{bucket}.{}", self.endpoint.host);
                (Endpoint { host, ..self.endpoint.clone() }, self.path.clone())
            }
            _ => (self.endpoint.clone(), format!("{}/{bucket}", self.path)),
        }
    }
}

fn aws_url(region: &str) -> String {
    let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    format!("https://s3.{region}.{domain}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Credentials;

    #[test]
    fn addresses() {
        let bucket = |name| BucketName::new(name).unwrap();
        let target = |endpoint: Option<&str>, region: &str, addressing| {
            Target::new(&SourceConfig {
                endpoint: endpoint.map(str::to_owned),
                region: region.to_owned(),
                addressing,
                credentials: CredentialProvider::fixed(Credentials::new("a", "b")),
                user_agent: String::new(),
                backoff: Backoff::default(),
            })
        };
        for (endpoint, region, addressing, name, expected) in [
            (None, "eu-west-1", Addressing::Path, "abc", "https://s3.eu-west-1.amazonaws.com /abc"),
            (None, "cn-north-1", Addressing::VirtualHost, "abc", "https://abc.s3.cn-north-1.amazonaws.com.cn "),
            (None, "us-east-1", Addressing::VirtualHost, "a.b.c", "https://s3.us-east-1.amazonaws.com /a.b.c"),
            (Some("http://127.0.0.1:9/s3/"), "x", Addressing::Path, "abc", "http://127.0.0.1:9 /s3/abc"),
        ] {
            let (endpoint, path) = target(endpoint, region, addressing).unwrap().of(&bucket(name));
            assert_eq!(format!("{endpoint} {path}"), expected);
        }
        assert!(target(Some("s3.example.com"), "x", Addressing::Path).is_err());
    }
}
