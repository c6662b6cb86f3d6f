//! S1 a signature that one payload mode does not check, S2 two credentials, S3 unsigned headers of S3.

use crate::forgery::{Forgery, Placement, Signature};
use crate::harness::hash;
use crate::harness::product::{ACCESS_KEY, BUCKET};
use crate::harness::refusal::{assert_tells_nothing, assert_untouched, product, refused};
use crate::harness::s3_client::BodyMode;

/// Method, target, headers and body.
type Kind = (&'static str, String, Vec<(&'static str, String)>, &'static [u8]);

/// One request of every kind, none of which touches `key`.
fn operations() -> Vec<Kind> {
    let object = format!("/{BUCKET}/scratch");
    let upload = "partNumber=1&uploadId=x";
    let copy = || vec![("x-amz-copy-source", format!("/{BUCKET}/key"))];
    vec![
        ("GET", "/".into(), vec![], b""),
        ("HEAD", format!("/{BUCKET}"), vec![], b""),
        ("GET", format!("/{BUCKET}?list-type=2"), vec![], b""),
        ("GET", format!("/{BUCKET}?uploads"), vec![], b""),
        ("GET", format!("/{BUCKET}?location"), vec![], b""),
        ("POST", format!("/{BUCKET}?delete"), vec![], b"<Delete><Object><Key>scratch</Key></Object></Delete>"),
        ("PUT", object.clone(), vec![], b"content"),
        ("PUT", object.clone(), copy(), b""),
        ("GET", object.clone(), vec![], b""),
        ("HEAD", object.clone(), vec![], b""),
        ("GET", format!("{object}?attributes"), vec![("x-amz-object-attributes", "ETag".into())], b""),
        ("GET", format!("{object}?tagging"), vec![], b""),
        ("PUT", format!("{object}?tagging"), vec![], b"<Tagging><TagSet/></Tagging>"),
        ("POST", format!("{object}?uploads"), vec![], b""),
        ("PUT", format!("{object}?{upload}"), vec![], b"content"),
        ("PUT", format!("{object}?{upload}"), copy(), b""),
        ("POST", format!("{object}?uploadId=x"), vec![], b"<CompleteMultipartUpload/>"),
        ("GET", format!("{object}?uploadId=x"), vec![], b""),
        ("DELETE", format!("{object}?uploadId=x"), vec![], b""),
        ("DELETE", object, vec![], b""),
        ("PUT", format!("/{BUCKET}?policy"), vec![], b"{}"),
    ]
}

/// What may stand in `x-amz-content-sha256`, besides the hash of the body, and whether a body may come under it.
const PAYLOADS: [(Option<&str>, bool); 13] = [
    (Some("UNSIGNED-PAYLOAD"), true),
    (Some("STREAMING-AWS4-HMAC-SHA256-PAYLOAD"), true),
    (Some("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"), true),
    (Some("STREAMING-UNSIGNED-PAYLOAD-TRAILER"), true),
    (Some("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"), false),
    (Some("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER"), false),
    (Some("STREAMING-UNSIGNED-PAYLOAD"), false),
    (Some("streaming-aws4-hmac-sha256-payload"), false),
    (Some("unsigned-payload"), false),
    (Some("junk"), false),
    (Some("e3b0c44298fc1c149afbf4c8996fb924"), false),
    (Some("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b8zz"), false),
    (None, false),
];

#[tokio::test]
async fn only_a_good_signature_passes_in_every_payload_mode() {
    let product = product().await;
    for (method, target, extra, body) in operations() {
        let headers: Vec<_> = extra.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let sha256 = hash::sha256_hex(body);
        let payloads = PAYLOADS.into_iter().chain([(Some(sha256.as_str()), true)]);
        for (payload, may_be) in payloads {
            for placement in [Placement::Header, Placement::Query] {
                for signature in [Signature::Bad, Signature::Missing, Signature::Good] {
                    let context = format!("{method} {target} {payload:?} {placement:?} {signature:?}");
                    let headers = headers.as_slice();
                    let forgery = Forgery { method, target: &target, headers, body, payload, placement, signature };
                    let before = product.seen();
                    let answer = product.client().send(&forgery.build(&product)).await;
                    let answer = answer.unwrap_or_else(|error| panic!("{context}: {error}"));
                    assert_tells_nothing(&answer, &context);
                    if signature != Signature::Good {
                        assert!(
                            matches!(answer.status, 400 | 403 | 501),
                            "{context}: {} {}",
                            answer.status,
                            answer.text()
                        );
                        product.assert_no_call_since(&before, &context);
                        continue;
                    }
                    // A presigned URL need not speak of its payload.
                    let presigned = placement == Placement::Query && payload.is_none();
                    if may_be || presigned {
                        let code = answer.code().unwrap_or_default();
                        assert!(
                            code != "SignatureDoesNotMatch" && code != "AccessDenied",
                            "{context}: {}",
                            answer.text()
                        );
                    } else if !body.is_empty() && !target.ends_with("policy") {
                        assert!(matches!(answer.status, 400 | 501), "{context}: {} {}", answer.status, answer.text());
                        product.assert_no_commit_since(&before, &context);
                    }
                }
            }
        }
    }
    assert_eq!(product.client().get(BUCKET, "key").await.unwrap().body, crate::harness::refusal::BEFORE);
}

