//! Many connections: idle ones, and ones on which heads come slowly or not at all.

use std::time::{Duration, Instant};

use futures::StreamExt;

use super::{assert_peak, depth, percentile};
use crate::harness::product::BUCKET;
use crate::harness::replica::{Replica, Store};
use crate::harness::s3_client::{Connection, RawRequest, S3Client};

/// Opens so many connections, each used once.
async fn open(client: &S3Client, request: &RawRequest, count: usize) -> Vec<Connection> {
    let opened = futures::stream::iter(0..count).map(|_| async {
        let mut connection = client.open().await.unwrap();
        let answer = connection.send(request).await.unwrap();
        assert_eq!((answer.status, answer.header("connection")), (200, None), "{}", answer.text());
        connection
    });
    opened.buffer_unordered(64).collect().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn ten_thousand_idle_connections() {
    let store = Store::start(&["--storage", "synthetic"]).await;
    let replica = Replica::start(&store, "idle_timeout = \"300s\"").await;
    let client = replica.client();
    client.put(BUCKET, "key", &[b'k'; 4096]).await.unwrap();
    let get = client.object("GET", BUCKET, "key").build();
    let mut idle = open(&client, &get, 10_000).await;
    assert_eq!(replica.metric("bluebucket_facade_connections").await, 10_000.0);
    assert_peak("10,000 idle connections", replica.peak_bytes(), 150);
    for connection in idle.iter_mut().step_by(10) {
        assert_eq!(connection.send(&get).await.unwrap().status, 200, "still open");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn slow_heads_disturb_nobody() {
    let store = Store::start(&["--storage", "synthetic"]).await;
    let replica = Replica::start(&store, "headers_timeout = \"4s\"").await;
    let client = replica.client();
    client.put(BUCKET, "key", &[b'k'; 4096]).await.unwrap();
    let get = client.object("GET", BUCKET, "key").build();
    let mut before = ask(&client, &get, 500).await;
    let mut slow = Vec::new();
    for _ in 0..depth(2_000, 5_000) {
        let mut connection = client.open().await.unwrap();
        connection.write(b"GET / HTTP/1.1\r\nhost: slow\r\n").await.unwrap();
        slow.push(connection);
    }
    let begun = Instant::now();
    let mut beside = Vec::new();
    while begun.elapsed() < Duration::from_secs(3) {
        // A byte each, now and then.
        for connection in &mut slow {
            let _ = connection.write(b"x").await;
        }
        beside.extend(ask(&client, &get, 50).await);
    }
    let (before, beside) = (percentile(&mut before, 0.5), percentile(&mut beside, 0.5));
    println!("median beside {} slow heads {beside:?}, without {before:?}", slow.len());
    // Far beyond what sharing two cores with the test costs.
    assert!(beside < 20 * before);
    tokio::time::sleep(Duration::from_secs(6)).await;
    let open = replica.metric("bluebucket_facade_connections").await;
    assert!(open < 10.0, "{open} connections are left");
    assert_peak("slow heads", replica.peak_bytes(), 100);
}

/// How long requests one after the other took, each of which has to be served.
pub async fn ask(client: &S3Client, request: &RawRequest, count: usize) -> Vec<Duration> {
    let mut took = Vec::new();
    let mut connection = client.open().await.unwrap();
    for _ in 0..count {
        let begun = Instant::now();
        let answer = connection.send(request).await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
        took.push(begun.elapsed());
    }
    took
}
