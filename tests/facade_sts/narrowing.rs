//! What a session may do: what its key pair may do and its policy allows, and nothing else.

use crate::harness::product::{ACCESS_KEY, BUCKET as FLINK, Pair, Product, SECRET, Setup};
use crate::harness::s3_client::{BodyMode, Response, S3Client};
use crate::harness::sigv4::Credentials;
use crate::{BUCKET, TABLE_POLICY, assert_refused, credentials, credentials_by, product, sts, table, with};
use bluebucket::facade::Verbs;

async fn ask(client: &S3Client, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Response {
    let request = client.request(method, target).body(body, BodyMode::Signed);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(name, value));
    client.send(&request.build()).await.unwrap()
}

/// A table with one object, objects beside it, and one in another bucket.
async fn fill(product: &Product) {
    for (bucket, key) in
        [(BUCKET, "ns/table/data"), (BUCKET, "ns/table2/data"), (BUCKET, "data"), (FLINK, "ns/table/data")]
    {
        assert_eq!(product.client().put(bucket, key, key.as_bytes()).await.unwrap().status, 200);
    }
}

#[tokio::test]
async fn inside_the_table() {
    let product = product().await;
    fill(&product).await;
    let table = table(&product).await;
    assert_eq!(table.get(BUCKET, "ns/table/data").await.unwrap().body, b"ns/table/data");
    assert_eq!(table.head(BUCKET, "ns/table/data").await.unwrap().status, 200);
    assert_eq!(table.head(BUCKET, "ns/table/absent").await.unwrap().status, 404);
    for mode in BodyMode::ALL {
        let put = table.object("PUT", BUCKET, "ns/table/new").body(&[b'x'; 70_000], mode).build();
        assert_eq!(table.send(&put).await.unwrap().status, 200, "{mode:?}");
    }
    assert_eq!(
        table.list(BUCKET, "prefix=ns%2Ftable%2F").await.unwrap().elements("Key"),
        ["ns/table/data", "ns/table/new"]
    );
    assert_eq!(table.list(BUCKET, "prefix=ns%2Ftable%2Fd").await.unwrap().elements("Key"), ["ns/table/data"]);
    let source = [("x-amz-copy-source", "/local-iceberg-test/ns/table/data")];
    assert_eq!(ask(&table, "PUT", &format!("/{BUCKET}/ns/table/copy"), &source, b"").await.status, 200);
    assert_eq!(ask(&table, "GET", &format!("/{BUCKET}?location"), &[], b"").await.status, 200);
    // An upload from its beginning to its end.
    let target = format!("/{BUCKET}/ns/table/parts");
    let id = ask(&table, "POST", &format!("{target}?uploads"), &[], b"").await.element("UploadId").unwrap();
    let part = ask(&table, "PUT", &format!("{target}?partNumber=1&uploadId={id}"), &[], b"part").await;
    let document = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{}</ETag></Part></CompleteMultipartUpload>",
        part.etag().unwrap()
    );
    let done = ask(&table, "POST", &format!("{target}?uploadId={id}"), &[], document.as_bytes()).await;
    assert_eq!(done.status, 200, "{}", done.text());
    // A presigned URL carries the token in its query.
    let url = table.object("GET", BUCKET, "ns/table/parts").presigned(60).build();
    assert_eq!(table.send(&url).await.unwrap().body, b"part");
    assert_eq!(table.delete(BUCKET, "ns/table/parts").await.unwrap().status, 204);
}

