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
    // In us-east-1, and there alone, S3 lets the owner.
    assert_status(&ask(&client, "PUT", &format!("/{BUCKET}"), &[]).await, 200, "create again");
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
    client.put("made-here", "stays", b"x").await.unwrap();
    assert_status(&ask(&client, "PUT", "/made-here", &[]).await, 200, "again");
    assert_status(&client.delete("made-here", "stays").await.unwrap(), 204, "still there");
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
        ("PUT", "?policy"),
        ("DELETE", "?cors"),
        ("PUT", "?versioning"),
        ("PUT", "?encryption"),
        ("GET", "?analytics"),
        ("DELETE", "?tagging"),
        ("PUT", "?tagging"),
        ("POST", ""),
        ("PUT", "?something-new"),
        ("GET", "/key?torrent"),
        ("PUT", "/key?retention"),
        ("PUT", "/key?legal-hold"),
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

/// What S3 answers of a bucket that is private and was never given any setting.
#[tokio::test]
async fn settings_that_are_not_there() {
    let product = Product::start().await;
    let client = product.client();
    client.put(BUCKET, "key", b"x").await.unwrap();
    for (query, code) in [
        ("cors", "NoSuchCORSConfiguration"),
        ("lifecycle", "NoSuchLifecycleConfiguration"),
        ("object-lock", "ObjectLockConfigurationNotFoundError"),
        ("policy", "NoSuchBucketPolicy"),
        ("policyStatus", "NoSuchBucketPolicy"),
        ("replication", "ReplicationConfigurationNotFoundError"),
        ("tagging", "NoSuchTagSet"),
        ("website", "NoSuchWebsiteConfiguration"),
        ("inventory&id=a", "NoSuchConfiguration"),
    ] {
        let answer = ask(&client, "GET", &format!("/{BUCKET}?{query}"), &[]).await;
        assert_refused(&answer, 404, code, query);
        assert_eq!(answer.element("BucketName").as_deref(), Some(BUCKET), "{query}");
        let missing = ask(&client, "GET", &format!("/no-such-bucket?{query}"), &[]).await;
        assert_refused(&missing, 404, "NoSuchBucket", query);
    }
    for (query, element, text) in [
        ("accelerate", "AccelerateConfiguration", None),
        ("logging", "BucketLoggingStatus", None),
        ("notification", "NotificationConfiguration", None),
        ("requestPayment", "Payer", Some("BucketOwner")),
        ("encryption", "SSEAlgorithm", Some("AES256")),
        ("ownershipControls", "ObjectOwnership", Some("BucketOwnerEnforced")),
        ("publicAccessBlock", "RestrictPublicBuckets", Some("true")),
        ("acl", "Permission", Some("FULL_CONTROL")),
    ] {
        let answer = ask(&client, "GET", &format!("/{BUCKET}?{query}"), &[]).await;
        assert_status(&answer, 200, query);
        match text {
            Some(text) => assert_eq!(answer.element(element).as_deref(), Some(text), "{query}"),
            None => assert!(answer.text().contains(element), "{query}: {}", answer.text()),
        }
    }
    let lock = ask(&client, "GET", &format!("/{BUCKET}/key?retention"), &[]).await;
    assert_refused(&lock, 400, "InvalidRequest", "retention");
    // An access control list that says what holds anyway is no change; any other is refused.
    for target in [format!("/{BUCKET}?acl"), format!("/{BUCKET}/key?acl")] {
        assert_status(&ask(&client, "PUT", &target, &[("x-amz-acl", "private")]).await, 200, &target);
        for (headers, body, code) in [
            (vec![("x-amz-acl", "public-read")], "", "AccessControlListNotSupported"),
            (vec![("x-amz-grant-read", "id=1")], "", "AccessControlListNotSupported"),
            (vec![], "<AccessControlPolicy/>", "AccessControlListNotSupported"),
            (vec![("x-amz-acl", "junk")], "", "InvalidArgument"),
            (vec![], "", "MissingSecurityHeader"),
        ] {
            let refused = send(&client, "PUT", &target, &headers, body.as_bytes()).await;
            assert_refused(&refused, 400, code, &format!("{target} {headers:?}"));
        }
    }
    let missing = ask(&client, "PUT", &format!("/{BUCKET}/missing?acl"), &[("x-amz-acl", "private")]).await;
    assert_refused(&missing, 404, "NoSuchKey", "acl of nothing");
    // Harmless headers of tools that clean up.
    let governance = [("x-amz-bypass-governance-retention", "true")];
    assert_status(&ask(&client, "DELETE", &format!("/{BUCKET}/key"), &governance).await, 204, "governance");
}

