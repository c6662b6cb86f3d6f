//! What the facade does for its clients.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prometheus::IntGauge;

use super::Families;
use super::component::{ComponentFamilies, ComponentMetrics};
use crate::telemetry::catalogue;
use crate::telemetry::label::{AuthFailure, S3Operation, ShedReason};
use crate::telemetry::table::{Counters, Histograms};

/// The facade's numbers that no component owns, and the way to those of a component.
pub struct FacadeMetrics {
    families: ComponentFamilies,
    components: Mutex<BTreeMap<String, Arc<ComponentMetrics>>>,
    traffic: Arc<Traffic>,
    in_flight: IntGauge,
    connections: IntGauge,
    /// Each tells the connections open at one listener.
    listeners: Mutex<Vec<OpenConnections>>,
    shed: Counters<ShedReason>,
    auth_failures: Counters<AuthFailure>,
}

/// A request that is being served; dropping it ends that.
pub struct InFlight(IntGauge);

type OpenConnections = Box<dyn Fn() -> usize + Send + Sync>;

/// The requests of all components together.
pub(super) struct Traffic {
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
            families: ComponentFamilies::new(families),
            components: Mutex::default(),
            traffic: Arc::new(traffic),
            in_flight: families.gauge(&catalogue::FACADE_IN_FLIGHT),
            connections: families.gauge(&catalogue::FACADE_CONNECTIONS),
            listeners: Mutex::default(),
            shed: Counters::new(&families.counters(&catalogue::FACADE_SHED)),
            auth_failures: Counters::new(&families.counters(&catalogue::FACADE_AUTH_FAILURES)),
        }
    }

    /// The numbers of a component, the same for all its key pairs. The name comes from the configuration,
    /// never from a request.
    pub fn component(&self, name: &str) -> Arc<ComponentMetrics> {
        let mut components = self.components.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(self.families.component(name, self.traffic.clone()));
        components.entry(name.to_owned()).or_insert_with(new).clone()
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

impl Traffic {
    pub fn observe(&self, operation: S3Operation, elapsed: Duration, received_bytes: u64, sent_bytes: u64) {
        self.duration.observe(operation, elapsed.as_secs_f64());
        self.received.add(operation, received_bytes);
        self.sent.add(operation, sent_bytes);
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
