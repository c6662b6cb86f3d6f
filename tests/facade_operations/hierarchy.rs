//! What is particular to accounts with a hierarchical namespace.

use crate::harness::product::{BUCKET, Product};
use crate::harness::s3_client::{Response, S3Client};
use crate::{ask, assert_refused, assert_status, bytes, send};

async fn list(client: &S3Client, query: &str) -> (Vec<String>, Vec<String>) {
    let page = client.list(BUCKET, query).await.unwrap();
    assert_status(&page, 200, query);
    let prefix = |text: &String| text.strip_prefix("<Prefix>")?.strip_suffix("</Prefix>").map(str::to_owned);
    (page.elements("Key"), page.elements("CommonPrefixes").iter().filter_map(prefix).collect())
}

fn texts(entries: &[&str]) -> Vec<String> {
    entries.iter().map(|entry| entry.to_string()).collect()
}

async fn put(client: &S3Client, key: &str) {
    assert_status(&client.put(BUCKET, key, key.as_bytes()).await.unwrap(), 200, key);
}

async fn delete(client: &S3Client, key: &str) {
    assert_status(&client.delete(BUCKET, key).await.unwrap(), 204, key);
}

#[tokio::test]
async fn directories_are_no_objects() {
    let product = Product::start().await;
    let client = product.client();
    put(&client, "a/b/c").await;
    product.data_lake().make_directory("empty/deep").await;
    for key in ["a", "a/b", "empty", "empty/deep"] {
        for range in [None, Some(("range", "bytes=0-1"))] {
            let got = ask(&client, "GET", &format!("/{BUCKET}/{key}"), range.as_slice()).await;
            assert_refused(&got, 404, "NoSuchKey", key);
        }
        assert_status(&client.head(BUCKET, key).await.unwrap(), 404, key);
        let copy = [("x-amz-copy-source", format!("/{BUCKET}/{key}"))];
        let copy = copy.each_ref().map(|(name, value)| (*name, value.as_str()));
        assert_refused(&ask(&client, "PUT", &format!("/{BUCKET}/copy"), &copy).await, 404, "NoSuchKey", key);
        assert_refused(&ask(&client, "GET", &format!("/{BUCKET}/{key}?tagging"), &[]).await, 404, "NoSuchKey", key);
        // Deleting what is no object does nothing, also to an empty directory.
        delete(&client, key).await;
        delete(&client, &format!("{key}/")).await;
    }
    assert!(product.data_lake().read("empty/deep").await.is_some());
    assert_eq!(list(&client, "").await, (texts(&["a/b/c"]), vec![]));
    assert_eq!(list(&client, "delimiter=/").await, (vec![], texts(&["a/"])));
    assert_eq!(list(&client, "delimiter=/&prefix=a/").await, (vec![], texts(&["a/b/"])));
    assert_eq!(list(&client, "delimiter=/&prefix=a/b/c/d").await, (vec![], vec![]));
    // What remains of a directory once its keys are gone is not shown.
    delete(&client, "a/b/c").await;
    assert_eq!(list(&client, "delimiter=/").await, (vec![], vec![]));
    assert_eq!(list(&client, "").await, (vec![], vec![]));
}

#[tokio::test]
async fn markers_of_directories() {
    let product = Product::start().await;
    let client = product.client();
    for (key, content) in [("a/b/", &b""[..]), ("d/", b"with bytes"), ("a/b/c/", b"")] {
        let put = send(&client, "PUT", &format!("/{BUCKET}/{key}"), &[("x-amz-meta-a", "1")], content).await;
        assert_status(&put, 200, key);
        let got = client.get(BUCKET, key).await.unwrap();
        assert_eq!((got.status, got.body.as_slice(), got.header("x-amz-meta-a")), (200, content, Some("1")), "{key}");
        assert_eq!(got.etag(), put.etag(), "{key}");
        assert_status(&client.head(BUCKET, key).await.unwrap(), 200, key);
        assert_status(&client.head(BUCKET, key.trim_end_matches('/')).await.unwrap(), 404, key);
    }
    put(&client, "a/b/!first").await;
    put(&client, "a/b/x").await;
    assert_eq!(list(&client, "").await, (texts(&["a/b/", "a/b/!first", "a/b/c/", "a/b/x", "d/"]), vec![]));
    assert_eq!(list(&client, "delimiter=/").await, (vec![], texts(&["a/", "d/"])));
    let below = (texts(&["a/b/", "a/b/!first", "a/b/x"]), texts(&["a/b/c/"]));
    assert_eq!(list(&client, "delimiter=/&prefix=a/b/").await, below);
    assert_eq!(list(&client, "prefix=a/b/&max-keys=1").await, (texts(&["a/b/"]), vec![]));
    assert_eq!(list(&client, "start-after=a/b/&max-keys=1").await, (texts(&["a/b/!first"]), vec![]));
    // Written once only, if so wished; then replaced, copied, deleted.
    let twice = send(&client, "PUT", &format!("/{BUCKET}/d/"), &[("if-none-match", "*")], b"").await;
    assert_refused(&twice, 412, "PreconditionFailed", "if-none-match");
    let copied =
        ask(&client, "PUT", &format!("/{BUCKET}/e/"), &[("x-amz-copy-source", &format!("/{BUCKET}/d/"))]).await;
    assert_status(&copied, 200, "copy");
    assert_eq!(client.get(BUCKET, "e/").await.unwrap().body, b"with bytes");
    for key in ["a/b/", "d/", "e/", "a/b/c/"] {
        delete(&client, key).await;
    }
    assert_eq!(list(&client, "").await, (texts(&["a/b/!first", "a/b/x"]), vec![]));
    // The name of the file behind a marker is nobody's key.
    assert_refused(&client.put(BUCKET, "d/.bluebucket", b"").await.unwrap(), 400, "InvalidArgument", "reserved");
    assert_status(&client.get(BUCKET, "a/b/.bluebucket").await.unwrap(), 404, "reserved");
}

