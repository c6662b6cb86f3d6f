//! From `[azure]` to Blob clients: one credential for the process, one client for each thread.

mod namespace;

use std::sync::Arc;
use std::time::Duration;

use crate::blob::auth::{Identity, Sas, SharedKey};
use crate::blob::retry::RetryPolicy;
use crate::blob::{BlobAccount, BlobClient, Credential};
use crate::bucket::{Namespace, Shared};
use crate::config::{AzureConfig, AzureCredential};
use crate::net::tls::{Roots, Trust};
use crate::net::{Client, Dialer, PoolLimits, Scheme};
use crate::object::{ContainerName, Error, ErrorKind, Result};
use crate::state::StateStore;
use crate::telemetry::{Metrics, Peer};

/// Connections of one thread to the account, unless more are asked for. Blob Storage speaks HTTP/1.1, so
/// each request under way needs one.
const CONNECTIONS_MAX: usize = 256;
/// Azure closes idle connections after some minutes.
const IDLE_MAX_HTTPS: Duration = Duration::from_secs(60);
/// Emulators close them after five seconds (Azurite's default).
const IDLE_MAX_HTTP: Duration = Duration::from_secs(4);
/// Silence of the service after which a request has failed.
const READ_TIMEOUT: Duration = Duration::from_secs(60);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The way to the storage account.
#[derive(Clone)]
pub struct AzureAccess {
    account: BlobAccount,
    credential: Credential,
    dialer: Dialer,
    limits: PoolLimits,
    state_container: ContainerName,
    api_version: String,
    namespace: Namespace,
    metrics: Arc<Metrics>,
}

impl AzureAccess {
    /// Makes the credential. Tokens are kept fresh in a task of the current runtime, which has to live
    /// as long as the process.
    pub(super) async fn new(config: &AzureConfig, metrics: Arc<Metrics>) -> Result<Self> {
        let url = format!("{}{}", config.endpoint.endpoint, config.endpoint.path);
        let account = BlobAccount::parse(&url)?.with_name(&config.account).with_api_version(&config.api_version)?;
        let dialer = dialer(config.ca_file.as_ref().map(|pem| pem.path.clone()))?;
        let https = config.endpoint.endpoint.scheme == Scheme::Https;
        let limits = pool_limits(https);
        let credential = credential(config, &account, Client::new(dialer.clone(), limits), &metrics)?;
        Ok(Self {
            account,
            credential,
            dialer,
            limits,
            state_container: config.state_container.clone(),
            api_version: config.api_version.clone(),
            namespace: Namespace::Flat,
            metrics,
        })
    }

    /// Learns what kind of account it is: asks, unless the configuration says it.
    pub(super) async fn learn_namespace(&mut self, config: &AzureConfig) -> Result<()> {
        self.namespace = match config.hierarchical {
            Some(true) => Namespace::Hierarchical,
            Some(false) => Namespace::Flat,
            None => namespace::ask(&self.client(), &config.state_container).await?,
        };
        Ok(())
    }

    /// What the threads of a process share about the account.
    pub fn shared(&self) -> Arc<Shared> {
        Arc::new(Shared::new(self.namespace))
    }

    /// The same way for requests that wait for slow clients: a thread may open so many connections.
    #[must_use]
    pub fn with_connections(&self, connections_max: usize) -> Self {
        let connections_max = connections_max.max(self.limits.connections_max);
        Self { limits: PoolLimits { connections_max, ..self.limits }, ..self.clone() }
    }

    /// A client for the current runtime thread.
    pub fn client(&self) -> BlobClient {
        let http = Client::new(self.dialer.clone(), self.limits).with_metrics(self.metrics.pool(Peer::Blob));
        BlobClient::new(self.account.clone(), self.credential.clone(), http, RetryPolicy::default())
            .with_metrics(self.metrics.clone())
    }

    /// A client of the account's Data Lake endpoint; `None` where the Blob endpoint does not tell which
    /// that is.
    ///
    /// # Errors
    /// `Invalid` if the endpoint's name cannot be used.
    pub fn data_lake_client(&self) -> Result<Option<BlobClient>> {
        let url = self.account.url();
        if !url.contains(".blob.") {
            return Ok(None);
        }
        let account = BlobAccount::parse(&url.replacen(".blob.", ".dfs.", 1))?
            .with_name(self.account.name())
            .with_api_version(&self.api_version)?;
        let http = Client::new(self.dialer.clone(), self.limits);
        Ok(Some(BlobClient::new(account, self.credential.clone(), http, RetryPolicy::default())))
    }

    /// The state container, through a client of the current runtime thread.
    pub fn state(&self, blobs: &BlobClient) -> StateStore {
        StateStore::new(blobs.clone(), self.state_container.clone())
    }

    pub fn credential(&self) -> &Credential {
        &self.credential
    }

    pub fn account(&self) -> &BlobAccount {
        &self.account
    }
}

/// Bounds of a thread's pool.
pub(super) fn pool_limits(https: bool) -> PoolLimits {
    PoolLimits {
        connections_max: CONNECTIONS_MAX,
        idle_max: if https { IDLE_MAX_HTTPS } else { IDLE_MAX_HTTP },
        connect_timeout: CONNECT_TIMEOUT,
        read_timeout: READ_TIMEOUT,
    }
}

/// Dials sockets, trusting the system's roots and a private CA.
pub(super) fn dialer(private_ca: Option<std::path::PathBuf>) -> Result<Dialer> {
    let trust = Trust { roots: Roots::System, private_ca };
    let tls =
        crate::net::tls::client_config(&trust).map_err(|error| Error::new(ErrorKind::Invalid, error.to_string()))?;
    Ok(Dialer::network(Some(tls)))
}

fn credential(config: &AzureConfig, account: &BlobAccount, http: Client, metrics: &Arc<Metrics>) -> Result<Credential> {
    let tokens = |identity: Identity| -> Result<Credential> {
        Ok(Credential::Bearer(identity.token_source_with_metrics(http, metrics.clone())?))
    };
    let missing = |what: &str, variable: &str| {
        Error::new(
            ErrorKind::Invalid,
            format!(
                "workload identity needs {what}: set it in [azure], or let the webhook set {variable} (is the pod labelled azure.workload.identity/use=true?)"
            ),
        )
    };
    match &config.credential {
        AzureCredential::SharedKey(key) => {
            Ok(Credential::SharedKey(SharedKey::new(account.name(), key.value.expose())?))
        }
        AzureCredential::Sas(sas) => Ok(Credential::Sas(Sas::new(sas.value.expose())?)),
        AzureCredential::ManagedIdentity { client_id } => {
            tokens(Identity::Managed { client_id: client_id.clone(), metadata_service: None })
        }
        AzureCredential::ClientSecret { tenant_id, client_id, secret, authority } => tokens(Identity::ClientSecret {
            tenant_id: tenant_id.clone(),
            client_id: client_id.clone(),
            secret: secret.value.expose().to_owned(),
            authority: authority.clone(),
        }),
        AzureCredential::WorkloadIdentity { tenant_id, client_id, token_file, authority } => {
            tokens(Identity::Workload {
                tenant_id: tenant_id.clone().ok_or_else(|| missing("a tenant_id", "AZURE_TENANT_ID"))?,
                client_id: client_id.clone().ok_or_else(|| missing("a client_id", "AZURE_CLIENT_ID"))?,
                token_file: token_file.clone().ok_or_else(|| missing("a token file", "AZURE_FEDERATED_TOKEN_FILE"))?,
                authority: authority.clone(),
            })
        }
    }
}
