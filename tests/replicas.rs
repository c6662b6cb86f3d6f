//! Two replicas of the program behind a balancer: restarts, kills, and what clients see of them.
//!
//! The processes are real ones. `BLUEBUCKET` names the build to use, `BLUEBUCKET_FULL` asks for the full
//! counts, and `BOTO3_PYTHON` is a Python with boto3 for the part of the real SDK, which is skipped
//! without it.

#[path = "harness/harness.rs"]
mod harness;

#[path = "replicas/clients.rs"]
mod clients;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use clients::Clients;
use harness::balancer::{Balancer, Readiness, poll_readiness};
use harness::product::BUCKET;
use harness::random::{Random, seed};
use harness::replica::{Replica, Store, client_of};
use harness::s3_client::{BodyMode, Response, S3Client};

/// Between two questions of the balancer whether a replica is ready.
const PROBE_INTERVAL: Duration = Duration::from_millis(50);
/// Many times what the balancer needs to notice.
const LIMITS: &str = "drain_delay = \"1s\"\ndrain_timeout = \"30s\"";

fn full() -> bool {
    std::env::var_os("BLUEBUCKET_FULL").is_some()
}

/// A count, and the one of the full depth; `name` in the environment says another.
fn count(name: &str, quick: u64, all: u64) -> u64 {
    let asked = std::env::var(name).ok().and_then(|text| text.parse().ok());
    asked.unwrap_or(if full() { all } else { quick })
}

/// A replica that the balancer knows.
struct Member {
    replica: Replica,
    ready: Readiness,
    poll: JoinHandle<()>,
}

impl Member {
    async fn join(balancer: &Balancer, store: &Store) -> Self {
        let replica = Replica::start(store, LIMITS).await;
        let (ready, poll) = poll_readiness(replica.admin, "/readyz", PROBE_INTERVAL);
        let seen = ready.clone();
        balancer.add(replica.address, move || seen());
        let member = Self { replica, ready, poll };
        member.await_ready().await;
        member
    }

