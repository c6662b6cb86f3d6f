//! Put, get, head, delete; headers, metadata and checksums.

use bluebucket::blob::get_blob::ReadRange;
use bluebucket::blob::put_blob::PutBlob;
use bluebucket::blob::{BlobCondition, BlobProperties};
use bluebucket::object::checksum::{crc64, md5};
use bluebucket::object::{ContentHeaders, ErrorKind, Payload};
use bytes::Bytes;

use super::{Case, Quirk, cases, error, kind, pairs, stream};

cases![
    round_trip,
    empty_blob,
    streamed,
    failed_streams_write_nothing,
    wrong_checksums,
    overwrite_drops_metadata,
    metadata_replaced,
    metadata_limits,
    properties_replaced,
    missing_blob,
    batch_delete,
    account,
];

fn content() -> ContentHeaders {
    let text = |value: &str| Some(value.to_owned());
    ContentHeaders {
        content_type: text("text/x-test; charset=utf-8"),
        content_encoding: text("gzip"),
        content_language: text("de"),
        content_disposition: text("attachment; filename=\"a b\""),
        cache_control: text("max-age=60"),
        expires: None,
    }
}

async fn round_trip(case: Case) {
    let bytes = Bytes::from_static(b"Hello World");
    let request = PutBlob {
        content: content(),
        metadata: pairs(&[("one", "1"), ("two", "a=b&c <d>")]),
        content_md5: Some(md5(&bytes)),
        ..PutBlob::default()
    };
    let written = case.client.put_blob(case.blob("a/b.txt"), bytes.clone().into(), request).await.unwrap();
    assert_eq!(written.content_md5, Some(md5(&bytes)));
    assert!(written.crc64.is_none_or(|crc| crc == crc64(&bytes)));
    let head = case.client.get_properties(case.blob("a/b.txt")).await.unwrap();
    let check = |properties: &BlobProperties| {
        assert_eq!(properties.store_tag, written.store_tag);
        assert_eq!(properties.last_modified, written.last_modified);
        assert_eq!(properties.length, 11);
        assert_eq!(properties.content_md5, Some(md5(&bytes)));
        assert_eq!(properties.content, content());
        let mut metadata = properties.metadata.clone();
        metadata.sort();
        assert_eq!(metadata, pairs(&[("one", "1"), ("two", "a=b&c <d>")]));
        assert!(!properties.is_directory);
    };
    check(&head);
    let download = case.client.get_blob(case.blob("a/b.txt"), ReadRange::All, &BlobCondition::None).await.unwrap();
    check(&download.properties);
    assert_eq!(case.read("a/b.txt").await.unwrap(), bytes);
    case.client.delete_blob(case.blob("a/b.txt"), &BlobCondition::None).await.unwrap();
    assert_eq!(kind(case.read("a/b.txt").await), ErrorKind::NotFound);
}

async fn empty_blob(case: Case) {
    let written = case.client.put_blob(case.blob("e"), Payload::empty(), PutBlob::default()).await.unwrap();
    assert_eq!(written.content_md5, Some(md5(b"")));
    let download = case.client.get_blob(case.blob("e"), ReadRange::All, &BlobCondition::None).await.unwrap();
    assert_eq!((download.span, download.properties.length), (None, 0));
    assert_eq!(case.read("e").await.unwrap(), "");
    let ranged = case.client.get_blob(case.blob("e"), ReadRange::From(0), &BlobCondition::None).await;
    assert_eq!(kind(ranged), ErrorKind::RangeUnsatisfiable);
}

async fn streamed(case: Case) {
    let piece = Bytes::from((0..1 << 20).map(|n: u32| (n % 251) as u8).collect::<Vec<_>>());
    let pieces = (0..5).map(|_| Ok(piece.clone())).collect();
    let written = case.client.put_blob(case.blob("s"), Payload::stream(5 << 20, stream(pieces)), PutBlob::default());
    written.await.unwrap();
    let read = case.read("s").await.unwrap();
    assert_eq!((read.len(), crc64(&read)), (5 << 20, crc64(&piece.repeat(5))));
}

async fn failed_streams_write_nothing(case: Case) {
    case.put("k", "old").await;
    let half = || Ok(Bytes::from(vec![7; 200_000]));
    let given = Payload::stream(400_000, stream(vec![half(), Err(error(ErrorKind::ChecksumMismatch))]));
    let failed = case.client.put_blob(case.blob("k"), given, PutBlob::default()).await;
    assert_eq!(kind(failed), ErrorKind::ChecksumMismatch);
    let short = Payload::stream(400_000, stream(vec![half()]));
    let failed = case.client.put_blob(case.blob("k"), short, PutBlob::default()).await;
    assert_eq!(kind(failed), ErrorKind::BodyIncomplete);
    let long = Payload::stream(300_000, stream(vec![half(), half()]));
    let failed = case.client.put_blob(case.blob("k"), long, PutBlob::default()).await;
    assert_eq!(kind(failed), ErrorKind::BodyIncomplete);
    assert_eq!(case.read("k").await.unwrap(), "old");
}

