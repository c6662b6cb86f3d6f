//! The facade as a process serves it, in front of an emulated account, on ports of 127.0.0.1.
//!
//! Composed of the product's own parts, as the daemon does it; what judges it (the clients of the
//! tests) shares no code with it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bluebucket::blob::{BlobAccount, BlobClient, Credential, RetryPolicy, SharedKey};
use bluebucket::bucket::{Bucket, Namespace, Shared};
use bluebucket::emulator::{
    AccountConfig, CommitEvent, DEVELOPMENT_ACCOUNT, DEVELOPMENT_KEY, Emulator, EmulatorConfig, Fault, FaultRule,
    FaultScope, Operation, Trigger,
};
use bluebucket::facade::{AccessKey, AccessKeys, BucketScope, Clock, Facade, FacadeSettings, Rule, Rules, Verbs};
use bluebucket::migration::router::{OpenBuckets, Router};
use bluebucket::net::shutdown::{Shutdown, ShutdownTrigger};
use bluebucket::net::{Backoff, ByteBudget, Client, Dialer, Listener, ListenerStats, PoolLimits, ServeLimits, serve};
use bluebucket::object::{BucketName, ContainerName};
use bluebucket::s3::addressing::Addressing;
use bluebucket::state::StateStore;
use bluebucket::telemetry::{Metrics, Secret};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::data_lake::DataLake;
use super::s3_client::S3Client;
use super::sigv4::Credentials;

/// Buckets and the containers that hold them.
pub const BUCKETS: [(&str, &str); 2] = [("local-rocksdb-test", "flink"), ("local-iceberg-test", "iceberg")];
pub const BUCKET: &str = "local-rocksdb-test";
pub const CONTAINER: &str = "flink";
pub const OTHER_BUCKET: &str = "local-iceberg-test";
pub const STATE: &str = "bluebucket-state";
pub const ACCESS_KEY: &str = "AKFLINK";
/// Recognisable, so that a test can look for it where it must not be.
pub const SECRET: &str = "canary-secret-of-flink-0123456789";
pub const REGION: &str = "us-east-1";

/// A key pair of a client.
#[derive(Clone, Debug)]
pub struct Pair {
    pub id: &'static str,
    pub secret: &'static str,
    pub buckets: BucketScope,
    pub verbs: Verbs,
}

/// What a test may choose.
pub struct Setup {
    pub emulator: EmulatorConfig,
    pub pairs: Vec<Pair>,
    pub development: bool,
    pub domains: Vec<String>,
    pub in_flight_max: usize,
    pub byte_budget: u64,
    pub body_timeout: Duration,
    pub request_timeout: Duration,
    pub serve: ServeLimits,
    /// Where the account is reached; `None`: the emulator itself.
    pub store_address: Option<SocketAddr>,
    /// Longest silence of the account.
    pub store_timeout: Duration,
    /// `None`: the account key.
    pub credential: Option<Credential>,
    /// What signatures and sessions are judged by; `None`: the system's.
    pub clock: Option<Clock>,
}

/// A running facade and the account behind it.
pub struct Product {
    pub address: SocketAddr,
    pub emulator: Arc<Emulator>,
    pub store_address: SocketAddr,
    hierarchical: bool,
    pub metrics: Arc<Metrics>,
    pub keys: Arc<AccessKeys>,
    pub connections: Arc<ListenerStats>,
    trigger: ShutdownTrigger,
    served: Option<JoinHandle<()>>,
}

/// Requests that the emulator had seen at one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    counters: BTreeMap<&'static str, u64>,
    commits: usize,
}

pub const ALL_VERBS: Verbs = Verbs { read: true, write: true, delete: true, list: true };

impl Pair {
    pub fn all(id: &'static str, secret: &'static str) -> Self {
        Self { id, secret, buckets: BucketScope::All, verbs: ALL_VERBS }
    }

    pub fn only(self, buckets: &[&str]) -> Self {
        let names = buckets.iter().map(|name| BucketName::new(name).unwrap()).collect();
        Self { buckets: BucketScope::Only(names), ..self }
    }

