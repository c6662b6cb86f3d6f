//! S9 people without a key, or with one that every such service is tried with, S18 people who say that somebody
//! trustworthy let them in.

use crate::harness::product::{ACCESS_KEY, BUCKET, SECRET};
use crate::harness::refusal::{assert_tells_nothing, assert_untouched, product, refused};
use crate::harness::s3_client::BodyMode;
use crate::harness::sigv4::Credentials;

#[tokio::test]
async fn there_are_no_default_keys() {
    let product = product().await;
    for (id, secret) in [
        ("minioadmin", "minioadmin"),
        ("rustfsadmin", "rustfsadmin"),
        ("admin", "admin"),
        ("root", "root"),
        ("test", "test"),
        ("local-identity", "local-credential"),
        ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        ("devstoreaccount1", bluebucket::emulator::DEVELOPMENT_KEY),
        ("x", ""),
    ] {
        let client = product.client_as(id, secret);
        for request in [client.object("GET", BUCKET, "key"), client.object("GET", BUCKET, "key").presigned(60)] {
            refused(&product, &request.build(), 403, "InvalidAccessKeyId", id).await;
        }
    }
    // A known name with no secret, with half of it, with more than it, and with the name as the secret.
    for secret in ["", ACCESS_KEY, &SECRET[..16], &format!("{SECRET}0"), &SECRET.to_uppercase()] {
        let client = product.client_as(ACCESS_KEY, secret);
        for request in [client.object("GET", BUCKET, "key"), client.object("GET", BUCKET, "key").presigned(60)] {
            refused(&product, &request.build(), 403, "SignatureDoesNotMatch", secret).await;
        }
    }
    for id in ["akflink", "AKFLINK ", "AKFLIN", "AKFLINK%00", "*", "AKFLINK*"] {
        let client = product.client().with_credentials(Credentials::new(id, SECRET));
        let before = product.seen();
        let answer = client.send(&client.object("GET", BUCKET, "key").build()).await.unwrap();
        assert!(matches!(answer.status, 400 | 403), "{id}: {}", answer.text());
        product.assert_no_call_since(&before, id);
    }
}

/// Nothing that somebody says about themselves makes up for a signature.
#[tokio::test]
async fn claims_are_no_credentials() {
    let product = product().await;
    for (name, value) in [
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-user", ACCESS_KEY),
        ("x-forwarded-host", "local-iceberg-test.s3.example.org"),
        ("x-forwarded-proto", "https"),
        ("forwarded", "for=127.0.0.1;host=localhost;proto=https"),
        ("x-real-ip", "127.0.0.1"),
        ("x-original-url", "/"),
        ("x-rewrite-url", "/"),
        ("x-http-method-override", "DELETE"),
        ("x-method-override", "DELETE"),
        ("x-auth-token", "x"),
        ("x-ms-date", "Mon, 23 Nov 2026 00:00:00 GMT"),
        ("x-rustfs-internal", "1"),
        ("cookie", "token=x"),
        ("proxy-authorization", "Basic YTpi"),
        ("authorization", "Anonymous"),
        ("authorization", "Bearer eyJhbGciOiJub25lIn0.e30."),
        ("authorization", "SharedKey devstoreaccount1:x"),
        ("authorization", "Negotiate x"),
    ] {
        for (method, target) in [("GET", "key"), ("PUT", "key"), ("DELETE", "key"), ("GET", "")] {
            let request = product.client().request(method, &format!("/{BUCKET}/{target}")).anonymous();
            let request = request.unsigned_header(name, value).build();
            let before = product.seen();
            let answer = product.client().send(&request).await.unwrap();
            assert!(matches!(answer.status, 400 | 403), "{name}: {} {}", answer.status, answer.text());
            product.assert_no_call_since(&before, name);
        }
        // Beside a signature they change nothing: not the bucket, the method or the answer.
        if name == "authorization" {
            continue;
        }
        let request = product.client().object("GET", BUCKET, "key").unsigned_header(name, value).build();
        let answer = product.client().send(&request).await.unwrap();
        assert_eq!((answer.status, answer.body.as_slice()), (200, crate::harness::refusal::BEFORE), "{name}");
    }
    assert_untouched(&product, "claims").await;
}

/// S21: an upload by a browser's form is not served, whatever its fields say.
#[tokio::test]
async fn forms_are_not_served() {
    let product = product().await;
    let form = "--b\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nkey\r\n--b\r\nContent-Disposition: form-data; \
                name=\"file\"\r\n\r\nx\r\n--b--\r\n";
    for content_type in
        ["multipart/form-data; boundary=b", "Multipart/Form-Data; boundary=\"b\"", "multipart/form-data"]
    {
        for target in [format!("/{BUCKET}"), format!("/{BUCKET}/"), format!("/{BUCKET}/key"), "/".into()] {
            let builder = product.client().request("POST", &target).header("content-type", content_type);
            let builder = builder.body(form.as_bytes(), BodyMode::Unsigned);
            for request in [builder.build(), builder.clone().presigned(60).build(), builder.clone().anonymous().build()]
            {
                refused(&product, &request, 501, "NotImplemented", &target).await;
            }
        }
    }
    for content_type in ["application/x-www-form-urlencoded", "text/plain", "application/octet-stream"] {
        let builder = product.client().request("POST", &format!("/{BUCKET}")).header("content-type", content_type);
        let builder = builder.body(b"key=key&file=x", BodyMode::Unsigned);
        refused(&product, &builder.build(), 501, "NotImplemented", content_type).await;
        let before = product.seen();
        let answer = product.client().send(&builder.anonymous().build()).await.unwrap();
        assert!(matches!(answer.status, 403 | 501), "{content_type}: {}", answer.text());
        assert_tells_nothing(&answer, content_type);
        product.assert_no_call_since(&before, content_type);
    }
    assert_untouched(&product, "forms").await;
}
