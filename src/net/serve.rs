//! The HTTP/1.1 server loop: limits, timeouts, graceful drain.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::server::conn::http1::{self, Parts};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::task::coop::unconstrained;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::Body;
use super::body::BoxError;
use super::io::{IoStream, Watched};
use super::listen::{Accepted, Listener, ListenerStats, PeerInfo};
use super::recycled::{Recycled, Recycler};
use super::repoll::Repoll;
use super::serve_stage::{Overdue, SOON, Stages, Watch};
use super::shutdown::{Phase, Shutdown};

/// Bounds of a server.
#[derive(Clone, Copy, Debug)]
pub struct ServeLimits {
    /// Connections open at one time. A few more are taken in to be told so, the rest waits in the kernel's
    /// backlog. When seven of eight are in use, idle ones are closed early.
    pub connections_max: usize,
    /// From the first byte of a request to the end of its head; for a new connection, from its opening.
    pub header_read_timeout: Duration,
    /// Bytes of request line and headers together; more is answered 431.
    pub headers_bytes_max: usize,
    /// Bytes of a request's target, answered 414 if there are more, and of any one header, answered 431.
    pub line_bytes_max: usize,
    /// Headers of a request; more is answered 431.
    pub headers_count_max: usize,
    /// Time between two requests of a connection.
    pub idle_timeout: Duration,
    /// Longest time for which a client may take not one byte of an answer.
    pub stall_timeout: Duration,
    pub tls_handshake_timeout: Duration,
    /// Bytes buffered per connection and direction, where there are few connections; half of it where there are many.
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
            line_bytes_max: 8 * 1024,
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

/// Room for connections, which several listeners may share.
#[derive(Clone)]
pub struct Room {
    places: Arc<Semaphore>,
    places_max: usize,
}

impl Room {
    pub fn new(connections_max: usize) -> Self {
        let places_max = connections_max.clamp(1, Semaphore::MAX_PERMITS);
        Self { places: Arc::new(Semaphore::new(places_max)), places_max }
    }

    /// Whether so few connections are open that none has to be sparing with memory.
    fn is_quiet(&self) -> bool {
        self.places_max - self.places.available_permits() <= QUIET_CONNECTIONS
    }

    fn is_scarce(&self) -> bool {
        self.places.available_permits() < self.places_max.div_ceil(8)
    }
}

/// Marks, among its extensions, a request on a connection for which there was no room. It is to be turned
/// away: whatever the answer is, the connection is closed after it.
#[derive(Clone, Copy, Debug)]
pub struct Surplus;

/// Connections of one listener that are open only to be told that there is no room.
const SURPLUS_MAX: usize = 64;
/// Time for the head of a request that will be turned away.
const SURPLUS_HEADER_TIMEOUT: Duration = Duration::from_secs(2);
/// So many connections are few.
const QUIET_CONNECTIONS: usize = 64;
/// Between two looks at a connection that rests.
const REST_CHECK: Duration = Duration::from_secs(5);
/// Idle time that a connection is left while room is scarce.
const SCARCE_IDLE_TIMEOUT: Duration = Duration::from_secs(1);

/// Answers requests until the shutdown has run its course; returns when the last connection is closed.
///
/// One task per connection on the current runtime. While draining, every answer closes its
/// connection, but idle connections and the entrance stay open for
/// [`drain_delay`](ServeLimits::drain_delay), so that no request in flight towards us is lost; then
/// what is in flight has [`drain_deadline`](ServeLimits::drain_deadline), and the rest is cut, as
/// it is at once when the phase becomes [`Phase::Stop`]. A handler that panics is answered 500 and
/// costs its connection.
pub async fn serve<H, F>(listener: Listener, limits: ServeLimits, handler: H, shutdown: Shutdown)
where
    H: Fn(Request<Incoming>, PeerInfo) -> F + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    serve_within(Room::new(limits.connections_max), listener, limits, handler, shutdown).await;
}

