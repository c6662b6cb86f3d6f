//! What each component did, as tables of the status report.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::telemetry::StatusClass;
use crate::telemetry::metrics::ComponentReport;

/// A row for each component.
pub fn components(reports: &[ComponentReport], now: SystemTime) -> Value {
    let row = |report: &ComponentReport| {
        json!({
            "component": report.component,
            "requests": report.requests(),
            "2xx": report.answered(StatusClass::Success),
            "3xx": report.answered(StatusClass::Redirection),
            "4xx": report.answered(StatusClass::ClientError),
            "5xx": report.answered(StatusClass::ServerError),
            "aborted": report.answered(StatusClass::Aborted),
            "received_bytes": report.received_bytes,
            "sent_bytes": report.sent_bytes,
            "blob_requests": report.blob_requests(),
            "blob_requests_per_request": ratio(report.blob_requests(), report.requests()),
            "last_seen": last_seen(report.last_request, now),
        })
    };
    reports.iter().map(row).collect()
}

/// A row for each operation that a component asked for.
pub fn components_by_operation(reports: &[ComponentReport]) -> Value {
    let rows_of = |report: &ComponentReport| {
        let component = report.component.clone();
        report.operations.clone().into_iter().map(move |asked| {
            json!({
                "component": component,
                "operation": asked.operation.label(),
                "requests": asked.requests(),
                "4xx": asked.answered(StatusClass::ClientError),
                "5xx": asked.answered(StatusClass::ServerError),
                "blob_requests": asked.blob_requests,
                "blob_requests_per_request": ratio(asked.blob_requests, asked.requests()),
            })
        })
    };
    reports.iter().flat_map(rows_of).collect()
}

/// To two digits; nothing without requests, of which the first may be under way.
fn ratio(blob_requests: u64, requests: u64) -> Value {
    if requests == 0 {
        return Value::Null;
    }
    json!((blob_requests as f64 / requests as f64 * 100.0).round() / 100.0)
}

fn last_seen(last_request: Option<SystemTime>, now: SystemTime) -> String {
    let Some(last_request) = last_request else { return "never".to_owned() };
    let seconds = now.duration_since(last_request).unwrap_or(Duration::ZERO).as_secs();
    match seconds {
        0..120 => format!("{seconds} s ago"),
        120..7200 => format!("{} min ago", seconds / 60),
        7200..172_800 => format!("{} h ago", seconds / 3600),
        _ => format!("{} d ago", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::columns;
    use crate::telemetry::label::S3Operation;
    use crate::telemetry::metrics::FacadeMetrics;
    use crate::telemetry::{Charge, Metrics, charge::charged};

    /// What flink, and somebody unknown, did; trino was never there.
    async fn reports() -> Vec<ComponentReport> {
        let metrics = Metrics::new();
        let of = |name| metrics.facade.component(name);
        let names = ["flink", "trino", FacadeMetrics::UNKNOWN_COMPONENT];
        for (name, operation, status, received, sent) in [
            ("flink", S3Operation::PutObject, 200, 7, 0),
            ("flink", S3Operation::GetObject, 200, 0, 5),
            ("flink", S3Operation::GetObject, 404, 0, 9),
            ("flink", S3Operation::GetObject, 500, 0, 9),
            (FacadeMetrics::UNKNOWN_COMPONENT, S3Operation::Unknown, 403, 0, 9),
        ] {
            of(name).observe(operation, StatusClass::of(status), Duration::ZERO, received, sent);
        }
        for operation in [S3Operation::PutObject, S3Operation::GetObject, S3Operation::GetObject] {
            charged(of("flink").charge(operation), async { Charge::count() }).await;
        }
        names.map(|name| of(name).report()).into()
    }

    #[tokio::test]
    async fn a_row_for_each_component() {
        let rows = components(&reports().await, SystemTime::now());
        let flink = &rows[0];
        assert_eq!((&flink["component"], &flink["requests"]), (&json!("flink"), &json!(4)));
        assert_eq!([&flink["2xx"], &flink["4xx"], &flink["5xx"]], [&json!(2), &json!(1), &json!(1)]);
        assert_eq!((&flink["received_bytes"], &flink["sent_bytes"]), (&json!(7), &json!(23)));
        assert_eq!((&flink["blob_requests"], &flink["blob_requests_per_request"]), (&json!(3), &json!(0.75)));
        assert!(flink["last_seen"].as_str().unwrap().ends_with(" s ago"), "{flink}");
        let trino = &rows[1];
        assert_eq!((&trino["requests"], &trino["last_seen"]), (&json!(0), &json!("never")));
        assert_eq!(trino["blob_requests_per_request"], Value::Null);
        assert_eq!(rows[2]["4xx"], 1);
        let columns = columns(flink.as_object().unwrap());
        assert_eq!((columns[0], columns[1], columns[11]), ("component", "requests", "last_seen"));
    }

    #[tokio::test]
    async fn a_row_for_each_operation_that_was_asked_for() {
        let rows = components_by_operation(&reports().await);
        let short = |row: &Value| {
            let text = |name: &str| row[name].as_str().unwrap().to_owned();
            (text("component"), text("operation"), row["requests"].as_u64().unwrap(), row["blob_requests"].as_u64())
        };
        let rows: Vec<_> = rows.as_array().unwrap().iter().map(short).collect();
        let expected = [("flink", "get_object", 3, 2), ("flink", "put_object", 1, 1), ("unknown", "unknown", 1, 0)];
        let expected = expected
            .map(|(component, operation, requests, calls)| (component.into(), operation.into(), requests, Some(calls)));
        assert_eq!(rows, expected);
    }

    #[test]
    fn times_are_told_as_people_do() {
        let now = SystemTime::now();
        for (seconds, told) in [
            (0, "0 s ago"),
            (119, "119 s ago"),
            (120, "2 min ago"),
            (7199, "119 min ago"),
            (7200, "2 h ago"),
            (200_000, "2 d ago"),
        ] {
            assert_eq!(last_seen(Some(now - Duration::from_secs(seconds)), now), told);
        }
        assert_eq!(last_seen(Some(now + Duration::from_secs(5)), now), "0 s ago");
    }
}
