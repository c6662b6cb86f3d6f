//! The HTTP/1.1 client: a pool of connections per endpoint, owned by one thread.

use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;

use super::{Body, Dialer, Endpoint};

/// Bounds of a pool.
#[derive(Clone, Copy, Debug)]
pub struct PoolLimits {
    /// Connections to one endpoint, idle or in use; more requests wait.
    pub connections_max: usize,
    /// An idle connection older than this is closed rather than used.
    pub idle_max: Duration,
    pub connect_timeout: Duration,
    /// Longest wait for the head of an answer once the request has been sent, and between two
    /// pieces of its body.
    pub read_timeout: Duration,
}

/// Sends requests over the pool. Clones share the pool; make one client per runtime thread.
#[derive(Clone)]
pub struct Client(());

/// A request that got no answer.
#[derive(Debug)]
pub struct SendError {
    /// True if not one byte of the request can have reached the server, so that sending it again is safe.
    pub not_sent: bool,
    /// True if a deadline passed.
    pub timed_out: bool,
    pub source: super::body::BoxError,
}

impl Client {
    pub fn new(_dialer: Dialer, _limits: PoolLimits) -> Self {
        todo!()
    }

    /// Sends one request and returns the head of its answer; the body streams from the connection,
    /// which goes back to the pool when the body has been read to its end.
    ///
    /// # Errors
    /// [`SendError`] if no answer came.
    pub async fn send(&self, _endpoint: &Endpoint, _request: Request<Body>) -> Result<Response<Incoming>, SendError> {
        todo!()
    }
}
