//! How requests prove who sends them: bearer tokens, SAS, shared key.

pub(super) mod delegation;
pub mod identity;
mod sas;
mod shared_key;
mod token;
mod transport;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use http::header::AUTHORIZATION;
use http::{HeaderMap, Method};

pub use identity::Identity;
pub(super) use sas::{DelegationKey, SigningKey, read_sas, seconds_iso};
pub use shared_key::SharedKey;
pub use token::{STORAGE_SCOPE, TokenSource};

use super::BlobAccount;
use crate::object::text::percent_decode;
use crate::object::{Error, ErrorKind, Result};

/// What requests are sent with.
#[derive(Clone)]
pub enum Credential {
    /// The account key: emulators and development.
    SharedKey(SharedKey),
    /// A shared access signature that is appended to every URL.
    Sas(Sas),
    /// Tokens of an Entra identity.
    Bearer(TokenSource),
}

/// The query of a shared access signature: a secret.
#[derive(Clone)]
pub struct Sas(Arc<str>);

impl Sas {
    /// Takes the query with or without its `?`.
    ///
    /// # Errors
    /// `Invalid` if it has no signature.
    pub fn new(query: &str) -> Result<Self> {
        let query = query.trim().trim_start_matches('?');
        if !query.split('&').any(|pair| pair.starts_with("sig=")) {
            return Err(Error::new(ErrorKind::Invalid, "the shared access signature has no sig parameter"));
        }
        Ok(Self(query.into()))
    }

    pub(super) fn query(&self) -> &str {
        &self.0
    }
}

impl Credential {
    /// Reads a storage connection string: `AccountName`, `AccountKey` or `SharedAccessSignature`, and
    /// `BlobEndpoint` or `EndpointSuffix` with `DefaultEndpointsProtocol`; or
    /// `UseDevelopmentStorage=true`.
    ///
    /// Source: Azure Storage, "Configure Azure Storage connection strings".
    ///
    /// # Errors
    /// `Invalid`, with what is missing and without the string.
    pub fn from_connection_string(text: &str) -> Result<(BlobAccount, Self)> {
        let field = |name: &str| {
            let pairs = text.split(';').filter_map(|pair| pair.split_once('='));
            pairs.map(|(key, value)| (key.trim(), value.trim())).find(|(key, _)| key.eq_ignore_ascii_case(name))
        };
        let field = |name: &str| field(name).map(|(_, value)| value).filter(|value| !value.is_empty());
        if field("UseDevelopmentStorage") == Some("true") {
            let account = BlobAccount::parse(DEVELOPMENT_ENDPOINT)?;
            return Ok((account, Self::SharedKey(SharedKey::new(DEVELOPMENT_ACCOUNT, DEVELOPMENT_KEY)?)));
        }
        let name = field("AccountName");
        let endpoint = match (field("BlobEndpoint"), name) {
            (Some(endpoint), _) => endpoint.to_owned(),
            (None, Some(name)) => {
                let protocol = field("DefaultEndpointsProtocol").unwrap_or("https");
                let suffix = field("EndpointSuffix").unwrap_or("core.windows.net");
                format!("{protocol}://{name}.blob.{suffix}")
            }
            (None, None) => return Err(incomplete("has neither BlobEndpoint nor AccountName")),
        };
        let mut account = BlobAccount::parse(&endpoint)?;
        if let Some(name) = name {
            account = account.with_name(name);
        }
        let credential = match (field("AccountKey"), field("SharedAccessSignature")) {
            (Some(key), _) => Self::SharedKey(SharedKey::new(account.name(), key)?),
            (None, Some(sas)) => Self::Sas(Sas::new(sas)?),
            (None, None) => return Err(incomplete("has neither AccountKey nor SharedAccessSignature")),
        };
        Ok((account, credential))
    }

