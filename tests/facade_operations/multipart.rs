//! The operations of multipart uploads.

use crate::harness::hash::{self, Algorithm};
use crate::harness::product::{BUCKET, OTHER_BUCKET, Product};
use crate::harness::s3_client::{BodyMode, Response, S3Client};
use crate::{ask, assert_refused, assert_status, bytes, send};

const PART: usize = 5 << 20;

struct Upload {
    client: S3Client,
    key: String,
    id: String,
}

impl Upload {
    async fn begin(client: &S3Client, key: &str, headers: &[(&str, &str)]) -> Self {
        let created = send(client, "POST", &format!("/{BUCKET}/{key}?uploads"), headers, b"").await;
        assert_status(&created, 200, "create");
        assert_eq!(created.element("Key").as_deref(), Some(key));
        Self { client: client.clone(), key: key.into(), id: created.element("UploadId").unwrap() }
    }

    fn target(&self, query: &str) -> String {
        format!("/{BUCKET}/{}?{query}uploadId={}", self.key, self.id)
    }

    async fn part(&self, number: u32, content: &[u8]) -> Response {
        self.part_with(number, content, BodyMode::Unsigned).await
    }

    async fn part_with(&self, number: u32, content: &[u8], mode: BodyMode) -> Response {
        let target = self.target(&format!("partNumber={number}&"));
        self.client.send(&self.client.request("PUT", &target).body(content, mode).build()).await.unwrap()
    }

    async fn etag(&self, number: u32, content: &[u8]) -> String {
        let put = self.part(number, content).await;
        assert_status(&put, 200, &format!("part {number}"));
        put.header("etag").unwrap().to_owned()
    }

    async fn complete(&self, parts: &[(u32, &str)], headers: &[(&str, &str)]) -> Response {
        send(&self.client, "POST", &self.target(""), headers, document(parts).as_bytes()).await
    }

    async fn abort(&self) -> Response {
        ask(&self.client, "DELETE", &self.target(""), &[]).await
    }
}

fn document(parts: &[(u32, &str)]) -> String {
    let part = |(number, etag): &(u32, &str)| {
        format!("<Part><PartNumber>{number}</PartNumber><ETag>{}</ETag></Part>", etag.replace('"', "&quot;"))
    };
    format!("<CompleteMultipartUpload>{}</CompleteMultipartUpload>", parts.iter().map(part).collect::<String>())
}

fn composite(parts: &[&[u8]]) -> String {
    let digests: Vec<u8> = parts.iter().flat_map(|part| hash::md5(part)).collect();
    format!("\"{}-{}\"", hash::hex(&hash::md5(&digests)), parts.len())
}

#[tokio::test]
async fn gaps_overwritten_parts_and_the_result() {
    let product = Product::start().await;
    let client = product.client();
    let headers = [("x-amz-meta-color", "blue"), ("content-type", "text/plain"), ("x-amz-tagging", "a=1")];
    let upload = Upload::begin(&client, "dir/key", &headers).await;
    let (first, second, last) = (bytes(PART), bytes(PART + 1), bytes(1000));
    upload.etag(3, b"to be overwritten").await;
    let first_etag = upload.etag(1, &first).await;
    let second_etag = upload.etag(3, &second).await;
    let last_etag = upload.etag(10_000, &last).await;
    upload.etag(20, b"not wanted").await;
    // Nothing is to be seen before Complete.
    assert_refused(&client.get(BUCKET, "dir/key").await.unwrap(), 404, "NoSuchKey", "before");
    assert!(client.list(BUCKET, "").await.unwrap().elements("Key").is_empty());

    let chosen = [(1, first_etag.as_str()), (3, &second_etag), (10_000, &last_etag)];
    let done = upload.complete(&chosen, &[]).await;
    assert_status(&done, 200, "complete");
    let etag = composite(&[&first, &second, &last]);
    assert_eq!(done.element("ETag").map(|etag| etag.replace("&quot;", "\"")), Some(etag.clone()));
    assert_eq!((done.element("Bucket").as_deref(), done.element("Key").as_deref()), (Some(BUCKET), Some("dir/key")));
    let got = client.get(BUCKET, "dir/key").await.unwrap();
    assert!(got.body == [first.as_slice(), &second, &last].concat());
    assert_eq!(got.header("etag"), Some(etag.as_str()));
    assert_eq!(got.header("x-amz-meta-color"), Some("blue"));
    assert_eq!(got.header("content-type"), Some("text/plain"));
    assert_eq!(got.header("x-amz-tagging-count"), Some("1"));
    // Parts of the result are numbered anew.
    for (number, content) in [(1, &first), (2, &second), (3, &last)] {
        let part = ask(&client, "GET", &format!("/{BUCKET}/dir/key?partNumber={number}"), &[]).await;
        assert!(part.status == 206 && part.body == *content, "part {number}: {}", part.status);
        assert_eq!(part.header("x-amz-mp-parts-count"), Some("3"));
    }
    // Said again it is answered the same; the upload itself is over.
    let again = upload.complete(&chosen, &[]).await;
    assert_eq!((again.status, again.element("ETag")), (200, done.element("ETag")), "{}", again.text());
    assert_refused(&upload.part(1, b"x").await, 404, "NoSuchUpload", "part after complete");
    assert!(ask(&client, "GET", &format!("/{BUCKET}?uploads"), &[]).await.elements("UploadId").is_empty());
}

