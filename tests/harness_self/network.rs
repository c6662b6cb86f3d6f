//! The fault proxy and the balancer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::harness::balancer::Balancer;
use crate::harness::fault_proxy::{Chances, Direction, FaultProxy, Gate, Plan};
use crate::harness::s3_client::S3Client;
use crate::harness::s3_source::{Access, Listening, S3Source};
use crate::harness::sigv4::Credentials;

async fn served() -> (S3Source, Listening) {
    let source = S3Source::new(1);
    source.set_access(Access::Anyone);
    source.put("b", "k", vec![b'x'; 100_000]);
    let listening = source.listen().await.unwrap();
    (source, listening)
}

fn client(address: std::net::SocketAddr) -> S3Client {
    S3Client::tcp(address, Credentials::new("a", "b"))
}

#[tokio::test]
async fn the_proxy_breaks_connections_where_told() {
    let (source, listening) = served().await;
    let proxy = FaultProxy::start(listening.address, 1).await.unwrap();
    let client = client(proxy.address);
    assert_eq!(client.get("b", "k").await.unwrap().body.len(), 100_000);

    proxy.plan_next(Plan::close(Direction::ToClient, 5_000));
    let cut = client.get("b", "k").await.unwrap();
    assert!(cut.cut && cut.body.len() < 5_000 && cut.body.len() > 4_000);
    proxy.plan_next(Plan::reset(Direction::ToClient, 0));
    assert!(client.get("b", "k").await.is_err());
    proxy.plan_next(Plan::close(Direction::ToServer, 50_000));
    assert!(client.put("b", "up", &[1; 100_000]).await.is_err());
    assert!(source.live("b", "up").is_none());

    proxy.plan_next(Plan::blackhole(Direction::ToClient, 100));
    let silent = tokio::time::timeout(Duration::from_millis(100), client.get("b", "k")).await;
    assert!(silent.is_err());
    proxy.plan_next(Plan { piece: Some(1_000), ..Plan::delay(Duration::from_millis(1)) });
    let began = std::time::Instant::now();
    assert_eq!(client.get("b", "k").await.unwrap().body.len(), 100_000);
    assert!(began.elapsed() > Duration::from_millis(100));

    for gate in [Gate::Refuse, Gate::Reset] {
        proxy.set_gate(gate);
        // The gate is closed by the proxy's own task.
        while client.get("b", "k").await.is_ok() {}
    }
    proxy.heal();
    while client.get("b", "k").await.is_err() {}
    let mut open = client.open().await.unwrap();
    let request = client.object("GET", "b", "k").build();
    assert_eq!(open.send(&request).await.unwrap().status, 200);
    proxy.cut_all();
    assert!(open.is_closed_within(Duration::from_secs(5)).await);
    assert!(proxy.traffic().to_client > 300_000 && proxy.traffic().broken >= 4);
}

#[tokio::test]
async fn chances_repeat_with_the_seed() {
    let (_source, listening) = served().await;
    let mut runs = Vec::new();
    for _ in 0..2 {
        let proxy = FaultProxy::start(listening.address, 42).await.unwrap();
        proxy.set_chances(Chances { close: 0.5, close_bytes_max: 200_000, ..Chances::default() });
        let mut outcomes = Vec::new();
        for _ in 0..30 {
            outcomes.push(client(proxy.address).get("b", "k").await.is_ok_and(|response| !response.cut));
        }
        runs.push(outcomes);
    }
    assert_eq!(runs[0], runs[1]);
    assert!(runs[0].contains(&true) && runs[0].contains(&false));
}

#[tokio::test]
async fn the_balancer_turns_and_heeds_readiness() {
    let (one, two) = (served().await, served().await);
    let balancer = Balancer::start().await.unwrap();
    let client = client(balancer.address);
    assert!(client.get("b", "k").await.is_err());
    let ready = Arc::new(AtomicBool::new(true));
    let asked = ready.clone();
    balancer.add(one.1.address, move || asked.load(Ordering::SeqCst));
    balancer.add(two.1.address, || true);
    for _ in 0..10 {
        assert_eq!(client.get("b", "k").await.unwrap().status, 200);
    }
    assert_eq!(balancer.taken(), [(one.1.address, 5), (two.1.address, 5)]);
    let mut open = client.open().await.unwrap();
    let request = client.object("GET", "b", "k").build();
    open.send(&request).await.unwrap();
    ready.store(false, Ordering::SeqCst);
    for _ in 0..4 {
        assert_eq!(client.get("b", "k").await.unwrap().status, 200);
    }
    assert_eq!(open.send(&request).await.unwrap().status, 200);
    let taken: usize = balancer.taken().iter().map(|(_, taken)| taken).sum();
    assert_eq!(taken, 15);
    assert!(one.0.count("GetObject").requests <= 7);
    balancer.remove(one.1.address);
    drop(one);
    assert_eq!(client.get("b", "k").await.unwrap().status, 200);
}
