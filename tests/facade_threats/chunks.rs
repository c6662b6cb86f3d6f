//! S4 chunks that are moved, taken away, repeated or misframed, S5 bodies other than the signed ones. The flips of
//! single bits and the lengths that lie are in `facade_refusals`.

use crate::harness::hash::{self, Algorithm};
use crate::harness::product::{BUCKET, Product};
use crate::harness::refusal::{BEFORE, assert_tells_nothing, assert_untouched, product};
use crate::harness::s3_client::{BodyMode, RawRequest};

const CHUNK: usize = 65_536;

/// Four chunks: below what is buffered, and above it.
const LENGTHS: [usize; 2] = [3 * CHUNK + 100, 20 * CHUNK + 100];

fn content(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index % 251) as u8 ^ (index / CHUNK) as u8).collect()
}

/// A signed body, chunk by chunk: each with its head and its line end, the last one with what follows it.
fn frames(body: &[u8]) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    let mut rest = body;
    loop {
        let end = rest.windows(2).position(|pair| pair == b"\r\n").unwrap() + 2;
        let digits = rest[..end].split(|byte| *byte == b';' || *byte == b'\r').next().unwrap();
        let length = usize::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap();
        if length == 0 {
            frames.push(rest.to_vec());
            return frames;
        }
        let (frame, after) = rest.split_at(end + length + 2);
        frames.push(frame.to_vec());
        rest = after;
    }
}

fn put(product: &Product, body: &[u8], mode: BodyMode) -> RawRequest {
    product.client().object("PUT", BUCKET, "key").body(body, mode).build()
}

fn with_body(request: &RawRequest, body: Vec<u8>) -> RawRequest {
    let mut request = request.clone();
    let length = body.len().to_string();
    request.body = body;
    request.set_header("content-length", &length);
    request
}

/// The body is refused, nothing is committed, and the version before stays.
async fn spoiled(product: &Product, request: &RawRequest, context: &str) {
    let before = product.seen();
    let answer = product.client().send(request).await.unwrap_or_else(|error| panic!("{context}: {error}"));
    assert!(matches!(answer.status, 400 | 403), "{context}: {} {}", answer.status, answer.text());
    assert!(answer.code().is_some(), "{context}");
    assert_tells_nothing(&answer, context);
    product.assert_no_commit_since(&before, context);
    assert_eq!(product.client().get(BUCKET, "key").await.unwrap().body, BEFORE, "{context}");
}

#[tokio::test]
async fn signed_chunks_keep_their_places() {
    let product = product().await;
    let modes = [
        BodyMode::ChunkedSigned { chunk: CHUNK },
        BodyMode::ChunkedSignedTrailer { chunk: CHUNK, algorithm: Algorithm::Crc32 },
    ];
    for (length, mode) in LENGTHS.into_iter().flat_map(|length| modes.map(|mode| (length, mode))) {
        let good = put(&product, &content(length), mode);
        let whole = frames(&good.body);
        let last = whole.len() - 1;
        let other = frames(&put(&product, &content(length).repeat(2)[1..=length], mode).body);
        type Change<'a> = (&'a str, Box<dyn Fn(&mut Vec<Vec<u8>>)>);
        let replaced = other[1].clone();
        let ended = other[last].clone();
        let changes: Vec<Change<'_>> = vec![
            ("two swapped", Box::new(|frames| frames.swap(0, 1))),
            ("reversed", Box::new(move |frames| frames[..last].reverse())),
            ("one taken away", Box::new(|frames| drop(frames.remove(1)))),
            ("the first taken away", Box::new(|frames| drop(frames.remove(0)))),
            ("one repeated", Box::new(|frames| frames.insert(1, frames[0].clone()))),
            ("one in the place of another", Box::new(|frames| frames[1] = frames[0].clone())),
            ("one of another request", Box::new(move |frames| frames[1] = replaced.clone())),
            ("the end of another request", Box::new(move |frames| frames[last] = ended.clone())),
            ("the end first", Box::new(move |frames| frames.swap(0, last))),
            ("the end twice", Box::new(move |frames| frames.push(frames[last].clone()))),
            ("the end alone", Box::new(move |frames| drop(frames.drain(..last)))),
            ("without its end", Box::new(move |frames| frames.truncate(last))),
            ("one without its data", Box::new(|frames| frames[1].truncate(90))),
            (
                "one cut in two",
                Box::new(|frames| {
                    let half = frames[1].split_off(CHUNK / 2);
                    frames.insert(2, half);
                    frames[1].extend_from_slice(b"\r\n");
                }),
            ),
        ];
        for (name, change) in changes {
            let mut changed = whole.clone();
            change(&mut changed);
            spoiled(&product, &with_body(&good, changed.concat()), &format!("{name}, {length} {mode:?}")).await;
        }
    }
}

