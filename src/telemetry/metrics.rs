//! The numbers of one process.

mod client;
mod component;
mod facade;
mod mover;
mod pool;
mod process;
mod sweeper;
mod token;

use std::sync::{Arc, Once};

use prometheus::core::Collector;
use prometheus::{HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry};

pub use client::{ByteCounter, ClientMetrics};
pub use component::{ComponentMetrics, ComponentReport, OperationReport};
pub use facade::{FacadeMetrics, InFlight};
pub use mover::MoverMetrics;
pub use pool::PoolMetrics;
pub use sweeper::SweeperMetrics;
pub use token::TokenMetrics;

use super::catalogue::{self, Definition, Kind};
use super::label::{BlobOperation, Peer, SourceOperation};
use process::ProcessMetrics;

/// Every metric of this process, ready to be counted. One per process (or per test), passed down by `Arc`.
pub struct Metrics {
    pub facade: FacadeMetrics,
    pub blob: ClientMetrics<BlobOperation>,
    pub source: ClientMetrics<SourceOperation>,
    pub token: TokenMetrics,
    pub mover: MoverMetrics,
    pub sweeper: SweeperMetrics,
    blob_pool: Arc<PoolMetrics>,
    source_pool: Arc<PoolMetrics>,
    panics: IntCounter,
    process: ProcessMetrics,
    registry: Registry,
}

impl Metrics {
    /// Makes a registry of its own with every metric of the catalogue in it.
    #[expect(clippy::new_without_default, reason = "a second registry should not come about by accident")]
    pub fn new() -> Self {
        let registry = Registry::new();
        let families = Families { registry: &registry };
        let pools = pool::PoolFamilies::new(&families);
        Self {
            facade: FacadeMetrics::new(&families),
            blob: ClientMetrics::blob(&families),
            source: ClientMetrics::source(&families),
            token: TokenMetrics::new(&families),
            mover: MoverMetrics::new(&families),
            sweeper: SweeperMetrics::new(&families),
            blob_pool: Arc::new(pools.peer(Peer::Blob)),
            source_pool: Arc::new(pools.peer(Peer::Source)),
            panics: families.counter(&catalogue::PANICS),
            process: ProcessMetrics::new(&families),
            registry,
        }
    }

    /// The numbers of the pools that talk to one peer; all threads share them.
    pub fn pool(&self, peer: Peer) -> Arc<PoolMetrics> {
        match peer {
            Peer::Blob => self.blob_pool.clone(),
            Peer::Source => self.source_pool.clone(),
        }
    }

    /// Counts a panic that was caught.
    pub fn panicked(&self) {
        self.panics.inc();
    }

    /// Logs and counts every panic of the process instead of printing it. The message passes the
    /// guard of the log like any other line.
    pub fn watch_panics(self: &Arc<Self>) {
        static HOOKED: Once = Once::new();
        let metrics = Arc::downgrade(self);
        HOOKED.call_once(|| {
            std::panic::set_hook(Box::new(move |panic| {
                if let Some(metrics) = metrics.upgrade() {
                    metrics.panicked();
                }
                let message = panic.payload_as_str().unwrap_or("no message");
                let place = panic.location().map_or_else(String::new, ToString::to_string);
                tracing::error!(message = "panic", reason = message, place);
            }));
        });
    }

    /// The metrics in the text format of Prometheus, version 0.0.4.
    pub fn render(&self) -> String {
        self.token.refresh();
        self.facade.refresh();
        self.process.refresh();
        let mut text = String::new();
        // The encoder fails only for families without a metric, and those are never gathered.
        if let Err(error) = prometheus::TextEncoder::new().encode_utf8(&self.registry.gather(), &mut text) {
            tracing::error!(%error, "metrics could not be rendered");
        }
        text
    }
}

/// Makes families from their definitions and registers them.
struct Families<'a> {
    registry: &'a Registry,
}

impl Families<'_> {
    fn counter(&self, metric: &Definition) -> IntCounter {
        self.register(metric, IntCounter::with_opts(options(metric)))
    }

    fn gauge(&self, metric: &Definition) -> IntGauge {
        self.register(metric, IntGauge::with_opts(options(metric)))
    }

    fn counters(&self, metric: &Definition) -> IntCounterVec {
        self.register(metric, IntCounterVec::new(options(metric), metric.labels))
    }

    fn gauges(&self, metric: &Definition) -> IntGaugeVec {
        self.register(metric, IntGaugeVec::new(options(metric), metric.labels))
    }

    #[expect(clippy::panic, reason = "a mistake in the catalogue, which every test that makes metrics shows")]
    fn histograms(&self, metric: &Definition) -> HistogramVec {
        let Kind::Histogram(buckets) = metric.kind else { panic!("{} is no histogram", metric.name) };
        let options = HistogramOpts::new(metric.name, metric.help).buckets(buckets.to_vec());
        self.register(metric, HistogramVec::new(options, metric.labels))
    }

    /// A failure here is a mistake in the catalogue, which every test that makes metrics would show.
    #[expect(clippy::panic, reason = "a mistake in the catalogue, which every test that makes metrics shows")]
    fn register<C: Collector + Clone + 'static>(&self, metric: &Definition, made: prometheus::Result<C>) -> C {
        let collector = made.unwrap_or_else(|error| panic!("{} is not well defined: {error}", metric.name));
        if let Err(error) = self.registry.register(Box::new(collector.clone())) {
            panic!("{} cannot be registered: {error}", metric.name);
        }
        collector
    }
}

