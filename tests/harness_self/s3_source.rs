//! The S3 source: strictness, awkward objects, generated ones, and every fault.

use std::time::Duration;

use crate::harness::hash::{self, Algorithm};
use crate::harness::percent;
use crate::harness::random::{Random, seed};
use crate::harness::s3_client::{BodyMode, S3Client};
use crate::harness::s3_source::{Access, Fault, Faults, Generated, Object, Rule, S3Source};
use crate::harness::sigv4::Credentials;

fn source() -> (S3Source, S3Client) {
    let source = S3Source::new(7);
    source.create_bucket("b");
    let credentials = Credentials::new("access", "a secret that is long");
    source.set_access(Access::Verified(vec![credentials.clone()]));
    let opener = source.clone();
    (source, S3Client::pipe(move || opener.connect(), credentials))
}

#[tokio::test]
async fn serves_over_tcp_and_checks_signatures() {
    let (source, pipe) = source();
    source.put("b", "k", b"hello".to_vec());
    let listening = source.listen().await.unwrap();
    let client = S3Client::tcp(listening.address, Credentials::new("access", "a secret that is long"));
    assert_eq!(client.get("b", "k").await.unwrap().body, b"hello");
    let mut spoiled = client.object("GET", "b", "k").build();
    spoiled.spoil_signature();
    assert_eq!(client.send(&spoiled).await.unwrap().code().unwrap(), "SignatureDoesNotMatch");
    let anonymous = pipe.object("GET", "b", "k").anonymous().build();
    assert_eq!(pipe.send(&anonymous).await.unwrap().status, 403);
    assert_eq!(source.count("GetObject").requests, 3);
    assert_eq!(source.count("GetObject").failed, 2);
}

#[tokio::test]
async fn any_key_round_trips_by_every_body_mode() {
    let (source, client) = source();
    let keys = ["a//b", "/a", "a\\b", ".", "..", "a/../b", "a b+c%2F?#&=é😀", "dir/", "x\u{1}y", "~*'()"];
    for (key, mode) in keys.iter().flat_map(|key| BodyMode::ALL.map(|mode| (key, mode))) {
        let body = format!("{key}{mode:?}").repeat(3000);
        let request = client.object("PUT", "b", key).body(body.as_bytes(), mode).header("x-amz-meta-m", "v").build();
        let put = client.send(&request).await.unwrap();
        assert_eq!(put.status, 200, "{key:?} {mode:?} {}", put.text());
        let got = client.get("b", key).await.unwrap();
        assert_eq!(got.body, body.as_bytes(), "{key:?}");
        assert_eq!(got.etag().unwrap(), hash::hex(&hash::md5(body.as_bytes())));
        assert_eq!(got.header("x-amz-meta-m"), Some("v"));
    }
    let listed = all_keys(&client, "encoding-type=url", true).await;
    let mut expected: Vec<_> = keys.iter().map(|key| (*key).to_owned()).collect();
    expected.sort();
    assert_eq!(listed, expected);
    assert_eq!(source.versions("b", "a//b").len(), BodyMode::ALL.len());
    assert_eq!(source.log().len(), keys.len() * BodyMode::ALL.len());
}

#[tokio::test]
async fn refuses_bodies_that_do_not_match() {
    let (_source, client) = source();
    for mode in BodyMode::ALL {
        let mut request = client
            .object("PUT", "b", "k")
            .body(&[b'x'; 100], mode)
            .header("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==")
            .build();
        let answer = client.send(&request).await.unwrap();
        assert_eq!(answer.code().unwrap(), "BadDigest", "{mode:?}");
        let place = request.body.iter().position(|&byte| byte == b'x').unwrap();
        request.body[place] = b'y';
        assert_eq!(client.send(&request).await.unwrap().status, 400, "{mode:?}");
    }
    assert_eq!(client.head("b", "k").await.unwrap().status, 404);
}

