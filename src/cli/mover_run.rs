//! What plan, backfill and verify have in common: a process with the mover's clients, an admin
//! listener while it works, and the signals that end it.

use std::future::Future;
use std::sync::Arc;

use super::{CommonOptions, Exit, Failure};
use crate::admin::{Admin, Readiness, Status};
use crate::config::{Config, Environment, Secrets};
use crate::daemon::{self, AdminServer, MoverAccess, Process};
use crate::mover::stop::Stop;

/// A command of the mover, ready to work.
pub(super) struct MoverRun {
    pub config: Arc<Config>,
    pub process: Process,
    pub access: MoverAccess,
    /// Requested by the first signal.
    pub stop: Stop,
}

impl MoverRun {
    /// Loads the configuration, prepares the clients and does `work` on the background runtime.
    pub fn with<F>(common: &CommonOptions, buckets: &[String], work: impl FnOnce(Self) -> F) -> Result<Exit, Failure>
    where
        F: Future<Output = Result<Exit, Failure>>,
    {
        let environment = Environment::of_process();
        let config = Arc::new(common.load(&environment, Secrets::Required)?);
        common.begin_logging(Some(&config))?;
        let runtime = daemon::background_runtime().map_err(|error| Failure::fatal(error.to_string()))?;
        runtime.block_on(async {
            let process = Process::new(config.clone()).await.map_err(Failure::of)?;
            let access = MoverAccess::new(&process, buckets).await.map_err(Failure::of)?;
            let stop = Stop::default();
            let signals = daemon::stop_signal().map_err(|error| Failure::fatal(error.to_string()))?;
            tokio::spawn(stop_on_signal(signals, stop.clone()));
            work(Self { config, process, access, stop }).await
        })
    }

    /// Answers metrics and status while the work goes on. A port that is taken is no reason not to work:
    /// another mover on this machine may have it.
    pub fn serve_admin(&self, status: Status) {
        let readiness = Readiness::default();
        readiness.flag("working").ready();
        let admin = Admin::new(self.process.metrics.clone(), readiness, status);
        match AdminServer::start(self.config.admin.listen, admin) {
            Ok(server) => tracing::info!(admin = %server.address, "metrics and status are served"),
            Err(error) => {
                tracing::warn!(listen = %self.config.admin.listen, %error, "no metrics: the address is taken")
            }
        }
    }
}

async fn stop_on_signal(mut signals: daemon::Stopping, stop: Stop) {
    let signal = signals.next().await;
    tracing::info!(signal, "stopping after what is under way; again to stop at once");
    stop.request();
    signals.next().await;
    std::process::exit(i32::from(Exit::Fatal.code()));
}
