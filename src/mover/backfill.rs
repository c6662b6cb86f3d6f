//! Copies what a bucket's source has and its container has not, by any number of threads and processes.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::JoinSet;

use super::board::{Board, BucketRun};
use super::manifest::{Entry, Manifest};
use super::outcome::{Failure, Outcome, Settled};
use super::pace::{Pace, PaceSettings};
use super::progress::Progress;
use super::range_worker::{self, Shared, decision, line, outcome, patiently};
use super::report::Report;
use super::split::{SourceProbe, split};
use super::stop::Stop;
use super::summary::Summary;
use super::transfer::{Context, Transfer, TransferSettings};
use super::{BucketClients, Factory, ThreadClients, threads};
use crate::migration::ranges::{Counters, Owner, Run};
use crate::migration::rules::Decision;
use crate::net::ByteBudget;
use crate::object::{ErrorKind, ObjectKey, Result};
use crate::source::SourceObject;

/// What a backfill does.
#[derive(Clone)]
pub struct BackfillSettings {
    /// Key prefix of each bucket, in the order of the clients; empty = the whole bucket.
    pub prefixes: Vec<String>,
    /// Name of this machine or pod, by which dead owners of ranges are told apart.
    pub host: String,
    /// Runtime threads, each with clients of its own; default 2.
    pub threads: usize,
    /// Ranges that a bucket is cut into at the most; default 64. Only a run's first process cuts.
    pub ranges: usize,
    /// Objects on their way at one time, over all threads; default 64. The pace stays within it.
    pub concurrency: usize,
    /// Bytes held in memory at one time, over all threads; default 512 MiB.
    pub byte_budget: u64,
    pub pace: PaceSettings,
    pub transfer: TransferSettings,
    /// Where the report goes; `None` = nowhere.
    pub report: Option<PathBuf>,
    /// Work on these keys only, without ranges.
    pub manifest: Option<PathBuf>,
    pub stop: Stop,
}

impl Default for BackfillSettings {
    fn default() -> Self {
        Self {
            prefixes: Vec::new(),
            host: String::new(),
            threads: 2,
            ranges: 64,
            concurrency: 64,
            byte_budget: 512 << 20,
            pace: PaceSettings::default(),
            transfer: TransferSettings::default(),
            report: None,
            manifest: None,
            stop: Stop::default(),
        }
    }
}

/// Runs a backfill of all buckets of the clients, or joins the one that is under way.
///
/// # Errors
/// What no object would escape: credentials, a missing bucket or container, a listing out of order, a
/// report that cannot be written. What concerns one object is in the summary and the report.
pub async fn run(settings: BackfillSettings, factory: Factory, progress: Arc<Progress>) -> Result<Summary> {
    let report = match &settings.report {
        Some(path) => Report::open(path)?,
        None => Report::none(),
    };
    let (bytes, objects) = (settings.pace.bytes_per_second, settings.pace.objects_per_second);
    progress.metrics().mover.pace(bytes.unwrap_or(0), objects.unwrap_or(0));
    let counters = match &settings.manifest {
        Some(path) => {
            let manifest = Manifest::open(path)?;
            by_manifest(&settings, &factory, &progress, &report, manifest).await?
        }
        None => by_ranges(&settings, &factory, &progress, &report).await?,
    };
    report.flush().await?;
    Ok(Summary::new(counters, &progress, settings.stop.is_requested()))
}

async fn by_ranges(
    settings: &BackfillSettings,
    factory: &Factory,
    progress: &Arc<Progress>,
    report: &Report,
) -> Result<Vec<Counters>> {
    let (prefixes, ranges) = (settings.prefixes.clone(), settings.ranges.max(1));
    let begin = move |clients| begin(clients, prefixes, ranges);
    let runs = threads::finish(threads::start("mover-begin", factory, begin)?).await?;
    let board = Arc::new(Board::new(runs));
    let threads = settings.threads.max(1);
    let shared = Shared {
        board: board.clone(),
        progress: progress.clone(),
        report: report.clone(),
        pace: pace(settings),
        budget: ByteBudget::new(settings.byte_budget),
        transfer: settings.transfer.clone(),
        concurrency: settings.concurrency.div_ceil(threads).max(1),
        stop: settings.stop.clone(),
        owner: Owner::this_process(&settings.host),
    };
    let work = move |clients: ThreadClients| range_worker::work(clients.buckets, shared.clone());
    on_threads(threads, factory, &settings.stop, work).await?;
    let finished = board.clone();
    let finish = move |clients| finish(clients, finished);
    threads::finish(threads::start("mover-end", factory, finish)?).await
}

