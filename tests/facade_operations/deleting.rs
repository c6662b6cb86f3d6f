//! DeleteObject and DeleteObjects.

use crate::harness::hash;
use crate::harness::product::{BUCKET, Product};
use crate::harness::s3_client::{Response, S3Client};
use crate::{ask, assert_refused, assert_status, send};

async fn delete_many(client: &S3Client, keys: &[&str], rest: &str) -> Response {
    let escape = |key: &str| key.replace('&', "&amp;").replace('<', "&lt;");
    let objects: String = keys.iter().map(|key| format!("<Object><Key>{}</Key></Object>", escape(key))).collect();
    let document = format!("<Delete>{objects}{rest}</Delete>");
    let md5 = hash::base64(&hash::md5(document.as_bytes()));
    send(client, "POST", &format!("/{BUCKET}/?delete"), &[("content-md5", &md5)], document.as_bytes()).await
}

#[tokio::test]
async fn one() {
    let product = Product::start().await;
    let client = product.client();
    let etag = client.put(BUCKET, "key", b"x").await.unwrap().header("etag").unwrap().to_owned();
    let wrong = ask(&client, "DELETE", &format!("/{BUCKET}/key"), &[("if-match", "\"other\"")]).await;
    assert_refused(&wrong, 412, "PreconditionFailed", "wrong");
    assert_status(&ask(&client, "DELETE", &format!("/{BUCKET}/key"), &[("if-match", &etag)]).await, 204, "right");
    // An ETag is demanded of something; time and size are met by nothing.
    for (headers, status) in [
        (("if-match", "*"), 404),
        (("if-match", etag.as_str()), 404),
        (("x-amz-if-match-size", "1"), 204),
        (("x-amz-if-match-last-modified-time", "Sat, 01 Jan 2000 00:00:00 GMT"), 204),
    ] {
        assert_status(&ask(&client, "DELETE", &format!("/{BUCKET}/key"), &[headers]).await, status, headers.0);
    }
    for key in ["key", "never-was", "a/./b", "ends.", "a\\b"] {
        let deleted = client.delete(BUCKET, key).await.unwrap();
        assert_eq!((deleted.status, deleted.body.len()), (204, 0), "{key}");
    }
    assert_refused(&client.get(BUCKET, "key").await.unwrap(), 404, "NoSuchKey", "gone");
    // In a bucket without versions no other id is one, and the object stays.
    client.put(BUCKET, "key", b"x").await.unwrap();
    let version = ask(&client, "DELETE", &format!("/{BUCKET}/key?versionId=abc"), &[]).await;
    assert_refused(&version, 400, "InvalidArgument", "version");
    assert_eq!(client.get(BUCKET, "key").await.unwrap().status, 200);
    assert_status(&ask(&client, "DELETE", &format!("/{BUCKET}/key?versionId=null"), &[]).await, 204, "null");
    assert_eq!(client.get(BUCKET, "key").await.unwrap().status, 404);
    let bucket = ask(&client, "DELETE", "/no-such-bucket/key", &[]).await;
    assert_refused(&bucket, 404, "NoSuchBucket", "bucket");
}

#[tokio::test]
async fn many() {
    let product = Product::start().await;
    let client = product.client();
    // Below and above the number from which on a batch is used.
    for count in [1, 5, 20, 300] {
        let keys: Vec<_> = (0..count).map(|index| format!("dir/{index} <&é")).collect();
        for key in keys.iter().step_by(2) {
            client.put(BUCKET, key, b"x").await.unwrap();
        }
        client.put(BUCKET, "stays", b"x").await.unwrap();
        let names: Vec<_> = keys.iter().map(String::as_str).collect();
        let deleted = delete_many(&client, &names, "").await;
        assert_status(&deleted, 200, "delete");
        assert_eq!(deleted.elements("Deleted").len(), count, "{}", deleted.text());
        assert!(deleted.elements("Error").is_empty());
        assert_eq!(client.list(BUCKET, "").await.unwrap().elements("Key"), ["stays"], "{count}");
    }
    let quiet = delete_many(&client, &["stays", "missing"], "<Quiet>true</Quiet>").await;
    assert_status(&quiet, 200, "quiet");
    assert!(quiet.elements("Deleted").is_empty() && quiet.elements("Error").is_empty(), "{}", quiet.text());
    // Keys that Blob cannot hold are not there.
    let odd = delete_many(&client, &["a/../b", "ends."], "").await;
    assert_eq!((odd.status, odd.elements("Deleted").len()), (200, 2), "{}", odd.text());
}

