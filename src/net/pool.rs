//! The connections to one endpoint.
//!
//! A permit stands for a connection in use. A connection is dialled only by a holder of a permit
//! who finds none idle, and goes back to the idle list before its permit is given back; so idle
//! ones and those in use together never exceed the number of permits.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Context;
use std::time::Duration;

use http::HeaderValue;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use super::client::{PoolLimits, SendError};
use super::driven::Driven;
use super::io::{Traffic, Watched};
use super::outgoing::Outgoing;
use super::{Dialer, Endpoint};
use crate::telemetry::DialResult;
use crate::telemetry::metrics::PoolMetrics;

pub(super) struct Pool {
    /// The value of the `Host` header.
    pub host: HeaderValue,
    endpoint: Endpoint,
    limits: PoolLimits,
    permits: Semaphore,
    /// The one used last is at the back and used next, so that surplus ones grow old at the front.
    idle: Mutex<VecDeque<Idle>>,
    counters: Arc<Counters>,
}

/// Shared by all pools of a client.
#[derive(Default)]
pub(super) struct Counters {
    pub open: AtomicUsize,
    pub waiting: AtomicUsize,
    pub dials: AtomicU64,
    pub dial_failures: AtomicU64,
    pub reused: AtomicU64,
    pub stale: AtomicU64,
    /// The same for the whole process, over all clients of a peer.
    metrics: Option<Arc<PoolMetrics>>,
}

impl Counters {
    pub fn reporting(metrics: Arc<PoolMetrics>) -> Self {
        Self { metrics: Some(metrics), ..Self::default() }
    }

    fn report(&self, event: impl FnOnce(&PoolMetrics)) {
        if let Some(metrics) = &self.metrics {
            event(metrics);
        }
    }
}

pub(super) struct Connection {
    pub sender: http1::SendRequest<Outgoing>,
    /// Counts reads and writes that moved bytes.
    pub moved: Arc<AtomicU64>,
    pub driven: Arc<Driven>,
    rest: Arc<Rest>,
    reused: bool,
}

struct Idle {
    connection: Connection,
    since: Instant,
}

/// A connection in use, and the permit for it. Dropped without [`Lease::give_back`] it closes.
pub(super) struct Lease {
    pool: Arc<Pool>,
    connection: Option<Connection>,
}

/// Bytes read at one time over the first connections of a client: long bodies take a tenth less CPU in such
/// pieces than in the smaller ones.
const READ_BYTES_MAX: usize = 400 * 1024;
/// Bytes read at one time over any further connection. A stream whose reader is slow keeps some pieces of this
/// size waiting, and there may be a thousand of them.
const READ_BYTES_OF_MANY: usize = 64 * 1024;
/// So many connections are the first ones.
const FIRST_CONNECTIONS: usize = 16;
/// Time for a connection to become ready after its answer was read, before it is closed: it is
/// ready at once unless the request body is still being sent.
const SETTLE_TIMEOUT: Duration = Duration::from_millis(250);

impl Pool {
    pub fn new(endpoint: Endpoint, host: HeaderValue, limits: PoolLimits, counters: Arc<Counters>) -> Self {
        let permits = Semaphore::new(limits.connections_max.clamp(1, Semaphore::MAX_PERMITS));
        Self { host, endpoint, limits, permits, idle: Mutex::default(), counters }
    }

    /// A healthy idle connection, or a new one; waits if all permitted connections are in use.
    pub async fn check_out(self: &Arc<Self>, dialer: &Dialer) -> Result<Lease, SendError> {
        self.permit().await;
        let mut lease = Lease { pool: self.clone(), connection: None };
        lease.connection = match self.take_idle() {
            Some(connection) => {
                self.counters.reused.fetch_add(1, Ordering::Relaxed);
                Some(connection)
            }
            None => Some(self.dial(dialer).await?),
        };
        Ok(lease)
    }

    pub fn idle(&self) -> usize {
        self.idle_list().iter().filter(|idle| !idle.connection.sender.is_closed()).count()
    }

    /// Takes a permit; [`Lease`] gives it back.
    async fn permit(&self) {
        if let Ok(permit) = self.permits.try_acquire() {
            return permit.forget();
        }
        let _waiting = Waiting::new(&self.counters.waiting);
        if let Ok(permit) = self.permits.acquire().await {
            permit.forget();
        }
    }

    fn take_idle(&self) -> Option<Connection> {
        let mut idle = self.idle_list();
        while let Some(Idle { connection, since }) = idle.pop_back() {
            if since.elapsed() > self.limits.idle_max {
                // All others are older still.
                idle.clear();
                return None;
            }
            connection.rest.end();
            connection.driven.begin_use();
            if connection.sender.is_ready() && !connection.sender.is_closed() {
                return Some(connection);
            }
        }
        None
    }

