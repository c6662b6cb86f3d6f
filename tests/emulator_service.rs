//! Rules of the service that no recording shows, and the emulator's own: blocks, pages, clock,
//! synthetic storage, faults over TCP.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bluebucket::emulator::*;
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const ACCOUNT: &str = DEVELOPMENT_ACCOUNT;
const CONTAINER: &str = "con";
const BLOCK_BLOB: (&str, &str) = ("x-ms-blob-type", "BlockBlob");

struct Service(Arc<Emulator>);

struct Got {
    status: u16,
    headers: HeaderMap,
    /// `None` if the body broke.
    body: Option<Bytes>,
}

impl Got {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    fn code(&self) -> &str {
        self.header("x-ms-error-code")
    }

    fn text(&self) -> &str {
        std::str::from_utf8(self.body.as_deref().unwrap_or_default()).unwrap()
    }
}

impl Service {
    fn new(config: EmulatorConfig) -> Self {
        let emulator = Emulator::new(config);
        emulator.create_container(ACCOUNT, CONTAINER);
        Self(emulator)
    }

    fn plain() -> Self {
        Self::new(EmulatorConfig { event_log: true, ..EmulatorConfig::default() })
    }

    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Got {
        let token = self.0.mint_token(STORAGE_AUDIENCE, Duration::from_secs(60));
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/{ACCOUNT}/{CONTAINER}{path}"))
            .header("authorization", format!("Bearer {token}"))
            .header("x-ms-version", "2026-04-06")
            .header("content-length", body.len());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        got(self.0.handle(request.body(Full::new(Bytes::copy_from_slice(body))).unwrap()).await).await
    }

    async fn put(&self, name: &str, body: &[u8]) -> Got {
        self.send("PUT", &format!("/{name}"), &[BLOCK_BLOB], body).await
    }

    async fn block(&self, name: &str, id: &str, body: &[u8]) -> Got {
        self.send("PUT", &format!("/{name}?comp=block&blockid={id}"), &[], body).await
    }

    async fn commit(&self, name: &str, list: &str) -> Got {
        let body = format!("<BlockList>{list}</BlockList>");
        self.send("PUT", &format!("/{name}?comp=blocklist"), &[], body.as_bytes()).await
    }

    async fn get(&self, name: &str) -> Got {
        self.send("GET", &format!("/{name}"), &[], b"").await
    }

    async fn list(&self, query: &str) -> Got {
        self.send("GET", &format!("?restype=container&comp=list{query}"), &[], b"").await
    }
}

async fn got(response: Response<bluebucket::net::Body>) -> Got {
    let (head, body) = response.into_parts();
    let body = body.collect().await.ok().map(|body| body.to_bytes());
    Got { status: head.status.as_u16(), headers: head.headers, body }
}

#[tokio::test]
async fn every_other_commit_discards_uncommitted_blocks() {
    let source = format!("http://h/{ACCOUNT}/{CONTAINER}/source");
    for way in ["put blob", "delete", "put from url", "copy", "other list"] {
        let service = Service::plain();
        service.put("source", b"source").await;
        service.put("key", b"old").await;
        assert_eq!(service.block("key", "MDAx", b"block").await.status, 201);
        let token = format!("Bearer {}", service.0.mint_token(STORAGE_AUDIENCE, Duration::from_secs(60)));
        let copy = [("x-ms-copy-source", source.as_str()), ("x-ms-copy-source-authorization", &token)];
        let status = match way {
            "put blob" => service.put("key", b"new").await.status,
            "delete" => service.send("DELETE", "/key", &[], b"").await.status,
            "put from url" => service.send("PUT", "/key", &[BLOCK_BLOB, copy[0], copy[1]], b"").await.status,
            "copy" => service.send("PUT", "/key", &copy, b"").await.status,
            _ => service.commit("key", "").await.status,
        };
        assert!(matches!(status, 201 | 202), "{way} {status}");
        let refused = service.commit("key", "<Uncommitted>MDAx</Uncommitted>").await;
        assert_eq!((refused.status, refused.code()), (400, "InvalidBlockList"), "{way}");
    }
}

