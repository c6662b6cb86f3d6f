//! What the mover has done.

use prometheus::{IntCounter, IntGauge};

use super::Families;
use crate::telemetry::catalogue;
use crate::telemetry::label::{MoverOutcome, ProofLevel, RangeState};
use crate::telemetry::table::{Counters, Gauges};

/// Objects, bytes and ranges of this process's share of the work.
pub struct MoverMetrics {
    objects: Counters<MoverOutcome>,
    listed_bytes: IntCounter,
    copied_bytes: IntCounter,
    proofs: Counters<ProofLevel>,
    ranges: Gauges<RangeState>,
    in_flight: IntGauge,
    in_flight_bytes: IntGauge,
    pace_bytes: IntGauge,
    pace_requests: IntGauge,
}

/// An object that is being copied; dropping it ends that.
pub struct Copying<'a> {
    metrics: &'a MoverMetrics,
    bytes: i64,
}

impl MoverMetrics {
    pub(super) fn new(families: &Families<'_>) -> Self {
        Self {
            objects: Counters::new(&families.counters(&catalogue::MOVER_OBJECTS)),
            listed_bytes: families.counter(&catalogue::MOVER_LISTED),
            copied_bytes: families.counter(&catalogue::MOVER_COPIED),
            proofs: Counters::new(&families.counters(&catalogue::MOVER_PROOFS)),
            ranges: Gauges::new(&families.gauges(&catalogue::MOVER_RANGES)),
            in_flight: families.gauge(&catalogue::MOVER_IN_FLIGHT),
            in_flight_bytes: families.gauge(&catalogue::MOVER_IN_FLIGHT_BYTES),
            pace_bytes: families.gauge(&catalogue::MOVER_PACE_BYTES),
            pace_requests: families.gauge(&catalogue::MOVER_PACE_REQUESTS),
        }
    }

    /// Counts an object that was listed or has come to its end, with its size.
    pub fn ended(&self, outcome: MoverOutcome, size_bytes: u64) {
        self.objects.add(outcome, 1);
        match outcome {
            MoverOutcome::Listed => self.listed_bytes.inc_by(size_bytes),
            MoverOutcome::Copied => self.copied_bytes.inc_by(size_bytes),
            _ => {}
        }
    }

    /// Objects of one outcome so far.
    pub fn objects(&self, outcome: MoverOutcome) -> u64 {
        self.objects.get(outcome)
    }

    /// Counts the proof that a copied object reached.
    pub fn proved(&self, level: ProofLevel) {
        self.proofs.add(level, 1);
    }

    /// Says how many ranges are in a state.
    pub fn ranges(&self, state: RangeState, count: u64) {
        self.ranges.set(state, signed(count));
    }

    /// Begins a copy that holds `bytes` of the byte budget.
    pub fn copying(&self, bytes: u64) -> Copying<'_> {
        let bytes = signed(bytes);
        self.in_flight.inc();
        self.in_flight_bytes.add(bytes);
        Copying { metrics: self, bytes }
    }

    /// Says what this process allows itself; 0 is no limit.
    pub fn pace(&self, bytes_per_second: u64, requests_per_second: u64) {
        self.pace_bytes.set(signed(bytes_per_second));
        self.pace_requests.set(signed(requests_per_second));
    }
}

impl Drop for Copying<'_> {
    fn drop(&mut self) {
        self.metrics.in_flight.dec();
        self.metrics.in_flight_bytes.sub(self.bytes);
    }
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
