//! Requests to Blob Storage and to the source: the same numbers under two roles.

use std::time::Duration;

use prometheus::IntCounter;

use super::Families;
use crate::telemetry::catalogue::{self, Definition};
use crate::telemetry::label::{BlobOperation, Label, Outcome, SourceOperation, Throttle};
use crate::telemetry::table::{Counters, Histograms, PairCounters};

/// What the requests of one client came to, by operation.
pub struct ClientMetrics<O> {
    requests: PairCounters<O, Outcome>,
    duration: Histograms<O>,
    retries: Counters<O>,
    throttles: Counters<Throttle>,
    sent: Counters<O>,
    received: Counters<O>,
}

/// A counter of bytes to keep beside a body that is streamed. Cheap to clone.
#[derive(Clone)]
pub struct ByteCounter(IntCounter);

impl ByteCounter {
    pub fn add(&self, bytes: usize) {
        self.0.inc_by(bytes as u64);
    }
}

impl<O: Label> ClientMetrics<O> {
    /// Counts one try: how it ended, the time to the head of the answer, and the bytes of both bodies
    /// so far (what is streamed is added by [`sent_counter`](Self::sent_counter) and
    /// [`received_counter`](Self::received_counter)).
    pub fn observe(&self, operation: O, outcome: Outcome, elapsed: Duration, sent_bytes: u64, received_bytes: u64) {
        self.requests.inc(operation, outcome);
        self.duration.observe(operation, elapsed.as_secs_f64());
        self.sent(operation, sent_bytes);
        self.received(operation, received_bytes);
    }

    /// Counts bytes of a request body.
    pub fn sent(&self, operation: O, bytes: u64) {
        if bytes > 0 {
            self.sent.add(operation, bytes);
        }
    }

    /// Counts bytes of an answer's body.
    pub fn received(&self, operation: O, bytes: u64) {
        if bytes > 0 {
            self.received.add(operation, bytes);
        }
    }

    /// Counts the bytes of a request body that is streamed, while they go out.
    pub fn sent_counter(&self, operation: O) -> Option<ByteCounter> {
        self.sent.handle(operation).map(ByteCounter)
    }

    /// Counts the bytes of an answer's body, while they come in.
    pub fn received_counter(&self, operation: O) -> Option<ByteCounter> {
        self.received.handle(operation).map(ByteCounter)
    }

    /// Counts a request that is sent again.
    pub fn retried(&self, operation: O) {
        self.retries.add(operation, 1);
    }

    /// Counts an answer that asks for fewer requests.
    pub fn throttled(&self, reason: Throttle) {
        self.throttles.add(reason, 1);
    }

    /// Throttled answers so far, of any reason.
    pub fn throttles(&self) -> u64 {
        Throttle::ALL.iter().map(|&reason| self.throttles.get(reason)).sum()
    }

    fn new(families: &Families<'_>, role: &Role) -> Self {
        Self {
            requests: PairCounters::new(families.counters(&role.requests), Vec::new()),
            duration: Histograms::new(families.histograms(&role.duration)),
            retries: Counters::new(&families.counters(&role.retries)),
            throttles: Counters::new(&families.counters(&role.throttles)),
            sent: Counters::new(&families.counters(&role.sent)),
            received: Counters::new(&families.counters(&role.received)),
        }
    }
}

impl ClientMetrics<BlobOperation> {
    pub(super) fn blob(families: &Families<'_>) -> Self {
        Self::new(
            families,
            &Role {
                requests: catalogue::BLOB_REQUESTS,
                duration: catalogue::BLOB_DURATION,
                retries: catalogue::BLOB_RETRIES,
                throttles: catalogue::BLOB_THROTTLES,
                sent: catalogue::BLOB_SENT,
                received: catalogue::BLOB_RECEIVED,
            },
        )
    }
}

impl ClientMetrics<SourceOperation> {
    pub(super) fn source(families: &Families<'_>) -> Self {
        Self::new(
            families,
            &Role {
                requests: catalogue::SOURCE_REQUESTS,
                duration: catalogue::SOURCE_DURATION,
                retries: catalogue::SOURCE_RETRIES,
                throttles: catalogue::SOURCE_THROTTLES,
                sent: catalogue::SOURCE_SENT,
                received: catalogue::SOURCE_RECEIVED,
            },
        )
    }
}

/// The definitions under which a client counts.
struct Role {
    requests: Definition,
    duration: Definition,
    retries: Definition,
    throttles: Definition,
    sent: Definition,
    received: Definition,
}