/// Framing that two readers could understand differently.
#[tokio::test]
async fn heads_of_chunks_that_are_no_heads() {
    let product = product().await;
    let good = put(&product, &content(LENGTHS[0]), BodyMode::ChunkedSigned { chunk: CHUNK });
    let signature = frames(&good.body)[0][6..].split(|byte| *byte == b'\r').next().unwrap().to_vec();
    let signature = String::from_utf8(signature).unwrap();
    let rest = &good.body[good.body.windows(2).position(|pair| pair == b"\r\n").unwrap() + 2..];
    for head in [
        format!("10000;{signature}\n"),
        format!("10000 ;{signature}\r\n"),
        format!(" 10000;{signature}\r\n"),
        format!("+10000;{signature}\r\n"),
        format!("-10000;{signature}\r\n"),
        format!("0x10000;{signature}\r\n"),
        format!("1_0000;{signature}\r\n"),
        format!("１0000;{signature}\r\n"),
        format!("65536;{signature}\r\n"),
        format!("10001;{signature}\r\n"),
        format!("ffff;{signature}\r\n"),
        format!("00000000000010000;{signature}\r\n"),
        format!("ffffffffffffffff;{signature}\r\n"),
        format!("10000000000000000;{signature}\r\n"),
        format!("7fffffffffffffff;{signature}\r\n"),
        format!(";{signature}\r\n"),
        format!("{signature}\r\n"),
        "10000\r\n".to_owned(),
        "10000;\r\n".to_owned(),
        "10000;chunk-signature=\r\n".to_owned(),
        format!("10000;{}\r\n", signature.replace("chunk-signature", "Chunk-Signature")),
        format!("10000;{} \r\n", &signature[..signature.len() - 1]),
        format!("10000;{signature}00\r\n"),
        format!("10000;chunk-signature={};{signature}\r\n", "0".repeat(64)),
        format!("10000;x={};{signature}\r\n", "x".repeat(100_000)),
        format!("\r\n10000;{signature}\r\n"),
        "\r\n".to_owned(),
        String::new(),
    ] {
        let body = [head.as_bytes(), rest].concat();
        spoiled(&product, &with_body(&good, body), &format!("{:.60}", head.escape_debug().to_string())).await;
    }
    for (between, context) in [
        (&b"\n"[..], "a bare line feed"),
        (b"", "no line end"),
        (b"\r\r\n", "two returns"),
        (b"x\r\n", "one byte more"),
    ] {
        let mut changed = frames(&good.body);
        let end = changed[0].len() - 2;
        changed[0].truncate(end);
        changed[0].extend_from_slice(between);
        spoiled(&product, &with_body(&good, changed.concat()), context).await;
    }
    for (after, context) in [
        (&b"x"[..], "a byte"),
        (b"0\r\n\r\n", "another end"),
        (b"\r\n\r\n\r\n\r\n\r\n", "many line ends"),
        (b"x-amz-checksum-crc32:AAAAAA==\r\n\r\n", "a trailer that nobody announced"),
        (b"PUT /local-rocksdb-test/other HTTP/1.1\r\n\r\n", "another request"),
    ] {
        let body = [&good.body, after].concat();
        spoiled(&product, &with_body(&good, body), &format!("{context} after the end")).await;
    }
    assert_untouched(&product, "framing").await;
}

#[tokio::test]
async fn trailers_that_are_no_trailers() {
    let product = product().await;
    let mode = BodyMode::ChunkedUnsignedTrailer { chunk: CHUNK, algorithm: Algorithm::Crc32 };
    let body = content(1_000);
    let good = put(&product, &body, mode);
    let sum = hash::checksum(Algorithm::Crc32, &body);
    let start = good.body.windows(5).position(|window| window == b"\r\n0\r\n").unwrap() + 5;
    let many: String = (0..1_000).map(|index| format!("x-amz-checksum-x{index}:AAAAAA==\r\n")).collect();
    for trailers in [
        String::new(),
        "\r\n".into(),
        format!("x-amz-checksum-crc32:{sum}\r\nx-amz-checksum-crc32:{sum}\r\n\r\n"),
        format!("x-amz-checksum-crc32:{sum}\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n"),
        format!("x-amz-checksum-crc32:{sum}\r\nx-amz-meta-a:b\r\n\r\n"),
        format!("x-amz-checksum-crc32:{sum}\r\nx-amz-copy-source:/a/b\r\n\r\n"),
        format!("x-amz-checksum-crc32:{sum}\r\nx-amz-trailer-signature:{}\r\nx-amz-meta-a:b\r\n\r\n", "0".repeat(64)),
        format!("x-amz-checksum-crc32 :{sum}\r\n\r\n"),
        format!(" x-amz-checksum-crc32:{sum}\r\n\r\n"),
        format!("x-amz-checksum-crc32={sum}\r\n\r\n"),
        format!("x-amz-checksum-crc32:{sum}"),
        format!("x-amz-checksum-crc32:{}\r\n\r\n", "A".repeat(100_000)),
        format!(":{sum}\r\n\r\n"),
        format!("{many}x-amz-checksum-crc32:{sum}\r\n\r\n"),
        "x-amz-checksum-crc32:AAAAAA==\r\n\r\n".into(),
        "x-amz-checksum-crc32:\r\n\r\n".into(),
    ] {
        let body = [&good.body[..start], trailers.as_bytes()].concat();
        spoiled(&product, &with_body(&good, body), &format!("{:.80}", trailers.escape_debug().to_string())).await;
    }
    assert_untouched(&product, "trailers").await;
}

