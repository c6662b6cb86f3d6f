//! The composition root: turns a configuration into clients, servers and workers, and ends them.
//!
//! The process has one runtime of several threads for everything in the background (tokens, admin,
//! files that change) and, for the facade and the mover, threads with a runtime, connection pools
//! and clients of their own.

mod admin;
mod azure;
mod facade;
mod mover;
mod signals;
mod source;
mod sweeper;

use std::sync::Arc;

use crate::blob::auth::Credential;
use crate::config::Config;
use crate::object::Result;
use crate::telemetry::Metrics;

pub use admin::AdminServer;
pub use azure::AzureAccess;
pub use facade::FacadeServer;
pub use mover::{MoverAccess, host_name};
pub use signals::{Stopping, stop_signal};
pub use source::SourceAccess;
pub use sweeper::run as sweep;

/// What every command that works on a configured account needs.
pub struct Process {
    pub config: Arc<Config>,
    pub metrics: Arc<Metrics>,
    pub azure: AzureAccess,
}

impl Process {
    /// Prepares the account's credential, and learns what kind of account it is.
    ///
    /// # Errors
    /// `Invalid` with the remedy, if a value of the configuration cannot be used; those of the Blob client.
    pub async fn new(config: Arc<Config>) -> Result<Self> {
        let mut process = Self::without_asking(config).await?;
        process.azure.learn_namespace(&process.config.azure).await?;
        Ok(process)
    }

    /// The same for what writes no objects: nothing is sent but requests for tokens.
    ///
    /// # Errors
    /// As [`Process::new`].
    pub async fn without_asking(config: Arc<Config>) -> Result<Self> {
        let metrics = Arc::new(Metrics::new());
        metrics.watch_panics();
        let azure = AzureAccess::new(&config.azure, metrics.clone()).await?;
        Ok(Self { config, metrics, azure })
    }
}

/// Whether requests can be authorised for a while yet.
///
/// # Errors
/// The reason, for readiness.
pub fn token_is_valid(credential: &Credential) -> std::result::Result<(), String> {
    let Credential::Bearer(tokens) = credential else { return Ok(()) };
    match tokens.expires_in() {
        None => Err("there is no token".into()),
        Some(left) if left < TOKEN_LIFE_MIN => Err(format!("the token expires in {} s", left.as_secs())),
        Some(_) => Ok(()),
    }
}

/// A replica whose token is about to expire without a new one takes no more traffic.
const TOKEN_LIFE_MIN: std::time::Duration = std::time::Duration::from_secs(60);

/// The background runtime.
///
/// # Errors
/// If the operating system gives no threads.
pub fn background_runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(BACKGROUND_THREADS)
        .thread_name("background")
        .enable_all()
        .build()
}

/// Tokens, metrics and file watching are little work, but must not wait for one another.
const BACKGROUND_THREADS: usize = 2;