#[tokio::test]
async fn metadata_writes_and_refused_writes_keep_uncommitted_blocks() {
    let service = Service::plain();
    service.put("key", b"old").await;
    service.block("key", "MDAx", b"block").await;
    assert_eq!(service.send("PUT", "/key?comp=metadata", &[("x-ms-meta-a", "1")], b"").await.status, 200);
    assert_eq!(service.send("PUT", "/key", &[BLOCK_BLOB, ("if-none-match", "*")], b"x").await.status, 409);
    assert_eq!(service.commit("key", "<Uncommitted>MDAx</Uncommitted>").await.status, 201);
    assert_eq!(service.get("key").await.text(), "block");
    // It was consumed; as a committed block it can be listed again.
    assert_eq!(service.commit("key", "<Uncommitted>MDAx</Uncommitted>").await.code(), "InvalidBlockList");
    assert_eq!(service.commit("key", "<Committed>MDAx</Committed><Latest>MDAx</Latest>").await.status, 201);
    assert_eq!(service.get("key").await.text(), "blockblock");
}

#[tokio::test]
async fn block_rules() {
    let service = Service::plain();
    let id = |bytes: usize| format!("{}", base64_of(&vec![b'a'; bytes]));
    assert_eq!(service.block("key", &id(64), b"x").await.status, 201);
    let refused = service.block("other", &id(65), b"x").await;
    assert_eq!((refused.status, refused.code()), (400, "InvalidQueryParameterValue"));
    let refused = service.block("key", &id(63), b"x").await;
    assert_eq!((refused.status, refused.code()), (400, "InvalidBlobOrBlock"));
    assert_eq!(service.send("DELETE", "/key", &[], b"").await.status, 202);
    assert_eq!(service.block("key", &id(63), b"x").await.status, 201);
}

#[tokio::test]
async fn uncommitted_blocks_expire_a_week_after_the_last_put_block() {
    let day = Duration::from_secs(86_400);
    let clock = Clock::manual(SystemTime::UNIX_EPOCH + day * 20_000);
    let service = Service::new(EmulatorConfig { clock: clock.clone(), ..EmulatorConfig::default() });
    service.block("key", "MDAx", b"a").await;
    clock.advance(day * 6);
    service.block("key", "MDAy", b"b").await;
    clock.advance(day * 6);
    let list = service.send("GET", "/key?comp=blocklist&blocklisttype=all", &[], b"").await;
    assert!(list.text().contains("MDAx"), "the last Put Block restarts the week for all");
    clock.advance(day);
    assert_eq!(service.commit("key", "<Latest>MDAx</Latest>").await.code(), "InvalidBlockList");
}

#[tokio::test]
async fn names() {
    let service = Service::plain();
    for (path, name) in
        [("a%5Cb", "a/b"), ("a%252Fb", "a%2Fb"), ("x/../y", "x/../y"), ("s%20+p", "s +p"), ("d//e", "d//e")]
    {
        assert_eq!(service.put(path, b"x").await.status, 201);
        assert!(service.list("").await.text().contains(&format!("<Name>{name}</Name>")), "{path}");
    }
    for bad in ["a%01", "a%0A", "%C2%81", "%EE%80%80"] {
        assert_eq!(service.put(bad, b"x").await.status, 400, "{bad}");
    }
    assert_eq!(service.put(&"é".repeat(3).replace('é', "%C3%A9"), b"x").await.status, 201);
    assert_eq!(service.put(&"a".repeat(1024), b"x").await.status, 201);
    assert_eq!(service.put(&"a".repeat(1025), b"x").await.status, 400);
}