    fn put_idle(&self, mut connection: Connection) {
        connection.reused = true;
        // In this order: counted before its own task may find it closed, and given to that task before another
        // request may take it.
        connection.rest.begin();
        connection.driven.end_use();
        let now = Instant::now();
        let mut idle = self.idle_list();
        while idle.front().is_some_and(|oldest| now.duration_since(oldest.since) > self.limits.idle_max) {
            idle.pop_front();
        }
        idle.push_back(Idle { connection, since: now });
    }

    async fn dial(&self, dialer: &Dialer) -> Result<Connection, SendError> {
        self.counters.dials.fetch_add(1, Ordering::Relaxed);
        let opened = self.open(dialer).await;
        if let Err(error) = &opened {
            self.counters.dial_failures.fetch_add(1, Ordering::Relaxed);
            let result = if error.timed_out { DialResult::Timeout } else { DialResult::Failed };
            self.counters.report(|metrics| metrics.dialled(result));
        }
        opened
    }

    async fn open(&self, dialer: &Dialer) -> Result<Connection, SendError> {
        let io = dialer.dial(&self.endpoint, self.limits.connect_timeout).await.map_err(SendError::dial)?;
        let moved = Arc::new(AtomicU64::new(0));
        let io = TokioIo::new(Watched { io, traffic: Movement(moved.clone()) });
        let (sender, connection) = http1::Builder::new()
            .max_buf_size(self.read_bytes_max())
            .handshake(io)
            .await
            .map_err(|error| SendError::dial(std::io::Error::other(error)))?;
        let rest = Arc::new(Rest { idle: AtomicBool::new(false), counters: self.counters.clone() });
        let counted = Open::new(rest.clone());
        let (driven, own_task) = Driven::new(async move {
            let _open = counted;
            // Whoever waits for an answer is told the error; an idle connection that breaks is no news.
            let _ = connection.await;
        });
        tokio::spawn(own_task);
        Ok(Connection { sender, moved, driven, rest, reused: false })
    }

    /// For the next connection.
    fn read_bytes_max(&self) -> usize {
        let first = self.counters.open.load(Ordering::Relaxed) < FIRST_CONNECTIONS;
        if first { READ_BYTES_MAX } else { READ_BYTES_OF_MANY }
    }

    fn idle_list(&self) -> std::sync::MutexGuard<'_, VecDeque<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lease {
    pub fn connection_mut(&mut self) -> Option<&mut Connection> {
        self.connection.as_mut()
    }

    /// See [`Driven::drive`].
    pub fn drive(&self, context: &mut Context<'_>) {
        if let Some(connection) = &self.connection {
            connection.driven.drive(context);
        }
    }

    /// Whether the connection had been used before this lease.
    pub fn reused(&self) -> bool {
        self.connection.as_ref().is_some_and(|connection| connection.reused)
    }

    /// Gives a connection back whose answer has been read.
    pub fn give_back(mut self) {
        let Some(connection) = self.connection.take() else { return };
        if connection.sender.is_ready() {
            self.pool.put_idle(connection);
        } else if !connection.sender.is_closed()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            connection.driven.end_use();
            self.connection = Some(connection);
            runtime.spawn(self.settle());
        }
    }

    async fn settle(mut self) {
        let Some(connection) = &mut self.connection else { return };
        if let Ok(Ok(())) = timeout(SETTLE_TIMEOUT, connection.sender.ready()).await
            && let Some(connection) = self.connection.take()
        {
            self.pool.put_idle(connection);
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        drop(self.connection.take());
        self.pool.permits.add_permits(1);
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.rest.end();
        self.driven.close();
    }
}

struct Movement(Arc<AtomicU64>);

impl Traffic for Movement {
    fn on_read(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn on_written(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Counts one waiter for as long as it lives.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Whether a connection is idle, for the metrics. A peer may close it while it is on the idle list,
/// and from then on it is none; so its end is told by whoever comes first.
struct Rest {
    idle: AtomicBool,
    counters: Arc<Counters>,
}

impl Rest {
    fn begin(&self) {
        if !self.idle.swap(true, Ordering::Relaxed) {
            self.counters.report(PoolMetrics::returned);
        }
    }

    fn end(&self) {
        if self.idle.swap(false, Ordering::Relaxed) {
            self.counters.report(PoolMetrics::taken);
        }
    }
}

/// Counts one open connection for as long as it lives.
struct Open(Arc<Rest>);

impl Open {
    fn new(rest: Arc<Rest>) -> Self {
        rest.counters.open.fetch_add(1, Ordering::Relaxed);
        rest.counters.report(|metrics| metrics.dialled(DialResult::Ok));
        Self(rest)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.end();
        self.0.counters.open.fetch_sub(1, Ordering::Relaxed);
        self.0.counters.report(PoolMetrics::closed);
    }
}
