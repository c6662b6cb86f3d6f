//! `bluebucket plan`: what will be moved, and what is in the way?

use std::path::PathBuf;

use clap::Args;

/// Lists the buckets and tells what a backfill would do, without doing it
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub struct PlanArgs {
    /// Only these buckets; else all of the configuration
    #[arg(long = "bucket", value_name = "NAME")]
    pub buckets: Vec<String>,
    /// Reads keys from an S3 Inventory manifest instead of listing
    #[arg(long, value_name = "FILE")]
    pub manifest: Option<PathBuf>,
    /// Writes one line of JSON for every object that cannot simply be copied
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Prints the plan as JSON
    #[arg(long)]
    pub json: bool,
}

const EXAMPLES: &str = "\
Reads listings only. Tells objects and bytes by size, what Blob Storage cannot hold and why, what is \
archived, what the container holds already, and how long the copy will take.

Examples:
  bluebucket plan
  bluebucket plan --bucket local-rocksdb-test --report unmappable.ndjson
  bluebucket plan --manifest manifest.json --json";
