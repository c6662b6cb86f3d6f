//! Exponential backoff with full jitter.

use std::time::Duration;

/// How long to wait before which try, and when to give up.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    pub base: Duration,
    pub max: Duration,
    /// Tries in all, the first included.
    pub tries_max: u32,
    /// No new try begins after this long.
    pub total_max: Duration,
}

impl Default for Backoff {
    /// 0.5 s to 30 s as Azure's own SDKs; 20 s in all, so that an S3 client is answered before it gives up.
    fn default() -> Self {
        Self {
            base: Duration::from_millis(500),
            max: Duration::from_secs(30),
            tries_max: 8,
            total_max: Duration::from_secs(20),
        }
    }
}

impl Backoff {
    /// The wait before try number `next` (the second try is 1): a random share of the doubled base
    /// (AWS Architecture Blog, "Exponential Backoff And Jitter": full jitter), at least a tenth of it.
    pub fn wait(&self, next: u32) -> Duration {
        let ceiling = self.base.saturating_mul(1 << next.saturating_sub(1).min(20)).min(self.max);
        ceiling.mul_f64(0.1 + 0.9 * fastrand::f64())
    }
}
