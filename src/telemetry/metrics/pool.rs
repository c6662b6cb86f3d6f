//! Connections to a peer.

use prometheus::{IntCounterVec, IntGauge, IntGaugeVec};

use super::Families;
use crate::telemetry::catalogue;
use crate::telemetry::label::{DialResult, Label, Peer};

/// The connections of all pools that talk to one peer.
pub struct PoolMetrics {
    open: IntGauge,
    idle: IntGauge,
    dials: Box<[prometheus::IntCounter]>,
}

impl PoolMetrics {
    /// Counts an attempt to connect; a successful one also counts as an open connection.
    pub fn dialled(&self, result: DialResult) {
        if let Some(dials) = self.dials.get(result.index()) {
            dials.inc();
        }
        if result == DialResult::Ok {
            self.open.inc();
        }
    }

    /// An open connection ended. One that was idle is first [`taken`](Self::taken).
    pub fn closed(&self) {
        self.open.dec();
    }

    /// A connection went back to the pool.
    pub fn returned(&self) {
        self.idle.inc();
    }

    /// A connection left the pool, for a request or to be closed.
    pub fn taken(&self) {
        self.idle.dec();
    }
}

pub(super) struct PoolFamilies {
    open: IntGaugeVec,
    idle: IntGaugeVec,
    dials: IntCounterVec,
}

impl PoolFamilies {
    pub fn new(families: &Families<'_>) -> Self {
        Self {
            open: families.gauges(&catalogue::POOL_OPEN),
            idle: families.gauges(&catalogue::POOL_IDLE),
            dials: families.counters(&catalogue::POOL_DIALS),
        }
    }

    pub fn peer(&self, peer: Peer) -> PoolMetrics {
        let dials = DialResult::ALL
            .iter()
            .map(|result| self.dials.with_label_values(&[peer.label(), result.label()]))
            .collect();
        PoolMetrics {
            open: self.open.with_label_values(&[peer.label()]),
            idle: self.idle.with_label_values(&[peer.label()]),
            dials,
        }
    }
}