    async fn await_ready(&self) {
        let begun = Instant::now();
        while !(self.ready)() {
            assert!(begun.elapsed() < Duration::from_secs(30), "never ready:\n{}", self.replica.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Ends it as a rollout does.
    async fn retire(mut self, balancer: &Balancer) {
        self.replica.terminate();
        let status = self.replica.ended().await;
        assert_eq!(status.code(), Some(0), "{}", self.replica.log());
        assert!(!self.replica.log().contains("cut at the end of the drain"), "{}", self.replica.log());
        self.leave(balancer);
    }

    async fn kill(mut self, balancer: &Balancer) {
        self.replica.kill();
        self.replica.ended().await;
        // A balancer finds out by itself.
        tokio::time::sleep(2 * PROBE_INTERVAL).await;
        self.leave(balancer);
    }

    fn leave(&self, balancer: &Balancer) {
        self.poll.abort();
        balancer.remove(self.replica.address);
    }
}

async fn two(balancer: &Balancer, store: &Store) -> Vec<Member> {
    vec![Member::join(balancer, store).await, Member::join(balancer, store).await]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rolling_restarts_fail_no_request() {
    let seed = seed("rolling restarts");
    let (restarts, requests) = (count("REPLICA_RESTARTS", 2, 10), count("REPLICA_REQUESTS", 500, 100_000));
    let store = Store::start(&[]).await;
    let balancer = Balancer::start().await.unwrap();
    let mut members = two(&balancer, &store).await;
    let clients = Clients::start(balancer.address, 16, 1, seed);
    for restart in 0..restarts {
        // The requests are spread over the restarts.
        await_requests(&clients, requests * restart / restarts).await;
        members.remove(0).retire(&balancer).await;
        members.push(Member::join(&balancer, &store).await);
    }
    await_requests(&clients, requests).await;
    let outcome = clients.stop().await;
    println!("{} requests over {restarts} restarts, {} failed", outcome.requests, outcome.failures.len());
    assert!(outcome.failures.is_empty(), "{:#?}", outcome.failures);
    outcome.assert_nothing_lost(&members[0].replica.client()).await;
    for member in members {
        member.retire(&balancer).await;
    }
}

async fn await_requests(clients: &Clients, requests: u64) {
    while clients.requests() < requests {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_is_not_seen_by_clients_that_try_again() {
    let seed = seed("kills");
    let mut random = Random::new(seed);
    let kills = count("REPLICA_KILLS", 2, 20);
    let store = Store::start(&[]).await;
    let balancer = Balancer::start().await.unwrap();
    let mut members = two(&balancer, &store).await;
    let clients = Clients::start(balancer.address, 16, 3, seed);
    for _ in 0..kills {
        tokio::time::sleep(Duration::from_millis(300 + random.next() % 1000)).await;
        members.remove(0).kill(&balancer).await;
        members.push(Member::join(&balancer, &store).await);
    }
    let outcome = clients.stop().await;
    println!("{} requests over {kills} kills, {} failed", outcome.requests, outcome.failures.len());
    assert!(outcome.failures.is_empty(), "{:#?}", outcome.failures);
    outcome.assert_nothing_lost(&members[0].replica.client()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_is_not_seen_by_users_of_a_real_sdk() {
    let Some(python) = std::env::var_os("BOTO3_PYTHON") else {
        println!("skipped: BOTO3_PYTHON names no Python with boto3");
        return;
    };
    let mut random = Random::new(seed("kills under boto3"));
    let kills = count("REPLICA_KILLS", 2, 20);
    let store = Store::start(&[]).await;
    let balancer = Balancer::start().await.unwrap();
    let mut members = two(&balancer, &store).await;
    let folder = tempfile::tempdir().unwrap();
    let stop = folder.path().join("stop");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/killed_replicas.py");
    let mut sdk = tokio::process::Command::new(python);
    sdk.arg(script).args(["--endpoint", &balancer.url(), "--bucket", BUCKET, "--until"]).arg(&stop);
    sdk.args(["--access-key", harness::product::ACCESS_KEY, "--secret-key", harness::product::SECRET]);
    let mut sdk = sdk.kill_on_drop(true).spawn().unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    for _ in 0..kills {
        tokio::time::sleep(Duration::from_millis(500 + random.next() % 1000)).await;
        members.remove(0).kill(&balancer).await;
        members.push(Member::join(&balancer, &store).await);
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    std::fs::write(&stop, "").unwrap();
    assert!(sdk.wait().await.unwrap().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_begun_on_one_replica_completes_on_the_other() {
    let store = Store::start(&[]).await;
    let mut first = Replica::start(&store, "drain_delay = \"0s\"").await;
    let second = Replica::start(&store, LIMITS).await;
    let (one, other) = (first.client(), second.client());
    let upload = Upload::create(&one, "upload").await;
    let mut parts = vec![upload.part(&one, 1, &vec![b'1'; 5 << 20]).await];
    first.terminate();
    assert_eq!(first.ended().await.code(), Some(0));
    parts.push(upload.part(&other, 2, b"2").await);
    let completed = upload.complete(&other, &parts).await;
    assert_eq!(completed.status, 200, "{}", completed.text());
    let got = other.get(BUCKET, "upload").await.unwrap();
    assert_eq!((got.status, got.body.len()), (200, (5 << 20) + 1));
}

/// An upload whose steps go to any client.
struct Upload {
    target: String,
}

impl Upload {
    async fn create(client: &S3Client, key: &str) -> Self {
        let created = client.send(&client.request("POST", &format!("/{BUCKET}/{key}?uploads")).build()).await.unwrap();
        let id = created.element("UploadId").unwrap_or_else(|| panic!("{}", created.text()));
        Self { target: format!("/{BUCKET}/{key}?uploadId={id}") }
    }

    async fn part(&self, client: &S3Client, number: u32, body: &[u8]) -> String {
        let part = client.request("PUT", &format!("{}&partNumber={number}", self.target));
        let sent = client.send(&part.body(body, BodyMode::Unsigned).build()).await.unwrap();
        assert_eq!(sent.status, 200, "{}", sent.text());
        sent.etag().unwrap().to_owned()
    }

    fn completion(&self, client: &S3Client, etags: &[String]) -> harness::s3_client::RawRequest {
        let part = |(index, etag): (usize, &String)| {
            format!("<Part><PartNumber>{}</PartNumber><ETag>{etag}</ETag></Part>", index + 1)
        };
        let parts: String = etags.iter().enumerate().map(part).collect();
        let document = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
        client.request("POST", &self.target).body(document.as_bytes(), BodyMode::Signed).build()
    }

    async fn complete(&self, client: &S3Client, etags: &[String]) -> Response {
        client.send(&self.completion(client, etags)).await.unwrap()
    }
}

/// The calls of a Complete take their time, and its client does not wait for them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_waits_for_a_complete_whose_client_went_away() {
    let store = Store::start(&["--latency", "300"]).await;
    let mut replica = Replica::start(&store, "drain_delay = \"0s\"").await;
    let client = replica.client();
    let upload = Upload::create(&client, "abandoned").await;
    let etag = upload.part(&client, 1, b"whole").await;
    let mut connection = client.open().await.unwrap();
    connection.write(&upload.completion(&client, &[etag]).to_bytes()).await.unwrap();
    await_in_flight(&replica, 1.0).await;
    drop(connection);
    await_in_flight(&replica, 0.0).await;
    replica.terminate();
    assert_eq!(replica.ended().await.code(), Some(0), "{}", replica.log());
    assert!(!replica.log().contains("left unfinished"), "{}", replica.log());
    let other = Replica::start(&store, LIMITS).await;
    let got = other.client().get(BUCKET, "abandoned").await.unwrap();
    assert_eq!((got.status, got.body.as_slice()), (200, &b"whole"[..]));
}

async fn await_in_flight(replica: &Replica, requests: f64) {
    let begun = Instant::now();
    while replica.metric("bluebucket_facade_in_flight_requests").await != requests {
        assert!(begun.elapsed() < Duration::from_secs(20), "{requests} never in flight");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Readiness goes first; then the entrance; what has begun is finished, however slowly it goes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_steps_of_a_drain() {
    let store = Store::start(&[]).await;
    let mut replica = Replica::start(&store, "drain_delay = \"2s\"\ndrain_timeout = \"30s\"").await;
    let client = replica.client();
    assert_eq!(client.put(BUCKET, "key", b"value").await.unwrap().status, 200);
    let mut kept = client.open().await.unwrap();
    let get = client.object("GET", BUCKET, "key").build();
    assert_eq!(kept.send(&get).await.unwrap().header("connection"), None);
    let mut slow = client.open().await.unwrap();
    let body = vec![b's'; 2_000_000];
    let put = client.object("PUT", BUCKET, "slow").body(&body, BodyMode::Unsigned).build();
    slow.write(&put.head_bytes()).await.unwrap();
    slow.write(&body[..1_000_000]).await.unwrap();

    assert_eq!(replica.admin_page("/readyz").await.unwrap().0, 200);
    replica.terminate();
    let begun = Instant::now();
    while replica.admin_page("/readyz").await.unwrap().0 == 200 {
        assert!(begun.elapsed() < Duration::from_secs(1), "still ready");
    }
    assert_eq!(replica.admin_page("/healthz").await.unwrap().0, 200, "alive all the same");
    for connection in [&mut kept, &mut client.open().await.expect("still accepting")] {
        let answer = connection.send(&get).await.unwrap();
        assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
    }
    while client.open().await.is_ok() {
        assert!(begun.elapsed() < Duration::from_secs(10), "still accepting");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(begun.elapsed() >= Duration::from_millis(1_500), "closed after {:?}", begun.elapsed());
    slow.write(&body[1_000_000..]).await.unwrap();
    let answer = slow.read("PUT").await.unwrap();
    assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
    assert_eq!(replica.ended().await.code(), Some(0));
    let other = Arc::new(Replica::start(&store, LIMITS).await);
    assert_eq!(client_of(other.address).get(BUCKET, "slow").await.unwrap().body, body);
}

/// What does not end in time is cut, and the log says so; the end is a clean one all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_is_over_at_its_limit() {
    let store = Store::start(&[]).await;
    let mut replica = Replica::start(&store, "drain_delay = \"0s\"\ndrain_timeout = \"1s\"").await;
    let client = replica.client();
    let mut stuck = client.open().await.unwrap();
    let put = client.object("PUT", BUCKET, "stuck").body(&[0; 1000], BodyMode::Unsigned).build();
    stuck.write(&put.head_bytes()).await.unwrap();
    await_in_flight(&replica, 1.0).await;
    replica.terminate();
    assert_eq!(replica.ended().await.code(), Some(0));
    assert!(replica.log().contains("cut at the end of the drain"), "{}", replica.log());
    let other = Replica::start(&store, LIMITS).await;
    assert_eq!(other.client().get(BUCKET, "stuck").await.unwrap().status, 404);
}