/// The same with room for connections that is shared with other listeners.
pub async fn serve_within<H, F>(
    room: Room,
    mut listener: Listener,
    limits: ServeLimits,
    handler: H,
    mut shutdown: Shutdown,
) where
    H: Fn(Request<Incoming>, PeerInfo) -> F + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let (course, course_seen) = watch::channel(Course::Serve);
    let (alive, mut all_closed) = mpsc::channel(1);
    let stats = listener.stats();
    let futures = Recycler::new();
    let server = Arc::new(Server { limits, handler, futures, shutdown: shutdown.clone(), stats: stats.clone() });
    let entrance =
        Entrance { server, room, surplus: Arc::new(Semaphore::new(SURPLUS_MAX)), course: course_seen, alive };

    let mut closed = pin!(drained(limits.drain_delay, shutdown.clone()));
    loop {
        tokio::select! {
            biased;
            () = &mut closed => break,
            () = entrance.admit(&mut listener) => {}
        }
    }
    entrance.admit_the_last(&mut listener).await;
    drop((listener, entrance));

    let _ = course.send(Course::Finish);
    tokio::select! {
        // First, so that nothing is said to be cut where nothing was open.
        biased;
        _ = all_closed.recv() => return,
        () = sleep(limits.drain_deadline) => {}
        () = shutdown.reached(Phase::Stop) => {}
    }
    tracing::warn!(connections = stats.open.load(Ordering::Relaxed), "cut at the end of the drain");
    let _ = course.send(Course::Cut);
    all_closed.recv().await;
}

/// Returns when the entrance is to be closed.
async fn drained(delay: Duration, mut shutdown: Shutdown) {
    shutdown.reached(Phase::Draining).await;
    tokio::select! {
        () = sleep(delay) => {}
        () = shutdown.reached(Phase::Stop) => {}
    }
}

/// What connections are told to do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Course {
    Serve,
    /// Finish the request in flight, then close.
    Finish,
    /// Close now.
    Cut,
}

/// What all connections share.
struct Server<H, F> {
    limits: ServeLimits,
    handler: H,
    /// So that an idle connection holds no room for the future of a request.
    futures: Recycler<F>,
    shutdown: Shutdown,
    stats: Arc<ListenerStats>,
}

/// What takes connections in.
struct Entrance<H, F> {
    server: Arc<Server<H, F>>,
    room: Room,
    surplus: Arc<Semaphore>,
    course: watch::Receiver<Course>,
    /// Held by every connection.
    alive: mpsc::Sender<()>,
}

/// What a connection reads and writes.
type Stream = TokioIo<Watched<Watch>>;

/// One connection, as long as it is open.
struct Connection<H, F> {
    server: Arc<Server<H, F>>,
    peer: PeerInfo,
    room: Room,
    /// It is here only to be told that there is no room.
    is_surplus: bool,
    course: watch::Receiver<Course>,
    _place: OwnedSemaphorePermit,
    _alive: mpsc::Sender<()>,
}

