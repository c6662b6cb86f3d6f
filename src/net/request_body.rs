//! The body of a request that we serve: its data, with a limit on silence.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures::Stream;
use http_body::{Body as _, SizeHint};
use hyper::body::Incoming;

use super::deadline::Patience;
use super::pooled_body::BodyError;

/// The data of a request body; HTTP trailers are left out. A body that ends before its announced
/// length, or whose client falls silent, yields an error.
pub struct RequestBody {
    incoming: Incoming,
    patience: Patience,
}

impl RequestBody {
    /// `idle_timeout` is the longest wait between two pieces.
    pub fn new(incoming: Incoming, idle_timeout: Duration) -> Self {
        Self { incoming, patience: Patience::new(idle_timeout) }
    }

    /// The length that the head announced; `None` for a chunked body.
    pub fn length(&self) -> Option<u64> {
        SizeHint::exact(&self.incoming.size_hint())
    }
}

impl Stream for RequestBody {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match Pin::new(&mut self.incoming).poll_frame(context) {
                Poll::Ready(Some(Ok(frame))) => {
                    self.patience.renew();
                    if let Ok(data) = frame.into_data() {
                        return Poll::Ready(Some(Ok(data)));
                    }
                }
                Poll::Ready(Some(Err(error))) => {
                    return Poll::Ready(Some(Err(BodyError { timed_out: false, source: error.into() })));
                }
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending if self.patience.poll(context).is_ready() => {
                    return Poll::Ready(Some(Err(BodyError { timed_out: true, source: "no data in time".into() })));
                }
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}
