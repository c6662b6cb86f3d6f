//! The order of the columns where a list of the report is shown as a table: JSON knows none.

use serde_json::{Map, Value};

/// These come first, in this order; the others follow by name.
const FIRST: &[&str] = &[
    "bucket",
    "check",
    "component",
    "operation",
    "requests",
    "2xx",
    "3xx",
    "4xx",
    "5xx",
    "aborted",
    "blob_requests",
    "blob_requests_per_request",
    "received_bytes",
    "sent_bytes",
    "last_seen",
];

/// The names of the fields of a row, in the order in which they are shown.
pub fn columns(row: &Map<String, Value>) -> Vec<&str> {
    let mut names: Vec<&str> = row.keys().map(String::as_str).collect();
    names.sort_by_key(|name| (FIRST.iter().position(|first| first == name).unwrap_or(FIRST.len()), *name));
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_a_row_comes_first() {
        let row = serde_json::json!({"phase": 1, "last_seen": 2, "4xx": 3, "component": 4, "container": 5});
        assert_eq!(columns(row.as_object().unwrap()), ["component", "4xx", "last_seen", "container", "phase"]);
    }
}
