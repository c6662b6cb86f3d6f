//! Who asks: signatures in every place and with every flaw.

use crate::harness::product::{ACCESS_KEY, BUCKET, Product, SECRET};
use crate::harness::s3_client::{BodyMode, RawRequest, RequestBuilder, S3Client};
use crate::harness::sigv4::Credentials;
use crate::{product, refused};

/// One request of every kind that an unverified signature could hurt.
fn requests(client: &S3Client, mode: BodyMode) -> Vec<(String, RequestBuilder)> {
    let target = format!("/{BUCKET}/key");
    let ask = |method: &str, query: &str| client.request(method, &format!("{target}{query}"));
    let copy = || [("x-amz-copy-source", format!("/{BUCKET}/key"))];
    let mut all = vec![
        ("get".to_owned(), ask("GET", "")),
        ("head bucket".into(), client.request("GET", "/")),
        ("list".into(), client.request("GET", &format!("/{BUCKET}?list-type=2"))),
        ("delete".into(), ask("DELETE", "")),
        ("put".into(), ask("PUT", "").body(b"new content", mode)),
        ("part".into(), ask("PUT", "?partNumber=1&uploadId=x").body(b"new content", mode)),
        ("tags".into(), ask("PUT", "?tagging").body(b"<Tagging><TagSet/></Tagging>", mode)),
        ("create upload".into(), ask("POST", "?uploads")),
        ("complete".into(), ask("POST", "?uploadId=x").body(b"<CompleteMultipartUpload/>", mode)),
        ("abort".into(), ask("DELETE", "?uploadId=x")),
        (
            "delete many".into(),
            client
                .request("POST", &format!("/{BUCKET}?delete"))
                .body(b"<Delete><Object><Key>key</Key></Object></Delete>", mode),
        ),
    ];
    for (name, value) in copy() {
        all.push(("copy".into(), ask("PUT", "-copy").header(name, &value)));
    }
    all
}

#[tokio::test]
async fn every_operation_in_every_mode_needs_a_true_signature() {
    let product = product().await;
    for mode in BodyMode::ALL {
        for (name, builder) in requests(&product.client(), mode) {
            let context = format!("{name} {mode:?}");
            let mut spoiled = builder.build();
            refused(&product, spoiled.spoil_signature(), 403, "SignatureDoesNotMatch", &context).await;
            let mut unsigned = builder.build();
            refused(&product, unsigned.remove_header("authorization"), 403, "AccessDenied", &context).await;
            refused(&product, &builder.clone().anonymous().build(), 403, "AccessDenied", &context).await;
            let mut presigned = builder.clone().presigned(60).build();
            // A presigned request carries no framing that was signed.
            if !mode_is_chunked(mode) {
                refused(&product, presigned.spoil_signature(), 403, "SignatureDoesNotMatch", &context).await;
            }
            let mut other_target = builder.build();
            other_target.target =
                other_target.target.replace("key", "yek").replace("list-type=2", "list-type=2&prefix=a");
            if other_target.target != builder.build().target {
                refused(&product, &other_target, 403, "SignatureDoesNotMatch", &context).await;
            }
            let mut other_method = builder.build();
            other_method.method = if other_method.method == "GET" { "DELETE" } else { "GET" }.into();
            refused(&product, &other_method, 403, "SignatureDoesNotMatch", &context).await;
        }
    }
    crate::assert_untouched(&product, "no true signature").await;
}

fn mode_is_chunked(mode: BodyMode) -> bool {
    !matches!(mode, BodyMode::Signed | BodyMode::Unsigned)
}

