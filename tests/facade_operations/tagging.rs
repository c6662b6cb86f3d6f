//! Tags of objects, and of buckets in development mode.

use bluebucket::facade::Verbs;

use crate::harness::product::{ACCESS_KEY, ALL_VERBS, BUCKET, Pair, Product, SECRET, Setup};
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

#[tokio::test]
async fn a_bucket_that_clients_make_has_tags() {
    let product = Product::with(Setup { development: true, ..Setup::default() }).await;
    let client = product.client();
    let tagging = "/made-here?tagging";
    let missing = send(&client, "PUT", tagging, &[], document(&[("a", "b")]).as_bytes()).await;
    assert_refused(&missing, 404, "NoSuchBucket", "put");
    assert_refused(&ask(&client, "DELETE", tagging, &[]).await, 404, "NoSuchBucket", "delete");
    assert_status(&ask(&client, "PUT", "/made-here", &[]).await, 200, "create");
    assert_refused(&ask(&client, "GET", tagging, &[]).await, 404, "NoSuchTagSet", "none yet");

    let twenty: Vec<_> = (10..30).map(|number| format!("key {number}")).collect();
    let twenty: Vec<_> = twenty.iter().map(|key| (key.as_str(), "a=b é")).collect();
    for tags in [&[("tag1", "tag1"), ("tag2", "")][..], &[("tag3", "tag3")], &twenty] {
        let put = send(&client, "PUT", tagging, &[], document(tags).as_bytes()).await;
        assert_eq!((put.status, put.body.len()), (204, 0), "{}", put.text());
        let got = ask(&client, "GET", tagging, &[]).await;
        let keys: Vec<_> = tags.iter().map(|(key, _)| (*key).to_owned()).collect();
        let values: Vec<_> = tags.iter().map(|(_, value)| (*value).to_owned()).collect();
        assert_eq!((got.elements("Key"), got.elements("Value")), (keys, values));
    }
    // Creating it again changes nothing.
    assert_status(&ask(&client, "PUT", "/made-here", &[]).await, 200, "again");
    assert_eq!(ask(&client, "GET", tagging, &[]).await.elements("Key").len(), 20);

    // An empty set is none.
    let nothing = send(&client, "PUT", tagging, &[], document(&[]).as_bytes()).await;
    assert_status(&nothing, 204, "an empty set");
    assert_refused(&ask(&client, "GET", tagging, &[]).await, 404, "NoSuchTagSet", "emptied");
    assert_status(&send(&client, "PUT", tagging, &[], document(&[("a", "b")]).as_bytes()).await, 204, "put");
    assert_status(&ask(&client, "DELETE", tagging, &[]).await, 204, "delete");
    assert_status(&ask(&client, "DELETE", tagging, &[]).await, 204, "delete nothing");
    assert_refused(&ask(&client, "GET", tagging, &[]).await, 404, "NoSuchTagSet", "deleted");
    client.put("made-here", "key", b"x").await.unwrap();
    assert_eq!(client.get("made-here", "key").await.unwrap().body, b"x");
}

#[tokio::test]
async fn a_bucket_is_made_with_tags() {
    let product = Product::with(Setup { development: true, ..Setup::default() }).await;
    let client = product.client();
    let with = |key: &str, value: &str| {
        format!(
            "<CreateBucketConfiguration><Tags><Tag><Key>{key}</Key><Value>{value}</Value></Tag></Tags></CreateBucketConfiguration>"
        )
    };
    let refused = send(&client, "PUT", "/tagged", &[], with("a,b", "c").as_bytes()).await;
    assert_refused(&refused, 400, "InvalidTag", "a bad tag");
    assert_status(&send(&client, "PUT", "/tagged", &[], with("team", "flink").as_bytes()).await, 200, "create");
    // Even in us-east-1 a bucket is not created again with tags, and without them it keeps its own.
    for value in ["flink", "other"] {
        let again = send(&client, "PUT", "/tagged", &[], with("team", value).as_bytes()).await;
        assert_refused(&again, 409, "BucketAlreadyOwnedByYou", value);
    }
    assert_status(&ask(&client, "PUT", "/tagged", &[]).await, 200, "again without tags");
    let got = ask(&client, "GET", "/tagged?tagging", &[]).await;
    assert_eq!((got.elements("Key"), got.elements("Value")), (vec!["team".into()], vec!["flink".into()]));
}

#[tokio::test]
async fn bucket_tags_that_are_refused() {
    let pairs = vec![
        Pair::all(ACCESS_KEY, SECRET),
        Pair::all("AKREAD", "may only look at what is there").may(Verbs { write: false, delete: false, ..ALL_VERBS }),
    ];
    let product = Product::with(Setup { development: true, pairs, ..Setup::default() }).await;
    let client = product.client();
    assert_status(&ask(&client, "PUT", "/made-here", &[]).await, 200, "create");
    let tagging = "/made-here?tagging";
    let before = product.seen();
    let many: Vec<_> = (0..51).map(|index| format!("k{index}")).collect();
    let many: Vec<_> = many.iter().map(|key| (key.as_str(), "v")).collect();
    for (body, code) in [
        (document(&many), "BadRequest"),
        (document(&[("a", "1"), ("a", "2")]), "InvalidTag"),
        (document(&[("aws:a", "1")]), "InvalidTag"),
        ("<Tagging><TagSet><Tag><Value>a</Value></Tag></TagSet></Tagging>".to_owned(), "MalformedXML"),
    ] {
        assert_refused(&send(&client, "PUT", tagging, &[], body.as_bytes()).await, 400, code, &body);
    }
    let reader = product.client_as("AKREAD", "may only look at what is there");
    let put = send(&reader, "PUT", tagging, &[], document(&[("a", "b")]).as_bytes()).await;
    assert_refused(&put, 403, "AccessDenied", "put");
    assert_refused(&ask(&reader, "DELETE", tagging, &[]).await, 403, "AccessDenied", "delete");
    product.assert_no_call_since(&before, "bad tags of a bucket");

    // More than a container's metadata holds.
    let wide: Vec<_> = (0..50).map(|index| (format!("{index:0>128}"), "v".repeat(256))).collect();
    let wide: Vec<_> = wide.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let refused = send(&client, "PUT", tagging, &[], document(&wide).as_bytes()).await;
    assert_refused(&refused, 400, "MetadataTooLarge", "too much");
    assert_refused(&ask(&client, "GET", tagging, &[]).await, 404, "NoSuchTagSet", "nothing was kept");

    // A bucket of the configuration keeps none, in development mode either.
    let fixed = format!("/{BUCKET}?tagging");
    let put = send(&client, "PUT", &fixed, &[], document(&[("a", "b")]).as_bytes()).await;
    assert_refused(&put, 501, "NotImplemented", "put");
    assert_refused(&ask(&client, "DELETE", &fixed, &[]).await, 501, "NotImplemented", "delete");
    assert_refused(&ask(&client, "GET", &fixed, &[]).await, 404, "NoSuchTagSet", "get");
}
