//! What the facade does for one component, which is one name of access keys.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use prometheus::{IntCounter, IntCounterVec, IntGauge, IntGaugeVec};

use super::Families;
use super::facade::Traffic;
use crate::telemetry::catalogue;
use crate::telemetry::charge::Charge;
use crate::telemetry::label::{Label, S3Operation, StatusClass};
use crate::telemetry::table::{LazyCounters, PairCounters};

/// The requests of one component. Resolve it when the key is loaded and keep it beside the key.
pub struct ComponentMetrics {
    name: String,
    requests: PairCounters<S3Operation, StatusClass>,
    blob_requests: LazyCounters<S3Operation>,
    received: IntCounter,
    sent: IntCounter,
    /// There is none before the first request.
    last_request: OnceLock<IntGauge>,
    last_requests: IntGaugeVec,
    /// Of all components together.
    traffic: Arc<Traffic>,
}

/// The families that have a label `component`.
pub(super) struct ComponentFamilies {
    requests: IntCounterVec,
    blob_requests: IntCounterVec,
    received: IntCounterVec,
    sent: IntCounterVec,
    last_requests: IntGaugeVec,
}

/// What has been counted for a component so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComponentReport {
    pub component: String,
    pub received_bytes: u64,
    pub sent_bytes: u64,
    /// When the last of its requests ended, to the second.
    pub last_request: Option<SystemTime>,
    /// What it has asked for at least once.
    pub operations: Vec<OperationReport>,
}

/// What has been counted for an operation of a component so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationReport {
    pub operation: S3Operation,
    answers: [u64; StatusClass::ALL.len()],
    /// Requests to Blob Storage, each try counted.
    pub blob_requests: u64,
}

impl ComponentFamilies {
    pub fn new(families: &Families<'_>) -> Self {
        Self {
            requests: families.counters(&catalogue::FACADE_REQUESTS),
            blob_requests: families.counters(&catalogue::FACADE_BLOB_REQUESTS),
            received: families.counters(&catalogue::FACADE_COMPONENT_RECEIVED),
            sent: families.counters(&catalogue::FACADE_COMPONENT_SENT),
            last_requests: families.gauges(&catalogue::FACADE_LAST_REQUEST),
        }
    }

    pub fn component(&self, name: &str, traffic: Arc<Traffic>) -> ComponentMetrics {
        ComponentMetrics {
            name: name.to_owned(),
            requests: PairCounters::new(self.requests.clone(), vec![name.to_owned()]),
            blob_requests: LazyCounters::new(self.blob_requests.clone(), vec![name.to_owned()]),
            received: self.received.with_label_values(&[name]),
            sent: self.sent.with_label_values(&[name]),
            last_request: OnceLock::new(),
            last_requests: self.last_requests.clone(),
            traffic,
        }
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
        self.received.inc_by(received_bytes);
        self.sent.inc_by(sent_bytes);
        self.traffic.observe(operation, elapsed, received_bytes, sent_bytes);
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let last_request = self.last_request.get_or_init(|| self.last_requests.with_label_values(&[&self.name]));
        last_request.set(i64::try_from(since_1970.as_secs()).unwrap_or(i64::MAX));
    }

    /// To be charged with what an operation asks of Blob Storage.
    pub fn charge(&self, operation: S3Operation) -> Option<Charge> {
        self.blob_requests.handle(operation).cloned().map(Charge::new)
    }

    /// What has been counted so far.
    pub fn report(&self) -> ComponentReport {
        let seconds = self.last_request.get().and_then(|gauge| u64::try_from(gauge.get()).ok());
        let operations = S3Operation::ALL.iter().map(|&operation| OperationReport {
            operation,
            answers: std::array::from_fn(|index| self.requests.get(operation, StatusClass::ALL[index])),
            blob_requests: self.blob_requests.get(operation),
        });
        ComponentReport {
            component: self.name.clone(),
            received_bytes: self.received.get(),
            sent_bytes: self.sent.get(),
            last_request: seconds.map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds)),
            operations: operations.filter(|operation| operation.requests() + operation.blob_requests > 0).collect(),
        }
    }
}

impl ComponentReport {
    /// Requests that have ended.
    pub fn requests(&self) -> u64 {
        self.operations.iter().map(OperationReport::requests).sum()
    }

    /// Those of them that were answered so.
    pub fn answered(&self, status: StatusClass) -> u64 {
        self.operations.iter().map(|operation| operation.answered(status)).sum()
    }

    /// Requests to Blob Storage on its behalf.
    pub fn blob_requests(&self) -> u64 {
        self.operations.iter().map(|operation| operation.blob_requests).sum()
    }
}

impl OperationReport {
    /// Requests that have ended.
    pub fn requests(&self) -> u64 {
        self.answers.iter().sum()
    }

    /// Those of them that were answered so.
    pub fn answered(&self, status: StatusClass) -> u64 {
        self.answers[status.index()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::Metrics;
    use crate::telemetry::charge::charged;

    #[tokio::test]
    async fn a_report_tells_what_was_counted() {
        let metrics = Metrics::new();
        let component = metrics.facade.component("flink");
        assert_eq!(component.report().last_request, None);
        let begun = SystemTime::now() - Duration::from_secs(1);
        for (operation, status, received, sent) in [
            (S3Operation::PutObject, 200, 10, 0),
            (S3Operation::GetObject, 206, 0, 4),
            (S3Operation::GetObject, 404, 0, 300),
            (S3Operation::GetObject, 503, 0, 200),
        ] {
            component.observe(operation, StatusClass::of(status), Duration::ZERO, received, sent);
        }
        charged(component.charge(S3Operation::GetObject), async {
            Charge::count();
            Charge::count();
        })
        .await;
        charged(component.charge(S3Operation::HeadObject), async {}).await;

        let report = component.report();
        assert!(report.last_request.unwrap() > begun && report.last_request.unwrap() <= SystemTime::now());
        assert_eq!((report.component.as_str(), report.received_bytes, report.sent_bytes), ("flink", 10, 504));
        assert_eq!((report.requests(), report.blob_requests()), (4, 2));
        let by_status = [StatusClass::Success, StatusClass::ClientError, StatusClass::ServerError];
        assert_eq!(by_status.map(|status| report.answered(status)), [2, 1, 1]);
        let operations: Vec<_> =
            report.operations.iter().map(|one| (one.operation.label(), one.requests(), one.blob_requests)).collect();
        assert_eq!(operations, [("get_object", 3, 2), ("put_object", 1, 0)]);
        assert_eq!(report.operations[0].answered(StatusClass::ClientError), 1);
    }

    #[test]
    fn key_pairs_of_one_component_count_together() {
        let metrics = Metrics::new();
        let (one, other) = (metrics.facade.component("flink"), metrics.facade.component("flink"));
        one.observe(S3Operation::HeadObject, StatusClass::Success, Duration::ZERO, 0, 0);
        assert_eq!(other.report(), one.report());
        assert_eq!(metrics.facade.component("trino").report().requests(), 0);
    }
}
