//! What clients see when the account fails, when there is too much to do, and when the process ends.

#[path = "harness/harness.rs"]
mod harness;

use std::time::{Duration, Instant};

use bluebucket::admin::{Admin, Readiness, Status};
use bluebucket::blob::Credential;
use bluebucket::blob::auth::Sas;
use bluebucket::daemon::AdminServer;
use bluebucket::emulator::{DEVELOPMENT_ACCOUNT, Fault, Operation, Throttle, Trigger};
use harness::product::{BUCKET, CONTAINER, Product, Setup};
use harness::s3_client::{BodyMode, Response, S3Client};

const BEFORE: &[u8] = b"the version before";

async fn product() -> Product {
    let product = Product::start().await;
    assert_eq!(product.client().put(BUCKET, "key", BEFORE).await.unwrap().status, 200);
    product
}

fn assert_answer(answer: &Response, status: u16, code: &str, context: &str) {
    assert_eq!((answer.status, answer.code().as_deref()), (status, Some(code)), "{context}: {}", answer.text());
    for secret in [DEVELOPMENT_ACCOUNT, CONTAINER, "127.0.0.1", "sig="] {
        let told = answer.text();
        assert!(!told.contains(secret), "{context} tells {secret}: {told}");
    }
}

/// Below and above what is buffered.
fn bodies() -> [Vec<u8>; 2] {
    [vec![1; 1000], vec![2; 2_500_000]]
}

