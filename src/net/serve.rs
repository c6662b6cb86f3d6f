//! The HTTP/1.1 server loop: limits, timeouts, graceful drain.

use std::convert::Infallible;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::Body;
use super::body::BoxError;
use super::io::{IoStream, Watched};
use super::listen::{Accepted, Listener, ListenerStats, PeerInfo};
use super::serve_stage::{Overdue, Stages, Watch};
use super::shutdown::{Phase, Shutdown};

/// Bounds of a server.
#[derive(Clone, Copy, Debug)]
pub struct ServeLimits {
    /// Connections open at one time; more wait in the kernel's backlog.
    pub connections_max: usize,
    /// From the first byte of a request to the end of its head; for a new connection, from its opening.
    pub header_read_timeout: Duration,
    /// Bytes of request line and headers together; more is answered 431.
    pub headers_bytes_max: usize,
    /// Headers of a request; more is answered 431.
    pub headers_count_max: usize,
    /// Time between two requests of a connection.
    pub idle_timeout: Duration,
    /// Longest time for which a client may take not one byte of an answer.
    pub stall_timeout: Duration,
    pub tls_handshake_timeout: Duration,
    /// Bytes buffered per connection and direction.
    pub buffer_bytes_max: usize,
    /// Time between the start of draining and the closing of the entrance, for load balancers to notice.
    pub drain_delay: Duration,
    /// Time for what is in flight to finish after that.
    pub drain_deadline: Duration,
}

impl Default for ServeLimits {
    fn default() -> Self {
        Self {
            connections_max: 10_000,
            header_read_timeout: Duration::from_secs(10),
            headers_bytes_max: 32 * 1024,
            headers_count_max: HYPER_HEADERS_COUNT,
            idle_timeout: Duration::from_secs(120),
            stall_timeout: Duration::from_secs(60),
            tls_handshake_timeout: Duration::from_secs(10),
            buffer_bytes_max: 256 * 1024,
            drain_delay: Duration::from_secs(5),
            drain_deadline: Duration::from_secs(60),
        }
    }
}

/// hyper's own limit on headers, which it keeps on the stack; any other costs an allocation per request.
const HYPER_HEADERS_COUNT: usize = 100;

/// Wait after an accept that failed, so that a lack of file descriptors does not spin a core.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Answers requests until the shutdown has run its course; returns when the last connection is closed.
///
/// One task per connection on the current runtime. While draining, every answer closes its
/// connection, but idle connections and the entrance stay open for
/// [`drain_delay`](ServeLimits::drain_delay), so that no request in flight towards us is lost; then
/// what is in flight has [`drain_deadline`](ServeLimits::drain_deadline), and the rest is cut, as
/// it is at once when the phase becomes [`Phase::Stop`]. A handler that panics is answered 500 and
/// costs its connection.
pub async fn serve<H, F>(mut listener: Listener, limits: ServeLimits, handler: H, mut shutdown: Shutdown)
where
    H: Fn(Request<Incoming>, PeerInfo) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let permits = Arc::new(Semaphore::new(limits.connections_max.clamp(1, PERMITS_MAX as usize)));
    let permits_all = permits.available_permits() as u32;
    let (course, course_seen) = watch::channel(Course::Serve);
    let server = Server { limits, handler, shutdown: shutdown.clone(), course: course_seen, stats: listener.stats() };

    let mut closing = shutdown.clone();
    let mut closed = pin!(async {
        closing.reached(Phase::Draining).await;
        let mut stop = closing.clone();
        tokio::select! {
            () = sleep(limits.drain_delay) => {}
            () = stop.reached(Phase::Stop) => {}
        }
    });
    loop {
        tokio::select! {
            biased;
            () = &mut closed => break,
            () = server.admit(&mut listener, &permits) => {}
        }
    }
    drop(listener);

    let _ = course.send(Course::Finish);
    tokio::select! {
        _ = permits.acquire_many(permits_all) => return,
        () = sleep(limits.drain_deadline) => {}
        () = shutdown.reached(Phase::Stop) => {}
    }
    let _ = course.send(Course::Cut);
    let _ = permits.acquire_many(permits_all).await;
}

/// Permits that one `acquire_many` can ask for at most, kept well below the semaphore's own limit.
const PERMITS_MAX: u32 = 1 << 29;

/// What connections are told to do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Course {
    Serve,
    /// Finish the request in flight, then close.
    Finish,
    /// Close now.
    Cut,
}

