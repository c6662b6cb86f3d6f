//! `bluebucket backfill`: copy what is there, and keep it in step.

use std::path::PathBuf;

use clap::Args;

/// Copies buckets into their containers, and keeps them in step
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub struct BackfillArgs {
    /// Only these buckets; else all of the configuration
    #[arg(long = "bucket", value_name = "NAME")]
    pub buckets: Vec<String>,
    /// Goes on with delta passes until it is stopped
    #[arg(long)]
    pub follow: bool,
    /// Compares blobs that other tools have put there, and takes over those that are equal
    #[arg(long)]
    pub adopt: bool,
    /// Tells what would be done, and does nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Copies only the objects that an earlier report names as failed
    #[arg(long, value_name = "FILE", conflicts_with_all = ["follow", "manifest"])]
    pub retry: Option<PathBuf>,
    /// Reads keys from an S3 Inventory manifest instead of listing
    #[arg(long, value_name = "FILE")]
    pub manifest: Option<PathBuf>,
    /// Writes one line of JSON for every object that was not simply unchanged; else as configured
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Recomputes multipart ETags, for a proof of objects that have no full checksum
    #[arg(long)]
    pub prove_multipart: bool,
    /// Removals from a container that are carried out at most; more stop the pass
    #[arg(long, default_value_t = 1000, value_name = "NUMBER")]
    pub removals_max: u64,
}

const EXAMPLES: &str = "\
Never writes to the source, and never overwrites what a client wrote through the facade. Can be \
stopped and started at any time, and run by any number of processes at once: they share the work by \
records in the state container.

Examples:
  bluebucket backfill
  bluebucket backfill --bucket local-iceberg-test --follow
  bluebucket backfill --retry report.ndjson
      Once more what had failed. Exit code 3 says that something still needs attention.";
