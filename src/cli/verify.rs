//! `bluebucket verify`: are both sides equal?

use std::path::PathBuf;

use clap::Args;

/// Compares buckets with their containers, and says how strong the proof is
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub struct VerifyArgs {
    /// Only these buckets; else all of the configuration
    #[arg(long = "bucket", value_name = "NAME")]
    pub buckets: Vec<String>,
    /// Reads the contents of both sides and compares them
    #[arg(long)]
    pub deep: bool,
    /// With --deep: only this share of the objects, picked at random
    #[arg(long, value_name = "PERCENT", requires = "deep", value_parser = clap::value_parser!(u8).range(1..=100))]
    pub sample: Option<u8>,
    /// Writes one line of JSON for every difference
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Prints the result as JSON
    #[arg(long)]
    pub json: bool,
}

const EXAMPLES: &str = "\
Without --deep it compares listings with what was recorded at the copy: a few requests per thousand \
objects. With it every byte of both sides is read.

Examples:
  bluebucket verify
  bluebucket verify --bucket local-rocksdb-test --deep --sample 5
  bluebucket verify --report differences.ndjson
      Exit code 3 if there are differences.";
