//! A strict S3 server with a log of every version it ever held, to migrate from in tests.
//!
//! It holds any key byte for byte, objects of every awkward kind, and content that is made on
//! read, and it breaks its answers on request. Sources: the S3 API reference, page by operation.

mod answer;
mod bucket;
mod content;
mod faults;
mod list;
mod multipart;
mod object;
mod read;
mod request;
mod serve;
mod write;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::io::DuplexStream;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use bucket::{Generated, Version};
pub use content::Content;
pub use faults::{Fault, Faults, Rule};
pub use object::{EtagKind, Object, Stored};
pub use request::Request;

use super::sigv4::Credentials;
use bucket::Bucket;
use multipart::Uploads;

/// The server. Clones are the same server.
#[derive(Clone)]
pub struct S3Source {
    shared: Arc<Mutex<State>>,
}

/// Everything the server holds.
struct State {
    seed: u64,
    region: String,
    buckets: BTreeMap<String, Bucket>,
    log: Vec<Arc<Version>>,
    uploads: Uploads,
    clock: Clock,
    access: Access,
    faults: Faults,
    rules: Vec<Rule>,
    attempts: BTreeMap<u64, u64>,
    requests: Vec<RequestRecord>,
    requests_kept_max: usize,
    counters: BTreeMap<&'static str, OperationCount>,
}

/// What the server asks of signatures.
#[derive(Clone)]
pub enum Access {
    Anyone,
    /// A well-formed SigV4 header must be there; its value is not checked.
    SignatureShape,
    /// The signature must be right for one of these.
    Verified(Vec<Credentials>),
}

#[derive(Clone, Copy)]
enum Clock {
    Wall,
    Frozen(Duration),
}

/// One request as it came and how it was answered.
#[derive(Clone, Debug)]
pub struct RequestRecord {
    pub sequence: u64,
    pub operation: &'static str,
    pub request: Request,
    pub status: u16,
    /// Body bytes handed to the connection.
    pub sent: u64,
    pub fault: Option<Fault>,
}

/// Totals of one operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OperationCount {
    pub requests: u64,
    pub failed: u64,
    pub bytes_sent: u64,
    pub faults: u64,
}

impl S3Source {
    /// An empty server; `seed` decides its faults and tokens.
    pub fn new(seed: u64) -> Self {
        Self {
            shared: Arc::new(Mutex::new(State {
                seed,
                region: "us-east-1".into(),
                buckets: BTreeMap::new(),
                log: Vec::new(),
                uploads: Uploads::default(),
                clock: Clock::Wall,
                access: Access::SignatureShape,
                faults: Faults::default(),
                rules: Vec::new(),
                attempts: BTreeMap::new(),
                requests: Vec::new(),
                requests_kept_max: 100_000,
                counters: BTreeMap::new(),
            })),
        }
    }

    pub fn create_bucket(&self, bucket: &str) {
        self.state().buckets.entry(bucket.into()).or_default();
    }

    /// Makes the bucket answer with version ids and serve `?versionId=`.
    pub fn enable_versioning(&self, bucket: &str) {
        self.state().buckets.entry(bucket.into()).or_default().versioned = true;
    }

    /// Stores a version, creating the bucket if needed.
    pub fn put(&self, bucket: &str, key: &str, object: impl Into<Object>) -> Arc<Version> {
        let object = object.into();
        let mut state = self.state();
        let shown = state.now();
        let stored = Arc::new(object.resolve(shown));
        state.append(bucket, key, Some(stored))
    }

    /// Deletes a key; absent keys too, as S3 does.
    pub fn delete(&self, bucket: &str, key: &str) -> Arc<Version> {
        self.state().append(bucket, key, None)
    }

    /// Adds objects that exist only as a rule.
    pub fn generate(&self, bucket: &str, generated: Generated) {
        let mut state = self.state();
        let now = state.now();
        state.buckets.entry(bucket.into()).or_default().generate(generated, now);
    }

    /// The live object of a key.
    pub fn live(&self, bucket: &str, key: &str) -> Option<Arc<Stored>> {
        self.state().buckets.get(bucket)?.live(key.as_bytes())
    }