async fn wrong_checksums(case: Case) {
    let request = PutBlob { content_md5: Some([1; 16]), ..PutBlob::default() };
    let refused = case.client.put_blob(case.blob("c"), Bytes::from_static(b"abc").into(), request).await;
    assert_eq!(kind(refused), ErrorKind::ChecksumMismatch);
    let request = PutBlob { crc64: Some(1), ..PutBlob::default() };
    let refused = case.client.put_blob(case.blob("c"), Bytes::from_static(b"abc").into(), request).await;
    assert_eq!(kind(refused), ErrorKind::ChecksumMismatch);
    assert_eq!(kind(case.read("c").await), ErrorKind::NotFound);
    let request = PutBlob { crc64: Some(crc64(b"abc")), ..PutBlob::default() };
    case.client.put_blob(case.blob("c"), Bytes::from_static(b"abc").into(), request).await.unwrap();
}

async fn overwrite_drops_metadata(case: Case) {
    let request = PutBlob { metadata: pairs(&[("a", "1")]), content: content(), ..PutBlob::default() };
    case.client.put_blob(case.blob("k"), Bytes::from_static(b"1").into(), request).await.unwrap();
    case.put("k", "2").await;
    let head = case.client.get_properties(case.blob("k")).await.unwrap();
    assert!(head.metadata.is_empty());
    assert_eq!(head.content.cache_control, None);
}

async fn metadata_replaced(case: Case) {
    let request = PutBlob { metadata: pairs(&[("a", "1"), ("b", "2")]), ..PutBlob::default() };
    let first = case.client.put_blob(case.blob("k"), Bytes::from_static(b"abc").into(), request).await.unwrap();
    let pin = BlobCondition::Match(first.store_tag.clone());
    let second = case.client.set_metadata(case.blob("k"), &pairs(&[("c", "3")]), &pin).await.unwrap();
    assert_ne!(first.store_tag, second.store_tag);
    let head = case.client.get_properties(case.blob("k")).await.unwrap();
    assert_eq!((head.metadata, head.content_md5), (pairs(&[("c", "3")]), Some(md5(b"abc"))));
    let stale = case.client.set_metadata(case.blob("k"), &pairs(&[]), &pin).await;
    assert_eq!(kind(stale), ErrorKind::PreconditionFailed);
    let missing = case.client.set_metadata(case.blob("no"), &pairs(&[]), &BlobCondition::None).await;
    assert_eq!(kind(missing), ErrorKind::NotFound);
}

async fn metadata_limits(case: Case) {
    let put = async |metadata| {
        let request = PutBlob { metadata, ..PutBlob::default() };
        case.client.put_blob(case.blob("m"), Payload::empty(), request).await
    };
    for name in ["a-b", "1a"] {
        assert_eq!(kind(put(pairs(&[(name, "v")])).await), ErrorKind::Invalid, "{name}");
    }
    put(pairs(&[("big", &"v".repeat(8000))])).await.unwrap();
    let over = put(pairs(&[("a", &"v".repeat(5000)), ("b", &"v".repeat(5000))])).await;
    if case.has(Quirk::NoMetadataLimit) {
        over.unwrap();
    } else {
        assert_eq!(kind(over), ErrorKind::MetadataTooLarge);
    }
}

async fn properties_replaced(case: Case) {
    let request = PutBlob { content: content(), ..PutBlob::default() };
    case.client.put_blob(case.blob("p"), Bytes::from_static(b"abc").into(), request).await.unwrap();
    let only_type = ContentHeaders { content_type: Some("text/plain".into()), ..ContentHeaders::default() };
    let md5 = Some(md5(b"abc"));
    case.client.set_properties(case.blob("p"), &only_type, md5, &BlobCondition::None).await.unwrap();
    let head = case.client.get_properties(case.blob("p")).await.unwrap();
    assert_eq!((head.content.content_type, head.content_md5), (only_type.content_type, md5));
    assert_eq!((head.content.cache_control, head.content.content_encoding), (None, None));
}

async fn missing_blob(case: Case) {
    let pin = BlobCondition::None;
    assert_eq!(kind(case.client.get_properties(case.blob("no")).await), ErrorKind::NotFound);
    assert_eq!(kind(case.client.delete_blob(case.blob("no"), &pin).await), ErrorKind::NotFound);
    assert_eq!(kind(case.read("no").await), ErrorKind::NotFound);
}

async fn batch_delete(case: Case) {
    for name in ["a b", "dir/ü", "c"] {
        case.put(name, "x").await;
    }
    let results = case.client.delete_batch(&case.container, &["a b", "missing", "dir/ü"]).await.unwrap();
    let kinds: Vec<_> = results.into_iter().map(|result| result.err().map(|error| error.kind())).collect();
    assert_eq!(kinds, [None, Some(ErrorKind::NotFound), None]);
    assert_eq!(kind(case.read("a b").await), ErrorKind::NotFound);
    assert_eq!(case.read("c").await.unwrap(), "x");
    assert!(case.client.delete_batch(&case.container, &[]).await.unwrap().is_empty());
    assert_eq!(kind(case.client.delete_batch(&case.container, &["x"; 257]).await), ErrorKind::Invalid);
}

async fn account(case: Case) {
    let info = case.client.account_info().await.unwrap();
    assert!(!info.sku.is_empty() && !info.kind.is_empty(), "{info:?}");
}