#[tokio::test]
async fn pages_lose_and_repeat_nothing() {
    let mut random = fastrand::Rng::with_seed(11);
    let config = EmulatorConfig { empty_page_every: Some(3), ..EmulatorConfig::default() };
    let service = Service::new(config);
    let pieces = ["a", "b", "/", "//", "-", "\u{E001}", "\u{FFFF}", "😀", "é"];
    let mut names = std::collections::BTreeSet::new();
    while names.len() < 60 {
        let name: String = (0..random.usize(1..6)).map(|_| pieces[random.usize(..pieces.len())]).collect();
        names.insert(name);
    }
    for name in &names {
        assert_eq!(service.put(&encoded(name), b"").await.status, 201);
    }
    for round in 0..200 {
        let prefix: String = (0..random.usize(0..3)).map(|_| pieces[random.usize(..pieces.len())]).collect();
        let delimiter = ["", "/", "//", "a"][random.usize(..4)];
        let start = if random.bool() { pieces[random.usize(..pieces.len())] } else { "" };
        let max = random.usize(1..8);
        let expected = expected_list(&names, &prefix, delimiter, start);
        let found = walk(&service, &prefix, delimiter, start, max).await;
        assert_eq!(found, expected, "round {round}: {prefix:?} {delimiter:?} {start:?} {max}");
    }
}

/// The model: names from `start` on, grouped, in UTF-16 order.
fn expected_list(
    names: &std::collections::BTreeSet<String>,
    prefix: &str,
    delimiter: &str,
    start: &str,
) -> Vec<String> {
    let units = |text: &str| text.encode_utf16().collect::<Vec<_>>();
    let mut fitting: Vec<&String> =
        names.iter().filter(|name| name.starts_with(prefix) && units(name) >= units(start)).collect();
    fitting.sort_by_key(|name| units(name));
    let mut shown: Vec<String> = Vec::new();
    for name in fitting {
        let cut = if delimiter.is_empty() { None } else { name[prefix.len()..].find(delimiter) };
        let entry = match cut {
            Some(at) => format!("prefix {}", &name[..prefix.len() + at + delimiter.len()]),
            None => format!("blob {name}"),
        };
        if shown.last() != Some(&entry) {
            shown.push(entry);
        }
    }
    shown
}

async fn walk(service: &Service, prefix: &str, delimiter: &str, start: &str, max: usize) -> Vec<String> {
    let mut shown = Vec::new();
    let mut marker = String::new();
    loop {
        let [p, d, s, m] = [prefix, delimiter, start, &marker].map(encoded);
        let page = service.list(&format!("&prefix={p}&delimiter={d}&startFrom={s}&maxresults={max}&marker={m}")).await;
        assert_eq!(page.status, 200, "{}", page.text());
        let text = page.text();
        let entries: Vec<_> = text
            .split("<Name")
            .skip(1)
            .zip(text.split("<Name").map(|before| before.ends_with("<BlobPrefix>")))
            .collect();
        assert!(entries.len() <= max);
        for (entry, is_prefix) in entries {
            let (attribute, rest) = entry.split_once('>').unwrap();
            let name = rest.split_once('<').unwrap().0;
            let name = if attribute.contains("Encoded") { decoded(name) } else { name.to_owned() };
            shown.push(format!("{} {name}", if is_prefix { "prefix" } else { "blob" }));
        }
        match text.split_once("<NextMarker>") {
            Some((_, rest)) => marker = rest.split_once('<').unwrap().0.to_owned(),
            None => return shown,
        }
    }
}

fn encoded(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c == '%' {
            bytes.push(u8::from_str_radix(&rest[1..3], 16).unwrap());
            rest = &rest[3..];
        } else {
            bytes.extend(c.to_string().bytes());
            rest = &rest[c.len_utf8()..];
        }
    }
    String::from_utf8(bytes).unwrap()
}

fn base64_of(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(bytes).replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
}

#[tokio::test]
async fn a_pending_copy_shows_an_empty_blob_first() {
    let clock = Clock::manual(SystemTime::now());
    let copy_pending = Some(Duration::from_secs(10));
    let service = Service::new(EmulatorConfig { clock: clock.clone(), copy_pending, ..EmulatorConfig::default() });
    service.put("source", b"content").await;
    let source = format!("http://h/{ACCOUNT}/{CONTAINER}/source");
    let answer = service.send("PUT", "/copy", &[("x-ms-copy-source", &source)], b"").await;
    assert_eq!((answer.status, answer.header("x-ms-copy-status")), (202, "pending"));
    let before = service.get("copy").await;
    assert_eq!((before.status, before.text(), before.header("x-ms-copy-status")), (200, "", "pending"));
    clock.advance(Duration::from_secs(10));
    let after = service.get("copy").await;
    assert_eq!((after.text(), after.header("x-ms-copy-status")), ("content", "success"));
    assert_ne!(before.header("etag"), after.header("etag"));
}