    /// Every live key and object, in S3 order. Walks generated ones too.
    pub fn live_objects(&self, bucket: &str) -> Vec<(String, Arc<Stored>)> {
        self.state().buckets.get(bucket).map(Bucket::live_objects).unwrap_or_default()
    }

    /// Every version that was ever written to a key, oldest first; a delete has no object.
    pub fn versions(&self, bucket: &str, key: &str) -> Vec<Arc<Version>> {
        self.state().buckets.get(bucket).map(|bucket| bucket.versions(key.as_bytes())).unwrap_or_default()
    }

    /// Every write and delete of every bucket, in order. Generated objects are not in it.
    pub fn log(&self) -> Vec<Arc<Version>> {
        self.state().log.clone()
    }

    /// Stops the clock at a time since the epoch; Last-Modified has a grain of one second.
    pub fn freeze_clock(&self, at: Duration) {
        self.state().clock = Clock::Frozen(at);
    }

    /// Moves a frozen clock; freezes a running one.
    pub fn advance_clock(&self, by: Duration) {
        let mut state = self.state();
        state.clock = Clock::Frozen(state.now() + by);
    }

    pub fn set_access(&self, access: Access) {
        self.state().access = access;
    }

    pub fn set_region(&self, region: &str) {
        self.state().region = region.into();
    }

    /// Sets the faults that come by chance.
    pub fn set_faults(&self, faults: Faults) {
        self.state().faults = faults;
    }

    /// Adds a fault that comes when its rule matches.
    pub fn add_rule(&self, rule: Rule) {
        self.state().rules.push(rule);
    }

    /// Ends all faults.
    pub fn heal(&self) {
        let mut state = self.state();
        state.faults = Faults::default();
        state.rules.clear();
    }

    /// The requests since the last [`S3Source::forget_requests`], at most the newest 100,000.
    pub fn requests(&self) -> Vec<RequestRecord> {
        self.state().requests.clone()
    }

    pub fn forget_requests(&self) {
        let mut state = self.state();
        state.requests.clear();
        state.counters.clear();
    }

    /// Bounds the request log; counters go on counting.
    pub fn keep_requests(&self, at_most: usize) {
        self.state().requests_kept_max = at_most;
    }

    /// Totals by operation, such as `GetObject`.
    pub fn counters(&self) -> BTreeMap<&'static str, OperationCount> {
        self.state().counters.clone()
    }

    /// Totals of one operation.
    pub fn count(&self, operation: &str) -> OperationCount {
        self.state().counters.get(operation).copied().unwrap_or_default()
    }

    /// Multipart uploads that are open: bucket, key, upload id.
    pub fn open_uploads(&self) -> Vec<(String, String, String)> {
        self.state().uploads.open()
    }

    /// Serves on a port of 127.0.0.1 that the system chooses, until the handle is dropped.
    pub async fn listen(&self) -> io::Result<Listening> {
        self.listen_at(([127, 0, 0, 1], 0).into()).await
    }

    /// Serves at a given address.
    pub async fn listen_at(&self, address: SocketAddr) -> io::Result<Listening> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(serve::accept(self.clone(), listener));
        Ok(Listening { address, task })
    }

    /// Opens an in-process connection that this server answers.
    pub fn connect(&self) -> DuplexStream {
        let (ours, theirs) = tokio::io::duplex(256 * 1024);
        tokio::spawn(serve::connection(self.clone(), ours));
        theirs
    }

    /// Answers one connection of any kind until it ends.
    pub async fn serve(&self, stream: impl super::http1::Stream) {
        serve::connection(self.clone(), stream).await;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// A server on a port; dropping it closes the port and its connections.
pub struct Listening {
    pub address: SocketAddr,
    task: JoinHandle<()>,
}

impl Listening {
    /// `http://127.0.0.1:port`
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl State {
    /// Time since the epoch.
    fn now(&self) -> Duration {
        match self.clock {
            Clock::Wall => SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
            Clock::Frozen(at) => at,
        }
    }

    fn append(&mut self, bucket: &str, key: &str, stored: Option<Arc<Stored>>) -> Arc<Version> {
        let at = self.now();
        let version = Arc::new(Version::new(bucket, key, at, stored));
        self.buckets.entry(bucket.into()).or_default().append(version.clone());
        self.log.push(version.clone());
        version
    }
}
