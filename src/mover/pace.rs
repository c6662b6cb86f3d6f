//! How much is done at a time: additive increase, multiplicative decrease, and fixed caps.
//!
//! A permit stands for one request pair (a GET at the source and a write to Blob). Its number grows by
//! one for each round of successes and is halved when either side asks for fewer requests.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// Bounds of the pace.
#[derive(Clone)]
pub struct PaceSettings {
    /// Transfers at one time to begin with; default 16.
    pub start: usize,
    /// Transfers at one time at the least; default 2.
    pub min: usize,
    /// Transfers at one time at the most; default 64.
    pub max: usize,
    /// Objects (of large ones: blocks) begun per second; `None` = no cap.
    pub objects_per_second: Option<u64>,
    /// Bytes begun per second; `None` = no cap.
    pub bytes_per_second: Option<u64>,
    /// Answers of both sides so far that asked for fewer requests; by default there are none to know of.
    pub throttles: Arc<dyn Fn() -> u64 + Send + Sync>,
}

impl Default for PaceSettings {
    fn default() -> Self {
        Self { start: 16, min: 2, max: 64, objects_per_second: None, bytes_per_second: None, throttles: Arc::new(|| 0) }
    }
}

/// The pace of a process. Clones share it.
#[derive(Clone)]
pub struct Pace(Arc<Inner>);

struct Inner {
    settings: PaceSettings,
    permits: Arc<Semaphore>,
    limit: AtomicUsize,
    /// Permits to be taken out of circulation as they come back.
    debt: AtomicUsize,
    round: AtomicUsize,
    /// Throttles that were seen by transfers themselves.
    noticed: AtomicU64,
    adjusting: Mutex<Adjusting>,
    objects: Option<Bucket>,
    bytes: Option<Bucket>,
}

struct Adjusting {
    throttles: u64,
    halved: Option<Instant>,
}

/// The right to one transfer; given back when dropped.
pub struct Permit {
    pace: Pace,
    permit: Option<OwnedSemaphorePermit>,
}

/// Answers to requests that were on their way when the pace was halved do not halve it again.
const HALVE_EVERY: Duration = Duration::from_secs(1);

impl Pace {
    pub fn new(settings: PaceSettings) -> Self {
        let min = settings.min.max(1);
        let max = settings.max.max(min);
        let start = settings.start.clamp(min, max);
        Self(Arc::new(Inner {
            permits: Arc::new(Semaphore::new(start)),
            limit: AtomicUsize::new(start),
            debt: AtomicUsize::new(0),
            round: AtomicUsize::new(0),
            noticed: AtomicU64::new(0),
            adjusting: Mutex::new(Adjusting { throttles: (settings.throttles)(), halved: None }),
            objects: settings.objects_per_second.map(Bucket::new),
            bytes: settings.bytes_per_second.map(Bucket::new),
            settings: PaceSettings { min, max, start, ..settings },
        }))
    }

    /// Waits for the right to transfer `bytes`.
    pub async fn acquire(&self, bytes: u64) -> Permit {
        let permit = self.0.permits.clone().acquire_owned().await.ok();
        let permit = Permit { pace: self.clone(), permit };
        if let Some(objects) = &self.0.objects {
            objects.take(1).await;
        }
        if let Some(cap) = &self.0.bytes {
            cap.take(bytes).await;
        }
        permit
    }

    /// Transfers allowed at one time now.
    pub fn limit(&self) -> usize {
        self.0.limit.load(Ordering::Relaxed)
    }

    /// Says that an answer asked for fewer requests.
    pub fn throttled(&self) {
        self.0.noticed.fetch_add(1, Ordering::Relaxed);
        self.adjust();
    }

    /// Counts a transfer that ended well.
    pub fn succeeded(&self) {
        if self.adjust() {
            return;
        }
        if self.0.round.fetch_add(1, Ordering::Relaxed) + 1 >= self.limit() {
            self.0.round.store(0, Ordering::Relaxed);
            self.raise();
        }
    }