#[tokio::test]
async fn ranges_and_conditions() {
    let (source, client) = source();
    source.freeze_clock(Duration::from_millis(1_700_000_000_900));
    source.put("b", "k", b"0123456789".to_vec());
    source.put("b", "empty", Vec::<u8>::new());
    let etag = format!("\"{}\"", source.live("b", "k").unwrap().etag);
    let cases: [(&str, &str, u16, &str); 16] = [
        ("range", "bytes=0-3", 206, "0123"),
        ("range", "bytes=5-", 206, "56789"),
        ("range", "bytes=-3", 206, "789"),
        ("range", "bytes=-30", 206, "0123456789"),
        ("range", "bytes=9-99", 206, "9"),
        ("range", "bytes=10-", 416, ""),
        ("range", "bytes=-0", 416, ""),
        ("range", "bytes=3-1", 200, "0123456789"),
        ("range", "lines=1-2", 200, "0123456789"),
        ("if-match", &etag, 200, "0123456789"),
        ("if-match", "\"no\"", 412, ""),
        ("if-none-match", &etag, 304, ""),
        ("if-none-match", "\"no\"", 200, "0123456789"),
        ("if-modified-since", "Tue, 14 Nov 2023 22:13:20 GMT", 304, ""),
        ("if-modified-since", "Tue, 14 Nov 2023 22:13:19 GMT", 200, "0123456789"),
        ("if-unmodified-since", "Tue, 14 Nov 2023 22:13:19 GMT", 412, ""),
    ];
    for (name, value, status, body) in cases {
        let answer = client.send(&client.object("GET", "b", "k").header(name, value).build()).await.unwrap();
        assert_eq!(answer.status, status, "{name}: {value}");
        if status < 300 {
            assert_eq!(answer.text(), body, "{name}: {value}");
        }
    }
    let empty = client.object("GET", "b", "empty").header("range", "bytes=0-").build();
    assert_eq!(client.send(&empty).await.unwrap().status, 416);
}

#[tokio::test]
async fn awkward_objects() {
    let (source, client) = source();
    let body: Vec<u8> = (0..2500u32).map(|number| number as u8).collect();
    source.put(
        "b",
        "parts",
        Object::bytes(body.clone())
            .multipart(1000)
            .checksum(Algorithm::Crc64Nvme)
            .composite_checksum(Algorithm::Sha256),
    );
    source.put("b", "kms", Object::bytes(body.clone()).kms());
    source.put("b", "ice", Object::bytes(body.clone()).archived("GLACIER"));
    source.put("b", "ssec", Object::bytes(body.clone()).customer_key());
    source.put(
        "b",
        "rich",
        Object::bytes(body.clone())
            .header("content-type", "text/x")
            .header("cache-control", "no-cache")
            .metadata("a-b", "é")
            .tag("t", "1&2"),
    );

    let answer = client
        .send(&client.object("GET", "b", "parts").header("x-amz-checksum-mode", "ENABLED").build())
        .await
        .unwrap();
    let mut digests = Vec::new();
    body.chunks(1000).for_each(|part| digests.extend_from_slice(&hash::md5(part)));
    assert_eq!(answer.etag().unwrap(), format!("{}-3", hash::hex(&hash::md5(&digests))));
    assert_eq!(answer.header("x-amz-checksum-crc64nvme").unwrap(), hash::checksum(Algorithm::Crc64Nvme, &body));
    assert!(answer.header("x-amz-checksum-sha256").unwrap().ends_with("-3"));
    let second = client.request("GET", "/b/parts?partNumber=3").build();
    let second = client.send(&second).await.unwrap();
    assert_eq!((second.status, second.body.as_slice()), (206, &body[2000..]));
    assert_eq!(second.header("x-amz-mp-parts-count"), Some("3"));

    let kms = client.get("b", "kms").await.unwrap();
    assert_eq!(kms.etag().unwrap().len(), 32);
    assert_ne!(kms.etag().unwrap(), hash::hex(&hash::md5(&body)));
    assert_eq!(client.get("b", "ice").await.unwrap().code().unwrap(), "InvalidObjectState");
    assert_eq!(client.head("b", "ice").await.unwrap().header("x-amz-storage-class"), Some("GLACIER"));
    assert_eq!(client.get("b", "ssec").await.unwrap().status, 400);
    let rich = client.get("b", "rich").await.unwrap();
    assert_eq!(rich.header("x-amz-meta-a-b"), Some("é"));
    assert_eq!(rich.header("x-amz-tagging-count"), Some("1"));
    assert_eq!(rich.header("content-type"), Some("text/x"));
    let tags = client.send(&client.request("GET", "/b/rich?tagging").build()).await.unwrap();
    assert_eq!(tags.element("Value").unwrap(), "1&amp;2");
    assert_eq!(
        client.send(&client.request("HEAD", "/b").build()).await.unwrap().header("x-amz-bucket-region"),
        Some("us-east-1")
    );
    assert_eq!(client.send(&client.request("GET", "/b?location").build()).await.unwrap().status, 200);
    assert_eq!(client.send(&client.request("GET", "/b?acl").build()).await.unwrap().status, 501);
    assert_eq!(client.send(&client.request("GET", "/nobody").build()).await.unwrap().code().unwrap(), "NoSuchBucket");
}

