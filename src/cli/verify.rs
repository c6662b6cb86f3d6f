//! `bluebucket verify`: are both sides equal?

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::backfill::threads;
use super::mover_run::MoverRun;
use super::{CommonOptions, Exit, Failure};
use crate::mover::verify::{self, VerifyMode, VerifySettings};

/// Proves that both sides are equal, independent of what the backfill believes
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub struct VerifyArgs {
    /// What is compared
    #[arg(long, value_enum, default_value_t = Mode::List)]
    pub mode: Mode,

    /// Only these buckets; else all of the configuration
    #[arg(long = "bucket", value_name = "NAME")]
    pub buckets: Vec<String>,

    /// Writes one line of JSON for every difference
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,

    /// Prints the result as JSON
    #[arg(long)]
    pub json: bool,
}

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// Keys, sizes and ETags of both listings: a few requests per thousand objects
    List,
    /// Every byte of both sides, content headers, metadata and tags
    Hash,
}

const EXAMPLES: &str = "\
Believes neither stamps nor records: it lists and reads both sides anew.

Examples:
  bluebucket verify
  bluebucket verify --mode hash --bucket local-rocksdb-test
  bluebucket verify --mode hash --report differences.ndjson
      Exit code 3 if there are differences.";

pub fn run(common: &CommonOptions, args: &VerifyArgs) -> Result<Exit, Failure> {
    MoverRun::with(common, &args.buckets, |run| work(run, args))
}

async fn work(run: MoverRun, args: &VerifyArgs) -> Result<Exit, Failure> {
    let settings = VerifySettings {
        mode: match args.mode {
            Mode::List => VerifyMode::List,
            Mode::Hash => VerifyMode::Hash,
        },
        prefixes: run.access.prefixes(),
        threads: threads(&run.config.mover),
        concurrency: run.config.mover.concurrency,
        report: args.report.clone(),
        stop: run.stop.clone(),
        ..VerifySettings::default()
    };
    let verification = verify::run(settings, run.access.factory()).await.map_err(Failure::of)?;
    if args.json {
        println!("{}", serde_json::to_string(&verification).map_err(|error| Failure::fatal(error.to_string()))?);
    } else {
        println!("{verification}");
    }
    Ok(if verification.clean() { Exit::Done } else { Exit::Partial })
}
