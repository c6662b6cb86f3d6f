//! One thread's share of a run: claim a range, settle its keys, advance its record, until none is left.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::BucketClients;
use super::board::{Board, Next};
use super::merge::{Merge, Pair, Slice};
use super::outcome::{Outcome, Settled};
use super::pace::Pace;
use super::progress::Progress;
use super::report::{Line, Report};
use super::stop::Stop;
use super::transfer::{Context, Transfer, TransferSettings};
use super::window::Window;
use crate::migration::StoredEntry;
use crate::migration::ranges::{Claim, Counters, Owned, Owner};
use crate::migration::rules::{Decision, SourceSide, decide};
use crate::net::ByteBudget;
use crate::object::{Error, ErrorKind, ObjectKey, Result};
use crate::source::SourceObject;

/// What the workers of all threads share.
#[derive(Clone)]
pub(super) struct Shared {
    pub board: Arc<Board>,
    pub progress: Arc<Progress>,
    pub report: Report,
    pub pace: Pace,
    pub budget: ByteBudget,
    pub transfer: TransferSettings,
    /// Objects of one range on their way at one time.
    pub concurrency: usize,
    pub stop: Stop,
    pub owner: Owner,
}

/// Keys by which a cursor moves at the most before it is saved.
const SAVE_AFTER_KEYS: u64 = 2000;
/// Time after which a cursor that has moved is saved.
const SAVE_EVERY: Duration = Duration::from_secs(1);
/// Time after which a range is saved though its cursor has not moved: a sign of life.
const ALIVE_EVERY: Duration = Duration::from_secs(5);
/// For how long saving may fail before the run gives up.
const SAVE_FAILS_MAX: Duration = Duration::from_secs(300);
/// Keys between the cursor and the last one listed; one slow object lets the others go on so far.
const WINDOW_MAX: usize = 20_000;
/// How long objects on their way may take to end once the run is asked to.
const DRAIN_MAX: Duration = Duration::from_secs(20);
/// How often a range is begun anew after its listing failed, and the wait in between.
const LIST_TRIES: u32 = 10;
const LIST_WAIT: Duration = Duration::from_secs(5);

/// Works on ranges until all are finished or the run is stopped.
///
/// # Errors
/// What ends the run.
pub(super) async fn work(clients: Vec<BucketClients>, shared: Shared) -> Result<()> {
    while !shared.stop.is_requested() {
        shared.board.show(&shared.progress);
        match shared.board.next() {
            Next::Done => break,
            Next::Wait(wait) => tokio::time::sleep(wait).await,
            Next::Claim { slot, run, index, idle } => {
                let bucket = &shared.board.buckets()[run];
                let Some(clients) = clients.get(bucket.bucket) else { return Err(missing_clients()) };
                let claim = || clients.ranges.claim(&bucket.run, index, &shared.owner, idle.as_ref());
                match patiently("claim a range", claim).await? {
                    Claim::Finished(counters) => shared.board.finished(slot, counters),
                    Claim::Busy(version) => shared.board.busy(slot, version),
                    Claim::Owned(owned) => {
                        shared.board.ours(slot);
                        let worker = Worker::new(clients, &shared, bucket.bucket, &bucket.run.prefix, *owned);
                        match worker.run().await? {
                            End::Finished(counters) => shared.board.finished(slot, counters),
                            End::TakenOver => shared.board.lost(slot),
                            End::Stopped(counters) => shared.board.given_back(slot, counters),
                        }
                    }
                }
            }
        }
    }
    shared.board.show(&shared.progress);
    Ok(())
}

/// How work on a range ended.
enum End {
    Finished(Counters),
    TakenOver,
    Stopped(Counters),
}

/// A range that this thread owns.
struct Worker<'a> {
    clients: &'a BucketClients,
    shared: &'a Shared,
    bucket: usize,
    prefix: &'a str,
    owned: Owned,
    window: Window,
    transfer: Transfer,
    in_flight: JoinSet<(u64, SourceObject, Result<Settled>)>,
    saved: Instant,
    saved_well: Instant,
}

impl<'a> Worker<'a> {
    fn new(clients: &'a BucketClients, shared: &'a Shared, bucket: usize, prefix: &'a str, owned: Owned) -> Self {
        let transfer = Transfer::new(Context {
            clients: clients.clone(),
            bucket,
            settings: shared.transfer.clone(),
            pace: shared.pace.clone(),
            budget: shared.budget.clone(),
            progress: shared.progress.clone(),
        });
        let window = Window::new(owned.range.cursor.clone(), owned.range.counters);
        let now = Instant::now();
        Self {
            clients,
            shared,
            bucket,
            prefix,
            owned,
            window,
            transfer,
            in_flight: JoinSet::new(),
            saved: now,
            saved_well: now,
        }
    }

