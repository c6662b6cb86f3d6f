//! S8 the facade as a deputy of somebody who may not: sources of copies, uploads of others, containers that are
//! nobody's bucket.

use bluebucket::facade::Verbs;

use crate::harness::product::{BUCKET, OTHER_BUCKET, Pair, Product, STATE, Setup};
use crate::harness::refusal::assert_tells_nothing;
use crate::harness::s3_client::{BodyMode, Response, S3Client};

const PASSWORD: &str = "a secret that is long enough";

async fn ask(client: &S3Client, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Response {
    let request = client.request(method, target).body(body, BodyMode::Signed);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(name, value));
    client.send(&request.build()).await.unwrap()
}

/// Whoever may write and not read may not copy either, wherever the source lies.
#[tokio::test]
async fn copies_need_the_right_to_read_their_source() {
    let all = Verbs { read: true, write: true, delete: true, list: true };
    let pairs = vec![
        Pair::all("AKALL", PASSWORD),
        Pair::all("AKWRITE", PASSWORD).may(Verbs { read: false, ..all }),
        Pair::all("AKONE", PASSWORD).only(&[BUCKET]),
        Pair::all("AKOTHER", PASSWORD).only(&[OTHER_BUCKET]),
    ];
    let product = Product::with(Setup { pairs, ..Setup::default() }).await;
    let everybody = product.client_as("AKALL", PASSWORD);
    everybody.put(BUCKET, "key", b"here").await.unwrap();
    everybody.put(OTHER_BUCKET, "key", b"there").await.unwrap();
    let created = ask(&everybody, "POST", &format!("/{BUCKET}/copy?uploads"), &[], b"").await;
    let part = format!("/{BUCKET}/copy?partNumber=1&uploadId={}", created.element("UploadId").unwrap());
    let (here, there) = (format!("/{BUCKET}/key"), format!("/{OTHER_BUCKET}/key"));
    for (id, source) in [
        ("AKWRITE", &here),
        ("AKWRITE", &there),
        ("AKONE", &there),
        ("AKONE", &there.replace("/key", "%2Fkey")),
        ("AKONE", &there.replace("/key", "/key?versionId=null")),
        ("AKONE", &there.trim_start_matches('/').to_owned()),
        ("AKOTHER", &here),
    ] {
        let client = product.client_as(id, PASSWORD);
        for target in [format!("/{BUCKET}/copy"), part.clone()] {
            for more in
                [vec![], vec![("x-amz-copy-source-range", "bytes=0-1")], vec![("x-amz-metadata-directive", "REPLACE")]]
            {
                let headers = [vec![("x-amz-copy-source", source.as_str())], more].concat();
                let before = product.seen();
                let answer = ask(&client, "PUT", &target, &headers, b"").await;
                let context = format!("{id} {source} {target}: {}", answer.text());
                assert_eq!((answer.status, answer.code().as_deref()), (403, Some("AccessDenied")), "{context}");
                product.assert_no_call_since(&before, &context);
            }
        }
    }
    let allowed = ask(&product.client_as("AKONE", PASSWORD), "PUT", &part, &[("x-amz-copy-source", &here)], b"").await;
    assert_eq!(allowed.status, 200, "{}", allowed.text());
}