#[tokio::test]
async fn what_complete_refuses() {
    let product = Product::start().await;
    let client = product.client();
    client.put(BUCKET, "key", b"the version before").await.unwrap();
    let upload = Upload::begin(&client, "key", &[]).await;
    let big = bytes(PART);
    let one = upload.etag(1, &big).await;
    let two = upload.etag(2, b"small").await;
    let three = upload.etag(3, b"last").await;
    for (parts, code) in [
        (vec![(2, two.as_str()), (1, one.as_str())], "InvalidPartOrder"),
        (vec![(1, &one), (1, &one)], "InvalidPartOrder"),
        (vec![(1, &one), (4, &two)], "InvalidPart"),
        (vec![(1, &two)], "InvalidPart"),
        (vec![(1, "\"junk\"")], "InvalidPart"),
        (vec![(1, &one), (2, &two), (3, &three)], "EntityTooSmall"),
        (vec![(0, &one)], "InvalidArgument"),
        (vec![(10_001, &one)], "InvalidArgument"),
        (vec![], "MalformedXML"),
    ] {
        let refused = upload.complete(&parts, &[]).await;
        assert_refused(&refused, 400, code, &format!("{parts:?}"));
    }
    let broken = send(&client, "POST", &upload.target(""), &[], b"<CompleteMultipartUpload><Part>").await;
    assert_refused(&broken, 400, "MalformedXML", "broken");
    let nothing = send(&client, "POST", &upload.target(""), &[], b"").await;
    assert_refused(&nothing, 400, "InvalidRequest", "nothing");
    let size = upload.complete(&[(1, &one)], &[("x-amz-mp-object-size", "17")]).await;
    assert_eq!(size.status, 400, "{}", size.text());
    assert_eq!(client.get(BUCKET, "key").await.unwrap().body, b"the version before");
    // The upload has survived all that. ETags may stand without quotes, in any form that XML has.
    let bare = format!(
        "<?xml version=\"1.0\"?>\n<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\n  <Part>\n    <ETag>{}</ETag>\n    <PartNumber>1</PartNumber>\n  </Part>\n  <Part><ETag>&#34;{}&#34;</ETag><PartNumber>3</PartNumber></Part>\n</CompleteMultipartUpload>",
        one.trim_matches('"'),
        three.trim_matches('"')
    );
    assert_status(&send(&client, "POST", &upload.target(""), &[], bare.as_bytes()).await, 200, "bare");
    assert!(client.get(BUCKET, "key").await.unwrap().body == [big.as_slice(), b"last"].concat());
}

