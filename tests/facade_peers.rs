//! What other facades in front of Blob Storage got wrong, each as its users reported it: data lost, mixed or kept where
//! it should have gone. Cases that stand with their operation (ETags, ranges, conditions, races of uploads) are in
//! `facade_operations`, `multipart_schedules` and `races_conditional`.

#[path = "harness/harness.rs"]
mod harness;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bluebucket::emulator::EmulatorConfig;
use harness::hash;
use harness::product::{BUCKET, Product, Setup};
use harness::random::{Random, seed};
use harness::s3_client::{BodyMode, Response, S3Client};

const MIB: usize = 1 << 20;
/// The smallest part that is not the last.
const PART: usize = 5 * MIB;

/// Bytes without a short period, other ones for each `salt`.
fn bytes(length: usize, salt: usize) -> Vec<u8> {
    (0..length).map(|index| (index * 31 + index / 251 + index / 65_537 + salt * 7) as u8).collect()
}

async fn ask(client: &S3Client, method: &str, target: &str, body: &[u8]) -> Response {
    let answer = client.send(&client.request(method, target).body(body, BodyMode::Unsigned).build()).await.unwrap();
    assert!(answer.status < 500, "{method} {target}: {} {}", answer.status, answer.text());
    answer
}

async fn begin(client: &S3Client, key: &str) -> String {
    ask(client, "POST", &format!("/{BUCKET}/{key}?uploads"), b"").await.element("UploadId").unwrap()
}

async fn part(client: &S3Client, key: &str, id: &str, number: usize, content: &[u8]) -> String {
    let target = format!("/{BUCKET}/{key}?partNumber={number}&uploadId={id}");
    let answer = ask(client, "PUT", &target, content).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.etag().unwrap().to_owned()
}

async fn complete(client: &S3Client, key: &str, id: &str, etags: &[String]) -> Response {
    let part = |(index, etag): (usize, &String)| {
        format!("<Part><PartNumber>{}</PartNumber><ETag>{etag}</ETag></Part>", index + 1)
    };
    let parts: String = etags.iter().enumerate().map(part).collect();
    let document = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
    ask(client, "POST", &format!("/{BUCKET}/{key}?uploadId={id}"), document.as_bytes()).await
}

async fn upload(client: &S3Client, key: &str, parts: &[Vec<u8>]) -> Response {
    let id = begin(client, key).await;
    let mut etags = Vec::new();
    for (index, content) in parts.iter().enumerate() {
        etags.push(part(client, key, &id, index + 1, content).await);
    }
    complete(client, key, &id, &etags).await
}

/// Committing a blob discards the blocks that others staged on it: a PUT in the middle of an upload must not.
#[tokio::test]
async fn a_write_during_an_open_upload_costs_it_nothing() {
    let product = Product::start().await;
    let client = product.client();
    let (first, last) = (bytes(PART, 1), bytes(100, 2));
    for between in ["put", "put of many blocks", "delete", "copy", "tags", "another upload"] {
        client.put(BUCKET, "key", b"before").await.unwrap();
        client.put(BUCKET, "source", b"source").await.unwrap();
        let id = begin(&client, "key").await;
        let mut etags = vec![part(&client, "key", &id, 1, &first).await];
        match between {
            "put" => drop(client.put(BUCKET, "key", b"between").await.unwrap()),
            "put of many blocks" => drop(client.put(BUCKET, "key", &bytes(9 * MIB, 3)).await.unwrap()),
            "delete" => drop(client.delete(BUCKET, "key").await.unwrap()),
            "copy" => {
                let copy = client.object("PUT", BUCKET, "key").header("x-amz-copy-source", "local-rocksdb-test/source");
                assert_eq!(client.send(&copy.build()).await.unwrap().status, 200);
            }
            "tags" => {
                let tags = b"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>";
                ask(&client, "PUT", &format!("/{BUCKET}/key?tagging"), tags).await;
            }
            _ => assert_eq!(upload(&client, "key", &[bytes(PART, 4), bytes(1, 5)]).await.status, 200),
        }
        etags.push(part(&client, "key", &id, 2, &last).await);
        let done = complete(&client, "key", &id, &etags).await;
        assert_eq!(done.status, 200, "{between}: {}", done.text());
        assert!(client.get(BUCKET, "key").await.unwrap().body == [first.as_slice(), &last].concat(), "{between}");
    }
}

/// Blocks of the version before stay uncommitted, or the object grows with every overwrite.
#[tokio::test]
async fn an_overwritten_object_does_not_grow() {
    let product = Product::start().await;
    let client = product.client();
    for round in 0..3 {
        let parts: Vec<_> =
            (0..4).map(|index| bytes(if index == 3 { 1_000 } else { PART }, round * 10 + index)).collect();
        assert_eq!(upload(&client, "key", &parts).await.status, 200);
        let got = client.get(BUCKET, "key").await.unwrap();
        assert!(got.body == parts.concat(), "round {round}: {} bytes", got.body.len());
        let length = client.head(BUCKET, "key").await.unwrap().header("content-length").unwrap().to_owned();
        assert_eq!(length, got.body.len().to_string());
        let listed = client.list(BUCKET, "").await.unwrap();
        assert_eq!(listed.elements("Size"), [length]);
    }
    // And it shrinks again.
    client.put(BUCKET, "key", b"small").await.unwrap();
    assert_eq!(client.get(BUCKET, "key").await.unwrap().body, b"small");
}

