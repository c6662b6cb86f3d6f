//! S11 signatures used again, for something else, or at another time. The windows of time themselves are in
//! `facade_refusals`.

use std::time::Duration;

use crate::harness::product::{BUCKET, OTHER_BUCKET};
use crate::harness::refusal::{BEFORE, assert_untouched, product, refused};
use crate::harness::s3_client::BodyMode;

/// A signature that was seen once is good for the same request and for no other.
#[tokio::test]
async fn a_signature_is_good_for_one_request_only() {
    let product = product().await;
    let client = product.client();
    let sent = client.object("GET", BUCKET, "key").build();
    for _ in 0..2 {
        assert_eq!(client.send(&sent).await.unwrap().body, BEFORE);
    }
    for presigned in [false, true] {
        let builder = |method: &str, target: &str| {
            let request = client.request(method, target).body(b"", BodyMode::Unsigned);
            if presigned { request.presigned(60) } else { request }.build()
        };
        let seen = builder("GET", &format!("/{BUCKET}/key"));
        for (method, target) in [
            ("HEAD", format!("/{BUCKET}/key")),
            ("PUT", format!("/{BUCKET}/key")),
            ("DELETE", format!("/{BUCKET}/key")),
            ("GET", format!("/{BUCKET}/yek")),
            ("GET", format!("/{OTHER_BUCKET}/key")),
            ("GET", format!("/{BUCKET}")),
            ("GET", "/".into()),
            ("GET", format!("/{BUCKET}/key?tagging")),
            ("GET", format!("/{BUCKET}/key?acl")),
            ("POST", format!("/{BUCKET}/key?uploads")),
        ] {
            let mut stolen = builder(method, &target);
            if presigned {
                let (_, signature) = seen.target.split_once("X-Amz-Signature=").unwrap();
                let (before, _) = stolen.target.split_once("X-Amz-Signature=").unwrap();
                stolen.target = format!("{before}X-Amz-Signature={signature}");
            } else {
                for name in ["authorization", "x-amz-date"] {
                    stolen.set_header(name, seen.header(name).unwrap());
                }
            }
            let before = product.seen();
            let answer = client.send(&stolen).await.unwrap();
            assert_eq!(answer.status, 403, "{method} {target}: {}", answer.text());
            product.assert_no_call_since(&before, &target);
        }
    }
    assert_untouched(&product, "stolen signatures").await;
}

#[tokio::test]
async fn validities_that_are_no_numbers() {
    let product = product().await;
    let good = product.client().object("GET", BUCKET, "key").presigned(60).build();
    for expires in [
        "",
        "abc",
        "1e3",
        "0x60",
        "%2B60",
        "60%20",
        "%2060",
        "6%200",
        "60.0",
        "60%00",
        "-0",
        "00",
        "%D9%A6%D9%A0",
        "604801",
        "4294967356",
        "18446744073709551676",
        "99999999999999999999999999999999",
    ] {
        let mut request = good.clone();
        request.target = good.target.replacen("X-Amz-Expires=60", &format!("X-Amz-Expires={expires}"), 1);
        refused(&product, &request, 400, "AuthorizationQueryParametersError", expires).await;
    }
    // Numbers that are one, and not the signed one.
    for expires in ["61", "060", "604800"] {
        let mut request = good.clone();
        request.target = good.target.replacen("X-Amz-Expires=60", &format!("X-Amz-Expires={expires}"), 1);
        refused(&product, &request, 403, "SignatureDoesNotMatch", expires).await;
    }
}

#[tokio::test]
async fn times_that_are_none() {
    let product = product().await;
    let builder = |date: &str| product.client().object("GET", BUCKET, "key").date(date);
    for date in [
        "20130524",
        "20130524T000000",
        "2013-05-24T00:00:00Z",
        "99999999T999999Z",
        "20260230T000000Z",
        "00000000T000000Z",
        "20261123T250000Z",
        "20261123T000060Z",
        "20261123t000000z",
        " ",
        "now",
    ] {
        for request in [builder(date).build(), builder(date).presigned(60).build()] {
            let before = product.seen();
            let answer = product.client().send(&request).await.unwrap();
            assert!(matches!(answer.status, 400 | 403), "{date}: {} {}", answer.status, answer.text());
            product.assert_no_call_since(&before, date);
        }
    }
    // Far away in both directions, where a difference could overflow.
    for date in ["19700101T000000Z", "00010101T000000Z", "99991231T235959Z"] {
        let before = product.seen();
        let header = product.client().send(&builder(date).build()).await.unwrap();
        assert_eq!(header.status, 403, "{date}: {}", header.text());
        let query = product.client().send(&builder(date).presigned(604_800).build()).await.unwrap();
        assert!(matches!(query.status, 400 | 403), "{date}: {}", query.text());
        product.assert_no_call_since(&before, date);
    }
    // A scope that is not that of this service.
    let signed = product.client().object("GET", BUCKET, "key").build();
    let authorization = signed.header("authorization").unwrap().to_owned();
    for (from, to) in [
        ("/s3/", "/sts/"),
        ("/s3/", "/S3/"),
        ("/us-east-1/", "/us-east-2/"),
        ("/us-east-1/", "//"),
        ("aws4_request", "aws4"),
    ] {
        let mut request = signed.clone();
        request.set_header("authorization", &authorization.replacen(from, to, 1));
        refused(&product, &request, 400, "AuthorizationHeaderMalformed", to).await;
    }
}

/// A URL is judged when its request begins, as S3 does it: a slow upload may outlive it.
#[tokio::test]
async fn a_url_that_expires_during_its_upload() {
    let product = product().await;
    let client = product.client();
    let request = client.object("PUT", BUCKET, "slow").body(&[7; 1_000], BodyMode::Unsigned).presigned(2).build();
    let mut connection = client.open().await.unwrap();
    connection.write(&request.head_bytes()).await.unwrap();
    connection.write(&request.body[..500]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(3_100)).await;
    connection.write(&request.body[500..]).await.unwrap();
    assert_eq!(connection.read("PUT").await.unwrap().status, 200);
    refused(&product, &request, 403, "AccessDenied", "again").await;
}
