//! Bad requests: each has S3's answer, changes nothing, tells no secret, and mostly costs no call to the
//! account at all.

#[path = "harness/harness.rs"]
mod harness;

#[path = "facade_refusals/bodies.rs"]
mod bodies;
#[path = "facade_refusals/identities.rs"]
mod identities;
#[path = "facade_refusals/rights.rs"]
mod rights;
#[path = "facade_refusals/targets.rs"]
mod targets;
#[path = "facade_refusals/wire.rs"]
mod wire;

use harness::product::{BUCKET, Product, SECRET};
use harness::s3_client::{RawRequest, Response};

const BEFORE: &[u8] = b"the version before";

/// A product with one object, and what it has seen so far.
async fn product() -> Product {
    let product = Product::start().await;
    let put = product.client().put(BUCKET, "key", BEFORE).await.unwrap();
    assert_eq!(put.status, 200, "{}", put.text());
    product
}

/// Sends a request that has to be refused without a call to the account.
#[track_caller]
fn refused(
    product: &Product,
    request: &RawRequest,
    status: u16,
    code: &str,
    context: &str,
) -> impl Future<Output = ()> {
    let before = product.seen();
    let location = std::panic::Location::caller();
    async move {
        let response = product.client().send(request).await;
        let response = response.unwrap_or_else(|error| panic!("{context} ({location}): {error}"));
        let text = response.text();
        assert_eq!(
            (response.status, response.code().as_deref()),
            (status, Some(code)),
            "{context} ({location}): {text}"
        );
        assert_tells_nothing(&response, context);
        product.assert_no_call_since(&before, context);
    }
}

fn assert_tells_nothing(response: &Response, context: &str) {
    let head: String = response.head.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    let all = format!("{head}{}", response.text());
    for secret in
        [SECRET, bluebucket::emulator::DEVELOPMENT_KEY, "devstoreaccount1", "SharedKey", "127.0.0.1", "panicked"]
    {
        assert!(!all.contains(secret), "{context} tells {secret:?}: {all}");
    }
}

/// The object is as it was, and it is alone.
async fn assert_untouched(product: &Product, context: &str) {
    assert_eq!(product.client().get(BUCKET, "key").await.unwrap().body, BEFORE, "{context}");
    assert_eq!(product.client().list(BUCKET, "").await.unwrap().elements("Key"), ["key"], "{context}");
}