fn options(metric: &Definition) -> Opts {
    Opts::new(metric.name, metric.help)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::time::Duration;

    use super::*;
    use crate::telemetry::label::*;

    /// Counts something under every metric.
    fn touched() -> Metrics {
        let metrics = Metrics::new();
        let component = metrics.facade.component("flink");
        let _in_flight = metrics.facade.begin();
        component.observe(S3Operation::GetObject, StatusClass::of(200), Duration::from_millis(3), 0, 4096);
        drop(component.charge(S3Operation::GetObject));
        metrics.facade.shed(ShedReason::Memory);
        metrics.blob.observe(BlobOperation::PutBlob, Outcome::Ok, Duration::from_millis(9), 10, 0);
        metrics.blob.throttled(Throttle::Egress);
        metrics.blob.retried(BlobOperation::PutBlob);
        metrics.source.observe(SourceOperation::GetObject, Outcome::Timeout, Duration::from_secs(9), 0, 10);
        metrics.pool(Peer::Blob).dialled(DialResult::Ok);
        metrics.token.refreshed(std::time::SystemTime::now() + Duration::from_secs(3600));
        metrics.mover.ended(MoverOutcome::Copied, 77);
        metrics.sweeper.did(SweepOutcome::Expired, 2);
        metrics
    }

    #[test]
    fn what_is_rendered_is_the_catalogue() {
        let text = touched().render();
        let mut rendered = BTreeMap::new();
        for line in text.lines() {
            if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' ')) {
                rendered.insert(name, kind);
            }
        }
        let defined: BTreeMap<_, _> = catalogue::ALL.iter().map(|metric| (metric.name, metric.kind.name())).collect();
        assert_eq!(rendered, defined);
    }

    #[test]
    fn rendered_labels_and_help_are_those_of_the_catalogue() {
        let text = touched().render();
        for metric in catalogue::ALL {
            assert!(text.contains(&format!("# HELP {} {}\n", metric.name, metric.help)), "{}", metric.name);
            let defined: BTreeSet<&str> = metric.labels.iter().copied().collect();
            let sample = if matches!(metric.kind, Kind::Histogram(_)) {
                format!("{}_count", metric.name)
            } else {
                metric.name.to_owned()
            };
            let line = text
                .lines()
                .find(|line| line.strip_prefix(&sample).is_some_and(|rest| rest.starts_with(['{', ' '])))
                .unwrap_or_else(|| panic!("no sample of {sample}"));
            let labels =
                line.split_once('{').and_then(|(_, rest)| rest.split_once('}')).map_or("", |(labels, _)| labels);
            let shown: BTreeSet<&str> =
                labels.split(',').filter_map(|pair| pair.split_once('=')).map(|(name, _)| name).collect();
            assert_eq!(shown, defined, "{}", metric.name);
        }
    }

    #[test]
    fn counts_land_where_they_belong() {
        let text = touched().render();
        for line in [
            r#"bluebucket_facade_requests_total{component="flink",operation="get_object",status="2xx"} 1"#,
            r#"bluebucket_facade_sent_bytes_total{operation="get_object"} 4096"#,
            r#"bluebucket_facade_component_sent_bytes_total{component="flink"} 4096"#,
            r#"bluebucket_facade_blob_requests_total{component="flink",operation="get_object"} 0"#,
            r#"bluebucket_facade_in_flight_requests 0"#,
            r#"bluebucket_facade_shed_requests_total{reason="memory"} 1"#,
            r#"bluebucket_blob_requests_total{operation="put_blob",outcome="ok"} 1"#,
            r#"bluebucket_blob_throttles_total{reason="egress"} 1"#,
            r#"bluebucket_blob_throttles_total{reason="ingress"} 0"#,
            r#"bluebucket_source_received_bytes_total{operation="get_object"} 10"#,
            r#"bluebucket_pool_dials_total{peer="blob",result="ok"} 1"#,
            r#"bluebucket_mover_objects_total{outcome="copied"} 1"#,
            r#"bluebucket_mover_copied_bytes_total 77"#,
            r#"bluebucket_sweeper_items_total{outcome="expired"} 2"#,
            r#"bluebucket_panics_total 0"#,
        ] {
            assert!(text.lines().any(|shown| shown == line), "{line} is not in\n{text}");
        }
    }
}