/// Lengths beside every boundary of buffers and blocks, which were corrupt elsewhere.
#[tokio::test]
async fn lengths_beside_the_boundaries() {
    let product = Product::start().await;
    let client = product.client();
    let mut boundaries = vec![64 << 10, 128 << 10, MIB, 4 * MIB, 8 * MIB, 16 * MIB];
    if std::env::var_os("BLUEBUCKET_FULL").is_some() {
        boundaries.extend([100 * MIB, 230_000 << 10, 256 * MIB]);
    }
    for length in boundaries.into_iter().flat_map(|length| [length - 1, length, length + 1]) {
        let content = bytes(length, 0);
        let put = client.send(&client.object("PUT", BUCKET, "key").body(&content, BodyMode::Unsigned).build()).await;
        let put = put.unwrap();
        assert_eq!((put.status, put.etag()), (200, Some(hash::hex(&hash::md5(&content)).as_str())), "{length}");
        let got = client.get(BUCKET, "key").await.unwrap();
        assert!(!got.cut && got.body == content, "{length}: {} bytes", got.body.len());
        let tail = client.object("GET", BUCKET, "key").header("range", "bytes=-1").build();
        assert_eq!(client.send(&tail).await.unwrap().body, content[length - 1..], "{length}");
    }
}

/// A read that looks at the blob twice may see two versions of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_read_mixes_two_versions() {
    let product = Product::start().await;
    let client = product.client();
    let lengths = [3 * MIB, 3 * MIB, MIB];
    client.put(BUCKET, "key", &vec![0; lengths[0]]).await.unwrap();
    let done = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..6)
        .map(|reader| {
            let (client, done) = (client.clone(), done.clone());
            tokio::spawn(async move {
                let (mut random, mut reads) = (Random::new(seed("no_read_mixes_two_versions") + reader), 0);
                while !done.load(Ordering::Relaxed) {
                    let first = random.below(MIB as u64);
                    let range = [String::new(), format!("bytes={first}-"), format!("bytes=-{}", first + 1)];
                    let range = random.pick(&range).clone();
                    let request = client.object("GET", BUCKET, "key");
                    let request = if range.is_empty() { request } else { request.header("range", &range) };
                    let got = client.send(&request.build()).await.unwrap();
                    assert!(matches!(got.status, 200 | 206), "{range}: {}", got.text());
                    let pattern = got.body[0];
                    assert!(got.body.iter().all(|byte| *byte == pattern), "{range}: two versions in one read");
                    let whole: usize = match got.header("content-range") {
                        Some(range) => range.rsplit_once('/').unwrap().1.parse().unwrap(),
                        None => got.body.len(),
                    };
                    assert_eq!(whole, lengths[usize::from(pattern) % 3], "{range}: the length is of another version");
                    assert!(!got.cut || got.status == 0, "{range}: a read was cut");
                    reads += 1;
                }
                reads
            })
        })
        .collect();
    for version in 1..40_u8 {
        let content = vec![version; lengths[usize::from(version) % 3]];
        assert_eq!(client.put(BUCKET, "key", &content).await.unwrap().status, 200);
    }
    done.store(true, Ordering::Relaxed);
    for reader in readers {
        assert!(reader.await.unwrap() > 0);
    }
}

/// Nothing of ours is ever shown, and nothing of a client's is taken for ours, whatever it is called.
#[tokio::test]
async fn names_like_our_own_are_names_like_any_other() {
    let product = Product::start().await;
    let client = product.client();
    let names = [
        "bluebucket",
        "bluebucket-state",
        "upload!a!b!c",
        "part!x!1",
        "done!a!b",
        "ranges!x",
        "record.json",
        "$root",
        "_$folder$",
        ".bluebucket/tmp",
        "00000000-0000-0000-0000-000000000000",
        "a/hdi_isfolder",
        "key.part.1",
    ];
    for name in names {
        assert_eq!(client.put(BUCKET, name, name.as_bytes()).await.unwrap().status, 200, "{name}");
    }
    let id = begin(&client, "open").await;
    part(&client, "open", &id, 1, &bytes(PART, 1)).await;
    let mut expected = names.to_vec();
    expected.sort_unstable();
    assert_eq!(client.list(BUCKET, "").await.unwrap().elements("Key"), expected);
    assert_eq!(ask(&client, "GET", "/", b"").await.elements("Name").len(), 2);
    for name in names {
        assert_eq!(client.get(BUCKET, name).await.unwrap().body, name.as_bytes(), "{name}");
        assert_eq!(client.delete(BUCKET, name).await.unwrap().status, 204, "{name}");
    }
    assert!(client.list(BUCKET, "").await.unwrap().elements("Key").is_empty());
    // The open upload has not been hurt by any of that.
    let uploads = ask(&client, "GET", &format!("/{BUCKET}?uploads"), b"").await;
    assert_eq!(uploads.elements("UploadId"), [id]);
}