    async fn run(mut self) -> Result<End> {
        let mut tries = 0;
        loop {
            let before = self.window.settled().1.listed;
            match self.pass().await {
                Err(error) if passing(&error) && tries < LIST_TRIES => {
                    tracing::warn!(%error, range = self.owned.index, "range begun anew from its cursor");
                    tries = if self.window.settled().1.listed > before { 0 } else { tries + 1 };
                    self.begin_anew();
                    tokio::time::sleep(LIST_WAIT.min(LIST_WAIT / 10 * tries.max(1))).await;
                }
                other => return other,
            }
        }
    }

    /// Forgets what is behind the cursor's gap; it is listed again.
    fn begin_anew(&mut self) {
        self.in_flight = JoinSet::new();
        let (cursor, done) = self.window.settled();
        let unsaved = self.window.unsaved();
        self.window = Window::new(cursor.map(str::to_owned), done);
        // What was settled and not saved yet is still to be saved.
        self.window.carry(unsaved);
    }

    /// Settles all keys from the cursor on.
    async fn pass(&mut self) -> Result<End> {
        let slice = Slice {
            prefix: self.prefix.to_owned(),
            after: self.window.settled().0.map(str::to_owned),
            through: self.owned.range.through.clone(),
        };
        let mut merge = Merge::begin(self.clients, slice);
        let mut tick = interval(Duration::from_millis(250));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut listing = true;
        while listing || !self.in_flight.is_empty() {
            let room = self.in_flight.len() < self.shared.concurrency && self.window.pending() < WINDOW_MAX;
            tokio::select! {
                biased;
                () = self.shared.stop.requested() => return self.stop().await,
                _ = tick.tick() => if !self.save_if_due().await? { return Ok(End::TakenOver) },
                Some(ended) = self.in_flight.join_next() => self.ended(ended).await?,
                pair = merge.next(), if listing && room => match pair? {
                    Some(Pair::Source(object, stored)) => self.source(object, stored).await?,
                    Some(Pair::Extra(_)) => self.shared.progress.extra(self.bucket),
                    None => listing = false,
                },
            }
            if self.window.unsaved() >= SAVE_AFTER_KEYS && !self.save().await? {
                return Ok(End::TakenOver);
            }
        }
        self.owned.range.finished = true;
        if !self.save().await? {
            return Ok(End::TakenOver);
        }
        Ok(End::Finished(self.owned.range.counters))
    }

    /// Decides about a key of the source.
    async fn source(&mut self, object: SourceObject, stored: Option<StoredEntry>) -> Result<()> {
        let sequence = self.window.push(object.key.clone());
        match decision(&object, stored.as_ref()) {
            Decision::Copy(target) => {
                let transfer = self.transfer.clone();
                self.in_flight.spawn(async move {
                    let result = transfer.copy(object.clone(), target).await;
                    (sequence, object, result)
                });
                Ok(())
            }
            decision => {
                let outcome = outcome(decision);
                let size = object.size;
                self.settle(sequence, &object, Settled { outcome, size }).await
            }
        }
    }

    async fn ended(
        &mut self,
        ended: Result<(u64, SourceObject, Result<Settled>), tokio::task::JoinError>,
    ) -> Result<()> {
        let (sequence, object, result) =
            ended.map_err(|error| Error::new(ErrorKind::Unexpected, format!("a transfer ended early: {error}")))?;
        self.settle(sequence, &object, result?).await
    }

    async fn settle(&mut self, sequence: u64, object: &SourceObject, settled: Settled) -> Result<()> {
        let Settled { outcome, size } = settled;
        // Counted together, so that the live numbers add up at any time.
        self.shared.progress.listed(self.bucket, object.size);
        self.shared.progress.settled(self.bucket, &outcome, size);
        if outcome.reported() {
            let bucket = self.clients.importer.bucket().name().as_str();
            self.shared.report.add(&line(bucket, object, &outcome)).await?;
        }
        self.window.settle(sequence, outcome.tally(object.size, size));
        Ok(())
    }

    async fn save_if_due(&mut self) -> Result<bool> {
        let since = self.saved.elapsed();
        if since >= ALIVE_EVERY || (since >= SAVE_EVERY && self.window.unsaved() > 0) {
            return self.save().await;
        }
        Ok(true)
    }

