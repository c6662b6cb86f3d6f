//! Bodies that are not what was announced: the version before stays, nothing new is to be seen.

use std::time::Duration;

use crate::harness::hash::{self, Algorithm};
use crate::harness::product::{BUCKET, Product, Setup};
use crate::harness::s3_client::{BodyMode, RawRequest, RequestBuilder};
use crate::{assert_tells_nothing, assert_untouched, product};

/// Below and above what is buffered, and below and above what is held back.
const SIZES: [usize; 4] = [10, 70_000, 1 << 20, 2_500_000];

fn content(length: usize) -> Vec<u8> {
    (0..length).map(|index| (index % 251) as u8).collect()
}

fn put(product: &Product, body: &[u8], mode: BodyMode) -> RequestBuilder {
    product.client().object("PUT", BUCKET, "key").body(body, mode)
}

/// Sends a body that has to be refused without a change; calls that are cut on the way may have begun.
async fn spoiled(product: &Product, request: &RawRequest, code: &str, context: &str) {
    let before = product.seen();
    let answer = product.client().send(request).await.unwrap_or_else(|error| panic!("{context}: {error}"));
    assert_eq!((answer.status, answer.code().as_deref()), (400, Some(code)), "{context}: {}", answer.text());
    assert_tells_nothing(&answer, context);
    product.assert_no_commit_since(&before, context);
    assert_untouched(product, context).await;
}

#[tokio::test]
async fn sums_that_do_not_agree() {
    let product = product().await;
    for length in SIZES {
        let body = content(length);
        for mode in BodyMode::ALL {
            let wrong = hash::base64(&hash::md5(b"something else"));
            let request = put(&product, &body, mode).header("content-md5", &wrong).build();
            spoiled(&product, &request, "BadDigest", &format!("Content-MD5 {length} {mode:?}")).await;
        }
        let mut flipped = put(&product, &body, BodyMode::Signed).build();
        flipped.body[length / 2] ^= 1;
        spoiled(&product, &flipped, "XAmzContentSHA256Mismatch", &format!("sha256 {length}")).await;
        for algorithm in Algorithm::ALL {
            let wrong = hash::checksum(algorithm, b"something else");
            let request = put(&product, &body, BodyMode::Unsigned).header(&algorithm.header(), &wrong).build();
            spoiled(&product, &request, "BadDigest", &format!("{algorithm:?} {length}")).await;
            let mode = BodyMode::ChunkedUnsignedTrailer { chunk: 65_536, algorithm };
            let mut request = put(&product, &body, mode).build();
            let at = 20 + length / 2;
            request.body[at.min(length)] ^= 1;
            let before = product.seen();
            let answer = product.client().send(&request).await.unwrap();
            assert_eq!(answer.status, 400, "{algorithm:?} {length}: {}", answer.text());
            product.assert_no_commit_since(&before, "trailer");
        }
    }
    for junk in ["", "?", "AAAA", "d41d8cd98f00b204e9800998ecf8427e"] {
        let request = put(&product, b"x", BodyMode::Signed).header("content-md5", junk).build();
        crate::refused(&product, &request, 400, "InvalidDigest", junk).await;
    }
    let two = put(&product, b"x", BodyMode::Signed).header("x-amz-checksum-crc32", "AAAAAA==");
    let two = two.header("x-amz-checksum-crc32c", "AAAAAA==").build();
    crate::refused(&product, &two, 400, "InvalidRequest", "two checksums").await;
    assert_untouched(&product, "sums").await;
}