    pub fn may(self, verbs: Verbs) -> Self {
        Self { verbs, ..self }
    }
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            emulator: EmulatorConfig { accounts: vec![account()], event_log: true, ..EmulatorConfig::default() },
            pairs: vec![Pair::all(ACCESS_KEY, SECRET)],
            development: false,
            domains: Vec::new(),
            in_flight_max: 256,
            byte_budget: 64 << 20,
            body_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(60),
            serve: ServeLimits { drain_delay: Duration::ZERO, ..ServeLimits::default() },
            store_address: None,
            store_timeout: Duration::from_secs(10),
            credential: None,
            clock: None,
        }
    }
}

/// The account of a test: hierarchical in test programs whose name says so.
fn account() -> AccountConfig {
    let account = AccountConfig::memory(DEVELOPMENT_ACCOUNT);
    if env!("CARGO_CRATE_NAME").ends_with("hierarchical") { account.hierarchical() } else { account }
}

impl Setup {
    pub fn of(account: AccountConfig) -> Self {
        let mut setup = Self::default();
        setup.emulator.accounts = vec![account];
        setup
    }

    pub fn is_hierarchical(&self) -> bool {
        self.emulator.accounts[0].hierarchical
    }
}

impl Product {
    pub async fn start() -> Self {
        Self::with(Setup::default()).await
    }

    pub async fn with(setup: Setup) -> Self {
        let emulator = Emulator::new(setup.emulator.clone());
        for container in BUCKETS.iter().map(|(_, container)| *container).chain([STATE]) {
            emulator.create_container(DEVELOPMENT_ACCOUNT, container);
        }
        let entrance = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let emulator_address = entrance.local_addr().unwrap();
        tokio::spawn(emulator.clone().serve(entrance, std::future::pending()));
        Self::in_front_of(emulator, setup.store_address.unwrap_or(emulator_address), setup)
    }

    /// A facade for an emulator that runs already: another replica, or one behind a proxy.
    pub fn in_front_of(emulator: Arc<Emulator>, store_address: SocketAddr, setup: Setup) -> Self {
        let metrics = Arc::new(Metrics::new());
        let keys = Arc::new(AccessKeys::new(setup.pairs.iter().map(|pair| access_key(pair, &metrics))));
        let settings = FacadeSettings {
            region: REGION.into(),
            addressing: Addressing::new(setup.domains.iter().map(String::as_str)),
            development: setup.development,
            body_timeout: setup.body_timeout,
            request_timeout: setup.request_timeout,
            in_flight: Arc::new(Semaphore::new(setup.in_flight_max)),
            budget: ByteBudget::new(setup.byte_budget),
            keys: keys.clone(),
            metrics: metrics.clone(),
        };
        let mut facade = Facade::new(Arc::new(settings), router(store_address, &setup));
        if let Some(clock) = &setup.clock {
            facade = facade.with_clock(clock.clone());
        }
        let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0)), false).unwrap();
        let (address, connections) = (listener.local_addr().unwrap(), listener.stats());
        let (trigger, shutdown) = Shutdown::new();
        let handler = move |request, _| {
            let facade = facade.clone();
            async move { facade.handle(request).await }
        };
        let served = tokio::spawn(serve(listener, setup.serve, handler, shutdown));
        let hierarchical = setup.is_hierarchical();
        let served = Some(served);
        Self { address, emulator, store_address, hierarchical, metrics, keys, connections, trigger, served }
    }

    pub fn is_hierarchical(&self) -> bool {
        self.hierarchical
    }

    /// A native client of the account.
    pub fn data_lake(&self) -> DataLake {
        DataLake::new(self.emulator.clone(), CONTAINER)
    }

    /// A client with the first key pair.
    pub fn client(&self) -> S3Client {
        self.client_as(ACCESS_KEY, SECRET)
    }

    pub fn client_as(&self, id: &str, secret: &str) -> S3Client {
        S3Client::tcp(self.address, Credentials::new(id, secret))
    }

    /// What the account has been asked for so far.
    pub fn seen(&self) -> Seen {
        Seen { counters: self.emulator.counters(), commits: self.emulator.events(0).len() }
    }

    /// Requests to the account since `before`, by operation.
    pub fn calls_since(&self, before: &Seen) -> BTreeMap<&'static str, u64> {
        let now = self.emulator.counters();
        let calls = now.into_iter().map(|(name, count)| (name, count - before.counters.get(name).unwrap_or(&0)));
        calls.filter(|(_, count)| *count > 0).collect()
    }

    /// Changes that readers of the account can see, since `before`.
    pub fn commits_since(&self, before: &Seen) -> Vec<CommitEvent> {
        self.emulator.events(before.commits)
    }

    pub fn assert_no_call_since(&self, before: &Seen, context: &str) {
        let calls = self.calls_since(before);
        assert!(calls.is_empty(), "{context}: the account was asked for {calls:?}");
    }

    pub fn assert_no_commit_since(&self, before: &Seen, context: &str) {
        let commits = self.commits_since(before);
        assert!(commits.is_empty(), "{context}: the account was changed: {commits:?}");
    }

    /// Makes every request for `operation` fail from now on.
    pub fn fail_always(&self, operation: Operation, fault: Fault) {
        self.fail(operation, Trigger::Probability(1.0), fault);
    }

    pub fn fail(&self, operation: Operation, trigger: Trigger, fault: Fault) {
        self.emulator.set_fault(FaultRule { scope: FaultScope::operation(operation), trigger, fault });
    }

    pub fn heal(&self) {
        self.emulator.set_faults(Default::default());
    }

    /// Begins to drain; what is in flight goes on.
    pub fn drain(&self) {
        self.trigger.drain();
    }

    /// Cuts everything and waits for the last connection.
    pub async fn stop(mut self) {
        self.trigger.stop();
        self.finished().await;
    }

    /// Waits until the last connection has closed.
    pub async fn finished(&mut self) {
        if let Some(served) = self.served.take() {
            served.await.unwrap();
        }
    }
}

