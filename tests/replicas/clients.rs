//! Clients that work on keys of their own, remember what was acknowledged, and compare what they read.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::harness::product::BUCKET;
use crate::harness::random::{Random, draw};
use crate::harness::replica::client_of;
use crate::harness::s3_client::{BodyMode, Connection, RawRequest, Response, S3Client, object_path};

/// Clients at work on one address.
pub struct Clients {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<HashMap<String, u64>>>,
}

struct Shared {
    stop: AtomicBool,
    requests: AtomicU64,
    failures: Mutex<Vec<String>>,
}

/// What the clients saw.
pub struct Outcome {
    pub requests: u64,
    /// What a client would have told its user.
    pub failures: Vec<String>,
    /// The version acknowledged last of each key; 0 = deleted.
    pub acknowledged: HashMap<String, u64>,
}

const KEYS_EACH: u64 = 8;

impl Clients {
    /// Begins `count` clients, each of which tries a request up to `tries` times.
    pub fn start(address: SocketAddr, count: u64, tries: u32, seed: u64) -> Self {
        let shared = Arc::new(Shared { stop: false.into(), requests: 0.into(), failures: Mutex::default() });
        let worker = |id| {
            let client = client_of(address);
            let random = Random::new(draw(seed, &format!("client {id}")));
            let worker = Worker { id, client, connection: None, tries, random, shared: shared.clone() };
            tokio::spawn(worker.run())
        };
        Self { workers: (0..count).map(worker).collect(), shared }
    }

    pub fn requests(&self) -> u64 {
        self.shared.requests.load(Ordering::Relaxed)
    }

    /// Lets the clients finish what they are at.
    pub async fn stop(self) -> Outcome {
        self.shared.stop.store(true, Ordering::Relaxed);
        let mut acknowledged = HashMap::new();
        for worker in self.workers {
            acknowledged.extend(worker.await.unwrap());
        }
        let failures = std::mem::take(&mut *self.shared.failures.lock().unwrap_or_else(PoisonError::into_inner));
        Outcome { requests: self.shared.requests.load(Ordering::Relaxed), failures, acknowledged }
    }
}

impl Outcome {
    /// Reads every key again and panics if one does not have what was acknowledged last.
    pub async fn assert_nothing_lost(&self, client: &S3Client) {
        for (key, version) in &self.acknowledged {
            let got = client.get(BUCKET, key).await.unwrap();
            let found = (got.status, got.body.as_slice());
            match version {
                0 => assert_eq!(found.0, 404, "{key} was deleted"),
                _ => assert!(found == (200, content(key, *version).as_slice()), "{key}: version {version} is lost"),
            }
        }
    }
}

struct Worker {
    id: u64,
    client: S3Client,
    connection: Option<Connection>,
    tries: u32,
    random: Random,
    shared: Arc<Shared>,
}

impl Worker {
    async fn run(mut self) -> HashMap<String, u64> {
        let mut versions = HashMap::new();
        let mut version = 0;
        while !self.shared.stop.load(Ordering::Relaxed) {
            let key = format!("client-{}/{}", self.id, self.random.next() % KEYS_EACH);
            let done = match self.random.next() % 100 {
                0..40 => {
                    version += 1;
                    let written = self.put(&key, version).await;
                    written.map(|()| versions.insert(key.clone(), version)).map(drop)
                }
                40..43 => {
                    version += 1;
                    let written = self.upload(&key, version).await;
                    written.map(|()| versions.insert(key.clone(), version)).map(drop)
                }
                43..50 => self.delete(&key).await.map(|()| versions.insert(key.clone(), 0)).map(drop),
                50..55 => self.list().await,
                _ => self.read(&key, versions.get(&key).copied().unwrap_or(0)).await,
            };
            if let Err(failure) = done {
                let mut failures = self.shared.failures.lock().unwrap_or_else(PoisonError::into_inner);
                failures.push(format!("{key}: {failure}"));
            }
        }
        versions
    }

    async fn put(&mut self, key: &str, version: u64) -> Result<(), String> {
        let body = content(key, version);
        let request = self.client.object("PUT", BUCKET, key).body(&body, BodyMode::Unsigned).build();
        self.expect("put", &request, 200).await.map(drop)
    }

    /// An upload in one part, each step wherever the balancer leads.
    async fn upload(&mut self, key: &str, version: u64) -> Result<(), String> {
        let path = object_path(BUCKET, key);
        self.connection = None;
        let create = self.client.request("POST", &format!("{path}?uploads")).build();
        let id = self.expect("create upload", &create, 200).await?.element("UploadId").ok_or("no upload id")?;
        let body = content(key, version);
        let part = self.client.request("PUT", &format!("{path}?partNumber=1&uploadId={id}"));
        self.connection = None;
        let part = self.expect("part", &part.body(&body, BodyMode::Unsigned).build(), 200).await?;
        let etag = part.etag().ok_or("no ETag")?.to_owned();
        let document = format!(
            "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
        );
        let complete = self.client.request("POST", &format!("{path}?uploadId={id}"));
        self.connection = None;
        let complete = complete.body(document.as_bytes(), BodyMode::Signed).build();
        self.expect("complete", &complete, 200).await.map(drop)
    }

    async fn delete(&mut self, key: &str) -> Result<(), String> {
        let request = self.client.object("DELETE", BUCKET, key).build();
        self.expect("delete", &request, 204).await.map(drop)
    }

    async fn list(&mut self) -> Result<(), String> {
        let target = format!("/{BUCKET}?list-type=2&prefix=client-{}/", self.id);
        let request = self.client.request("GET", &target).build();
        self.expect("list", &request, 200).await.map(drop)
    }

    async fn read(&mut self, key: &str, version: u64) -> Result<(), String> {
        let request = self.client.object("GET", BUCKET, key).build();
        let got = self.expect("get", &request, if version == 0 { 404 } else { 200 }).await?;
        if version > 0 && got.body != content(key, version) {
            return Err(format!("get: not version {version}"));
        }
        Ok(())
    }

    /// Sends a request until it is answered as expected, or the tries are used up.
    async fn expect(&mut self, name: &str, request: &RawRequest, status: u16) -> Result<Response, String> {
        self.shared.requests.fetch_add(1, Ordering::Relaxed);
        let mut pause = Duration::from_millis(50);
        for left in (0..self.tries).rev() {
            let failure = match self.send(request).await {
                Ok(response) if response.status == status && !response.cut => return Ok(response),
                Ok(response) => format!("{name}: {} {}, cut: {}", response.status, response.text(), response.cut),
                Err(error) => format!("{name}: {error}"),
            };
            self.connection = None;
            if left == 0 {
                return Err(failure);
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        Err(format!("{name}: never tried"))
    }

    /// On the open connection, for as long as the server leaves it open.
    async fn send(&mut self, request: &RawRequest) -> std::io::Result<Response> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.client.open().await?,
        };
        let response = connection.send(request).await?;
        if response.header("connection") != Some("close") {
            self.connection = Some(connection);
        }
        Ok(response)
    }
}

/// What a version of a key holds: mostly little, sometimes more than is buffered.
fn content(key: &str, version: u64) -> Vec<u8> {
    let size = match draw(version, key) % 50 {
        0 => 1_200_000,
        other => 100 + other as usize * 300,
    };
    let mut bytes = format!("{key} {version} ").into_bytes();
    bytes.resize(size, b'a' + (version % 26) as u8);
    bytes
}
