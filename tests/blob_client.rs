//! What the Blob client does when the service or the connection misbehaves.

#[path = "harness/scripted.rs"]
mod scripted;

use std::time::Duration;

use bluebucket::blob::copy::{PutBlobFromUrl, SourceAuth};
use bluebucket::blob::error::ThrottleReason;
use bluebucket::blob::get_blob::ReadRange;
use bluebucket::blob::put_blob::PutBlob;
use bluebucket::blob::{
    BlobAccount, BlobClient, BlobCondition, BlobRef, Credential, RetryPolicy, SharedKey, SourceCondition,
};
use bluebucket::net::{Backoff, Client, Dialer, PoolLimits};
use bluebucket::object::body::collect;
use bluebucket::object::{ContainerName, Error, ErrorKind, Payload, Result};
use bytes::Bytes;
use scripted::{Reply, Scripted};

const LIMITS: PoolLimits = PoolLimits {
    connections_max: 4,
    idle_max: Duration::from_secs(30),
    connect_timeout: Duration::from_secs(5),
    read_timeout: Duration::from_secs(5),
};

const RETRY: RetryPolicy = RetryPolicy {
    backoff: Backoff {
        base: Duration::from_millis(5),
        max: Duration::from_millis(20),
        tries_max: 4,
        total_max: Duration::from_secs(10),
    },
    resumes_max: 2,
};

const WRITE_HEADERS: [(&str, &str); 2] = [("ETag", "\"0x2\""), ("Last-Modified", "Wed, 22 Mar 2023 05:57:41 GMT")];

struct Fixture {
    client: BlobClient,
    container: ContainerName,
}

impl Fixture {
    fn new(url: &str) -> Self {
        let account = BlobAccount::parse(url).unwrap();
        let key = SharedKey::new("account", "a2V5").unwrap();
        let http = Client::new(Dialer::network(None), LIMITS);
        let client = BlobClient::new(account, Credential::SharedKey(key), http, RETRY);
        Self { client, container: ContainerName::new("flink").unwrap() }
    }

    fn blob(&self) -> BlobRef<'_> {
        BlobRef { container: &self.container, name: "a b" }
    }

    async fn read(&self) -> Result<Bytes> {
        let download = self.client.get_blob(self.blob(), ReadRange::All, &BlobCondition::None).await?;
        collect(download.body, 1 << 20).await
    }

    async fn put(&self, payload: Payload) -> Result<()> {
        self.client.put_blob(self.blob(), payload, PutBlob::default()).await.map(drop)
    }
}

fn bytes(text: &'static str) -> Payload {
    Bytes::from_static(text.as_bytes()).into()
}

fn stream(length: u64) -> Payload {
    let pieces = (0..length / 1000).map(|_| Ok(Bytes::from(vec![1; 1000])));
    Payload::stream(length, Box::pin(futures::stream::iter(pieces)))
}

fn refusal(status: &str, code: &str, more: &[(&str, &str)]) -> Reply {
    let body = format!(
        "\u{feff}<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>Ingress is over the account limit.\nRequestId:1</Message></Error>"
    );
    Reply::new(status, &[&[("x-ms-error-code", code)], more].concat(), body.as_bytes())
}

fn part(from: usize, content: &[u8], whole: usize) -> Reply {
    let range = format!("bytes {from}-{}/{whole}", whole - 1);
    Reply::with_length(
        "206 Partial Content",
        &[WRITE_HEADERS[0], WRITE_HEADERS[1], ("Content-Range", &range)],
        content,
        whole - from,
    )
}

#[tokio::test]
async fn a_broken_download_is_resumed_from_the_byte_reached() {
    let server = Scripted::start(|number, _| match number {
        0 => Reply::with_length("200 OK", &WRITE_HEADERS, b"0123", 10).and_close(),
        1 => Reply::hang_up(),
        2 => part(4, b"45", 10).and_close(),
        _ => part(6, b"6789", 10),
    })
    .await;
    let fixture = Fixture::new(&server.url);
    assert_eq!(fixture.read().await.unwrap(), "0123456789");
    let seen = server.seen();
    assert_eq!(seen.len(), 4);
    assert_eq!((seen[0].header("range"), seen[0].header("if-match")), (None, None));
    assert_eq!((seen[2].header("range"), seen[2].header("if-match")), (Some("bytes=4-9"), Some("\"0x2\"")));
    assert_eq!(seen[3].header("range"), Some("bytes=6-9"));
    assert_eq!(seen[0].target, "/account/flink/a%20b");
}

