//! The facade's threads: each with a runtime, a listening socket on the shared port, connection pools
//! and clients of its own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::AzureAccess;
use crate::bucket::{Bucket, Shared};
use crate::config::{
    BucketConfig, Config, FacadeConfig, FacadeKey, FacadeLimits, KeyBuckets, KeyRule, StsConfig, Verb,
};
use crate::facade::{
    AccessKey, AccessKeys, BucketScope, Facade, FacadeSettings, Rule, Rules, STREAM_BYTES, SealingKeys, Verbs,
};
use crate::migration::router::{OpenBuckets, Router};
use crate::net::serve::{Room, ServeLimits, serve_within};
use crate::net::shutdown::{Phase, Shutdown, ShutdownTrigger};
use crate::net::tls::ServerTls;
use crate::net::{ByteBudget, Listener};
use crate::object::{Error, ErrorKind, Result};
use crate::s3::addressing::Addressing;
use crate::telemetry::Metrics;
use crate::telemetry::metrics::{ComponentReport, FacadeMetrics};

/// The running facade.
pub struct FacadeServer {
    pub address: SocketAddr,
    trigger: ShutdownTrigger,
    threads: Vec<JoinHandle<()>>,
    keys: Arc<AccessKeys>,
    tls: Option<ServerTls>,
}

impl FacadeServer {
    /// Binds the address and starts the threads.
    ///
    /// # Errors
    /// `Invalid` if the address cannot be bound or the certificate cannot be used.
    pub fn start(config: &Config, facade: &FacadeConfig, azure: &AzureAccess, metrics: &Arc<Metrics>) -> Result<Self> {
        let tls = facade
            .tls
            .as_ref()
            .map(|tls| ServerTls::load(&tls.certificate.path, &tls.key.path))
            .transpose()
            .map_err(|error| Error::new(ErrorKind::Invalid, format!("[facade.tls]: {error}")))?;
        let keys = Arc::new(AccessKeys::new(facade.keys.iter().map(|key| access_key(key, metrics))));
        keys.replace_sealing(sealing_keys(facade));
        let settings = Arc::new(settings(facade, keys.clone(), metrics.clone()));
        let shared = azure.shared();
        let room = Room::new(facade.limits.connections_max);
        let azure = azure.with_connections(connections_to_store(&facade.limits));
        let (trigger, shutdown) = Shutdown::new();
        let mut address = facade.listen;
        let mut threads = Vec::new();
        for index in 0..thread_count(facade) {
            let listener = bind(address, tls.as_ref())?;
            address = listener.local_addr().map_err(|error| cannot_bind(address, &error))?;
            let stats = listener.stats();
            metrics.facade.watch_connections(move || stats.open.load(Ordering::Relaxed));
            let thread = Thread {
                listener,
                room: room.clone(),
                limits: serve_limits(facade),
                settings: settings.clone(),
                azure: azure.clone(),
                buckets: config.buckets.clone(),
                shared: shared.clone(),
                shutdown: shutdown.clone(),
            };
            let spawned = std::thread::Builder::new().name(format!("facade-{index}")).spawn(move || thread.run());
            threads.push(spawned.map_err(|error| Error::new(ErrorKind::Unexpected, error.to_string()))?);
        }
        Ok(Self { address, trigger, threads, keys, tls })
    }

    /// Puts new key pairs and sealing keys in force.
    pub fn replace_keys(&self, facade: &FacadeConfig, metrics: &Arc<Metrics>) {
        self.keys.replace(facade.keys.iter().map(|key| access_key(key, metrics)));
        self.keys.replace_sealing(sealing_keys(facade));
    }

    /// Tells, whenever it is called, what each component did, also one that never came, and what requests did
    /// of which nobody knows whose they are, if there were some.
    pub fn component_reports(&self, metrics: &Metrics) -> impl Fn() -> Vec<ComponentReport> + Send + Clone + 'static {
        let (keys, unknown) = (self.keys.clone(), metrics.facade.component(FacadeMetrics::UNKNOWN_COMPONENT));
        move || {
            let mut reports = keys.reports();
            reports.retain(|report| report.component != FacadeMetrics::UNKNOWN_COMPONENT);
            let unknown = unknown.report();
            reports.extend((unknown.requests() > 0).then_some(unknown));
            reports
        }
    }

    /// Reads the certificate again.
    ///
    /// # Errors
    /// `Invalid`; the old certificate stays in use.
    pub fn reload_certificate(&self) -> Result<()> {
        let Some(tls) = &self.tls else { return Ok(()) };
        tls.reload().map_err(|error| Error::new(ErrorKind::Invalid, error.to_string()))
    }

    /// Stops taking requests in, finishes what has begun.
    pub fn drain(&self) {
        self.trigger.drain();
    }

    /// Cuts what is still under way.
    pub fn stop(&self) {
        self.trigger.stop();
    }

    /// Waits until the last connection is closed.
    pub async fn finished(self) {
        let threads = self.threads;
        let joined = tokio::task::spawn_blocking(move || {
            for thread in threads {
                let _ = thread.join();
            }
        });
        let _ = joined.await;
    }
}

