//! What a server connection is doing, so that each stage can have its own time limit.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::io::Traffic;
use super::serve::ServeLimits;

pub(super) struct Stages {
    stage: Mutex<Stage>,
    /// Copy of `stage == Idle`, so that reads need no lock.
    idle: AtomicBool,
    written: AtomicU64,
    write_blocked: AtomicBool,
    /// The last request had no body: nothing of it can be still to come.
    bodiless: AtomicBool,
}

/// Between two looks at a connection that is not at rest, and the time without a request after which it is.
pub(super) const SOON: Duration = Duration::from_millis(250);

#[derive(Clone, Copy)]
enum Stage {
    /// The head of a request is being read.
    Head { since: Instant },
    /// No request is being answered, though the end of the last answer may not have left yet.
    Idle(Gap),
    /// A request is being answered.
    Busy(Gap),
}

/// The time since anything was written, or since nothing was waiting to be.
#[derive(Clone, Copy)]
struct Gap {
    written: u64,
    since: Instant,
}

/// A connection that has to be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Overdue {
    /// Nothing was going on.
    Idle,
    /// The client was too slow.
    Slow,
}

impl Stages {
    pub fn new() -> Self {
        Self {
            stage: Mutex::new(Stage::Head { since: Instant::now() }),
            idle: AtomicBool::new(false),
            written: AtomicU64::new(0),
            write_blocked: AtomicBool::new(false),
            bodiless: AtomicBool::new(false),
        }
    }

    /// A request has come in; `bodiless` says that its head is all of it.
    pub fn busy(&self, bodiless: bool) {
        self.bodiless.store(bodiless, Ordering::Relaxed);
        self.set(Stage::Busy(self.gap()), false);
    }

    /// Its answer has been sent.
    pub fn idle(&self) {
        self.set(Stage::Idle(self.gap()), true);
    }

    /// Whether all is sent, all has been read, and no request has come for a while.
    pub fn is_resting(&self, now: Instant) -> bool {
        let quiet = self.bodiless.load(Ordering::Relaxed) && !self.write_blocked.load(Ordering::Relaxed);
        quiet && self.idle.load(Ordering::Relaxed) && now >= self.since() + SOON
    }

    /// When the stage began, or its gap.
    pub fn since(&self) -> Instant {
        match *self.stage.lock().unwrap_or_else(PoisonError::into_inner) {
            Stage::Head { since } | Stage::Idle(Gap { since, .. }) | Stage::Busy(Gap { since, .. }) => since,
        }
    }

    /// When to look again: soon, if the connection could be resting then.
    ///
    /// # Errors
    /// [`Overdue`] if a limit has been passed.
    pub fn next_check(&self, limits: &ServeLimits, now: Instant, may_rest: bool) -> Result<Instant, Overdue> {
        // A stage that begins right after this check can expire no sooner than this.
        let soonest = limits.header_read_timeout.min(limits.stall_timeout);
        let soonest = now + if may_rest { soonest.min(SOON) } else { soonest };
        let blocked = self.write_blocked.load(Ordering::Relaxed);
        let mut stage = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        let (limit, overdue) = match &mut *stage {
            Stage::Head { since } => (*since + limits.header_read_timeout, Overdue::Slow),
            Stage::Idle(gap) if !blocked => (gap.since + limits.idle_timeout, Overdue::Idle),
            Stage::Idle(gap) | Stage::Busy(gap) => {
                let written = self.written.load(Ordering::Relaxed);
                if !blocked || gap.written != written {
                    *gap = Gap { written, since: now };
                }
                (gap.since + limits.stall_timeout, Overdue::Slow)
            }
        };
        if now < limit { Ok(limit.min(soonest)) } else { Err(overdue) }
    }

    fn gap(&self) -> Gap {
        Gap { written: self.written.load(Ordering::Relaxed), since: Instant::now() }
    }

    fn set(&self, stage: Stage, idle: bool) {
        *self.stage.lock().unwrap_or_else(PoisonError::into_inner) = stage;
        self.idle.store(idle, Ordering::Relaxed);
    }
}

/// Tells the stages of a connection about its bytes.
pub(super) struct Watch(pub Arc<Stages>);

impl Traffic for Watch {
    fn on_read(&self) {
        if self.0.idle.load(Ordering::Relaxed) && !self.0.write_blocked.load(Ordering::Relaxed) {
            self.0.set(Stage::Head { since: Instant::now() }, false);
        }
    }

    fn on_written(&self) {
        self.0.written.fetch_add(1, Ordering::Relaxed);
        self.0.write_blocked.store(false, Ordering::Relaxed);
    }

    fn on_write_blocked(&self) {
        self.0.write_blocked.store(true, Ordering::Relaxed);
    }
}