#[tokio::test]
async fn keys_regions_and_clocks() {
    let product = product().await;
    let ask = |credentials: Credentials| product.client().with_credentials(credentials).object("GET", BUCKET, "key");
    let good = || Credentials::new(ACCESS_KEY, SECRET);
    let wrong_secret = ask(Credentials::new(ACCESS_KEY, "another secret")).build();
    refused(&product, &wrong_secret, 403, "SignatureDoesNotMatch", "wrong secret").await;
    refused(&product, &ask(Credentials::new(ACCESS_KEY, "")).build(), 403, "SignatureDoesNotMatch", "no secret").await;
    refused(&product, &ask(Credentials::new("AKNOBODY", SECRET)).build(), 403, "InvalidAccessKeyId", "unknown").await;
    let region = Credentials { region: "eu-west-1".into(), ..good() };
    refused(&product, &ask(region.clone()).build(), 400, "AuthorizationHeaderMalformed", "region").await;
    let asked = product.client().with_credentials(region.clone()).request("HEAD", &format!("/{BUCKET}")).build();
    let told = product.client().send(&asked).await.unwrap();
    assert_eq!((told.status, told.header("x-amz-bucket-region")), (400, Some("us-east-1")), "the right region");
    let presigned = ask(region).presigned(60).build();
    refused(&product, &presigned, 400, "AuthorizationQueryParametersError", "region").await;
    let token = Credentials { session_token: Some("canary-token".into()), ..good() };
    refused(&product, &ask(token).build(), 400, "InvalidToken", "a token that nobody gave out").await;
    for seconds in [-3_600, -1_000, 1_000, 3_600, 86_400] {
        refused(&product, &ask(good()).skewed(seconds).build(), 403, "RequestTimeTooSkewed", &format!("{seconds} s"))
            .await;
    }
    for seconds in [-600, 600] {
        let fine = product.client().send(&ask(good()).skewed(seconds).build()).await.unwrap();
        assert_eq!(fine.status, 200, "{seconds} s: {}", fine.text());
    }
    // The day of the scope is that of the request.
    let mut other_day = ask(good()).build();
    let authorization = other_day.header("authorization").unwrap().to_owned();
    let (before, after) = authorization.split_once('/').unwrap();
    other_day.set_header("authorization", &format!("{before}/20130524{}", &after[8..]));
    refused(&product, &other_day, 400, "AuthorizationHeaderMalformed", "another day").await;
    let mut service = ask(good()).build();
    let authorization = service.header("authorization").unwrap().replace("/s3/", "/ec2/");
    refused(
        &product,
        service.set_header("authorization", &authorization),
        400,
        "AuthorizationHeaderMalformed",
        "service",
    )
    .await;
}

#[tokio::test]
async fn presigned_urls() {
    let product = product().await;
    let object = |method: &str| product.client().object(method, BUCKET, "key");
    let fine = product.client().send(&object("GET").presigned(60).build()).await.unwrap();
    assert_eq!((fine.status, fine.body.as_slice()), (200, crate::BEFORE));
    refused(&product, &object("GET").presigned(60).skewed(-61).build(), 403, "AccessDenied", "expired").await;
    refused(&product, &object("GET").presigned(60).skewed(1_000).build(), 403, "AccessDenied", "not yet").await;
    for expires in [0, -1, 604_801, i64::MAX] {
        let request = object("GET").presigned(expires).build();
        refused(&product, &request, 400, "AuthorizationQueryParametersError", &format!("{expires} s")).await;
    }
    for parameter in ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders"] {
        let mut request = object("GET").presigned(60).build();
        request.target = without(&request.target, parameter);
        refused(&product, &request, 400, "AuthorizationQueryParametersError", parameter).await;
    }
    let mut unsigned = object("GET").presigned(60).build();
    unsigned.target = without(&unsigned.target, "X-Amz-Signature");
    let answer = product.client().send(&unsigned).await.unwrap();
    assert!(matches!(answer.status, 400 | 403), "{}", answer.text());
    // A signed method is the only one.
    let mut put = object("GET").presigned(60).build();
    put.method = "DELETE".into();
    refused(&product, &put, 403, "SignatureDoesNotMatch", "method").await;
    // Nothing may be added to what was signed.
    let mut override_added = object("GET").presigned(60).build();
    override_added.target += "&response-content-type=text%2Fhtml";
    refused(&product, &override_added, 403, "SignatureDoesNotMatch", "added parameter").await;
    let mut copy = object("PUT").presigned(60).build();
    copy.set_header("x-amz-copy-source", &format!("/{BUCKET}/other"));
    refused(&product, &copy, 403, "AccessDenied", "added header").await;
    // Signature Version 2, as old tools presign.
    let v2 = product
        .client()
        .request("GET", &format!("/{BUCKET}/key?AWSAccessKeyId={ACCESS_KEY}&Signature=abc&Expires=2000000000"));
    refused(&product, &v2.anonymous().build(), 400, "InvalidRequest", "version 2").await;
}

fn without(target: &str, parameter: &str) -> String {
    let (path, query) = target.split_once('?').unwrap();
    let kept: Vec<_> = query.split('&').filter(|pair| !pair.starts_with(parameter)).collect();
    format!("{path}?{}", kept.join("&"))
}

