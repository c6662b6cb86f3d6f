//! What clients saw, and whether it may be so.

use bluebucket::object::{ETag, Error, ErrorKind, UploadId, WriteCondition};
use http::StatusCode;

use super::{Tally, Uploads, Values};
use crate::harness::oracle::{Action, Operation, linearizable};
use crate::hostile_blob::Executed;

/// Names one write.
pub type Tag = u32;

/// All that is recorded of a schedule.
#[derive(Default)]
pub struct Journal {
    pub values: Values,
    pub uploads: Uploads,
    pub operations: Vec<Operation<Tag>>,
    pub wrong: Vec<String>,
    pub tally: Tally,
    notes: Vec<(u64, String)>,
}

/// An upload and what was tried with it.
pub struct Upload {
    pub tag: Tag,
    pub id: UploadId,
    /// `None`: unconditional. Else the value demanded.
    pub demands: Option<Option<Tag>>,
    pub condition: WriteCondition,
    pub parts: Vec<bluebucket::object::multipart::CompletedPart>,
    pub completes: Vec<Try>,
    pub aborts: Vec<Try>,
}

/// One call of Complete or Abort. Without an outcome its replica was dropped.
pub struct Try {
    pub called: u64,
    pub returned: Option<u64>,
    pub outcome: Option<Outcome>,
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

    pub fn aborted(&self) -> Option<u64> {
        returns(&self.aborts, |outcome| matches!(outcome, Outcome::Done(_)))
    }

    /// The upload's part in the history: it takes effect once at most, however often Complete is called.
    fn operations(&self) -> Vec<Operation<Tag>> {
        let write = |landed| match self.demands {
            None => Action::Write(self.tag),
            Some(base) => Action::WriteIf { base, value: self.tag, landed },
        };
        let mut operations = Vec::new();
        for tried in self.completes.iter().filter(|tried| tried.outcome == Some(Outcome::Refused)) {
            operations.push(Operation { called: tried.called, returned: tried.returned, action: write(false) });
        }
        // NoSuchUpload does not say how the upload ended: Abort frees one whose commit nobody learned of.
        let open = |tried: &&Try| tried.outcome != Some(Outcome::Refused);
        if let Some(called) = self.completes.iter().filter(open).map(|tried| tried.called).min() {
            operations.push(Operation { called, returned: self.acknowledged(), action: write(true) });
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
        linearizable(None, &operations).map_err(|wrong| {
            format!("not linearizable: {wrong}, which is {:?}; {operations:?}", operations[wrong.stuck_at])
        })
    }

    fn judge_upload(&self, upload: &Upload, executed: &[Executed], budget: u32) -> Result<(), String> {
        let name = format!("upload {} of value {}", upload.id, upload.tag);
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
                Some(Outcome::Refused) => upload.demands.is_some(),
                Some(Outcome::NoSuchUpload) => !upload.aborts.is_empty(),
                // A commit is sent twice only where an answer was lost, or another replica took it up.
                Some(Outcome::Unknown) => budget > 0 || upload.completes.len() + upload.aborts.len() > 1,
                Some(Outcome::Failed(_)) => false,
            };
            if !allowed {
                return Err(format!("{name}: Complete of {} answered {:?}", tried.called, tried.outcome));
            }
        }
        Ok(())
    }
}