#[tokio::test]
async fn chunks_that_are_not_what_was_signed() {
    let product = product().await;
    for length in SIZES {
        let body = content(length);
        let chunk = 65_536;
        let signed =
            [BodyMode::ChunkedSigned { chunk }, BodyMode::ChunkedSignedTrailer { chunk, algorithm: Algorithm::Crc32 }];
        for mode in signed {
            let context = format!("{length} {mode:?}");
            let good = put(&product, &body, mode).build();
            let places = find_all(&good.body, b"chunk-signature=");
            for place in [places[0], places[places.len() / 2], places[places.len() - 1]] {
                let mut request = good.clone();
                flip_hex(&mut request.body[place + 16]);
                let before = product.seen();
                let answer = product.client().send(&request).await.unwrap();
                let code = answer.code().unwrap_or_default();
                assert_eq!(
                    (answer.status, code.as_str()),
                    (403, "SignatureDoesNotMatch"),
                    "{context}: {}",
                    answer.text()
                );
                product.assert_no_commit_since(&before, &context);
            }
            let mut request = good.clone();
            let data = find_all(&good.body, b"\r\n")[0] + 2;
            request.body[data + length.min(chunk) / 2] ^= 1;
            let before = product.seen();
            let answer = product.client().send(&request).await.unwrap();
            assert_eq!(answer.status, 403, "{context}: {}", answer.text());
            product.assert_no_commit_since(&before, &context);
            // Without the last chunk.
            let last = find_all(&good.body, b"\r\n0;chunk-signature=").pop().unwrap() + 2;
            let mut request = good.clone();
            request.body.truncate(last);
            request.set_header("content-length", &last.to_string());
            spoiled(&product, &request, "IncompleteBody", &context).await;
            if let BodyMode::ChunkedSignedTrailer { .. } = mode {
                let mut request = good.clone();
                let at = find_all(&good.body, b"x-amz-trailer-signature:")[0] + 24;
                flip_hex(&mut request.body[at]);
                let answer = product.client().send(&request).await.unwrap();
                assert_eq!(answer.code().as_deref(), Some("SignatureDoesNotMatch"), "{context}: {}", answer.text());
            }
        }
        let trailer = BodyMode::ChunkedUnsignedTrailer { chunk, algorithm: Algorithm::Crc32 };
        let good = put(&product, &body, trailer).build();
        let at = find_all(&good.body, b"x-amz-checksum-crc32:")[0];
        let mut missing = good.clone();
        missing.body.truncate(at);
        missing.body.extend_from_slice(b"\r\n");
        let shorter = missing.body.len().to_string();
        missing.set_header("content-length", &shorter);
        spoiled(&product, &missing, "MalformedTrailerError", &format!("missing trailer {length}")).await;
        let mut other = good.clone();
        other.body[at + 19..at + 21].copy_from_slice(b"99");
        spoiled(&product, &other, "MalformedTrailerError", &format!("another trailer {length}")).await;
        let mut wrong = good.clone();
        wrong.body[at + 21..at + 29].copy_from_slice(b"AAAAAA==");
        spoiled(&product, &wrong, "BadDigest", &format!("wrong trailer {length}")).await;
        let mut junk = good.clone();
        junk.body[at + 21..at + 29].copy_from_slice(b"!!!!!!!!");
        spoiled(&product, &junk, "InvalidRequest", &format!("junk in the trailer {length}")).await;
    }
    assert_untouched(&product, "chunks").await;
}

fn find_all(bytes: &[u8], what: &[u8]) -> Vec<usize> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(next) = bytes[at..].windows(what.len()).position(|window| window == what) {
        found.push(at + next);
        at += next + what.len();
    }
    found
}

fn flip_hex(digit: &mut u8) {
    *digit = if *digit == b'0' { b'1' } else { b'0' };
}

#[tokio::test]
async fn lengths_that_lie() {
    let product = product().await;
    for length in SIZES {
        let body = content(length);
        for mode in &BodyMode::ALL[2..] {
            for announced in [length - 1, length + 1, 0, length * 2] {
                let request = put(&product, &body, *mode).decoded_length(announced).build();
                let before = product.seen();
                let answer = product.client().send(&request).await.unwrap();
                assert!(
                    answer.status == 400 || answer.status == 403,
                    "{length} {announced} {mode:?}: {}",
                    answer.text()
                );
                product.assert_no_commit_since(&before, "decoded length");
            }
        }
    }
    for (size, code) in [
        ("zz", "InvalidChunkSizeError"),
        ("", "InvalidChunkSizeError"),
        ("-1", "InvalidChunkSizeError"),
        ("10000000000000000", "InvalidChunkSizeError"),
        ("ffffffffffffffff", "IncompleteBody"),
    ] {
        let mode = BodyMode::ChunkedUnsignedTrailer { chunk: 65_536, algorithm: Algorithm::Crc32 };
        let mut request = put(&product, &content(10), mode).build();
        let rest = request.body[1..].to_vec();
        request.body = [size.as_bytes(), &rest].concat();
        let length = request.body.len().to_string();
        request.set_header("content-length", &length);
        spoiled(&product, &request, code, size).await;
    }
    let mut after = put(&product, &content(10), BodyMode::ChunkedSigned { chunk: 65_536 }).build();
    after.body.extend_from_slice(b"5;chunk-signature=00\r\nhello\r\n");
    let length = after.body.len().to_string();
    after.set_header("content-length", &length);
    spoiled(&product, &after, "InvalidRequest", "bytes after the end").await;

    let twice = put(&product, &content(10), BodyMode::ALL[2]).header("x-amz-decoded-content-length", "9").build();
    crate::refused(&product, &twice, 400, "InvalidArgument", "two lengths").await;
    let no_length = put(&product, b"x", BodyMode::Unsigned).transfer_chunked().build();
    crate::refused(&product, &no_length, 501, "NotImplemented", "no length, but HTTP chunks").await;
    let mut no_decoded = put(&product, b"x", BodyMode::ChunkedSigned { chunk: 10 }).build();
    no_decoded.remove_header("x-amz-decoded-content-length");
    let answer = product.client().send(&no_decoded).await.unwrap();
    assert!(matches!(answer.status, 403 | 411), "{}", answer.text());
    let mut huge = put(&product, b"", BodyMode::Unsigned).build();
    huge.set_header("content-length", "5368709121");
    let mut connection = product.client().open().await.unwrap();
    connection.write(&huge.head_bytes()).await.unwrap();
    let answer = connection.read("PUT").await.unwrap();
    assert_eq!((answer.status, answer.code().as_deref()), (400, Some("EntityTooLarge")));
    assert_untouched(&product, "lengths").await;
}

