//! What a run has done so far, for whoever watches it: the bar, the log, the metrics.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::outcome::Outcome;
use crate::telemetry::{Metrics, MoverOutcome, ProofLevel, RangeState};

/// Live numbers of this process's share of a run.
pub struct Progress {
    buckets: Vec<BucketProgress>,
    metrics: Arc<Metrics>,
    in_flight: AtomicU64,
    started: Instant,
}

/// Live numbers of a bucket.
pub struct BucketProgress {
    pub name: String,
    listed: AtomicU64,
    bytes_listed: AtomicU64,
    outcomes: [AtomicU64; MoverOutcome::ALL.len()],
    proofs: [AtomicU64; ProofLevel::ALL.len()],
    bytes_copied: AtomicU64,
    /// Bytes that have passed, of objects that are not finished too.
    bytes_moved: AtomicU64,
    extra: AtomicU64,
    ranges: [AtomicU64; RangeState::ALL.len()],
}

/// The numbers of a moment, over one bucket or all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    pub listed: u64,
    pub copied: u64,
    pub unchanged: u64,
    pub client_newer: u64,
    pub foreign: u64,
    pub deleted: u64,
    pub unmappable: u64,
    pub needs_action: u64,
    pub failed: u64,
    pub bytes_listed: u64,
    pub bytes_copied: u64,
    pub bytes_moved: u64,
    /// Blobs whose key the source does not have.
    pub extra: u64,
    pub ranges_pending: u64,
    pub ranges_owned: u64,
    pub ranges_done: u64,
}

/// An object on its way; dropping it ends that.
pub struct InFlight(Arc<Progress>);

impl Progress {
    /// Starts the clock. `buckets` are the names that clients use, in the order of the clients.
    pub fn new(buckets: impl IntoIterator<Item = String>, metrics: Arc<Metrics>) -> Arc<Self> {
        let buckets = buckets.into_iter().map(BucketProgress::new).collect();
        Arc::new(Self { buckets, metrics, in_flight: AtomicU64::new(0), started: Instant::now() })
    }

    pub fn buckets(&self) -> &[BucketProgress] {
        &self.buckets
    }

    /// The sum over all buckets.
    pub fn total(&self) -> Snapshot {
        let mut total = Snapshot::default();
        for bucket in &self.buckets {
            total += bucket.snapshot();
        }
        total
    }

