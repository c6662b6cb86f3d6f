//! What became of one object.

use crate::migration::ranges::Counters;
use crate::migration::rules::Action;
use crate::object::{Error, ErrorKind, Unmappable};
use crate::telemetry::{MoverOutcome, ProofLevel};

/// How an object of the source ended; every listed object ends in exactly one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Copied(ProofLevel),
    /// The stamp on the blob names this very version.
    Unchanged,
    /// A client wrote the key through the facade.
    ClientNewer,
    /// A blob of somebody else lies there.
    Foreign,
    /// Gone from the source between listing and copying.
    Deleted,
    Unmappable(Unmappable),
    NeedsAction(Action),
    Failed(Failure),
}

/// Why an object could not be copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// One word, the same in every release.
    pub reason: &'static str,
    /// The vendor's code, where there was one.
    pub code: Option<String>,
    /// For operators.
    pub message: String,
}

/// How an object ended, and which version of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    pub outcome: Outcome,
    /// Bytes copied, or of the version that was not.
    pub size: u64,
}

impl Outcome {
    /// What the object adds to the counters of its range. `listed_bytes` is its size as listed.
    pub fn tally(&self, listed_bytes: u64, copied_bytes: u64) -> Counters {
        let mut counters = Counters { listed: 1, bytes_listed: listed_bytes, ..Counters::default() };
        match self {
            Self::Copied(_) => {
                counters.copied = 1;
                counters.bytes_copied = copied_bytes;
            }
            Self::Unchanged => counters.unchanged = 1,
            Self::ClientNewer => counters.client_newer = 1,
            Self::Foreign => counters.foreign = 1,
            Self::Deleted => counters.deleted = 1,
            Self::Unmappable(_) => counters.unmappable = 1,
            Self::NeedsAction(_) => counters.needs_action = 1,
            Self::Failed(_) => counters.failed = 1,
        }
        counters
    }

    /// The outcome as metrics and reports name it.
    pub fn label(&self) -> MoverOutcome {
        match self {
            Self::Copied(_) => MoverOutcome::Copied,
            Self::Unchanged => MoverOutcome::Unchanged,
            Self::ClientNewer => MoverOutcome::ClientNewer,
            Self::Foreign => MoverOutcome::Foreign,
            Self::Deleted => MoverOutcome::Deleted,
            Self::Unmappable(_) => MoverOutcome::Unmappable,
            Self::NeedsAction(_) => MoverOutcome::NeedsAction,
            Self::Failed(_) => MoverOutcome::Failed,
        }
    }

    /// Whether the report has a line for it: everything that was not copied, and was not there already.
    pub fn reported(&self) -> bool {
        !matches!(self, Self::Copied(_) | Self::Unchanged)
    }

    /// One word that says why, empty where the outcome says all.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Unmappable(reason) => reason.label(),
            Self::NeedsAction(action) => action.label(),
            Self::Failed(failure) => failure.reason,
            _ => "",
        }
    }
}

impl Failure {
    pub fn new(reason: &'static str, message: impl Into<String>) -> Self {
        Self { reason, code: None, message: message.into() }
    }

    /// A failure as an error of either side means it.
    pub fn of(error: &Error) -> Self {
        Self { reason: reason(error.kind()), code: error.vendor_code().map(str::to_owned), message: error.to_string() }
    }
}

/// The word for an error in reports.
fn reason(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::NotFound => "not_found",
        ErrorKind::ContainerMissing | ErrorKind::ContainerBeingDeleted => "container_missing",
        ErrorKind::Throttled => "throttled",
        ErrorKind::Timeout => "timeout",
        ErrorKind::Unavailable => "unavailable",
        ErrorKind::AuthExpired => "credentials",
        ErrorKind::Denied => "access_denied",
        ErrorKind::Unsupported => "unsupported",
        ErrorKind::ChecksumMismatch => "checksum_mismatch",
        ErrorKind::BodyIncomplete => "body_incomplete",
        ErrorKind::TooLarge => "too_large",
        ErrorKind::MetadataTooLarge => "metadata_too_large",
        ErrorKind::InvalidBlockList => "blocks_lost",
        ErrorKind::Leased => "leased",
        ErrorKind::Obstructed => "obstructed",
        ErrorKind::Corrupt => "protocol",
        ErrorKind::Invalid => "invalid",
        _ => "unexpected",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_is_counted_once() {
        for outcome in [
            Outcome::Copied(ProofLevel::Md5),
            Outcome::Unchanged,
            Outcome::ClientNewer,
            Outcome::Foreign,
            Outcome::Deleted,
            Outcome::Unmappable(Unmappable::Backslash),
            Outcome::NeedsAction(Action::Restore),
            Outcome::Failed(Failure::new("x", "y")),
        ] {
            let counters = outcome.tally(7, 8);
            assert!(counters.balanced() && counters.listed == 1 && counters.bytes_listed == 7, "{outcome:?}");
            assert_eq!(counters.bytes_copied, if matches!(outcome, Outcome::Copied(_)) { 8 } else { 0 });
        }
    }
}
