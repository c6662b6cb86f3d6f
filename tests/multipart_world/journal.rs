//! What clients saw, and whether it may be so.

use bluebucket::object::{ETag, Error, ErrorKind, UploadId, WriteCondition};
use http::StatusCode;

use super::Tally;
use super::values::Values;
use crate::harness::oracle::{Demand, Held, Label, ObjectAction, ObjectOperation, Value, object_linearizable};
use crate::hostile_blob::Executed;

/// All that is recorded of a schedule.
#[derive(Default)]
pub struct Journal {
    pub values: Values,
    /// In the order in which they were begun.
    pub uploads: Vec<Upload>,
    pub operations: Vec<ObjectOperation>,
    /// Labels of tags and metadata given out.
    pub labels: Label,
    pub sweeps: u32,
    /// Replicas lost.
    pub drops: u32,
    pub wrong: Vec<String>,
    pub tally: Tally,
    notes: Vec<(u64, String)>,
}

/// An upload and what was tried with it.
pub struct Upload {
    pub meta: Label,
    pub tags: Label,
    pub id: UploadId,
    pub demands: Demand,
    pub condition: WriteCondition,
    /// What clients may name at Complete: one list, or two that exclude each other.
    pub lists: Vec<List>,
    pub completes: Vec<Try>,
    pub aborts: Vec<Try>,
}

/// A list of parts and the value that it makes.
pub struct List {
    pub value: Value,
    pub parts: Vec<bluebucket::object::multipart::CompletedPart>,
}

/// One call of Complete or Abort. Without an outcome its replica was dropped.
pub struct Try {
    pub called: u64,
    pub returned: Option<u64>,
    pub outcome: Option<Outcome>,
    /// Which list of parts was named.
    pub list: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Done(ETag),
    /// A condition did not hold.
    Refused,
    NoSuchUpload,
    /// It may have landed or not: the table's own answer.
    Unknown,
    /// The service failed for longer than it is asked again.
    Failed(ErrorKind),
}

impl Outcome {
    pub fn of_error(error: &Error) -> Self {
        match error.kind() {
            ErrorKind::PreconditionFailed | ErrorKind::NotFound => Self::Refused,
            ErrorKind::NoSuchUpload => Self::NoSuchUpload,
            ErrorKind::Unexpected if error.vendor_code().is_none() => Self::Unknown,
            kind => Self::Failed(kind),
        }
    }
}

impl Upload {
    /// The first moment at which a client knew that it is complete.
    pub fn acknowledged(&self) -> Option<u64> {
        returns(&self.completes, |outcome| matches!(outcome, Outcome::Done(_)))
    }

    /// Whether somebody was told that nobody knows.
    fn was_unknown(&self) -> bool {
        self.completes.iter().any(|tried| tried.outcome == Some(Outcome::Unknown))
    }

    /// The list by which it was completed.
    pub fn winner(&self) -> Option<usize> {
        let done = |tried: &&Try| matches!(tried.outcome, Some(Outcome::Done(_)));
        self.completes.iter().find(done).map(|tried| tried.list)
    }

    pub fn aborted(&self) -> Option<u64> {
        returns(&self.aborts, |outcome| matches!(outcome, Outcome::Done(_)))
    }

    /// The upload's part in the history: it takes effect once at most, however often Complete is called.
    fn operations(&self) -> Vec<ObjectOperation> {
        let write = |list: usize, landed| ObjectAction::Write {
            makes: Held { value: self.lists[list].value, meta: self.meta, tags: self.tags },
            demands: self.demands,
            landed,
        };
        let mut operations = Vec::new();
        for tried in self.completes.iter().filter(|tried| tried.outcome == Some(Outcome::Refused)) {
            let action = write(tried.list, false);
            operations.push(ObjectOperation { called: tried.called, returned: tried.returned, action });
        }
        // NoSuchUpload does not say how the upload ended: Abort frees one whose commit nobody learned of.
        let open = |tried: &&Try| tried.outcome != Some(Outcome::Refused);
        let winner = self.winner();
        let lists = (0..self.lists.len()).filter(|list| winner.is_none_or(|winner| winner == *list));
        for list in lists {
            let tries = self.completes.iter().filter(open).filter(|tried| tried.list == list);
            // Whoever takes the upload over finishes what the first had begun, with its list.
            if let Some(called) = tries.map(|tried| tried.called).min() {
                operations.push(ObjectOperation { called, returned: self.acknowledged(), action: write(list, true) });
            }
        }
        operations
    }
}

