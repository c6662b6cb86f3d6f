//! S7 a path that is checked as one thing and stored as another: the key that reaches the account is the signed one,
//! decoded once, or none.

use crate::harness::product::{BUCKET, CONTAINER, OTHER_BUCKET, Product};
use crate::harness::refusal::{assert_tells_nothing, assert_untouched, product};
use crate::harness::s3_client::BodyMode;

/// The raw path behind the bucket, and the key that it is; `None`: refused.
const KEYS: [(&str, Option<&str>); 45] = [
    ("plain", Some("plain")),
    ("a/b", Some("a/b")),
    ("a//b", Some("a//b")),
    ("/a", Some("/a")),
    ("//a", Some("//a")),
    ("a/", Some("a/")),
    ("a%2Fb", Some("a/b")),
    ("a%2fb", Some("a/b")),
    ("a%252Fb", Some("a%2Fb")),
    ("%252e%252e/b", Some("%2e%2e/b")),
    ("..%252Fb", Some("..%2Fb")),
    ("...", None),
    ("a..b", Some("a..b")),
    ("..a/b", Some("..a/b")),
    (".a", Some(".a")),
    ("a+b", Some("a+b")),
    ("a%2Bb", Some("a+b")),
    ("a%20b", Some("a b")),
    ("a;b=c", Some("a;b=c")),
    ("a:b@c", Some("a:b@c")),
    ("a%3Fb", Some("a?b")),
    ("a%23b", Some("a#b")),
    ("a%25b", Some("a%b")),
    ("e%CC%81", Some("e\u{301}")),
    ("%C3%A9", Some("é")),
    ("http://other/x", Some("http://other/x")),
    ("%ef%bc%8f", Some("／")),
    (".", None),
    ("..", None),
    ("../x", None),
    ("a/../b", None),
    ("a/./b", None),
    ("a/..", None),
    ("%2e", None),
    ("%2e%2e", None),
    ("%2e%2e%2fb", None),
    ("..%2fb", None),
    ("a%2f..%2fb", None),
    ("a%5C..%5Cb", None),
    ("a%5cb", None),
    ("a%00b", None),
    ("%00", None),
    ("a%0d%0ab", None),
    ("%c0%ae%c0%ae/b", None),
    ("%e0%80%ae/b", None),
];

#[tokio::test]
async fn the_key_that_is_stored_is_the_key_that_was_signed() {
    for (raw, expected) in KEYS {
        let product = Product::start().await;
        let client = product.client();
        let target = format!("/{BUCKET}/{raw}");
        let request = client.request("PUT", &target).body(b"x", BodyMode::Signed).build();
        let before = product.seen();
        let answer = client.send(&request).await.unwrap();
        let Some(key) = expected else {
            assert_eq!(answer.status, 400, "{raw}: {}", answer.text());
            assert_tells_nothing(&answer, raw);
            product.assert_no_call_since(&before, raw);
            for (method, least) in [("GET", 400), ("DELETE", 204), ("HEAD", 400)] {
                let answer = client.send(&client.request(method, &target).build()).await.unwrap();
                assert!((least..500).contains(&answer.status), "{method} {raw}: {}", answer.status);
                product.assert_no_call_since(&before, raw);
            }
            continue;
        };
        assert_eq!(answer.status, 200, "{raw}: {}", answer.text());
        let commits = product.commits_since(&before);
        let stored: Vec<_> = commits.iter().map(|commit| (commit.container.as_str(), commit.name.as_str())).collect();
        assert_eq!(stored, [(CONTAINER, key)], "{raw}");
        let answer = client.send(&client.request("GET", &target).build()).await.unwrap();
        assert_eq!((answer.status, answer.body.as_slice()), (200, &b"x"[..]), "{raw}");
    }
}

/// A path may be signed in its canonical form; that of another key is another signature.
#[tokio::test]
async fn another_path_than_the_signed_one() {
    let product = product().await;
    let client = product.client();
    let signed = client.object("GET", BUCKET, "key").build();
    for target in [
        format!("//{BUCKET}/key"),
        format!("/./{BUCKET}/key"),
        format!("/x/../{BUCKET}/key"),
        format!("/{BUCKET}//key"),
        format!("/{BUCKET}/./key"),
        format!("/{BUCKET}/x/../key"),
        format!("/{BUCKET}/key/"),
        format!("/{BUCKET}/key%00"),
        format!("/{BUCKET}/key%20"),
        format!("/{BUCKET}/KEY"),
        format!("/{BUCKET}/key;a=b"),
        format!("/{BUCKET}/key?"),
        format!("/{BUCKET}/key?x"),
        format!("/{BUCKET}/key?prefix=a"),
        format!("/{OTHER_BUCKET}/key"),
        format!("/{BUCKET}/%2e%2e/{OTHER_BUCKET}/key"),
    ] {
        let mut request = signed.clone();
        request.target = target.clone();
        let before = product.seen();
        let answer = client.send(&request).await.unwrap();
        // An empty query is no other request.
        if target.ends_with("/key?") {
            assert_eq!(answer.status, 200, "{target}");
            continue;
        }
        assert!(matches!(answer.status, 400 | 403), "{target}: {} {}", answer.status, answer.text());
        product.assert_no_call_since(&before, &target);
    }
}