#[tokio::test]
async fn pages_of_buckets() {
    let product = Product::with(Setup { development: true, ..Setup::default() }).await;
    let client = product.client();
    for name in ["bb-one", "bb-two", "bb-three"] {
        assert_status(&ask(&client, "PUT", &format!("/{name}"), &[]).await, 200, name);
    }
    let page = ask(&client, "GET", "/?prefix=bb-&max-buckets=2", &[]).await;
    assert_eq!(page.elements("Name"), ["bb-one", "bb-three"], "{}", page.text());
    assert_eq!(page.elements("BucketRegion"), ["us-east-1", "us-east-1"]);
    assert_eq!(page.element("Prefix").as_deref(), Some("bb-"));
    let token = page.element("ContinuationToken").unwrap();
    let rest = ask(&client, "GET", &format!("/?prefix=bb-&max-buckets=2&continuation-token={token}"), &[]).await;
    assert_eq!((rest.elements("Name"), rest.element("ContinuationToken")), (vec!["bb-two".to_owned()], None));
    let elsewhere = ask(&client, "GET", "/?bucket-region=eu-west-1", &[]).await;
    assert!(elsewhere.elements("Name").is_empty());
    assert_refused(&ask(&client, "GET", "/?max-buckets=0", &[]).await, 400, "InvalidArgument", "none");
    assert_refused(&ask(&client, "GET", "/?continuation-token=junk!", &[]).await, 400, "InvalidArgument", "junk");
}

/// A form brings its own credentials, so the answer is the same with and without a signature.
#[tokio::test]
async fn form_uploads_are_refused_by_name() {
    let product = Product::start().await;
    let client = product.client();
    let before = product.seen();
    let kind = "multipart/form-data; boundary=x";
    let anonymous = client.request("POST", &format!("/{BUCKET}")).anonymous().header("content-type", kind);
    let signed = client.request("POST", &format!("/{BUCKET}")).header("content-type", kind);
    for request in [anonymous, signed] {
        let request = request.body(b"--x--", crate::harness::s3_client::BodyMode::Unsigned).build();
        let refused = client.send(&request).await.unwrap();
        assert_refused(&refused, 501, "NotImplemented", "form");
        assert!(refused.element("Message").unwrap().contains("presigned"), "{}", refused.text());
    }
    product.assert_no_call_since(&before, "forms");
}

/// The dates that signers put in place of `x-amz-date`.
#[tokio::test]
async fn a_date_of_rfc_2822_is_enough() {
    let product = Product::start().await;
    let client = product.client();
    let now = httpdate::fmt_http_date(std::time::SystemTime::now());
    for zone in ["GMT", "-0000", "+0000"] {
        let date = now.replace("GMT", zone);
        let request = client.request("GET", &format!("/{BUCKET}")).dated(&date).build();
        assert_status(&client.send(&request).await.unwrap(), 200, &date);
    }
    let old = client.request("GET", &format!("/{BUCKET}")).dated("Sat, 01 Jan 2000 00:00:00 -0000").build();
    assert_refused(&client.send(&old).await.unwrap(), 403, "RequestTimeTooSkewed", "old");
}
