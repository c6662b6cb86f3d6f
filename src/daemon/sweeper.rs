//! Sweeps what multipart uploads leave behind, from time to time.

use std::sync::Arc;
use std::time::Duration;

use crate::bucket::Bucket;
use crate::config::{BucketConfig, Config};
use crate::object::{Result, Timestamp};
use crate::telemetry::Metrics;
use crate::telemetry::label::SweepOutcome;

use super::AzureAccess;

/// Between two sweeps, give or take a quarter, so that replicas do not sweep in step.
const INTERVAL: Duration = Duration::from_secs(3600);
/// The first one comes sooner, so that a process that is often started anew sweeps at all.
const FIRST_AFTER: Duration = Duration::from_secs(120);

/// Sweeps until the process ends. Two replicas at it at once do no harm: every step is a
/// compare-and-swap.
pub async fn run(config: Arc<Config>, azure: AzureAccess, metrics: Arc<Metrics>) {
    let blobs = azure.client();
    let state = azure.state(&blobs);
    let shared = azure.shared();
    let bucket = |config: &BucketConfig| Swept {
        bucket: Bucket::new(
            config.name.clone(),
            config.container.clone(),
            blobs.clone(),
            state.clone(),
            shared.clone(),
        ),
        ttl: config.upload_ttl,
    };
    let buckets: Vec<_> = config.buckets.iter().map(bucket).collect();
    let mut wait = FIRST_AFTER;
    loop {
        tokio::time::sleep(wait.mul_f64(0.75 + 0.5 * fastrand::f64())).await;
        sweep(&buckets, &metrics).await;
        wait = INTERVAL;
    }
}

/// A bucket and how long its uploads are kept.
struct Swept {
    bucket: Bucket,
    ttl: Option<Duration>,
}

/// Sweeps all buckets. What fails is found again by the next sweep, and keeps no other bucket waiting.
async fn sweep(buckets: &[Swept], metrics: &Metrics) {
    let now = Timestamp::now();
    let mut open = 0;
    for swept in buckets {
        match sweep_bucket(swept, now, metrics).await {
            Ok(in_progress) => open += in_progress,
            Err(error) => {
                let bucket = swept.bucket.name().as_str();
                tracing::warn!(bucket, %error, "a sweep of multipart uploads was left unfinished");
            }
        }
    }
    metrics.sweeper.open(open);
    if let Some(swept) = buckets.first()
        && let Err(error) = sweep_orphans(&swept.bucket, now, metrics).await
    {
        tracing::warn!(%error, "a sweep of parts without an upload was left unfinished");
    }
}

/// Returns the number of uploads in progress.
async fn sweep_bucket(swept: &Swept, now: Timestamp, metrics: &Metrics) -> Result<u64> {
    let did = swept.bucket.sweep_uploads(now, swept.ttl).await?;
    metrics.sweeper.did(SweepOutcome::Settled, did.settled);
    metrics.sweeper.did(SweepOutcome::Expired, did.expired);
    metrics.sweeper.did(SweepOutcome::Result, did.results);
    metrics.sweeper.did(SweepOutcome::Failed, did.failed);
    let open = did.seen.saturating_sub(did.settled + did.expired);
    tracing::info!(
        bucket = swept.bucket.name().as_str(),
        open,
        settled = did.settled,
        expired = did.expired,
        results = did.results,
        failed = did.failed,
        "uploads swept"
    );
    Ok(open)
}

/// Parts belong to the account: no bucket's name is in theirs.
async fn sweep_orphans(any: &Bucket, now: Timestamp, metrics: &Metrics) -> Result<()> {
    let live = any.live_uploads().await?;
    let orphans = any.sweep_orphan_parts(now, &live).await?;
    metrics.sweeper.did(SweepOutcome::OrphanPart, orphans);
    tracing::info!(orphans, "parts without an upload swept");
    Ok(())
}
