//! The HTTP/1.1 client: a pool of connections per endpoint, owned by one thread.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::{HeaderValue, Request, Response, header};
use hyper::body::Incoming;
use tokio::time::timeout;

use super::body::BoxError;
use super::outgoing::Outgoing;
use super::pool::{Connection, Counters, Lease, Pool};
use super::pooled_body::PooledBody;
use super::{Body, Dialer, Endpoint};
use crate::telemetry::metrics::PoolMetrics;

/// Bounds of a pool.
#[derive(Clone, Copy, Debug)]
pub struct PoolLimits {
    /// Connections to one endpoint, idle or in use; more requests wait, first come first served.
    pub connections_max: usize,
    /// An idle connection older than this is closed rather than used.
    pub idle_max: Duration,
    pub connect_timeout: Duration,
    /// Longest wait for the head of an answer once the request has been sent, and between two
    /// pieces of its body. While the request is still being sent, the longest time in which not one
    /// byte moves; waiting for the source of a streamed request body does not count.
    pub read_timeout: Duration,
}

/// Sends requests over the pool. Clones share the pool; make one client per runtime thread.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    dialer: Dialer,
    limits: PoolLimits,
    pools: Mutex<HashMap<Endpoint, Arc<Pool>>>,
    counters: Arc<Counters>,
}

/// A request that got no answer.
#[derive(Debug)]
pub struct SendError {
    /// True if not one byte of the request can have reached the server, so that sending it again is safe.
    pub not_sent: bool,
    /// True if a deadline passed.
    pub timed_out: bool,
    /// True if the request's own body failed or did not have the announced length: the server is
    /// not to blame. It has seen an incomplete body.
    pub body_failed: bool,
    /// True if the connection had been used before: the server may just have closed it for idleness.
    pub reused: bool,
    pub source: BoxError,
}

/// The pool's state and history, over all endpoints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClientStats {
    /// Connections open now, idle ones included.
    pub open: usize,
    pub idle: usize,
    /// Requests that wait for a connection now.
    pub waiting: usize,
    pub dials: u64,
    pub dial_failures: u64,
    /// Requests sent over a connection that had been used before.
    pub reused: u64,
    /// Requests that went to another connection because theirs turned out to be closed.
    pub stale: u64,
}

impl Client {
    pub fn new(dialer: Dialer, limits: PoolLimits) -> Self {
        Self::counting(dialer, limits, Counters::default())
    }

    /// A client like this one, with connections of its own that are counted by `metrics` too.
    #[must_use]
    pub fn with_metrics(self, metrics: Arc<PoolMetrics>) -> Self {
        Self::counting(self.0.dialer.clone(), self.0.limits, Counters::reporting(metrics))
    }

    fn counting(dialer: Dialer, limits: PoolLimits, counters: Counters) -> Self {
        Self(Arc::new(Inner { dialer, limits, pools: Mutex::default(), counters: Arc::new(counters) }))
    }

    /// Sends one request and returns the head of its answer; the body streams from the connection,
    /// which goes back to the pool when the body has been read to its end. The request names a path
    /// and query; `Host` is set unless present.
    ///
    /// An answer that comes before the request body has been sent is returned at once; the rest of
    /// the request body is then not sent once the answer has been read.
    ///
    /// # Errors
    /// [`SendError`] if no answer came. Dropping the future closes the connection.
    pub async fn send(
        &self,
        endpoint: &Endpoint,
        mut request: Request<Body>,
    ) -> Result<Response<PooledBody>, SendError> {
        let pool = self.pool(endpoint);
        if !request.headers().contains_key(header::HOST) {
            request.headers_mut().insert(header::HOST, pool.host.clone());
        }
        let (mut request, waiting) = Outgoing::wrap(request);
        loop {
            let mut lease = pool.check_out(&self.0.dialer).await?;
            match exchange(&mut lease, request, waiting.as_deref(), self.0.limits.read_timeout).await {
                Ok(answer) => {
                    return Ok(answer.map(|body| PooledBody::new(body, lease, self.0.limits.read_timeout)));
                }
                Err(Failure::Unsent(again)) if lease.reused() => {
                    self.0.counters.stale.fetch_add(1, Ordering::Relaxed);
                    request = *again;
                }
                Err(failure) => return Err(failure.into_error(lease.reused())),
            }
        }
    }

