//! ListObjects in both versions.

use std::collections::BTreeSet;

use crate::harness::percent;
use crate::harness::product::{BUCKET, Product};
use crate::harness::random;
use crate::harness::s3_client::{Response, S3Client};
use crate::{ask, assert_refused, assert_status};

async fn fill(client: &S3Client, keys: &[&str]) {
    for key in keys {
        assert_status(&client.put(BUCKET, key, key.as_bytes()).await.unwrap(), 200, key);
    }
}

async fn list(client: &S3Client, query: &str) -> Response {
    let response = client.list(BUCKET, query).await.unwrap();
    assert_status(&response, 200, query);
    response
}

/// Keys and folded prefixes of a page.
fn entries(page: &Response) -> (Vec<String>, Vec<String>) {
    let folded = page.elements("CommonPrefixes").iter().filter_map(|text| between(text)).collect();
    (page.elements("Key"), folded)
}

fn between(text: &str) -> Option<String> {
    Some(text.strip_prefix("<Prefix>")?.strip_suffix("</Prefix>")?.to_owned())
}

#[tokio::test]
async fn pages_of_version_2() {
    let product = Product::start().await;
    let client = product.client();
    let empty = list(&client, "").await;
    assert_eq!((entries(&empty), empty.element("KeyCount").as_deref()), ((vec![], vec![]), Some("0")));

    fill(&client, &["a/1", "a/2", "b", "c/d/1", "c/e", "d"]).await;
    for (query, keys, prefixes) in [
        ("", &["a/1", "a/2", "b", "c/d/1", "c/e", "d"][..], &[][..]),
        ("prefix=a%2F", &["a/1", "a/2"], &[]),
        ("delimiter=%2F", &["b", "d"], &["a/", "c/"]),
        ("delimiter=/&prefix=c/", &["c/e"], &["c/d/"]),
        ("prefix=c/&start-after=c/d/1", &["c/e"], &[]),
        ("start-after=b", &["c/d/1", "c/e", "d"], &[]),
        // A folded prefix counts as one entry, which comes before everything below it.
        ("start-after=a/1&delimiter=/", &["b", "d"], &["c/"]),
        ("start-after=a/&delimiter=/", &["b", "d"], &["c/"]),
        ("start-after=zzz", &[], &[]),
        ("prefix=nothing", &[], &[]),
        ("delimiter=1", &["a/2", "b", "c/e", "d"], &["a/1", "c/d/1"]),
        ("max-keys=0", &[], &[]),
        ("max-keys=5000", &["a/1", "a/2", "b", "c/d/1", "c/e", "d"], &[]),
    ] {
        let page = list(&client, query).await;
        let (found, folded) = entries(&page);
        assert_eq!((found.iter().map(String::as_str).collect::<Vec<_>>().as_slice()), keys, "{query}");
        assert_eq!((folded.iter().map(String::as_str).collect::<Vec<_>>().as_slice()), prefixes, "{query}");
        assert_eq!(page.element("IsTruncated").as_deref(), Some("false"), "{query}");
        assert_eq!(page.element("KeyCount"), Some((keys.len() + prefixes.len()).to_string()), "{query}");
        assert_eq!(page.element("Name").as_deref(), Some(BUCKET), "{query}");
    }
    assert_eq!(list(&client, "max-keys=5000").await.element("MaxKeys").as_deref(), Some("1000"));
    assert_eq!(list(&client, "max-keys=0").await.element("MaxKeys").as_deref(), Some("0"));

    let first = list(&client, "max-keys=2&delimiter=/").await;
    assert_eq!(entries(&first), (vec!["b".into()], vec!["a/".into()]));
    let token = first.element("NextContinuationToken").unwrap();
    let second = list(&client, &format!("max-keys=2&delimiter=/&continuation-token={token}&start-after=zzz")).await;
    assert_eq!(entries(&second), (vec!["d".into()], vec!["c/".into()]));
    assert_eq!(second.element("ContinuationToken"), Some(token));
    assert_eq!(second.element("IsTruncated").as_deref(), Some("false"));
    assert_eq!((second.element("NextContinuationToken"), second.element("StartAfter")), (None, None));

    // One entry at a time finds the same.
    let mut all = Vec::new();
    let mut query = "max-keys=1".to_owned();
    for _ in 0..10 {
        let page = list(&client, &query).await;
        all.extend(page.elements("Key"));
        match page.element("NextContinuationToken") {
            Some(token) => query = format!("max-keys=1&continuation-token={token}"),
            None => break,
        }
    }
    assert_eq!(all, ["a/1", "a/2", "b", "c/d/1", "c/e", "d"]);

    let owner = list(&client, "fetch-owner=true&max-keys=1").await;
    assert!(owner.element("Owner").is_some());
    assert!(list(&client, "max-keys=1").await.element("Owner").is_none());
    let page = list(&client, "prefix=b").await;
    let etag = client.head(BUCKET, "b").await.unwrap().header("etag").unwrap().replace('"', "&quot;");
    assert_eq!(page.element("ETag"), Some(etag));
    assert_eq!(page.element("Size").as_deref(), Some("1"));
    assert_eq!(page.element("StorageClass").as_deref(), Some("STANDARD"));
    assert!(page.element("LastModified").unwrap().ends_with('Z'));
}

