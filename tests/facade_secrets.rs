//! Nothing that is secret reaches the log, at the most talkative level, nor the metrics.

#[path = "harness/harness.rs"]
mod harness;

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use bluebucket::emulator::{DEVELOPMENT_KEY, Fault, Operation};
use bluebucket::facade::SealingKeys;
use harness::product::{ACCESS_KEY, BUCKET, Product, SECRET};
use harness::s3_client::BodyMode;
use harness::sigv4::Credentials;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn logs_and_metrics_hold_no_secrets() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .init();

    let product = Product::start().await;
    let client = product.client();
    let mut signatures = Vec::new();
    for mode in BodyMode::ALL {
        for spoiled in [false, true] {
            let mut request = client.object("PUT", BUCKET, "key").body(b"content", mode).build();
            if spoiled {
                request.spoil_signature();
            }
            let authorization = request.header("authorization").unwrap();
            signatures.push(authorization.split_once("Signature=").unwrap().1.to_owned());
            client.send(&request).await.unwrap();
        }
    }
    for (expires, skew) in [(60, 0), (60, -3_600)] {
        let request = client.object("GET", BUCKET, "key").presigned(expires).skewed(skew).build();
        signatures.push(request.target.split_once("X-Amz-Signature=").unwrap().1.to_owned());
        client.send(&request).await.unwrap();
    }
    let token = Credentials { session_token: Some("canary-token".into()), ..Credentials::new(ACCESS_KEY, SECRET) };
    let with_token = client.with_credentials(token);
    with_token.get(BUCKET, "key").await.unwrap();
    with_token.send(&with_token.object("GET", BUCKET, "key").presigned(60).build()).await.unwrap();
    let session = session(&product).await;
    client.with_credentials(session.clone()).get(BUCKET, "key").await.unwrap();
    for fault in [Fault::TokenExpired, Fault::ConnectionLost, Fault::TimeoutBefore] {
        product.fail_always(Operation::GetBlob, fault);
        product.fail_always(Operation::PutBlob, fault);
        client.get(BUCKET, "key").await.unwrap();
        client.put(BUCKET, "key", b"new").await.unwrap();
        product.heal();
    }

    let text = String::from_utf8_lossy(&log.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned();
    assert!(text.contains("request failed") && text.contains("request refused"), "nothing was logged:\n{text}");
    let metrics = product.metrics.render();
    let secrets = [SECRET, DEVELOPMENT_KEY, "canary-token", "SharedKey devstoreaccount1:"];
    let given = [session.secret_key.as_str(), session.session_token.as_deref().unwrap()];
    for secret in secrets.into_iter().chain(given).chain(signatures.iter().map(String::as_str)) {
        assert!(!text.contains(secret), "the log holds {secret}");
        assert!(!metrics.contains(secret), "the metrics hold {secret}");
    }
    assert!(!metrics.contains("/key") && !metrics.contains("devstoreaccount1"), "{metrics}");
}

/// Temporary credentials of the first key pair.
async fn session(product: &Product) -> Credentials {
    product.keys.replace_sealing(SealingKeys::new([[7; 32]]));
    let asking = Credentials { service: "sts", ..Credentials::new(ACCESS_KEY, SECRET) };
    let client = product.client().with_credentials(asking);
    let request = client
        .request("POST", "/")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(b"Action=AssumeRole&Version=2011-06-15&RoleSessionName=session", BodyMode::Signed);
    let answer = client.send(&request.build()).await.unwrap();
    let text = |name| answer.element(name).unwrap_or_else(|| panic!("{}", answer.text()));
    let session_token = Some(text("SessionToken"));
    Credentials { session_token, ..Credentials::new(&text("AccessKeyId"), &text("SecretAccessKey")) }
}
