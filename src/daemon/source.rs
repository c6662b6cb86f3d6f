//! From `[source]` to S3 clients: one credential for the process, one client for each thread.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::azure::{dialer, pool_limits};
use crate::config::{self, SourceConfig as Configured, SourceCredential};
use crate::net::{Backoff, Client, Dialer, PoolLimits, Scheme};
use crate::object::Result;
#[cfg(not(feature = "aws-chain"))]
use crate::object::{Error, ErrorKind};
#[cfg(feature = "aws-chain")]
use crate::source::credentials::MountedSecret;
use crate::source::{Addressing, CredentialProvider, Credentials, SourceClient, SourceConfig, SourceStats};
use crate::telemetry::{Metrics, Peer};

/// A source that throttles is given minutes, not the seconds that a facade's client would wait.
const BACKOFF: Backoff = Backoff {
    base: Duration::from_millis(200),
    max: Duration::from_secs(20),
    tries_max: 12,
    total_max: Duration::from_secs(120),
};

/// The way to an S3 source.
#[derive(Clone)]
pub struct SourceAccess {
    config: SourceConfig,
    dialer: Dialer,
    limits: PoolLimits,
    stats: Arc<SourceStats>,
    metrics: Arc<Metrics>,
}

impl SourceAccess {
    /// Makes the credential; it is kept fresh in a task of the current runtime.
    ///
    /// # Errors
    /// `Invalid` or `AuthExpired` with the reason.
    pub async fn new(config: &Configured, metrics: Arc<Metrics>) -> Result<Self> {
        let https = config.endpoint.endpoint.scheme == Scheme::Https;
        let source = SourceConfig {
            endpoint: Some(format!("{}{}", config.endpoint.endpoint, config.endpoint.path)),
            region: config.region.clone(),
            addressing: match config.addressing {
                config::Addressing::Path => Addressing::Path,
                config::Addressing::VirtualHost => Addressing::VirtualHost,
            },
            credentials: credentials(config).await?,
            user_agent: concat!("bluebucket/", env!("CARGO_PKG_VERSION")).to_owned(),
            backoff: BACKOFF,
        };
        Ok(Self {
            config: source,
            dialer: dialer(config.ca_file.as_ref().map(|pem| pem.path.clone()))?,
            limits: pool_limits(https),
            stats: Arc::new(SourceStats::default()),
            metrics,
        })
    }

    /// A client for the current runtime thread.
    ///
    /// # Errors
    /// `Invalid` if the endpoint cannot be used.
    pub fn client(&self) -> Result<SourceClient> {
        let http = Client::new(self.dialer.clone(), self.limits).with_metrics(self.metrics.pool(Peer::Source));
        let client = SourceClient::new(self.config.clone(), http, self.stats.clone())?;
        Ok(client.with_metrics(self.metrics.clone()))
    }

    /// What requests are signed with.
    pub fn credentials(&self) -> &CredentialProvider {
        &self.config.credentials
    }

    /// What all threads' clients have met.
    pub fn stats(&self) -> &Arc<SourceStats> {
        &self.stats
    }
}

async fn credentials(config: &Configured) -> Result<CredentialProvider> {
    match &config.credential {
        SourceCredential::Keys { access_key_id, secret_access_key, session_token } => {
            let mut keys = Credentials::new(access_key_id.value.expose(), secret_access_key.value.expose());
            if let Some(token) = session_token {
                keys = keys.with_session_token(token.value.expose());
            }
            Ok(CredentialProvider::fixed(keys))
        }
        SourceCredential::Directory(directory) => mounted(directory, &config.region).await,
        SourceCredential::Chain => chain(&config.region).await,
    }
}

/// The keys of a mounted secret, or the role that it names.
#[cfg(feature = "aws-chain")]
async fn mounted(directory: &Path, region: &str) -> Result<CredentialProvider> {
    if MountedSecret::read(directory).await?.role_arn.is_some() {
        return CredentialProvider::mounted_role(directory, region).await;
    }
    CredentialProvider::mounted(directory).await
}

#[cfg(not(feature = "aws-chain"))]
async fn mounted(directory: &Path, _region: &str) -> Result<CredentialProvider> {
    CredentialProvider::mounted(directory).await
}

#[cfg(feature = "aws-chain")]
async fn chain(region: &str) -> Result<CredentialProvider> {
    CredentialProvider::chain(None, region).await
}

#[cfg(not(feature = "aws-chain"))]
async fn chain(_region: &str) -> Result<CredentialProvider> {
    Err(Error::new(
        ErrorKind::Invalid,
        "this build has no credential chain (feature aws-chain): use credentials = \"static\" or \"directory\"",
    ))
}