#[tokio::test]
async fn parts_of_no_bytes() {
    let product = Product::start().await;
    let client = product.client();
    let alone = Upload::begin(&client, "empty", &[]).await;
    let etag = alone.etag(1, b"").await;
    let done = alone.complete(&[(1, &etag)], &[]).await;
    assert_status(&done, 200, "alone");
    let got = client.get(BUCKET, "empty").await.unwrap();
    assert_eq!((got.status, got.body.len(), got.header("etag")), (200, 0, Some(composite(&[b""]).as_str())));

    let trailing = Upload::begin(&client, "trailing", &[]).await;
    let big = bytes(PART);
    let (one, two) = (trailing.etag(1, &big).await, trailing.etag(2, b"").await);
    assert_status(&trailing.complete(&[(1, &one), (2, &two)], &[]).await, 200, "trailing");
    let got = client.get(BUCKET, "trailing").await.unwrap();
    assert!(got.body == big);
    assert_eq!(got.header("etag"), Some(composite(&[&big, b""]).as_str()));
}

#[tokio::test]
async fn parts_in_all_body_modes() {
    let product = Product::start().await;
    let client = product.client();
    for length in [100, PART] {
        let content = bytes(length);
        for mode in BodyMode::ALL {
            let upload = Upload::begin(&client, "key", &[]).await;
            let put = upload.part_with(1, &content, mode).await;
            assert_status(&put, 200, &format!("{mode:?}"));
            let etag = put.header("etag").unwrap().to_owned();
            assert_eq!(etag, format!("\"{}\"", hash::hex(&hash::md5(&content))));
            assert_status(&upload.complete(&[(1, &etag)], &[]).await, 200, &format!("{mode:?}"));
            assert!(client.get(BUCKET, "key").await.unwrap().body == content, "{mode:?}");
        }
    }
}

#[tokio::test]
async fn conditional_complete() {
    let product = Product::start().await;
    let client = product.client();
    let upload = Upload::begin(&client, "key", &[]).await;
    let part = upload.etag(1, b"content").await;
    client.put(BUCKET, "key", b"first").await.unwrap();
    let refused = upload.complete(&[(1, &part)], &[("if-none-match", "*")]).await;
    assert_refused(&refused, 412, "PreconditionFailed", "taken");
    assert_eq!(client.get(BUCKET, "key").await.unwrap().body, b"first");
    let etag = client.head(BUCKET, "key").await.unwrap().header("etag").unwrap().to_owned();
    let wrong = upload.complete(&[(1, &part)], &[("if-match", "\"other\"")]).await;
    assert_refused(&wrong, 412, "PreconditionFailed", "wrong");
    assert_status(&upload.complete(&[(1, &part)], &[("if-match", &etag)]).await, 200, "right");
    // A retry of the write itself is no conflict with it.
    let again = upload.complete(&[(1, &part)], &[("if-match", &etag)]).await;
    assert_status(&again, 200, "again");
    assert_eq!(client.get(BUCKET, "key").await.unwrap().body, b"content");
    let fresh = Upload::begin(&client, "fresh", &[]).await;
    let part = fresh.etag(1, b"x").await;
    assert_status(&fresh.complete(&[(1, &part)], &[("if-none-match", "*")]).await, 200, "fresh");
}

