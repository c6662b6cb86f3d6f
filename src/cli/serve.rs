//! `bluebucket serve`: the facade as a daemon.

use std::sync::Arc;
use std::time::SystemTime;

use clap::Args;
use serde_json::json;

use super::{CommonOptions, Exit, Failure};
use crate::admin::components::{components, components_by_operation};
use crate::admin::{Admin, Readiness, Status};
use crate::config::{self, Config, Environment, Secrets};
use crate::daemon::{self, AdminServer, FacadeServer, Process, Stopping};
use crate::telemetry::Metrics;

/// Serves the S3 API on Blob Storage
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub struct ServeArgs {}

const EXAMPLES: &str = "\
Runs until SIGTERM or SIGINT; then it says that it is not ready, goes on for drain_delay, finishes \
what it has begun and ends with 0. A second signal ends it at once. Key pairs and certificates are \
read again when their files change.

Examples:
  bluebucket serve -c /etc/bluebucket/bluebucket.toml
  BLUEBUCKET_FACADE_LISTEN=127.0.0.1:9000 bluebucket serve --log debug";

pub fn run(common: &CommonOptions, _args: &ServeArgs) -> Result<Exit, Failure> {
    let environment = Environment::of_process();
    let config = Arc::new(common.load(&environment, Secrets::Required)?);
    common.begin_logging(Some(&config))?;
    let runtime = daemon::background_runtime().map_err(|error| Failure::fatal(error.to_string()))?;
    runtime.block_on(serve(common, environment, config))
}

async fn serve(common: &CommonOptions, environment: Environment, config: Arc<Config>) -> Result<Exit, Failure> {
    let Some(facade_config) = config.facade.clone() else {
        return Err(Failure::usage("the configuration has no [facade] section: there is nothing to serve"));
    };
    let mut stopping = daemon::stop_signal().map_err(|error| Failure::fatal(error.to_string()))?;
    let process = Process::new(config.clone()).await.map_err(Failure::of)?;
    process.azure.state(&process.azure.client()).ensure_container().await.map_err(|error| {
        Failure::of(error.context(format_args!("prepare the state container {}", config.azure.state_container)))
    })?;
    let readiness = Readiness::default();
    let serving = readiness.flag("serving");
    let credential = process.azure.credential().clone();
    readiness.check("token", move || daemon::token_is_valid(&credential));
    let facade = FacadeServer::start(&config, &facade_config, &process.azure, &process.metrics).map_err(Failure::of)?;
    let admin = Admin::new(process.metrics.clone(), readiness, status(&config, &facade, &process.metrics));
    let admin = AdminServer::start(config.admin.listen, admin).map_err(|error| {
        Failure::usage(format!("[admin] listen = \"{}\" cannot be bound: {error}", config.admin.listen))
    })?;
    tokio::spawn(daemon::sweep(config.clone(), process.azure.clone(), process.metrics.clone()));
    serving.ready();
    let scheme = if facade_config.tls.is_some() { "https" } else { "http" };
    tracing::info!(listen = %format_args!("{scheme}://{}", facade.address), admin = %admin.address, "serving");
    let changes = config::watch(common.config_path(&environment), environment, config, config::POLL_INTERVAL);
    let facade = follow(facade, changes, &process, &mut stopping).await;
    serving.not_ready("draining");
    tracing::info!("draining");
    facade.drain();
    tokio::select! {
        () = second_signal(&mut stopping) => Err(Failure::fatal("stopped before everything was finished")),
        () = facade.finished() => {
            tracing::info!("stopped");
            Ok(Exit::Done)
        }
    }
}

/// Puts new secrets in force until a signal comes.
async fn follow(
    facade: FacadeServer,
    mut changes: tokio::sync::watch::Receiver<Arc<Config>>,
    process: &Process,
    stopping: &mut Stopping,
) -> FacadeServer {
    loop {
        tokio::select! {
            signal = stopping.next() => {
                tracing::info!(signal, "signal received");
                return facade;
            }
            changed = changes.changed() => {
                if changed.is_err() {
                    stopping.next().await;
                    return facade;
                }
                let config = changes.borrow_and_update().clone();
                if let Some(changed) = &config.facade {
                    facade.replace_keys(changed, &process.metrics);
                    if let Err(error) = facade.reload_certificate() {
                        tracing::error!(%error, "the new certificate cannot be used, the old one stays");
                    }
                }
                tracing::info!("key pairs and certificate were read again");
            }
        }
    }
}

async fn second_signal(stopping: &mut Stopping) {
    stopping.next().await;
}

fn status(config: &Config, facade: &FacadeServer, metrics: &Metrics) -> Status {
    let status = Status::default();
    let address = facade.address.to_string();
    let buckets: Vec<_> = config
        .buckets
        .iter()
        .map(|bucket| json!({"bucket": bucket.name.as_str(), "container": bucket.container.as_str(), "truth": "azure"}))
        .collect();
    let account = config.azure.account.clone();
    status.section("facade", move || json!({"listen": address, "account": account}));
    status.section("buckets", move || json!(buckets));
    let reports = facade.component_reports(metrics);
    status.section("components", {
        let reports = reports.clone();
        move || components(&reports(), SystemTime::now())
    });
    status.section("components_by_operation", move || components_by_operation(&reports()));
    status
}
