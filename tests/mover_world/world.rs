//! A source and an emulated account to move between, for the mover's tests.

// Each test binary uses a part of it.
#![allow(dead_code)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::harness::s3_source::{Listening, S3Source};
use bluebucket::blob::{BlobAccount, BlobClient, Credential, RetryPolicy, SharedKey};
use bluebucket::bucket::{Bucket, Namespace, Shared};
use bluebucket::emulator::{DEVELOPMENT_ACCOUNT, DEVELOPMENT_KEY, Emulator, EmulatorConfig};
use bluebucket::migration::import::Importer;
use bluebucket::migration::ranges::Ranges;
use bluebucket::mover::backfill::{self, BackfillSettings};
use bluebucket::mover::progress::Progress;
use bluebucket::mover::summary::Summary;
use bluebucket::mover::{BucketClients, Factory, ThreadClients};
use bluebucket::net::{Backoff, Client, Dialer, PoolLimits};
use bluebucket::object::{BucketName, ContainerName, ObjectBody, ObjectKey, Read, ReadRequest, Result};
use bluebucket::source::{Addressing, CredentialProvider, Credentials, SourceClient, SourceConfig, SourceStats};
use bluebucket::state::StateStore;
use bluebucket::telemetry::Metrics;

pub const BUCKET: &str = "local-iceberg-test";
pub const CONTAINER: &str = "iceberg";
pub const STATE: &str = "bluebucket-state";

/// Both sides of a migration, on ports of 127.0.0.1.
pub struct World {
    pub source: S3Source,
    pub emulator: Arc<Emulator>,
    source_address: String,
    store_address: SocketAddr,
    namespace: Namespace,
    pub metrics: Arc<Metrics>,
    _listening: Listening,
}

impl World {
    pub async fn new() -> Self {
        Self::with(EmulatorConfig { event_log: true, ..EmulatorConfig::default() }).await
    }

    pub async fn with(config: EmulatorConfig) -> Self {
        let source = S3Source::new(crate::harness::random::seed("mover"));
        source.create_bucket(BUCKET);
        let listening = source.listen().await.unwrap();
        let hierarchical = config.accounts.iter().any(|account| account.hierarchical);
        let namespace = if hierarchical { Namespace::Hierarchical } else { Namespace::Flat };
        let emulator = Emulator::new(config);
        emulator.create_container(DEVELOPMENT_ACCOUNT, CONTAINER);
        emulator.create_container(DEVELOPMENT_ACCOUNT, STATE);
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let store_address = listener.local_addr().unwrap();
        tokio::spawn(emulator.clone().serve(listener, std::future::pending()));
        Self {
            source,
            emulator,
            source_address: listening.url(),
            store_address,
            namespace,
            metrics: Arc::new(Metrics::new()),
            _listening: listening,
        }
    }

    /// Clients as a thread of the mover gets them.
    pub fn factory(&self) -> Factory {
        let (source, store) = (self.source_address.clone(), self.store_address);
        let shared = Arc::new(Shared::new(self.namespace));
        Arc::new(move || clients(&source, store, shared.clone()))
    }

    pub fn clients(&self) -> BucketClients {
        (self.factory())().unwrap().buckets.remove(0)
    }

    pub fn bucket(&self) -> Bucket {
        self.clients().importer.bucket().clone()
    }

    pub fn progress(&self) -> Arc<Progress> {
        Progress::new([BUCKET.to_owned()], self.metrics.clone())
    }

    pub async fn backfill(&self) -> Result<Summary> {
        self.backfill_with(settings()).await
    }

    pub async fn backfill_with(&self, settings: BackfillSettings) -> Result<Summary> {
        backfill::run(settings, self.factory(), self.progress()).await
    }

    /// An object as clients of the facade would get it.
    pub async fn get(&self, key: &str) -> Option<ObjectBody> {
        let key = ObjectKey::new(key).unwrap();
        match self.bucket().get(&key, &ReadRequest::default()).await {
            Ok(Read::Object(object)) => Some(object),
            Ok(Read::NotModified(_)) => panic!("unconditional"),
            Err(error) if error.kind() == bluebucket::object::ErrorKind::NotFound => None,
            Err(error) => panic!("{key}: {error}"),
        }
    }

    pub async fn bytes(&self, key: &str) -> Option<Vec<u8>> {
        let object = self.get(key).await?;
        Some(bluebucket::object::body::collect(object.body, 1 << 30).await.unwrap().to_vec())
    }

    /// Every live object of the source is on Blob, byte for byte and with its ETag.
    pub async fn assert_equal(&self) {
        for (key, stored) in self.source.live_objects(BUCKET) {
            let bytes = self.bytes(&key).await.unwrap_or_else(|| panic!("{key:?} is missing"));
            assert!(bytes == stored.content.to_vec(), "{key:?} differs");
        }
    }
}

/// Small and quick: tests wait for no real service.
pub fn settings() -> BackfillSettings {
    let mut settings = BackfillSettings { host: "test".into(), ranges: 4, ..BackfillSettings::default() };
    settings.transfer.large_threshold = 1 << 20;
    settings.transfer.block_size = 256 << 10;
    settings.transfer.backoff =
        Backoff { base: Duration::from_millis(5), max: Duration::from_millis(50), ..settings.transfer.backoff };
    settings
}

fn clients(source: &str, store: SocketAddr, shared: Arc<Shared>) -> Result<ThreadClients> {
    let backoff = Backoff {
        base: Duration::from_millis(2),
        max: Duration::from_millis(20),
        tries_max: 4,
        total_max: Duration::from_secs(5),
    };
    let limits = PoolLimits {
        connections_max: 64,
        idle_max: Duration::from_secs(30),
        connect_timeout: Duration::from_secs(5),
        read_timeout: Duration::from_secs(5),
    };
    let http = Client::new(Dialer::network(None), limits);
    let config = SourceConfig {
        endpoint: Some(source.to_owned()),
        region: "us-east-1".into(),
        addressing: Addressing::Path,
        credentials: CredentialProvider::fixed(Credentials::new("access", "a secret that is long")),
        user_agent: "bluebucket-test".into(),
        backoff,
    };
    let source = SourceClient::new(config, http.clone(), Arc::new(SourceStats::default()))?;
    let account = BlobAccount::parse(&format!("http://{store}/{DEVELOPMENT_ACCOUNT}"))?;
    let key = Credential::SharedKey(SharedKey::new(DEVELOPMENT_ACCOUNT, DEVELOPMENT_KEY)?);
    let blobs = BlobClient::new(account, key, http, RetryPolicy { backoff, ..RetryPolicy::default() });
    let state = StateStore::new(blobs.clone(), ContainerName::new(STATE).unwrap());
    let name = BucketName::new(BUCKET).unwrap();
    let bucket = Bucket::new(name.clone(), ContainerName::new(CONTAINER).unwrap(), blobs, state.clone(), shared);
    let ranges = Ranges::new(state, name.clone());
    Ok(ThreadClients {
        buckets: vec![BucketClients { source, source_bucket: name, importer: Importer::new(bucket), ranges }],
    })
}