#[tokio::test]
async fn abort_is_strict() {
    let product = Product::start().await;
    let client = product.client();
    let upload = Upload::begin(&client, "key", &[]).await;
    let etag = upload.etag(1, b"x").await;
    assert_eq!(upload.abort().await.status, 204);
    assert_refused(&upload.part(1, b"x").await, 404, "NoSuchUpload", "part");
    assert_refused(&upload.complete(&[(1, &etag)], &[]).await, 404, "NoSuchUpload", "complete");
    assert_refused(&ask(&client, "GET", &upload.target(""), &[]).await, 404, "NoSuchUpload", "list");
    assert_refused(&upload.abort().await, 404, "NoSuchUpload", "abort");
    assert_refused(&client.get(BUCKET, "key").await.unwrap(), 404, "NoSuchKey", "get");

    // An upload belongs to its key and its bucket.
    let mine = Upload::begin(&client, "mine", &[]).await;
    let etag = mine.etag(1, b"x").await;
    for target in [format!("/{BUCKET}/yours"), format!("/{OTHER_BUCKET}/mine")] {
        let put = send(&client, "PUT", &format!("{target}?partNumber=1&uploadId={}", mine.id), &[], b"y").await;
        assert_refused(&put, 404, "NoSuchUpload", &target);
        let complete =
            send(&client, "POST", &format!("{target}?uploadId={}", mine.id), &[], document(&[(1, &etag)]).as_bytes())
                .await;
        assert_refused(&complete, 404, "NoSuchUpload", &target);
        let abort = ask(&client, "DELETE", &format!("{target}?uploadId={}", mine.id), &[]).await;
        assert_refused(&abort, 404, "NoSuchUpload", &target);
    }
    for id in ["", "junk", "..%2F..", "%00", &"a".repeat(500)] {
        let put = send(&client, "PUT", &format!("/{BUCKET}/mine?partNumber=1&uploadId={id}"), &[], b"y").await;
        assert!(matches!(put.status, 400 | 404), "{id:?}: {}", put.text());
    }
    assert_status(&mine.complete(&[(1, &etag)], &[]).await, 200, "mine");
    // Nothing of ours lies in the container of the objects, nothing of theirs in the list of uploads.
    assert_eq!(client.list(BUCKET, "").await.unwrap().elements("Key"), ["mine"]);
}

#[tokio::test]
async fn lists_of_parts_and_uploads() {
    let product = Product::start().await;
    let client = product.client();
    let upload = Upload::begin(&client, "a/key", &[]).await;
    for number in [1, 2, 5, 7] {
        upload.etag(number, &bytes(number as usize * 10)).await;
    }
    let page = ask(&client, "GET", &upload.target("max-parts=2&"), &[]).await;
    assert_status(&page, 200, "parts");
    assert_eq!(page.elements("PartNumber"), ["1", "2"]);
    assert_eq!(page.elements("Size"), ["10", "20"]);
    assert_eq!(page.element("IsTruncated").as_deref(), Some("true"));
    assert_eq!(page.element("NextPartNumberMarker").as_deref(), Some("2"));
    let rest = ask(&client, "GET", &upload.target("max-parts=2&part-number-marker=2&"), &[]).await;
    assert_eq!(
        (rest.elements("PartNumber"), rest.element("IsTruncated").as_deref()),
        (vec!["5".into(), "7".into()], Some("false"))
    );
    let none = ask(&client, "GET", &upload.target("max-parts=0&"), &[]).await;
    assert_status(&none, 200, "max-parts=0");
    assert!(none.elements("PartNumber").is_empty());
    let past = ask(&client, "GET", &upload.target("part-number-marker=10000&"), &[]).await;
    assert!(past.elements("PartNumber").is_empty());

    let others = ["a/other", "b", "c/d"];
    for key in others {
        Upload::begin(&client, key, &[]).await;
    }
    let second = Upload::begin(&client, "a/key", &[]).await;
    let all = ask(&client, "GET", &format!("/{BUCKET}?uploads"), &[]).await;
    assert_eq!(all.elements("Key"), ["a/key", "a/key", "a/other", "b", "c/d"]);
    assert!(all.elements("UploadId").contains(&second.id));
    let mut found = Vec::new();
    let mut query = String::new();
    for _ in 0..10 {
        let page = ask(&client, "GET", &format!("/{BUCKET}?uploads&max-uploads=1{query}"), &[]).await;
        found.extend(page.elements("UploadId"));
        match (page.element("NextKeyMarker"), page.element("NextUploadIdMarker")) {
            (Some(key), Some(id)) if page.element("IsTruncated").as_deref() == Some("true") => {
                query = format!("&key-marker={key}&upload-id-marker={id}");
            }
            _ => break,
        }
    }
    assert_eq!(found, all.elements("UploadId"));
    let folded = ask(&client, "GET", &format!("/{BUCKET}?uploads&delimiter=/"), &[]).await;
    assert_eq!(folded.elements("Key"), ["b"], "{}", folded.text());
    assert_eq!(folded.elements("CommonPrefixes"), ["<Prefix>a/</Prefix>", "<Prefix>c/</Prefix>"]);
    let prefixed = ask(&client, "GET", &format!("/{BUCKET}?uploads&prefix=a/o"), &[]).await;
    assert_eq!(prefixed.elements("Key"), ["a/other"]);
    assert!(ask(&client, "GET", &format!("/{OTHER_BUCKET}?uploads"), &[]).await.elements("Key").is_empty());
}

