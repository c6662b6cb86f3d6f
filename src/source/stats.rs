//! What the source's answers tell the mover's pace.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts over all clients that were given the same stats; read them as differences.
#[derive(Debug, Default)]
pub struct SourceStats {
    /// Requests sent, every try counted.
    pub requests: AtomicU64,
    /// Answers that asked for fewer requests (503 SlowDown, 429).
    pub throttled: AtomicU64,
    /// Tries after the first.
    pub retries: AtomicU64,
    /// Bodies taken up again after they broke off.
    pub resumed: AtomicU64,
}

impl SourceStats {
    pub(super) fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}
