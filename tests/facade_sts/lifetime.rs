//! How long a session lives: until it expires, its sealing key goes, or its key pair does.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use bluebucket::facade::{AccessKey, BucketScope, Clock, Rule, Rules, SealingKeys, Verbs};
use bluebucket::object::Timestamp;
use bluebucket::telemetry::Secret;

use crate::harness::product::{ACCESS_KEY, ALL_VERBS, Product, SECRET, Setup};
use crate::harness::s3_client::Response;
use crate::harness::sigv4::Credentials;
use crate::{
    BUCKET, KEY, TABLE_POLICY, assert_refused, assume_role, credentials, credentials_of, product, sts, table, with,
};

/// A clock that a test puts forward.
fn clock() -> (Arc<AtomicI64>, Clock) {
    let ahead = Arc::new(AtomicI64::new(0));
    let read = ahead.clone();
    (ahead, Arc::new(move || Timestamp(Timestamp::now().0 + read.load(Ordering::SeqCst))))
}

#[tokio::test]
async fn a_session_expires_to_the_second() {
    let (ahead, clock) = clock();
    let product = with(Setup { clock: Some(clock), ..Setup::default() }).await;
    product.client().put(BUCKET, "ns/table/data", b"x").await.unwrap();
    let client = sts(&product);
    let request = assume_role(&client, &[("Policy", TABLE_POLICY), ("DurationSeconds", "900")]).build();
    let session = credentials_of(&client.send(&request).await.unwrap());
    let table = product.client().with_credentials(session.clone());
    // Clients sign by the same clock.
    for (seconds, lives) in [(0, true), (880, true), (901, false), (90_000, false)] {
        ahead.store(seconds, Ordering::SeqCst);
        let header = table.object("GET", BUCKET, "ns/table/data").skewed(seconds).build();
        let url = table.object("GET", BUCKET, "ns/table/data").skewed(seconds).presigned(600_000).build();
        for request in [header, url] {
            let before = product.seen();
            let answer = table.send(&request).await.unwrap();
            if lives {
                assert_eq!(answer.status, 200, "{seconds} s: {}", answer.text());
            } else {
                assert_refused(&answer, 400, "ExpiredToken", &format!("{seconds} s"));
                product.assert_no_call_since(&before, "expired");
            }
        }
    }
    // A URL that was signed while the session lived ends with it, however long it says to be valid.
    ahead.store(0, Ordering::SeqCst);
    let url = table.object("GET", BUCKET, "ns/table/data").presigned(600_000).build();
    assert_eq!(table.send(&url).await.unwrap().status, 200);
    ahead.store(901, Ordering::SeqCst);
    assert_refused(&table.send(&url).await.unwrap(), 400, "ExpiredToken", "url");
    let asking = client.with_credentials(Credentials { service: "sts", ..session });
    let answer = client.send(&assume_role(&asking, &[]).skewed(901).build()).await.unwrap();
    assert_refused(&answer, 403, "ExpiredToken", "at the token service");
}

#[tokio::test]
async fn sealing_keys_rotate() {
    let product = product().await;
    product.client().put(BUCKET, "ns/table/data", b"x").await.unwrap();
    let old = table(&product).await;
    product.keys.replace_sealing(SealingKeys::new([[9; 32], KEY]));
    let new = table(&product).await;
    for session in [&old, &new] {
        assert_eq!(session.get(BUCKET, "ns/table/data").await.unwrap().status, 200);
    }
    product.keys.replace_sealing(SealingKeys::new([[9; 32]]));
    assert_refused(
        &old.get(BUCKET, "ns/table/data").await.unwrap(),
        400,
        "InvalidToken",
        "sealed with a key that is gone",
    );
    assert_eq!(new.get(BUCKET, "ns/table/data").await.unwrap().status, 200);
    product.keys.replace_sealing(SealingKeys::default());
    assert_refused(&new.get(BUCKET, "ns/table/data").await.unwrap(), 400, "InvalidToken", "no keys at all");
    assert_eq!(product.client().get(BUCKET, "ns/table/data").await.unwrap().status, 200, "key pairs need none");
}

#[tokio::test]
async fn any_replica_opens_any_token() {
    let product = product().await;
    product.client().put(BUCKET, "ns/table/data", b"x").await.unwrap();
    let session = credentials(&product, TABLE_POLICY).await;
    let replica = Product::in_front_of(product.emulator.clone(), product.store_address, Setup::default());
    replica.keys.replace_sealing(SealingKeys::new([KEY]));
    let elsewhere = replica.client().with_credentials(session);
    assert_eq!(elsewhere.get(BUCKET, "ns/table/data").await.unwrap().status, 200);
    assert_refused(&elsewhere.get(BUCKET, "ns/table2/data").await.unwrap(), 403, "AccessDenied", "narrowed there too");
}

fn pair(product: &Product, id: &str, verbs: Verbs) -> AccessKey {
    AccessKey {
        component: id.to_lowercase(),
        id: id.into(),
        secret: Secret::new(SECRET),
        rules: Rules::new([Rule { buckets: BucketScope::All, prefix: String::new(), verbs }]),
        metrics: product.metrics.facade.component(&id.to_lowercase()),
    }
}

/// The rights of the key pair count as they are now, not as they were.
#[tokio::test]
async fn a_session_goes_with_its_key_pair() {
    let product = product().await;
    product.client().put(BUCKET, "ns/table/data", b"x").await.unwrap();
    let table = table(&product).await;
    let get = || async { table.get(BUCKET, "ns/table/data").await.unwrap() };
    let put = || async { table.put(BUCKET, "ns/table/data", b"y").await.unwrap() };
    let status = |answer: Response| answer.status;
    assert_eq!((status(get().await), status(put().await)), (200, 200));
    product.keys.replace([pair(&product, ACCESS_KEY, Verbs { write: false, ..ALL_VERBS })]);
    assert_eq!((status(get().await), status(put().await)), (200, 403));
    product.keys.replace([pair(&product, "AKANOTHER", ALL_VERBS)]);
    assert_refused(&get().await, 400, "InvalidToken", "its key pair is gone");
    product.keys.replace([pair(&product, ACCESS_KEY, ALL_VERBS)]);
    assert_eq!((status(get().await), status(put().await)), (200, 200));
}
