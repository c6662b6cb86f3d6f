//! The body of an answer: gives its connection back to the pool when it has been read.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures::{Stream, StreamExt};
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;

use super::body::BoxError;
use super::deadline::Patience;
use super::pool::Lease;
use crate::telemetry::ByteCounter;

/// The body of an answer. A body that was not read to its end closes its connection when dropped,
/// unless only a small rest was left. A body shorter than its head announced yields an error.
pub struct PooledBody {
    incoming: Option<Incoming>,
    lease: Option<Lease>,
    patience: Patience,
    counter: Option<ByteCounter>,
}

/// A body, of an answer or of a request that we serve, that broke off.
#[derive(Debug)]
pub struct BodyError {
    /// True if no piece came in time, false if the connection broke.
    pub timed_out: bool,
    pub source: BoxError,
}

/// A rest of this many bytes is cheaper to read than a new connection is to open.
const DRAIN_MAX: u64 = 64 * 1024;

/// Longest time to spend on such a rest.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);

impl PooledBody {
    pub(super) fn new(incoming: Incoming, lease: Lease, read_timeout: Duration) -> Self {
        let patience = Patience::new(read_timeout);
        let mut body = Self { incoming: Some(incoming), lease: Some(lease), patience, counter: None };
        body.give_back_if_read();
        body
    }

    /// The same body, whose bytes `counter` counts from here on.
    #[must_use]
    pub fn counted(mut self, counter: Option<ByteCounter>) -> Self {
        self.counter = counter;
        self
    }

    /// The bytes still to come, if the head announced a length. `None` for a chunked body, and for
    /// one that ends with its connection: such a body may have been cut unnoticed.
    pub fn length_left(&self) -> Option<u64> {
        self.incoming.as_ref().map_or(Some(0), |incoming| incoming.size_hint().exact())
    }

    /// Reads the whole rest into memory; one piece is returned as it came.
    ///
    /// # Errors
    /// [`BodyError`] if the body breaks off or is larger than `limit` bytes.
    pub async fn collect(mut self, limit: usize) -> Result<Bytes, BodyError> {
        let mut first = Bytes::new();
        let mut joined: Vec<u8> = Vec::new();
        while let Some(piece) = self.next().await {
            let piece = piece?;
            if first.len().max(joined.len()) + piece.len() > limit {
                return Err(BodyError { timed_out: false, source: "the answer is too large".into() });
            }
            if first.is_empty() {
                first = piece;
                continue;
            }
            if joined.is_empty() {
                joined.reserve(self.length_left().map_or(0, |left| left.min(limit as u64) as usize) + 2 * piece.len());
                joined.extend_from_slice(&first);
            }
            joined.extend_from_slice(&piece);
        }
        Ok(if joined.is_empty() { first } else { joined.into() })
    }

    fn give_back_if_read(&mut self) {
        if self.incoming.as_ref().is_none_or(|incoming| incoming.is_end_stream()) {
            self.incoming = None;
            if let Some(lease) = self.lease.take() {
                lease.give_back();
            }
        }
    }

    fn break_off(&mut self, error: BodyError) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        self.incoming = None;
        self.lease = None;
        Poll::Ready(Some(Err(error)))
    }
}

impl http_body::Body for PooledBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        let Some(incoming) = &mut this.incoming else { return Poll::Ready(None) };
        match poll_frame(incoming, this.lease.as_ref(), context) {
            Poll::Ready(Some(Ok(frame))) => {
                this.patience.renew();
                count(this.counter.as_ref(), &frame);
                this.give_back_if_read();
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(None) => {
                this.incoming = None;
                this.give_back_if_read();
                Poll::Ready(None)
            }
            Poll::Ready(Some(Err(error))) => this.break_off(BodyError { timed_out: false, source: error.into() }),
            Poll::Pending if this.patience.poll(context).is_ready() => {
                this.break_off(BodyError { timed_out: true, source: "no data in time".into() })
            }
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.as_ref().map_or(SizeHint::with_exact(0), |incoming| incoming.size_hint())
    }
}

/// The data alone, without trailers.
impl Stream for PooledBody {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match std::task::ready!(self.as_mut().poll_frame(context)) {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Poll::Ready(Some(Ok(data)));
                    }
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }
}

impl Drop for PooledBody {
    fn drop(&mut self) {
        let small = self.length_left().is_some_and(|left| left <= DRAIN_MAX);
        let (Some(incoming), Some(lease)) = (self.incoming.take(), self.lease.take()) else { return };
        if let Ok(runtime) = tokio::runtime::Handle::try_current()
            && small
        {
            runtime.spawn(drain(incoming, lease, self.counter.take()));
        }
    }
}

/// The next frame of `incoming`, which comes over the connection of `lease`.
fn poll_frame(
    incoming: &mut Incoming,
    lease: Option<&Lease>,
    context: &mut Context<'_>,
) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
    let polled = Pin::new(&mut *incoming).poll_frame(context);
    let (Poll::Pending, Some(lease)) = (&polled, lease) else { return polled };
    lease.drive(context);
    Pin::new(incoming).poll_frame(context)
}

fn count(counter: Option<&ByteCounter>, frame: &Frame<Bytes>) {
    if let (Some(counter), Some(data)) = (counter, frame.data_ref()) {
        counter.add(data.len());
    }
}

async fn drain(mut incoming: Incoming, lease: Lease, counter: Option<ByteCounter>) {
    let rest = async {
        while let Some(frame) = poll_fn(|context| poll_frame(&mut incoming, Some(&lease), context)).await {
            match frame {
                Ok(frame) => count(counter.as_ref(), &frame),
                Err(_) => return false,
            }
        }
        true
    };
    if tokio::time::timeout(DRAIN_TIMEOUT, rest).await == Ok(true) {
        lease.give_back();
    }
}

impl fmt::Debug for PooledBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PooledBody").field("length_left", &self.length_left()).finish_non_exhaustive()
    }
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the body broke off: {}", self.source)
    }
}

impl std::error::Error for BodyError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.source)
    }
}
