//! `bluebucket demo`: a whole migration in one process.

use clap::Args;

use crate::config::Bytes;

/// Shows a whole migration in one process, without any account
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub struct DemoArgs {
    /// Objects to begin with, over the three buckets of the reference migration
    #[arg(long, default_value_t = 1000, value_name = "NUMBER")]
    pub objects: usize,
    /// Size of the larger objects
    #[arg(long, default_value = "8MiB", value_name = "SIZE")]
    pub size: Bytes,
    /// Makes keys, contents and faults repeatable; printed if it is not given
    #[arg(long, value_name = "NUMBER")]
    pub seed: Option<u64>,
    /// Throttles, cuts connections and loses answers while it runs
    #[arg(long)]
    pub faults: bool,
    /// Keeps facade, status page and stores up at the end, until it is stopped
    #[arg(long)]
    pub keep: bool,
}

const EXAMPLES: &str = "\
What it does: starts an S3 source, a strict Blob service, the facade and the mover on loopback ports; \
backfills three buckets while clients write; cuts over; verifies; rolls one bucket back.

Examples:
  bluebucket demo
      Less than a minute; ends with what was moved and how its equality was shown.
  bluebucket demo --faults --seed 7
      The same under faults, the same every time.
  bluebucket demo --keep
      Prints addresses and keys, to try `aws s3 ls` and the status page.";