#[tokio::test]
async fn parts_made_of_copies() {
    let product = Product::start().await;
    let client = product.client();
    let content = bytes(PART + 1000);
    let source_etag = client.put(OTHER_BUCKET, "source", &content).await.unwrap().header("etag").unwrap().to_owned();
    let upload = Upload::begin(&client, "key", &[]).await;
    let copy = |number: u32, headers: Vec<(&'static str, String)>| {
        let (client, target) = (client.clone(), upload.target(&format!("partNumber={number}&")));
        async move {
            let mut all = vec![("x-amz-copy-source", "/local-iceberg-test/source")];
            all.extend(headers.iter().map(|(name, value)| (*name, value.as_str())));
            ask(&client, "PUT", &target, &all).await
        }
    };
    let range = |text: &str| vec![("x-amz-copy-source-range", text.to_owned())];
    let whole = copy(1, vec![]).await;
    assert_status(&whole, 200, "whole");
    let one = whole.element("ETag").unwrap().replace("&quot;", "\"");
    let part = copy(2, range("bytes=10-2009")).await;
    assert_status(&part, 200, "range");
    let two = part.element("ETag").unwrap().replace("&quot;", "\"");
    let before = product.seen();
    for (text, code) in [
        ("bytes=10-", "InvalidArgument"),
        ("bytes=-10", "InvalidArgument"),
        ("bytes=5-3", "InvalidArgument"),
        ("10-20", "InvalidArgument"),
        ("bytes=0-1,3-4", "InvalidArgument"),
    ] {
        assert_refused(&copy(3, range(text)).await, 400, code, text);
    }
    product.assert_no_call_since(&before, "bad ranges");
    let beyond = copy(3, range(&format!("bytes=0-{}", content.len()))).await;
    assert_refused(&beyond, 400, "InvalidArgument", "beyond the source");
    let stale = copy(3, vec![("x-amz-copy-source-if-match", "\"other\"".into())]).await;
    assert_refused(&stale, 412, "PreconditionFailed", "if-match");
    let fresh = copy(1, vec![("x-amz-copy-source-if-match", source_etag)]).await;
    assert_status(&fresh, 200, "if-match");
    assert_eq!(fresh.element("ETag").unwrap().replace("&quot;", "\""), one);

    assert_status(&upload.complete(&[(1, &one), (2, &two)], &[]).await, 200, "complete");
    let got = client.get(BUCKET, "key").await.unwrap();
    assert!(got.body == [&content[..], &content[10..2010]].concat());
}

