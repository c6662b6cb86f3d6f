//! S14 requests that two readers could cut at different places, sent byte by byte. Whatever a sender writes, no byte
//! of a body is ever read as a request, and what cannot be read ends the connection.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::product::{BUCKET, Product};
use crate::harness::refusal::{assert_untouched, product};
use crate::harness::s3_client::BodyMode;

/// Everything that comes back for these bytes until the connection is closed or silent for long, and whether it was
/// closed.
async fn exchange(product: &Product, bytes: &[u8]) -> (Vec<u16>, bool, String) {
    let mut stream = TcpStream::connect(product.address).await.unwrap();
    // The other side may have closed before it has read all.
    let _ = stream.write_all(bytes).await;
    let mut read = Vec::new();
    let mut piece = [0; 16 << 10];
    let closed = loop {
        match tokio::time::timeout(Duration::from_millis(700), stream.read(&mut piece)).await {
            Err(_) => break false,
            Ok(Ok(0) | Err(_)) => break true,
            Ok(Ok(count)) => read.extend_from_slice(&piece[..count]),
        }
    };
    let text = String::from_utf8_lossy(&read).into_owned();
    let statuses = text.match_indices("HTTP/1.").filter_map(|(at, _)| text.get(at + 9..at + 12)?.parse().ok());
    (statuses.collect(), closed, text)
}

/// The head of a good PUT without its length, to be continued by headers.
fn put_head(product: &Product) -> String {
    let mut request = product.client().object("PUT", BUCKET, "other").body(b"smuggled", BodyMode::Unsigned).build();
    request.remove_header("content-length");
    let head = String::from_utf8(request.head_bytes()).unwrap();
    head.strip_suffix("\r\n").unwrap().to_owned()
}

/// A good request that would delete the object if it were ever read.
fn hidden(product: &Product) -> String {
    String::from_utf8(product.client().object("DELETE", BUCKET, "key").build().head_bytes()).unwrap()
}

#[tokio::test]
async fn lengths_that_contradict_each_other() {
    let product = product().await;
    let hidden = hidden(&product);
    let long = 8 + hidden.len();
    let chunks = "8\r\nsmuggled\r\n0\r\n\r\n";
    for (context, headers, body) in [
        (
            "length, then chunks",
            format!("content-length: {long}\r\ntransfer-encoding: chunked\r\n"),
            format!("{chunks}{hidden}"),
        ),
        (
            "chunks, then length",
            format!("transfer-encoding: chunked\r\ncontent-length: {long}\r\n"),
            format!("{chunks}{hidden}"),
        ),
        (
            "length 0, then chunks",
            "content-length: 0\r\ntransfer-encoding: chunked\r\n".into(),
            format!("{:x}\r\n{hidden}\r\n0\r\n\r\n", hidden.len()),
        ),
        ("two lengths", format!("content-length: 8\r\ncontent-length: {long}\r\n"), format!("smuggled{hidden}")),
        ("two lengths in one", format!("content-length: 8, {long}\r\n"), format!("smuggled{hidden}")),
        ("no number", "content-length: 8a\r\n".into(), format!("smuggled{hidden}")),
        ("a plus", "content-length: +8\r\n".into(), format!("smuggled{hidden}")),
        ("hexadecimal", "content-length: 0x8\r\n".into(), format!("smuggled{hidden}")),
        ("an overflow", "content-length: 18446744073709551624\r\n".into(), format!("smuggled{hidden}")),
        ("a blank inside", "content-length: 0 8\r\n".into(), format!("smuggled{hidden}")),
        ("an empty length", "content-length:\r\n".into(), format!("smuggled{hidden}")),
        ("xchunked", "transfer-encoding: xchunked\r\n".into(), format!("{chunks}{hidden}")),
        (
            "chunked twice",
            "transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n".into(),
            format!("{chunks}{hidden}"),
        ),
        ("identity", "transfer-encoding: identity\r\ncontent-length: 8\r\n".into(), format!("smuggled{hidden}")),
        ("a list that ends otherwise", "transfer-encoding: chunked, gzip\r\n".into(), format!("{chunks}{hidden}")),
        ("quoted", "transfer-encoding: \"chunked\"\r\n".into(), format!("{chunks}{hidden}")),
        ("a vertical tab", "transfer-encoding: \x0bchunked\r\n".into(), format!("{chunks}{hidden}")),
        ("an empty coding", "transfer-encoding:\r\n".into(), format!("{chunks}{hidden}")),
        ("folded", "transfer-encoding:\r\n chunked\r\n".into(), format!("{chunks}{hidden}")),
        ("a blank before the colon", "transfer-encoding : chunked\r\n".into(), format!("{chunks}{hidden}")),
        ("a blank before the name", " transfer-encoding: chunked\r\n".into(), format!("{chunks}{hidden}")),
        ("a tab before the colon", "content-length\t: 8\r\n".into(), format!("smuggled{hidden}")),
        ("a line without a colon", "content-length 8\r\n".into(), format!("smuggled{hidden}")),
        ("a NUL in the name", "content-\0length: 8\r\n".into(), format!("smuggled{hidden}")),
        ("a bare return", "x-a: b\rcontent-length: 8\r\n".into(), format!("smuggled{hidden}")),
        ("a bad chunk", "transfer-encoding: chunked\r\n".into(), format!("8;\nx\r\nsmuggled\r\n0\r\n\r\n{hidden}")),
        ("a chunk of no length", "transfer-encoding: chunked\r\n".into(), format!("\r\nsmuggled\r\n0\r\n\r\n{hidden}")),
        (
            "a huge chunk",
            "transfer-encoding: chunked\r\n".into(),
            format!("10000000000000008\r\nsmuggled\r\n0\r\n\r\n{hidden}"),
        ),
        ("a negative chunk", "transfer-encoding: chunked\r\n".into(), format!("-8\r\nsmuggled\r\n0\r\n\r\n{hidden}")),
        ("a chunk too long", "transfer-encoding: chunked\r\n".into(), format!("8\r\nsmuggledXX0\r\n\r\n{hidden}")),
        ("no length", String::new(), String::new()),
    ] {
        let before = product.seen();
        let bytes = format!("{}{headers}\r\n{body}", put_head(&product));
        let (statuses, closed, text) = exchange(&product, bytes.as_bytes()).await;
        let (first, rest) = statuses.split_first().unwrap_or((&0, &[]));
        // 501 is S3's answer to HTTP chunks in place of a length.
        assert!(matches!(*first, 0 | 400..=499 | 501), "{context}: {text}");
        // After chunks that were read to their end a request may follow; where the length is in doubt none may.
        assert!(rest.is_empty(), "{context}: {statuses:?}");
        assert!(closed || context == "no length", "{context}: the connection stays open");
        let deleted = product.commits_since(&before);
        assert!(deleted.is_empty(), "{context}: {deleted:?}");
    }
    assert_untouched(&product, "lengths").await;
}

