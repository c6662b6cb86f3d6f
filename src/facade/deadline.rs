//! A stream that has to keep moving.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures::Stream;
use tokio::time::{Sleep, sleep};

use crate::object::{Error, ErrorKind, Result};

/// Ends in an error if nothing comes for too long. The clock is armed only while the stream is
/// pending, so a body that is there at once costs no timer.
pub(super) struct Moving<S> {
    stream: S,
    patience: Duration,
    alarm: Option<Pin<Box<Sleep>>>,
}

impl<S> Moving<S> {
    pub fn new(stream: S, patience: Duration) -> Self {
        Self { stream, patience, alarm: None }
    }
}

impl<S: Stream<Item = Result<Bytes>> + Unpin> Stream for Moving<S> {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Poll::Ready(item) = Pin::new(&mut self.stream).poll_next(context) {
            self.alarm = None;
            return Poll::Ready(item);
        }
        let patience = self.patience;
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep(patience)));
        match alarm.as_mut().poll(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(()) => {
                let message = format!("the client sent nothing for {} s", patience.as_secs());
                Poll::Ready(Some(Err(Error::new(ErrorKind::BodyIncomplete, message))))
            }
        }
    }
}
