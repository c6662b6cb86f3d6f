//! `bluebucket demo`: a whole migration in one process.

mod fill;
mod memory;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use tokio::net::TcpListener;

use self::fill::Contents;
use super::{CommonOptions, Exit, Failure};
use crate::admin::{Admin, Readiness};
use crate::config::{Config, Environment, Secrets};
use crate::daemon::{self, AdminServer, FacadeServer, MoverAccess, Process};
use crate::emulator::{AccountConfig, DEVELOPMENT_KEY, Emulator, EmulatorConfig};
use crate::mover::backfill::{self, BackfillSettings};
use crate::mover::plan::{self, PlanSettings};
use crate::mover::progress::{Progress, log_lines};
use crate::mover::progress_bar;
use crate::mover::verify::{self, VerifyMode, VerifySettings};

/// Shows a whole migration in one process, without any account
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub struct DemoArgs {
    /// Objects to fill the three buckets with
    #[arg(long, default_value_t = 3000, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(30..=1_000_000))]
    pub objects: u64,

    /// Size of the largest object in MiB; up to sixty more are an eighth of it and less
    #[arg(long, default_value_t = 256, value_name = "MIB", value_parser = clap::value_parser!(u64).range(1..=4096))]
    pub largest: u64,

    /// Makes contents repeatable; printed if it is not given
    #[arg(long, value_name = "NUMBER")]
    pub seed: Option<u64>,

    /// Where the facade listens when all is done
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDRESS:PORT")]
    pub listen: SocketAddr,

    /// Ends after verify instead of keeping the facade up
    #[arg(long)]
    pub once: bool,
}

const EXAMPLES: &str = "\
What it does: starts a strict Blob service and an S3 source on loopback ports, fills the three \
buckets of the reference migration, then runs plan, backfill and verify, and serves the copied \
buckets over S3 until Ctrl-C. Nothing leaves this machine, nothing stays behind. All objects are \
kept in memory, once in the source and once as copies.

Examples:
  bluebucket demo
      Ends with `aws s3 --endpoint-url ...` lines to paste.
  bluebucket demo --once --seed 7
      Stops after verify; exit code 0 if both sides are equal.";

const ACCESS_KEY: &str = "DEMOACCESSKEY";
const SECRET: &str = "demo-secret-of-this-process";
const SOURCE_ACCOUNT: &str = "demosource";
const STORE_ACCOUNT: &str = "demostore";
/// Buckets of the reference migration and the containers they move to.
const BUCKETS: [(&str, &str); 3] =
    [("local-rocksdb-test", "flink"), ("local-iceberg-test", "iceberg"), ("local-warpstream-test", "warpstream")];
/// The source and what is copied from it are both kept in memory.
const COPIES: u64 = 2;
/// Where no terminal shows bars.
const LOG_INTERVAL: Duration = Duration::from_secs(5);

pub fn run(common: &CommonOptions, args: &DemoArgs) -> Result<Exit, Failure> {
    let quiet = CommonOptions { log: common.log.clone().or_else(|| Some("warn".into())), ..common.clone() };
    quiet.begin_logging(None)?;
    let runtime = daemon::background_runtime().map_err(|error| Failure::fatal(error.to_string()))?;
    runtime.block_on(demo(args))
}

async fn demo(args: &DemoArgs) -> Result<Exit, Failure> {
    let begun = Instant::now();
    let contents = Contents::new(args.objects, args.largest << 20);
    memory::require(COPIES * contents.objects(), COPIES * contents.bytes()).map_err(Failure::fatal)?;
    let seed = args.seed.unwrap_or_else(|| u64::from(fastrand::u32(..)));
    let mut stopping = daemon::stop_signal().map_err(|error| Failure::fatal(error.to_string()))?;
    let blob_service = start_emulator().await?;

    let source = Arc::new(source_config(blob_service)?);
    let source_process = Process::new(source.clone()).await.map_err(Failure::of)?;
    let source_facade = start_facade(&source, &source_process)?;
    step(
        begun,
        &format!("an S3 source with three buckets at http://{} (contents by --seed {seed})", source_facade.address),
    );
    contents.write(&source, &source_process.azure, seed).await.map_err(Failure::of)?;
    step(
        begun,
        &format!(
            "filled with {} objects, {} MiB, {} of them by multipart upload",
            contents.objects(),
            contents.bytes() >> 20,
            contents.multipart()
        ),
    );

    let config = Arc::new(store_config(blob_service, source_facade.address, args.listen)?);
    let process = Process::new(config.clone()).await.map_err(Failure::of)?;
    let store = process.azure.state(&process.azure.client());
    store.ensure_container().await.map_err(Failure::of)?;
    let access = MoverAccess::new(&process, &[]).await.map_err(Failure::of)?;

    step(begun, "plan: what will be moved");
    let plan_settings = PlanSettings { prefixes: access.prefixes(), ..PlanSettings::default() };
    println!("{}", plan::run(plan_settings, access.factory()).await.map_err(Failure::of)?);

    step(begun, "backfill: the copy");
    let summary = backfill(&access, &process).await?;
    println!("{summary}");

    step(begun, "verify: every byte of both sides");
    let verify_settings =
        VerifySettings { mode: VerifyMode::Hash, prefixes: access.prefixes(), ..VerifySettings::default() };
    let verification = verify::run(verify_settings, access.factory()).await.map_err(Failure::of)?;
    println!("{verification}");
    if !summary.complete() || !verification.clean() {
        return Err(Failure::fatal("the demo did not end as it should: both sides differ"));
    }

    let facade = start_facade(&config, &process)?;
    let admin = Admin::new(
        process.metrics.clone(),
        Readiness::default(),
        super::backfill::status(&Progress::new(access.names(), process.metrics.clone())),
    );
    let admin = AdminServer::start(config.admin.listen, admin).map_err(|error| Failure::fatal(error.to_string()))?;
    step(begun, "the copies, served over S3");
    print_invitation(facade.address, admin.address);
    if !args.once {
        stopping.next().await;
    }
    facade.stop();
    source_facade.stop();
    Ok(Exit::Done)
}

