//! The client, the account it speaks to, and the name of a blob.

use std::fmt;
use std::sync::Arc;

use http::HeaderValue;

use super::auth::Credential;
use super::auth::delegation::DelegationKeys;
use super::retry::RetryPolicy;
use crate::net::{self, Endpoint};
use crate::object::{ContainerName, Error, ErrorKind, Result};
use crate::telemetry::Metrics;

/// The service version that requests name unless configured otherwise: the first public one that
/// all of `startFrom`, Put Blob From URL and block sizes of 4000 MiB are in.
pub const API_VERSION: &str = "2026-04-06";

/// A storage account: where it is, what it is called and how it is spoken to.
#[derive(Clone)]
pub struct BlobAccount {
    pub(super) endpoint: Endpoint,
    /// What stands before the container in a path: empty, or `/account` for emulators.
    pub(super) path: String,
    pub(super) name: String,
    pub(super) api_version: HeaderValue,
    pub features: BlobFeatures,
}

/// What the account is let or not let do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlobFeatures {
    /// Offer the bearer token for the source of copies. Off, a SAS signed with a user delegation key
    /// is used from the start.
    pub bearer_copy_source: bool,
}

/// One account, one credential, one connection pool. Cheap to clone; make one per runtime thread.
#[derive(Clone)]
pub struct BlobClient {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) account: BlobAccount,
    pub(super) credential: Credential,
    pub(super) http: net::Client,
    pub(super) retry: RetryPolicy,
    pub(super) delegation: DelegationKeys,
    pub(super) metrics: Option<Arc<Metrics>>,
}

/// A blob's container and name.
#[derive(Clone, Copy, Debug)]
pub struct BlobRef<'a> {
    pub container: &'a ContainerName,
    pub name: &'a str,
}

impl BlobClient {
    /// Makes a client; nothing is sent yet.
    pub fn new(account: BlobAccount, credential: Credential, http: net::Client, retry: RetryPolicy) -> Self {
        let delegation = DelegationKeys::default();
        Self { inner: Arc::new(Inner { account, credential, http, retry, delegation, metrics: None }) }
    }

    /// The same client, which counts its requests. Clones made before go on without.
    #[must_use]
    pub fn with_metrics(self, metrics: Arc<Metrics>) -> Self {
        let Inner { account, credential, http, retry, .. } = &*self.inner;
        Self {
            inner: Arc::new(Inner {
                account: account.clone(),
                credential: credential.clone(),
                http: http.clone(),
                retry: *retry,
                delegation: DelegationKeys::default(),
                metrics: Some(metrics),
            }),
        }
    }

    /// The account that the client speaks to.
    pub fn account(&self) -> &BlobAccount {
        &self.inner.account
    }

    /// The credential that requests are sent with.
    pub fn credential(&self) -> &Credential {
        &self.inner.credential
    }
}

impl BlobAccount {
    /// Reads a Blob service URL: `https://account.blob.core.windows.net`, or
    /// `http://127.0.0.1:10000/devstoreaccount1` with the account in the path.
    ///
    /// # Errors
    /// `Invalid` if it is no such URL.
    pub fn parse(url: &str) -> Result<Self> {
        let (endpoint, path) = Endpoint::parse(url).map_err(|reason| invalid(format!("the blob endpoint {reason}")))?;
        let host_label = endpoint.host.split('.').next().unwrap_or_default();
        let name = path.rsplit('/').next().filter(|segment| !segment.is_empty()).unwrap_or(host_label).to_owned();
        let api_version = HeaderValue::from_static(API_VERSION);
        Ok(Self { endpoint, path, name, api_version, features: BlobFeatures::default() })
    }

    /// The same account, spoken to in another service version.
    ///
    /// # Errors
    /// `Invalid` if the version cannot stand in a header.
    pub fn with_api_version(mut self, version: &str) -> Result<Self> {
        self.api_version = HeaderValue::from_str(version).map_err(|_| invalid("the api version is not plain text"))?;
        Ok(self)
    }

    /// The account's name: the first label of its host, or the last segment of its path. Where that
    /// is not so (a custom domain), give the name with [`BlobAccount::with_name`].
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The same account under another name.
    #[must_use]
    pub fn with_name(mut self, name: &str) -> Self {
        self.name = name.to_owned();
        self
    }

    /// The base URL of the account, without a slash at its end.
    pub fn url(&self) -> String {
        format!("{}{}", self.endpoint, self.path)
    }
}

impl Default for BlobFeatures {
    fn default() -> Self {
        Self { bearer_copy_source: true }
    }
}

impl fmt::Debug for BlobAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlobAccount({})", self.url())
    }
}

impl fmt::Debug for BlobClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlobClient({})", self.inner.account.url())
    }
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Invalid, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn account_names() {
        for (url, name) in [
            ("https://acct.blob.core.windows.net", "acct"),
            ("https://acct.blob.core.windows.net/", "acct"),
            ("http://127.0.0.1:10000/devstoreaccount1", "devstoreaccount1"),
        ] {
            let account = BlobAccount::parse(url).unwrap();
            assert_eq!(account.name(), name, "{url}");
            assert_eq!(account.url(), url.trim_end_matches('/'));
        }
        assert_eq!(BlobAccount::parse("acct.blob").unwrap_err().kind(), ErrorKind::Invalid);
    }
}
