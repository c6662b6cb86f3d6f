//! What a key pair may do.

use bluebucket::facade::Verbs;

use crate::harness::product::{BUCKET, OTHER_BUCKET, Pair, Product, Setup};
use crate::harness::s3_client::{BodyMode, Response, S3Client};

/// Method, target, headers, body, and the verb that the operation needs.
type Case<'a> = (&'a str, String, &'a [(&'a str, &'a str)], &'a [u8], &'a str);

const NONE: Verbs = Verbs { read: false, write: false, delete: false, list: false };

async fn ask(client: &S3Client, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Response {
    let request = client.request(method, target).body(body, BodyMode::Signed);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(name, value));
    client.send(&request.build()).await.unwrap()
}

#[tokio::test]
async fn each_verb_opens_its_operations_and_no_others() {
    let secret = "a secret that is long enough";
    let pairs = vec![
        Pair::all("AKREAD", secret).may(Verbs { read: true, ..NONE }),
        Pair::all("AKWRITE", secret).may(Verbs { write: true, ..NONE }),
        Pair::all("AKDELETE", secret).may(Verbs { delete: true, ..NONE }),
        Pair::all("AKLIST", secret).may(Verbs { list: true, ..NONE }),
        Pair::all("AKNONE", secret).may(NONE),
    ];
    let product = Product::with(Setup { pairs, ..Setup::default() }).await;
    let object = format!("/{BUCKET}/key");
    let delete = b"<Delete><Object><Key>key</Key></Object></Delete>";
    let tags = b"<Tagging><TagSet/></Tagging>";
    let source = format!("/{BUCKET}/key");
    let copy = [("x-amz-copy-source", source.as_str())];
    let cases: Vec<Case<'_>> = vec![
        ("GET", object.clone(), &[], b"", "AKREAD"),
        ("HEAD", object.clone(), &[], b"", "AKREAD"),
        ("GET", format!("{object}?tagging"), &[], b"", "AKREAD"),
        ("GET", format!("{object}?acl"), &[], b"", "AKREAD"),
        ("PUT", object.clone(), &[], b"x", "AKWRITE"),
        ("PUT", format!("{object}?tagging"), &[], tags, "AKWRITE"),
        ("DELETE", format!("{object}?tagging"), &[], b"", "AKWRITE"),
        ("POST", format!("{object}?uploads"), &[], b"", "AKWRITE"),
        ("PUT", format!("{object}?partNumber=1&uploadId=x"), &[], b"x", "AKWRITE"),
        ("DELETE", format!("{object}?uploadId=x"), &[], b"", "AKWRITE"),
        ("GET", format!("{object}?uploadId=x"), &[], b"", "AKWRITE"),
        ("DELETE", object.clone(), &[], b"", "AKDELETE"),
        ("POST", format!("/{BUCKET}?delete"), &[], delete, "AKDELETE"),
        ("GET", format!("/{BUCKET}?list-type=2"), &[], b"", "AKLIST"),
        ("GET", format!("/{BUCKET}"), &[], b"", "AKLIST"),
        ("GET", format!("/{BUCKET}?versions"), &[], b"", "AKLIST"),
        ("GET", format!("/{BUCKET}?uploads"), &[], b"", "AKLIST"),
        // Neither of them may read the source.
        ("PUT", format!("{object}-copy"), &copy, b"", "nobody"),
        ("PUT", format!("{object}-copy?partNumber=1&uploadId=x"), &copy, b"", "nobody"),
    ];
    for (method, target, headers, body, allowed) in cases {
        for id in ["AKREAD", "AKWRITE", "AKDELETE", "AKLIST", "AKNONE"] {
            let before = product.seen();
            let answer = ask(&product.client_as(id, secret), method, &target, headers, body).await;
            let context = format!("{id}: {method} {target}: {} {}", answer.status, answer.text());
            if id == allowed {
                assert_ne!(answer.status, 403, "{context}");
                continue;
            }
            assert_eq!(answer.status, 403, "{context}");
            assert!(method == "HEAD" || answer.code().as_deref() == Some("AccessDenied"), "{context}");
            product.assert_no_call_since(&before, &context);
        }
    }
}

#[tokio::test]
async fn buckets_of_others_are_out_of_reach() {
    let secret = "a secret that is long enough";
    let pairs = vec![Pair::all("AKALL", secret), Pair::all("AKONE", secret).only(&[BUCKET])];
    let product = Product::with(Setup { pairs, ..Setup::default() }).await;
    let (all, one) = (product.client_as("AKALL", secret), product.client_as("AKONE", secret));
    all.put(OTHER_BUCKET, "theirs", b"x").await.unwrap();
    let created = ask(&all, "POST", &format!("/{OTHER_BUCKET}/theirs?uploads"), &[], b"").await;
    let id = created.element("UploadId").unwrap();
    let before = product.seen();
    let theirs = format!("/{OTHER_BUCKET}/theirs");
    let source = [("x-amz-copy-source", theirs.as_str())];
    let encoded = [("x-amz-copy-source", "local-iceberg-test%2Ftheirs")];
    for (method, target, headers) in [
        ("GET", theirs.clone(), &[][..]),
        ("PUT", theirs.clone(), &[]),
        ("DELETE", theirs.clone(), &[]),
        ("HEAD", format!("/{OTHER_BUCKET}"), &[]),
        ("GET", format!("/{OTHER_BUCKET}?list-type=2"), &[]),
        ("GET", format!("/{OTHER_BUCKET}?uploads"), &[]),
        ("GET", format!("/{OTHER_BUCKET}?lifecycle"), &[]),
        ("PUT", format!("{theirs}?partNumber=1&uploadId={id}"), &[]),
        ("DELETE", format!("{theirs}?uploadId={id}"), &[]),
        ("PUT", format!("/{BUCKET}/copy"), &source),
        ("PUT", format!("/{BUCKET}/copy"), &encoded),
        ("PUT", format!("/{BUCKET}/copy?partNumber=1&uploadId={id}"), &source),
        // A bucket that is not there looks the same as one of somebody else.
        ("GET", "/no-such-bucket/key".into(), &[]),
        ("PUT", "/local-iceberg-test%2Ftheirs/key".into(), &[]),
        ("GET", format!("/{BUCKET}%2F..%2F{OTHER_BUCKET}/theirs"), &[]),
    ] {
        let answer = ask(&one, method, &target, headers, b"").await;
        assert!(matches!(answer.status, 403 | 400), "{method} {target}: {} {}", answer.status, answer.text());
    }
    product.assert_no_call_since(&before, "buckets of others");
}