async fn backfill(access: &MoverAccess, process: &Process) -> Result<crate::mover::summary::Summary, Failure> {
    let progress = Progress::new(access.names(), process.metrics.clone());
    let shown = match progress_bar::show(progress.clone()) {
        Some(bars) => tokio::spawn(bars),
        None => tokio::spawn(log_lines(progress.clone(), LOG_INTERVAL)),
    };
    let settings = BackfillSettings {
        prefixes: access.prefixes(),
        host: daemon::host_name(),
        byte_budget: 128 << 20,
        ..BackfillSettings::default()
    };
    let summary = backfill::run(settings, access.factory(), progress).await;
    shown.abort();
    summary.map_err(Failure::of)
}

/// Both accounts in one strict Blob service.
async fn start_emulator() -> Result<SocketAddr, Failure> {
    let accounts = [SOURCE_ACCOUNT, STORE_ACCOUNT].map(AccountConfig::memory).to_vec();
    let emulator = Emulator::new(EmulatorConfig { accounts, ..EmulatorConfig::default() });
    for (bucket, container) in BUCKETS {
        emulator.create_container(SOURCE_ACCOUNT, bucket);
        emulator.create_container(STORE_ACCOUNT, container);
    }
    emulator.create_container(SOURCE_ACCOUNT, "bluebucket-state");
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|error| Failure::fatal(error.to_string()))?;
    let address = listener.local_addr().map_err(|error| Failure::fatal(error.to_string()))?;
    tokio::spawn(emulator.serve(listener, std::future::pending()));
    Ok(address)
}

fn start_facade(config: &Config, process: &Process) -> Result<FacadeServer, Failure> {
    let Some(facade) = &config.facade else { return Err(Failure::fatal("the demo has no facade")) };
    FacadeServer::start(config, facade, &process.azure, &process.metrics).map_err(Failure::of)
}

/// The S3 source: the facade over an account of its own.
fn source_config(blob_service: SocketAddr) -> Result<Config, Failure> {
    let buckets: String = BUCKETS
        .iter()
        .map(|(bucket, _)| format!("[[bucket]]\nname = \"{bucket}\"\ncontainer = \"{bucket}\"\n"))
        .collect();
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    parse(&format!("{}{buckets}{}", account_section(blob_service, SOURCE_ACCOUNT), facade_section(any)))
}

/// The migration as a user would configure it.
fn store_config(blob_service: SocketAddr, source: SocketAddr, listen: SocketAddr) -> Result<Config, Failure> {
    let buckets: String = BUCKETS
        .iter()
        .map(|(bucket, container)| {
            format!("[[bucket]]\nname = \"{bucket}\"\ncontainer = \"{container}\"\nsource_bucket = \"{bucket}\"\n")
        })
        .collect();
    let source =
        format!("[source]\nendpoint = \"http://{source}\"\nregion = \"us-east-1\"\ncredentials = \"static\"\n");
    parse(&format!("{}{source}{buckets}{}", account_section(blob_service, STORE_ACCOUNT), facade_section(listen)))
}

fn account_section(blob_service: SocketAddr, account: &str) -> String {
    format!(
        "[azure]\nendpoint = \"http://{blob_service}/{account}\"\naccount = \"{account}\"\ncredential = \"shared-key\"\n"
    )
}

fn facade_section(listen: SocketAddr) -> String {
    format!(
        "[facade]\nlisten = \"{listen}\"\n[[facade.key]]\nname = \"demo\"\naccess_key_id = \"{ACCESS_KEY}\"\n\
         secret_env = \"DEMO_SECRET\"\nbuckets = [\"*\"]\nverbs = [\"read\", \"write\", \"list\", \"delete\"]\n\
         [admin]\nlisten = \"127.0.0.1:0\"\n"
    )
}

fn parse(text: &str) -> Result<Config, Failure> {
    let environment: Environment = [
        ("AZURE_STORAGE_KEY", DEVELOPMENT_KEY),
        ("DEMO_SECRET", SECRET),
        ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect();
    Ok(Config::parse(text, "demo", std::path::PathBuf::new(), &environment, Secrets::Required)?)
}

fn step(begun: Instant, what: &str) {
    println!("[{:5.1} s] {what}", begun.elapsed().as_secs_f64());
}

fn print_invitation(facade: SocketAddr, admin: SocketAddr) {
    println!(
        "
Try it:
  export AWS_ACCESS_KEY_ID={ACCESS_KEY} AWS_SECRET_ACCESS_KEY={SECRET} AWS_REGION=us-east-1
  aws s3 --endpoint-url http://{facade} ls
  aws s3 --endpoint-url http://{facade} ls --recursive s3://local-rocksdb-test/
  aws s3 --endpoint-url http://{facade} cp s3://local-iceberg-test/warehouse/events/metadata/v1.metadata.json -
Status page: http://{admin}/   Metrics: http://{admin}/metrics   (Ctrl-C ends it all)"
    );
}