/// Every key of every page.
async fn all_keys(client: &S3Client, query: &str, url: bool) -> Vec<String> {
    let mut keys = Vec::new();
    let mut next = String::new();
    loop {
        let page = client.list("b", &format!("{query}{next}")).await.unwrap();
        assert_eq!(page.status, 200, "{}", page.text());
        let mut names = page.elements("Key");
        for prefix in page.elements("CommonPrefixes") {
            names.push(prefix.replace("<Prefix>", "").replace("</Prefix>", ""));
        }
        keys.extend(names.into_iter().map(|name| match url {
            true => String::from_utf8(percent::decode(&name, true).unwrap()).unwrap(),
            false => name,
        }));
        match page.element("NextContinuationToken") {
            Some(token) => next = format!("&continuation-token={}", percent::encode(token.as_bytes(), b"")),
            None => return keys,
        }
    }
}

#[tokio::test]
async fn listings_agree_with_a_model() {
    let mut random = Random::new(seed("listings_agree_with_a_model"));
    for _ in 0..60 {
        let (source, client) = source();
        let mut keys = Vec::new();
        for _ in 0..random.below(30) {
            let key: String = (0..1 + random.below(5)).map(|_| *random.pick(&['a', 'b', '/', 'é', '-', '0'])).collect();
            source.put("b", &key, b"x".to_vec());
            keys.push(key);
        }
        keys.sort();
        keys.dedup();
        for _ in 0..6 {
            let prefix = *random.pick(&["", "a", "/", "a/", "b", "é"]);
            let delimiter = *random.pick(&["", "/", "a", "-0"]);
            let max = 1 + random.below(5);
            let start = *random.pick(&["", "a", "a/", "b/a", "zz"]);
            let mut expected: Vec<String> = Vec::new();
            for key in keys.iter().filter(|key| key.starts_with(prefix) && key.as_str() > start) {
                let rest = &key[prefix.len()..];
                let name = match rest.find(delimiter).filter(|_| !delimiter.is_empty()) {
                    Some(end) => format!("{prefix}{}", &rest[..end + delimiter.len()]),
                    None => key.clone(),
                };
                // Starting after a folded prefix is starting behind all that it stands for.
                if expected.last() != Some(&name) && name != start {
                    expected.push(name);
                }
            }
            let enc = |text: &str| percent::encode(text.as_bytes(), b"");
            let query = format!(
                "prefix={}&delimiter={}&max-keys={max}&start-after={}",
                enc(prefix),
                enc(delimiter),
                enc(start)
            );
            let mut listed = all_keys(&client, &query, false).await;
            // Objects come before prefixes on each page.
            listed.sort();
            assert_eq!(listed, expected, "{query} {keys:?}");
        }
    }
}

#[tokio::test]
async fn tokens_are_opaque_and_bound() {
    let (source, client) = source();
    for key in ["a", "b", "c"] {
        source.put("b", key, b"x".to_vec());
    }
    for token in ["", "a", "YQ==", "AAAAAAAAAAAAAAAA"] {
        let page = client.list("b", &format!("continuation-token={token}")).await.unwrap();
        assert_eq!(page.status, 400, "{token}");
    }
    for query in ["max-keys=x", "max-keys=-1", "encoding-type=no", "list-type=3", "unknown=1"] {
        let page = client.send(&client.request("GET", &format!("/b?{query}")).build()).await.unwrap();
        assert!(page.status >= 400, "{query}");
    }
    let none = client.list("b", "max-keys=0").await.unwrap();
    assert_eq!((none.element("IsTruncated").unwrap().as_str(), none.elements("Key").len()), ("false", 0));
}

