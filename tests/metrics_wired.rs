//! What the clients do, and what `/metrics` says that they did.

#[path = "harness/entra.rs"]
mod entra;
#[path = "harness/scripted.rs"]
mod scripted;

use std::sync::Arc;
use std::time::Duration;

use bluebucket::blob::get_blob::ReadRange;
use bluebucket::blob::put_blob::PutBlob;
use bluebucket::blob::{
    BlobAccount, BlobClient, BlobCondition, BlobRef, Credential, RetryPolicy, SharedKey, TokenSource,
};
use bluebucket::emulator::{
    DEVELOPMENT_ACCOUNT, DEVELOPMENT_KEY, Emulator, EmulatorConfig, Fault, Operation, Throttle,
};
use bluebucket::net::{Backoff, Client, Dialer, PoolLimits};
use bluebucket::object::body::collect;
use bluebucket::object::{BucketName, ContainerName, ErrorKind, Payload};
use bluebucket::source::{Addressing, CredentialProvider, Credentials, GetSource, SourceClient, SourceConfig};
use bluebucket::telemetry::{Metrics, Peer};
use bytes::Bytes;
use scripted::{Reply, Scripted};

const LIMITS: PoolLimits = PoolLimits {
    connections_max: 1,
    idle_max: Duration::from_secs(30),
    connect_timeout: Duration::from_secs(5),
    read_timeout: Duration::from_secs(5),
};

const BACKOFF: Backoff = Backoff {
    base: Duration::from_millis(5),
    max: Duration::from_millis(20),
    tries_max: 4,
    total_max: Duration::from_secs(10),
};

/// The value of a series; 0 if it is not shown.
#[track_caller]
fn value(metrics: &Metrics, series: &str) -> f64 {
    let text = metrics.render();
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.map_or(0.0, |value| value.parse().unwrap())
}

#[track_caller]
fn assert_series(metrics: &Metrics, expected: &[(&str, f64)]) {
    for (series, count) in expected {
        assert_eq!(value(metrics, series), *count, "{series} in\n{}", metrics.render());
    }
}

struct Fixture {
    emulator: Arc<Emulator>,
    metrics: Arc<Metrics>,
    client: BlobClient,
    container: ContainerName,
}

impl Fixture {
    async fn new(credential: Option<Credential>) -> Self {
        let emulator = Emulator::new(EmulatorConfig::default());
        emulator.create_container(DEVELOPMENT_ACCOUNT, "flink");
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/{DEVELOPMENT_ACCOUNT}", listener.local_addr().unwrap());
        tokio::spawn(emulator.clone().serve(listener, std::future::pending()));
        let metrics = Arc::new(Metrics::new());
        let http = Client::new(Dialer::network(None), LIMITS).with_metrics(metrics.pool(Peer::Blob));
        let key = || Credential::SharedKey(SharedKey::new(DEVELOPMENT_ACCOUNT, DEVELOPMENT_KEY).unwrap());
        let retry = RetryPolicy { backoff: BACKOFF, resumes_max: 2 };
        let account = BlobAccount::parse(&url).unwrap();
        let client = BlobClient::new(account, credential.unwrap_or_else(key), http, retry);
        let client = client.with_metrics(metrics.clone());
        Self { emulator, metrics, client, container: ContainerName::new("flink").unwrap() }
    }

    fn blob<'a>(&'a self, name: &'a str) -> BlobRef<'a> {
        BlobRef { container: &self.container, name }
    }

    async fn put(&self, name: &str, payload: Payload) {
        self.client.put_blob(self.blob(name), payload, PutBlob::default()).await.unwrap();
    }

    async fn read(&self, name: &str) -> Bytes {
        let download = self.client.get_blob(self.blob(name), ReadRange::All, &BlobCondition::None).await.unwrap();
        collect(download.body, 1 << 20).await.unwrap()
    }
}

fn stream(pieces: usize, error: Option<ErrorKind>) -> Payload {
    let error = error.map(|kind| Err(bluebucket::object::Error::new(kind, "given")));
    let frames: Vec<_> = (0..pieces).map(|_| Ok(Bytes::from(vec![1; 1000]))).chain(error).collect();
    Payload::stream(5000, Box::pin(futures::stream::iter(frames)))
}

