//! Identities that tokens are issued for: workload, managed, and applications with a secret.
//!
//! The protocols are `azure_identity`'s. Its credentials cache a token until five minutes before it
//! expires and then refresh it in the way of requests; so a fresh one is made for each token, and
//! the cache is [`TokenSource`]. A federated token file is then also read anew for each token.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use azure_core::cloud::{CloudConfiguration, CustomConfiguration};
use azure_core::credentials::{AccessToken, Secret, TokenCredential, TokenRequestOptions};
use azure_core::http::{ClientMethodOptions, ClientOptions, Transport};
use azure_identity::{
    ClientAssertion, ClientAssertionCredential, ClientAssertionCredentialOptions, ClientSecretCredential,
    ClientSecretCredentialOptions, ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId,
};

use super::TokenSource;
use super::transport::EntraTransport;
use crate::net::{self, Endpoint, Scheme};
use crate::object::{Error, ErrorKind, Result};
use crate::telemetry::Metrics;

/// Who asks for tokens.
#[derive(Clone)]
pub enum Identity {
    /// Entra Workload Identity: a Kubernetes token, mounted as a file, stands in for a secret.
    Workload {
        tenant_id: String,
        client_id: String,
        token_file: PathBuf,
        /// Authority host; `None` = `https://login.microsoftonline.com`.
        authority: Option<String>,
    },
    /// A managed identity of the machine, from its metadata service.
    Managed {
        /// Of a user-assigned identity.
        client_id: Option<String>,
        /// Another address than `http://169.254.169.254`.
        metadata_service: Option<String>,
    },
    /// An application with a secret.
    ClientSecret { tenant_id: String, client_id: String, secret: String, authority: Option<String> },
}

impl Identity {
    /// Begins to get tokens for the identity over `http`, in a task of the current runtime.
    ///
    /// # Errors
    /// `Invalid` if a value of the identity is malformed.
    pub fn token_source(self, http: net::Client) -> Result<TokenSource> {
        Ok(TokenSource::start(self.credential(http)?))
    }

    /// As [`Identity::token_source`], and counts how the token service answers.
    ///
    /// # Errors
    /// `Invalid` if a value of the identity is malformed.
    pub fn token_source_with_metrics(self, http: net::Client, metrics: Arc<Metrics>) -> Result<TokenSource> {
        Ok(TokenSource::start_with_metrics(self.credential(http)?, metrics))
    }

    fn credential(self, http: net::Client) -> Result<Arc<Uncached>> {
        let credential = Uncached::new(self, http)?;
        credential.make().map_err(|error| invalid(error.to_string()))?;
        Ok(Arc::new(credential))
    }
}

/// A credential without a cache.
#[derive(Debug)]
struct Uncached {
    identity: Identity,
    options: ClientOptions,
}

impl Uncached {
    fn new(identity: Identity, http: net::Client) -> Result<Self> {
        let (authority, elsewhere) = match &identity {
            Identity::Workload { authority, .. } | Identity::ClientSecret { authority, .. } => {
                authority_and_endpoint(authority.as_deref().unwrap_or(PUBLIC_AUTHORITY))?
            }
            Identity::Managed { metadata_service, .. } => {
                let endpoint = metadata_service.as_deref().map(endpoint).transpose()?;
                (PUBLIC_AUTHORITY.to_owned(), endpoint)
            }
        };
        let transport = Transport::new(Arc::new(EntraTransport::new(http, elsewhere)));
        let mut cloud = CustomConfiguration::default();
        cloud.authority_host = authority;
        let cloud = Some(Arc::new(CloudConfiguration::Custom(cloud)));
        let options = ClientOptions { transport: Some(transport), cloud, ..ClientOptions::default() };
        Ok(Self { identity, options })
    }

    fn make(&self) -> azure_core::Result<Arc<dyn TokenCredential>> {
        let client_options = self.options.clone();
        Ok(match self.identity.clone() {
            Identity::Workload { tenant_id, client_id, token_file, .. } => {
                let options = ClientAssertionCredentialOptions { client_options };
                ClientAssertionCredential::new(tenant_id, client_id, TokenFile(token_file), Some(options))?
            }
            Identity::Managed { client_id, .. } => {
                let user_assigned_id = client_id.map(UserAssignedId::ClientId);
                let options = ManagedIdentityCredentialOptions { user_assigned_id, client_options };
                ManagedIdentityCredential::new(Some(options))?
            }
            Identity::ClientSecret { tenant_id, client_id, secret, .. } => {
                let options = ClientSecretCredentialOptions { client_options };
                ClientSecretCredential::new(&tenant_id, client_id, Secret::new(secret), Some(options))?
            }
        })
    }
}

#[async_trait]
impl TokenCredential for Uncached {
    async fn get_token(
        &self,
        scopes: &[&str],
        options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        self.make()?.get_token(scopes, options).await
    }
}

/// The file that the kubelet keeps a service account token in, and replaces well before it expires.
#[derive(Debug)]
struct TokenFile(PathBuf);

#[async_trait]
impl ClientAssertion for TokenFile {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        let content = tokio::fs::read_to_string(&self.0).await.map_err(|error| {
            let message = format!("the federated token file {} cannot be read: {error}", self.0.display());
            azure_core::Error::with_message(azure_core::error::ErrorKind::Credential, message)
        })?;
        Ok(content.trim().to_owned())
    }
}

const PUBLIC_AUTHORITY: &str = "https://login.microsoftonline.com";

/// `azure_identity` takes https authorities only. One on this machine may be plain: then the requests
/// are led to it by the transport. A secret never goes over a network in the clear.
fn authority_and_endpoint(authority: &str) -> Result<(String, Option<Endpoint>)> {
    let endpoint = endpoint(authority)?;
    match endpoint.scheme {
        Scheme::Https => Ok((authority.to_owned(), None)),
        Scheme::Http if is_loopback(&endpoint) => Ok((PUBLIC_AUTHORITY.to_owned(), Some(endpoint))),
        Scheme::Http => Err(invalid("the authority host must use https")),
    }
}

fn is_loopback(endpoint: &Endpoint) -> bool {
    let host = endpoint.host.trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn endpoint(url: &str) -> Result<Endpoint> {
    let (endpoint, _) = Endpoint::parse(url).map_err(|reason| invalid(format!("the token service's url {reason}")))?;
    Ok(endpoint)
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Invalid, message)
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Workload { tenant_id, client_id, .. } => {
                write!(f, "workload identity {client_id} of tenant {tenant_id}")
            }
            Self::Managed { client_id: Some(client_id), .. } => write!(f, "managed identity {client_id}"),
            Self::Managed { client_id: None, .. } => f.write_str("managed identity of the system"),
            Self::ClientSecret { tenant_id, client_id, .. } => {
                write!(f, "application {client_id} of tenant {tenant_id}")
            }
        }
    }
}
