//! Listings: order, pages, prefixes, delimiters, where to start.

use bluebucket::blob::list::{BlobItem, ListBlobs, Named};
use bluebucket::blob::put_blob::PutBlob;
use bluebucket::object::Payload;
use bluebucket::object::checksum::md5;

use super::{Case, cases, pairs};

cases![pages, prefixes, delimiters, start_from, metadata, order_of_supplementary_characters];

/// In UTF-16 order.
const NAMES: &[&str] =
    &["A-B", "A/x", "A/y/z", "A0", "B", "a", "a b", "a!", "a/", "a/1", "a/2/3", "a0", "b/c/d", "é", "日本"];

async fn fill(case: &Case) {
    for name in NAMES {
        case.put(name, "x").await;
    }
}

async fn all(case: &Case, query: ListBlobs<'_>) -> Vec<String> {
    case.list(query).await.iter().map(|item| item.name().to_owned()).collect()
}

async fn pages(case: Case) {
    fill(&case).await;
    for max_results in [1, 2, 3, 7, 15, 5000] {
        let query = ListBlobs { max_results: Some(max_results), ..ListBlobs::default() };
        assert_eq!(all(&case, query).await, NAMES, "pages of {max_results}");
    }
    let empty = ListBlobs { prefix: "none", ..ListBlobs::default() };
    assert!(all(&case, empty).await.is_empty());
}

async fn prefixes(case: Case) {
    fill(&case).await;
    for prefix in ["a", "a/", "A/", "A/y", "é", "zz", "a b"] {
        let expected: Vec<_> = NAMES.iter().filter(|name| name.starts_with(prefix)).copied().collect();
        for max_results in [None, Some(2)] {
            let query = ListBlobs { prefix, max_results, ..ListBlobs::default() };
            assert_eq!(all(&case, query).await, expected, "{prefix}");
        }
    }
}

async fn delimiters(case: Case) {
    fill(&case).await;
    let folded = |prefix: &str| {
        let mut names: Vec<String> = Vec::new();
        for rest in NAMES.iter().filter_map(|name| name.strip_prefix(prefix)) {
            let end = rest.find('/').map_or(rest.len(), |slash| slash + 1);
            names.push(format!("{prefix}{}", &rest[..end]));
        }
        names.dedup();
        names
    };
    for prefix in ["", "A/", "a/", "a", "b/"] {
        let query = ListBlobs { prefix, delimiter: Some("/"), ..ListBlobs::default() };
        assert_eq!(all(&case, query.clone()).await, folded(prefix), "{prefix}");
        // Pages may order prefixes and blobs in their own way; none may be lost or come twice.
        let mut small = all(&case, ListBlobs { max_results: Some(2), ..query }).await;
        small.sort_by(|one, other| one.encode_utf16().cmp(other.encode_utf16()));
        assert_eq!(small, folded(prefix), "{prefix}");
    }
    let query = ListBlobs { prefix: "a/", delimiter: Some("/"), ..ListBlobs::default() };
    let items = case.list(query).await;
    let prefixes = items.iter().filter(|item| matches!(item, BlobItem::Prefix(_))).count();
    assert_eq!(prefixes, 1, "{items:?}");
}

async fn start_from(case: Case) {
    fill(&case).await;
    for start in ["A/x", "A/w", "a/", "a/2", "é", "zzz"] {
        let expected: Vec<_> =
            NAMES.iter().filter(|name| name.encode_utf16().ge(start.encode_utf16())).copied().collect();
        for max_results in [None, Some(2)] {
            let query = ListBlobs { start_from: Some(start), max_results, ..ListBlobs::default() };
            assert_eq!(all(&case, query).await, expected, "{start}");
        }
    }
    let query = ListBlobs { start_from: Some("a"), delimiter: Some("/"), ..ListBlobs::default() };
    assert_eq!(all(&case, query).await, ["a", "a b", "a!", "a/", "a0", "b/", "é", "日本"]);
}

async fn metadata(case: Case) {
    let metadata = pairs(&[("one", "a&b <c> \"d\""), ("two", "2")]);
    let request = PutBlob { metadata: metadata.clone(), ..PutBlob::default() };
    let bytes = bytes::Bytes::from_static(b"abc");
    let written = case.client.put_blob(case.blob("m"), bytes.into(), request).await.unwrap();
    case.client.put_blob(case.blob("n"), Payload::empty(), PutBlob::default()).await.unwrap();
    for include_metadata in [true, false] {
        let query = ListBlobs { include_metadata, ..ListBlobs::default() };
        let items = case.list(query).await;
        let [BlobItem::Blob { properties: first, .. }, BlobItem::Blob { properties: second, .. }] = &items[..] else {
            panic!("{items:?}")
        };
        let mut listed = first.metadata.clone();
        listed.sort();
        assert_eq!(listed, if include_metadata { metadata.clone() } else { Vec::new() });
        assert!(second.metadata.is_empty());
        assert_eq!((&first.store_tag, first.last_modified), (&written.store_tag, written.last_modified));
        assert_eq!((first.length, first.content_md5), (3, Some(md5(b"abc"))));
    }
}

async fn order_of_supplementary_characters(case: Case) {
    let names = ["\u{d7ff}", "\u{10000}", "\u{f900}"];
    for name in names {
        case.put(name, "x").await;
    }
    assert_eq!(all(&case, ListBlobs::default()).await, names);
}
