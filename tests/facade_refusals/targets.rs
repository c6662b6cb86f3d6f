//! What is asked for: names, keys, documents.

use crate::harness::product::BUCKET;
use crate::harness::s3_client::BodyMode;
use crate::{assert_untouched, product, refused};

#[tokio::test]
async fn buckets_and_keys_that_cannot_be() {
    let product = product().await;
    let client = product.client();
    let long_key = "k".repeat(1_025);
    let segments = "a/".repeat(300) + "a";
    for (method, target, status, code) in [
        ("GET", "/no-such-bucket/key".to_owned(), 404, "NoSuchBucket"),
        ("PUT", "/no-such-bucket/key".into(), 404, "NoSuchBucket"),
        ("DELETE", "/no-such-bucket/key".into(), 404, "NoSuchBucket"),
        ("GET", "/bluebucket-state/key".into(), 404, "NoSuchBucket"),
        ("GET", "/flink/key".into(), 404, "NoSuchBucket"),
        ("GET", "/Bad_Bucket/key".into(), 400, "InvalidBucketName"),
        ("GET", "/$logs/key".into(), 400, "InvalidBucketName"),
        ("GET", "/ab/key".into(), 400, "InvalidBucketName"),
        ("GET", "/10.0.0.1/key".into(), 400, "InvalidBucketName"),
        ("GET", "//key".into(), 400, "InvalidBucketName"),
        ("PUT", format!("/{BUCKET}/{long_key}"), 400, "KeyTooLongError"),
        ("GET", format!("/{BUCKET}/{long_key}"), 400, "KeyTooLongError"),
        ("PUT", format!("/{BUCKET}/a/../b"), 400, "InvalidArgument"),
        ("PUT", format!("/{BUCKET}/."), 400, "InvalidArgument"),
        ("PUT", format!("/{BUCKET}/%2E%2E/b"), 400, "InvalidArgument"),
        ("PUT", format!("/{BUCKET}/a."), 400, "InvalidArgument"),
        ("PUT", format!("/{BUCKET}/a%5Cb"), 400, "InvalidArgument"),
        ("PUT", format!("/{BUCKET}/a%00b"), 400, "InvalidArgument"),
        ("PUT", format!("/{BUCKET}/a%0Ab"), 400, "InvalidArgument"),
        ("PUT", format!("/{BUCKET}/{segments}"), 400, "InvalidArgument"),
        ("POST", format!("/{BUCKET}/a/../b?uploads"), 400, "InvalidArgument"),
        ("GET", format!("/{BUCKET}/a/../b"), 404, "NoSuchKey"),
        ("GET", format!("/{BUCKET}/a%5Cb"), 404, "NoSuchKey"),
        ("GET", format!("/{BUCKET}/a.?uploadId=x"), 404, "NoSuchUpload"),
        ("GET", format!("/{BUCKET}/%ff"), 400, "InvalidURI"),
        ("GET", format!("/{BUCKET}/%zz"), 400, "InvalidURI"),
        ("GET", format!("/{BUCKET}/%"), 400, "InvalidURI"),
    ] {
        let body: &[u8] = if method == "PUT" { b"x" } else { b"" };
        let request = client.request(method, &target).body(body, BodyMode::Signed).build();
        refused(&product, &request, status, code, &format!("{method} {target}")).await;
    }
    assert_untouched(&product, "names").await;
}

#[tokio::test]
async fn documents_that_cannot_be() {
    let product = product().await;
    let client = product.client();
    let many: String = (0..1_001).map(|index| format!("<Object><Key>{index}</Key></Object>")).collect();
    let deep = "<a>".repeat(100_000);
    let bomb = "<!DOCTYPE d [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]><Delete><Object><Key>&b;</Key></Object></Delete>";
    let external =
        "<!DOCTYPE d [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><Delete><Object><Key>&x;</Key></Object></Delete>";
    for (context, document) in [
        ("empty", String::new()),
        ("no XML", "key".into()),
        ("unclosed", "<Delete><Object><Key>key</Key></Object>".into()),
        ("no key", "<Delete></Delete>".into()),
        ("empty key", "<Delete><Object><Key></Key></Object></Delete>".into()),
        ("another root", "<Remove><Object><Key>key</Key></Object></Remove>".into()),
        ("1001 keys", format!("<Delete>{many}</Delete>")),
        ("an unknown entity", "<Delete><Object><Key>&x;</Key></Object></Delete>".into()),
        ("an entity bomb", bomb.into()),
        ("an external entity", external.into()),
        ("deep", deep),
        ("quiet", "<Delete><Quiet>perhaps</Quiet><Object><Key>key</Key></Object></Delete>".into()),
        ("two documents", "<Delete><Object><Key>key</Key></Object></Delete><Delete/>".into()),
        ("NUL", "<Delete><Object><Key>key\0</Key></Object></Delete>".into()),
    ] {
        let request = client.request("POST", &format!("/{BUCKET}?delete")).body(document.as_bytes(), BodyMode::Signed);
        refused(&product, &request.build(), 400, "MalformedXML", context).await;
    }
    let request = client.request("POST", &format!("/{BUCKET}?delete")).body(b"<Delete>\xff</Delete>", BodyMode::Signed);
    refused(&product, &request.build(), 400, "MalformedXML", "not UTF-8").await;
    // Too long to be read at all.
    let long = vec![b' '; (4 << 20) + 1];
    let request = client.request("POST", &format!("/{BUCKET}?delete")).body(&long, BodyMode::Unsigned).build();
    refused(&product, &request, 400, "MalformedXML", "too long").await;
    assert_untouched(&product, "documents").await;
}
