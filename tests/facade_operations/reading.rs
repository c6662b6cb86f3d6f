//! GetObject and HeadObject.

use crate::harness::product::{BUCKET, Product, Setup};
use crate::harness::s3_client::Response;
use crate::{ask, assert_refused, assert_status, bytes};

const DIGITS: &[u8] = b"0123456789";
const NEVER: &str = "Sat, 01 Jan 2000 00:00:00 GMT";
const FUTURE: &str = "Fri, 01 Jan 2100 00:00:00 GMT";

fn target(key: &str) -> String {
    format!("/{BUCKET}/{key}")
}

#[tokio::test]
async fn ranges() {
    let product = Product::start().await;
    let client = product.client();
    client.put(BUCKET, "digits", DIGITS).await.unwrap();
    client.put(BUCKET, "nothing", b"").await.unwrap();
    for (range, expected) in [
        ("bytes=0-0", Some((0, 0))),
        ("bytes=0-9", Some((0, 9))),
        ("bytes=0-99", Some((0, 9))),
        ("bytes=3-5", Some((3, 5))),
        ("bytes=9-9", Some((9, 9))),
        ("bytes=9-", Some((9, 9))),
        ("bytes=0-", Some((0, 9))),
        ("bytes=5-", Some((5, 9))),
        ("bytes=005-006", Some((5, 6))),
        ("bytes=-1", Some((9, 9))),
        ("bytes=-10", Some((0, 9))),
        ("bytes=-11", Some((0, 9))),
        ("bytes=-9999999999", Some((0, 9))),
        ("bytes=0-18446744073709551615", Some((0, 9))),
        ("bytes=-18446744073709551615", Some((0, 9))),
    ] {
        for method in ["GET", "HEAD"] {
            let (first, last) = expected.unwrap();
            let got = ask(&client, method, &target("digits"), &[("range", range)]).await;
            assert_status(&got, 206, range);
            assert_eq!(got.header("content-range"), Some(format!("bytes {first}-{last}/10").as_str()), "{range}");
            assert_eq!(got.header("content-length"), Some((last - first + 1).to_string().as_str()), "{range}");
            assert_eq!(got.header("accept-ranges"), Some("bytes"));
            if method == "GET" {
                assert_eq!(got.body, &DIGITS[first..=last], "{range}");
            }
        }
    }
    for range in ["bytes=10-", "bytes=10-20", "bytes=100-200", "bytes=-0", "bytes=18446744073709551615-"] {
        let got = ask(&client, "GET", &target("digits"), &[("range", range)]).await;
        assert_refused(&got, 416, "InvalidRange", range);
        assert_eq!(got.header("content-range"), Some("bytes */10"), "{range}");
        assert_eq!(got.element("ActualObjectSize").as_deref(), Some("10"), "{range}");
        assert_eq!(got.element("RangeRequested").as_deref(), Some(range), "{range}");
        let head = ask(&client, "HEAD", &target("digits"), &[("range", range)]).await;
        assert_eq!((head.status, head.body.len()), (416, 0), "{range}");
        assert_eq!(head.header("content-range"), Some("bytes */10"), "{range}");
    }
    // What is no range, or several, is answered with the whole object.
    for range in [
        "bytes=5-3",
        "bytes=",
        "bytes=-",
        "bytes=a-b",
        "bytes=0-1,3-4",
        "bits=0-1",
        "bytes 0-1",
        "bytes=+1-2",
        "bytes=0x1-2",
        "bytes=1",
        "bytes=1-2-3",
        "",
    ] {
        let got = ask(&client, "GET", &target("digits"), &[("range", range)]).await;
        assert_eq!((got.status, got.body.as_slice()), (200, DIGITS), "{range:?}");
        assert_eq!(got.header("content-range"), None, "{range:?}");
    }
    for range in ["bytes=0-0", "bytes=0-", "bytes=-1", "bytes=1-"] {
        let got = ask(&client, "GET", &target("nothing"), &[("range", range)]).await;
        assert_refused(&got, 416, "InvalidRange", range);
        assert_eq!(got.header("content-range"), Some("bytes */0"), "{range}");
    }
    let whole = client.get(BUCKET, "nothing").await.unwrap();
    assert_eq!((whole.status, whole.header("content-length"), whole.body.len()), (200, Some("0"), 0));
}