#[tokio::test]
async fn outside_of_the_table() {
    let product = product().await;
    fill(&product).await;
    let uploads = ask(&product.client(), "POST", &format!("/{BUCKET}/ns/table/x?uploads"), &[], b"").await;
    let id = uploads.element("UploadId").unwrap();
    let table = table(&product).await;
    let inside = [("x-amz-copy-source", "/local-iceberg-test/ns/table/data")];
    let outside = [("x-amz-copy-source", "/local-iceberg-test/ns/table2/data")];
    let elsewhere = [("x-amz-copy-source", "local-rocksdb-test%2Fns%2Ftable%2Fdata")];
    let version = [("x-amz-copy-source", "/local-iceberg-test/ns/table2/data?versionId=null")];
    let tagged = [("x-amz-tagging", "a=b")];
    let tags: &[u8] = b"<Tagging><TagSet/></Tagging>";
    let before = product.seen();
    let bucket = |rest: &str| format!("/{BUCKET}{rest}");
    for (method, target, headers, body) in [
        ("GET", bucket("/ns/table2/data"), &[][..], &b""[..]),
        ("GET", bucket("/ns/table"), &[], b""),
        ("GET", bucket("/data"), &[], b""),
        ("GET", bucket("/data?versionId=null"), &[], b""),
        ("GET", format!("/{FLINK}/ns/table/data"), &[], b""),
        ("PUT", bucket("/ns/table2/new"), &[], b"x"),
        ("PUT", bucket("/ns/table/new"), &tagged, b"x"),
        ("DELETE", bucket("/ns/table2/data"), &[], b""),
        ("DELETE", bucket("/ns/table/data?versionId=null"), &[], b""),
        ("GET", bucket("?list-type=2"), &[], b""),
        ("GET", bucket("?list-type=2&prefix="), &[], b""),
        ("GET", bucket("?list-type=2&prefix=ns%2F"), &[], b""),
        ("GET", bucket("?list-type=2&prefix=ns%2Ftable"), &[], b""),
        ("GET", bucket("?list-type=2&prefix=ns%2Ftable2%2F"), &[], b""),
        ("GET", bucket("?prefix=ns%2Ftable2%2F&marker=ns%2Ftable%2F"), &[], b""),
        ("GET", bucket("?versions&prefix=ns%2Ftable%2F"), &[], b""),
        ("GET", bucket("?uploads&prefix=ns%2Ftable%2F"), &[], b""),
        ("GET", bucket("?versioning"), &[], b""),
        ("GET", bucket("?acl"), &[], b""),
        ("GET", bucket("?policy"), &[], b""),
        ("GET", "/".into(), &[], b""),
        ("GET", format!("/{FLINK}?location"), &[], b""),
        ("GET", bucket("/ns/table/data?tagging"), &[], b""),
        ("PUT", bucket("/ns/table/data?tagging"), &[], tags),
        ("DELETE", bucket("/ns/table/data?tagging"), &[], b""),
        ("GET", bucket("/ns/table/data?acl"), &[], b""),
        ("PUT", bucket("/ns/table/copy"), &outside, b""),
        ("PUT", bucket("/ns/table/copy"), &elsewhere, b""),
        ("PUT", bucket("/ns/table/copy"), &version, b""),
        ("PUT", bucket("/ns/table2/copy"), &inside, b""),
        ("POST", bucket("/ns/table2/new?uploads"), &[], b""),
        ("PUT", format!("/{BUCKET}/ns/table2/x?partNumber=1&uploadId={id}"), &[], b"x"),
        ("PUT", format!("/{BUCKET}/ns/table/x?partNumber=1&uploadId={id}"), &outside, b""),
        ("POST", format!("/{BUCKET}/ns/table2/x?uploadId={id}"), &[], b"<CompleteMultipartUpload/>"),
        // Polaris does not give these two.
        ("DELETE", format!("/{BUCKET}/ns/table/x?uploadId={id}"), &[], b""),
        ("GET", format!("/{BUCKET}/ns/table/x?uploadId={id}"), &[], b""),
        ("PUT", "/new-bucket".into(), &[], b""),
        ("DELETE", bucket(""), &[], b""),
    ] {
        let answer = ask(&table, method, &target, headers, body).await;
        assert_refused(&answer, 403, "AccessDenied", &format!("{method} {target} {headers:?}"));
    }
    assert_eq!(table.head(BUCKET, "ns/table2/data").await.unwrap().status, 403);
    // Nobody resolves such a path: it begins with the table's prefix, and names an object that cannot be.
    for path in ["/ns/table/../../data", "/ns/tabl%65/..%2F..%2Fdata", "/ns/table/%2e%2e/data"] {
        assert_eq!(ask(&table, "GET", &bucket(path), &[], b"").await.status, 404, "{path}");
    }
    let head = table.request("HEAD", &format!("/{BUCKET}")).build();
    assert_eq!(table.send(&head).await.unwrap().status, 403);
    product.assert_no_call_since(&before, "outside of the table");
}

