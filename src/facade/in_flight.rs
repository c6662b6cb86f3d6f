//! A request being served: how long it may stand still, and what it occupies until its answer is sent.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures::Stream;
use http::Response;
use tokio::time::{Instant, sleep_until};

use crate::net::Body;
use crate::net::body::{BodyStream, BoxError};

/// When a request last moved: when its head had come, or the last piece of its body. A slow upload
/// may take longer than any limit on a request, as long as it goes on.
#[derive(Clone)]
pub(super) struct LastMove {
    begun: Instant,
    /// Milliseconds after `begun`.
    after: Arc<AtomicU64>,
}

impl LastMove {
    pub fn begin() -> Self {
        Self { begun: Instant::now(), after: Arc::default() }
    }

    /// Something came.
    pub fn now(&self) {
        self.after.store(self.begun.elapsed().as_millis() as u64, Ordering::Relaxed);
    }

    /// Returns once nothing has moved for `limit`.
    pub async fn still_for(&self, limit: Duration) {
        loop {
            let until = self.begun + Duration::from_millis(self.after.load(Ordering::Relaxed)) + limit;
            if until <= Instant::now() {
                return;
            }
            sleep_until(until).await;
        }
    }
}

/// Keeps `held` until the answer has been sent or given up. What is in memory already is as good as sent.
pub(super) fn hold<T: Send + Unpin + 'static>(response: &mut Response<Body>, held: T) {
    if let Body::Stream { stream, .. } = response.body_mut() {
        let inner = std::mem::replace(stream, Box::pin(futures::stream::empty()));
        *stream = Box::pin(Held { stream: inner, _held: held });
    }
}

struct Held<T> {
    stream: BodyStream,
    _held: T,
}

impl<T: Unpin> Stream for Held<T> {
    type Item = Result<Bytes, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.stream.as_mut().poll_next(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_request_that_moves_is_not_still() {
        let last_move = LastMove::begin();
        let moving = async {
            for _ in 0..10 {
                tokio::time::sleep(Duration::from_secs(9)).await;
                last_move.now();
            }
        };
        tokio::join!(moving, last_move.still_for(Duration::from_secs(10)));
        assert_eq!(last_move.begun.elapsed().as_secs(), 100);
    }

    #[test]
    fn what_is_held_goes_with_the_answer() {
        let held = Arc::new(());
        let mut response = Response::new(Body::Stream { length: None, stream: Box::pin(futures::stream::empty()) });
        hold(&mut response, held.clone());
        assert_eq!(Arc::strong_count(&held), 2);
        drop(response);
        hold(&mut Response::new(Body::Empty), held.clone());
        assert_eq!(Arc::strong_count(&held), 1);
    }
}