fn returns(tries: &[Try], counts: impl Fn(&Outcome) -> bool) -> Option<u64> {
    tries.iter().filter(|tried| tried.outcome.as_ref().is_some_and(&counts)).filter_map(|tried| tried.returned).min()
}

impl Journal {
    pub fn note(&mut self, at: u64, line: impl Into<String>) {
        self.notes.push((at, line.into()));
    }

    pub fn lines(&self) -> Vec<(u64, String)> {
        self.notes.clone()
    }

    /// Judges the whole schedule.
    pub fn judge(&self, executed: &[Executed], budget: u32) -> Result<(), String> {
        if let Some(wrong) = self.wrong.first() {
            return Err(wrong.clone());
        }
        for upload in &self.uploads {
            self.judge_upload(upload, executed, budget)?;
        }
        let mut operations = self.operations.clone();
        operations.extend(self.uploads.iter().flat_map(Upload::operations));
        object_linearizable(&operations).map_err(|wrong| {
            format!("not linearizable: {wrong}, which is {:?}; {operations:?}", operations[wrong.stuck_at])
        })
    }

    fn judge_upload(&self, upload: &Upload, executed: &[Executed], budget: u32) -> Result<(), String> {
        let name = format!("upload {} of value {}", upload.id, upload.lists[0].value);
        let mark = format!(";u={}", upload.id);
        let landings: Vec<_> = executed
            .iter()
            .filter(|one| one.target.contains("comp=blocklist") && one.status == StatusCode::CREATED)
            .filter(|one| one.metadata.contains(&mark))
            .map(|one| one.at)
            .collect();
        if landings.len() > 1 {
            return Err(format!("{name} landed {} times, at {landings:?}", landings.len()));
        }
        let landed = landings.first().copied();
        let (acknowledged, aborted) = (upload.acknowledged(), upload.aborted());
        match (landed, acknowledged, aborted) {
            // Abort frees what nobody can know. If the result turns up later (a record that was on its way
            // for long), Complete tells what is true.
            (Some(landed), Some(_), Some(abort)) if landed < abort && upload.was_unknown() => {}
            (_, Some(complete), Some(abort)) => {
                return Err(format!("{name} was completed, told at {complete}, and aborted, told at {abort}"));
            }
            (Some(landed), Some(told), _) if landed > told => {
                return Err(format!("{name} landed at {landed}, after it was acknowledged at {told}"));
            }
            (Some(landed), _, Some(told)) if landed > told => {
                return Err(format!("{name} landed at {landed}, after it was aborted at {told}"));
            }
            _ => {}
        }
        let mut etags: Vec<_> = upload.completes.iter().filter_map(|tried| tried.outcome.clone()).collect();
        etags.retain(|outcome| matches!(outcome, Outcome::Done(_)));
        etags.dedup();
        if etags.len() > 1 {
            return Err(format!("{name} was answered differently: {etags:?}"));
        }
        for tried in &upload.completes {
            let allowed = match &tried.outcome {
                None | Some(Outcome::Done(_)) => true,
                Some(Outcome::Refused) => upload.demands != Demand::Nothing,
                Some(Outcome::NoSuchUpload) => !upload.aborts.is_empty() || upload.lists.len() > 1,
                // A commit is sent twice only where an answer was lost, or another replica took it up.
                Some(Outcome::Unknown) => {
                    let others = upload.completes.len() + upload.aborts.len() > 1;
                    budget > 0 || others || self.sweeps + self.drops > 0
                }
                Some(Outcome::Failed(_)) => false,
            };
            if !allowed {
                return Err(format!("{name}: Complete of {} answered {:?}", tried.called, tried.outcome));
            }
        }
        Ok(())
    }
}