#[tokio::test]
async fn checksums_of_the_whole() {
    let product = Product::start().await;
    let client = product.client();
    let (first, second) = (bytes(PART), bytes(77));
    let whole = [first.as_slice(), &second].concat();
    for algorithm in Algorithm::ALL {
        let name = algorithm.name();
        let upload = Upload::begin(&client, "key", &[("x-amz-checksum-algorithm", &name)]).await;
        let mut document = String::from("<CompleteMultipartUpload>");
        let mut raw = Vec::new();
        for (number, content) in [(1, &first), (2, &second)] {
            let mode = BodyMode::ChunkedUnsignedTrailer { chunk: 1 << 20, algorithm };
            let put = upload.part_with(number, content, mode).await;
            let value = hash::checksum(algorithm, content);
            assert_eq!(put.header(&algorithm.header()), Some(value.as_str()), "{algorithm:?} {}", put.text());
            raw.extend(hash::checksum_raw(algorithm, content));
            document += &format!(
                "<Part><PartNumber>{number}</PartNumber><ETag>{}</ETag><Checksum{name}>{value}</Checksum{name}></Part>",
                put.etag().unwrap()
            );
        }
        let document = document + "</CompleteMultipartUpload>";
        let done = send(&client, "POST", &upload.target(""), &[], document.as_bytes()).await;
        assert_status(&done, 200, &name);
        // CRC64NVME is always of the object; the others are of their parts unless asked otherwise.
        let (expected, kind) = match algorithm {
            Algorithm::Crc64Nvme => (hash::checksum(algorithm, &whole), "FULL_OBJECT"),
            _ => (format!("{}-2", hash::checksum(algorithm, &raw)), "COMPOSITE"),
        };
        assert_eq!(done.element(&format!("Checksum{name}")), Some(expected.clone()), "{}", done.text());
        let head = ask(&client, "HEAD", &format!("/{BUCKET}/key"), &[("x-amz-checksum-mode", "ENABLED")]).await;
        assert_eq!(head.header(&algorithm.header()), Some(expected.as_str()), "{algorithm:?}");
        assert_eq!(head.header("x-amz-checksum-type"), Some(kind), "{algorithm:?}");
        let wrong = document.replace(&format!("<Checksum{name}>"), &format!("<Checksum{name}>A"));
        let upload = Upload::begin(&client, "other", &[("x-amz-checksum-algorithm", &name)]).await;
        upload.part(1, &first).await;
        upload.part(2, &second).await;
        let refused = send(&client, "POST", &upload.target(""), &[], wrong.as_bytes()).await;
        assert_eq!(refused.status, 400, "{algorithm:?}: {}", refused.text());
    }
}