#[tokio::test]
async fn requests_bytes_and_connections_of_the_blob_client() {
    let fixture = Fixture::new(None).await;
    let metrics = &fixture.metrics;
    fixture.put("bytes", Bytes::from(vec![0; 300]).into()).await;
    fixture.put("stream", stream(5, None)).await;
    assert_eq!(fixture.read("bytes").await.len(), 300);
    let missing = fixture.client.get_properties(fixture.blob("none")).await;
    assert_eq!(missing.unwrap_err().kind(), ErrorKind::NotFound);
    assert_series(
        metrics,
        &[
            (r#"bluebucket_blob_requests_total{operation="put_blob",outcome="ok"}"#, 2.0),
            (r#"bluebucket_blob_requests_total{operation="get_blob",outcome="ok"}"#, 1.0),
            (r#"bluebucket_blob_requests_total{operation="get_blob_properties",outcome="not_found"}"#, 1.0),
            (r#"bluebucket_blob_request_duration_seconds_count{operation="put_blob"}"#, 2.0),
            (r#"bluebucket_blob_sent_bytes_total{operation="put_blob"}"#, 5300.0),
            (r#"bluebucket_blob_received_bytes_total{operation="get_blob"}"#, 300.0),
            (r#"bluebucket_blob_sent_bytes_total{operation="get_blob"}"#, 0.0),
            (r#"bluebucket_blob_retries_total{operation="put_blob"}"#, 0.0),
            (r#"bluebucket_pool_dials_total{peer="blob",result="ok"}"#, 1.0),
            (r#"bluebucket_pool_open_connections{peer="blob"}"#, 1.0),
            (r#"bluebucket_pool_idle_connections{peer="source"}"#, 0.0),
        ],
    );
    eventually(metrics, r#"bluebucket_pool_idle_connections{peer="blob"}"#, 1.0).await;
    let held = fixture.client.get_blob(fixture.blob("stream"), ReadRange::All, &BlobCondition::None).await.unwrap();
    assert_eq!(value(metrics, r#"bluebucket_pool_idle_connections{peer="blob"}"#), 0.0);
    drop(held);
    let Fixture { client, metrics, .. } = fixture;
    drop(client);
    eventually(&metrics, r#"bluebucket_pool_open_connections{peer="blob"}"#, 0.0).await;
    eventually(&metrics, r#"bluebucket_pool_idle_connections{peer="blob"}"#, 0.0).await;
}

/// Connections are closed by tasks of their own.
async fn eventually(metrics: &Metrics, series: &str, expected: f64) {
    for _ in 0..500 {
        if value(metrics, series) == expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_series(metrics, &[(series, expected)]);
}

#[tokio::test]
async fn throttles_retries_and_broken_bodies() {
    let fixture = Fixture::new(None).await;
    let metrics = &fixture.metrics;
    fixture.emulator.next_fault(Operation::PutBlob, Fault::Throttle { text: Throttle::Ingress, retry_after: None });
    fixture.put("a", Bytes::from(vec![0; 2000]).into()).await;
    assert_eq!(metrics.blob.throttles() + metrics.source.throttles(), 1);

    fixture.emulator.next_fault(Operation::GetBlob, Fault::ResetBody { after: 700 });
    assert_eq!(fixture.read("a").await.len(), 2000);

    fixture.emulator.next_fault(Operation::GetBlob, Fault::ConnectionLost);
    assert_eq!(fixture.read("a").await.len(), 2000);

    let failing = stream(2, Some(ErrorKind::ChecksumMismatch));
    let failed = fixture.client.put_blob(fixture.blob("b"), failing, PutBlob::default()).await;
    assert_eq!(failed.unwrap_err().kind(), ErrorKind::ChecksumMismatch);
    assert_series(
        metrics,
        &[
            (r#"bluebucket_blob_requests_total{operation="put_blob",outcome="throttled"}"#, 1.0),
            (r#"bluebucket_blob_requests_total{operation="put_blob",outcome="ok"}"#, 1.0),
            (r#"bluebucket_blob_requests_total{operation="put_blob",outcome="cancelled"}"#, 1.0),
            (r#"bluebucket_blob_throttles_total{reason="ingress"}"#, 1.0),
            (r#"bluebucket_blob_throttles_total{reason="unknown"}"#, 0.0),
            (r#"bluebucket_blob_retries_total{operation="put_blob"}"#, 1.0),
            // Two tries of 2000 bytes, and the two pieces that came before the failure.
            (r#"bluebucket_blob_sent_bytes_total{operation="put_blob"}"#, 6000.0),
            // A read, its rest, a try without an answer, and its repetition.
            (r#"bluebucket_blob_requests_total{operation="get_blob",outcome="ok"}"#, 3.0),
            (r#"bluebucket_blob_requests_total{operation="get_blob",outcome="unavailable"}"#, 1.0),
            (r#"bluebucket_blob_retries_total{operation="get_blob"}"#, 2.0),
            (r#"bluebucket_blob_received_bytes_total{operation="get_blob"}"#, 4000.0),
        ],
    );
}

#[tokio::test]
async fn a_peer_that_is_not_there() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let metrics = Arc::new(Metrics::new());
    let http = Client::new(Dialer::network(None), LIMITS).with_metrics(metrics.pool(Peer::Blob));
    let key = Credential::SharedKey(SharedKey::new("account", "a2V5").unwrap());
    let retry = RetryPolicy { backoff: Backoff { tries_max: 2, ..BACKOFF }, resumes_max: 0 };
    let account = BlobAccount::parse(&format!("http://{free}/account")).unwrap();
    let client = BlobClient::new(account, key, http, retry).with_metrics(metrics.clone());
    let container = ContainerName::new("flink").unwrap();
    let blob = BlobRef { container: &container, name: "a" };
    client.put_blob(blob, Bytes::from_static(b"abc").into(), PutBlob::default()).await.unwrap_err();
    assert_series(
        &metrics,
        &[
            (r#"bluebucket_blob_requests_total{operation="put_blob",outcome="unavailable"}"#, 2.0),
            (r#"bluebucket_blob_sent_bytes_total{operation="put_blob"}"#, 0.0),
            (r#"bluebucket_pool_dials_total{peer="blob",result="failed"}"#, 2.0),
            (r#"bluebucket_pool_open_connections{peer="blob"}"#, 0.0),
        ],
    );
}

#[tokio::test]
async fn a_caller_that_goes_away() {
    let fixture = Fixture::new(None).await;
    fixture.put("a", Bytes::from_static(b"abc").into()).await;
    fixture.emulator.next_fault(Operation::GetBlob, Fault::Latency(Duration::from_secs(60)));
    let read = tokio::time::timeout(Duration::from_millis(100), fixture.read("a")).await;
    assert!(read.is_err());
    let cancelled = r#"bluebucket_blob_requests_total{operation="get_blob",outcome="cancelled"}"#;
    assert_series(&fixture.metrics, &[(cancelled, 1.0)]);
}

#[tokio::test]
async fn tokens() {
    let metrics = Arc::new(Metrics::new());
    let tokens = TokenSource::start_with_metrics(Arc::new(entra::Minted), metrics.clone());
    let fixture = Fixture::new(Some(Credential::Bearer(tokens))).await;
    fixture.put("a", Bytes::from_static(b"abc").into()).await;
    assert_series(
        &metrics,
        &[("bluebucket_token_refreshes_total", 1.0), ("bluebucket_token_refresh_failures_total", 0.0)],
    );
    assert!(value(&metrics, "bluebucket_token_expires_in_seconds") > 60.0);
}

#[tokio::test]
async fn requests_of_the_source_client() {
    let server = Scripted::start(|number, _| match number {
        0 => Reply::new("503 Slow Down", &[], b"<Error><Code>SlowDown</Code></Error>"),
        _ => Reply::new(
            "200 OK",
            &[("ETag", "\"e\""), ("Last-Modified", "Wed, 22 Mar 2023 05:57:41 GMT")],
            b"0123456789",
        ),
    })
    .await;
    let metrics = Arc::new(Metrics::new());
    let http = Client::new(Dialer::network(None), LIMITS).with_metrics(metrics.pool(Peer::Source));
    let config = SourceConfig {
        endpoint: Some(server.url.trim_end_matches("/account").to_owned()),
        region: "eu-central-1".to_owned(),
        addressing: Addressing::Path,
        credentials: CredentialProvider::fixed(Credentials::new("AKIAEXAMPLE", "secret")),
        user_agent: "test".to_owned(),
        backoff: BACKOFF,
    };
    let client = SourceClient::new(config, http, Arc::default()).unwrap().with_metrics(metrics.clone());
    let bucket = BucketName::new("local-rocksdb-test").unwrap();
    let download = client.get_object(&bucket, "a", &GetSource::default()).await.unwrap();
    assert_eq!(collect(download.body, 100).await.unwrap(), "0123456789");
    assert_eq!(metrics.blob.throttles() + metrics.source.throttles(), 1);
    assert_series(
        &metrics,
        &[
            (r#"bluebucket_source_requests_total{operation="get_object",outcome="throttled"}"#, 1.0),
            (r#"bluebucket_source_requests_total{operation="get_object",outcome="ok"}"#, 1.0),
            (r#"bluebucket_source_retries_total{operation="get_object"}"#, 1.0),
            (r#"bluebucket_source_throttles_total{reason="unknown"}"#, 1.0),
            // The page of the refusal too.
            (r#"bluebucket_source_received_bytes_total{operation="get_object"}"#, 46.0),
            (r#"bluebucket_pool_dials_total{peer="source",result="ok"}"#, 1.0),
        ],
    );
}
