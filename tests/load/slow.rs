//! Clients that send or take slowly: they hold memory in bounds, and no place that others need.

use std::time::{Duration, Instant};

use super::connections::ask;
use super::{MIB, assert_peak, depth, percentile};
use crate::harness::product::{BUCKET, Product, Setup};
use crate::harness::replica::{Replica, Store};
use crate::harness::s3_client::{BodyMode, Connection, RawRequest, Response, S3Client};

/// A request, and how much of it is sent before its client falls silent.
struct Silent {
    name: &'static str,
    request: RawRequest,
    body_sent: usize,
}

fn silent_ones(client: &S3Client) -> Vec<Silent> {
    let object = |method: &str, key: &str| client.object(method, BUCKET, key);
    let chunked = BodyMode::ChunkedSigned { chunk: 64 * 1024 };
    let document = client.request("POST", &format!("/{BUCKET}?delete")).body(&[b'd'; 500], BodyMode::Unsigned);
    vec![
        Silent { name: "takes nothing of a long answer", request: object("GET", "long").build(), body_sent: 0 },
        Silent {
            name: "sends half of a short body",
            request: object("PUT", "short").body(&[b's'; 1000], BodyMode::Unsigned).build(),
            body_sent: 500,
        },
        Silent {
            name: "sends nothing of a body in chunks",
            request: object("PUT", "none").body(b"", chunked).build(),
            body_sent: 10,
        },
        Silent {
            name: "sends half of a long body",
            request: object("PUT", "long-put").body(&[b'p'; 2_000_000], BodyMode::Unsigned).build(),
            body_sent: 1_000_000,
        },
        Silent { name: "sends half of a document", request: document.build(), body_sent: 250 },
    ]
}

async fn begin(client: &S3Client, silent: &Silent) -> Connection {
    let mut connection = client.open().await.unwrap();
    connection.write(&silent.request.head_bytes()).await.unwrap();
    connection.write(&silent.request.body[..silent.body_sent]).await.unwrap();
    connection
}