/// Whatever an upload leaves behind where it is given up, the next one of the same key goes through.
#[tokio::test]
async fn an_upload_given_up_anywhere_blocks_no_other() {
    let product = Product::start().await;
    let client = product.client();
    for given_up in ["begun", "one part", "half a part", "aborted", "refused", "left"] {
        let id = begin(&client, "key").await;
        let target = format!("/{BUCKET}/key?uploadId={id}");
        match given_up {
            "begun" => {}
            "half a part" => {
                let body = bytes(PART, 1);
                let part = client.request("PUT", &format!("/{BUCKET}/key?partNumber=1&uploadId={id}"));
                client.send_and_leave(&part.body(&body, BodyMode::Unsigned).build(), PART / 2).await.unwrap();
            }
            _ => drop(part(&client, "key", &id, 1, &bytes(PART, 1)).await),
        }
        match given_up {
            "aborted" => assert_eq!(ask(&client, "DELETE", &target, b"").await.status, 204),
            "refused" => assert_eq!(complete(&client, "key", &id, &["0".repeat(32)]).await.status, 400),
            _ => {}
        }
        // Other parts, of other lengths.
        let parts = [bytes(PART + 1, 2), bytes(PART + 77, 3), bytes(1, 4)];
        assert_eq!(upload(&client, "key", &parts).await.status, 200, "{given_up}");
        assert!(client.get(BUCKET, "key").await.unwrap().body == parts.concat(), "{given_up}");
        client.put(BUCKET, "key", b"over").await.unwrap();
        assert_eq!(client.get(BUCKET, "key").await.unwrap().body, b"over", "{given_up}");
    }
}

/// Complete sent twice at once, as a client does that lost patience: one object, one answer.
#[tokio::test]
async fn two_completes_at_once_are_one() {
    let product = Product::start().await;
    let client = product.client();
    for round in 0..10 {
        let id = begin(&client, "key").await;
        let content = [bytes(PART, round), bytes(10, round)];
        let mut etags = Vec::new();
        for (index, content) in content.iter().enumerate() {
            etags.push(part(&client, "key", &id, index + 1, content).await);
        }
        let both =
            futures::future::join(complete(&client, "key", &id, &etags), complete(&client, "key", &id, &etags)).await;
        assert_eq!((both.0.status, both.1.status), (200, 200), "{} {}", both.0.text(), both.1.text());
        assert_eq!(both.0.element("ETag"), both.1.element("ETag"));
        let third = complete(&client, "key", &id, &etags).await;
        assert_eq!(third.element("ETag"), both.0.element("ETag"), "{}", third.text());
        assert!(client.get(BUCKET, "key").await.unwrap().body == content.concat());
    }
}

/// Pages of the account that are empty and go on are no end.
#[tokio::test]
async fn empty_pages_hide_nothing() {
    let emulator =
        EmulatorConfig { empty_page_every: Some(2), page_max: 3, event_log: true, ..EmulatorConfig::default() };
    let product = Product::with(Setup { emulator, ..Setup::default() }).await;
    let client = product.client();
    let mut keys: Vec<String> = (0..40).map(|index| format!("{}/{index}", index % 5)).collect();
    keys.sort();
    for key in &keys {
        client.put(BUCKET, key, b"x").await.unwrap();
    }
    for (query, expected, element) in [
        ("", keys.clone(), "Key"),
        ("max-keys=1", keys.clone(), "Key"),
        ("max-keys=7", keys, "Key"),
        ("delimiter=%2F&max-keys=2", (0..5).map(|index| format!("{index}/")).collect(), "Prefix"),
    ] {
        let (mut found, mut token) = (Vec::new(), String::new());
        loop {
            let next = if token.is_empty() { String::new() } else { format!("&continuation-token={token}") };
            let page = client.list(BUCKET, &format!("{query}{next}")).await.unwrap();
            assert_eq!(page.status, 200, "{query}: {}", page.text());
            let entries: Vec<_> = page.elements(element).into_iter().filter(|entry| !entry.is_empty()).collect();
            let truncated = page.element("IsTruncated").as_deref() == Some("true");
            assert!(!truncated || !entries.is_empty(), "{query}: an empty page that goes on");
            found.extend(entries);
            match page.element("NextContinuationToken") {
                Some(next) if truncated => token = next,
                _ => break,
            }
        }
        assert_eq!(found, expected, "{query}");
    }
}