#[tokio::test]
async fn each_entry_of_a_delete_is_judged() {
    let product = product().await;
    fill(&product).await;
    let table = table(&product).await;
    let entry = |key: &str| format!("<Object><Key>{key}</Key></Object>");
    let outside = ["ns/table2/data", "data", "ns/table"].map(entry).concat();
    let document = format!("<Delete><Quiet>true</Quiet>{outside}</Delete>");
    let before = product.seen();
    let answer = ask(&table, "POST", &format!("/{BUCKET}?delete"), &[], document.as_bytes()).await;
    assert_eq!(answer.elements("Code"), ["AccessDenied"; 3], "{}", answer.text());
    product.assert_no_commit_since(&before, "outside");
    let document = format!("<Delete>{}{outside}</Delete>", entry("ns/table/data"));
    let answer = ask(&table, "POST", &format!("/{BUCKET}?delete"), &[], document.as_bytes()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.elements("Deleted"), ["<Key>ns/table/data</Key>"], "{}", answer.text());
    assert_eq!(answer.elements("Code"), ["AccessDenied"; 3], "{}", answer.text());
    assert_eq!(product.client().list(BUCKET, "").await.unwrap().elements("Key"), ["data", "ns/table2/data"]);
}

const EVERYTHING: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;

#[tokio::test]
async fn no_policy_gives_what_the_key_pair_has_not() {
    let read = Verbs { read: true, write: false, delete: false, list: false };
    let pairs = vec![
        Pair::all(ACCESS_KEY, SECRET),
        Pair::all("AKREADER", "a secret that is long enough").may(read).only(&[BUCKET]),
    ];
    let product = with(Setup { pairs, ..Setup::default() }).await;
    fill(&product).await;
    let asking = Credentials { service: "sts", ..Credentials::new("AKREADER", "a secret that is long enough") };
    let asking = sts(&product).with_credentials(asking);
    for policy in [EVERYTHING, TABLE_POLICY] {
        let session = credentials_by(&product, &asking, policy).await;
        let session = product.client().with_credentials(session);
        assert_eq!(session.get(BUCKET, "ns/table/data").await.unwrap().status, 200, "{policy}");
        let before = product.seen();
        for answer in [
            session.put(BUCKET, "ns/table/data", b"x").await.unwrap(),
            session.delete(BUCKET, "ns/table/data").await.unwrap(),
            session.list(BUCKET, "prefix=ns%2Ftable%2F").await.unwrap(),
            session.get(FLINK, "ns/table/data").await.unwrap(),
            ask(&session, "POST", &format!("/{BUCKET}/ns/table/x?uploads"), &[], b"").await,
        ] {
            assert_refused(&answer, 403, "AccessDenied", policy);
        }
        product.assert_no_call_since(&before, policy);
    }
}

#[tokio::test]
async fn a_deny_outweighs_and_what_is_not_understood_allows_nothing() {
    let product = product().await;
    fill(&product).await;
    let allow = |rest: &str| format!(r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow",{rest}}}]}}"#);
    let everything_but = |rest: &str| {
        EVERYTHING
            .replace(":{\"Effect", ":[{\"Effect")
            .replace("\"*\"}}", &format!("\"*\"}},{{\"Effect\":\"Deny\",{rest}}}]}}"))
    };
    let secret = r#""Action":"s3:GetObject","Resource":"arn:aws:s3:::local-iceberg-test/ns/table2/*""#;
    let weather = r#""Condition":{"StringLike":{"aws:Weather":"rain"}}"#;
    for (policy, table, beside) in [
        (EVERYTHING.to_owned(), 200, 200),
        (everything_but(secret), 200, 403),
        (everything_but(&format!("{secret},{weather}")), 200, 403),
        (everything_but(r#""Action":"s3:GetObject","Resource":"arn:aws:s3:::${aws:username}/*""#), 403, 403),
        (everything_but(r#""NotAction":"s3:ListBucket","Resource":"*""#), 403, 403),
        (allow(&format!(r#""Action":"*","Resource":"*",{weather}"#)), 403, 403),
        (allow(r#""Action":"*","NotResource":"arn:aws:s3:::local-iceberg-test/ns/table2/*""#), 200, 403),
        (allow(r#""NotAction":"s3:Get*","Resource":"*""#), 403, 403),
        (allow(r#""Action":"s3:Fly","Resource":"*""#), 403, 403),
        (allow(r#""Action":"s3:GetObject""#), 403, 403),
    ] {
        let session = product.client().with_credentials(credentials(&product, &policy).await);
        for (key, status) in [("ns/table/data", table), ("ns/table2/data", beside)] {
            let answer = session.get(BUCKET, key).await.unwrap();
            assert_eq!(answer.status, status, "{key} by {policy}: {}", answer.text());
        }
    }
}
