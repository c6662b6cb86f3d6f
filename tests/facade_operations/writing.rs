//! PutObject.

use crate::harness::hash::{self, Algorithm};
use crate::harness::product::{BUCKET, Product};
use crate::harness::s3_client::BodyMode;
use crate::{ask, assert_refused, assert_status, bytes, send};

fn target(key: &str) -> String {
    format!("/{BUCKET}/{key}")
}

#[tokio::test]
async fn all_body_modes_and_sizes() {
    let product = Product::start().await;
    let client = product.client();
    for length in [0, 1, 65_535, 65_536, 65_537, 1 << 20, (1 << 20) + 1, 3_000_001] {
        let content = bytes(length);
        let md5 = hash::hex(&hash::md5(&content));
        for mode in BodyMode::ALL {
            for announced in [false, true] {
                let context = format!("{length} {mode:?} {announced}");
                let request = client.object("PUT", BUCKET, "key").body(&content, mode);
                let mut request = match announced {
                    true => request.header("content-md5", &hash::base64(&hash::md5(&content))).build(),
                    false => request.build(),
                };
                // SDK for Java v1 frames bodies without saying so here.
                if announced && request.header("content-encoding").is_some() {
                    continue;
                }
                request.set_header("connection", "close");
                let put = client.send(&request).await.unwrap();
                assert_status(&put, 200, &context);
                assert_eq!(put.etag(), Some(md5.as_str()), "{context}");
                assert!(put.body.is_empty(), "{context}");
                let got = client.get(BUCKET, "key").await.unwrap();
                assert!(got.status == 200 && got.body == content, "{context}");
                assert_eq!(got.etag(), Some(md5.as_str()), "{context}");
                assert_eq!(got.header("content-encoding"), None, "{context}");
            }
        }
        let chunked = client.object("PUT", BUCKET, "key").transfer_chunked();
        let mode = BodyMode::ChunkedUnsignedTrailer { chunk: 8192, algorithm: Algorithm::Crc64Nvme };
        let put = client.send(&chunked.body(&content, mode).build()).await.unwrap();
        assert_status(&put, 200, "HTTP chunks without Content-Length");
        assert_eq!(put.etag(), Some(md5.as_str()));
    }
}

#[tokio::test]
async fn chunks_of_every_size() {
    let product = Product::start().await;
    let client = product.client();
    let content = bytes(100_000);
    for chunk in [1_000, 8_191, 65_536, 99_999, 100_000, 1 << 20] {
        for mode in [
            BodyMode::ChunkedSigned { chunk },
            BodyMode::ChunkedSignedTrailer { chunk, algorithm: Algorithm::Sha256 },
            BodyMode::ChunkedUnsignedTrailer { chunk, algorithm: Algorithm::Crc32c },
        ] {
            let put = client.send(&client.object("PUT", BUCKET, "key").body(&content, mode).build()).await.unwrap();
            assert_status(&put, 200, &format!("{mode:?}"));
            assert!(client.get(BUCKET, "key").await.unwrap().body == content, "{mode:?}");
        }
    }
}

#[tokio::test]
async fn checksums_are_stored_and_shown() {
    let product = Product::start().await;
    let client = product.client();
    for length in [0, 1000, 1 << 20] {
        let content = bytes(length);
        for algorithm in Algorithm::ALL {
            let value = hash::checksum(algorithm, &content);
            let header = algorithm.header();
            let object = || client.object("PUT", BUCKET, "key");
            for (context, request) in [
                ("header", object().header(&header, &value).body(&content, BodyMode::Signed)),
                ("header, unsigned", object().header(&header, &value).body(&content, BodyMode::Unsigned)),
                ("trailer", object().body(&content, BodyMode::ChunkedUnsignedTrailer { chunk: 8192, algorithm })),
                ("signed trailer", object().body(&content, BodyMode::ChunkedSignedTrailer { chunk: 8192, algorithm })),
            ] {
                let context = format!("{context} {algorithm:?} {length}");
                let put = client.send(&request.header("x-amz-sdk-checksum-algorithm", &algorithm.name()).build()).await;
                let put = put.unwrap();
                assert_status(&put, 200, &context);
                assert_eq!(put.header(&header), Some(value.as_str()), "{context}");
                for method in ["GET", "HEAD"] {
                    let shown = ask(&client, method, &target("key"), &[("x-amz-checksum-mode", "ENABLED")]).await;
                    assert_eq!(shown.header(&header), Some(value.as_str()), "{context}");
                    assert_eq!(shown.header("x-amz-checksum-type"), Some("FULL_OBJECT"), "{context}");
                    let hidden = ask(&client, method, &target("key"), &[]).await;
                    assert_eq!(hidden.header(&header), None, "{context}");
                }
            }
        }
    }
    let part = ask(&client, "GET", &target("key"), &[("x-amz-checksum-mode", "ENABLED"), ("range", "bytes=0-9")]).await;
    assert!(part.head.headers.iter().all(|(name, _)| !name.starts_with("x-amz-checksum")), "{:?}", part.head);
    // A range of all bytes has the checksum of all bytes.
    let all = ask(&client, "GET", &target("key"), &[("x-amz-checksum-mode", "ENABLED"), ("range", "bytes=0-")]).await;
    assert_eq!((all.status, all.header("x-amz-checksum-type")), (206, Some("FULL_OBJECT")));
}

