//! `bluebucket serve`: the facade.

use clap::Args;

/// Serves the S3 API on Blob Storage
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub struct ServeArgs {
    /// Also keeps buckets in step with their source, in the same process
    #[arg(long)]
    pub with_mover: bool,
}

const EXAMPLES: &str = "\
Runs until SIGTERM or SIGINT; then it says that it is not ready, goes on for drain_delay, finishes \
what it has begun and ends with 0. A second signal ends it at once. Secrets, keys and certificates \
are read again when their files change.

Examples:
  bluebucket serve -c /etc/bluebucket/bluebucket.toml
  BLUEBUCKET_FACADE_LISTEN=127.0.0.1:9000 bluebucket serve --log debug";
