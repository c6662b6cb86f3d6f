//! A product with one object, requests that it has to refuse, and what a refusal must not do.

use super::http1;
use super::product::{BUCKET, Product, SECRET};
use super::s3_client::{RawRequest, Response};

/// What the object `key` holds.
pub const BEFORE: &[u8] = b"the version before";

/// A product with one object.
pub async fn product() -> Product {
    let product = Product::start().await;
    let put = product.client().put(BUCKET, "key", BEFORE).await.unwrap();
    assert_eq!(put.status, 200, "{}", put.text());
    product
}

/// Sends a request that has to be refused without a call to the account.
#[track_caller]
pub fn refused(
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

/// Neither head nor body hold anything of the account, of a key pair or of a panic.
pub fn assert_tells_nothing(response: &Response, context: &str) {
    let all = format!("{}{}", lines(&response.head), response.text());
    for secret in
        [SECRET, bluebucket::emulator::DEVELOPMENT_KEY, "devstoreaccount1", "SharedKey", "127.0.0.1", "panicked"]
    {
        assert!(!all.contains(secret), "{context} tells {secret:?}: {all}");
    }
}

/// The object is as it was, and it is alone.
pub async fn assert_untouched(product: &Product, context: &str) {
    assert_eq!(product.client().get(BUCKET, "key").await.unwrap().body, BEFORE, "{context}");
    assert_eq!(product.client().list(BUCKET, "").await.unwrap().elements("Key"), ["key"], "{context}");
}

fn lines(head: &http1::Head) -> String {
    head.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect()
}