#[tokio::test]
async fn downloads_never_mix_versions_and_give_up() {
    let replaced = Scripted::start(|number, _| match number {
        0 => Reply::with_length("200 OK", &WRITE_HEADERS, b"0123", 10).and_close(),
        _ => refusal("412 Precondition Failed", "ConditionNotMet", &[]),
    })
    .await;
    assert_eq!(Fixture::new(&replaced.url).read().await.unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!(replaced.seen().len(), 2);

    let other_range = Scripted::start(|number, _| match number {
        0 => Reply::with_length("200 OK", &WRITE_HEADERS, b"0123", 10).and_close(),
        _ => part(3, b"3456789", 10),
    })
    .await;
    assert_eq!(Fixture::new(&other_range.url).read().await.unwrap_err().kind(), ErrorKind::Corrupt);

    let never = Scripted::start(|number, _| match number {
        0 => Reply::with_length("200 OK", &WRITE_HEADERS, b"0123", 10).and_close(),
        _ => part(4, b"", 10).and_close(),
    })
    .await;
    assert_eq!(Fixture::new(&never.url).read().await.unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!(never.seen().len(), 3);
}

#[tokio::test]
async fn an_unknown_outcome_is_never_sent_again() {
    let lost = Scripted::start(|_, _| Reply::hang_up()).await;
    let fixture = Fixture::new(&lost.url);
    let error = fixture.put(bytes("abc")).await.unwrap_err();
    assert!(error.outcome_unknown(), "{error}");
    assert_eq!((lost.seen().len(), lost.seen()[0].complete), (1, true));
    // A read is sent again until the tries are used up.
    assert_eq!(fixture.client.get_properties(fixture.blob()).await.unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!(lost.seen().len(), 1 + 4);

    let timed_out =
        Scripted::start(|_, _| refusal("500 Operation could not be completed", "OperationTimedOut", &[])).await;
    let error = Fixture::new(&timed_out.url).put(bytes("abc")).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::Timeout, true));
    assert_eq!(timed_out.seen().len(), 1);
}

#[tokio::test]
async fn throttled_writes_are_sent_again_if_they_can_be() {
    let busy = |number: usize, _: &scripted::Seen| match number % 2 {
        0 => refusal("503 Busy", "ServerBusy", &[("x-ms-retry-after-ms", "1")]),
        _ => Reply::new("201 Created", &WRITE_HEADERS, b""),
    };
    let server = Scripted::start(busy).await;
    let fixture = Fixture::new(&server.url);
    fixture.put(bytes("abc")).await.unwrap();
    assert_eq!(server.seen().len(), 2);
    assert_eq!(server.seen()[1].body, b"abc");
    let error = fixture.put(stream(5000)).await.unwrap_err();
    assert_eq!((error.kind(), error.outcome_unknown()), (ErrorKind::Throttled, false));
    assert_eq!(ThrottleReason::of(&error), Some(ThrottleReason::Ingress));
    assert_eq!(server.seen().len(), 3);
}

#[tokio::test]
async fn a_wait_longer_than_allowed_is_not_begun() {
    let server = Scripted::start(|_, _| refusal("503 Busy", "ServerBusy", &[("Retry-After", "60")])).await;
    let fixture = Fixture::new(&server.url);
    assert_eq!(fixture.read().await.unwrap_err().kind(), ErrorKind::Throttled);
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn an_early_refusal_is_the_error() {
    let server = Scripted::start(|_, _| {
        refusal("403 Forbidden", "AuthorizationPermissionMismatch", &[("Connection", "close")]).early().and_close()
    })
    .await;
    let error = Fixture::new(&server.url).put(stream(16_000_000)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied, "{error}");
    assert!(error.message().contains("Storage Blob Data Contributor"), "{error}");
}

#[tokio::test]
async fn the_error_of_the_payload_comes_back_and_the_body_stays_incomplete() {
    let server = Scripted::start(|_, _| Reply::new("201 Created", &WRITE_HEADERS, b"")).await;
    let fixture = Fixture::new(&server.url);
    let pieces = vec![Ok(Bytes::from(vec![1; 1000])), Err(Error::new(ErrorKind::Cancelled, "the client went away"))];
    let payload = Payload::stream(2000, Box::pin(futures::stream::iter(pieces)));
    let error = fixture.put(payload).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert!(error.message().contains("the client went away"), "{error}");
    // All bytes are there, and then the stream fails: the last piece must not have gone out.
    let pieces = vec![Ok(Bytes::from(vec![1; 2000])), Err(Error::new(ErrorKind::ChecksumMismatch, "wrong sum"))];
    let payload = Payload::stream(2000, Box::pin(futures::stream::iter(pieces)));
    assert_eq!(fixture.put(payload).await.unwrap_err().kind(), ErrorKind::ChecksumMismatch);
    // A stream that is announced as empty is looked at all the same.
    let pieces = vec![Err(Error::new(ErrorKind::ChecksumMismatch, "wrong sum"))];
    let payload = Payload::stream(0, Box::pin(futures::stream::iter(pieces)));
    assert_eq!(fixture.put(payload).await.unwrap_err().kind(), ErrorKind::ChecksumMismatch);
    assert!(server.seen().iter().all(|seen| !seen.complete), "{:?}", server.seen().len());
}

#[tokio::test]
async fn nobody_there() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/account", listener.local_addr().unwrap());
    drop(listener);
    let error = Fixture::new(&url).put(stream(5000)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
}

#[tokio::test]
async fn head_errors_have_no_body_and_the_connection_lives_on() {
    let server = Scripted::start(|_, _| {
        Reply::raw("HTTP/1.1 404 The specified blob does not exist.\r\nTransfer-Encoding: chunked\r\nx-ms-error-code: BlobNotFound\r\n\r\n")
    })
    .await;
    let fixture = Fixture::new(&server.url);
    for _ in 0..3 {
        let error = fixture.client.get_properties(fixture.blob()).await.unwrap_err();
        assert_eq!((error.kind(), error.vendor_code()), (ErrorKind::NotFound, Some("BlobNotFound")));
    }
}

#[tokio::test]
async fn a_304_to_a_copy_is_its_source_condition() {
    let server =
        Scripted::start(|_, _| Reply::new("304 Not Modified", &[("x-ms-error-code", "CannotVerifyCopySource")], b""))
            .await;
    let fixture = Fixture::new(&server.url);
    let source =
        fixture.client.copy_source(fixture.blob(), SourceCondition::None, SourceAuth::Preferred).await.unwrap();
    assert!(!format!("{source:?}").contains("sig"), "{source:?}");
    let copied = fixture.client.put_blob_from_url(fixture.blob(), &source, &PutBlobFromUrl::default()).await;
    assert_eq!(copied.unwrap_err().kind(), ErrorKind::SourcePreconditionFailed);
}

#[tokio::test]
async fn what_every_request_carries() {
    let server = Scripted::start(|_, _| Reply::new("201 Created", &WRITE_HEADERS, b"")).await;
    let fixture = Fixture::new(&server.url);
    let request = PutBlob {
        metadata: vec![("a_1".into(), "x y".into())],
        condition: BlobCondition::Absent,
        ..PutBlob::default()
    };
    fixture.client.put_blob(fixture.blob(), Payload::empty(), request).await.unwrap();
    let seen = server.seen().remove(0);
    for (name, value) in [
        ("x-ms-version", "2026-04-06"),
        ("x-ms-blob-type", "BlockBlob"),
        ("x-ms-meta-a_1", "x y"),
        ("if-none-match", "*"),
        ("content-length", "0"),
    ] {
        assert_eq!(seen.header(name), Some(value), "{name}");
    }
    assert!(seen.header("x-ms-date").is_some_and(|date| date.ends_with(" GMT")));
    assert!(seen.header("authorization").is_some_and(|value| value.starts_with("SharedKey account:")));
    assert_eq!(seen.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("host")).count(), 1);
}