    /// The target with what the credential adds to it.
    pub(super) fn complete<'a>(&self, target: &'a str) -> Cow<'a, str> {
        let Self::Sas(sas) = self else { return Cow::Borrowed(target) };
        let separator = if target.contains('?') { '&' } else { '?' };
        Cow::Owned(format!("{target}{separator}{}", sas.query()))
    }

    /// Adds the `Authorization` header.
    pub(super) async fn authorize(&self, method: &Method, target: &str, headers: &mut HeaderMap) -> Result<()> {
        let value = match self {
            Self::Sas(_) => return Ok(()),
            Self::Bearer(tokens) => tokens.header().await?,
            Self::SharedKey(key) => key.authorization(method, target, headers)?,
        };
        headers.insert(AUTHORIZATION, value);
        Ok(())
    }

    /// Gets a newer token after the service refused the current one; false if there is none to get.
    pub(super) async fn renew(&self, refused: Option<&http::HeaderValue>) -> bool {
        match self {
            Self::Bearer(tokens) => tokens.renew(refused).await,
            Self::SharedKey(_) | Self::Sas(_) => false,
        }
    }
}

/// Azurite's and the Storage Emulator's published account ("Use the Azurite emulator").
const DEVELOPMENT_ENDPOINT: &str = "http://127.0.0.1:10000/devstoreaccount1";
const DEVELOPMENT_ACCOUNT: &str = "devstoreaccount1";
const DEVELOPMENT_KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

fn incomplete(what: &str) -> Error {
    Error::new(ErrorKind::Invalid, format!("the connection string {what}"))
}

/// Name and decoded value of each parameter of a target's query.
fn query_pairs(target: &str) -> Vec<(&str, String)> {
    let Some((_, query)) = target.split_once('?') else { return Vec::new() };
    let pairs = query.split('&').filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        Some((name, percent_decode(value)?))
    });
    pairs.collect()
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SharedKey(_) => "Credential(shared key)",
            Self::Sas(_) => "Credential(sas)",
            Self::Bearer(_) => "Credential(bearer)",
        })
    }
}

impl fmt::Debug for Sas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sas(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connection_strings() {
        let key = "a2V5a2V5";
        for (text, url, kind) in [
            (
                format!(
                    "DefaultEndpointsProtocol=https;AccountName=acct;AccountKey={key}==;EndpointSuffix=core.windows.net"
                ),
                "",
                "",
            ),
            (
                format!("AccountName=acct;AccountKey={key}"),
                "https://acct.blob.core.windows.net",
                "Credential(shared key)",
            ),
            (
                format!(
                    "AccountName=devstoreaccount1;AccountKey={key};BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1;"
                ),
                "http://127.0.0.1:10000/devstoreaccount1",
                "Credential(shared key)",
            ),
            (
                "BlobEndpoint=https://acct.blob.core.windows.net/;SharedAccessSignature=sv=2021&sig=x%3D".to_owned(),
                "https://acct.blob.core.windows.net",
                "Credential(sas)",
            ),
            (
                "UseDevelopmentStorage=true".to_owned(),
                "http://127.0.0.1:10000/devstoreaccount1",
                "Credential(shared key)",
            ),
            ("AccountKey=x".to_owned(), "", ""),
            ("AccountName=acct".to_owned(), "", ""),
            (String::new(), "", ""),
        ] {
            match Credential::from_connection_string(&text) {
                Ok((account, credential)) => {
                    assert_eq!((account.url().as_str(), format!("{credential:?}").as_str()), (url, kind), "{text}");
                }
                Err(error) => {
                    assert!(url.is_empty(), "{text}: {error}");
                    assert!(!error.to_string().contains(key), "{error}");
                }
            }
        }
    }

    #[test]
    fn sas_is_appended() {
        let sas = Credential::Sas(Sas::new("?sv=1&sig=a%2B").unwrap());
        assert_eq!(sas.complete("/c/b"), "/c/b?sv=1&sig=a%2B");
        assert_eq!(sas.complete("/c/b?comp=block"), "/c/b?comp=block&sv=1&sig=a%2B");
        assert!(Sas::new("sv=1").is_err());
    }
}
