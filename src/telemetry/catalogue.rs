//! Every metric: name, type, unit, labels, help and stability. Nothing is exported that is not here.
//!
//! `src/docs/metrics.md` mirrors this file, and a test compares the two with what `/metrics` shows.

use super::label::{self, Label};

/// What kind of number a metric is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Counter,
    Gauge,
    /// Upper bounds of the buckets, in the metric's unit.
    Histogram(&'static [f64]),
}

impl Kind {
    /// The name of the kind in the text format of Prometheus.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram(_) => "histogram",
        }
    }
}

/// What a dashboard may rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stability {
    /// Name, labels and meaning stay within a major version.
    Stable,
    /// May change with a minor version.
    Experimental,
}

impl Stability {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Experimental => "experimental",
        }
    }
}

/// One metric.
#[derive(Clone, Copy, Debug)]
pub struct Definition {
    pub name: &'static str,
    pub kind: Kind,
    pub unit: &'static str,
    pub labels: &'static [&'static str],
    pub help: &'static str,
    pub stability: Stability,
}

/// From a memory hit in the same zone to the hard deadline of a request.
const REQUEST_SECONDS: &[f64] =
    &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0];

macro_rules! catalogue {
    ($($id:ident: $kind:expr, $name:literal, $unit:literal, [$($label:literal),*], $stability:ident, $help:literal;)+) => {
        $(
            #[doc = $help]
            pub const $id: Definition = Definition {
                name: $name,
                kind: $kind,
                unit: $unit,
                labels: &[$($label),*],
                help: $help,
                stability: Stability::$stability,
            };
        )+

        /// Every metric, in the order of the documentation.
        pub const ALL: &[Definition] = &[$($id),+];
    };
}

use Kind::{Counter, Gauge, Histogram};

