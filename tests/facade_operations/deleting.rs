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
    for key in ["key", "never-was", "a/./b", "ends.", "a\\b"] {
        let deleted = client.delete(BUCKET, key).await.unwrap();
        assert_eq!((deleted.status, deleted.body.len()), (204, 0), "{key}");
    }
    assert_refused(&client.get(BUCKET, "key").await.unwrap(), 404, "NoSuchKey", "gone");
    // A version that never was is gone already, and the object stays.
    client.put(BUCKET, "key", b"x").await.unwrap();
    assert_status(&ask(&client, "DELETE", &format!("/{BUCKET}/key?versionId=abc"), &[]).await, 204, "version");
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
    assert_eq!(answer.elements("Deleted").len(), 2, "{}", answer.text());
    assert_eq!(answer.elements("Code"), ["PreconditionFailed"]);
    assert_eq!(client.list(BUCKET, "").await.unwrap().elements("Key"), ["b", "c"]);
}