    /// Saves cursor and counters together. False if the range belongs to somebody else by now: what
    /// was counted since the last save is counted by them.
    async fn save(&mut self) -> Result<bool> {
        self.shared.report.flush().await?;
        let (cursor, counters) = self.window.settled();
        self.owned.range.cursor = cursor.map(str::to_owned);
        self.owned.range.counters = counters;
        let must = self.owned.range.finished || self.owned.range.owner.is_none();
        loop {
            self.saved = Instant::now();
            match self.clients.ranges.advance(&mut self.owned).await {
                Ok(()) => {
                    self.window.saved();
                    self.saved_well = Instant::now();
                    return Ok(true);
                }
                Err(error) if error.kind() == ErrorKind::Conflict => {
                    tracing::warn!(range = self.owned.index, "range was taken over by another process");
                    return Ok(false);
                }
                Err(error) if !passing(&error) || self.saved_well.elapsed() > SAVE_FAILS_MAX => {
                    return Err(error.context("save the progress"));
                }
                Err(error) => {
                    tracing::warn!(%error, range = self.owned.index, "progress not saved yet");
                    if !must {
                        return Ok(true);
                    }
                    tokio::time::sleep(SAVE_EVERY).await;
                }
            }
        }
    }

    /// Lets what is in flight end, then gives the range back.
    async fn stop(&mut self) -> Result<End> {
        let deadline = Instant::now() + DRAIN_MAX;
        while let Ok(Some(ended)) = tokio::time::timeout_at(deadline, self.in_flight.join_next()).await {
            self.ended(ended).await?;
        }
        self.owned.range.owner = None;
        match self.save().await? {
            true => Ok(End::Stopped(self.owned.range.counters)),
            false => Ok(End::TakenOver),
        }
    }
}

/// Decides by both listings.
pub(super) fn decision(object: &SourceObject, stored: Option<&StoredEntry>) -> Decision {
    let Ok(key) = ObjectKey::new(object.key.as_str()) else {
        // S3 itself refuses such keys; a source that lists one is let fail in the transfer.
        return Decision::Copy(crate::migration::ImportTarget::New);
    };
    let source = SourceSide {
        etag: &object.etag,
        size: object.size,
        last_modified: object.last_modified,
        storage_class: object.storage_class.as_deref().unwrap_or(""),
    };
    decide(&key, source, stored)
}

/// The outcome of a decision that needs no copy.
#[expect(clippy::unreachable, reason = "a copy has an outcome of its own, and its caller knows")]
pub(super) fn outcome(decision: Decision) -> Outcome {
    match decision {
        Decision::Unchanged => Outcome::Unchanged,
        Decision::ClientNewer => Outcome::ClientNewer,
        Decision::Foreign => Outcome::Foreign,
        Decision::Unmappable(reason) => Outcome::Unmappable(reason),
        Decision::NeedsAction(action) => Outcome::NeedsAction(action),
        Decision::Copy(_) => unreachable!("a copy has an outcome of its own"),
    }
}

pub(super) fn line(bucket: &str, object: &SourceObject, outcome: &Outcome) -> Line {
    let (code, message) = match outcome {
        Outcome::Failed(failure) => (failure.code.clone(), failure.message.clone()),
        Outcome::Unmappable(reason) => (None, reason.to_string()),
        _ => (None, String::new()),
    };
    Line {
        bucket: bucket.to_owned(),
        key: object.key.clone(),
        outcome: outcome.label().label().to_owned(),
        reason: outcome.reason().to_owned(),
        code,
        message,
        size: object.size,
        etag: object.etag.as_str().to_owned(),
    }
}

/// Tries what has to succeed for the run to go on, for as long as its failures may pass.
///
/// # Errors
/// The last one.
pub(super) async fn patiently<T, F>(doing: &str, mut work: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let begun = Instant::now();
    loop {
        match work().await {
            Err(error) if passing(&error) && begun.elapsed() < SAVE_FAILS_MAX => {
                tracing::warn!(%error, doing, "tried again in a moment");
                tokio::time::sleep(SAVE_EVERY).await;
            }
            other => return other,
        }
    }
}

/// Errors that a later try may not meet.
fn passing(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Throttled | ErrorKind::Timeout | ErrorKind::Unavailable)
}

fn missing_clients() -> Error {
    Error::new(ErrorKind::Unexpected, "the clients of a bucket are missing")
}