    /// Objects being copied.
    pub fn in_flight(&self) -> u64 {
        self.in_flight.load(Ordering::Relaxed)
    }

    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    pub(super) fn begin(self: &Arc<Self>) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight(self.clone())
    }

    pub(super) fn listed(&self, bucket: usize, bytes: u64) {
        let Some(bucket) = self.buckets.get(bucket) else { return };
        bucket.listed.fetch_add(1, Ordering::Relaxed);
        bucket.bytes_listed.fetch_add(bytes, Ordering::Relaxed);
        self.metrics.mover.ended(MoverOutcome::Listed, bytes);
    }

    pub(super) fn settled(&self, bucket: usize, outcome: &Outcome, bytes: u64) {
        let Some(bucket) = self.buckets.get(bucket) else { return };
        self.metrics.mover.ended(outcome.label(), bytes);
        add(&bucket.outcomes, outcome.label() as usize, 1);
        if let Outcome::Copied(level) = outcome {
            bucket.bytes_copied.fetch_add(bytes, Ordering::Relaxed);
            add(&bucket.proofs, *level as usize, 1);
            self.metrics.mover.proved(*level);
        }
    }

    pub(super) fn moved(&self, bucket: usize, bytes: u64) {
        if let Some(bucket) = self.buckets.get(bucket) {
            bucket.bytes_moved.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    pub(super) fn extra(&self, bucket: usize) {
        if let Some(bucket) = self.buckets.get(bucket) {
            bucket.extra.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn ranges(&self, bucket: usize, state: RangeState, count: u64) {
        if let Some(slot) = self.buckets.get(bucket).and_then(|bucket| bucket.ranges.get(state as usize)) {
            slot.store(count, Ordering::Relaxed);
        }
        let sum = self.buckets.iter().map(|bucket| get(&bucket.ranges, state as usize)).sum();
        self.metrics.mover.ranges(state, sum);
    }

    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }
}

impl BucketProgress {
    fn new(name: String) -> Self {
        Self {
            name,
            listed: AtomicU64::new(0),
            bytes_listed: AtomicU64::new(0),
            outcomes: Default::default(),
            proofs: Default::default(),
            bytes_copied: AtomicU64::new(0),
            bytes_moved: AtomicU64::new(0),
            extra: AtomicU64::new(0),
            ranges: Default::default(),
        }
    }

    pub fn snapshot(&self) -> Snapshot {
        let outcome = |outcome: MoverOutcome| get(&self.outcomes, outcome as usize);
        let range = |state: RangeState| get(&self.ranges, state as usize);
        Snapshot {
            listed: self.listed.load(Ordering::Relaxed),
            copied: outcome(MoverOutcome::Copied),
            unchanged: outcome(MoverOutcome::Unchanged),
            client_newer: outcome(MoverOutcome::ClientNewer),
            foreign: outcome(MoverOutcome::Foreign),
            deleted: outcome(MoverOutcome::Deleted),
            unmappable: outcome(MoverOutcome::Unmappable),
            needs_action: outcome(MoverOutcome::NeedsAction),
            failed: outcome(MoverOutcome::Failed),
            bytes_listed: self.bytes_listed.load(Ordering::Relaxed),
            bytes_copied: self.bytes_copied.load(Ordering::Relaxed),
            bytes_moved: self.bytes_moved.load(Ordering::Relaxed),
            extra: self.extra.load(Ordering::Relaxed),
            ranges_pending: range(RangeState::Pending),
            ranges_owned: range(RangeState::Owned),
            ranges_done: range(RangeState::Done),
        }
    }

    /// Copied objects by proof, in the order of [`ProofLevel::ALL`].
    pub fn proofs(&self) -> [u64; ProofLevel::ALL.len()] {
        std::array::from_fn(|level| get(&self.proofs, level))
    }
}

impl std::ops::AddAssign for Snapshot {
    fn add_assign(&mut self, other: Self) {
        self.listed += other.listed;
        self.copied += other.copied;
        self.unchanged += other.unchanged;
        self.client_newer += other.client_newer;
        self.foreign += other.foreign;
        self.deleted += other.deleted;
        self.unmappable += other.unmappable;
        self.needs_action += other.needs_action;
        self.failed += other.failed;
        self.bytes_listed += other.bytes_listed;
        self.bytes_copied += other.bytes_copied;
        self.bytes_moved += other.bytes_moved;
        self.extra += other.extra;
        self.ranges_pending += other.ranges_pending;
        self.ranges_owned += other.ranges_owned;
        self.ranges_done += other.ranges_done;
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

fn add(counters: &[AtomicU64], index: usize, count: u64) {
    if let Some(counter) = counters.get(index) {
        counter.fetch_add(count, Ordering::Relaxed);
    }
}

fn get(counters: &[AtomicU64], index: usize) -> u64 {
    counters.get(index).map_or(0, |counter| counter.load(Ordering::Relaxed))
}

/// Logs the progress every `every` until dropped or aborted.
pub async fn log_lines(progress: Arc<Progress>, every: Duration) {
    let mut before = Snapshot::default();
    loop {
        tokio::time::sleep(every).await;
        let total = progress.total();
        let seconds = every.as_secs_f64();
        tracing::info!(
            listed = total.listed,
            copied = total.copied,
            unchanged = total.unchanged,
            failed = total.failed,
            in_flight = progress.in_flight(),
            bytes_copied = total.bytes_copied,
            objects_per_second = ((total.copied - before.copied) as f64 / seconds) as u64,
            bytes_per_second = ((total.bytes_moved - before.bytes_moved) as f64 / seconds) as u64,
            ranges_done = total.ranges_done,
            ranges_open = total.ranges_pending + total.ranges_owned,
            "mover progress"
        );
        before = total;
    }
}
