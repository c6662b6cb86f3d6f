//! How long a request being served may stand still.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

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
}