/// The account knows no suffixes: one call where the length of the object was seen lately, and never the bytes of
/// another version than that whose length it was.
#[tokio::test]
async fn suffixes() {
    let product = Product::start().await;
    let replica = Product::in_front_of(product.emulator.clone(), product.store_address, Setup::default());
    let (client, elsewhere) = (product.client(), replica.client());
    let calls = async |expected: &[(&'static str, u64)], body: &[u8], header: (&str, &str)| {
        let before = product.seen();
        let got = ask(&client, "GET", &target("digits"), &[("range", "bytes=-3"), header]).await;
        assert_eq!(got.status, if body.is_empty() { 412 } else { 206 }, "{}", got.text());
        if !body.is_empty() {
            assert_eq!(got.body, body);
        }
        assert_eq!(product.calls_since(&before).into_iter().collect::<Vec<_>>(), expected, "{body:?} {header:?}");
        got
    };
    let no_header = ("x-nothing", "");
    let etag = client.put(BUCKET, "digits", DIGITS).await.unwrap().header("etag").unwrap().to_owned();
    let got = calls(&[("GetBlob", 1)], b"789", no_header).await;
    assert_eq!(got.header("content-range"), Some("bytes 7-9/10"));
    calls(&[("GetBlob", 1)], b"789", ("if-match", &etag)).await;
    calls(&[("GetBlob", 1)], b"", ("if-match", "\"other\"")).await;
    // Another replica wrote in between.
    elsewhere.put(BUCKET, "digits", b"0123456789abc").await.unwrap();
    calls(&[("GetBlob", 2), ("GetBlobProperties", 1)], b"abc", no_header).await;
    calls(&[("GetBlob", 1)], b"abc", no_header).await;
    elsewhere.put(BUCKET, "digits", b"xy").await.unwrap();
    let got = calls(&[("GetBlob", 2), ("GetBlobProperties", 1)], b"xy", no_header).await;
    assert_eq!(got.header("content-range"), Some("bytes 0-1/2"));
    elsewhere.put(BUCKET, "digits", b"").await.unwrap();
    let got = ask(&client, "GET", &target("digits"), &[("range", "bytes=-3")]).await;
    assert_refused(&got, 416, "InvalidRange", "empty by now");
    elsewhere.delete(BUCKET, "digits").await.unwrap();
    let got = ask(&client, "GET", &target("digits"), &[("range", "bytes=-3")]).await;
    assert_refused(&got, 404, "NoSuchKey", "deleted by now");
    // A look at the object tells its length too.
    elsewhere.put(BUCKET, "digits", DIGITS).await.unwrap();
    assert_eq!(client.head(BUCKET, "digits").await.unwrap().status, 200);
    calls(&[("GetBlob", 1)], b"789", no_header).await;
}

fn assert_bodyless(response: &Response, status: u16, context: &str) {
    assert_eq!(response.status, status, "{context}: {}", response.text());
    assert!(response.body.is_empty(), "{context}: {}", response.text());
}

#[tokio::test]
async fn conditions() {
    let product = Product::start().await;
    let client = product.client();
    let etag = client.put(BUCKET, "key", b"content").await.unwrap().header("etag").unwrap().to_owned();
    let bare = etag.trim_matches('"').to_owned();
    let weak = format!("W/{etag}");
    let listed = format!("\"x\", {etag}");
    let modified = client.head(BUCKET, "key").await.unwrap().header("last-modified").unwrap().to_owned();
    let cases: Vec<(Vec<(&str, &str)>, u16)> = vec![
        (vec![("if-match", &etag)], 200),
        (vec![("if-match", &bare)], 200),
        (vec![("if-match", "*")], 200),
        (vec![("if-match", &listed)], 200),
        (vec![("if-match", "\"other\"")], 412),
        (vec![("if-none-match", &etag)], 304),
        (vec![("if-none-match", &bare)], 304),
        (vec![("if-none-match", &weak)], 304),
        (vec![("if-none-match", "*")], 304),
        (vec![("if-none-match", "\"other\"")], 200),
        (vec![("if-modified-since", NEVER)], 200),
        (vec![("if-modified-since", &modified)], 304),
        (vec![("if-modified-since", "junk")], 200),
        (vec![("if-unmodified-since", NEVER)], 412),
        (vec![("if-unmodified-since", &modified)], 200),
        (vec![("if-unmodified-since", FUTURE)], 200),
        (vec![("if-unmodified-since", "junk")], 200),
        // An ETag that matches outweighs a time that does not, and the other way round.
        (vec![("if-match", &etag), ("if-unmodified-since", NEVER)], 200),
        (vec![("if-none-match", "\"other\""), ("if-modified-since", FUTURE)], 200),
        (vec![("if-none-match", &etag), ("if-modified-since", NEVER)], 304),
        (vec![("if-match", "\"other\""), ("if-none-match", &etag)], 412),
        // A condition comes before the range.
        (vec![("if-match", "\"other\""), ("range", "bytes=100-")], 412),
        (vec![("if-none-match", &etag), ("range", "bytes=100-")], 304),
        (vec![("if-match", &etag), ("range", "bytes=1-2")], 206),
    ];
    for (headers, expected) in &cases {
        let context = format!("{headers:?}");
        let get = ask(&client, "GET", &target("key"), headers).await;
        let head = ask(&client, "HEAD", &target("key"), headers).await;
        assert_bodyless(&head, *expected, &context);
        assert_status(&get, *expected, &context);
        match expected {
            304 => {
                assert_bodyless(&get, 304, &context);
                assert_eq!(get.header("etag"), Some(etag.as_str()), "{context}");
                assert_eq!(get.header("last-modified"), Some(modified.as_str()), "{context}");
                assert_eq!(get.header("content-type"), None, "{context}");
            }
            412 => assert_refused(&get, 412, "PreconditionFailed", &context),
            206 => assert_eq!(get.body, b"on", "{context}"),
            _ => assert_eq!(get.body, b"content", "{context}"),
        }
        let missing = ask(&client, "GET", &target("missing"), headers).await;
        assert_refused(&missing, 404, "NoSuchKey", &context);
        assert_bodyless(&ask(&client, "HEAD", &target("missing"), headers).await, 404, &context);
    }
}

#[tokio::test]
async fn overrides_of_the_answer() {
    let product = Product::start().await;
    let client = product.client();
    client.put(BUCKET, "key", b"content").await.unwrap();
    let query = "response-content-type=text%2Fplain&response-content-language=de&response-expires=never&\
                 response-cache-control=no-cache&response-content-disposition=attachment%3B%20filename%3D%22a%20b.txt%22&\
                 response-content-encoding=gzip";
    for method in ["GET", "HEAD"] {
        let got = ask(&client, method, &format!("{}?{query}", target("key")), &[]).await;
        assert_status(&got, 200, method);
        for (name, value) in [
            ("content-type", "text/plain"),
            ("content-language", "de"),
            ("expires", "never"),
            ("cache-control", "no-cache"),
            ("content-disposition", "attachment; filename=\"a b.txt\""),
            ("content-encoding", "gzip"),
        ] {
            assert_eq!(got.header(name), Some(value), "{method} {name}");
        }
    }
    let plain = client.get(BUCKET, "key").await.unwrap();
    assert_eq!(plain.header("content-type"), Some("binary/octet-stream"));
    assert_eq!(plain.header("content-encoding"), None);
    let before = product.seen();
    for bad in ["a%0d%0aset-cookie:%20x", "a%0ab", "a%00b", "%7f"] {
        let got = ask(&client, "GET", &format!("{}?response-content-type={bad}", target("key")), &[]).await;
        assert_refused(&got, 400, "InvalidArgument", bad);
        assert_eq!(got.header("set-cookie"), None);
    }
    product.assert_no_call_since(&before, "bad overrides");
}

#[tokio::test]
async fn versions_and_parts_of_a_simple_object() {
    let product = Product::start().await;
    let client = product.client();
    client.put(BUCKET, "key", b"content").await.unwrap();
    let null = ask(&client, "GET", &format!("{}?versionId=null", target("key")), &[]).await;
    assert_eq!((null.status, null.body.as_slice()), (200, &b"content"[..]));
    for what in ["versionId=abc", "tagging&versionId=abc", "acl&versionId=abc"] {
        let other = ask(&client, "GET", &format!("{}?{what}", target("key")), &[]).await;
        assert_refused(&other, 400, "InvalidArgument", what);
        assert_eq!(other.element("ArgumentName").as_deref(), Some("versionId"), "{what}");
    }
    let other = ask(&client, "HEAD", &format!("{}?versionId=abc", target("key")), &[]).await;
    assert_eq!((other.status, other.body.len()), (400, 0));
    let part = ask(&client, "GET", &format!("{}?partNumber=1", target("key")), &[]).await;
    assert_eq!((part.status, part.body.as_slice()), (206, &b"content"[..]));
    assert_eq!(part.header("content-range"), Some("bytes 0-6/7"));
    let second = ask(&client, "GET", &format!("{}?partNumber=2", target("key")), &[]).await;
    assert_refused(&second, 416, "InvalidPartNumber", "part 2");
    assert_eq!(second.element("ActualPartCount").as_deref(), Some("1"));
    assert_eq!(second.element("PartNumberRequested").as_deref(), Some("2"));
    for bad in ["0", "10001", "x", "-1"] {
        let got = ask(&client, "GET", &format!("{}?partNumber={bad}", target("key")), &[]).await;
        assert_refused(&got, 400, "InvalidArgument", bad);
    }
    let both = ask(&client, "GET", &format!("{}?partNumber=1", target("key")), &[("range", "bytes=0-1")]).await;
    assert_refused(&both, 400, "InvalidRequest", "both");
}

#[tokio::test]
async fn headers_of_real_clients_are_no_hindrance() {
    let product = Product::start().await;
    let client = product.client();
    let content = bytes(300_000);
    client.put(BUCKET, "key", &content).await.unwrap();
    // Java v2 sends a checksum of its empty body and `x-amz-te`; pyarrow an API version.
    let headers = [
        ("x-amz-checksum-crc32", "AAAAAA=="),
        ("x-amz-te", "append-md5"),
        ("x-amz-api-version", "2006-03-01"),
        ("content-type", "application/xml"),
        ("amz-sdk-invocation-id", "1b9a"),
        ("accept-encoding", "identity"),
        ("user-agent", "aws-sdk-java/2 {a=b} (c d)"),
    ];
    for method in ["GET", "HEAD"] {
        let got = ask(&client, method, &format!("{}?x-id=GetObject", target("key")), &headers).await;
        assert_status(&got, 200, method);
        if method == "GET" {
            assert!(got.body == content);
        }
    }
    let attributes = ask(
        &client,
        "GET",
        &format!("{}?attributes", target("key")),
        &[("x-amz-object-attributes", "ETag,ObjectSize,StorageClass")],
    )
    .await;
    assert_status(&attributes, 200, "attributes");
    assert_eq!(attributes.element("ObjectSize").as_deref(), Some("300000"));
    assert_eq!(attributes.element("StorageClass").as_deref(), Some("STANDARD"));
}
