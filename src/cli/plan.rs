//! `bluebucket plan`: what will be moved, and what is in the way?

use clap::Args;

use super::backfill::{threads, transfer};
use super::mover_run::MoverRun;
use super::{CommonOptions, Exit, Failure};
use crate::mover::plan::{self, PlanSettings};

/// Tells what a backfill will move and what is in its way, before one byte is copied
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub struct PlanArgs {
    /// Only these buckets; else all of the configuration
    #[arg(long = "bucket", value_name = "NAME")]
    pub buckets: Vec<String>,

    /// Objects of each bucket whose headers are read, to see whether their metadata fits; else as configured
    #[arg(long, value_name = "NUMBER")]
    pub samples: Option<usize>,

    /// Prints the plan as JSON
    #[arg(long)]
    pub json: bool,
}

const EXAMPLES: &str = "\
Reads listings and a sample of headers only. Tells objects and bytes by size, what Blob Storage \
cannot hold and why, what is archived, what the container holds already, and how long the copy will \
take and what its requests cost. Exit code 3 says that a backfill would leave something behind.

Examples:
  bluebucket plan
  bluebucket plan --bucket local-rocksdb-test --samples 1000 --json";

pub fn run(common: &CommonOptions, args: &PlanArgs) -> Result<Exit, Failure> {
    MoverRun::with(common, &args.buckets, |run| work(run, args))
}

async fn work(run: MoverRun, args: &PlanArgs) -> Result<Exit, Failure> {
    let settings = PlanSettings {
        prefixes: run.access.prefixes(),
        threads: threads(&run.config.mover),
        samples: args.samples.unwrap_or(run.config.mover.plan_samples),
        transfer: transfer(&run.config.mover),
        stop: run.stop.clone(),
        ..PlanSettings::default()
    };
    let plan = plan::run(settings, run.access.factory()).await.map_err(Failure::of)?;
    if args.json {
        println!("{}", serde_json::to_string(&plan).map_err(|error| Failure::fatal(error.to_string()))?);
    } else {
        println!("{plan}");
    }
    Ok(if plan.clean() { Exit::Done } else { Exit::Partial })
}
