//! Tags of objects.

use crate::harness::product::{BUCKET, Product};
use crate::{ask, assert_refused, assert_status, send};

fn document(tags: &[(&str, &str)]) -> String {
    let tags: String =
        tags.iter().map(|(key, value)| format!("<Tag><Key>{key}</Key><Value>{value}</Value></Tag>")).collect();
    format!("<Tagging xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><TagSet>{tags}</TagSet></Tagging>")
}

#[tokio::test]
async fn tags_come_and_go_and_nothing_else_moves() {
    let product = Product::start().await;
    let client = product.client();
    let target = format!("/{BUCKET}/key");
    let tagging = format!("{target}?tagging");
    let headers = [("x-amz-tagging", "team=flink&empty="), ("x-amz-meta-a", "b")];
    assert_status(&send(&client, "PUT", &target, &headers, b"content").await, 200, "put");
    let before = client.head(BUCKET, "key").await.unwrap();
    assert_eq!(before.header("x-amz-tagging-count"), Some("2"));
    let got = ask(&client, "GET", &tagging, &[]).await;
    assert_eq!(
        (got.elements("Key"), got.elements("Value")),
        (vec!["empty".into(), "team".into()], vec!["".into(), "flink".into()])
    );

    let put = send(&client, "PUT", &tagging, &[], document(&[("a b", "x+y=z@1"), ("é", "")]).as_bytes()).await;
    assert_status(&put, 200, "put tags");
    let got = ask(&client, "GET", &tagging, &[]).await;
    assert_eq!(
        (got.elements("Key"), got.elements("Value")),
        (vec!["a b".into(), "é".into()], vec!["x+y=z@1".into(), "".into()])
    );
    let deleted = ask(&client, "DELETE", &tagging, &[]).await;
    assert_eq!((deleted.status, deleted.body.len()), (204, 0));
    assert!(ask(&client, "GET", &tagging, &[]).await.elements("Tag").is_empty());

    let after = client.head(BUCKET, "key").await.unwrap();
    for name in ["etag", "last-modified", "x-amz-meta-a", "content-type", "content-length"] {
        assert_eq!(after.header(name), before.header(name), "{name}");
    }
    assert_eq!(after.header("x-amz-tagging-count"), None);
    assert_eq!(client.get(BUCKET, "key").await.unwrap().body, b"content");
}

#[tokio::test]
async fn tags_that_are_refused() {
    let product = Product::start().await;
    let client = product.client();
    client.put(BUCKET, "key", b"x").await.unwrap();
    let tagging = format!("/{BUCKET}/key?tagging");
    let eleven: Vec<_> = (0..11).map(|index| (format!("k{index}"), "v")).collect();
    let eleven: Vec<_> = eleven.iter().map(|(key, value)| (key.as_str(), *value)).collect();
    let long = "k".repeat(129);
    let before = product.seen();
    for (body, code) in [
        (document(&eleven), "BadRequest"),
        (document(&[(&long, "v")]), "InvalidTag"),
        (document(&[("a", "1"), ("a", "2")]), "InvalidTag"),
        (document(&[("aws:a", "1")]), "InvalidTag"),
        (document(&[("a,b", "1")]), "InvalidTag"),
        (document(&[("a", "1,2")]), "InvalidTag"),
        ("<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>".to_owned(), "MalformedXML"),
        ("<Tagging><TagSet>".to_owned(), "MalformedXML"),
        ("<Other/>".to_owned(), "MalformedXML"),
        (String::new(), "MalformedXML"),
    ] {
        assert_refused(&send(&client, "PUT", &tagging, &[], body.as_bytes()).await, 400, code, &body);
    }
    product.assert_no_call_since(&before, "bad tags");
    // As much as is allowed.
    let ten: Vec<_> = (0..10).map(|index| (format!("{index}{}", "k".repeat(127)), "v".repeat(256))).collect();
    let ten: Vec<_> = ten.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    assert_status(&send(&client, "PUT", &tagging, &[], document(&ten).as_bytes()).await, 200, "ten");
    assert_eq!(ask(&client, "GET", &tagging, &[]).await.elements("Tag").len(), 10);
    let missing = format!("/{BUCKET}/missing?tagging");
    assert_refused(&ask(&client, "GET", &missing, &[]).await, 404, "NoSuchKey", "get");
    assert_refused(
        &send(&client, "PUT", &missing, &[], document(&[("a", "b")]).as_bytes()).await,
        404,
        "NoSuchKey",
        "put",
    );
}