#[tokio::test]
async fn synthetic_storage() {
    for md5 in [ContentMd5::Compute, ContentMd5::Remember, ContentMd5::Omit] {
        let account = AccountConfig { content_md5: md5, ..AccountConfig::synthetic(ACCOUNT, &["state"]) };
        let service = Service::new(EmulatorConfig { accounts: vec![account], ..EmulatorConfig::default() });
        let body = vec![7; 200_000];
        for _ in 0..2 {
            let put = service.put("key", &body).await;
            let expected = if md5 == ContentMd5::Omit { String::new() } else { md5_of(&body) };
            assert_eq!(put.header("content-md5"), expected, "{md5:?}");
            let read = service.get("key").await;
            assert_eq!(read.body.as_ref().map(Bytes::len), Some(200_000));
            assert_eq!(read.header("content-md5"), put.header("content-md5"));
        }
        // Blobs that are seeded read back with checksums that fit.
        service.0.seed_synthetic(ACCOUNT, CONTAINER, 3, 100_000, |n| format!("seed/{n}"));
        let seeded = service.get("seed/1").await;
        let sum = md5_of(seeded.body.as_deref().unwrap());
        assert_eq!(seeded.header("content-md5"), if md5 == ContentMd5::Omit { "" } else { &sum });
        // Named containers keep what is written.
        service.0.create_container(ACCOUNT, "state");
        let sas = service.0.container_sas(ACCOUNT, "state", "rw", Duration::from_secs(60)).unwrap();
        for method in ["PUT", "GET"] {
            let request = Request::builder()
                .method(method)
                .uri(format!("/{ACCOUNT}/state/record?{sas}"))
                .header("x-ms-blob-type", "BlockBlob")
                .header("content-length", 6);
            let answer = got(service.0.handle(request.body(Full::new(Bytes::from("record"))).unwrap()).await).await;
            assert!(matches!(answer.status, 200 | 201), "{}", answer.text());
            if method == "GET" {
                assert_eq!(answer.text(), "record");
            }
        }
    }
}

fn md5_of(bytes: &[u8]) -> String {
    use base64::Engine;
    use md5::Digest;
    base64::engine::general_purpose::STANDARD.encode(md5::Md5::digest(bytes))
}

#[tokio::test]
async fn authentication() {
    let service = Service::plain();
    let minute = Duration::from_secs(60);
    let other = service.0.mint_token("https://vault.azure.net", minute);
    let expired = service.0.mint_token(STORAGE_AUDIENCE, Duration::ZERO);
    let slash = service.0.mint_token("https://storage.azure.com/", minute);
    for (authorization, status, code) in [
        (None, 401, "NoAuthenticationInformation"),
        (Some(format!("Bearer {other}")), 401, "InvalidAuthenticationInfo"),
        (Some(format!("Bearer {expired}")), 401, "InvalidAuthenticationInfo"),
        (Some("Bearer x".to_owned()), 401, "InvalidAuthenticationInfo"),
        (Some("SharedKey devstoreaccount1:AAAA".to_owned()), 403, "AuthenticationFailed"),
        (Some("Basic x".to_owned()), 403, "AuthenticationFailed"),
        (Some(format!("Bearer {slash}")), 404, "BlobNotFound"),
    ] {
        let mut request = Request::get(format!("/{ACCOUNT}/{CONTAINER}/no")).header("x-ms-version", "2026-04-06");
        if let Some(authorization) = &authorization {
            request = request.header("authorization", authorization);
        }
        let answer = got(service.0.handle(request.body(Full::new(Bytes::new())).unwrap()).await).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{authorization:?}");
        assert_eq!(answer.headers.contains_key("www-authenticate"), status == 401);
    }
}