#[derive(Clone)]
struct Server<H> {
    limits: ServeLimits,
    handler: H,
    shutdown: Shutdown,
    course: watch::Receiver<Course>,
    stats: Arc<ListenerStats>,
}

impl<H, F> Server<H>
where
    H: Fn(Request<Incoming>, PeerInfo) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    /// Takes one connection in, once there is room for it.
    async fn admit(&self, listener: &mut Listener, permits: &Arc<Semaphore>) {
        let Ok(permit) = permits.clone().acquire_owned().await else { return };
        match listener.accept().await {
            Ok((accepted, peer)) => {
                tokio::spawn(self.clone().connection(accepted, peer, permit));
            }
            Err(error) => {
                self.stats.accept_errors.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(%error, "accept failed");
                drop(permit);
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }

    async fn connection(self, accepted: Accepted, peer: PeerInfo, permit: OwnedSemaphorePermit) {
        let stats = self.stats.clone();
        stats.open.fetch_add(1, Ordering::Relaxed);
        match timeout(self.limits.tls_handshake_timeout, accepted.secure()).await {
            Ok(Ok(io)) => self.converse(io, peer).await,
            _ => {
                stats.handshake_failures.fetch_add(1, Ordering::Relaxed);
            }
        }
        stats.open.fetch_sub(1, Ordering::Relaxed);
        drop(permit);
    }

    /// Speaks HTTP until either side ends it, the client is too slow, or the course is changed.
    async fn converse(self, io: IoStream, peer: PeerInfo) {
        let Self { limits, mut course, stats, .. } = self.clone();
        let stages = Arc::new(Stages::new());
        let io = TokioIo::new(Watched { io, traffic: Watch(stages.clone()) });
        let service = {
            let stages = stages.clone();
            service_fn(move |request| answer(self.clone(), request, peer, stages.clone()))
        };
        let mut connection = pin!(builder(&limits).serve_connection(io, service));
        let mut check = pin!(sleep(limits.header_read_timeout));
        loop {
            tokio::select! {
                biased;
                _ = connection.as_mut() => return,
                change = course.changed() => match *course.borrow_and_update() {
                    _ if change.is_err() => return,
                    Course::Serve => {}
                    Course::Finish => connection.as_mut().graceful_shutdown(),
                    Course::Cut => return,
                },
                () = check.as_mut() => match stages.next_check(&limits, Instant::now()) {
                    Ok(at) => check.set(sleep_until(at)),
                    Err(overdue) => {
                        stats.timeouts.fetch_add(u64::from(overdue == Overdue::Slow), Ordering::Relaxed);
                        return;
                    }
                },
            }
        }
    }
}

fn builder(limits: &ServeLimits) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        // It would run while a connection is idle too; `Stages` tells the two apart.
        .header_read_timeout(None)
        .max_header_size(limits.headers_bytes_max)
        .max_buf_size(limits.buffer_bytes_max.max(16 * 1024));
    if limits.headers_count_max != HYPER_HEADERS_COUNT {
        builder.max_headers(limits.headers_count_max);
    }
    builder
}

async fn answer<H, F>(
    server: Server<H>,
    request: Request<Incoming>,
    peer: PeerInfo,
    stages: Arc<Stages>,
) -> Result<Response<Served>, Infallible>
where
    H: Fn(Request<Incoming>, PeerInfo) -> F,
    F: Future<Output = Response<Body>>,
{
    stages.busy();
    let served = InFlight(stages);
    server.stats.requests.fetch_add(1, Ordering::Relaxed);
    // The call itself may panic too, before there is a future.
    let handled = AssertUnwindSafe(async { (server.handler)(request, peer).await }).catch_unwind().await;
    let mut response = handled.unwrap_or_else(|_| {
        server.stats.panics.fetch_add(1, Ordering::Relaxed);
        tracing::error!("a request handler panicked");
        let mut response = Response::new(Body::Empty);
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        close(&mut response);
        response
    });
    if server.shutdown.phase() != Phase::Running {
        close(&mut response);
    }
    Ok(response.map(|body| Served { body, _in_flight: served }))
}

fn close(response: &mut Response<Body>) {
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
}

/// The body of an answer; the request is in flight until it has been sent or given up.
struct Served {
    body: Body,
    _in_flight: InFlight,
}

struct InFlight(Arc<Stages>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.idle();
    }
}

impl http_body::Body for Served {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