async fn in_flight(product: &Product, count: i64) {
    for _ in 0..2_000 {
        if product.metrics.facade.in_flight() == count {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("{} in flight instead of {count}", product.metrics.facade.in_flight());
}

#[tokio::test]
async fn a_throttled_account_is_slow_down() {
    let product = product().await;
    let client = product.client();
    let throttled = Fault::Throttle { text: Throttle::Operations, retry_after: None };
    for operation in [Operation::GetBlob, Operation::GetBlobProperties, Operation::PutBlob, Operation::ListBlobs] {
        product.fail_always(operation, throttled);
    }
    for (context, answer) in [
        ("get", client.get(BUCKET, "key").await.unwrap()),
        ("put", client.put(BUCKET, "key", b"new").await.unwrap()),
        ("long put", client.put(BUCKET, "key", &bodies()[1]).await.unwrap()),
        ("list", client.list(BUCKET, "").await.unwrap()),
    ] {
        assert_answer(&answer, 503, "SlowDown", context);
        assert!(answer.header("retry-after").is_some(), "{context}");
    }
    let head = client.head(BUCKET, "key").await.unwrap();
    assert_eq!((head.status, head.body.len()), (503, 0));
    product.heal();
    // A short throttling is not seen at all.
    for operation in [Operation::GetBlob, Operation::PutBlob] {
        product.fail(operation, Trigger::Next { skip: 0, times: 2 }, throttled);
    }
    assert_eq!(client.put(BUCKET, "key", b"new").await.unwrap().status, 200);
    assert_eq!(client.get(BUCKET, "key").await.unwrap().body, b"new");
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_found_again() {
    let product = product().await;
    let client = product.client();
    for fault in [Fault::ResponseLost, Fault::TimeoutAfter] {
        for body in bodies() {
            for condition in [false, true] {
                let key = format!("{fault:?}{}{condition}", body.len());
                let before = product.seen();
                product.emulator.next_fault(Operation::PutBlob, fault);
                let request = client.object("PUT", BUCKET, &key).body(&body, BodyMode::Signed);
                let request = if condition { request.header("if-none-match", "*") } else { request };
                let put = client.send(&request.build()).await.unwrap();
                assert_eq!(put.status, 200, "{key}: {}", put.text());
                let got = client.get(BUCKET, &key).await.unwrap();
                assert!(got.body == body && got.header("etag") == put.header("etag"), "{key}");
                assert_eq!(product.commits_since(&before).len(), 1, "{key}");
            }
        }
    }
    for fault in [Fault::TimeoutBefore, Fault::ConnectionLost] {
        for body in bodies() {
            product.fail_always(Operation::PutBlob, fault);
            let put = client.put(BUCKET, "key", &body).await.unwrap();
            assert!(matches!(put.status, 500 | 503), "{fault:?}: {} {}", put.status, put.text());
            product.heal();
            assert_eq!(client.get(BUCKET, "key").await.unwrap().body, BEFORE, "{fault:?}");
        }
    }
}

#[tokio::test]
async fn a_complete_whose_answers_are_lost_is_done_once() {
    let product = product().await;
    let client = product.client();
    for operation in [Operation::PutBlockList, Operation::PutBlob, Operation::PutBlockFromUrl] {
        for fault in [Fault::ResponseLost, Fault::TimeoutAfter, Fault::ConnectionLost] {
            let context = format!("{operation:?} {fault:?}");
            let created =
                client.send(&client.request("POST", &format!("/{BUCKET}/multi?uploads")).build()).await.unwrap();
            let target = format!("/{BUCKET}/multi?uploadId={}", created.element("UploadId").unwrap());
            let part = client.request("PUT", &format!("{target}&partNumber=1")).body(b"part", BodyMode::Signed);
            let etag = client.send(&part.build()).await.unwrap().etag().unwrap().to_owned();
            let document = format!(
                "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
            );
            product.emulator.next_fault(operation, fault);
            let complete = client.request("POST", &target).body(document.as_bytes(), BodyMode::Signed);
            // A client tries again after an honest 5xx.
            let mut answer = client.send(&complete.build()).await.unwrap();
            if answer.status >= 500 {
                answer = client.send(&complete.build()).await.unwrap();
            }
            assert_eq!(answer.status, 200, "{context}: {}", answer.text());
            assert_eq!(client.get(BUCKET, "multi").await.unwrap().body, b"part", "{context}");
            product.heal();
        }
    }
}

#[tokio::test]
async fn a_read_that_breaks_is_resumed_or_seen_to_be_broken() {
    let product = product().await;
    let client = product.client();
    let content: Vec<u8> = (0..1_000_000_u32).map(|index| (index / 7) as u8).collect();
    client.put(BUCKET, "long", &content).await.unwrap();
    product.emulator.next_fault(Operation::GetBlob, Fault::ResetBody { after: 300_000 });
    let got = client.get(BUCKET, "long").await.unwrap();
    assert!(got.status == 200 && !got.cut && got.body == content);
    product.fail_always(Operation::GetBlob, Fault::ResetBody { after: 0 });
    if let Ok(got) = client.get(BUCKET, "long").await {
        assert!(got.cut || got.status >= 500, "a short body passed for the whole: {}", got.body.len());
    }
}

#[tokio::test]
async fn our_own_credential_is_no_fault_of_the_client() {
    let product = product().await;
    let client = product.client();
    product.fail_always(Operation::GetBlob, Fault::TokenExpired);
    assert_answer(&client.get(BUCKET, "key").await.unwrap(), 503, "ServiceUnavailable", "expired");
    product.fail_always(Operation::PutBlob, Fault::TokenExpired);
    assert_answer(&client.put(BUCKET, "key", b"new").await.unwrap(), 503, "ServiceUnavailable", "expired");

    // A role that may read and not write.
    let sas = product.emulator.container_sas(DEVELOPMENT_ACCOUNT, CONTAINER, "r", Duration::from_secs(60)).unwrap();
    let setup = Setup { credential: Some(Credential::Sas(Sas::new(&sas).unwrap())), ..Setup::default() };
    product.heal();
    let weak = Product::in_front_of(product.emulator.clone(), product.store_address, setup);
    assert_eq!(weak.client().get(BUCKET, "key").await.unwrap().body, BEFORE);
    let put = weak.client().put(BUCKET, "key", b"new").await.unwrap();
    assert_answer(&put, 403, "AccessDenied", "may not write");
    assert_eq!(product.client().get(BUCKET, "key").await.unwrap().body, BEFORE);
}

#[tokio::test]
async fn an_account_out_of_reach_is_answered_in_bounded_time() {
    let nobody = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let refused = Product::with(Setup { store_address: Some(nobody), ..Setup::default() }).await;
    let silent = Product::with(Setup { store_timeout: Duration::from_millis(300), ..Setup::default() }).await;
    for operation in Operation::ALL {
        silent.fail_always(*operation, Fault::Latency(Duration::from_secs(60)));
    }
    let overdue = Product::with(Setup { request_timeout: Duration::from_millis(300), ..Setup::default() }).await;
    for operation in Operation::ALL {
        overdue.fail_always(*operation, Fault::Latency(Duration::from_secs(60)));
    }
    for (context, product) in [("refused", &refused), ("silent", &silent), ("overdue", &overdue)] {
        let client = product.client();
        let begun = Instant::now();
        assert_answer(&client.get(BUCKET, "key").await.unwrap(), 503, "ServiceUnavailable", context);
        assert_answer(&client.list(BUCKET, "").await.unwrap(), 503, "ServiceUnavailable", context);
        for body in bodies() {
            // It may have landed: an honest 500.
            assert_answer(&client.put(BUCKET, "key", &body).await.unwrap(), 500, "InternalError", context);
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{context}: {:?}", begun.elapsed());
    }
}

fn slow_get(client: &S3Client) -> tokio::task::JoinHandle<std::io::Result<Response>> {
    let client = client.clone();
    tokio::spawn(async move { client.get(BUCKET, "key").await })
}

#[tokio::test]
async fn too_many_requests_are_turned_away_quickly() {
    let product = Product::with(Setup { in_flight_max: 4, ..Setup::default() }).await;
    let client = product.client();
    client.put(BUCKET, "key", &vec![7; 16_000]).await.unwrap();
    let readiness = Readiness::default();
    let admin = Admin::new(product.metrics.clone(), readiness, Status::default());
    let admin = AdminServer::start("127.0.0.1:0".parse().unwrap(), admin).unwrap();
    let slow_body = Fault::SlowBody { piece: 4_000, pause: Duration::from_millis(400) };
    for fault in [Fault::Latency(Duration::from_millis(1_500)), slow_body] {
        product.fail_always(Operation::GetBlob, fault);
        let running: Vec<_> = (0..4).map(|_| slow_get(&client)).collect();
        in_flight(&product, 4).await;
        // A short answer that has begun keeps its place until its end.
        tokio::time::sleep(Duration::from_millis(100)).await;
        let begun = Instant::now();
        for _ in 0..10 {
            let shed = client.get(BUCKET, "key").await.unwrap();
            assert_answer(&shed, 503, "SlowDown", "shed");
            assert!(shed.header("retry-after").is_some());
        }
        let health = S3Client::tcp(admin.address, harness::sigv4::Credentials::new("", ""));
        let answer = health.send(&health.request("GET", "/healthz").anonymous().build()).await.unwrap();
        assert_eq!(answer.status, 200);
        assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
        for request in running {
            assert_eq!(request.await.unwrap().unwrap().status, 200);
        }
        product.heal();
        in_flight(&product, 0).await;
        assert_eq!(client.get(BUCKET, "key").await.unwrap().status, 200);
    }
}

#[tokio::test]
async fn a_drain_finishes_what_is_in_flight() {
    let mut product = product().await;
    let client = product.client();
    product.fail_always(Operation::GetBlob, Fault::Latency(Duration::from_millis(500)));
    let running = slow_get(&client);
    in_flight(&product, 1).await;
    product.drain();
    let answer = running.await.unwrap().unwrap();
    assert_eq!((answer.status, answer.body.as_slice()), (200, BEFORE));
    assert_eq!(answer.header("connection"), Some("close"));
    tokio::time::timeout(Duration::from_secs(5), product.finished()).await.unwrap();
    assert!(client.get(BUCKET, "key").await.is_err(), "the entrance is still open");
}
