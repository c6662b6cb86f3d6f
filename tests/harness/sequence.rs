//! One order for everything that happens in a test process, so that histories can be merged.

use std::sync::atomic::{AtomicU64, Ordering};

static NEXT: AtomicU64 = AtomicU64::new(1);

/// The next number; greater than every number handed out before.
pub fn next() -> u64 {
    NEXT.fetch_add(1, Ordering::SeqCst)
}