#[tokio::test]
async fn each_entry_has_its_outcome() {
    let product = Product::start().await;
    let client = product.client();
    for key in ["a", "b", "c"] {
        client.put(BUCKET, key, key.as_bytes()).await.unwrap();
    }
    let document = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
                    <Object><Key>a</Key></Object>\
                    <Object><Key>b</Key><ETag>\"other\"</ETag></Object>\
                    <Object><Key>c</Key><VersionId>abc</VersionId></Object>\
                    </Delete>";
    let sum = hash::checksum(hash::Algorithm::Crc32, document.as_bytes());
    let answer =
        send(&client, "POST", &format!("/{BUCKET}?delete="), &[("x-amz-checksum-crc32", &sum)], document.as_bytes())
            .await;
    assert_status(&answer, 200, "delete");
    assert_eq!(answer.elements("Deleted").len(), 1, "{}", answer.text());
    assert_eq!(answer.elements("Code"), ["PreconditionFailed", "NoSuchVersion"]);
    assert_eq!(client.list(BUCKET, "").await.unwrap().elements("Key"), ["b", "c"]);
}

#[tokio::test]
async fn demands_on_what_is_deleted() {
    let product = Product::start().await;
    let client = product.client();
    const NEVER: &str = "Sat, 01 Jan 2000 00:00:00 GMT";
    let target = format!("/{BUCKET}/key");
    let put = client.put(BUCKET, "key", b"four").await.unwrap();
    let etag = put.header("etag").unwrap().to_owned();
    for headers in [
        vec![("if-match", "\"other\"")],
        vec![("x-amz-if-match-size", "5")],
        vec![("x-amz-if-match-last-modified-time", NEVER)],
        vec![("if-match", &etag), ("x-amz-if-match-size", "5")],
        vec![("x-amz-if-match-size", "4"), ("x-amz-if-match-last-modified-time", NEVER)],
    ] {
        let refused = ask(&client, "DELETE", &target, &headers).await;
        assert_refused(&refused, 412, "PreconditionFailed", &format!("{headers:?}"));
    }
    for (headers, code) in [
        (("x-amz-if-match-size", "many"), "InvalidArgument"),
        (("x-amz-if-match-last-modified-time", "once"), "InvalidArgument"),
    ] {
        assert_refused(&ask(&client, "DELETE", &target, &[headers]).await, 400, code, headers.0);
    }
    assert_refused(&ask(&client, "DELETE", &target, &[("if-none-match", "*")]).await, 501, "NotImplemented", "none");
    for names in [&["if-match"][..], &["size"], &["time"], &["if-match", "size", "time"]] {
        let etag = client.put(BUCKET, "key", b"four").await.unwrap().header("etag").unwrap().to_owned();
        let at = client.head(BUCKET, "key").await.unwrap().header("last-modified").unwrap().to_owned();
        let headers: Vec<_> = names
            .iter()
            .map(|name| match *name {
                "size" => ("x-amz-if-match-size", "4"),
                "time" => ("x-amz-if-match-last-modified-time", at.as_str()),
                name => (name, etag.as_str()),
            })
            .collect();
        assert_status(&ask(&client, "DELETE", &target, &headers).await, 204, &format!("{headers:?}"));
        assert_eq!(client.head(BUCKET, "key").await.unwrap().status, 404, "{headers:?}");
    }

    // The same for each key of many.
    for (key, content) in [("a", "1"), ("b", "22"), ("c", "333"), ("d", "4444")] {
        client.put(BUCKET, key, content.as_bytes()).await.unwrap();
    }
    let document = "<Delete><Object><Key>a</Key><Size>1</Size></Object><Object><Key>b</Key><Size>1</Size></Object>\
                    <Object><Key>c</Key><LastModifiedTime>2000-01-01T00:00:00Z</LastModifiedTime></Object>\
                    <Object><Key>d</Key><ETag>*</ETag></Object><Object><Key>e</Key><ETag>*</ETag></Object>\
                    <Object><Key>f</Key><Size>1</Size></Object></Delete>";
    let answer = send(&client, "POST", &format!("/{BUCKET}?delete"), &[], document.as_bytes()).await;
    assert_status(&answer, 200, "many");
    assert_eq!(answer.elements("Deleted").len(), 3, "{}", answer.text());
    assert_eq!(answer.elements("Code"), ["PreconditionFailed", "PreconditionFailed", "NoSuchKey"]);
    assert_eq!(client.list(BUCKET, "").await.unwrap().elements("Key"), ["b", "c"]);
}