/// An upload id opens its own bucket and key, and nothing else.
#[tokio::test]
async fn an_upload_id_belongs_to_one_key() {
    let product = Product::start().await;
    let client = product.client();
    client.put(BUCKET, "source", b"x").await.unwrap();
    let created = ask(&client, "POST", &format!("/{BUCKET}/key?uploads"), &[], b"").await;
    let id = created.element("UploadId").unwrap();
    let etag = ask(&client, "PUT", &format!("/{BUCKET}/key?partNumber=1&uploadId={id}"), &[], b"part").await;
    let etag = etag.etag().unwrap().to_owned();
    let complete = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
    );
    let source = [("x-amz-copy-source", "/local-rocksdb-test/source")];
    let others = [
        format!("/{BUCKET}/other"),
        format!("/{BUCKET}/KEY"),
        format!("/{BUCKET}/key/"),
        format!("/{BUCKET}//key"),
        format!("/{OTHER_BUCKET}/key"),
    ];
    for place in others {
        let before = product.commits_since(&product.seen()).len();
        let seen = product.seen();
        for (method, query, headers, body) in [
            ("PUT", "partNumber=1&", &[][..], &b"changed"[..]),
            ("PUT", "partNumber=1&", &source, b""),
            ("GET", "", &[], b""),
            ("POST", "", &[], complete.as_bytes()),
            ("DELETE", "", &[], b""),
        ] {
            let answer = ask(&client, method, &format!("{place}?{query}uploadId={id}"), headers, body).await;
            let context = format!("{method} {place} {query}: {}", answer.text());
            assert_eq!((answer.status, answer.code().as_deref()), (404, Some("NoSuchUpload")), "{context}");
        }
        assert_eq!(product.commits_since(&seen).len(), before, "{place}");
    }
    // Ids that nobody gave out, and pieces of names.
    for id in [
        "x",
        "",
        "../x",
        "%2e%2e%2f",
        "upload!a!b!c",
        "a%00b",
        &id.to_uppercase(),
        &format!("{id}0"),
        &id[1..],
        &"a".repeat(5_000),
    ] {
        for method in ["PUT", "GET", "POST", "DELETE"] {
            let query = if method == "PUT" { "partNumber=1&" } else { "" };
            let body = if method == "POST" { complete.as_bytes() } else { b"" };
            let seen = product.seen();
            let answer = ask(&client, method, &format!("/{BUCKET}/key?{query}uploadId={id}"), &[], body).await;
            assert!(matches!(answer.status, 400 | 404), "{method} {id}: {} {}", answer.status, answer.text());
            product.assert_no_commit_since(&seen, id);
        }
    }
    let done = ask(&client, "POST", &format!("/{BUCKET}/key?uploadId={id}"), &[], complete.as_bytes()).await;
    assert_eq!(done.status, 200, "{}", done.text());
    assert_eq!(client.get(BUCKET, "key").await.unwrap().body, b"part");
}

/// Nobody reaches the containers of the account that are no buckets, in development mode neither.
#[tokio::test]
async fn containers_that_are_nobodys_bucket() {
    for development in [false, true] {
        let product = Product::with(Setup { development, ..Setup::default() }).await;
        let client = product.client();
        client.put(BUCKET, "key", b"x").await.unwrap();
        for bucket in
            [STATE, "$root", "$web", "$logs", "$blobchangefeed", "%24root", "bluebucket-state.", "BLUEBUCKET-STATE"]
        {
            let source = format!("/{bucket}/key");
            for (method, target, headers) in [
                ("GET", format!("/{bucket}"), &[][..]),
                ("HEAD", format!("/{bucket}"), &[]),
                ("PUT", format!("/{bucket}"), &[]),
                ("DELETE", format!("/{bucket}"), &[]),
                ("GET", format!("/{bucket}?list-type=2"), &[]),
                ("GET", format!("/{bucket}?uploads"), &[]),
                ("GET", format!("/{bucket}/key"), &[]),
                ("PUT", format!("/{bucket}/key"), &[]),
                ("DELETE", format!("/{bucket}/key"), &[]),
                ("POST", format!("/{bucket}/key?uploads"), &[]),
                ("PUT", format!("/{BUCKET}/copy"), &[("x-amz-copy-source", source.as_str())]),
            ] {
                let before = product.seen();
                let answer = ask(&client, method, &target, headers, b"").await;
                let context = format!("{method} {target} {development}: {} {}", answer.status, answer.text());
                assert!(matches!(answer.status, 400 | 403 | 404 | 409), "{context}");
                assert_tells_nothing(&answer, &context);
                product.assert_no_commit_since(&before, &context);
            }
        }
        let listed = ask(&client, "GET", "/", &[], b"").await.elements("Name");
        assert!(!listed.iter().any(|name| name.contains("state") || name.starts_with('$')), "{listed:?}");
    }
}
