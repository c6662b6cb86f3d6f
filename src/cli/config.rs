//! `bluebucket config`: is the configuration right, and what is in force?

use clap::{Args, Subcommand};

use super::{CommonOptions, Exit, Failure};
use crate::config::{Config, Environment, Secrets};

/// Checks the configuration, or shows it as it is in force
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub struct ConfigArgs {
    #[command(subcommand)]
    pub action: ConfigAction,
}

const EXAMPLES: &str = "\
Examples:
  bluebucket config check
      All mistakes at once, each with file and line. Exit code 2 if there are any.
  bluebucket config check --without-secrets -c config/bluebucket.toml
      In a pipeline, where neither secrets nor certificates are mounted.
  bluebucket config show
      Every value in force, defaults and overrides from the environment included, secrets masked.";

#[derive(Debug, Subcommand)]
pub enum ConfigAction {
    /// Tells all mistakes of the configuration at once
    Check(ConfigReadArgs),
    /// Shows every value in force, secrets masked
    Show(ConfigReadArgs),
}

#[derive(Args, Debug)]
pub struct ConfigReadArgs {
    /// Reads neither secrets nor certificates, for a check away from where they are
    #[arg(long)]
    pub without_secrets: bool,
}

pub fn run(common: &CommonOptions, args: &ConfigArgs) -> Result<Exit, Failure> {
    let environment = Environment::of_process();
    match &args.action {
        ConfigAction::Check(read) => {
            let config = common.load(&environment, read.secrets())?;
            println!("{}: right; {}", common.config_path(&environment).display(), summary(&config));
        }
        ConfigAction::Show(read) => print!("{}", common.load(&environment, read.secrets())?.show()),
    }
    Ok(Exit::Done)
}

impl ConfigReadArgs {
    fn secrets(&self) -> Secrets {
        if self.without_secrets { Secrets::Ignored } else { Secrets::Required }
    }
}

fn summary(config: &Config) -> String {
    let buckets: Vec<String> =
        config.buckets.iter().map(|bucket| format!("{} -> {}", bucket.name, bucket.container)).collect();
    let keys = config.facade.as_ref().map_or(0, |facade| facade.keys.len());
    format!("account {}, {}, access keys: {keys}", config.azure.account, buckets.join(", "))
}
