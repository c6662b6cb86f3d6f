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
                metrics.sweeper.did(SweepOutcome::Failed, 1);
                tracing::warn!(bucket, %error, "a sweep of multipart uploads was left unfinished");
            }
        }
    }
    metrics.sweeper.open(open);
    if let Some(swept) = buckets.first()
        && let Err(error) = sweep_orphans(&swept.bucket, now, metrics).await
    {
        metrics.sweeper.did(SweepOutcome::Failed, 1);
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

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::blob::{BlobAccount, BlobClient, Credential, RetryPolicy, SharedKey};
    use crate::bucket::Shared;
    use crate::emulator::{Clock, DEVELOPMENT_ACCOUNT, DEVELOPMENT_KEY, Emulator, EmulatorConfig};
    use crate::net::{Client, Dialer};
    use crate::object::multipart::CreateUpload;
    use crate::object::{BucketName, ContainerName, ObjectKey};
    use crate::state::StateStore;

    const DAY: Duration = Duration::from_secs(86_400);

    /// Uploads of two buckets, begun 40 days ago.
    async fn forty_days_ago() -> (Arc<Emulator>, Vec<Bucket>) {
        let clock = Clock::manual(SystemTime::now() - DAY * 40);
        let emulator = Emulator::new(EmulatorConfig { clock, ..EmulatorConfig::default() });
        for container in ["flink", "bluebucket-state"] {
            emulator.create_container(DEVELOPMENT_ACCOUNT, container);
        }
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/{DEVELOPMENT_ACCOUNT}", listener.local_addr().unwrap());
        tokio::spawn(emulator.clone().serve(listener, std::future::pending()));
        let key = Credential::SharedKey(SharedKey::new(DEVELOPMENT_ACCOUNT, DEVELOPMENT_KEY).unwrap());
        let http = Client::new(Dialer::network(None), crate::daemon::azure::pool_limits(false));
        let blobs = BlobClient::new(BlobAccount::parse(&url).unwrap(), key, http, RetryPolicy::default());
        let state = StateStore::new(blobs.clone(), ContainerName::new("bluebucket-state").unwrap());
        let then = Timestamp(Timestamp::now().0 - 40 * DAY.as_secs() as i64);
        let shared = Arc::new(Shared::with_clock(move || then));
        let bucket = |name: &str| {
            let container = ContainerName::new("flink").unwrap();
            Bucket::new(BucketName::new(name).unwrap(), container, blobs.clone(), state.clone(), shared.clone())
        };
        let buckets = vec![bucket("expires"), bucket("keeps")];
        for bucket in &buckets {
            bucket.create_upload(&ObjectKey::new("key").unwrap(), &CreateUpload::default()).await.unwrap();
        }
        (emulator, buckets)
    }

    #[tokio::test]
    async fn each_bucket_has_a_time_of_its_own_and_all_is_counted() {
        let (_emulator, buckets) = forty_days_ago().await;
        let ttls = [Some(DAY * 30), None];
        let swept: Vec<_> = buckets.into_iter().zip(ttls).map(|(bucket, ttl)| Swept { bucket, ttl }).collect();
        let metrics = Metrics::new();
        sweep(&swept, &metrics).await;
        sweep(&swept, &metrics).await;
        let text = metrics.render();
        for line in [
            r#"bluebucket_sweeper_items_total{outcome="expired"} 1"#,
            r#"bluebucket_sweeper_items_total{outcome="failed"} 0"#,
            "bluebucket_sweeper_open_uploads 1",
        ] {
            assert!(text.lines().any(|shown| shown == line), "{line} is not in\n{text}");
        }
        assert!(swept[0].bucket.live_uploads().await.unwrap().len() == 1);
    }
}