/// A credential in the header and any piece of one in the query, in any spelling.
#[tokio::test]
async fn two_credentials_are_none() {
    let product = product().await;
    let client = product.client();
    let presigned = client.object("GET", BUCKET, "key").presigned(60).build();
    let query = presigned.target.split_once('?').unwrap().1;
    let pieces: Vec<String> = query.split('&').map(str::to_owned).collect();
    let lower: Vec<String> = pieces.iter().map(|piece| piece.to_ascii_lowercase()).collect();
    for piece in pieces.iter().chain(&lower) {
        let (name, _) = piece.split_once('=').unwrap();
        if ["x-amz-date", "x-amz-expires", "x-amz-signedheaders"].contains(&name.to_ascii_lowercase().as_str()) {
            continue;
        }
        let request = client.request("GET", &format!("/{BUCKET}/key?{piece}")).build();
        let before = product.seen();
        let answer = client.send(&request).await.unwrap();
        assert_eq!(answer.status, 400, "{piece}: {}", answer.text());
        product.assert_no_call_since(&before, piece);
    }
    let signed = client.object("GET", BUCKET, "key").build();
    for value in [signed.header("authorization").unwrap(), "Bearer abc", "Basic YTpi", "AWS AKFLINK:abc", ""] {
        let mut both = presigned.clone();
        refused(&product, both.set_header("authorization", value), 400, "InvalidArgument", value).await;
    }
    // The same parameter twice: whoever reads the first and whoever reads the last would see two requests.
    for piece in &pieces {
        let (name, value) = piece.split_once('=').unwrap();
        for other in ["1", &value.to_ascii_uppercase(), &format!("{value}0")] {
            if other == value {
                continue;
            }
            for target in [
                format!("{}&{name}={other}", presigned.target),
                presigned.target.replacen('?', &format!("?{name}={other}&"), 1),
            ] {
                let mut twice = presigned.clone();
                twice.target = target;
                let before = product.seen();
                let answer = client.send(&twice).await.unwrap();
                assert!(matches!(answer.status, 400 | 403), "{name}: {} {}", answer.status, answer.text());
                product.assert_no_call_since(&before, name);
            }
        }
    }
    for both in ["AWSAccessKeyId=AKFLINK&Signature=abc&Expires=2000000000", "Signature=abc", "AWSAccessKeyId=AKFLINK"] {
        for request in [
            client.request("GET", &format!("/{BUCKET}/key?{both}")).anonymous().build(),
            client.request("GET", &format!("/{BUCKET}/key?{both}")).build(),
            client.request("GET", &format!("/{BUCKET}/key?{both}")).presigned(60).build(),
        ] {
            let before = product.seen();
            let answer = client.send(&request).await.unwrap();
            // Beside a whole signature of version 4 these are parameters like any other, and signed.
            if request.header("authorization").is_none() && !request.target.contains("X-Amz-Signature") {
                assert_eq!(answer.status, 400, "{both}: {}", answer.text());
                product.assert_no_call_since(&before, both);
            }
        }
    }
}