#[tokio::test]
async fn generated_objects_cost_nothing_to_hold() {
    let (source, client) = source();
    source.generate("b", Generated { prefix: "gen/".into(), count: 1_000_000_000, size: 4096, seed: 3 });
    source.put("b", "gen/0000000001", b"held".to_vec());
    source.delete("b", "gen/0000000002");
    source.put("b", "gen/00000000035", b"between".to_vec());
    let page = client.list("b", "prefix=gen/&max-keys=4").await.unwrap();
    assert_eq!(page.elements("Key"), ["gen/0000000000", "gen/0000000001", "gen/0000000003", "gen/00000000035"]);
    assert_eq!(page.elements("Size"), ["4096", "4", "4096", "7"]);
    let far = client.list("b", "start-after=gen/0999999997").await.unwrap();
    assert_eq!(far.elements("Key"), ["gen/0999999998", "gen/0999999999"]);
    let got = client.get("b", "gen/0123456789").await.unwrap();
    assert_eq!((got.body.len(), got.etag().unwrap().to_owned()), (4096, hash::hex(&hash::md5(&got.body))));
    assert_eq!(client.get("b", "gen/1000000000").await.unwrap().status, 404);
    assert_eq!(client.list("b", "delimiter=/").await.unwrap().elements("Prefix").len(), 2);
    source.put("b", "huge", Object::synthetic(9, 1 << 40).etag("0123-9"));
    let tail = client.send(&client.object("GET", "b", "huge").header("range", "bytes=-10").build()).await.unwrap();
    assert_eq!(
        tail.header("content-range").unwrap(),
        format!("bytes {}-{}/{}", (1u64 << 40) - 10, (1u64 << 40) - 1, 1u64 << 40)
    );
}

#[tokio::test]
async fn body_faults_show_as_they_should() {
    let (source, _) = source();
    source.set_access(Access::Anyone);
    let body: Vec<u8> = (0..100_000u32).map(|number| (number % 251) as u8).collect();
    source.put("b", "k", body.clone());
    let listening = source.listen().await.unwrap();
    let client = S3Client::tcp(listening.address, Credentials::new("a", "b"));
    let with = |fault| source.add_rule(Rule::once(fault, |request| request.method == "GET"));

    with(Fault::Truncated { at: 0.5 });
    let got = client.get("b", "k").await.unwrap();
    assert!(got.cut && got.status == 200 && got.body == body[..50_000]);
    with(Fault::TruncatedWithItsLength { at: 0.5 });
    let got = client.get("b", "k").await.unwrap();
    assert!(!got.cut && got.body.len() == 50_000);
    with(Fault::TruncatedWithoutLength { at: 0.99 });
    let got = client.get("b", "k").await.unwrap();
    assert!(!got.cut && got.body.len() == 99_000 && got.header("content-length").is_none());
    with(Fault::Reset { at: 0.5 });
    let got = client.get("b", "k").await;
    assert!(got.is_err() || got.unwrap().cut);
    with(Fault::WrongByte { at: 0.5 });
    let got = client.get("b", "k").await.unwrap();
    let wrong: Vec<_> = (0..body.len()).filter(|&place| got.body[place] != body[place]).collect();
    assert_eq!(wrong, [50_000]);
    with(Fault::RangeIgnored);
    let ranged = client.object("GET", "b", "k").header("range", "bytes=1-2").build();
    assert_eq!(client.send(&ranged).await.unwrap().status, 200);
    with(Fault::SlowBody { piece: 50_000, pause: Duration::from_millis(1) });
    assert_eq!(client.get("b", "k").await.unwrap().body, body);
    with(Fault::SlowDown { retry_after: Some(1) });
    let got = client.get("b", "k").await.unwrap();
    assert_eq!((got.status, got.code().unwrap().as_str(), got.header("retry-after")), (503, "SlowDown", Some("1")));
    with(Fault::ChangedAfter);
    assert_eq!(client.get("b", "k").await.unwrap().body, body);
    let changed = client.get("b", "k").await.unwrap();
    assert!(changed.body != body && changed.body.len() == body.len());
    with(Fault::DeletedAfter);
    assert_eq!(client.get("b", "k").await.unwrap().status, 200);
    assert_eq!(client.get("b", "k").await.unwrap().status, 404);
    assert_eq!(source.versions("b", "k").len(), 3);
    source.add_rule(Rule::once(Fault::ResponseLost, |request| request.method == "PUT"));
    assert!(client.put("b", "k", b"landed").await.is_err());
    assert_eq!(client.get("b", "k").await.unwrap().body, b"landed");
}