#[tokio::test]
async fn pages_of_version_1() {
    let product = Product::start().await;
    let client = product.client();
    fill(&client, &["a/1", "a/2", "b", "c"]).await;
    // The presto plugin of Flink lists so, with a slash after the bucket.
    let page =
        ask(&client, "GET", &format!("/{BUCKET}/?delimiter=%2F&max-keys=1&encoding-type=url&prefix="), &[]).await;
    assert_eq!(entries(&page), (vec![], vec!["a/".into()]));
    assert_eq!(page.element("IsTruncated").as_deref(), Some("true"));
    assert_eq!(page.element("NextMarker").as_deref(), Some("a/"));
    let next = ask(&client, "GET", &format!("/{BUCKET}?delimiter=/&marker=a/"), &[]).await;
    assert_eq!(entries(&next), (vec!["b".into(), "c".into()], vec![]));
    assert_eq!(next.element("Marker").as_deref(), Some("a/"));
    // Without a delimiter the last key is the marker, and S3 names none.
    let plain = ask(&client, "GET", &format!("/{BUCKET}?max-keys=3"), &[]).await;
    assert_eq!(plain.elements("Key"), ["a/1", "a/2", "b"]);
    assert_eq!((plain.element("IsTruncated").as_deref(), plain.element("NextMarker")), (Some("true"), None));
    assert!(plain.element("Owner").is_some());
    let none = ask(&client, "GET", &format!("/{BUCKET}?max-keys=0"), &[]).await;
    assert_eq!((none.elements("Key").len(), none.element("IsTruncated").as_deref()), (0, Some("false")));
}

