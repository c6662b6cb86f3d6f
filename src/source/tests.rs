//! The client against a scripted source, over an in-process pipe.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use super::*;
use crate::net::{Backoff, Client, Dialer, PipeNet, PoolLimits};
use crate::object::{Algorithm, BucketName, ETag, Error, ErrorKind, Span, body::collect};

const LIMITS: PoolLimits = PoolLimits {
    connections_max: 4,
    idle_max: Duration::from_secs(4),
    connect_timeout: Duration::from_secs(5),
    read_timeout: Duration::from_secs(10),
};

/// Answers each connection with the next text of a script, then closes it; keeps the request heads.
struct Script {
    client: SourceClient,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Script {
    fn new(answers: &[&str]) -> Self {
        let net = PipeNet::new();
        let mut pipe = net.listen("s3:9000");
        let requests = Arc::<Mutex<Vec<String>>>::default();
        let mut answers: VecDeque<String> = answers.iter().map(|answer| (*answer).to_owned()).collect();
        let seen = requests.clone();
        tokio::spawn(async move {
            loop {
                let mut io = pipe.accept().await;
                let head = read_head(&mut io).await;
                seen.lock().unwrap().push(head);
                if let Some(answer) = answers.pop_front() {
                    io.write_all(answer.as_bytes()).await.unwrap();
                }
            }
        });
        Self { client: client(&net), requests }
    }

    fn request(&self, index: usize) -> String {
        self.requests.lock().unwrap()[index].clone()
    }

    fn count(&self) -> usize {
        self.requests.lock().unwrap().len()
    }
}

fn client(net: &PipeNet) -> SourceClient {
    let config = SourceConfig {
        endpoint: Some("http://s3:9000".to_owned()),
        region: "eu-west-1".to_owned(),
        addressing: Addressing::Path,
        credentials: CredentialProvider::fixed(Credentials::new("AKID", "SECRET")),
        user_agent: "bluebucket/test".to_owned(),
        backoff: Backoff::default(),
    };
    SourceClient::new(config, Client::new(Dialer::pipes(net.clone()), LIMITS), Arc::default()).unwrap()
}

async fn read_head(io: &mut DuplexStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match io.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(head).unwrap()
}

fn bucket() -> BucketName {
    BucketName::new("bkt").unwrap()
}

const OBJECT: &str = "etag: \"e1\"\r\nlast-modified: Mon, 23 Nov 2026 05:41:51 GMT\r\n";

fn whole(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\n{OBJECT}content-length: {}\r\n\r\n{body}", body.len())
}

fn error(status: &str, code: &str, headers: &str) -> String {
    let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>why</Message></Error>");
    format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n{body}", body.len())
}

async fn get(script: &Script, get: &GetSource) -> Result<(SourceMeta, Bytes), Error> {
    let download = script.client.get_object(&bucket(), "k", get).await?;
    Ok((download.meta, collect(download.body, 1 << 20).await?))
}

#[tokio::test(start_paused = true)]
async fn keys_go_out_byte_exact_and_signed() {
    for (key, path) in [
        ("a//b", "/bkt/a//b"),
        ("./x", "/bkt/./x"),
        ("a/../b", "/bkt/a/../b"),
        ("..", "/bkt/.."),
        ("\\", "/bkt/%5C"),
        ("%2F", "/bkt/%252F"),
        ("/lead", "/bkt//lead"),
        ("a b+é?#&=\n", "/bkt/a%20b%2B%C3%A9%3F%23%26%3D%0A"),
    ] {
        let script = Script::new(&[&whole("x")]);
        script.client.get_object(&bucket(), key, &GetSource::default()).await.unwrap();
        let request = script.request(0);
        assert!(request.starts_with(&format!("GET {path} HTTP/1.1\r\n")), "{request}");
        assert!(request.contains("host: s3:9000\r\n"), "{request}");
        assert!(request.contains("authorization: AWS4-HMAC-SHA256 Credential=AKID/"), "{request}");
        assert!(request.contains("SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature="), "{request}");
        assert!(!request.contains("SECRET"));
    }
}

#[tokio::test(start_paused = true)]
async fn headers_of_an_object() {
    let script = Script::new(&[
        "HTTP/1.1 200 OK\r\netag: \"e-2\"\r\nlast-modified: Mon, 23 Nov 2026 05:41:51 GMT\r\ncontent-length: 3\r\n\
         content-type: text/x\r\ncache-control: no-store\r\nexpires: soon\r\nx-amz-meta-b: 2\r\nx-amz-meta-A: =?UTF-8?B?w6k=?=\r\n\
         x-amz-missing-meta: 1\r\nx-amz-checksum-crc32: AAAAAA==-2\r\nx-amz-checksum-type: COMPOSITE\r\n\
         x-amz-version-id: v7\r\nx-amz-tagging-count: 3\r\nx-amz-storage-class: STANDARD_IA\r\n\
         x-amz-server-side-encryption: aws:kms\r\nx-amz-mp-parts-count: 2\r\n\r\nabc",
    ]);
    let (meta, body) = get(&script, &GetSource { checksum_mode: true, ..GetSource::default() }).await.unwrap();
    assert_eq!(body, "abc");
    assert!(script.request(0).contains("x-amz-checksum-mode: ENABLED\r\n"));
    assert_eq!((meta.etag.as_str(), meta.size), ("e-2", 3));
    assert_eq!(meta.metadata.iter().collect::<Vec<_>>(), [("a", "=?UTF-8?B?w6k=?="), ("b", "2")]);
    assert_eq!((meta.metadata_missing, meta.tag_count, meta.parts_count), (1, 3, Some(2)));
    assert_eq!(meta.content.content_type.as_deref(), Some("text/x"));
    assert_eq!(meta.content.expires.as_deref(), Some("soon"));
    assert_eq!(
        meta.checksums.iter().map(|sum| (sum.algorithm, sum.text())).collect::<Vec<_>>(),
        [(Algorithm::Crc32, "AAAAAA==-2".to_owned())]
    );
    assert_eq!(meta.version_id.as_deref(), Some("v7"));
    assert_eq!(meta.storage_class.as_deref(), Some("STANDARD_IA"));
    assert_eq!(meta.encryption.as_deref(), Some("aws:kms"));
    assert!(!meta.sse_customer);
}

#[tokio::test(start_paused = true)]
async fn a_broken_body_is_resumed_under_the_etag() {
    let script = Script::new(&[
        &format!("HTTP/1.1 200 OK\r\n{OBJECT}content-length: 10\r\nx-amz-version-id: v1\r\n\r\n0123"),
        &error("503 Slow Down", "SlowDown", ""),
        &format!("HTTP/1.1 206 P\r\n{OBJECT}content-length: 6\r\ncontent-range: bytes 4-9/10\r\n\r\n45"),
        &format!("HTTP/1.1 206 P\r\n{OBJECT}content-length: 4\r\ncontent-range: bytes 6-9/10\r\n\r\n6789"),
    ]);
    let (_, body) = get(&script, &GetSource::default()).await.unwrap();
    assert_eq!(body, "0123456789");
    let last = script.request(3);
    assert!(last.starts_with("GET /bkt/k?versionId=v1 "), "{last}");
    assert!(last.contains("range: bytes=6-9\r\n") && last.contains("if-match: \"e1\"\r\n"), "{last}");
    assert_eq!(script.client.stats().resumed.load(Ordering::Relaxed), 2);
    assert_eq!(script.client.stats().throttled.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_resume_never_mixes_versions_and_ends() {
    let cut = format!("HTTP/1.1 200 OK\r\n{OBJECT}content-length: 4\r\n\r\n01");
    let other = "HTTP/1.1 206 P\r\netag: \"e2\"\r\nlast-modified: Mon, 23 Nov 2026 05:41:51 GMT\r\n\
                 content-length: 2\r\ncontent-range: bytes 2-3/4\r\n\r\n23";
    let shifted = format!("HTTP/1.1 206 P\r\n{OBJECT}content-length: 2\r\ncontent-range: bytes 1-2/4\r\n\r\n23");
    let changed = error("412 Precondition Failed", "PreconditionFailed", "");
    for (answer, kind) in [
        (other, ErrorKind::Corrupt),
        (&shifted, ErrorKind::Corrupt),
        (&whole("0123"), ErrorKind::Corrupt),
        (&changed, ErrorKind::PreconditionFailed),
    ] {
        let script = Script::new(&[&cut, answer]);
        assert_eq!(get(&script, &GetSource::default()).await.unwrap_err().kind(), kind, "{answer}");
    }
    let nothing = format!("HTTP/1.1 206 P\r\n{OBJECT}content-length: 2\r\ncontent-range: bytes 2-3/4\r\n\r\n");
    let script = Script::new(&[&cut, &nothing, &nothing, &nothing, &nothing, &nothing, &nothing]);
    assert_eq!(get(&script, &GetSource::default()).await.unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!(script.count(), 5);
}

#[tokio::test(start_paused = true)]
async fn ranges() {
    let span = |start, end| GetSource { range: Some(Span { start, end }), ..GetSource::default() };
    let part = |range: &str, body: &str| {
        let length = body.len();
        format!(
            "HTTP/1.1 206 P\r\n{OBJECT}content-length: {length}\r\ncontent-range: bytes {range}\r\n\
             x-amz-checksum-crc32: AAAAAA==\r\n\r\n{body}"
        )
    };
    let script = Script::new(&[&part("2-4/9", "234")]);
    let (meta, body) = get(&script, &span(2, 5)).await.unwrap();
    assert_eq!((meta.size, body), (9, Bytes::from("234")));
    assert!(meta.checksums.is_empty(), "a checksum of a range is not one of the object");
    let (_, body) = get(&Script::new(&[&part("7-8/9", "78")]), &span(7, 100)).await.unwrap();
    assert_eq!(body, "78", "clipped at the object's end");
    let (_, body) = get(&Script::new(&[&whole("012")]), &span(0, 5)).await.unwrap();
    assert_eq!(body, "012", "the whole answers a range that covers it");
    for (answer, range) in [
        (part("2-4/9", "234"), span(1, 4)),
        (part("2-3/9", "23"), span(2, 5)),
        (part("2-4/9", "23"), span(2, 5)),
        (part("2-4/*", "234"), span(2, 5)),
        (whole("0123456789"), span(2, 5)),
        (part("0-2/9", "012"), GetSource::default()),
    ] {
        let kind = get(&Script::new(&[&answer]), &range).await.unwrap_err().kind();
        assert_eq!(kind, ErrorKind::Corrupt, "{answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_empty_object_and_answers_that_cannot_be_pinned() {
    let (meta, body) = get(&Script::new(&[&whole("")]), &GetSource::default()).await.unwrap();
    assert_eq!((meta.size, body.len()), (0, 0));
    for bad in [
        "HTTP/1.1 200 OK\r\netag: \"e\"\r\ncontent-length: 1\r\n\r\nx",
        "HTTP/1.1 200 OK\r\nlast-modified: Mon, 23 Nov 2026 05:41:51 GMT\r\ncontent-length: 1\r\n\r\nx",
        &format!("HTTP/1.1 200 OK\r\n{OBJECT}\r\nendless"),
        &format!("HTTP/1.1 200 OK\r\n{OBJECT}transfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"),
    ] {
        assert_eq!(get(&Script::new(&[bad]), &GetSource::default()).await.unwrap_err().kind(), ErrorKind::Corrupt);
    }
    let pinned = GetSource { if_match: Some(ETag::parse("e9")), ..GetSource::default() };
    let error = get(&Script::new(&[&whole("x")]), &pinned).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "a source that ignores If-Match");
}

#[tokio::test(start_paused = true)]
async fn refusals_are_classified_and_only_some_tried_again() {
    for (answer, kind, tries) in [
        (error("404 Not Found", "NoSuchKey", ""), ErrorKind::NotFound, 1),
        (error("404 Not Found", "NoSuchBucket", ""), ErrorKind::ContainerMissing, 1),
        (error("403 Forbidden", "AccessDenied", ""), ErrorKind::Denied, 1),
        (error("403 Forbidden", "InvalidObjectState", ""), ErrorKind::Archived, 1),
        (error("400 Bad Request", "InvalidRequest", ""), ErrorKind::Unsupported, 1),
        (error("405 Method Not Allowed", "MethodNotAllowed", "x-amz-delete-marker: true\r\n"), ErrorKind::NotFound, 1),
        (error("412 Precondition Failed", "PreconditionFailed", ""), ErrorKind::PreconditionFailed, 1),
        (error("416 Range", "InvalidRange", ""), ErrorKind::RangeUnsatisfiable, 1),
        (error("500 Internal", "InternalError", ""), ErrorKind::Unavailable, 2),
        (error("429 Too Many", "TooManyRequests", ""), ErrorKind::Throttled, 2),
        (String::new(), ErrorKind::Unavailable, 2),
    ] {
        let script = Script::new(&[&answer, &error("404 Not Found", "NoSuchKey", "")]);
        let error = get(&script, &GetSource::default()).await.unwrap_err();
        if tries == 1 {
            assert_eq!(error.kind(), kind, "{error}");
        }
        assert_eq!(script.count(), tries, "{answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_honoured_and_the_end_reported() {
    let slow = error("503 Slow Down", "SlowDown", "retry-after: 7\r\nx-amz-request-id: R1\r\n");
    let script = Script::new(&[&slow, &whole("x")]);
    let begun = tokio::time::Instant::now();
    get(&script, &GetSource::default()).await.unwrap();
    assert_eq!(begun.elapsed().as_secs(), 7);
    let script = Script::new(&vec![slow.as_str(); 20]);
    let error = get(&script, &GetSource::default()).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.vendor_code(), error.request_id()),
        (ErrorKind::Throttled, Some("SlowDown"), Some("R1"))
    );
    assert_eq!(script.count(), 3, "20 s in all");
}

#[tokio::test(start_paused = true)]
async fn the_right_region_is_named() {
    let body = "<Error><Code>AuthorizationHeaderMalformed</Code><Message>m</Message><Region>us-west-2</Region></Error>";
    let malformed = format!("HTTP/1.1 400 Bad\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    let moved = "HTTP/1.1 301 Moved\r\nx-amz-bucket-region: us-west-2\r\ncontent-length: 0\r\n\r\n";
    let script = Script::new(&[&malformed, moved]);
    for _ in 0..2 {
        let error = script.client.head_bucket(&bucket()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        // A HEAD carries no document: the first answer's is not seen.
        if script.count() == 2 {
            assert!(error.message().contains("us-west-2, not in eu-west-1"), "{error}");
        }
    }
    let script = Script::new(&[&malformed]);
    let error = script.client.list_objects(&bucket(), &SourceList::default()).await.unwrap_err();
    assert!(error.message().contains("us-west-2, not in eu-west-1"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_wrong_clock_is_corrected_once() {
    let skewed = error("403 Forbidden", "RequestTimeTooSkewed", "date: Thu, 01 Jan 2032 00:00:00 GMT\r\n");
    let script = Script::new(&[&skewed, &whole("x")]);
    get(&script, &GetSource::default()).await.unwrap();
    assert!(script.request(1).contains("x-amz-date: 20320101T0000"), "{}", script.request(1));
    let script = Script::new(&[&skewed, &skewed, &skewed]);
    assert_eq!(get(&script, &GetSource::default()).await.unwrap_err().kind(), ErrorKind::AuthExpired);
    assert_eq!(script.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_head_refused_without_reason_asks_for_it() {
    let script = Script::new(&[
        "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n",
        &error("400 Bad Request", "InvalidRequest", ""),
    ]);
    let error = script.client.head_object(&bucket(), "k", None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    assert!(script.request(1).contains("range: bytes=0-0\r\n"));
}

#[tokio::test(start_paused = true)]
async fn a_listing_that_breaks_off_is_asked_for_again() {
    let page = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>";
    let full = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{page}", page.len());
    let script = Script::new(&[&full[..full.len() - 5], &full]);
    let page = script.client.list_objects(&bucket(), &SourceList::default()).await.unwrap();
    assert!(page.objects.is_empty() && script.count() == 2);
    assert!(script.request(0).starts_with("GET /bkt?encoding-type=url&list-type=2&prefix= "), "{}", script.request(0));
}

/// Reads what `tests/harness` or a person put into a real S3-compatible service; run by hand:
/// `BLUEBUCKET_TRY_S3=http://127.0.0.1:8333,KEY,SECRET,bucket cargo test try_out -- --ignored --nocapture`.
#[tokio::test]
#[ignore = "needs a service"]
async fn try_out_on_a_service() {
    let setting = std::env::var("BLUEBUCKET_TRY_S3").expect("BLUEBUCKET_TRY_S3");
    let [endpoint, key, secret, bucket] = setting.split(',').collect::<Vec<_>>()[..] else { panic!("four parts") };
    let config = SourceConfig {
        endpoint: Some(endpoint.to_owned()),
        region: "us-east-1".to_owned(),
        addressing: Addressing::Path,
        credentials: CredentialProvider::fixed(Credentials::new(key, secret)),
        user_agent: "bluebucket/test".to_owned(),
        backoff: Backoff::default(),
    };
    let client = SourceClient::new(config, Client::new(Dialer::network(None), LIMITS), Arc::default()).unwrap();
    let bucket = BucketName::new(bucket).unwrap();
    println!("head bucket: {:?}", client.head_bucket(&bucket).await);
    println!("location: {:?}", client.get_bucket_location(&bucket).await);
    let mut list = SourceList { max_keys: Some(3), ..SourceList::default() };
    loop {
        let page = client.list_objects(&bucket, &list).await.unwrap();
        for object in page.objects {
            let head = client.head_object(&bucket, &object.key, None).await;
            let read = match client.get_object(&bucket, &object.key, &GetSource::default()).await {
                Ok(mut download) => {
                    let mut bytes = 0;
                    while let Some(piece) = download.body.next().await {
                        bytes += piece.unwrap().len() as u64;
                    }
                    Ok((bytes == object.size, download.meta.etag == object.etag, download.meta.tag_count))
                }
                Err(error) => Err(error.to_string()),
            };
            let tags = client.get_object_tagging(&bucket, &object.key, None).await;
            println!(
                "{object:?}\n  head {:?}\n  read {read:?}\n  tags {tags:?}",
                head.map(|meta| (meta.size, meta.metadata, meta.checksums))
            );
        }
        match page.next_token {
            Some(token) if page.truncated => list.continuation_token = Some(token),
            _ => break,
        }
    }
    println!("missing: {}", client.head_object(&bucket, "no such key", None).await.unwrap_err());
    println!(
        "no bucket: {}",
        client.list_objects(&BucketName::new("no-such-bucket").unwrap(), &list).await.unwrap_err()
    );
    println!("{:?}", client.stats());
}