#[tokio::test]
async fn listing_faults_show_as_they_should() {
    let (source, client) = source();
    for key in 0..10 {
        source.put("b", &format!("k{key}"), b"x".to_vec());
    }
    let with = |fault| source.add_rule(Rule::once(fault, |request| request.is_listing()));
    with(Fault::PageDropped);
    assert_eq!(all_keys(&client, "max-keys=4", false).await.len(), 6);
    with(Fault::PageDuplicated);
    assert_eq!(all_keys(&client, "max-keys=4", false).await.len(), 13);
    with(Fault::PageUnsorted);
    assert_eq!(client.list("b", "max-keys=2").await.unwrap().elements("Key"), ["k1", "k0"]);
    let token = client.list("b", "max-keys=2").await.unwrap().element("NextContinuationToken").unwrap();
    let query = format!("max-keys=2&continuation-token={}", percent::encode(token.as_bytes(), b""));
    with(Fault::TokenRepeated);
    assert_eq!(client.list("b", &query).await.unwrap().element("NextContinuationToken").unwrap(), token);
    with(Fault::TokenExpired);
    assert_eq!(client.list("b", &query).await.unwrap().status, 400);
    assert_eq!(client.list("b", &query).await.unwrap().elements("Key"), ["k2", "k3"]);
}

#[tokio::test]
async fn faults_by_chance_repeat_with_the_seed() {
    let mut outcomes = Vec::new();
    for _ in 0..2 {
        let (source, client) = source();
        source.put("b", "k", b"x".to_vec());
        source.set_faults(Faults::default().chance(0.3, Fault::SlowDown { retry_after: None }));
        let mut statuses = Vec::new();
        for _ in 0..40 {
            statuses.push(client.get("b", "k").await.unwrap().status);
        }
        outcomes.push(statuses);
    }
    assert_eq!(outcomes[0], outcomes[1]);
    let failed = outcomes[0].iter().filter(|&&status| status == 503).count();
    assert!((3..=25).contains(&failed), "{failed}");
}

#[tokio::test]
async fn multipart_copy_and_batch_delete() {
    let (source, client) = source();
    let created =
        client.send(&client.request("POST", "/b/k?uploads").header("x-amz-meta-m", "v").build()).await.unwrap();
    let id = created.element("UploadId").unwrap();
    let mut list = String::from("<CompleteMultipartUpload>");
    let mut digests = Vec::new();
    for (number, size) in [(1, 5 << 20), (3, 7)] {
        let part = vec![number as u8; size];
        let request = client
            .request("PUT", &format!("/b/k?partNumber={number}&uploadId={id}"))
            .body(&part, BodyMode::Unsigned)
            .build();
        let etag = client.send(&request).await.unwrap().etag().unwrap().to_owned();
        digests.extend_from_slice(&hash::md5(&part));
        list.push_str(&format!("<Part><PartNumber>{number}</PartNumber><ETag>&quot;{etag}&quot;</ETag></Part>"));
    }
    list.push_str("</CompleteMultipartUpload>");
    assert_eq!(source.open_uploads().len(), 1);
    let complete =
        client.request("POST", &format!("/b/k?uploadId={id}")).body(list.as_bytes(), BodyMode::Signed).build();
    assert_eq!(client.send(&complete).await.unwrap().status, 200);
    assert_eq!(client.send(&complete).await.unwrap().code().unwrap(), "NoSuchUpload");
    let head = client.head("b", "k").await.unwrap();
    assert_eq!(head.etag().unwrap(), format!("{}-2", hash::hex(&hash::md5(&digests))));
    assert_eq!(head.header("x-amz-meta-m"), Some("v"));
    let copy = client.request("PUT", "/b/copy%20of").header("x-amz-copy-source", "/b/k").build();
    assert_eq!(client.send(&copy).await.unwrap().status, 200);
    assert_eq!(client.get("b", "copy of").await.unwrap().body.len(), (5 << 20) + 7);
    let delete = "<Delete><Object><Key>k</Key></Object><Object><Key>copy of</Key></Object></Delete>";
    let delete = client.request("POST", "/b?delete").body(delete.as_bytes(), BodyMode::Signed).build();
    assert_eq!(client.send(&delete).await.unwrap().elements("Deleted").len(), 2);
    assert!(source.live_objects("b").is_empty());
}
