//! What requests come to, as metrics show it.

use std::time::{Duration, Instant};

use super::BlobClient;
use super::error::ThrottleReason;
use super::operation::Operation;
use crate::net::Body;
use crate::object::{Error, ErrorKind};
use crate::telemetry::metrics::ClientMetrics;
use crate::telemetry::{BlobOperation, ByteCounter, Charge, Outcome, Throttle};

/// One try of a request. It is counted when dropped: as cancelled, unless it came to something else.
pub(super) struct Try<'a> {
    metrics: Option<&'a ClientMetrics<BlobOperation>>,
    operation: BlobOperation,
    begun: Instant,
    /// Time to the head of the answer, once there is one.
    elapsed: Option<Duration>,
    outcome: Outcome,
    sent: u64,
}

impl BlobClient {
    fn metrics(&self) -> Option<&ClientMetrics<BlobOperation>> {
        self.inner.metrics.as_deref().map(|metrics| &metrics.blob)
    }

    /// Begins a try, which counts for whoever it is sent on behalf of. The bytes of a streamed body are counted by the
    /// stream itself.
    pub(super) fn begin_try(&self, operation: Operation, body: &Body) -> Try<'_> {
        Charge::count();
        let sent = if let Body::Full(bytes) = body { bytes.len() as u64 } else { 0 };
        Try {
            metrics: self.metrics(),
            operation: operation.label(),
            begun: Instant::now(),
            elapsed: None,
            outcome: Outcome::Cancelled,
            sent,
        }
    }

    /// For the bytes of a streamed request body.
    pub(super) fn sent_counter(&self, operation: Operation) -> Option<ByteCounter> {
        self.metrics()?.sent_counter(operation.label())
    }

    /// For the bytes of an answer's body.
    pub(super) fn received_counter(&self, operation: Operation) -> Option<ByteCounter> {
        self.metrics()?.received_counter(operation.label())
    }

    /// Counts a request that is sent again.
    pub(super) fn count_retry(&self, operation: Operation) {
        if let Some(metrics) = self.metrics() {
            metrics.retried(operation.label());
        }
    }

    /// Counts an answer, or a part of one, if it asks for fewer requests.
    pub(super) fn count_throttle(&self, error: &Error) {
        if let (Some(metrics), ErrorKind::Throttled) = (self.metrics(), error.kind()) {
            metrics.throttled(throttle(ThrottleReason::of(error)));
        }
    }
}

impl Try<'_> {
    /// The head of the answer is there.
    pub fn answered(&mut self) {
        self.elapsed = Some(self.begun.elapsed());
    }

    /// Nothing has been sent.
    pub fn unsent(&mut self) {
        self.sent = 0;
    }

    pub fn ended(mut self, outcome: Outcome) {
        self.outcome = outcome;
    }
}

impl Drop for Try<'_> {
    fn drop(&mut self) {
        let Some(metrics) = self.metrics else { return };
        let elapsed = self.elapsed.unwrap_or_else(|| self.begun.elapsed());
        metrics.observe(self.operation, self.outcome, elapsed, self.sent, 0);
    }
}

impl Operation {
    fn label(self) -> BlobOperation {
        match self {
            Self::AccountInfo => BlobOperation::GetAccountInformation,
            Self::ServiceProperties => BlobOperation::GetServiceProperties,
            Self::Probe => BlobOperation::Probe,
            Self::ListContainers => BlobOperation::ListContainers,
            Self::UserDelegationKey => BlobOperation::GetUserDelegationKey,
            Self::DeleteBatch => BlobOperation::DeleteBatch,
            Self::CreateContainer => BlobOperation::CreateContainer,
            Self::GetContainer => BlobOperation::GetContainer,
            Self::DeleteContainer => BlobOperation::DeleteContainer,
            Self::ListBlobs => BlobOperation::ListBlobs,
            Self::GetBlob => BlobOperation::GetBlob,
            Self::GetProperties => BlobOperation::GetBlobProperties,
            Self::GetBlockList => BlobOperation::GetBlockList,
            Self::PutBlob => BlobOperation::PutBlob,
            Self::PutBlock => BlobOperation::PutBlock,
            Self::PutBlockList => BlobOperation::PutBlockList,
            Self::PutBlobFromUrl => BlobOperation::PutBlobFromUrl,
            Self::PutBlockFromUrl => BlobOperation::PutBlockFromUrl,
            Self::CopyBlobFromUrl => BlobOperation::CopyBlobFromUrl,
            Self::SetMetadata => BlobOperation::SetBlobMetadata,
            Self::SetProperties => BlobOperation::SetBlobProperties,
            Self::DeleteBlob => BlobOperation::DeleteBlob,
        }
    }
}

/// How a request that failed in this way ended.
pub(super) fn outcome(kind: ErrorKind) -> Outcome {
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

fn throttle(reason: Option<ThrottleReason>) -> Throttle {
    match reason {
        Some(ThrottleReason::Ingress) => Throttle::Ingress,
        Some(ThrottleReason::Egress) => Throttle::Egress,
        Some(ThrottleReason::Operations) => Throttle::Operations,
        Some(ThrottleReason::Unnamed) | None => Throttle::Unknown,
    }
}
