//! `bluebucket doctor`: do identities, network and account work?

mod account;
mod certificate;
mod check;
mod clock;
mod container;
mod facade;
mod mask;
mod probe;
mod reach;
mod remedy;
mod report;
mod source;

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use self::account::Account;
use self::check::{Check, Level};
use self::report::Report;
use super::{CommonOptions, Exit, Failure};
use crate::config::{BucketConfig, Config, Environment, Secrets};
use crate::daemon::{self, AzureAccess, Process};
use crate::telemetry::Metrics;

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
Without --probe nothing is written anywhere. Ends with 0 if there are at most warnings, with 1 if there
is a problem.

Examples:
  bluebucket doctor
      Token, clock, DNS, TLS, permissions on every bucket and container, account features that bite.
  bluebucket doctor --probe --bucket local-iceberg-test
      Tries copies inside the account, large blocks, conditions and listing order on a scratch prefix.
  bluebucket doctor --probe --report findings.json
      The account's name and all ids in the file are masked.";

pub fn run(common: &CommonOptions, args: &DoctorArgs) -> Result<Exit, Failure> {
    let config = Arc::new(common.load(&Environment::of_process(), Secrets::Required)?);
    common.begin_logging(Some(&config))?;
    let buckets = chosen(&config, &args.buckets)?;
    let runtime = daemon::background_runtime().map_err(|error| Failure::fatal(error.to_string()))?;
    let report = runtime.block_on(examine(config.clone(), &buckets, args.probe))?;
    let unwritable = |error: serde_json::Error| Failure::fatal(error.to_string());
    if let Some(file) = &args.report {
        std::fs::write(file, report.masked_json().map_err(unwritable)?)
            .map_err(|error| Failure::fatal(format!("{} cannot be written: {error}", file.display())))?;
    }
    print!("{}", if args.json { report.json().map_err(unwritable)? } else { report.table() });
    Ok(if report.result == Level::Problem { Exit::Fatal } else { Exit::Done })
}

/// The buckets that were asked for, or all.
fn chosen(config: &Config, names: &[String]) -> Result<Vec<BucketConfig>, Failure> {
    if let Some(unknown) = names.iter().find(|name| config.buckets.iter().all(|bucket| bucket.name.as_str() != **name))
    {
        return Err(Failure::usage(format!("the configuration has no bucket \"{unknown}\"")));
    }
    let wanted = |bucket: &&BucketConfig| names.is_empty() || names.iter().any(|name| bucket.name.as_str() == name);
    Ok(config.buckets.iter().filter(wanted).cloned().collect())
}

/// Looks at everything, each thing also after another has failed.
async fn examine(config: Arc<Config>, buckets: &[BucketConfig], probe: bool) -> Result<Report, Failure> {
    let mut checks = vec![Check::ok("configuration", format!("right; {} buckets to look at", buckets.len()))];
    let mut probed = None;
    let mut metrics = None;
    match Process::without_asking(config.clone()).await {
        Err(error) => checks.push(Check::problem(
            "azure/identity",
            error.to_string(),
            "Mend the [azure] section or the environment as the message says.",
        )),
        Ok(process) => {
            metrics = Some(process.metrics.clone());
            let account = account::check(&config.azure, &process.azure, &mut checks).await;
            if account.usable {
                probed = look_into(&process.azure, &config, buckets, account, probe, &mut checks).await;
            }
        }
    }
    let metrics = metrics.unwrap_or_else(|| Arc::new(Metrics::new()));
    examine_sources(&config, &metrics, buckets, &mut checks).await;
    if let Some(settings) = &config.facade {
        checks.extend(facade::check(&config, settings));
    }
    Ok(Report::new(&config.azure.api_version, &config.azure.account, checks, probed))
}

/// Looks into the containers, and writes to one of them if that was asked for.
async fn look_into(
    azure: &AzureAccess,
    config: &Config,
    buckets: &[BucketConfig],
    account: Account,
    probe: bool,
    checks: &mut Vec<Check>,
) -> Option<probe::ProbeReport> {
    let client = azure.client();
    for bucket in buckets {
        container::check(&client, &bucket.container, checks).await;
    }
    checks.push(container::check_state(&client, &config.azure.state_container).await);
    let first = buckets.first().filter(|_| probe)?;
    Some(probe::run(azure, &first.container, account.hierarchical, checks).await)
}

async fn examine_sources(config: &Config, metrics: &Arc<Metrics>, buckets: &[BucketConfig], checks: &mut Vec<Check>) {
    for settings in &config.sources {
        let on_it =
            || buckets.iter().filter_map(|bucket| bucket.source.as_ref()).filter(|at| at.source == settings.name);
        if on_it().next().is_none() {
            continue;
        }
        if let Some(client) = source::check(settings, metrics.clone(), checks).await {
            for bucket in on_it() {
                source::check_bucket(&client, &settings.region, bucket, checks).await;
            }
        }
    }
}