/// Buckets that are none, in the path or behind it.
#[tokio::test]
async fn buckets_hidden_in_the_path() {
    let product = product().await;
    let client = product.client();
    for target in [
        format!("/{BUCKET}%2Fkey"),
        format!("/{BUCKET}%2F..%2F{OTHER_BUCKET}/key"),
        format!("/{BUCKET}%00/key"),
        format!("/{BUCKET}%20/key"),
        format!("/{BUCKET}./key"),
        "/../key".into(),
        "/%2e%2e/key".into(),
        "/./key".into(),
        "/%5C/key".into(),
        "/$root/key".into(),
        "/$web/key".into(),
        "/%24logs/key".into(),
        "/$blobchangefeed/key".into(),
        "/bluebucket-state/key".into(),
        "/flink/key".into(),
        format!("/{}/key", BUCKET.to_uppercase()),
    ] {
        for method in ["GET", "PUT", "DELETE"] {
            let before = product.seen();
            let answer = client.send(&client.request(method, &target).build()).await.unwrap();
            assert!(matches!(answer.status, 400 | 404), "{method} {target}: {} {}", answer.status, answer.text());
            assert_tells_nothing(&answer, &target);
            product.assert_no_call_since(&before, &target);
        }
    }
    assert_untouched(&product, "hidden buckets").await;
}

/// Sources of copies, in every spelling: none reaches what its path alone would not.
#[tokio::test]
async fn sources_of_copies() {
    let product = product().await;
    let client = product.client();
    let copy = |source: &str| client.object("PUT", BUCKET, "copy").header("x-amz-copy-source", source).build();
    for source in [
        "",
        "/",
        "//",
        "key",
        "/key",
        "//local-rocksdb-test/key",
        "local-rocksdb-test",
        "local-rocksdb-test/",
        "local-rocksdb-test/../local-iceberg-test/key",
        "local-rocksdb-test/%2e%2e/key",
        "local-rocksdb-test%252Fkey",
        "local-rocksdb-test/key?versionId=1",
        "local-rocksdb-test/key?versionId=../x",
        "local-rocksdb-test/key%3FversionId=null",
        "local-rocksdb-test/key?versionId=null&versionId=x",
        "local-rocksdb-test/key?sig=x",
        "local-rocksdb-test/key#x",
        "local-rocksdb-test/%zz",
        "local-rocksdb-test/%c0%ae",
        "local-rocksdb-test/a%00b",
        "bluebucket-state/key",
        "$root/key",
        "$logs/key",
        "flink/key",
        "devstoreaccount1/flink/key",
        "http://127.0.0.1:1/flink/key",
        "https://other.blob.core.windows.net/flink/key?sig=x",
        "arn:aws:s3:us-east-1:1:accesspoint/a/object/key",
        "file:///etc/passwd",
    ] {
        let before = product.seen();
        let answer = client.send(&copy(source)).await.unwrap();
        assert!(matches!(answer.status, 400 | 404), "{source}: {} {}", answer.status, answer.text());
        assert_tells_nothing(&answer, source);
        product.assert_no_commit_since(&before, source);
    }
    assert_untouched(&product, "sources").await;
    for source in
        ["local-rocksdb-test/key", "/local-rocksdb-test/key", "local-rocksdb-test%2Fkey", "local-rocksdb-test/%6bey"]
    {
        let answer = client.send(&copy(source)).await.unwrap();
        assert_eq!(answer.status, 200, "{source}: {}", answer.text());
    }
}

/// A target in absolute form is the host that is signed, or no request (RFC 9112 section 3.2.2).
#[tokio::test]
async fn targets_that_name_a_host() {
    let product = product().await;
    let client = product.client();
    let signed = client.object("GET", BUCKET, "key").build();
    let head = String::from_utf8(signed.head_bytes()).unwrap();
    let host = product.address.to_string();
    let path = format!("/{BUCKET}/key");
    for (target, status) in [
        (format!("http://{host}{path}"), 200),
        (format!("http://other{path}"), 400),
        (format!("http://user@{host}{path}"), 400),
        (format!("http://{BUCKET}.{host}/key"), 400),
        (format!("http://{host}:80{path}"), 400),
        (format!("https://{host}.other{path}"), 400),
    ] {
        let before = product.seen();
        let mut connection = client.open().await.unwrap();
        connection.write(head.replacen(&path, &target, 1).as_bytes()).await.unwrap();
        let answer = connection.read("GET").await.unwrap();
        assert_eq!(answer.status, status, "{target}: {}", answer.text());
        if status != 200 {
            product.assert_no_call_since(&before, &target);
        }
    }
    // Two hosts, however they are signed.
    let mut twice = signed.clone();
    twice.headers.push(("host".into(), host.clone()));
    let signed_twice = client.object("GET", BUCKET, "key").header("host", &host).build();
    for request in [twice, signed_twice] {
        let before = product.seen();
        let answer = client.send(&request).await.unwrap();
        assert_eq!(answer.status, 400, "{}", answer.text());
        product.assert_no_call_since(&before, "two hosts");
    }
}