#[tokio::test]
async fn a_name_is_one_thing_only() {
    let product = Product::start().await;
    let client = product.client();
    put(&client, "file").await;
    put(&client, "dir/key").await;
    let refused = |response: &Response, context: &str| {
        assert_refused(response, 409, "OperationAborted", context);
        assert!(response.text().contains("hierarchical namespace"), "{}", response.text());
    };
    let large = bytes(2 << 20);
    for content in [&b"small"[..], &large] {
        refused(&client.put(BUCKET, "file/below", content).await.unwrap(), "below a file");
        refused(&client.put(BUCKET, "file/", content).await.unwrap(), "marker of a file");
        refused(&client.put(BUCKET, "dir", content).await.unwrap(), "over a directory");
        let once = [("if-none-match", "*")];
        refused(&send(&client, "PUT", &format!("/{BUCKET}/dir"), &once, content).await, "over it, if absent");
    }
    let source = format!("/{BUCKET}/file");
    let copy = [("x-amz-copy-source", source.as_str())];
    refused(&ask(&client, "PUT", &format!("/{BUCKET}/dir"), &copy).await, "copy");
    for key in ["dir", "file/below"] {
        let complete = upload(&client, key, &[b"part"]).await;
        refused(&complete, "complete");
    }
    assert_eq!(list(&client, "").await.0, ["dir/key", "file"]);
    assert_eq!(client.get(BUCKET, "file").await.unwrap().body, b"file");
    // Keys that such an account would take for others.
    for key in ["a//b", "/a", "dir//key", "file//"] {
        assert_refused(&client.put(BUCKET, key, b"x").await.unwrap(), 400, "InvalidArgument", key);
        assert_refused(&client.get(BUCKET, key).await.unwrap(), 404, "NoSuchKey", key);
        delete(&client, key).await;
    }
    assert_eq!(list(&client, "").await.0, ["dir/key", "file"]);
}

#[tokio::test]
async fn empty_directories_give_way() {
    let product = Product::start().await;
    let client = product.client();
    let large = bytes(2 << 20);
    for (round, content) in [&b"small"[..], &large].into_iter().enumerate() {
        let key = format!("a{round}");
        for once in [false, true] {
            put(&client, &format!("{key}/b/c/d")).await;
            put(&client, &format!("{key}/e")).await;
            delete(&client, &format!("{key}/b/c/d")).await;
            delete(&client, &format!("{key}/e")).await;
            let condition = [("if-none-match", "*")];
            let headers = if once { &condition[..] } else { &[] };
            let put = send(&client, "PUT", &format!("/{BUCKET}/{key}"), headers, content).await;
            assert_status(&put, 200, &key);
            assert!(client.get(BUCKET, &key).await.unwrap().body == content);
            delete(&client, &key).await;
        }
    }
    product.data_lake().make_directory("m/n").await;
    assert_status(&upload(&client, "m", &[b"part"]).await, 200, "complete");
    product.data_lake().make_directory("o/p").await;
    let source = format!("/{BUCKET}/m");
    let copied = ask(&client, "PUT", &format!("/{BUCKET}/o"), &[("x-amz-copy-source", source.as_str())]).await;
    assert_status(&copied, 200, "copy");
    assert_eq!(list(&client, "").await.0, ["m", "o"]);
}