/// What one thread takes with it.
struct Thread {
    listener: Listener,
    /// For the connections of all threads.
    room: Room,
    limits: ServeLimits,
    settings: Arc<FacadeSettings>,
    azure: AzureAccess,
    buckets: Vec<BucketConfig>,
    shared: Arc<Shared>,
    shutdown: Shutdown,
}

impl Thread {
    fn run(self) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        match runtime {
            Ok(runtime) => runtime.block_on(self.serve()),
            Err(error) => tracing::error!(%error, "a facade thread has no runtime"),
        }
    }

    async fn serve(self) {
        let blobs = self.azure.client();
        let state = self.azure.state(&blobs);
        let bucket = |config: &BucketConfig| {
            let (name, container) = (config.name.clone(), config.container.clone());
            Bucket::new(name, container, blobs.clone(), state.clone(), self.shared.clone())
        };
        let mut router = Router::new(self.buckets.iter().map(bucket));
        if self.settings.development {
            router = router.with_open_buckets(OpenBuckets {
                blobs: blobs.clone(),
                state: state.clone(),
                shared: self.shared.clone(),
            });
        }
        let facade = Arc::new(Facade::new(self.settings, router));
        let serving = facade.clone();
        let handler = move |request, _peer| {
            let facade = serving.clone();
            async move { facade.handle(request).await }
        };
        let limits = self.limits;
        let limit = tokio::spawn(end_of_drain(limits.drain_delay + limits.drain_deadline, self.shutdown.clone()));
        serve_within(self.room, self.listener, limits, handler, self.shutdown).await;
        // A Complete goes on without its client: it is finished like any other request.
        tokio::select! {
            biased;
            _ = facade.settled() => {}
            _ = limit => tracing::warn!(completes = facade.pursued(), "left unfinished at the end of the drain"),
        }
    }
}

/// Returns when a drain is over, `after` its beginning or when it is broken off.
async fn end_of_drain(after: Duration, mut shutdown: Shutdown) {
    shutdown.reached(Phase::Draining).await;
    tokio::select! {
        () = tokio::time::sleep(after) => {}
        () = shutdown.reached(Phase::Stop) => {}
    }
}

fn bind(address: SocketAddr, tls: Option<&ServerTls>) -> Result<Listener> {
    let listener = Listener::bind(address, true).map_err(|error| cannot_bind(address, &error))?;
    Ok(match tls {
        Some(tls) => listener.with_tls(tls.current()),
        None => listener,
    })
}

fn cannot_bind(address: SocketAddr, error: &std::io::Error) -> Error {
    Error::new(ErrorKind::Invalid, format!("[facade] listen = \"{address}\" cannot be bound: {error}"))
}

fn thread_count(facade: &FacadeConfig) -> usize {
    match facade.limits.threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        threads => threads,
    }
}

fn settings(facade: &FacadeConfig, keys: Arc<AccessKeys>, metrics: Arc<Metrics>) -> FacadeSettings {
    let limits = &facade.limits;
    FacadeSettings {
        region: facade.region.clone(),
        addressing: Addressing::new(facade.domains.iter().map(String::as_str)),
        development: facade.development,
        body_timeout: limits.body_timeout,
        request_timeout: limits.request_timeout,
        in_flight: Arc::new(Semaphore::new(limits.in_flight_max)),
        budget: ByteBudget::new(limits.byte_budget),
        keys,
        metrics,
    }
}

/// Connections that one thread may open to the account: every request may meet on one thread, so a slow
/// stream never keeps a request waiting that was admitted.
fn connections_to_store(limits: &FacadeLimits) -> usize {
    let streams = limits.byte_budget / 2 / STREAM_BYTES;
    limits.in_flight_max.saturating_add(usize::try_from(streams).unwrap_or(usize::MAX))
}

fn serve_limits(facade: &FacadeConfig) -> ServeLimits {
    let limits = &facade.limits;
    ServeLimits {
        connections_max: limits.connections_max,
        header_read_timeout: limits.headers_timeout,
        idle_timeout: limits.idle_timeout,
        drain_delay: limits.drain_delay,
        drain_deadline: limits.drain_timeout,
        ..ServeLimits::default()
    }
}

fn sealing_keys(facade: &FacadeConfig) -> SealingKeys {
    SealingKeys::new(facade.sts.iter().flat_map(StsConfig::keys))
}

fn access_key(key: &FacadeKey, metrics: &Arc<Metrics>) -> AccessKey {
    AccessKey {
        component: key.component.clone(),
        id: key.access_key_id.clone(),
        secret: key.secret.value.clone(),
        rules: Rules::new(key.rules.iter().map(rule)),
        metrics: metrics.facade.component(&key.component),
    }
}

fn rule(rule: &KeyRule) -> Rule {
    let verb = |verb| rule.verbs.contains(&verb);
    Rule {
        buckets: match &rule.buckets {
            KeyBuckets::All => BucketScope::All,
            KeyBuckets::Some(names) => BucketScope::Only(names.iter().cloned().collect()),
        },
        prefix: rule.prefix.clone(),
        verbs: Verbs {
            read: verb(Verb::Read),
            write: verb(Verb::Write),
            delete: verb(Verb::Delete),
            list: verb(Verb::List),
        },
    }
}