/// A body replayed under the signature of another, or another under the same signature.
#[tokio::test]
async fn bodies_of_other_requests() {
    let product = product().await;
    let (one, two) = (content(1_000), content(2_000)[1_000..].to_vec());
    for mode in BodyMode::ALL {
        if mode == BodyMode::Unsigned {
            continue;
        }
        let first = put(&product, &one, mode);
        // Of two requests that differ in nothing but their chunks each may have the other's body: chunks are signed
        // onto the request, and the request is the same.
        let second = product.client().object("PUT", BUCKET, "other").body(&two, mode).build();
        let unsigned = matches!(mode, BodyMode::ChunkedUnsignedTrailer { .. });
        if !unsigned {
            spoiled(&product, &with_body(&first, second.body.clone()), &format!("swapped {mode:?}")).await;
        }
        spoiled(&product, &with_body(&first, one.clone().split_off(1)), &format!("cut {mode:?}")).await;
        spoiled(&product, &with_body(&first, [&first.body, &b"x"[..]].concat()), &format!("longer {mode:?}")).await;
    }
    assert_untouched(&product, "bodies of others").await;
}

/// The same of every document that is read whole, and of parts.
#[tokio::test]
async fn documents_and_parts_other_than_the_signed_ones() {
    let product = product().await;
    let client = product.client();
    let created = client.send(&client.request("POST", &format!("/{BUCKET}/key?uploads")).build()).await.unwrap();
    let id = created.element("UploadId").unwrap();
    let part = format!("/{BUCKET}/key?partNumber=1&uploadId={id}");
    let etag = client.send(&client.request("PUT", &part).body(BEFORE, BodyMode::Signed).build()).await.unwrap();
    let etag = etag.etag().unwrap().to_owned();
    let complete = |etag: &str| {
        format!(
            "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
        )
    };
    let (empty, good) = (hash::hex(&hash::md5(b"")), complete(&etag));
    for (method, target, signed, sent) in [
        ("PUT", part.clone(), "content".to_owned(), "CONTENT".to_owned()),
        ("POST", format!("/{BUCKET}/key?uploadId={id}"), complete(&empty), good),
        (
            "POST",
            format!("/{BUCKET}?delete"),
            "<Delete><Object><Key>yek</Key></Object></Delete>".into(),
            "<Delete><Object><Key>key</Key></Object></Delete>".into(),
        ),
        (
            "PUT",
            format!("/{BUCKET}/key?tagging"),
            "<Tagging><TagSet/></Tagging>".into(),
            "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>".into(),
        ),
    ] {
        for mode in [BodyMode::Signed, BodyMode::ChunkedSigned { chunk: CHUNK }] {
            let context = format!("{method} {target} {mode:?}");
            let request = client.request(method, &target).body(signed.as_bytes(), mode).build();
            let body = match mode {
                BodyMode::Signed => sent.clone().into_bytes(),
                _ => String::from_utf8(request.body.clone()).unwrap().replacen(&signed, &sent, 1).into_bytes(),
            };
            let before = product.seen();
            let answer = client.send(&with_body(&request, body)).await.unwrap();
            assert!(matches!(answer.status, 400 | 403), "{context}: {} {}", answer.status, answer.text());
            product.assert_no_commit_since(&before, &context);
        }
    }
    assert_untouched(&product, "documents").await;
    let parts = client.send(&client.request("GET", &part.replace("partNumber=1&", "")).build()).await.unwrap();
    assert_eq!(parts.elements("ETag"), [format!("&quot;{etag}&quot;")], "{}", parts.text());
}