/// Waits until that many requests are in flight.
async fn in_flight(product: &Product, count: i64) {
    let begun = Instant::now();
    while product.metrics.facade.in_flight() != count {
        assert!(begun.elapsed() < Duration::from_secs(20), "{} in flight", product.metrics.facade.in_flight());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn whoever_waits_for_a_client_holds_no_place() {
    let product = Product::with(Setup { in_flight_max: 2, ..Setup::default() }).await;
    let client = product.client();
    client.put(BUCKET, "key", b"value").await.unwrap();
    client.put(BUCKET, "long", &vec![b'l'; 20_000_000]).await.unwrap();
    for silent in silent_ones(&client) {
        let mut held = Vec::new();
        for _ in 0..6 {
            held.push(begin(&client, &silent).await);
            // Each begins with a place; it is there again as soon as the client has to be waited for.
            in_flight(&product, held.len() as i64).await;
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
        let served = client.get(BUCKET, "key").await.unwrap();
        assert_eq!((served.status, served.body.as_slice()), (200, &b"value"[..]), "beside one that {}", silent.name);
        drop(held);
        in_flight(&product, 0).await;
    }
}

#[tokio::test]
async fn slow_clients_are_served_to_their_end() {
    let product = Product::with(Setup { in_flight_max: 2, ..Setup::default() }).await;
    let client = product.client();
    let long = vec![b'l'; 5_000_000];
    client.put(BUCKET, "long", &long).await.unwrap();
    let mut reader = client.open().await.unwrap();
    let get = client.object("GET", BUCKET, "long").build();
    reader.write(&get.to_bytes()).await.unwrap();
    let mut writers = Vec::new();
    for size in [1_000, 900_000, 3_000_000] {
        let body = vec![b'w'; size];
        let put = client.object("PUT", BUCKET, &format!("put-{size}")).body(&body, BodyMode::Signed).build();
        let mut connection = client.open().await.unwrap();
        connection.write(&put.head_bytes()).await.unwrap();
        writers.push((connection, put));
    }
    for piece in 0..4 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        for (connection, put) in &mut writers {
            let quarter = put.body.len() / 4;
            connection.write(&put.body[piece * quarter..(piece + 1) * quarter]).await.unwrap();
        }
    }
    for (mut connection, put) in writers {
        let answer = connection.read("PUT").await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(client.send(&client.request("GET", &put.target).build()).await.unwrap().body, put.body);
    }
    assert!(reader.read("GET").await.unwrap().body == long);
}

/// Streams give up their places only for memory of the budget: without any, they are counted by places.
#[tokio::test]
async fn streams_are_bounded_too() {
    let product = Product::with(Setup { in_flight_max: 3, byte_budget: 300 * 1024, ..Setup::default() }).await;
    let client = product.client();
    client.put(BUCKET, "long", &vec![b'l'; 20_000_000]).await.unwrap();
    let get = Silent { name: "", request: client.object("GET", BUCKET, "long").build(), body_sent: 0 };
    let mut held = Vec::new();
    for count in 1..=3 {
        held.push(begin(&client, &get).await);
        in_flight(&product, count).await;
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    let refused: Response = client.get(BUCKET, "long").await.unwrap();
    assert_eq!((refused.status, refused.code().as_deref()), (503, Some("SlowDown")));
    drop(held);
    in_flight(&product, 0).await;
    assert_eq!(client.get(BUCKET, "long").await.unwrap().body.len(), 20_000_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn a_thousand_slow_streams() {
    let store =
        Store::start(&["--storage", "synthetic", "--content-md5", "omit", "--fill", "flink/long-:1:67108864"]).await;
    let replica = Replica::start(&store, "max_in_flight = 256\nbyte_budget = \"1GiB\"").await;
    let client = replica.client();
    client.put(BUCKET, "key", &[b'k'; 4096]).await.unwrap();
    let small = client.object("GET", BUCKET, "key").build();
    let mut before = ask(&client, &small, 200).await;
    let until = Instant::now() + Duration::from_secs(depth(20, 300));
    let mut streams = tokio::task::JoinSet::new();
    for number in 0..1000 {
        // All at once would be a flood, which is another test.
        tokio::time::sleep(Duration::from_millis(3)).await;
        match number % 2 {
            0 => streams.spawn(slow_get(client.clone(), until)),
            _ => streams.spawn(slow_put(client.clone(), number, until)),
        };
    }
    let mut beside = ask(&client, &small, 200).await;
    assert_eq!(replica.metric("bluebucket_facade_in_flight_requests").await, 1000.0);
    let moved: u64 = streams.join_all().await.into_iter().sum();
    let (before, beside) = (percentile(&mut before, 0.5), percentile(&mut beside, 0.5));
    println!("{} MiB moved; median of small requests {beside:?} beside them, {before:?} without", moved / MIB);
    assert_peak("1,000 slow streams", replica.peak_bytes(), 300);
}

const SLOW_RATE: u64 = 100 * 1024;

/// Takes an answer of 64 MiB slowly until it is time to go; says how much came.
async fn slow_get(client: S3Client, until: Instant) -> u64 {
    let mut connection = client.open().await.unwrap();
    connection.write(&client.object("GET", BUCKET, "long-0000000000").build().to_bytes()).await.unwrap();
    let mut taken = 0;
    while Instant::now() < until {
        taken += connection.take(SLOW_RATE / 4).await.expect("the answer goes on");
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    taken
}

/// Sends a body of 64 MiB slowly until it is time to go; says how much went.
async fn slow_put(client: S3Client, number: usize, until: Instant) -> u64 {
    let mut connection = client.open().await.unwrap();
    let request = client.object("PUT", BUCKET, &format!("slow-{number}")).body(b"", BodyMode::Unsigned);
    let request = request.header("content-length", &(64 * MIB).to_string()).build();
    connection.write(&request.head_bytes()).await.unwrap();
    let piece = [b's'; SLOW_RATE as usize / 4];
    let mut sent = 0;
    while Instant::now() < until {
        connection.write(&piece).await.expect("the body is taken");
        sent += piece.len() as u64;
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    sent
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn five_uploads_of_a_hundred_megabytes() {
    let store = Store::start(&["--storage", "synthetic", "--content-md5", "omit"]).await;
    let replica = Replica::start(&store, "").await;
    let client = replica.client();
    let size: u64 = 100_000_000;
    let uploads: Vec<_> = (0..5).map(|number| tokio::spawn(upload(client.clone(), number, size))).collect();
    for upload in uploads {
        upload.await.unwrap();
    }
    assert_peak("five uploads of 100 MB at once", replica.peak_bytes(), 64);
    let listed = client.list(BUCKET, "prefix=upload-").await.unwrap();
    assert_eq!(listed.elements("Size"), vec![size.to_string(); 5]);
}

async fn upload(client: S3Client, number: u32, size: u64) {
    let request = client.object("PUT", BUCKET, &format!("upload-{number}")).body(b"", BodyMode::Unsigned);
    let request = request.header("content-length", &size.to_string()).build();
    let mut connection = client.open().await.unwrap();
    connection.write(&request.head_bytes()).await.unwrap();
    let piece = vec![b'u'; 1_000_000];
    for _ in 0..size / piece.len() as u64 {
        connection.write(&piece).await.unwrap();
    }
    assert_eq!(connection.read("PUT").await.unwrap().status, 200);
}