/// Begins a run in each bucket, or joins it.
async fn begin(clients: ThreadClients, prefixes: Vec<String>, ranges: usize) -> Result<Vec<BucketRun>> {
    let mut runs = Vec::with_capacity(clients.buckets.len());
    for (bucket, clients) in clients.buckets.iter().enumerate() {
        let prefix = prefixes.get(bucket).map_or("", String::as_str);
        let run = patiently("begin the run", || begin_bucket(clients, prefix, ranges)).await?;
        tracing::info!(bucket = %clients.importer.bucket().name(), run = run.number, ranges = run.ranges(), "backfill begun");
        runs.push(BucketRun { bucket, run });
    }
    Ok(runs)
}

async fn begin_bucket(clients: &BucketClients, prefix: &str, ranges: usize) -> Result<Run> {
    let find = || async {
        let mut probe = SourceProbe { source: &clients.source, bucket: &clients.source_bucket, prefix };
        split(&mut probe, ranges).await.map_err(|error| error.context("cut the bucket into ranges"))
    };
    clients.ranges.begin(prefix, find).await
}

/// Marks the runs as finished whose ranges all are; returns what each bucket's ranges counted.
async fn finish(clients: ThreadClients, board: Arc<Board>) -> Result<Vec<Counters>> {
    let mut counters = Vec::with_capacity(clients.buckets.len());
    for (at, run) in board.buckets().iter().enumerate() {
        counters.push(board.counters(at));
        if let Some(clients) = clients.buckets.get(run.bucket).filter(|_| board.all_finished(at)) {
            patiently("finish the run", || clients.ranges.finish(&run.run)).await?;
        }
    }
    Ok(counters)
}

/// Runs the same work on several threads. The first error stops the others.
async fn on_threads<W, F>(count: usize, factory: &Factory, stop: &Stop, work: W) -> Result<()>
where
    W: Fn(ThreadClients) -> F + Clone + Send + 'static,
    F: Future<Output = Result<()>>,
{
    let mut running = JoinSet::new();
    for index in 0..count {
        running.spawn(threads::finish(threads::start(&format!("mover-{index}"), factory, work.clone())?));
    }
    let mut first = Ok(());
    while let Some(ended) = running.join_next().await {
        let ended = ended.unwrap_or_else(|_| Ok(()));
        if ended.is_err() && first.is_ok() {
            stop.request();
            first = ended;
        }
    }
    first
}

fn pace(settings: &BackfillSettings) -> Pace {
    Pace::new(PaceSettings { max: settings.concurrency.min(settings.pace.max).max(1), ..settings.pace.clone() })
}

/// Works on the keys of a manifest: each is looked up on both sides.
async fn by_manifest(
    settings: &BackfillSettings,
    factory: &Factory,
    progress: &Arc<Progress>,
    report: &Report,
    manifest: Manifest,
) -> Result<Vec<Counters>> {
    let threads = settings.threads.max(1);
    let counters = Arc::new(Mutex::new(vec![Counters::default(); progress.buckets().len()]));
    let shared = Keys {
        manifest: Arc::new(Mutex::new(manifest)),
        counters: counters.clone(),
        progress: progress.clone(),
        report: report.clone(),
        pace: pace(settings),
        budget: ByteBudget::new(settings.byte_budget),
        transfer: settings.transfer.clone(),
        stop: settings.stop.clone(),
    };
    let concurrency = settings.concurrency.div_ceil(threads).max(1);
    let work = move |clients: ThreadClients| {
        let shared = shared.clone();
        async move {
            let clients = Arc::new(clients);
            let mut workers = JoinSet::new();
            for _ in 0..concurrency {
                workers.spawn(shared.clone().work(clients.clone()));
            }
            while let Some(ended) = workers.join_next().await {
                ended.unwrap_or_else(|_| Ok(()))?;
            }
            Ok(())
        }
    };
    on_threads(threads, factory, &settings.stop, work).await?;
    let counters = counters.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok(counters)
}

