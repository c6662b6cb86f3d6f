//! Sweeps what multipart uploads leave behind, from time to time.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use crate::bucket::Bucket;
use crate::config::Config;
use crate::object::{Result, Timestamp};

use super::AzureAccess;

/// Between two sweeps, give or take a quarter, so that replicas do not sweep in step.
const INTERVAL: Duration = Duration::from_secs(3600);

/// Sweeps until the process ends. Two replicas at it at once do no harm: every step is a
/// compare-and-swap.
pub async fn run(config: Arc<Config>, azure: AzureAccess) {
    let blobs = azure.client();
    let state = azure.state(&blobs);
    let shared = azure.shared();
    let buckets: Vec<_> = config
        .buckets
        .iter()
        .map(|bucket| {
            Bucket::new(bucket.name.clone(), bucket.container.clone(), blobs.clone(), state.clone(), shared.clone())
        })
        .collect();
    loop {
        tokio::time::sleep(INTERVAL.mul_f64(0.75 + 0.5 * fastrand::f64())).await;
        if let Err(error) = sweep(&buckets).await {
            tracing::warn!(%error, "a sweep of multipart uploads was left unfinished");
        }
    }
}

async fn sweep(buckets: &[Bucket]) -> Result<()> {
    let now = Timestamp::now();
    let mut live = HashSet::new();
    for bucket in buckets {
        // Uploads are kept until they are completed or aborted: Flink completes them after weeks.
        let swept = bucket.sweep_uploads(now, None).await?;
        live.extend(bucket.live_uploads().await?);
        tracing::info!(
            bucket = bucket.name().as_str(),
            settled = swept.settled,
            results = swept.results,
            "uploads swept"
        );
    }
    if let Some(bucket) = buckets.first() {
        let orphans = bucket.sweep_orphan_parts(now, &live).await?;
        tracing::info!(orphans, "parts without an upload swept");
    }
    Ok(())
}
