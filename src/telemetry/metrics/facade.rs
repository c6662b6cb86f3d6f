//! What the facade does for its clients.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prometheus::{IntCounterVec, IntGauge};

use super::Families;
use crate::telemetry::catalogue;
use crate::telemetry::label::{AuthFailure, S3Operation, ShedReason, StatusClass};
use crate::telemetry::table::{Counters, Histograms, PairCounters};

/// The facade's numbers that no component owns, and the way to those of a component.
pub struct FacadeMetrics {
    requests: IntCounterVec,
    traffic: Arc<Traffic>,
    in_flight: IntGauge,
    connections: IntGauge,
    /// Each tells the connections open at one listener.
    listeners: Mutex<Vec<OpenConnections>>,
    shed: Counters<ShedReason>,
    auth_failures: Counters<AuthFailure>,
}

/// The requests of one component (one access key name). Resolve it when the key is loaded and keep it
/// beside the key.
pub struct ComponentMetrics {
    requests: PairCounters<S3Operation, StatusClass>,
    traffic: Arc<Traffic>,
}

/// A request that is being served; dropping it ends that.
pub struct InFlight(IntGauge);

type OpenConnections = Box<dyn Fn() -> usize + Send + Sync>;

struct Traffic {
    duration: Histograms<S3Operation>,
    received: Counters<S3Operation>,
    sent: Counters<S3Operation>,
}

impl FacadeMetrics {
    /// The component under which requests are counted whose key is not known.
    pub const UNKNOWN_COMPONENT: &str = "unknown";

    pub(super) fn new(families: &Families<'_>) -> Self {
        let traffic = Traffic {
            duration: Histograms::new(families.histograms(&catalogue::FACADE_DURATION)),
            received: Counters::new(&families.counters(&catalogue::FACADE_RECEIVED)),
            sent: Counters::new(&families.counters(&catalogue::FACADE_SENT)),
        };
        Self {
            requests: families.counters(&catalogue::FACADE_REQUESTS),
            traffic: Arc::new(traffic),
            in_flight: families.gauge(&catalogue::FACADE_IN_FLIGHT),
            connections: families.gauge(&catalogue::FACADE_CONNECTIONS),
            listeners: Mutex::default(),
            shed: Counters::new(&families.counters(&catalogue::FACADE_SHED)),
            auth_failures: Counters::new(&families.counters(&catalogue::FACADE_AUTH_FAILURES)),
        }
    }

    /// The numbers of a component. The name comes from the configuration, never from a request.
    pub fn component(&self, name: &str) -> Arc<ComponentMetrics> {
        let requests = PairCounters::new(self.requests.clone(), vec![name.to_owned()]);
        Arc::new(ComponentMetrics { requests, traffic: self.traffic.clone() })
    }

    /// Begins a request.
    pub fn begin(&self) -> InFlight {
        InFlight::begin(&self.in_flight)
    }

    /// Adds a listener, which is asked for its open connections when the metrics are shown.
    pub fn watch_connections(&self, open: impl Fn() -> usize + Send + Sync + 'static) {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(open));
    }

    /// Brings the open connections up to date, just before they are shown.
    pub(super) fn refresh(&self) {
        let listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        let open: usize = listeners.iter().map(|open| open()).sum();
        self.connections.set(i64::try_from(open).unwrap_or(i64::MAX));
    }

    /// Counts a request that was turned away unread.
    pub fn shed(&self, reason: ShedReason) {
        self.shed.add(reason, 1);
    }

    /// Counts a request whose identity was not accepted.
    pub fn auth_failed(&self, reason: AuthFailure) {
        self.auth_failures.add(reason, 1);
    }

    /// Requests being served.
    pub fn in_flight(&self) -> i64 {
        self.in_flight.get()
    }
}

impl ComponentMetrics {
    /// Counts a request that has ended, with its whole time and the bytes of both bodies.
    pub fn observe(
        &self,
        operation: S3Operation,
        status: StatusClass,
        elapsed: Duration,
        received_bytes: u64,
        sent_bytes: u64,
    ) {
        self.requests.inc(operation, status);
        self.traffic.duration.observe(operation, elapsed.as_secs_f64());
        self.traffic.received.add(operation, received_bytes);
        self.traffic.sent.add(operation, sent_bytes);
    }
}

impl InFlight {
    fn begin(gauge: &IntGauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}