/// The client leaves in the middle: the version before stays.
#[tokio::test]
async fn bodies_that_break_off() {
    let product = product().await;
    for length in SIZES {
        let body = content(length);
        for mode in BodyMode::ALL {
            let request = put(&product, &body, mode).build();
            let whole = request.body.len();
            for sent in [0, 1, whole / 100, whole / 2, whole * 99 / 100, whole - 1] {
                let before = product.seen();
                product.client().send_and_leave(&request, sent).await.unwrap();
                settled(&product).await;
                product.assert_no_commit_since(&before, &format!("{sent} of {length} {mode:?}"));
            }
        }
    }
    assert_untouched(&product, "broken off").await;
    // The same of a part: it is not there.
    let client = product.client();
    let created = client.send(&client.request("POST", &format!("/{BUCKET}/key?uploads")).build()).await.unwrap();
    let target = format!("/{BUCKET}/key?partNumber=1&uploadId={}", created.element("UploadId").unwrap());
    let part = client.request("PUT", &target).body(&content(2_000_000), BodyMode::Unsigned).build();
    client.send_and_leave(&part, 1_500_000).await.unwrap();
    settled(&product).await;
    let list = client.send(&client.request("GET", &target.replace("partNumber=1&", "")).build()).await.unwrap();
    assert!(list.elements("PartNumber").is_empty(), "{}", list.text());
}

/// Waits until the facade has nothing in flight.
async fn settled(product: &Product) {
    for _ in 0..2_000 {
        let open = product.connections.open.load(std::sync::atomic::Ordering::Relaxed);
        if product.metrics.facade.in_flight() == 0 && open == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("requests stay in flight");
}

#[tokio::test]
async fn a_silent_body_is_ended_and_a_slow_one_is_not() {
    let limits = Setup {
        body_timeout: Duration::from_millis(1_500),
        request_timeout: Duration::from_millis(1_800),
        ..Setup::default()
    };
    let product = Product::with(limits).await;
    let client = product.client();
    client.put(BUCKET, "key", crate::BEFORE).await.unwrap();
    for length in [10_000, 2_000_000] {
        let body = content(length);
        let request = put(&product, &body, BodyMode::Signed).build();
        let before = product.seen();
        let mut silent = client.open().await.unwrap();
        silent.write(&request.head_bytes()).await.unwrap();
        silent.write(&request.body[..length / 2]).await.unwrap();
        let answer = silent.read("PUT").await.unwrap();
        assert_eq!((answer.status, answer.code().as_deref()), (400, Some("RequestTimeout")), "{}", answer.text());
        product.assert_no_commit_since(&before, "silent");

        // Longer in all than any limit, but never still.
        let mut slow = client.open().await.unwrap();
        slow.write(&request.head_bytes()).await.unwrap();
        for piece in request.body.chunks(length / 10) {
            tokio::time::sleep(Duration::from_millis(250)).await;
            slow.write(piece).await.unwrap();
        }
        let answer = slow.read("PUT").await.unwrap();
        assert_eq!(answer.status, 200, "{length}: {}", answer.text());
        assert!(client.get(BUCKET, "key").await.unwrap().body == body);
    }
}
