//! Operations on buckets.

use crate::harness::product::{ALL_VERBS, BUCKET, OTHER_BUCKET, Pair, Product, Setup};
use crate::{ask, assert_refused, assert_status, send};

#[tokio::test]
async fn buckets_of_the_configuration() {
    let product = Product::start().await;
    let client = product.client();

    let list = ask(&client, "GET", "/", &[]).await;
    assert_status(&list, 200, "list");
    assert_eq!(list.elements("Name"), [OTHER_BUCKET, BUCKET]);
    assert_eq!(list.header("content-type"), Some("application/xml"));
    assert!(list.header("x-amz-request-id").is_some_and(|id| id.len() == 16));

    let head = ask(&client, "HEAD", &format!("/{BUCKET}"), &[]).await;
    assert_status(&head, 200, "head");
    assert_eq!(head.header("x-amz-bucket-region"), Some("us-east-1"));
    for target in ["/no-such-bucket", "/NoBucketName"] {
        let missing = ask(&client, "HEAD", target, &[]).await;
        assert_eq!((missing.status, missing.body.len()), (404, 0), "{target}");
    }

    let location = ask(&client, "GET", &format!("/{BUCKET}?location"), &[]).await;
    assert_status(&location, 200, "location");
    // us-east-1 is the empty constraint.
    assert_eq!(location.element("LocationConstraint").unwrap_or_default(), "");
    let versioning = ask(&client, "GET", &format!("/{BUCKET}?versioning"), &[]).await;
    assert_status(&versioning, 200, "versioning");
    assert_eq!(versioning.element("Status"), None);
    let missing = ask(&client, "GET", "/no-such-bucket?location", &[]).await;
    assert_refused(&missing, 404, "NoSuchBucket", "location");

    let create = ask(&client, "PUT", "/a-new-bucket", &[]).await;
    assert_refused(&create, 403, "AccessDenied", "create");
    let delete = ask(&client, "DELETE", &format!("/{BUCKET}"), &[]).await;
    assert_refused(&delete, 403, "AccessDenied", "delete");
    let again = ask(&client, "PUT", &format!("/{BUCKET}"), &[]).await;
    assert_refused(&again, 409, "BucketAlreadyOwnedByYou", "create again");
}

#[tokio::test]
async fn a_key_pair_sees_its_own_buckets() {
    let pairs = vec![Pair::all("AKONE", "the secret of one pair").only(&[BUCKET]).may(ALL_VERBS)];
    let product = Product::with(Setup { pairs, ..Setup::default() }).await;
    let client = product.client_as("AKONE", "the secret of one pair");
    assert_eq!(ask(&client, "GET", "/", &[]).await.elements("Name"), [BUCKET]);
}

#[tokio::test]
async fn development_mode_makes_and_drops_buckets() {
    let product = Product::with(Setup { development: true, ..Setup::default() }).await;
    let client = product.client();
    let created = ask(&client, "PUT", "/made-here", &[]).await;
    assert_status(&created, 200, "create");
    assert_eq!(created.header("location"), Some("/made-here"));
    assert_refused(&ask(&client, "PUT", "/made-here", &[]).await, 409, "BucketAlreadyOwnedByYou", "again");
    assert!(ask(&client, "GET", "/", &[]).await.elements("Name").contains(&"made-here".to_owned()));

    let document = |region: &str| {
        format!(
            "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><LocationConstraint>{region}</LocationConstraint></CreateBucketConfiguration>"
        )
    };
    let elsewhere = send(&client, "PUT", "/elsewhere", &[], document("eu-central-1").as_bytes()).await;
    assert_refused(&elsewhere, 400, "IllegalLocationConstraintException", "another region");
    assert_status(&send(&client, "PUT", "/right-here", &[], document("us-east-1").as_bytes()).await, 200, "region");

    client.put("made-here", "key", b"x").await.unwrap();
    assert_refused(&ask(&client, "DELETE", "/made-here", &[]).await, 409, "BucketNotEmpty", "not empty");
    client.delete("made-here", "key").await.unwrap();
    assert_status(&ask(&client, "DELETE", "/made-here", &[]).await, 204, "delete");
    assert_refused(&ask(&client, "DELETE", "/made-here", &[]).await, 404, "NoSuchBucket", "delete again");

    // What is ours is nobody's bucket.
    for target in ["/bluebucket-state", "/bluebucket-state/key"] {
        assert_refused(&ask(&client, "GET", target, &[]).await, 404, "NoSuchBucket", target);
    }
    let refused = ask(&client, "PUT", "/dotted.name", &[]).await;
    assert_eq!(refused.status, 400, "no container can have that name: {}", refused.text());
}

#[tokio::test]
async fn what_is_not_served_is_501() {
    let product = Product::start().await;
    let client = product.client();
    let before = product.seen();
    for (method, target) in [
        ("GET", "?lifecycle"),
        ("PUT", "?policy"),
        ("DELETE", "?cors"),
        ("PUT", "?versioning"),
        ("GET", "?encryption"),
        ("PUT", "?acl"),
        ("POST", ""),
        ("PUT", "?something-new"),
        ("GET", "/key?torrent"),
        ("GET", "/key?retention"),
        ("PUT", "/key?legal-hold"),
        ("PUT", "/key?acl"),
        ("POST", "/key?restore"),
        ("POST", "/key?select&select-type=2"),
        ("PUT", "/key?something-new"),
        ("PUT", "/key?renameObject"),
    ] {
        let answer = ask(&client, method, &format!("/{BUCKET}{target}"), &[]).await;
        assert_refused(&answer, 501, "NotImplemented", &format!("{method} {target}"));
    }
    for (name, value) in [
        ("x-amz-server-side-encryption", "aws:kms"),
        ("x-amz-server-side-encryption-customer-algorithm", "AES256"),
        ("x-amz-write-offset-bytes", "5"),
        ("x-amz-website-redirect-location", "/other"),
        ("if-none-match", "\"etag\""),
    ] {
        let answer = send(&client, "PUT", &format!("/{BUCKET}/key"), &[(name, value)], b"x").await;
        assert_refused(&answer, 501, "NotImplemented", name);
    }
    for (method, target) in [("PATCH", "/"), ("POST", "/"), ("PATCH", "/local-rocksdb-test/key")] {
        assert_refused(&ask(&client, method, target, &[]).await, 405, "MethodNotAllowed", method);
    }
    product.assert_no_call_since(&before, "what is not served");
}

#[tokio::test]
async fn virtual_hosts_name_buckets() {
    let product = Product::with(Setup { domains: vec!["s3.test".into()], ..Setup::default() }).await;
    product.client().put(BUCKET, "a/key", b"hello").await.unwrap();
    let hosted = product.client().with_host(&format!("{BUCKET}.s3.test:9000"));
    let got = ask(&hosted, "GET", "/a/key", &[]).await;
    assert_eq!((got.status, got.body.as_slice()), (200, &b"hello"[..]));
    assert_eq!(ask(&hosted, "GET", "/?list-type=2", &[]).await.elements("Key"), ["a/key"]);
    let other = product.client().with_host("no-such-bucket.s3.test");
    assert_refused(&ask(&other, "GET", "/a/key", &[]).await, 404, "NoSuchBucket", "another host");
}