/// What all workers on a manifest share.
#[derive(Clone)]
struct Keys {
    manifest: Arc<Mutex<Manifest>>,
    counters: Arc<Mutex<Vec<Counters>>>,
    progress: Arc<Progress>,
    report: Report,
    pace: Pace,
    budget: ByteBudget,
    transfer: TransferSettings,
    stop: Stop,
}

impl Keys {
    async fn work(self, clients: Arc<ThreadClients>) -> Result<()> {
        while !self.stop.is_requested() {
            let entry = self.manifest.lock().unwrap_or_else(PoisonError::into_inner).next_entry()?;
            let Some(entry) = entry else { return Ok(()) };
            let Some((bucket, clients)) = find(&clients, &entry) else {
                tracing::warn!(bucket = ?entry.bucket, key = entry.key, "manifest names a bucket that is not part of the run");
                continue;
            };
            self.key(bucket, clients, &entry.key).await?;
        }
        Ok(())
    }

    async fn key(&self, bucket: usize, clients: &BucketClients, name: &str) -> Result<()> {
        let transfer = Transfer::new(Context {
            clients: clients.clone(),
            bucket,
            settings: self.transfer.clone(),
            pace: self.pace.clone(),
            budget: self.budget.clone(),
            progress: self.progress.clone(),
        });
        let (object, settled) = look_and_copy(clients, &transfer, name).await?;
        let tally = settled.outcome.tally(object.size, settled.size);
        self.progress.listed(bucket, object.size);
        self.progress.settled(bucket, &settled.outcome, settled.size);
        if settled.outcome.reported() {
            let name = clients.importer.bucket().name().as_str();
            self.report.add(&line(name, &object, &settled.outcome)).await?;
        }
        if let Some(counters) = self.counters.lock().unwrap_or_else(PoisonError::into_inner).get_mut(bucket) {
            *counters += tally;
        }
        Ok(())
    }
}

/// The bucket of an entry; one that names none belongs to the only bucket of the run.
fn find<'a>(clients: &'a ThreadClients, entry: &Entry) -> Option<(usize, &'a BucketClients)> {
    let mut buckets = clients.buckets.iter().enumerate();
    match &entry.bucket {
        Some(name) => buckets.find(|(_, bucket)| {
            bucket.importer.bucket().name().as_str() == name || bucket.source_bucket.as_str() == name
        }),
        None => buckets.next().filter(|_| clients.buckets.len() == 1),
    }
}

async fn look_and_copy(clients: &BucketClients, transfer: &Transfer, name: &str) -> Result<(SourceObject, Settled)> {
    let mut object = SourceObject {
        key: name.to_owned(),
        size: 0,
        etag: crate::object::ETag::parse(""),
        last_modified: crate::object::Timestamp(0),
        storage_class: None,
        checksum_algorithms: Vec::new(),
    };
    let meta = match clients.source.head_object(&clients.source_bucket, name, None).await {
        Ok(meta) => meta,
        Err(error) => {
            let outcome = match error.kind() {
                ErrorKind::NotFound => Outcome::Deleted,
                ErrorKind::Unsupported => Outcome::NeedsAction(crate::migration::rules::Action::ReencryptSseC),
                ErrorKind::AuthExpired | ErrorKind::ContainerMissing => return Err(error),
                _ => Outcome::Failed(Failure::of(&error)),
            };
            return Ok((object, Settled { outcome, size: 0 }));
        }
    };
    object.size = meta.size;
    object.etag = meta.etag;
    object.last_modified = meta.last_modified;
    object.storage_class = meta.storage_class;
    object.checksum_algorithms = meta.checksums.iter().map(|sum| sum.algorithm).collect();
    let stored = match ObjectKey::new(name) {
        Ok(key) if key.mappable().is_ok() => transfer.look(&key).await?,
        _ => None,
    };
    let settled = match decision(&object, stored.as_ref()) {
        Decision::Copy(target) => transfer.copy(object.clone(), target).await?,
        decision => Settled { outcome: outcome(decision), size: object.size },
    };
    Ok((object, settled))
}
