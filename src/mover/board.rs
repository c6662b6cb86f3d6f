//! Which ranges are whose, as the threads of this process know it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::progress::Progress;
use crate::migration::RangeVersion as Version;
use crate::migration::ranges::{Counters, Run, TAKEOVER_AFTER};
use crate::telemetry::RangeState;

/// The ranges of all buckets of a run.
pub struct Board {
    buckets: Vec<BucketRun>,
    slots: Mutex<Vec<Slot>>,
}

/// A bucket's run.
pub struct BucketRun {
    /// The bucket's index in clients and progress.
    pub bucket: usize,
    pub run: Run,
}

struct Slot {
    run: usize,
    index: usize,
    state: State,
}

enum State {
    Open,
    /// A thread of this process is at it.
    Ours,
    /// Somebody else is at it, or was: seen in this version since, to be looked at again at a time.
    Busy {
        version: Option<Version>,
        since: Instant,
        again: Instant,
    },
    Finished(Counters),
    /// This process was stopped within it, after counting so much.
    GivenBack(Counters),
}

/// What a thread does next.
pub enum Next {
    /// Claim this range; with the version of an owner that has been idle for too long.
    Claim {
        slot: usize,
        run: usize,
        index: usize,
        idle: Option<Version>,
    },
    Wait(Duration),
    Done,
}

/// How often ranges of others are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);

impl Board {
    pub fn new(buckets: Vec<BucketRun>) -> Self {
        let slots = buckets.iter().enumerate().flat_map(|(run, bucket)| {
            (0..bucket.run.ranges()).map(move |index| Slot { run, index, state: State::Open })
        });
        let slots = Mutex::new(slots.collect());
        Self { buckets, slots }
    }

    pub fn buckets(&self) -> &[BucketRun] {
        &self.buckets
    }

    /// Gives out the next range.
    pub fn next(&self) -> Next {
        let mut slots = self.slots();
        let now = Instant::now();
        let due = |state: &State| matches!(state, State::Busy { again, .. } if *again <= now);
        let open = slots.iter().position(|slot| matches!(slot.state, State::Open));
        let Some(at) = open.or_else(|| slots.iter().position(|slot| due(&slot.state))) else {
            return match slots.iter().all(|slot| matches!(slot.state, State::Finished(_))) {
                true => Next::Done,
                false => Next::Wait(Duration::from_millis(250)),
            };
        };
        let slot = &mut slots[at];
        let (idle, seen) = match std::mem::replace(&mut slot.state, State::Ours) {
            State::Busy { version, since, .. } if now - since >= TAKEOVER_AFTER => (version, None),
            // Kept, so that the wait for an idle owner is not begun anew by looking.
            State::Busy { version, since, .. } => (None, Some((version, since))),
            _ => (None, None),
        };
        if let Some((version, since)) = seen {
            slot.state = State::Busy { version, since, again: now + LOOK_EVERY };
        }
        Next::Claim { slot: at, run: slot.run, index: slot.index, idle }
    }

    /// This process owns the range.
    pub fn ours(&self, slot: usize) {
        self.set(slot, State::Ours);
    }

    /// Somebody else owns the range.
    pub fn busy(&self, slot: usize, version: Version) {
        let now = Instant::now();
        let since = match self.slots().get(slot).map(|slot| &slot.state) {
            Some(State::Busy { version: Some(before), since, .. }) if *before == version => *since,
            _ => now,
        };
        self.set(slot, State::Busy { version: Some(version), since, again: now + LOOK_EVERY });
    }

    /// The range was taken from this process.
    pub fn lost(&self, slot: usize) {
        let now = Instant::now();
        self.set(slot, State::Busy { version: None, since: now, again: now + LOOK_EVERY });
    }

    pub fn finished(&self, slot: usize, counters: Counters) {
        self.set(slot, State::Finished(counters));
    }

    pub fn given_back(&self, slot: usize, counters: Counters) {
        self.set(slot, State::GivenBack(counters));
    }

    /// What the ranges of a run counted, so far as this process knows.
    pub fn counters(&self, run: usize) -> Counters {
        let mut sum = Counters::default();
        for slot in self.slots().iter().filter(|slot| slot.run == run) {
            if let State::Finished(counters) | State::GivenBack(counters) = slot.state {
                sum += counters;
            }
        }
        sum
    }

    pub fn all_finished(&self, run: usize) -> bool {
        self.slots().iter().filter(|slot| slot.run == run).all(|slot| matches!(slot.state, State::Finished(_)))
    }

    /// Tells the progress how many ranges are in which state.
    pub fn show(&self, progress: &Progress) {
        let slots = self.slots();
        for (run, bucket) in self.buckets.iter().enumerate() {
            let count = |wanted: fn(&State) -> bool| {
                slots.iter().filter(|slot| slot.run == run && wanted(&slot.state)).count() as u64
            };
            let pending = count(|state| matches!(state, State::Open | State::GivenBack(_)));
            let owned = count(|state| matches!(state, State::Ours | State::Busy { .. }));
            let done = count(|state| matches!(state, State::Finished(_)));
            for (state, count) in [(RangeState::Pending, pending), (RangeState::Owned, owned), (RangeState::Done, done)]
            {
                progress.ranges(bucket.bucket, state, count);
            }
        }
    }

    fn set(&self, at: usize, state: State) {
        if let Some(slot) = self.slots().get_mut(at) {
            slot.state = state;
        }
    }

    fn slots(&self) -> std::sync::MutexGuard<'_, Vec<Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
