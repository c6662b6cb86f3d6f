//! What the wire format costs per request. Run with optimisation:
//! `cargo test --release --lib s3::cost -- --ignored --nocapture`.

use std::hint::black_box;
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, Method};

use crate::object::listing::{ListEntry, ListPage, ListedObject};
use crate::object::{ETag, ObjectKey, Timestamp};

use super::aws_chunked::Decoder;
use super::operation::Operation;
use super::payload::PayloadMode;
use super::sigv4::{Credentials, Expectations, Signable, SignedRequest, SigningKey, sign};
use super::{Addressing, BodyDeclaration, BodyVerifier, request, xml};

const NOW: Timestamp = Timestamp(1_795_412_511);
const PATH: &str = "/local-iceberg-test/warehouse/db/table/data/00000-0-0f3c9d1e-6f1b-4d6f-9a11-1f2e3d4c5b6a.parquet";

/// Nanoseconds per run, the best of five rounds.
fn nanoseconds(mut run: impl FnMut()) -> f64 {
    let round = |run: &mut dyn FnMut()| {
        let mut count = 0_u32;
        let started = Instant::now();
        while started.elapsed().as_millis() < 100 {
            (0..16).for_each(|_| run());
            count += 16;
        }
        started.elapsed().as_nanos() as f64 / f64::from(count)
    };
    (0..5).map(|_| round(&mut run)).fold(f64::INFINITY, f64::min)
}

fn signed_get() -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("host", "bluebucket.flink.svc:9000"),
        ("x-amz-checksum-mode", "ENABLED"),
        ("range", "bytes=0-4095"),
        ("if-match", "\"d41d8cd98f00b204e9800998ecf8427e\""),
        ("accept-encoding", "identity"),
    ] {
        headers.insert(HeaderName::from_static(name), value.parse().unwrap());
    }
    let credentials = Credentials { access_key: "AKIDEXAMPLE".into(), secret: "secret".into(), session_token: None };
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let signable = Signable { method: &Method::GET, path: PATH, query: "", headers: &mut headers, payload_hash: empty };
    sign(signable, &credentials, "us-east-1", "s3", NOW).unwrap();
    headers.insert("user-agent", "Boto3/1.44.5 md/Botocore#1.44.5 ua/2.1 os/linux lang/python#3.11.7".parse().unwrap());
    headers.insert("amz-sdk-invocation-id", "2f3c9d1e-6f1b-4d6f-9a11-1f2e3d4c5b6a".parse().unwrap());
    headers
}

#[test]
#[ignore = "a measurement"]
fn signature() {
    let headers = signed_get();
    let key = SigningKey::derive("secret", &NOW.amz()[..8], "us-east-1", "s3");
    let expected = Expectations::s3(Some("us-east-1"));
    let verify = nanoseconds(|| {
        let signed = SignedRequest::parse(&Method::GET, PATH, "", &headers).unwrap().unwrap();
        black_box(signed.verify(&key, NOW, &expected).unwrap());
    });
    let parse_only = nanoseconds(|| {
        black_box(SignedRequest::parse(&Method::GET, PATH, "", &headers).unwrap());
    });
    let signed = SignedRequest::parse(&Method::GET, PATH, "", &headers).unwrap().unwrap();
    let check = nanoseconds(|| {
        black_box(signed.check(NOW, &expected)).unwrap();
    });
    let input = [7_u8; 600];
    let sha256 = nanoseconds(|| {
        black_box(crate::object::checksum::sha256(black_box(&input)));
    });
    let hmac_key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &[7; 32]);
    let hmac = nanoseconds(|| {
        black_box(aws_lc_rs::hmac::sign(&hmac_key, black_box(&input[..150])));
    });
    println!("check {check:.0} ns, sha256 of 600 bytes {sha256:.0}, hmac of 150 bytes {hmac:.0}");
    let derive = nanoseconds(|| {
        black_box(SigningKey::derive("secret", "20261123", "us-east-1", "s3"));
    });
    let addressing = Addressing::new(["s3.example.org"]);
    let operation = nanoseconds(|| {
        black_box(request::parse(&Method::GET, PATH, "", &headers, &addressing).unwrap());
    });
    println!(
        "verify {verify:.0} ns (of it parsing {parse_only:.0}), derive a key {derive:.0}, operation {operation:.0}"
    );
}

