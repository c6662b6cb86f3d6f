//! HTTP that is not quite HTTP, and answers that have to be read before all was sent.

use std::time::Duration;

use crate::harness::product::BUCKET;
use crate::harness::s3_client::BodyMode;
use crate::product;

#[tokio::test]
async fn requests_that_could_be_smuggled() {
    let product = product().await;
    let client = product.client();
    let put = || client.object("PUT", BUCKET, "key").body(b"smuggled", BodyMode::Unsigned).build();
    let inner = "GET /x HTTP/1.1\r\nhost: a\r\n\r\n";
    let with = |headers: &str, body: &str| {
        let mut request = put();
        request.remove_header("content-length");
        let head = String::from_utf8(request.head_bytes()).unwrap();
        format!("{}{headers}\r\n{body}", head.strip_suffix("\r\n").unwrap())
    };
    let before = product.seen();
    for (context, bytes) in [
        ("two lengths", with("content-length: 8\r\ncontent-length: 9\r\n", "smuggled")),
        ("a list of lengths", with("content-length: 8, 9\r\n", "smuggled")),
        ("a signed length", with("content-length: +8\r\n", "smuggled")),
        ("a negative length", with("content-length: -8\r\n", "smuggled")),
        ("a hexadecimal length", with("content-length: 0x8\r\n", "smuggled")),
        ("an unknown coding", with("transfer-encoding: xchunked\r\n", "8\r\nsmuggled\r\n0\r\n\r\n")),
        ("chunked not last", with("transfer-encoding: chunked, identity\r\n", "8\r\nsmuggled\r\n0\r\n\r\n")),
        ("space before the colon", with("content-length : 8\r\n", "smuggled")),
        ("a folded header", with("content-length: 8\r\nx-a: b\r\n c\r\n", "smuggled")),
        ("NUL in a header", with("content-length: 8\r\nx-a: b\0c\r\n", "smuggled")),
        ("no version", format!("GET /{BUCKET}/key\r\n\r\n")),
        ("an absolute target", "GET http://other/x HTTP/1.1\r\nhost: a\r\n\r\n".into()),
        ("an asterisk", "OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n".into()),
        ("CONNECT", "CONNECT a:1 HTTP/1.1\r\nhost: a\r\n\r\n".into()),
        ("h2c", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into()),
    ] {
        let mut connection = client.open().await.unwrap();
        connection.write(format!("{bytes}{inner}").as_bytes()).await.unwrap();
        if let Ok(Ok(answer)) = tokio::time::timeout(Duration::from_secs(5), connection.read("PUT")).await {
            assert!((400..500).contains(&answer.status), "{context}: {} {}", answer.status, answer.text());
        }
    }
    // Both framings: whichever is believed, the length that is not must not become a second request.
    let mut both = client.open().await.unwrap();
    let bytes = with("content-length: 60\r\ntransfer-encoding: chunked\r\n", "8\r\nsmuggled\r\n0\r\n\r\n");
    both.write(format!("{bytes}{inner}").as_bytes()).await.unwrap();
    if let Ok(Ok(answer)) = tokio::time::timeout(Duration::from_secs(5), both.read("PUT")).await {
        // S3's answer to HTTP chunks in place of a length.
        assert_eq!(answer.status, 501, "both: {}", answer.text());
    }
    product.assert_no_commit_since(&before, "smuggling");
    crate::assert_untouched(&product, "smuggling").await;
}

/// A client that sends all of a long body before it reads has to get its answer, not a reset.
#[tokio::test]
async fn an_early_refusal_reaches_a_client_that_goes_on_sending() {
    let product = product().await;
    let client = product.client();
    for length in [100_000, 1 << 20, 8 << 20] {
        for round in 0..5 {
            let mut request = client.object("PUT", BUCKET, "key").body(&vec![7; length], BodyMode::Unsigned).build();
            request.spoil_signature();
            let answer = client.send(&request).await;
            let answer = answer.unwrap_or_else(|error| panic!("{length}, round {round}: {error}"));
            assert_eq!((answer.status, answer.code().as_deref()), (403, Some("SignatureDoesNotMatch")), "{length}");
        }
    }
}

#[tokio::test]
async fn a_client_that_waits_for_100_sends_nothing_in_vain() {
    let product = product().await;
    let client = product.client();
    let builder = client.object("PUT", BUCKET, "key").header("expect", "100-continue").body(b"hello", BodyMode::Signed);
    let mut bad = builder.build();
    bad.spoil_signature();
    let mut connection = client.open().await.unwrap();
    connection.write(&bad.head_bytes()).await.unwrap();
    let answer = connection.read("PUT").await.unwrap();
    assert_eq!(answer.status, 403, "{}", answer.text());
    let answer = client.send(&builder.build()).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[tokio::test]
async fn errors_of_head_have_no_body_and_the_connection_lives_on() {
    let product = product().await;
    let client = product.client();
    let mut connection = client.open().await.unwrap();
    for (key, status) in [("missing", 404), ("key", 200), ("missing", 404)] {
        let answer = connection.send(&client.object("HEAD", BUCKET, key).build()).await.unwrap();
        assert_eq!((answer.status, answer.body.len()), (status, 0), "{key}");
    }
    let mut stale = client.object("GET", BUCKET, "key").build();
    stale.spoil_signature();
    assert_eq!(connection.send(&stale).await.unwrap().status, 403);
    let etag = client.head(BUCKET, "key").await.unwrap().header("etag").unwrap().to_owned();
    let fresh = client.object("GET", BUCKET, "key").header("if-none-match", &etag).build();
    let answer = connection.send(&fresh).await.unwrap();
    assert_eq!((answer.status, answer.header("content-length"), answer.body.len()), (304, None, 0));
    let answer = connection.send(&client.object("GET", BUCKET, "key").build()).await.unwrap();
    assert_eq!((answer.status, answer.body.as_slice()), (200, crate::BEFORE));
}