/// Every header of S3 is worth an attack by itself, so the list is as long as S3's.
#[tokio::test]
async fn headers_that_nobody_signed() {
    let product = product().await;
    for (name, value) in [
        ("x-amz-acl", "public-read"),
        ("x-amz-bypass-governance-retention", "true"),
        ("x-amz-checksum-algorithm", "CRC32"),
        ("x-amz-checksum-crc32", "AAAAAA=="),
        ("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
        ("x-amz-copy-source", "/local-iceberg-test/other"),
        ("x-amz-copy-source-if-match", "x"),
        ("x-amz-copy-source-range", "bytes=0-1"),
        ("x-amz-date", "20130524T000000Z"),
        ("x-amz-decoded-content-length", "1"),
        ("x-amz-expected-bucket-owner", "1"),
        ("x-amz-grant-read", "uri=x"),
        ("x-amz-meta-added", "x"),
        ("x-amz-metadata-directive", "REPLACE"),
        ("x-amz-mfa", "x"),
        ("x-amz-mp-object-size", "1"),
        ("x-amz-object-attributes", "ETag"),
        ("x-amz-object-lock-mode", "GOVERNANCE"),
        ("x-amz-request-payer", "requester"),
        ("x-amz-security-token", "x"),
        ("x-amz-server-side-encryption", "AES256"),
        ("x-amz-storage-class", "GLACIER"),
        ("x-amz-tagging", "a=b"),
        ("x-amz-trailer", "x-amz-checksum-crc32"),
        ("x-amz-website-redirect-location", "/x"),
        ("X-Amz-Meta-Added", "x"),
        ("x-amz-anything", "x"),
    ] {
        for method in ["GET", "PUT", "DELETE"] {
            let builder = || product.client().object(method, BUCKET, "key");
            for request in [builder(), builder().presigned(60)] {
                let body: &[u8] = if method == "PUT" { b"x" } else { b"" };
                let request = request.body(body, BodyMode::Unsigned).unsigned_header(name, value).build();
                let before = product.seen();
                let answer = product.client().send(&request).await.unwrap();
                let code = answer.code().unwrap_or_default();
                // One that the signature speaks of too is there twice then.
                let known = ["x-amz-date", "x-amz-content-sha256"].contains(&name);
                let expected = if known {
                    matches!(answer.status, 400 | 403)
                } else {
                    (answer.status, code.as_str()) == (403, "AccessDenied")
                };
                assert!(expected, "{method} {name}: {} {}", answer.status, answer.text());
                product.assert_no_call_since(&before, name);
            }
        }
    }
    assert_untouched(&product, "unsigned headers").await;
}

/// What is announced as signed has to be there, and has to be what was signed.
#[tokio::test]
async fn signed_headers_that_are_changed() {
    let product = product().await;
    let builder =
        product.client().object("PUT", BUCKET, "key").header("x-amz-meta-a", "1").header("if-none-match", "*");
    let signed = builder.header("content-type", "text/plain").body(b"x", BodyMode::Signed).build();
    for (name, value) in
        [("x-amz-meta-a", "2"), ("if-none-match", "x"), ("content-type", "text/html"), ("host", "other.example")]
    {
        let mut changed = signed.clone();
        refused(&product, changed.set_header(name, value), 403, "SignatureDoesNotMatch", name).await;
        let mut twice = signed.clone();
        twice.headers.push((name.into(), value.into()));
        let before = product.seen();
        let answer = product.client().send(&twice).await.unwrap();
        assert!(matches!(answer.status, 400 | 403), "{name}: {}", answer.text());
        product.assert_no_call_since(&before, name);
        if name != "host" {
            let mut removed = signed.clone();
            refused(&product, removed.remove_header(name), 403, "SignatureDoesNotMatch", name).await;
        }
    }
    let authorization = signed.header("authorization").unwrap().to_owned();
    for (from, to) in [
        ("SignedHeaders=", "SignedHeaders=;"),
        ("SignedHeaders=", "SignedHeaders=host;"),
        ("SignedHeaders=", "signedheaders="),
        ("SignedHeaders=", "SignedHeaders=x-not-there;"),
        ("host;", "Host;"),
        (ACCESS_KEY, "AKFLINK/AKFLINK"),
        ("Signature=", "Signature=00,Signature="),
        ("/aws4_request", "/aws4_request/aws4_request"),
        ("/aws4_request", "/AWS4_REQUEST"),
        ("/us-east-1/", "/us-east-1/us-east-1/"),
        ("AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA256"),
        ("AWS4-HMAC-SHA256 ", "aws4-hmac-sha256 "),
    ] {
        let mut changed = signed.clone();
        changed.set_header("authorization", &authorization.replacen(from, to, 1));
        let before = product.seen();
        let answer = product.client().send(&changed).await.unwrap();
        assert!(matches!(answer.status, 400 | 403), "{from} {to}: {} {}", answer.status, answer.text());
        product.assert_no_call_since(&before, to);
    }
    assert_untouched(&product, "changed headers").await;
}