#[tokio::test]
async fn a_sas_that_may_create_may_not_overwrite() {
    let service = Service::plain();
    let sas = service.0.container_sas(ACCOUNT, CONTAINER, "c", Duration::from_secs(60)).unwrap();
    for (status, code) in [(201, ""), (403, "AuthorizationPermissionMismatch")] {
        let request = Request::put(format!("http://{ACCOUNT}.blob.test/{CONTAINER}/key?{sas}"))
            .header("host", format!("{ACCOUNT}.blob.test"))
            .header("x-ms-blob-type", "BlockBlob")
            .header("content-length", 0);
        let answer = got(service.0.handle(request.body(Full::new(Bytes::new())).unwrap()).await).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{}", answer.text());
    }
}

#[tokio::test]
async fn faults_on_order() {
    let service = Service::plain();
    let next = |operation, fault| service.0.next_fault(operation, fault);
    next(Operation::PutBlob, Fault::Throttle { text: Throttle::Ingress, retry_after: Some(2) });
    let answer = service.put("key", b"one").await;
    assert_eq!((answer.status, answer.code(), answer.header("retry-after")), (503, "ServerBusy", "2"));
    next(Operation::PutBlob, Fault::TimeoutBefore);
    assert_eq!(service.put("key", b"one").await.code(), "OperationTimedOut");
    assert_eq!(service.get("key").await.status, 404);
    next(Operation::PutBlob, Fault::TimeoutAfter);
    assert_eq!(service.put("key", b"one").await.status, 500);
    assert_eq!(service.get("key").await.text(), "one");
    next(Operation::PutBlob, Fault::ResponseLost);
    assert!(service.put("key", b"two").await.body.is_none());
    assert_eq!(service.get("key").await.text(), "two");
    next(Operation::GetBlob, Fault::CorruptByte { offset: 1 });
    assert_eq!(service.get("key").await.body.unwrap()[..], [b't', b'w' ^ 0xFF, b'o']);
    next(Operation::GetBlob, Fault::ResetBody { after: 2 });
    assert!(service.get("key").await.body.is_none());
    next(Operation::GetBlob, Fault::SlowBody { piece: 1, pause: Duration::from_millis(1) });
    assert_eq!(service.get("key").await.text(), "two");
    next(Operation::GetBlob, Fault::TokenExpired);
    let refused = service.get("key").await;
    assert_eq!((refused.status, refused.headers.contains_key("www-authenticate")), (401, true));
    assert_eq!(service.get("key").await.status, 200);
    let kinds: Vec<_> = service.0.events(0).into_iter().filter(|event| event.name == "key").collect();
    assert_eq!(kinds.len(), 2, "commits that happened, whatever was answered");
    assert_eq!(service.0.counters()["PutBlob"], 4);
}

#[tokio::test]
async fn over_tcp() {
    let service = Service::plain();
    service.put("key", &vec![b'x'; 100_000]).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(service.0.clone().serve(listener, std::future::pending()));
    let token = service.0.mint_token(STORAGE_AUDIENCE, Duration::from_secs(60));
    let exchange = async |method: &str, name: &str| {
        let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
        let head = format!(
            "{method} /{ACCOUNT}/{CONTAINER}/{name} HTTP/1.1\r\nhost: h\r\nauthorization: Bearer {token}\r\nx-ms-version: 2026-04-06\r\nconnection: close\r\n\r\n"
        );
        socket.write_all(head.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let _ = socket.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    };
    let whole = exchange("GET", "key").await;
    assert!(whole.starts_with("HTTP/1.1 200 OK\r\n") && whole.ends_with(&"x".repeat(100_000)));
    // Errors of HEAD have neither body nor length.
    let head = exchange("HEAD", "no").await;
    assert!(head.contains("x-ms-error-code: BlobNotFound") && head.ends_with("\r\n\r\n"), "{head}");
    assert!(!head.to_ascii_lowercase().contains("content-length"), "{head}");
    service.0.next_fault(Operation::GetBlob, Fault::ResponseLost);
    assert_eq!(exchange("GET", "key").await, "", "not a byte of a lost answer arrives");
    service.0.next_fault(Operation::GetBlob, Fault::ResetBody { after: 10_000 });
    let cut = exchange("GET", "key").await;
    assert_eq!(cut.matches('x').count() - cut.split("\r\n\r\n").next().unwrap().matches('x').count(), 10_000);
}
