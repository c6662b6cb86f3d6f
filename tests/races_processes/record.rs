//! What the clients of one key saw, and whether it may be so.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::harness::oracle::{Demand, Held, Label, ObjectAction, ObjectOperation, Value, object_linearizable};
use crate::values::Values;

/// What happened, over many schedules.
#[derive(Clone, Debug, Default)]
pub struct Tally(BTreeMap<String, u64>);

impl Tally {
    pub fn count(&mut self, what: impl Into<String>) {
        *self.0.entry(what.into()).or_default() += 1;
    }

    pub fn add(&mut self, other: &Self) {
        for (what, count) in &other.0 {
            *self.0.entry(what.clone()).or_default() += count;
        }
    }
}

/// All that is recorded of a schedule.
#[derive(Default)]
pub struct Record {
    clock: AtomicU64,
    kept: Mutex<Kept>,
}

#[derive(Default)]
pub struct Kept {
    pub values: Values,
    pub operations: Vec<ObjectOperation>,
    pub uploads: Vec<Upload>,
    pub wrong: Vec<String>,
    pub tally: Tally,
    labels: Label,
    lines: Vec<(u64, String)>,
}

/// An upload: it takes effect once at most, however often Complete is called.
pub struct Upload {
    pub id: String,
    pub makes: Held,
    pub demands: Demand,
    /// Number and ETag.
    pub parts: Vec<(u16, String)>,
    /// When Complete was first called, when a client first knew that it is complete, what it was told.
    pub called: Option<u64>,
    pub completed: Option<u64>,
    pub etag: Option<String>,
    /// Whether a client was left without an answer, or told that nobody knows.
    pub was_unknown: bool,
    pub abort_called: bool,
    pub aborted: bool,
}

impl Record {
    /// The next moment: greater than all before.
    pub fn tick(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::SeqCst) + 1
    }

    pub fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new value with metadata, and perhaps tags, that no other write has.
    pub fn labelled(&self, value: impl FnOnce(&mut Values) -> Value, tagged: bool) -> Held {
        let mut kept = self.kept();
        let value = value(&mut kept.values);
        kept.labels += 1;
        let meta = kept.labels;
        Held { value, meta, tags: if tagged { meta } else { 0 } }
    }

    pub fn note(&self, at: u64, line: impl Into<String>) {
        self.kept().lines.push((at, line.into()));
    }

    pub fn wrong(&self, what: impl Into<String>) {
        self.kept().wrong.push(what.into());
    }

    pub fn push(&self, called: u64, returned: Option<u64>, action: ObjectAction) {
        self.kept().operations.push(ObjectOperation { called, returned, action });
    }

    /// The whole history, for people.
    pub fn print(&self) -> String {
        let mut lines = self.kept().lines.clone();
        lines.sort();
        lines.into_iter().map(|(at, line)| format!("{at:5} {line}\n")).collect()
    }

    /// Judges the schedule.
    pub fn judge(&self) -> Result<Tally, String> {
        let kept = self.kept();
        if let Some(wrong) = kept.wrong.first() {
            return Err(wrong.clone());
        }
        let mut operations = kept.operations.clone();
        for upload in &kept.uploads {
            // Abort frees what nobody can know; a result that turns up later is told all the same.
            if upload.completed.is_some() && upload.aborted && !upload.was_unknown {
                return Err(format!("upload {} was completed and aborted", upload.id));
            }
            if let Some(called) = upload.called {
                let action = ObjectAction::Write { makes: upload.makes, demands: upload.demands, landed: true };
                operations.push(ObjectOperation { called, returned: upload.completed, action });
            }
        }
        object_linearizable(&operations).map_err(|wrong| {
            format!("not linearizable: {wrong}, which is {:?}; {operations:?}", operations[wrong.stuck_at])
        })?;
        Ok(kept.tally.clone())
    }
}
