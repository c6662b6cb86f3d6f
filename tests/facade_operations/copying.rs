//! CopyObject.

use crate::harness::hash::{self, Algorithm};
use crate::harness::product::{BUCKET, OTHER_BUCKET, Product};
use crate::{ask, assert_refused, assert_status, bytes, send};

fn target(key: &str) -> String {
    format!("/{BUCKET}/{key}")
}

const META: [(&str, &str); 5] = [
    ("x-amz-meta-color", "blue"),
    ("x-amz-meta-odd.name", "grün"),
    ("content-type", "text/plain"),
    ("cache-control", "no-cache"),
    ("x-amz-tagging", "team=flink"),
];

#[tokio::test]
async fn directives() {
    let product = Product::start().await;
    let client = product.client();
    let content = bytes(400_000);
    let put = send(&client, "PUT", &target("source"), &META, &content).await;
    let etag = put.header("etag").unwrap().to_owned();
    let source = format!("/{BUCKET}/source");
    for (context, headers, color, content_type, tags) in [
        ("copy", vec![], Some("blue"), "text/plain", "1"),
        (
            "COPY",
            vec![("x-amz-metadata-directive", "COPY"), ("x-amz-meta-color", "red")],
            Some("blue"),
            "text/plain",
            "1",
        ),
        (
            "replace",
            vec![("x-amz-metadata-directive", "REPLACE"), ("x-amz-meta-color", "red"), ("content-type", "image/png")],
            Some("red"),
            "image/png",
            "1",
        ),
        ("replace by nothing", vec![("x-amz-metadata-directive", "REPLACE")], None, "binary/octet-stream", "1"),
        (
            "replace tags",
            vec![("x-amz-tagging-directive", "REPLACE"), ("x-amz-tagging", "a=1&b=2")],
            Some("blue"),
            "text/plain",
            "2",
        ),
    ] {
        for key in ["copy", "dir/copy with space+é"] {
            let mut headers = headers.clone();
            headers.push(("x-amz-copy-source", &source));
            let encoded = crate::harness::percent::encode(key.as_bytes(), b"/");
            let copied = ask(&client, "PUT", &target(&encoded), &headers).await;
            assert_status(&copied, 200, context);
            assert_eq!(
                copied.element("ETag").map(|etag| etag.replace("&quot;", "\"")),
                Some(etag.clone()),
                "{context}"
            );
            assert!(copied.element("LastModified").is_some(), "{context}");
            let got = client.get(BUCKET, key).await.unwrap();
            assert!(got.body == content, "{context}");
            assert_eq!(got.header("etag"), Some(etag.as_str()), "{context}");
            assert_eq!(got.header("x-amz-meta-color"), color, "{context}");
            assert_eq!(got.header("content-type"), Some(content_type), "{context}");
            assert_eq!(got.header("x-amz-tagging-count"), Some(tags), "{context}");
        }
    }
    let junk =
        ask(&client, "PUT", &target("copy"), &[("x-amz-copy-source", &source), ("x-amz-metadata-directive", "X")])
            .await;
    assert_refused(&junk, 400, "InvalidArgument", "directive");
}

#[tokio::test]
async fn sources() {
    let product = Product::start().await;
    let client = product.client();
    for key in ["a b+c", "50%25", "plain", "q?x", "/lead", "é"] {
        client.put(OTHER_BUCKET, key, key.as_bytes()).await.unwrap();
    }
    // A hierarchical account has no empty segments.
    let lead = (!product.is_hierarchical()).then_some("/lead");
    for (source, content) in [
        ("local-iceberg-test/plain", Some("plain")),
        ("/local-iceberg-test/plain", Some("plain")),
        ("local-iceberg-test%2Fplain", Some("plain")),
        ("/local-iceberg-test/a%20b%2Bc", Some("a b+c")),
        ("/local-iceberg-test/a%20b+c", Some("a b+c")),
        ("/local-iceberg-test/50%2525", Some("50%25")),
        ("/local-iceberg-test/q?x", Some("q?x")),
        ("/local-iceberg-test//lead", lead),
        ("/local-iceberg-test/%C3%A9", Some("é")),
        ("/local-iceberg-test/plain?versionId=null", Some("plain")),
        ("/local-iceberg-test/missing", None),
    ] {
        let copied = ask(&client, "PUT", &target("copy"), &[("x-amz-copy-source", source)]).await;
        match content {
            Some(content) => {
                assert_status(&copied, 200, source);
                assert_eq!(client.get(BUCKET, "copy").await.unwrap().body, content.as_bytes(), "{source}");
            }
            None => assert_refused(&copied, 404, "NoSuchKey", source),
        }
    }
    let before = product.seen();
    for (source, status, code) in [
        ("/no-such-bucket/key", 404, "NoSuchBucket"),
        ("/bluebucket-state/key", 404, "NoSuchBucket"),
        ("/local-iceberg-test/plain?versionId=abc", 400, "InvalidArgument"),
        ("local-iceberg-test", 400, "InvalidArgument"),
        ("/", 400, "InvalidArgument"),
        ("/local-iceberg-test/%zz", 400, "InvalidArgument"),
        ("/Bad_Bucket/key", 400, "InvalidBucketName"),
        ("/local-iceberg-test/a/../b", 404, "NoSuchKey"),
        ("/$root/key", 400, "InvalidBucketName"),
    ] {
        let copied = ask(&client, "PUT", &target("copy"), &[("x-amz-copy-source", source)]).await;
        assert_refused(&copied, status, code, source);
    }
    product.assert_no_call_since(&before, "bad sources");
}