#[tokio::test]
async fn unusual_keys_are_listed_in_order_and_readable() {
    let product = Product::start().await;
    let client = product.client();
    let mut keys = vec![
        "/leading",
        "a b",
        "a%2Fb",
        "a%",
        "a+b",
        "a//b",
        "a=b&c",
        "a?b#c",
        "dir/",
        "é",
        "e\u{301}",
        "日本",
        "😀",
        "\u{fffd}z",
        "~*'()",
        "a<b>&\"c\"",
        "day%3D2026-01-1/x",
        "..a",
        "UPPER",
        "a;b,c:d@e$f!g",
        "x/.y/z",
    ];
    if product.is_hierarchical() {
        // Such an account has no empty segments.
        keys.retain(|key| !key.contains("//") && !key.starts_with('/'));
    }
    fill(&client, &keys).await;
    let mut expected: Vec<_> = keys.iter().map(|key| key.to_string()).collect();
    expected.sort();
    let page = list(&client, "encoding-type=url").await;
    assert_eq!(page.element("EncodingType").as_deref(), Some("url"));
    let decode = |text: &String| String::from_utf8(percent::decode(&text.replace('+', " "), false).unwrap()).unwrap();
    assert_eq!(page.elements("Key").iter().map(decode).collect::<Vec<_>>(), expected);
    let plain = list(&client, "").await;
    let unescape = |text: &String| {
        text.replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"")
            .replace("&apos;", "'")
            .replace("&amp;", "&")
    };
    assert_eq!(plain.elements("Key").iter().map(unescape).collect::<Vec<_>>(), expected);
    for key in keys {
        assert_eq!(client.get(BUCKET, key).await.unwrap().body, key.as_bytes(), "{key:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_listed() {
    let product = Product::start().await;
    let client = product.client();
    let before = product.seen();
    for (query, code) in [
        ("max-keys=-1", "InvalidArgument"),
        ("max-keys=abc", "InvalidArgument"),
        ("max-keys=99999999999", "InvalidArgument"),
        ("continuation-token=junk!", "InvalidArgument"),
        ("continuation-token=", "InvalidArgument"),
        ("encoding-type=base64", "InvalidArgument"),
        ("list-type=3", "InvalidArgument"),
        ("prefix=a&prefix=b", "InvalidArgument"),
        ("prefix=%ff", "InvalidURI"),
    ] {
        assert_refused(&client.list(BUCKET, query).await.unwrap(), 400, code, query);
    }
    assert_refused(&client.list("no-such-bucket", "").await.unwrap(), 404, "NoSuchBucket", "bucket");
    product.assert_no_call_since(&before, "bad lists");
}

#[tokio::test]
async fn versions_of_an_unversioned_bucket() {
    let product = Product::start().await;
    let client = product.client();
    fill(&client, &["a", "b", "c"]).await;
    let page = ask(&client, "GET", &format!("/{BUCKET}?versions&max-keys=2"), &[]).await;
    assert_eq!(page.elements("Key"), ["a", "b"]);
    assert_eq!(page.elements("VersionId"), ["null", "null"]);
    assert_eq!(page.elements("IsLatest"), ["true", "true"]);
    assert_eq!(page.element("NextKeyMarker").as_deref(), Some("b"));
    let rest = ask(&client, "GET", &format!("/{BUCKET}?versions&key-marker=b"), &[]).await;
    assert_eq!(rest.elements("Key"), ["c"]);
}

/// Random keys, delimiters, prefixes and page sizes against a model.
#[tokio::test]
async fn pages_agree_with_a_model() {
    let product = Product::start().await;
    if product.is_hierarchical() {
        // These keys collide there: `listing_model.rs` has others.
        return;
    }
    let client = product.client();
    let seed = random::seed("facade listing");
    let mut random = random::Random::new(seed);
    let mut keys = BTreeSet::new();
    while keys.len() < 60 {
        let length = 1 + random.below(5);
        let key: String = (0..length).map(|_| ['a', 'b', '/', '-', 'é'][random.below(5) as usize]).collect();
        keys.insert(key);
    }
    fill(&client, &keys.iter().map(String::as_str).collect::<Vec<_>>()).await;
    for _ in 0..60 {
        let prefix = ["", "a", "a/", "b", "/", "é"][random.below(6) as usize];
        let delimiter = ["", "/", "-", "a/"][random.below(4) as usize];
        let after = ["", "a", "a/b", "b-", "é"][random.below(5) as usize];
        let limit = 1 + random.below(6);
        let mut expected = Vec::new();
        for key in keys.iter().filter(|key| key.starts_with(prefix) && key.as_str() > after) {
            let cut = key[prefix.len()..].find(delimiter).filter(|_| !delimiter.is_empty());
            let entry = cut.map_or(key.clone(), |at| key[..prefix.len() + at + delimiter.len()].to_owned());
            if entry.as_str() > after && expected.last() != Some(&entry) {
                expected.push(entry);
            }
        }
        let encode = |text: &str| percent::encode(text.as_bytes(), b"");
        let common = format!("max-keys={limit}&prefix={}&delimiter={}", encode(prefix), encode(delimiter));
        let mut found = Vec::new();
        let mut query = format!("{common}&start-after={}", encode(after));
        loop {
            let page = list(&client, &query).await;
            let (keys, prefixes) = entries(&page);
            let mut entries: Vec<_> = keys.into_iter().chain(prefixes).collect();
            assert!(entries.len() as u64 <= limit);
            entries.sort();
            found.append(&mut entries);
            match page.element("NextContinuationToken") {
                Some(token) => query = format!("{common}&continuation-token={token}"),
                None => break,
            }
            assert!(found.len() <= expected.len(), "seed {seed}: {common} does not end");
        }
        assert_eq!(found, expected, "seed {seed}: {common} after {after:?}");
    }
}
