//! What a replica shows its operators.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::product::{BUCKET, SECRET};
use crate::harness::replica::{Replica, Store, client_of, status_of_process};
use crate::harness::sigv4::Credentials;

#[tokio::test]
async fn status_shows_what_each_component_did() {
    let store = Store::start(&[]).await;
    let replica = Replica::start(&store, "threads = 2").await;

    let before = status(&replica, 0).await;
    let rows = before["components"].as_array().unwrap();
    assert_eq!(rows.len(), 1, "nobody unknown has come: {rows:?}");
    let shown = [&rows[0]["component"], &rows[0]["requests"], &rows[0]["last_seen"]];
    assert_eq!(shown, [&json!("tests"), &json!(0), &json!("never")]);
    assert_eq!(before["components_by_operation"], json!([]));

    let client = replica.client();
    client.put(BUCKET, "key", b"0123456789").await.unwrap();
    client.get(BUCKET, "key").await.unwrap();
    client.get(BUCKET, "none").await.unwrap();
    let stranger = client_of(replica.address).with_credentials(Credentials::new("AKNOBODY", SECRET));
    assert_eq!(stranger.get(BUCKET, "key").await.unwrap().status, 403);

    let after = status(&replica, 4).await;
    let rows = after["components"].as_array().unwrap();
    let of = |name: &str| rows.iter().find(|row| row["component"] == name).unwrap();
    let tests = of("tests");
    for (column, value) in
        [("requests", 3), ("2xx", 2), ("4xx", 1), ("5xx", 0), ("received_bytes", 10), ("blob_requests", 3)]
    {
        assert_eq!(tests[column], value, "{column}: {tests}");
    }
    assert_eq!(tests["blob_requests_per_request"], 1.0);
    assert!(tests["last_seen"].as_str().unwrap().ends_with("s ago"), "{tests}");
    assert_eq!((&of("unknown")["4xx"], &of("unknown")["blob_requests"]), (&json!(1), &json!(0)));
    let operations = after["components_by_operation"].as_array().unwrap();
    let reads = operations.iter().find(|row| row["operation"] == "get_object").unwrap();
    assert_eq!((&reads["requests"], &reads["4xx"], &reads["blob_requests"]), (&json!(2), &json!(1), &json!(2)));

    let (_, page) = replica.admin_page("/").await.unwrap();
    assert!(page.contains("<h2>components</h2>") && page.contains("<th>blob requests per request</th>"), "{page}");
    let printed = status_of_process(replica.admin).await;
    let heading = printed.lines().find(|line| line.trim_start().starts_with("component  requests")).unwrap();
    assert!(heading.ends_with("last seen"), "{printed}");
    assert!(printed.lines().any(|line| line.contains("tests") && line.contains("put_object")), "{printed}");
}

/// The report, once so many requests have ended: an answer counts when its last byte has gone.
async fn status(replica: &Replica, requests: u64) -> Value {
    for _ in 0..1000 {
        let report: Value = serde_json::from_str(&replica.admin_page("/status").await.unwrap().1).unwrap();
        let ended = report["components"].as_array().unwrap().iter().map(|row| row["requests"].as_u64().unwrap());
        if ended.sum::<u64>() == requests {
            return report;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("not {requests} requests: {}", replica.admin_page("/status").await.unwrap().1);
}