catalogue! {
    FACADE_REQUESTS: Counter, "bluebucket_facade_requests_total", "requests",
        ["operation", "status", "component"], Stable,
        "Requests that the facade answered, by S3 operation, class of the status and name of the access key.";
    FACADE_DURATION: Histogram(REQUEST_SECONDS), "bluebucket_facade_request_duration_seconds", "seconds",
        ["operation"], Stable,
        "Time from the head of a request to the last byte of its answer.";
    FACADE_IN_FLIGHT: Gauge, "bluebucket_facade_in_flight_requests", "requests", [], Stable,
        "Requests whose answers have not ended, those among them that wait for slow clients and hold no place.";
    FACADE_CONNECTIONS: Gauge, "bluebucket_facade_connections", "connections", [], Stable,
        "Connections that clients hold open.";
    FACADE_RECEIVED: Counter, "bluebucket_facade_received_bytes_total", "bytes", ["operation"], Stable,
        "Bytes of request bodies, as they came from clients.";
    FACADE_SENT: Counter, "bluebucket_facade_sent_bytes_total", "bytes", ["operation"], Stable,
        "Bytes of answer bodies, as they went to clients.";
    FACADE_COMPONENT_RECEIVED: Counter, "bluebucket_facade_component_received_bytes_total", "bytes", ["component"],
        Stable,
        "Bytes of request bodies, as they came from the clients of a component.";
    FACADE_COMPONENT_SENT: Counter, "bluebucket_facade_component_sent_bytes_total", "bytes", ["component"], Stable,
        "Bytes of answer bodies, as they went to the clients of a component.";
    FACADE_BLOB_REQUESTS: Counter, "bluebucket_facade_blob_requests_total", "requests",
        ["operation", "component"], Stable,
        "Requests to Blob Storage, each try counted, by the S3 operation and the component on whose behalf they were sent.";
    FACADE_LAST_REQUEST: Gauge, "bluebucket_facade_last_request_timestamp_seconds", "seconds", ["component"], Stable,
        "When the last request of a component ended, in seconds since 1970; absent before its first one.";
    FACADE_SHED: Counter, "bluebucket_facade_shed_requests_total", "requests", ["reason"], Stable,
        "Requests turned away with 503 before anything was done for them, by the limit that was reached.";
    FACADE_AUTH_FAILURES: Counter, "bluebucket_facade_auth_failures_total", "requests", ["reason"], Stable,
        "Requests whose identity was not accepted.";

    BLOB_REQUESTS: Counter, "bluebucket_blob_requests_total", "requests", ["operation", "outcome"], Stable,
        "Requests to Blob Storage, each try counted, by outcome.";
    BLOB_DURATION: Histogram(REQUEST_SECONDS), "bluebucket_blob_request_duration_seconds", "seconds",
        ["operation"], Stable,
        "Time from sending a request to Blob Storage to the head of its answer.";
    BLOB_RETRIES: Counter, "bluebucket_blob_retries_total", "requests", ["operation"], Stable,
        "Requests to Blob Storage that were sent again.";
    BLOB_THROTTLES: Counter, "bluebucket_blob_throttles_total", "requests", ["reason"], Stable,
        "Answers of Blob Storage that asked for fewer requests, by the limit that they named.";
    BLOB_SENT: Counter, "bluebucket_blob_sent_bytes_total", "bytes", ["operation"], Stable,
        "Bytes of bodies sent to Blob Storage.";
    BLOB_RECEIVED: Counter, "bluebucket_blob_received_bytes_total", "bytes", ["operation"], Stable,
        "Bytes of bodies received from Blob Storage.";

    SOURCE_REQUESTS: Counter, "bluebucket_source_requests_total", "requests", ["operation", "outcome"], Stable,
        "Requests to the S3 source, each try counted, by outcome.";
    SOURCE_DURATION: Histogram(REQUEST_SECONDS), "bluebucket_source_request_duration_seconds", "seconds",
        ["operation"], Stable,
        "Time from sending a request to the source to the head of its answer.";
    SOURCE_RETRIES: Counter, "bluebucket_source_retries_total", "requests", ["operation"], Stable,
        "Requests to the source that were sent again.";
    SOURCE_THROTTLES: Counter, "bluebucket_source_throttles_total", "requests", ["reason"], Stable,
        "Answers of the source that asked for fewer requests.";
    SOURCE_SENT: Counter, "bluebucket_source_sent_bytes_total", "bytes", ["operation"], Stable,
        "Bytes of bodies sent to the source.";
    SOURCE_RECEIVED: Counter, "bluebucket_source_received_bytes_total", "bytes", ["operation"], Stable,
        "Bytes of bodies received from the source.";

    POOL_OPEN: Gauge, "bluebucket_pool_open_connections", "connections", ["peer"], Stable,
        "Connections held open to a peer, in use or idle.";
    POOL_IDLE: Gauge, "bluebucket_pool_idle_connections", "connections", ["peer"], Stable,
        "Connections to a peer that wait for a request.";
    POOL_DIALS: Counter, "bluebucket_pool_dials_total", "connections", ["peer", "result"], Stable,
        "Attempts to open a connection to a peer, TLS included.";

    TOKEN_EXPIRES_IN: Gauge, "bluebucket_token_expires_in_seconds", "seconds", [], Stable,
        "Time for which the Azure token in use is still valid; negative once it has run out, absent before the first one.";
    TOKEN_REFRESHES: Counter, "bluebucket_token_refreshes_total", "tokens", [], Stable,
        "Azure tokens that were fetched.";
    TOKEN_REFRESH_FAILURES: Counter, "bluebucket_token_refresh_failures_total", "attempts", [], Stable,
        "Attempts to fetch an Azure token that failed.";

    MOVER_OBJECTS: Counter, "bluebucket_mover_objects_total", "objects", ["outcome"], Stable,
        "Objects by what became of them; the outcomes other than listed add up to listed.";
    MOVER_LISTED: Counter, "bluebucket_mover_listed_bytes_total", "bytes", [], Stable,
        "Sizes of the objects that the mover listed at the source.";
    MOVER_COPIED: Counter, "bluebucket_mover_copied_bytes_total", "bytes", [], Stable,
        "Sizes of the objects that the mover copied.";
    MOVER_PROOFS: Counter, "bluebucket_mover_proofs_total", "objects", ["level"], Stable,
        "Copied objects by the strongest proof of equality that was available.";
    MOVER_RANGES: Gauge, "bluebucket_mover_ranges", "ranges", ["state"], Stable,
        "Slices of the key space by state, as this process last saw them.";
    MOVER_IN_FLIGHT: Gauge, "bluebucket_mover_in_flight_objects", "objects", [], Stable,
        "Objects that this process is copying.";
    MOVER_IN_FLIGHT_BYTES: Gauge, "bluebucket_mover_in_flight_bytes", "bytes", [], Stable,
        "Share of the byte budget in use.";
    MOVER_PACE_BYTES: Gauge, "bluebucket_mover_pace_limit_bytes_per_second", "bytes per second", [], Experimental,
        "Bytes per second that this process allows itself; 0 is no limit.";
    MOVER_PACE_REQUESTS: Gauge, "bluebucket_mover_pace_limit_requests_per_second", "requests per second", [],
        Experimental,
        "Requests per second that this process allows itself; 0 is no limit.";

    SWEEPER_ITEMS: Counter, "bluebucket_sweeper_items_total", "items", ["outcome"], Stable,
        "What the sweeper did about multipart uploads, and about results and parts that they had left behind.";
    SWEEPER_OPEN: Gauge, "bluebucket_sweeper_open_uploads", "uploads", [], Stable,
        "Multipart uploads in progress in the configured buckets, as the last sweep of this process found them.";

    PANICS: Counter, "bluebucket_panics_total", "panics", [], Stable,
        "Panics that were caught; anything above 0 is a fault to report.";
    BUILD_INFO: Gauge, "bluebucket_build_info", "1", ["version"], Stable,
        "Always 1; the label tells the version.";
    PROCESS_RESIDENT: Gauge, "process_resident_memory_bytes", "bytes", [], Stable,
        "Resident memory of the process.";
    PROCESS_FDS: Gauge, "process_open_fds", "descriptors", [], Stable,
        "File descriptors that the process holds open.";
    PROCESS_CPU: Counter, "process_cpu_seconds_total", "seconds", [], Stable,
        "Processor time that the process has used, user and system.";
    PROCESS_START: Gauge, "process_start_time_seconds", "seconds", [], Stable,
        "When the process began, in seconds since 1970.";
}