#[tokio::test]
async fn conditional_puts() {
    let product = Product::start().await;
    let client = product.client();
    for length in [10, 2_000_000] {
        let content = bytes(length);
        let key = format!("key{length}");
        let absent = [("if-none-match", "*")];
        let first = send(&client, "PUT", &target(&key), &absent, &content).await;
        assert_status(&first, 200, "first");
        let etag = first.header("etag").unwrap().to_owned();
        let second = send(&client, "PUT", &target(&key), &absent, b"other").await;
        assert_refused(&second, 412, "PreconditionFailed", "second");
        let wrong = send(&client, "PUT", &target(&key), &[("if-match", "\"other\"")], b"other").await;
        assert_refused(&wrong, 412, "PreconditionFailed", "wrong");
        assert!(client.get(BUCKET, &key).await.unwrap().body == content);
        let right = send(&client, "PUT", &target(&key), &[("if-match", &etag)], b"new").await;
        assert_status(&right, 200, "right");
        let stale = send(&client, "PUT", &target(&key), &[("if-match", &etag)], b"newer").await;
        assert_refused(&stale, 412, "PreconditionFailed", "stale");
        let any = send(&client, "PUT", &target(&key), &[("if-match", "*")], b"any").await;
        assert_status(&any, 200, "any");
        let missing = send(&client, "PUT", &target("missing"), &[("if-match", "*")], b"x").await;
        assert_refused(&missing, 404, "NoSuchKey", "If-Match on nothing");
    }
}

/// Of many writers that all want to be first, one is.
#[tokio::test]
async fn one_of_many_creators_wins() {
    let product = Product::start().await;
    for round in 0..5 {
        let tries = (0..12).map(|index| {
            let client = product.client();
            async move {
                let body = format!("writer {index}");
                let lock = target(&format!("lock{round}"));
                let put = send(&client, "PUT", &lock, &[("if-none-match", "*")], body.as_bytes()).await;
                (put.status, body)
            }
        });
        let outcomes = futures::future::join_all(tries).await;
        let winners: Vec<_> = outcomes.iter().filter(|(status, _)| *status == 200).collect();
        assert_eq!(winners.len(), 1, "{outcomes:?}");
        assert!(outcomes.iter().all(|(status, _)| matches!(status, 200 | 409 | 412)), "{outcomes:?}");
        let stored = product.client().get(BUCKET, &format!("lock{round}")).await.unwrap().body;
        assert_eq!(stored, winners[0].1.as_bytes());
    }
}