#[tokio::test]
async fn one_signature_and_all_of_it() {
    let product = product().await;
    let object = |method: &str| product.client().object(method, BUCKET, "key");
    let signed = object("GET").build();
    let authorization = signed.header("authorization").unwrap().to_owned();
    // Two identities at once.
    let mut both = object("GET").presigned(60).build();
    refused(&product, both.set_header("authorization", &authorization), 400, "InvalidArgument", "both").await;
    for extra in ["X-Amz-Signature=00", "X-Amz-Algorithm=AWS4-HMAC-SHA256", "X-Amz-Credential=a"] {
        let request = product.client().request("GET", &format!("/{BUCKET}/key?{extra}")).build();
        let before = product.seen();
        let answer = product.client().send(&request).await.unwrap();
        assert_eq!(answer.status, 400, "{extra}: {}", answer.text());
        product.assert_no_call_since(&before, extra);
    }
    let mut twice = object("GET").build();
    twice.headers.push(("authorization".into(), authorization.clone()));
    refused(&product, &twice, 400, "InvalidArgument", "two headers").await;
    // Headers of S3 that nobody signed.
    for (name, value) in [
        ("x-amz-copy-source", "/local-iceberg-test/other"),
        ("x-amz-meta-added", "x"),
        ("x-amz-acl", "public-read"),
        ("x-amz-tagging", "a=b"),
    ] {
        let request = object("PUT").body(b"x", BodyMode::Signed).unsigned_header(name, value).build();
        refused(&product, &request, 403, "AccessDenied", name).await;
    }
    let mut no_host = object("GET").build();
    no_host.set_header("authorization", &authorization.replace("SignedHeaders=host;", "SignedHeaders="));
    refused(&product, &no_host, 403, "AccessDenied", "host is not signed").await;
    // What the body is has to be said, and signed.
    let mut no_hash = object("GET").build();
    no_hash.remove_header("x-amz-content-sha256");
    let before = product.seen();
    let answer = product.client().send(&no_hash).await.unwrap();
    assert!(matches!(answer.status, 400 | 403), "{}", answer.text());
    product.assert_no_call_since(&before, "no hash");
    for junk in [
        "AWS4-HMAC-SHA256",
        "AWS4-HMAC-SHA256 ",
        "AWS4-HMAC-SHA256 Credential=,SignedHeaders=,Signature=",
        "AWS4-HMAC-SHA256 Credential=a/b/c/d/e,SignedHeaders=host,Signature=zz",
        "Bearer abc",
        "Basic YTpi",
        "AWS AKFLINK:abc",
        "AWS4-ECDSA-P256-SHA256 Credential=a",
        "\u{e9}",
    ] {
        let mut request = object("GET").build();
        request.set_header("authorization", junk);
        let before = product.seen();
        let answer = product.client().send(&request).await.unwrap();
        assert!(matches!(answer.status, 400 | 403 | 501), "{junk}: {}", answer.text());
        assert!(answer.code().is_some(), "{junk}: {}", answer.text());
        product.assert_no_call_since(&before, junk);
    }
}

#[tokio::test]
async fn a_replaced_key_is_out_at_once() {
    let product = product().await;
    let client = product.client();
    assert_eq!(client.get(BUCKET, "key").await.unwrap().status, 200);
    product.keys.replace([]);
    let request = client.object("GET", BUCKET, "key").build();
    refused(&product, &request, 403, "InvalidAccessKeyId", "revoked").await;
}

/// The path is signed as it is sent: no other key may be reached with it.
#[tokio::test]
async fn the_signed_key_is_the_stored_key() {
    let product = Product::start().await;
    let client = product.client();
    for key in ["a%2Fb", "a%252Fb", "a/b", "a+b", "a b", "%2e%2e/x", "..%2fx", "A"] {
        assert_eq!(client.put(BUCKET, key, key.as_bytes()).await.unwrap().status, 200, "{key}");
    }
    for key in ["a%2Fb", "a%252Fb", "a/b", "a+b", "a b", "%2e%2e/x", "..%2fx", "A"] {
        assert_eq!(client.get(BUCKET, key).await.unwrap().body, key.as_bytes(), "{key}");
    }
    let request = RawRequest { target: format!("/{BUCKET}/a%2Fb"), ..client.object("GET", BUCKET, "a%2Fb").build() };
    let answer = client.send(&request).await.unwrap();
    assert_eq!(answer.status, 403, "another path than the signed one: {}", answer.text());
}
