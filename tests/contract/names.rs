//! Names as they are: encoded once, never normalised.

use bluebucket::blob::BlobCondition;
use bluebucket::blob::list::{ListBlobs, Named};
use bluebucket::object::{ErrorKind, Payload};

use super::{Case, Quirk, cases, kind};

cases![unusual, longest];

const UNUSUAL: &[&str] = &[
    "a b",
    "a+b",
    "50%",
    "a%2Fb",
    "%41",
    "a//b",
    "a///",
    "q?x=1&y#f",
    "é",
    "日本/語",
    "😀",
    "a&b<c>'\"",
    "dir/",
    "~*[](){}!$,;:@|^`",
    "-_.a",
    "...a",
    "Upper",
    "upper",
    "a=b/part-00000-0f.snappy.parquet",
];

async fn unusual(case: Case) {
    for name in UNUSUAL {
        let payload = Payload::from(bytes::Bytes::from_static(name.as_bytes()));
        let written = case.client.put_blob(case.blob(name), payload, Default::default()).await;
        written.unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    let items = case.list(ListBlobs::default()).await;
    let listed: Vec<_> = items.iter().map(|item| item.name()).collect();
    let mut expected = UNUSUAL.to_vec();
    expected.sort_by(|one, other| one.encode_utf16().cmp(other.encode_utf16()));
    assert_eq!(listed, expected);
    for name in UNUSUAL {
        assert_eq!(case.read(name).await.unwrap(), *name);
        case.client.get_properties(case.blob(name)).await.unwrap();
        case.client.delete_blob(case.blob(name), &BlobCondition::None).await.unwrap();
    }
    assert!(case.list(ListBlobs::default()).await.is_empty());
}

async fn longest(case: Case) {
    let longest = "é".repeat(1024);
    case.put(&longest, "x").await;
    assert_eq!(case.read(&longest).await.unwrap(), "x");
    let over = case.client.put_blob(case.blob(&"a".repeat(1025)), Payload::empty(), Default::default()).await;
    if case.has(Quirk::NoNameLimit) {
        over.unwrap();
    } else if case.has(Quirk::LongNameByAnotherCode) {
        assert_eq!(kind(over), ErrorKind::Invalid);
    } else {
        assert_eq!(kind(over), ErrorKind::KeyUnmappable);
    }
}