#[tokio::test]
async fn metadata_and_headers_come_back() {
    let product = Product::start().await;
    let client = product.client();
    let long = "v".repeat(1500);
    let metadata = [
        ("plain", "value"),
        ("with-hyphen", "a"),
        ("with_underscore", "b"),
        ("with.dot", "c"),
        ("1digit", "d"),
        ("UPPER", "Case Kept"),
        ("empty", ""),
        ("spaces", "a  b   c"),
        ("unicode", "grün 日本 😀"),
        ("quotes", "\"quoted\", 'single'"),
        ("percent", "100%25 =?UTF-8?B?eA==?="),
        ("punctuation", "<>&;:/\\|{}[]~`^$#@!*()"),
        ("bluebucket", "not ours"),
        ("class", "a word of C#"),
        ("!#$&'*+^`|~", "odd name"),
        ("long", &long),
    ];
    let content = [
        ("content-type", "application/x-directory; a=b"),
        ("content-encoding", "deflate, gzip"),
        ("content-language", "de-DE"),
        ("content-disposition", "attachment; filename=\"ä.txt\""),
        ("cache-control", "max-age=60, no-transform"),
        ("expires", "tomorrow"),
    ];
    let names: Vec<_> = metadata.iter().map(|(name, _)| format!("x-amz-meta-{name}")).collect();
    let mut headers: Vec<(&str, &str)> =
        names.iter().map(String::as_str).zip(metadata.iter().map(|(_, value)| *value)).collect();
    headers.extend(content);
    for length in [10, 1_500_000] {
        let body = bytes(length);
        assert_status(&send(&client, "PUT", &target("meta"), &headers, &body).await, 200, "put");
        for method in ["GET", "HEAD"] {
            let got = ask(&client, method, &target("meta"), &[]).await;
            for (name, value) in &headers {
                assert_eq!(got.header(name), Some(*value), "{method} {name}");
            }
            let shown = got.head.headers.iter().filter(|(name, _)| name.starts_with("x-amz-meta-")).count();
            assert_eq!(shown, metadata.len(), "{method}: {:?}", got.head.headers);
        }
    }
    // Two values of one name are one value with a comma; nothing is left of the replaced object.
    let twice = [("x-amz-meta-a", "1"), ("x-amz-meta-a", "2")];
    assert_status(&send(&client, "PUT", &target("meta"), &twice, b"x").await, 200, "twice");
    let got = client.head(BUCKET, "meta").await.unwrap();
    assert_eq!((got.header("x-amz-meta-a"), got.header("x-amz-meta-plain")), (Some("1,2"), None));
    assert_eq!(got.header("cache-control"), None);

    let too_large = "v".repeat(2_049);
    let before = product.seen();
    let refused = send(&client, "PUT", &target("meta"), &[("x-amz-meta-a", &too_large)], b"x").await;
    assert_refused(&refused, 400, "MetadataTooLarge", "2 KiB");
    product.assert_no_call_since(&before, "metadata too large");
}

#[tokio::test]
async fn etags_are_one_everywhere_and_never_a_false_md5() {
    let product = Product::start().await;
    let client = product.client();
    for length in [0, 10, 2_000_000] {
        let put = client.put(BUCKET, "key", &bytes(length)).await.unwrap();
        let etag = put.header("etag").unwrap().to_owned();
        assert_eq!(client.get(BUCKET, "key").await.unwrap().header("etag"), Some(etag.as_str()));
        assert_eq!(client.head(BUCKET, "key").await.unwrap().header("etag"), Some(etag.as_str()));
        let listed = client.list(BUCKET, "").await.unwrap().element("ETag").unwrap();
        assert_eq!(listed.replace("&quot;", "\""), etag);
    }
}

#[tokio::test]
async fn what_the_headers_of_a_put_may_say() {
    let product = Product::start().await;
    let client = product.client();
    let fine: &[&[(&str, &str)]] = &[
        &[("x-amz-acl", "private")],
        &[("x-amz-acl", "bucket-owner-full-control")],
        &[("x-amz-storage-class", "STANDARD")],
        &[("x-amz-storage-class", "STANDARD_IA")],
        &[("expect", "100-continue")],
    ];
    for headers in fine {
        assert_status(&send(&client, "PUT", &target("key"), headers, b"x").await, 200, &format!("{headers:?}"));
    }
    let encrypted = send(&client, "PUT", &target("key"), &[("x-amz-server-side-encryption", "AES256")], b"x").await;
    assert_eq!((encrypted.status, encrypted.header("x-amz-server-side-encryption")), (200, Some("AES256")));
    let ia = send(&client, "PUT", &target("ia"), &[("x-amz-storage-class", "STANDARD_IA")], b"x").await;
    assert_status(&ia, 200, "class");
    assert_eq!(client.head(BUCKET, "ia").await.unwrap().header("x-amz-storage-class"), Some("STANDARD_IA"));
    for (headers, code) in [
        (("x-amz-acl", "public-read"), "AccessControlListNotSupported"),
        (("x-amz-grant-read", "id=1"), "AccessControlListNotSupported"),
        (("x-amz-acl", "junk"), "InvalidArgument"),
        (("x-amz-storage-class", "PLATINUM"), "InvalidStorageClass"),
        (("x-amz-server-side-encryption", "ROT13"), "InvalidEncryptionAlgorithmError"),
        (("x-amz-object-lock-mode", "GOVERNANCE"), "InvalidRequest"),
        (("x-amz-tagging", "a=1&a=2"), "InvalidArgument"),
        (("x-amz-tagging", "a=1,b=2"), "InvalidArgument"),
        (("x-amz-tagging", "aws:a=1"), "InvalidTag"),
    ] {
        let refused = send(&client, "PUT", &target("key"), &[headers], b"x").await;
        assert_refused(&refused, 400, code, &format!("{headers:?}"));
    }
}