#[test]
#[ignore = "a measurement"]
fn bodies() {
    let read = Bytes::from(vec![7_u8; 64 * 1024]);
    let frame = 128;
    let length = (frame * read.len()) as u64;
    let one_chunk = nanoseconds(|| {
        let mut decoder = Decoder::new(PayloadMode::StreamingUnsigned, length, None).unwrap();
        let mut sink = |bytes: Bytes| drop(black_box(bytes));
        decoder.push(Bytes::from(format!("{length:x}\r\n")), &mut sink).unwrap();
        for _ in 0..frame {
            decoder.push(read.clone(), &mut sink).unwrap();
        }
        decoder.push(Bytes::from_static(b"\r\n0\r\n\r\n"), &mut sink).unwrap();
        decoder.finish().unwrap();
    });
    let verifier = |pairs: &[(&'static str, &str)]| {
        let pairs = pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
        let mut headers: HeaderMap = pairs.collect();
        headers.insert("content-length", length.to_string().parse().unwrap());
        BodyDeclaration::parse(&headers).unwrap()
    };
    let through = |declared: &BodyDeclaration| {
        nanoseconds(|| {
            let mut verifier = BodyVerifier::new(declared, None).unwrap();
            let mut sink = |bytes: Bytes| drop(black_box(bytes));
            for _ in 0..frame {
                verifier.push(read.clone(), &mut sink).unwrap();
            }
            let _ = black_box(verifier.finish());
        })
    };
    let plain = through(&verifier(&[]));
    let crc = through(&verifier(&[("x-amz-checksum-crc64nvme", "AAAAAAAAAAA=")]));
    let md5 = through(&verifier(&[("content-md5", "1B2M2Y8AsgTpgAmY7PhCfg==")]));
    let rate = |nanoseconds: f64| length as f64 / nanoseconds;
    println!(
        "8 MiB: chunk decode {:.1} us, plain {:.1} us, crc64 {:.1} us ({:.1} GB/s), md5 {:.2} GB/s",
        one_chunk / 1e3,
        plain / 1e3,
        crc / 1e3,
        rate(crc),
        rate(md5)
    );
    let small = [&b"1000\r\n"[..], &[7; 4_096], b"\r\n0\r\n\r\n"].concat();
    let small = Bytes::from(small);
    let decode_4k = nanoseconds(|| {
        let mut decoder = Decoder::new(PayloadMode::StreamingUnsigned, 4_096, None).unwrap();
        decoder.push(small.clone(), &mut |bytes| drop(black_box(bytes))).unwrap();
        decoder.finish().unwrap();
    });
    println!("4 KiB: chunk decode {decode_4k:.0} ns");
}

#[test]
#[ignore = "a measurement"]
fn listing() {
    let entries = (0..1_000).map(|n| {
        ListEntry::Object(ListedObject {
            key: ObjectKey::new(format!("{}{n:05}", &PATH[20..])).unwrap(),
            size: 123_456_789,
            etag: ETag::parse("d41d8cd98f00b204e9800998ecf8427e"),
            last_modified: NOW,
            storage_class: None,
        })
    });
    let page = ListPage { entries: entries.collect(), truncated: true };
    for query in ["list-type=2", "list-type=2&encoding-type=url"] {
        let asked = request::parse(&Method::GET, "/bucket", query, &HeaderMap::new(), &Addressing::default()).unwrap();
        let Operation::ListObjectsV2(asked) = asked else { panic!() };
        let owner = xml::Owner::default();
        let page = nanoseconds(|| {
            black_box(xml::list_objects::render_v2(&asked, &page, Some("token"), &owner));
        });
        println!("{query}: {:.0} ns per entry", page / 1_000.0);
    }
}