/// Line ends, versions and upgrades: one request is one request.
#[tokio::test]
async fn odd_lines_are_one_request_or_none() {
    let product = product().await;
    let good = String::from_utf8(product.client().object("GET", BUCKET, "key").build().head_bytes()).unwrap();
    let first = good.lines().next().unwrap().to_owned();
    let old = |connection: &str| {
        good.replacen("HTTP/1.1", "HTTP/1.0", 1).replacen("\r\n\r\n", &format!("\r\n{connection}\r\n"), 1)
    };
    let more = |headers: &str| good.replacen("\r\n\r\n", &format!("\r\n{headers}\r\n"), 1);
    for (context, bytes, expected, stays) in [
        ("as it is", good.clone(), &[200][..], true),
        ("bare line feeds", good.replace("\r\n", "\n"), &[200], true),
        ("empty lines before", format!("\r\n\r\n{good}"), &[200], true),
        ("a blank before", format!(" {good}"), &[400], false),
        ("two blanks", good.replacen(' ', "  ", 1), &[400], false),
        ("a tab", good.replacen(' ', "\t", 1), &[400], false),
        ("no version", good.replacen(" HTTP/1.1", "", 1), &[400], false),
        ("another protocol", good.replacen("HTTP/1.1", "HTTPS/1.1", 1), &[400], false),
        ("a later version", good.replacen("HTTP/1.1", "HTTP/1.2", 1), &[400], false),
        ("version 2", good.replacen("HTTP/1.1", "HTTP/2.0", 1), &[400], false),
        ("the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into(), &[], false),
        ("a blank in the target", good.replacen("/key", "/ke y", 1), &[400], false),
        ("a NUL in the target", good.replacen("/key", "/ke\0y", 1), &[400], false),
        ("a folded line", more("x-a: b\r\n c\r\n"), &[400], false),
        ("a NUL in a value", more("x-a: b\0c\r\n"), &[400], false),
        ("no name", more(": b\r\n"), &[400], false),
        ("a line of another request", more(&format!("{first}\r\n")), &[400], false),
        ("version 1.0", old(""), &[200], false),
        ("version 1.0 that stays", old("connection: keep-alive\r\n"), &[200], true),
        ("version 1.0 with chunks", old("transfer-encoding: chunked\r\n"), &[400], false),
        (
            "an upgrade to h2c",
            more("connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n"),
            &[200],
            true,
        ),
        (
            "an upgrade to a socket",
            more("connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-key: x\r\n"),
            &[200],
            true,
        ),
        ("close", more("connection: close\r\n"), &[200], false),
        (
            "no host",
            good.lines().filter(|line| !line.starts_with("host")).map(|line| format!("{line}\r\n")).collect(),
            &[403],
            true,
        ),
    ] {
        let before = product.seen();
        let (statuses, closed, text) = exchange(&product, bytes.as_bytes()).await;
        assert_eq!(statuses, expected, "{context}: {text}");
        assert_eq!(closed, !stays, "{context}: {text}");
        assert!(!text.contains("101 ") && !text.to_ascii_lowercase().contains("\r\nupgrade:"), "{context}: {text}");
        if expected != [200] {
            product.assert_no_call_since(&before, context);
        }
    }
}

/// A request behind a refused one is a request of its own, or is not read at all.
#[tokio::test]
async fn requests_behind_a_refused_one() {
    let product = product().await;
    let client = product.client();
    let good = client.object("GET", BUCKET, "key").build().head_bytes();
    let mut unsigned = client.object("GET", BUCKET, "key").build();
    unsigned.spoil_signature();
    let (statuses, _, text) = exchange(&product, &[unsigned.to_bytes(), good.clone()].concat()).await;
    assert_eq!(statuses, [403, 200], "{text}");
    // The same with a body that the refused request did not need.
    for length in [10, 100_000, 4 << 20] {
        let inside = [hidden(&product).into_bytes(), vec![b' '; length]].concat();
        let mut refused = client.object("PUT", BUCKET, "other").body(&inside, BodyMode::Unsigned).build();
        refused.spoil_signature();
        let before = product.seen();
        let (statuses, closed, text) = exchange(&product, &[refused.to_bytes(), good.clone()].concat()).await;
        let shown: String = text.chars().take(300).collect();
        // A reset may overtake the answer, but it never lets a second one through in its place.
        assert!(
            statuses == [403, 200] || (closed && statuses == [403]) || (closed && statuses.is_empty()),
            "{length}: {statuses:?} {shown}"
        );
        product.assert_no_commit_since(&before, "a body of a refused request");
    }
    // Two good ones in one piece.
    let (statuses, _, text) = exchange(&product, &[good.clone(), good].concat()).await;
    assert_eq!(statuses, [200, 200], "{text}");
    assert_untouched(&product, "pipelined").await;
}

/// Trailers of HTTP are no headers: they come after all has been judged.
#[tokio::test]
async fn trailers_of_the_transfer_are_not_read() {
    let product = product().await;
    let client = product.client();
    let mode = BodyMode::ChunkedUnsignedTrailer { chunk: 1_000, algorithm: crate::harness::hash::Algorithm::Crc32 };
    let mut request = client.object("PUT", BUCKET, "other").transfer_chunked().body(b"content", mode).build();
    let end = request.body.len() - 2;
    request.body.truncate(end);
    request.body.extend_from_slice(
        b"x-amz-meta-added: x\r\nx-amz-copy-source: /local-rocksdb-test/key\r\ncontent-length: 5\r\n\r\n",
    );
    let answer = client.send(&request).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    let got = client.get(BUCKET, "other").await.unwrap();
    assert_eq!((got.body.as_slice(), got.header("x-amz-meta-added")), (&b"content"[..], None));
}

/// Heads beyond all measure are turned away before they are looked at.
#[tokio::test]
async fn heads_that_are_too_long() {
    let product = product().await;
    let client = product.client();
    let long = |length: usize| "x".repeat(length);
    let many: String = (0..200).map(|index| format!("x-{index}: y\r\n")).collect();
    let head = put_head(&product);
    for (context, bytes) in [
        ("a header", format!("{head}x-a: {}\r\n\r\n", long(64 << 10))),
        ("a name", format!("{head}{}: x\r\n\r\n", long(64 << 10))),
        ("headers", format!("{head}{many}\r\n")),
        ("a target", format!("GET /{BUCKET}/{} HTTP/1.1\r\nhost: a\r\n\r\n", long(128 << 10))),
        ("a query", format!("GET /{BUCKET}?prefix={} HTTP/1.1\r\nhost: a\r\n\r\n", long(128 << 10))),
        ("a method", format!("{} / HTTP/1.1\r\nhost: a\r\n\r\n", long(128 << 10))),
        ("a line without end", long(1 << 20)),
        ("blank lines", "\r\n".repeat(1 << 19)),
    ] {
        let before = product.seen();
        let (statuses, closed, text) = exchange(&product, bytes.as_bytes()).await;
        let shown: String = text.chars().take(300).collect();
        assert!(statuses.len() <= 1 && statuses.iter().all(|status| (400..500).contains(status)), "{context}: {shown}");
        assert!(closed || context == "blank lines", "{context}: the connection stays open");
        product.assert_no_call_since(&before, context);
    }
    // As long as S3 allows a head to be, about.
    let request = client.object("GET", BUCKET, "key").unsigned_header("x-a", &long(7 << 10)).build();
    assert_eq!(client.send(&request).await.unwrap().status, 200);
}