#[tokio::test]
async fn conditions() {
    let product = Product::start().await;
    let client = product.client();
    let etag = client.put(BUCKET, "source", b"content").await.unwrap().header("etag").unwrap().to_owned();
    let source = format!("/{BUCKET}/source");
    const PAST: &str = "Sat, 01 Jan 2000 00:00:00 GMT";
    const FUTURE: &str = "Fri, 01 Jan 2100 00:00:00 GMT";
    for (name, value, status) in [
        ("x-amz-copy-source-if-match", etag.as_str(), 200),
        ("x-amz-copy-source-if-match", "\"other\"", 412),
        ("x-amz-copy-source-if-none-match", "\"other\"", 200),
        ("x-amz-copy-source-if-none-match", &etag, 412),
        ("x-amz-copy-source-if-modified-since", PAST, 200),
        ("x-amz-copy-source-if-modified-since", FUTURE, 412),
        ("x-amz-copy-source-if-unmodified-since", FUTURE, 200),
        ("x-amz-copy-source-if-unmodified-since", PAST, 412),
    ] {
        let copied = ask(&client, "PUT", &target("copy"), &[("x-amz-copy-source", &source), (name, value)]).await;
        assert_status(&copied, status, &format!("{name}: {value}"));
        if status == 412 {
            assert_refused(&copied, 412, "PreconditionFailed", name);
        }
    }
    // Conditions on the target.
    let taken = ask(&client, "PUT", &target("copy"), &[("x-amz-copy-source", &source), ("if-none-match", "*")]).await;
    assert_refused(&taken, 412, "PreconditionFailed", "taken");
    let fresh = ask(&client, "PUT", &target("fresh"), &[("x-amz-copy-source", &source), ("if-none-match", "*")]).await;
    assert_status(&fresh, 200, "fresh");
}

/// The algorithm asked for, of the whole copy, whatever the source has.
#[tokio::test]
async fn checksums() {
    let product = Product::start().await;
    let client = product.client();
    let content = bytes(2_000_000);
    let put = send(&client, "PUT", &target("source"), &[], &content).await;
    let source = format!("/{BUCKET}/source");
    for algorithm in Algorithm::ALL {
        let name = algorithm.name();
        let headers = [("x-amz-copy-source", source.as_str()), ("x-amz-checksum-algorithm", name.as_str())];
        let copied = ask(&client, "PUT", &target("copy"), &headers).await;
        assert_status(&copied, 200, &name);
        let expected = hash::checksum(algorithm, &content);
        assert_eq!(copied.element(&format!("Checksum{name}")), Some(expected.clone()));
        assert_eq!(copied.element("ChecksumType").as_deref(), Some("FULL_OBJECT"));
        let head = ask(&client, "HEAD", &target("copy"), &[("x-amz-checksum-mode", "ENABLED")]).await;
        assert_eq!(head.header(&algorithm.header()), Some(expected.as_str()), "{algorithm:?}");
        assert_eq!(head.header("etag"), put.header("etag"));
        // A copy of the copy keeps it without being asked.
        let again = ask(&client, "PUT", &target("again"), &[("x-amz-copy-source", &format!("{BUCKET}/copy"))]).await;
        assert_eq!(again.element(&format!("Checksum{name}")), Some(expected), "{}", again.text());
    }
    // None was asked for, and the source has none.
    let plain = ask(&client, "PUT", &target("plain"), &[("x-amz-copy-source", &source)]).await;
    assert_eq!(plain.element("ChecksumType"), None, "{}", plain.text());
    let head = ask(&client, "HEAD", &target("plain"), &[("x-amz-checksum-mode", "ENABLED")]).await;
    assert!(head.head.headers.iter().all(|(name, _)| !name.starts_with("x-amz-checksum")), "{:?}", head.head);
}

#[tokio::test]
async fn onto_itself() {
    let product = Product::start().await;
    let client = product.client();
    let put = send(&client, "PUT", &target("key"), &META, b"content").await;
    let source = format!("{BUCKET}/key");
    let own = |headers: &[(&'static str, &'static str)]| {
        let mut all: Vec<(&str, &str)> = headers.to_vec();
        all.push(("x-amz-copy-source", &source));
        let all: Vec<(String, String)> = all.into_iter().map(|(a, b)| (a.to_owned(), b.to_owned())).collect();
        let client = client.clone();
        async move {
            let all: Vec<_> = all.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
            ask(&client, "PUT", &target("key"), &all).await
        }
    };
    let before = product.seen();
    assert_refused(&own(&[]).await, 400, "InvalidRequest", "nothing changes");
    product.assert_no_call_since(&before, "nothing changes");
    for headers in [
        &[("x-amz-metadata-directive", "REPLACE"), ("x-amz-meta-color", "red")][..],
        &[("x-amz-storage-class", "STANDARD")],
        &[("x-amz-server-side-encryption", "AES256")],
    ] {
        assert_status(&own(headers).await, 200, &format!("{headers:?}"));
        let got = client.get(BUCKET, "key").await.unwrap();
        assert_eq!((got.body.as_slice(), got.header("etag")), (&b"content"[..], put.header("etag")));
        assert_eq!(got.header("x-amz-meta-color"), Some("red"));
    }
}