/// The catalogue as the table of `src/docs/metrics.md`.
pub fn markdown() -> String {
    let mut table =
        String::from("| Metric | Type | Unit | Labels | Stability | Meaning |\n|---|---|---|---|---|---|\n");
    for metric in ALL {
        let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
        table.push_str(&format!(
            "| `{}` | {} | {} | {} | {} | {} |\n",
            metric.name,
            metric.kind.name(),
            metric.unit,
            labels.join(", "),
            metric.stability.name(),
            metric.help,
        ));
    }
    table
}

/// The values of every label as the list of `src/docs/metrics.md`.
pub fn label_markdown() -> String {
    let mut list = String::new();
    for (label, values) in label_values() {
        let values: Vec<String> = values.iter().map(|value| format!("`{value}`")).collect();
        list.push_str(&format!("- {label}: {}\n", values.join(", ")));
    }
    list
}

fn label_values() -> [(&'static str, Vec<&'static str>); 14] {
    [
        ("`operation` of the facade", labels_of::<label::S3Operation>()),
        ("`status`", labels_of::<label::StatusClass>()),
        ("`reason` of shed requests", labels_of::<label::ShedReason>()),
        ("`reason` of failed authentication", labels_of::<label::AuthFailure>()),
        ("`operation` on Blob Storage", labels_of::<label::BlobOperation>()),
        ("`operation` on the source", labels_of::<label::SourceOperation>()),
        ("`outcome` of a request to Blob Storage or the source", labels_of::<label::Outcome>()),
        ("`reason` of a throttled answer", labels_of::<label::Throttle>()),
        ("`peer`", labels_of::<label::Peer>()),
        ("`result`", labels_of::<label::DialResult>()),
        ("`outcome` of an object", labels_of::<label::MoverOutcome>()),
        ("`outcome` of a swept item", labels_of::<label::SweepOutcome>()),
        ("`level`", labels_of::<label::ProofLevel>()),
        ("`state`", labels_of::<label::RangeState>()),
    ]
}

fn labels_of<L: Label>() -> Vec<&'static str> {
    L::VALUES.iter().map(|value| value.label()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rules() {
        for (index, metric) in ALL.iter().enumerate() {
            let name = metric.name;
            assert!(name.starts_with("bluebucket_") || name.starts_with("process_"), "{name}");
            assert_eq!(metric.kind == Kind::Counter, name.ends_with("_total"), "{name}");
            assert!(metric.help.ends_with('.'), "{name}");
            assert!(ALL[..index].iter().all(|earlier| earlier.name != name), "{name} twice");
        }
    }

    #[test]
    fn documentation_mirrors_the_catalogue() {
        let documented = include_str!("../docs/metrics.md");
        assert!(documented.contains(&markdown()), "src/docs/metrics.md should hold this table:\n{}", markdown());
        assert!(
            documented.contains(&label_markdown()),
            "src/docs/metrics.md should hold this list:\n{}",
            label_markdown()
        );
    }
}
