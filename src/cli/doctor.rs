//! `bluebucket doctor`: do identities, network and account work?

use std::path::PathBuf;

use clap::Args;

/// Checks identities, network, account and buckets, and says what to change
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub struct DoctorArgs {
    /// Only these buckets; else all of the configuration
    #[arg(long = "bucket", value_name = "NAME")]
    pub buckets: Vec<String>,
    /// Also writes to a scratch prefix, to find out what this account allows; everything is removed again
    #[arg(long)]
    pub probe: bool,
    /// Prints the findings as JSON
    #[arg(long)]
    pub json: bool,
    /// Writes the findings to a file, without secrets, to be sent along with a question
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Without --probe nothing is written anywhere.

Examples:
  bluebucket doctor
      Token, clock, DNS, TLS, permissions on every bucket and container, account features that bite.
  bluebucket doctor --probe --bucket local-iceberg-test
      Tries copies inside the account, large blocks, conditions and listing order on a scratch prefix.
  bluebucket doctor --report findings.json";