#[tokio::test]
async fn files_of_native_clients() {
    let product = Product::start().await;
    let client = product.client();
    let native = product.data_lake();
    native.write("dir/native", b"by a native client").await;
    let got = client.get(BUCKET, "dir/native").await.unwrap();
    assert_eq!(got.body, b"by a native client");
    assert!(got.etag().unwrap().ends_with("-1"), "{:?}", got.etag());
    assert_eq!(list(&client, "").await.0, ["dir/native"]);
    assert_status(&client.put(BUCKET, "dir/native", b"by a client").await.unwrap(), 200, "overwritten");
    assert_eq!(native.read("dir/native").await.as_deref(), Some(&b"by a client"[..]));

    // Uploads of several parts, also of no bytes, replace files that take no blocks.
    let large = bytes(5 << 20);
    for parts in [&[large.as_slice(), b"end"][..], &[b""], &[b"only"]] {
        for round in ["new", "native"] {
            native.delete("dir/native", true).await;
            if round == "native" {
                native.write("dir/native", b"in the way").await;
            }
            let done = upload(&client, "dir/native", parts).await;
            assert_status(&done, 200, round);
            let got = client.get(BUCKET, "dir/native").await.unwrap();
            assert!(got.body == parts.concat(), "{round}");
            assert_eq!(Some(got.header("etag").unwrap().replace('"', "&quot;")), done.element("ETag"), "{round}");
            assert!(got.etag().unwrap().ends_with(&format!("-{}", parts.len())), "{round}");
        }
    }
    let condition = upload_with(&client, "dir/native", &[b"x"], &[("if-none-match", "*")]).await;
    assert_refused(&condition, 412, "PreconditionFailed", "complete");
    // Nothing of it is left in the state container but results.
    let left: Vec<_> = ask(&client, "GET", &format!("/{BUCKET}?uploads"), &[]).await.elements("UploadId");
    assert_eq!(left.len(), 1, "the refused upload is still there");

    native.write("dir/other", b"moved by a rename").await;
    native.rename("dir", "moved").await;
    assert_eq!(list(&client, "").await.0, ["moved/native", "moved/other"]);
    assert_eq!(client.get(BUCKET, "moved/other").await.unwrap().body, b"moved by a rename");
    assert_eq!(native.delete("moved", false).await, 409);
    assert_eq!(native.delete("moved", true).await, 200);
    assert!(list(&client, "").await.0.is_empty());
}

/// Directories without keys cost requests and no pages.
#[tokio::test]
async fn many_empty_directories() {
    let product = Product::start().await;
    let client = product.client();
    for index in 0..150 {
        product.data_lake().make_directory(&format!("d{index:03}/deep/deeper")).await;
    }
    for query in ["delimiter=/", "delimiter=/&max-keys=1", "", "max-keys=1", "delimiter=-"] {
        let page = client.list(BUCKET, query).await.unwrap();
        assert_eq!((page.status, page.element("IsTruncated").as_deref()), (200, Some("false")), "{query}");
        assert!(page.elements("Key").is_empty() && page.elements("CommonPrefixes").is_empty(), "{query}");
    }
    put(&client, "d149/deep/key").await;
    put(&client, "d000/deep/deeper/key").await;
    for (query, keys, prefixes) in [
        ("delimiter=/&max-keys=2", &[][..], &["d000/", "d149/"][..]),
        ("delimiter=/&start-after=d000/", &[], &["d149/"]),
        ("delimiter=/&start-after=d000/", &[], &["d149/"]),
        ("start-after=d000/zzz", &["d149/deep/key"], &[]),
        ("", &["d000/deep/deeper/key", "d149/deep/key"], &[]),
    ] {
        assert_eq!(list(&client, query).await, (texts(keys), texts(prefixes)), "{query}");
    }
}

async fn upload(client: &S3Client, key: &str, parts: &[&[u8]]) -> Response {
    upload_with(client, key, parts, &[]).await
}

async fn upload_with(client: &S3Client, key: &str, parts: &[&[u8]], headers: &[(&str, &str)]) -> Response {
    let created = ask(client, "POST", &format!("/{BUCKET}/{key}?uploads"), &[]).await;
    assert_status(&created, 200, "create");
    let id = created.element("UploadId").unwrap();
    let mut document = String::from("<CompleteMultipartUpload>");
    for (number, content) in (1..).zip(parts) {
        let target = format!("/{BUCKET}/{key}?partNumber={number}&uploadId={id}");
        let part = send(client, "PUT", &target, &[], content).await;
        assert_status(&part, 200, "part");
        let etag = part.header("etag").unwrap().replace('"', "&quot;");
        document.push_str(&format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"));
    }
    document.push_str("</CompleteMultipartUpload>");
    send(client, "POST", &format!("/{BUCKET}/{key}?uploadId={id}"), headers, document.as_bytes()).await
}