fn access_key(pair: &Pair, metrics: &Arc<Metrics>) -> AccessKey {
    AccessKey {
        component: pair.id.to_lowercase(),
        id: pair.id.into(),
        secret: Secret::new(pair.secret),
        rules: Rules::new([Rule { buckets: pair.buckets.clone(), prefix: String::new(), verbs: pair.verbs }]),
        metrics: metrics.facade.component(&pair.id.to_lowercase()),
    }
}

fn router(store: SocketAddr, setup: &Setup) -> Router {
    // Quick, so that a test that wants a failure waits for no long backoff.
    let backoff = Backoff {
        base: Duration::from_millis(5),
        max: Duration::from_millis(50),
        tries_max: 4,
        total_max: Duration::from_secs(2),
    };
    let limits = PoolLimits {
        connections_max: 64,
        idle_max: Duration::from_secs(30),
        connect_timeout: Duration::from_secs(2),
        read_timeout: setup.store_timeout,
    };
    let account = BlobAccount::parse(&format!("http://{store}/{DEVELOPMENT_ACCOUNT}")).unwrap();
    let key = || Credential::SharedKey(SharedKey::new(DEVELOPMENT_ACCOUNT, DEVELOPMENT_KEY).unwrap());
    let credential = setup.credential.clone().unwrap_or_else(key);
    let http = Client::new(Dialer::network(None), limits);
    let blobs = BlobClient::new(account, credential, http, RetryPolicy { backoff, ..RetryPolicy::default() });
    let state = StateStore::new(blobs.clone(), ContainerName::new(STATE).unwrap());
    let namespace = if setup.is_hierarchical() { Namespace::Hierarchical } else { Namespace::Flat };
    let shared = Arc::new(Shared::new(namespace));
    let router = Router::new(BUCKETS.map(|(bucket, container)| {
        let (bucket, container) = (BucketName::new(bucket).unwrap(), ContainerName::new(container).unwrap());
        Bucket::new(bucket, container, blobs.clone(), state.clone(), shared.clone())
    }));
    if setup.development { router.with_open_buckets(OpenBuckets { blobs, state, shared }) } else { router }
}
