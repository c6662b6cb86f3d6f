//! Four times as many requests as the places of `max_in_flight` let through.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::{depth, percentile};
use crate::harness::product::BUCKET;
use crate::harness::random::{Random, seed};
use crate::harness::replica::{Replica, Store, client_of};
use crate::harness::s3_client::{BodyMode, Connection, RawRequest, S3Client};

const PLACES: u32 = 32;
/// Connections of the flood: so many that each is done with one request before its next is due.
const FLOOD: u32 = 8 * PLACES;

/// How long requests took, by what they were answered.
#[derive(Default)]
struct Answers {
    served: Vec<Duration>,
    refused: Vec<Duration>,
    /// Anything else.
    wrong: Vec<String>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn overload_is_shed_and_goodput_stays() {
    let seed = seed("overload");
    let store = Store::start(&["--latency", "50"]).await;
    let replica = Arc::new(Replica::start(&store, &format!("max_in_flight = {PLACES}")).await);
    let time = Duration::from_secs(depth(5, 30));

    let mut calm = load(replica.address, 1, None, time, seed).await;
    let peak = load(replica.address, PLACES, None, time, seed).await;
    assert!(peak.wrong.is_empty() && peak.refused.is_empty(), "{:?}", peak.wrong.first());
    let capacity = peak.goodput(time);

    let stop = Arc::new(AtomicBool::new(false));
    let health = tokio::spawn(ask_health(replica.clone(), stop.clone()));
    let mut flood = load(replica.address, FLOOD, Some(4.0 * capacity), time, seed).await;
    stop.store(true, Ordering::Relaxed);
    let mut health = health.await.unwrap();

    let (goodput, asked) = (flood.goodput(time), (flood.served.len() + flood.refused.len()) as f64);
    println!("capacity {capacity:.0}/s, asked for {:.1} times as much", asked / time.as_secs_f64() / capacity);
    println!("goodput {goodput:.0}/s, {:.0} % of the peak", 100.0 * goodput / capacity);
    let (calm, served) = (percentile(&mut calm.served, 0.99), percentile(&mut flood.served, 0.99));
    let (refused, health) = (percentile(&mut flood.refused, 0.99), percentile(&mut health, 0.99));
    println!("p99: unloaded {calm:?}, served {served:?}, refused {refused:?}, health and metrics {health:?}");
    assert!(flood.wrong.is_empty(), "{} as {:?}", flood.wrong.len(), flood.wrong.first());
    assert!(asked >= 3.0 * capacity * time.as_secs_f64(), "the flood was none");
    assert!(goodput >= 0.8 * capacity);
    assert!(served <= 3 * calm);
    assert!(refused < Duration::from_millis(50));
    assert!(health < Duration::from_millis(100));
    let shed = replica.metric("bluebucket_facade_shed_requests_total{reason=\"in_flight\"}").await;
    assert_eq!(shed, flood.refused.len() as f64);
}

/// Requests on `connections` for `time`: one after the other, or `rate` in a second over all of them,
/// whether or not the ones before were answered quickly.
async fn load(address: SocketAddr, connections: u32, rate: Option<f64>, time: Duration, seed: u64) -> Answers {
    let client = client_of(address);
    let body = [b'k'; 4096];
    assert_eq!(client.put(BUCKET, "key", &body).await.unwrap().status, 200);
    let get = client.object("GET", BUCKET, "key").build();
    let put = client.object("PUT", BUCKET, "key").body(&body, BodyMode::Signed).build();
    let requests = Arc::new([get, put]);
    let period = rate.map(|rate| Duration::from_secs_f64(f64::from(connections) / rate));
    let mut random = Random::new(seed);
    let running: Vec<_> = (0..connections)
        .map(|_| {
            let phase = period.map_or(Duration::ZERO, |period| period.mul_f64((random.next() % 1000) as f64 / 1000.0));
            let (client, requests, first) = (client.clone(), requests.clone(), random.next() as usize);
            tokio::spawn(async move {
                one_connection(&client, &requests, first, Instant::now() + phase, period, time).await
            })
        })
        .collect();
    let mut all = Answers::default();
    for connection in running {
        all.take(connection.await.unwrap());
    }
    all
}

async fn one_connection(
    client: &S3Client,
    requests: &[RawRequest; 2],
    first: usize,
    begin: Instant,
    period: Option<Duration>,
    time: Duration,
) -> Answers {
    let mut answers = Answers::default();
    let mut connection = None;
    for number in 0_u32.. {
        if let Some(period) = period {
            tokio::time::sleep_until((begin + period * number).into()).await;
        }
        if begin.elapsed() >= time {
            break;
        }
        let request = &requests[first.wrapping_add(number as usize) % 2];
        answers.ask(client, &mut connection, request).await;
    }
    answers
}

impl Answers {
    async fn ask(&mut self, client: &S3Client, kept: &mut Option<Connection>, request: &RawRequest) {
        let sent = Instant::now();
        let answer = async {
            let mut connection = match kept.take() {
                Some(connection) => connection,
                None => client.open().await?,
            };
            let answer = connection.send(request).await?;
            if answer.header("connection") != Some("close") {
                *kept = Some(connection);
            }
            std::io::Result::Ok(answer)
        };
        match answer.await {
            Ok(answer) if answer.status == 200 && !answer.cut => self.served.push(sent.elapsed()),
            Ok(answer) if answer.code().as_deref() == Some("SlowDown") && answer.header("retry-after").is_some() => {
                self.refused.push(sent.elapsed());
            }
            Ok(answer) => self.wrong.push(format!("{} {}", answer.status, answer.text())),
            Err(error) => self.wrong.push(error.to_string()),
        }
    }

    fn take(&mut self, other: Self) {
        self.served.extend(other.served);
        self.refused.extend(other.refused);
        self.wrong.extend(other.wrong);
    }

    /// Requests served in a second.
    fn goodput(&self, time: Duration) -> f64 {
        self.served.len() as f64 / time.as_secs_f64()
    }
}

/// How long health and metrics took, asked in turns until told to stop.
async fn ask_health(replica: Arc<Replica>, stop: Arc<AtomicBool>) -> Vec<Duration> {
    let mut took = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        for path in ["/healthz", "/metrics"] {
            let begun = Instant::now();
            assert_eq!(replica.admin_page(path).await.unwrap().0, 200);
            took.push(begun.elapsed());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    took
}
