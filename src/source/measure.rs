//! What requests come to, as metrics show it.

use std::time::{Duration, Instant};

use crate::object::ErrorKind;
use crate::telemetry::metrics::ClientMetrics;
use crate::telemetry::{Outcome, SourceOperation};

/// One try of a request. It is counted when dropped: as cancelled, unless it came to something else.
pub(super) struct Try<'a> {
    metrics: Option<&'a ClientMetrics<SourceOperation>>,
    operation: SourceOperation,
    begun: Instant,
    /// Time to the head of the answer, once there is one.
    elapsed: Option<Duration>,
    outcome: Outcome,
}

impl<'a> Try<'a> {
    /// Begins a try of a request without a body.
    pub fn begin(metrics: Option<&'a ClientMetrics<SourceOperation>>, operation: SourceOperation) -> Self {
        Self { metrics, operation, begun: Instant::now(), elapsed: None, outcome: Outcome::Cancelled }
    }

    /// The head of the answer is there, or there will be none.
    pub fn answered(&mut self) {
        self.elapsed = Some(self.begun.elapsed());
    }

    pub fn succeeded(mut self) {
        self.outcome = Outcome::Ok;
    }

    pub fn failed(mut self, kind: ErrorKind) {
        self.outcome = outcome(kind);
    }
}

impl Drop for Try<'_> {
    fn drop(&mut self) {
        let Some(metrics) = self.metrics else { return };
        let elapsed = self.elapsed.unwrap_or_else(|| self.begun.elapsed());
        metrics.observe(self.operation, self.outcome, elapsed, 0, 0);
    }
}

/// How a request that failed in this way ended.
fn outcome(kind: ErrorKind) -> Outcome {
    use ErrorKind as K;
    match kind {
        K::NotFound | K::ContainerMissing | K::NoSuchUpload => Outcome::NotFound,
        K::Exists | K::ContainerExists => Outcome::Exists,
        K::PreconditionFailed | K::SourcePreconditionFailed => Outcome::PreconditionFailed,
        K::NotModified => Outcome::NotModified,
        K::Conflict | K::Obstructed | K::Leased | K::ContainerBeingDeleted | K::ContainerNotEmpty => Outcome::Conflict,
        K::Throttled => Outcome::Throttled,
        K::Timeout => Outcome::Timeout,
        K::Unavailable => Outcome::Unavailable,
        K::AuthExpired => Outcome::Auth,
        K::Denied | K::CopySourceUnreadable => Outcome::Denied,
        K::RangeUnsatisfiable | K::TooLarge | K::MetadataTooLarge | K::KeyUnmappable | K::Invalid => Outcome::Invalid,
        K::InvalidPart | K::InvalidPartOrder | K::PartTooSmall | K::InvalidBlockList => Outcome::Invalid,
        K::ChecksumMismatch => Outcome::Checksum,
        K::Corrupt => Outcome::Corrupt,
        K::BodyIncomplete | K::Cancelled => Outcome::Cancelled,
        K::Unsupported | K::Archived | K::Unexpected => Outcome::Other,
    }
}