impl<H, F> Entrance<H, F>
where
    H: Fn(Request<Incoming>, PeerInfo) -> F + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    /// Takes one connection in, once it can be told at least that there is no room for it.
    async fn admit(&self, listener: &mut Listener) {
        let Ok(surplus) = self.surplus.clone().acquire_owned().await else { return };
        match listener.accept().await {
            Ok((accepted, peer)) => {
                let place = self.room.places.clone().try_acquire_owned();
                let is_surplus = place.is_err();
                let connection = Connection {
                    server: self.server.clone(),
                    peer,
                    room: self.room.clone(),
                    is_surplus,
                    course: self.course.clone(),
                    _place: place.unwrap_or(surplus),
                    _alive: self.alive.clone(),
                };
                self.server.stats.open.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(Box::new(connection).run(accepted));
            }
            Err(error) => {
                self.server.stats.accept_errors.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(%error, "accept failed");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }

    /// Takes in what the kernel has accepted already: closing the entrance would reset it.
    async fn admit_the_last(&self, listener: &mut Listener) {
        // Lets the runtime see what has come in.
        tokio::task::yield_now().await;
        while self.admit(listener).now_or_never().is_some() {}
    }
}

impl<H, F> Connection<H, F>
where
    H: Fn(Request<Incoming>, PeerInfo) -> F + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    /// A future is as large as the largest thing it ever waits for, and keeps what it was given beside what it makes
    /// of it. There may be ten thousand of these: so the connection is boxed, and so is a rest.
    async fn run(self: Box<Self>, accepted: Accepted) {
        match timeout(self.server.limits.tls_handshake_timeout, accepted.secure()).await {
            Ok(Ok(io)) => self.converse(io).await,
            _ => {
                self.server.stats.handshake_failures.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Speaks HTTP until either side ends it, the client is too slow, or the course is changed.
    async fn converse(mut self: Box<Self>, io: IoStream) {
        let stages = Arc::new(Stages::new());
        let may_rest = matches!(io, IoStream::Tcp(_));
        let io = TokioIo::new(Watched { io, traffic: Watch(stages.clone()) });
        let service = {
            let (server, peer, is_surplus, stages) = (self.server.clone(), self.peer, self.is_surplus, stages.clone());
            service_fn(move |request| answer(server.clone(), request, peer, is_surplus, stages.clone()))
        };
        let mut connection = self.builder().serve_connection(io, service);
        let repoll = Repoll::new();
        let mut check = pin!(sleep(SOON.min(self.server.limits.header_read_timeout)));
        loop {
            // A connection that never waits uses up what tokio lets its task do in one turn (`tokio::task::coop`),
            // and the end of a drain and the deadlines are to be seen all the same.
            tokio::select! {
                biased;
                _ = poll_fn(|context| repoll.poll(context, |context| Pin::new(&mut connection).poll(context))) => return,
                change = unconstrained(self.course.changed()) => match *self.course.borrow_and_update() {
                    _ if change.is_err() => return,
                    Course::Serve => {}
                    Course::Finish => Pin::new(&mut connection).graceful_shutdown(),
                    Course::Cut => return,
                },
                () = unconstrained(check.as_mut()) => {
                    let next = stages.next_check(&self.limits(), Instant::now(), may_rest);
                    match next {
                        Ok(at) if !may_rest || !stages.is_resting(Instant::now()) => check.set(sleep_until(at)),
                        Ok(_) => {
                            let rested = Box::pin(self.rest(connection.into_parts(), &stages)).await;
                            let Some((io, service)) = rested else { return };
                            connection = self.builder().serve_connection(io, service);
                            check.set(sleep(SOON));
                        }
                        Err(overdue) => {
                            let slow = u64::from(overdue == Overdue::Slow);
                            self.server.stats.timeouts.fetch_add(slow, Ordering::Relaxed);
                            return;
                        }
                    }
                },
            }
        }
    }

    /// Waits for the next request without the buffers of a connection; `None` if it is to be closed.
    async fn rest<S>(&mut self, parts: Parts<Stream, S>, stages: &Stages) -> Option<(Stream, S)> {
        // Half a head behind the last request: whoever sends that is not worth a buffer.
        if !parts.read_buf.is_empty() {
            return None;
        }
        let (io, service) = (parts.io, parts.service);
        loop {
            let (now, end) = (Instant::now(), stages.since() + self.limits().idle_timeout);
            if now >= end {
                return None;
            }
            tokio::select! {
                biased;
                readable = io.inner().io.readable() => return readable.is_ok().then_some((io, service)),
                change = self.course.changed() => {
                    if change.is_err() || *self.course.borrow_and_update() != Course::Serve {
                        return None;
                    }
                }
                // Room may have become scarce.
                () = sleep_until(end.min(now + REST_CHECK)) => {}
            }
        }
    }

    fn builder(&self) -> http1::Builder {
        builder(&self.server.limits, self.room.is_quiet())
    }

    /// The limits in force at this moment.
    fn limits(&self) -> ServeLimits {
        let mut limits = self.server.limits;
        if self.is_surplus {
            limits.header_read_timeout = limits.header_read_timeout.min(SURPLUS_HEADER_TIMEOUT);
        }
        if self.room.is_scarce() {
            limits.idle_timeout = limits.idle_timeout.min(SCARCE_IDLE_TIMEOUT);
        }
        limits
    }
}

impl<H, F> Drop for Connection<H, F> {
    fn drop(&mut self) {
        self.server.stats.open.fetch_sub(1, Ordering::Relaxed);
    }
}

fn builder(limits: &ServeLimits, is_quiet: bool) -> http1::Builder {
    let buffer = if is_quiet { limits.buffer_bytes_max } else { limits.buffer_bytes_max / 2 };
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        // It would run while a connection is idle too; `Stages` tells the two apart.
        .header_read_timeout(None)
        .max_header_size(limits.headers_bytes_max)
        .max_buf_size(buffer.max(16 * 1024));
    if limits.headers_count_max != HYPER_HEADERS_COUNT {
        builder.max_headers(limits.headers_count_max);
    }
    builder
}

/// No `async` function, whose future would keep room for the request, on idle connections too.
fn answer<H, F>(
    server: Arc<Server<H, F>>,
    mut request: Request<Incoming>,
    peer: PeerInfo,
    is_surplus: bool,
    stages: Arc<Stages>,
) -> impl Future<Output = Result<Response<Served>, Infallible>>
where
    H: Fn(Request<Incoming>, PeerInfo) -> F,
    F: Future<Output = Response<Body>>,
{
    stages.busy(request.body().is_end_stream());
    let served = InFlight(stages);
    server.stats.requests.fetch_add(1, Ordering::Relaxed);
    if is_surplus {
        request.extensions_mut().insert(Surplus);
    }
    let is_last = is_surplus || expects_in_vain(&request);
    let handling = match too_long(&request, server.limits.line_bytes_max) {
        Some(status) => Err(status),
        None => begin(&server, request, peer),
    };
    async move {
        let handled = match handling {
            Ok(handling) => AssertUnwindSafe(handling).catch_unwind().await.map_err(|_| panicked(&server)),
            Err(status) => Err(status),
        };
        let mut response = handled.unwrap_or_else(refused);
        if is_last || server.shutdown.phase() != Phase::Running {
            close(&mut response);
        }
        Ok(response.map(|body| Served { body, _in_flight: served }))
    }
}

/// Calls the handler, which may panic before there is a future: then the status to refuse with.
fn begin<H, F>(server: &Server<H, F>, request: Request<Incoming>, peer: PeerInfo) -> Result<Recycled<F>, StatusCode>
where
    H: Fn(Request<Incoming>, PeerInfo) -> F,
{
    let call = || server.futures.place((server.handler)(request, peer));
    catch_unwind(AssertUnwindSafe(call)).map_err(|_| panicked(server))
}

fn panicked<H, F>(server: &Server<H, F>) -> StatusCode {
    server.stats.panics.fetch_add(1, Ordering::Relaxed);
    tracing::error!("a request handler panicked");
    StatusCode::INTERNAL_SERVER_ERROR
}

/// A request without a body that waits for `100 Continue` gets its answer at once instead (RFC 9110
/// section 10.1.1). botocore then takes the status of that answer for the next one's too, whose real one
/// it reads as a header; so it gets no next one on this connection.
fn expects_in_vain(request: &Request<Incoming>) -> bool {
    let may_expect = request.method() == Method::PUT || request.method() == Method::POST;
    may_expect && request.body().is_end_stream() && request.headers().contains_key(header::EXPECT)
}

/// The status that a request is refused with because one of its lines is too long.
fn too_long(request: &Request<Incoming>, line_bytes_max: usize) -> Option<StatusCode> {
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    if target > line_bytes_max {
        return Some(StatusCode::URI_TOO_LONG);
    }
    let long = request.headers().iter().any(|(name, value)| name.as_str().len() + value.len() > line_bytes_max);
    long.then_some(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE)
}

/// An answer that ends the connection.
fn refused(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = status;
    close(&mut response);
    response
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
