//! What the sweeper has done.

use prometheus::IntGauge;

use super::Families;
use crate::telemetry::catalogue;
use crate::telemetry::label::SweepOutcome;
use crate::telemetry::table::Counters;

/// Multipart uploads that were left behind, and those in progress.
pub struct SweeperMetrics {
    items: Counters<SweepOutcome>,
    open: IntGauge,
}

impl SweeperMetrics {
    pub(super) fn new(families: &Families<'_>) -> Self {
        Self {
            items: Counters::new(&families.counters(&catalogue::SWEEPER_ITEMS)),
            open: families.gauge(&catalogue::SWEEPER_OPEN),
        }
    }

    /// Counts what was done.
    pub fn did(&self, outcome: SweepOutcome, count: u64) {
        self.items.add(outcome, count);
    }

    /// Says how many uploads are in progress.
    pub fn open(&self, count: u64) {
        self.open.set(i64::try_from(count).unwrap_or(i64::MAX));
    }
}