    /// Halves the limit if there were throttles since the last look.
    fn adjust(&self) -> bool {
        let throttles = (self.0.settings.throttles)() + self.0.noticed.load(Ordering::Relaxed);
        let mut adjusting = self.0.adjusting.lock().unwrap_or_else(PoisonError::into_inner);
        if throttles == adjusting.throttles {
            return false;
        }
        adjusting.throttles = throttles;
        let now = Instant::now();
        if adjusting.halved.is_some_and(|at| now - at < HALVE_EVERY) {
            return true;
        }
        adjusting.halved = Some(now);
        self.lower();
        true
    }

    fn lower(&self) {
        let before = self.limit();
        let after = (before / 2).max(self.0.settings.min);
        self.0.limit.store(after, Ordering::Relaxed);
        self.0.round.store(0, Ordering::Relaxed);
        let idle = self.0.permits.forget_permits(before - after);
        self.0.debt.fetch_add(before - after - idle, Ordering::Relaxed);
        tracing::debug!(before, after, "pace halved");
    }

    fn raise(&self) {
        let limit = self.limit();
        if limit >= self.0.settings.max {
            return;
        }
        self.0.limit.store(limit + 1, Ordering::Relaxed);
        if !self.pay() {
            self.0.permits.add_permits(1);
        }
    }

    /// Settles one permit of the debt, if there is one.
    fn pay(&self) -> bool {
        self.0.debt.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |debt| debt.checked_sub(1)).is_ok()
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(permit) = self.permit.take()
            && self.pace.pay()
        {
            permit.forget();
        }
    }
}

/// A cap on a rate: a virtual clock that each taking moves on, at most a second behind the real one.
struct Bucket {
    per_second: u64,
    next: Mutex<Option<Instant>>,
}

impl Bucket {
    fn new(per_second: u64) -> Self {
        Self { per_second: per_second.max(1), next: Mutex::new(None) }
    }

    async fn take(&self, amount: u64) {
        let now = Instant::now();
        let at = {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            let at = next.map_or(now, |next| next.max(now));
            *next = Some(at + Duration::from_secs_f64(amount as f64 / self.per_second as f64));
            at
        };
        tokio::time::sleep_until(at).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(start: usize, max: usize) -> (Pace, Arc<AtomicU64>) {
        let throttles = Arc::new(AtomicU64::new(0));
        let seen = throttles.clone();
        let settings = PaceSettings {
            start,
            max,
            throttles: Arc::new(move || seen.load(Ordering::Relaxed)),
            ..PaceSettings::default()
        };
        (Pace::new(settings), throttles)
    }

    #[tokio::test(start_paused = true)]
    async fn grows_by_one_a_round_and_halves_once_a_second() {
        let (pace, throttles) = pace(4, 6);
        for expected in [5, 6, 6] {
            for _ in 0..pace.limit() {
                pace.succeeded();
            }
            assert_eq!(pace.limit(), expected);
        }
        throttles.fetch_add(9, Ordering::Relaxed);
        pace.succeeded();
        assert_eq!(pace.limit(), 3);
        pace.throttled();
        assert_eq!(pace.limit(), 3, "still the same burst");
        tokio::time::advance(HALVE_EVERY).await;
        pace.throttled();
        assert_eq!(pace.limit(), 2, "never below the least");
    }

    #[tokio::test(start_paused = true)]
    async fn permits_in_use_are_withdrawn_as_they_come_back() {
        let (pace, _) = pace(4, 8);
        let mut held = Vec::new();
        for _ in 0..4 {
            held.push(pace.acquire(0).await);
        }
        pace.throttled();
        held.truncate(2);
        assert_eq!(pace.0.permits.available_permits(), 0);
        held.truncate(1);
        assert_eq!(pace.0.permits.available_permits(), 1);
        held.clear();
        assert_eq!(pace.0.permits.available_permits(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn caps_hold() {
        let settings = PaceSettings { bytes_per_second: Some(1000), start: 64, ..PaceSettings::default() };
        let pace = Pace::new(settings);
        let begun = Instant::now();
        for _ in 0..11 {
            drop(pace.acquire(500).await);
        }
        assert_eq!(begun.elapsed().as_millis(), 5000);
    }
}
