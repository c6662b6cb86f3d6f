//! What a server connection is doing, so that each stage can have its own time limit.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

use super::io::Traffic;
use super::serve::ServeLimits;

pub(super) struct Stages {
    stage: Mutex<Stage>,
    /// Copy of `stage == Idle`, so that reads need no lock.
    idle: AtomicBool,
    written: AtomicU64,
    write_blocked: AtomicBool,
}

#[derive(Clone, Copy)]
enum Stage {
    /// The head of a request is being read.
    Head {
        since: Instant,
    },
    Idle {
        since: Instant,
    },
    /// A request is being answered; `written` is the count at the last check, made at `since`.
    Busy {
        written: u64,
        since: Instant,
    },
}

impl Stages {
    pub fn new() -> Self {
        Self {
            stage: Mutex::new(Stage::Head { since: Instant::now() }),
            idle: AtomicBool::new(false),
            written: AtomicU64::new(0),
            write_blocked: AtomicBool::new(false),
        }
    }

    /// A request has come in.
    pub fn busy(&self) {
        self.set(Stage::Busy { written: u64::MAX, since: Instant::now() }, false);
    }

    /// Its answer has been sent.
    pub fn idle(&self) {
        self.set(Stage::Idle { since: Instant::now() }, true);
    }

    pub fn is_idle(&self) -> bool {
        self.idle.load(Ordering::Relaxed)
    }

    /// When to look again; `None` if a limit has been passed.
    pub fn next_check(&self, limits: &ServeLimits, now: Instant) -> Option<Instant> {
        // A stage that begins right after this check can expire no sooner than this.
        let soonest = now + limits.header_read_timeout.min(limits.stall_timeout);
        let mut stage = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        let limit = match &mut *stage {
            Stage::Head { since } => *since + limits.header_read_timeout,
            Stage::Idle { since } => *since + limits.idle_timeout,
            Stage::Busy { written, since } => {
                let count = self.written.load(Ordering::Relaxed);
                if count != *written || !self.write_blocked.load(Ordering::Relaxed) {
                    (*written, *since) = (count, now);
                }
                *since + limits.stall_timeout
            }
        };
        (now < limit).then_some(limit.min(soonest))
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
        if self.0.idle.load(Ordering::Relaxed) {
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