    /// Counts for metrics.
    pub fn stats(&self) -> ClientStats {
        let idle = self.pools().values().map(|pool| pool.idle()).sum();
        let counters = &self.0.counters;
        ClientStats {
            open: counters.open.load(Ordering::Relaxed),
            idle,
            waiting: counters.waiting.load(Ordering::Relaxed),
            dials: counters.dials.load(Ordering::Relaxed),
            dial_failures: counters.dial_failures.load(Ordering::Relaxed),
            reused: counters.reused.load(Ordering::Relaxed),
            stale: counters.stale.load(Ordering::Relaxed),
        }
    }

    fn pool(&self, endpoint: &Endpoint) -> Arc<Pool> {
        let mut pools = self.pools();
        if let Some(pool) = pools.get(endpoint) {
            return pool.clone();
        }
        let host = HeaderValue::try_from(endpoint.authority()).unwrap_or(HeaderValue::from_static(""));
        let pool = Arc::new(Pool::new(endpoint.clone(), host, self.0.limits, self.0.counters.clone()));
        pools.insert(endpoint.clone(), pool.clone());
        pool
    }

    fn pools(&self) -> std::sync::MutexGuard<'_, HashMap<Endpoint, Arc<Pool>>> {
        self.0.pools.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why an exchange brought no answer.
enum Failure {
    /// The connection was gone before the request was begun: here it is again.
    Unsent(Box<Request<Outgoing>>),
    Lost(hyper::Error),
    TimedOut,
}

/// Sends the request and waits for the head of the answer, for as long as something moves.
async fn exchange(
    lease: &mut Lease,
    request: Request<Outgoing>,
    waiting: Option<&AtomicBool>,
    read_timeout: Duration,
) -> Result<Response<Incoming>, Failure> {
    let Some(connection) = lease.connection_mut() else { return Err(Failure::Unsent(Box::new(request))) };
    let Connection { sender, moved, driven, .. } = connection;
    let mut answer = pin!(sender.try_send_request(request));
    let mut answer = poll_fn(|context| {
        driven.drive(context);
        answer.as_mut().poll(context)
    });
    loop {
        let before = moved.load(Ordering::Relaxed);
        match timeout(read_timeout, &mut answer).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(mut error)) => {
                return Err(match error.take_message() {
                    Some(request) => Failure::Unsent(Box::new(request)),
                    None => Failure::Lost(error.into_error()),
                });
            }
            Err(_) => {
                let source_is_slow = waiting.is_some_and(|waiting| waiting.load(Ordering::Relaxed));
                if moved.load(Ordering::Relaxed) == before && !source_is_slow {
                    return Err(Failure::TimedOut);
                }
            }
        }
    }
}

impl Failure {
    fn into_error(self, reused: bool) -> SendError {
        let error =
            |source: BoxError| SendError { not_sent: false, timed_out: false, body_failed: false, reused, source };
        match self {
            Self::Unsent(_) => SendError { not_sent: true, ..error("the connection closed before the request".into()) },
            Self::TimedOut => SendError { timed_out: true, ..error("no answer in time".into()) },
            Self::Lost(lost) => SendError { body_failed: lost.is_user(), ..error(lost.into()) },
        }
    }
}

impl SendError {
    /// A connection that could not be opened.
    pub(super) fn dial(error: std::io::Error) -> Self {
        Self {
            not_sent: true,
            timed_out: error.kind() == std::io::ErrorKind::TimedOut,
            body_failed: false,
            reused: false,
            source: error.into(),
        }
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self { body_failed: true, .. } => "the request body failed",
            Self { not_sent: true, .. } => "the request could not be sent",
            Self { timed_out: true, .. } => "no answer came in time",
            _ => "the connection broke before an answer came",
        })?;
        write!(f, ": {}", self.source)?;
        self.source.source().map_or(Ok(()), |cause| write!(f, ": {cause}"))
    }
}

impl StdError for SendError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.source)
    }
}
