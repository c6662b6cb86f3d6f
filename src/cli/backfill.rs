//! `bluebucket backfill`: copy what is there.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::mover_run::MoverRun;
use super::{CommonOptions, Exit, Failure};
use crate::admin::Status;
use crate::config::MoverConfig;
use crate::daemon;
use crate::mover::backfill::{self, BackfillSettings};
use crate::mover::pace::PaceSettings;
use crate::mover::progress::{Progress, log_lines};
use crate::mover::progress_bar;
use crate::mover::transfer::TransferSettings;

/// Copies buckets into their containers
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub struct BackfillArgs {
    /// Only these buckets; else all of the configuration
    #[arg(long = "bucket", value_name = "NAME")]
    pub buckets: Vec<String>,

    /// Copies only these keys: an earlier report, or lines of BUCKET,KEY
    #[arg(long, value_name = "FILE")]
    pub manifest: Option<PathBuf>,

    /// Writes one line of JSON for every object that was not copied, with the reason; else as configured
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,

    /// Prints the summary as JSON
    #[arg(long)]
    pub json: bool,
}

const EXAMPLES: &str = "\
Never writes to the source, deletes nothing, and never overwrites what a client wrote through the \
facade. Can be stopped and started at any time, and run by any number of processes at once: they \
share the work by records in the state container.

Examples:
  bluebucket backfill
  bluebucket backfill --bucket local-iceberg-test --report report.ndjson
  bluebucket backfill --manifest report.ndjson
      Once more what had failed. Exit code 3 says that something still needs attention.";

/// Between two log lines where there is no terminal.
const LOG_INTERVAL: Duration = Duration::from_secs(10);

pub fn run(common: &CommonOptions, args: &BackfillArgs) -> Result<Exit, Failure> {
    MoverRun::with(common, &args.buckets, |run| work(run, args))
}

async fn work(run: MoverRun, args: &BackfillArgs) -> Result<Exit, Failure> {
    run.process.azure.state(&run.process.azure.client()).ensure_container().await.map_err(Failure::of)?;
    let progress = Progress::new(run.access.names(), run.process.metrics.clone());
    run.serve_admin(status(&progress));
    let settings = settings(&run, args);
    let shown = match progress_bar::show(progress.clone()) {
        Some(bars) => tokio::spawn(bars),
        None => tokio::spawn(log_lines(progress.clone(), LOG_INTERVAL)),
    };
    let result = backfill::run(settings, run.access.factory(), progress).await;
    shown.abort();
    let summary = result.map_err(Failure::of)?;
    if args.json {
        println!("{}", serde_json::to_string(&summary).map_err(|error| Failure::fatal(error.to_string()))?);
    } else {
        println!("{summary}");
    }
    Ok(if summary.complete() { Exit::Done } else { Exit::Partial })
}

fn settings(run: &MoverRun, args: &BackfillArgs) -> BackfillSettings {
    let mover = &run.config.mover;
    let metrics = run.process.metrics.clone();
    BackfillSettings {
        prefixes: run.access.prefixes(),
        host: daemon::host_name(),
        threads: threads(mover),
        ranges: mover.ranges,
        concurrency: mover.concurrency,
        byte_budget: mover.byte_budget,
        pace: PaceSettings {
            start: mover.concurrency_start,
            min: mover.concurrency_min,
            max: mover.concurrency,
            objects_per_second: mover.pace_requests_per_second,
            bytes_per_second: mover.pace_bytes_per_second,
            throttles: Arc::new(move || metrics.blob.throttles() + metrics.source.throttles()),
        },
        transfer: transfer(mover),
        report: args.report.clone().or_else(|| mover.report.clone()),
        manifest: args.manifest.clone(),
        stop: run.stop.clone(),
    }
}

pub(super) fn transfer(mover: &MoverConfig) -> TransferSettings {
    TransferSettings {
        large_threshold: mover.large_threshold,
        block_size: mover.block_size,
        blocks_at_once: mover.blocks_at_once,
        md5_up_to: mover.md5_up_to,
        multipart_etags: mover.prove_multipart,
        ..TransferSettings::default()
    }
}

pub(super) fn threads(mover: &MoverConfig) -> usize {
    match mover.threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        threads => threads,
    }
}

pub(super) fn status(progress: &Arc<Progress>) -> Status {
    let status = Status::default();
    let progress = progress.clone();
    status.section("mover", move || {
        let bucket = |bucket: &crate::mover::progress::BucketProgress| {
            let now = bucket.snapshot();
            json!({
                "bucket": bucket.name, "listed": now.listed, "copied": now.copied, "unchanged": now.unchanged,
                "client_newer": now.client_newer, "needs_attention": now.unmappable + now.needs_action + now.foreign + now.failed,
                "bytes_copied": now.bytes_copied, "ranges_done": now.ranges_done,
                "ranges_open": now.ranges_pending + now.ranges_owned,
            })
        };
        json!(progress.buckets().iter().map(bucket).collect::<Vec<_>>())
    });
    status
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_the_mover_reach_the_transfer() {
        let mover = MoverConfig {
            large_threshold: 11,
            block_size: 12,
            blocks_at_once: 13,
            md5_up_to: 14,
            prove_multipart: true,
            ..MoverConfig::default()
        };
        let transfer = transfer(&mover);
        let told = (transfer.large_threshold, transfer.block_size, transfer.blocks_at_once, transfer.md5_up_to);
        assert_eq!(told, (11, 12, 13, 14));
        assert!(transfer.multipart_etags);
    }
}