/// What is known of the parts once they are one object.
#[tokio::test]
async fn parts_of_the_result() {
    let product = Product::start().await;
    let client = product.client();
    let contents = [bytes(PART), bytes(PART + 3), bytes(77)];
    for algorithm in Algorithm::ALL {
        let name = algorithm.name();
        let upload = Upload::begin(&client, "key", &[("x-amz-checksum-algorithm", &name)]).await;
        let mut document = String::from("<CompleteMultipartUpload>");
        // With gaps: the parts of the result are numbered anew.
        for (number, content) in [2, 3, 9].into_iter().zip(&contents) {
            let mode = BodyMode::ChunkedUnsignedTrailer { chunk: 1 << 20, algorithm };
            let put = upload.part_with(number, content, mode).await;
            assert_status(&put, 200, &name);
            document += &format!(
                "<Part><PartNumber>{number}</PartNumber><ETag>{}</ETag><Checksum{name}>{}</Checksum{name}></Part>",
                put.etag().unwrap(),
                hash::checksum(algorithm, content)
            );
        }
        let document = document + "</CompleteMultipartUpload>";
        let done = send(&client, "POST", &upload.target(""), &[], document.as_bytes()).await;
        assert_status(&done, 200, &name);
        let kind = done.element("ChecksumType").unwrap();
        let mode = [("x-amz-checksum-mode", "ENABLED")];
        for (index, content) in contents.iter().enumerate() {
            for method in ["GET", "HEAD"] {
                let part = ask(&client, method, &format!("/{BUCKET}/key?partNumber={}", index + 1), &mode).await;
                assert_eq!(part.status, 206, "{name} {index}");
                assert!(method == "HEAD" || part.body == *content, "{name} {index}");
                let expected = hash::checksum(algorithm, content);
                assert_eq!(part.header(&algorithm.header()), Some(expected.as_str()), "{name} {index}");
                assert_eq!(part.header("x-amz-checksum-type"), Some(kind.as_str()), "{name}");
                assert_eq!(part.header("x-amz-mp-parts-count"), Some("3"));
            }
        }
        let fourth = ask(&client, "GET", &format!("/{BUCKET}/key?partNumber=4"), &[]).await;
        assert_refused(&fourth, 416, "InvalidPartNumber", "part 4");
        assert_eq!(fourth.element("ActualPartCount").as_deref(), Some("3"));

        let wanted = ("x-amz-object-attributes", "ETag,Checksum,ObjectParts,ObjectSize,StorageClass");
        let all = ask(&client, "GET", &format!("/{BUCKET}/key?attributes"), &[wanted]).await;
        assert_status(&all, 200, "attributes");
        assert_eq!(all.element("PartsCount").as_deref(), Some("3"), "{}", all.text());
        assert_eq!(all.element("IsTruncated").as_deref(), Some("false"));
        assert_eq!(all.elements("PartNumber"), ["1", "2", "3"]);
        assert_eq!(all.elements("Size"), contents.iter().map(|content| content.len().to_string()).collect::<Vec<_>>());
        let mut sums: Vec<_> = contents.iter().map(|content| hash::checksum(algorithm, content)).collect();
        // The first is the object's, here alone without the number of parts.
        let whole = done.element(&format!("Checksum{name}")).unwrap();
        sums.insert(0, whole.rsplit_once("-3").map_or(whole.as_str(), |(digits, _)| digits).to_owned());
        assert_eq!(all.elements(&format!("Checksum{name}")), sums);
        let headers = [wanted, ("x-amz-max-parts", "1"), ("x-amz-part-number-marker", "1")];
        let page = ask(&client, "GET", &format!("/{BUCKET}/key?attributes"), &headers).await;
        assert_eq!(page.elements("PartNumber"), ["2"], "{}", page.text());
        assert_eq!(page.element("IsTruncated").as_deref(), Some("true"));
        assert_eq!(page.element("NextPartNumberMarker").as_deref(), Some("2"));
    }
    // Parts without checksums have their sizes, and a copy is of one piece.
    let upload = Upload::begin(&client, "plain", &[]).await;
    let (one, two) = (upload.etag(1, &contents[0]).await, upload.etag(2, b"").await);
    assert_status(&upload.complete(&[(1, &one), (2, &two)], &[]).await, 200, "plain");
    let wanted = [("x-amz-object-attributes", "ObjectParts")];
    let plain = ask(&client, "GET", &format!("/{BUCKET}/plain?attributes"), &wanted).await;
    assert_eq!(plain.elements("Size"), [PART.to_string(), "0".to_owned()], "{}", plain.text());
    let empty = ask(&client, "GET", &format!("/{BUCKET}/plain?partNumber=2"), &[]).await;
    assert_eq!((empty.status, empty.body.len()), (206, 0), "{}", empty.text());
    client.put(BUCKET, "single", b"x").await.unwrap();
    let single = ask(&client, "GET", &format!("/{BUCKET}/single?attributes"), &wanted).await;
    assert_eq!(single.element("ObjectParts"), None, "{}", single.text());
    let missing = ask(&client, "GET", &format!("/{BUCKET}/missing?attributes"), &wanted).await;
    assert_refused(&missing, 404, "NoSuchKey", "missing");
}

/// Ten uploads of one key at once: the result is one of them, whole.
#[tokio::test]
async fn racing_completes_never_mix() {
    let product = Product::start().await;
    let client = product.client();
    let mut uploads = Vec::new();
    for index in 0..6_u8 {
        let upload = Upload::begin(&client, "key", &[]).await;
        let content = vec![index; PART];
        let one = upload.etag(1, &content).await;
        let two = upload.etag(2, &[index; 100]).await;
        uploads.push((upload, one, two));
    }
    let completes =
        uploads.iter().map(|(upload, one, two)| async move { upload.complete(&[(1, one), (2, two)], &[]).await });
    let answers = futures::future::join_all(completes).await;
    for answer in &answers {
        assert_status(answer, 200, "complete");
    }
    let got = client.get(BUCKET, "key").await.unwrap();
    assert_eq!(got.body.len(), PART + 100);
    assert!(got.body.iter().all(|byte| *byte == got.body[0]), "two uploads were mixed");
    let etag = got.header("etag").unwrap().replace('"', "&quot;");
    assert!(answers.iter().any(|answer| answer.element("ETag").as_deref() == Some(&etag)));
}
