//! Copies within the service.

use bluebucket::blob::block_id::BLOCK_ID_BYTES;
use bluebucket::blob::copy::{CopySource, PutBlobFromUrl, SourceAuth};
use bluebucket::blob::put_blob::PutBlob;
use bluebucket::blob::put_block_list::PutBlockList;
use bluebucket::blob::{BlobCondition, BlockId, Credential, SourceCondition};
use bluebucket::object::checksum::{crc64, md5};
use bluebucket::object::{ContentHeaders, ErrorKind, Result, Span, StoreTag};
use bytes::Bytes;

use super::{Case, Quirk, cases, kind, pairs};

cases![whole, whole_conditions, blocks, sync_copy, missing_source, delegation, long_urls];

async fn source(case: &Case, name: &str, condition: SourceCondition) -> Result<CopySource> {
    case.client.copy_source(case.blob(name), condition, SourceAuth::Preferred).await
}

fn other() -> StoreTag {
    StoreTag::parse("0x8D0000000000001")
}

async fn whole(case: Case) {
    let content = ContentHeaders { cache_control: Some("no-store".into()), ..ContentHeaders::default() };
    let request = PutBlob { content, metadata: pairs(&[("old", "1")]), ..PutBlob::default() };
    let bytes = Bytes::from_static(b"Hello World");
    case.client.put_blob(case.blob("from ü"), bytes.into(), request).await.unwrap();
    let from = source(&case, "from ü", SourceCondition::None).await.unwrap();
    let content = ContentHeaders { content_type: Some("text/new".into()), ..ContentHeaders::default() };
    let request = PutBlobFromUrl { content, metadata: pairs(&[("new", "2")]), ..PutBlobFromUrl::default() };
    let copied = case.client.put_blob_from_url(case.blob("to"), &from, &request).await;
    if case.has(Quirk::NoPutBlobFromUrl) {
        assert_eq!(kind(copied), ErrorKind::Unsupported);
        return;
    }
    let copied = copied.unwrap();
    assert_eq!(copied.crc64, Some(crc64(b"Hello World")));
    assert_eq!(case.read("to").await.unwrap(), "Hello World");
    let head = case.client.get_properties(case.blob("to")).await.unwrap();
    assert_eq!((&head.store_tag, head.content_md5), (&copied.store_tag, Some(md5(b"Hello World"))));
    assert_eq!((head.content.content_type.as_deref(), head.content.cache_control), (Some("text/new"), None));
    assert_eq!(head.metadata, pairs(&[("new", "2")]));
    // Onto itself.
    let from = source(&case, "to", SourceCondition::Match(head.store_tag)).await.unwrap();
    case.client.put_blob_from_url(case.blob("to"), &from, &request).await.unwrap();
    assert_eq!(case.read("to").await.unwrap(), "Hello World");
}

async fn whole_conditions(case: Case) {
    if case.has(Quirk::NoPutBlobFromUrl) {
        return;
    }
    let written = case.put("from", "abc").await;
    case.put("to", "old").await;
    let with = |condition| PutBlobFromUrl { condition, ..PutBlobFromUrl::default() };
    let from = source(&case, "from", SourceCondition::Match(written.store_tag)).await.unwrap();
    let copy = async |from: &CopySource, condition| {
        case.client.put_blob_from_url(case.blob("to"), from, &with(condition)).await
    };
    assert_eq!(kind(copy(&from, BlobCondition::Absent).await), ErrorKind::Exists);
    assert_eq!(kind(copy(&from, BlobCondition::Match(other())).await), ErrorKind::PreconditionFailed);
    let stale = source(&case, "from", SourceCondition::Match(other())).await.unwrap();
    assert_eq!(kind(copy(&stale, BlobCondition::None).await), ErrorKind::SourcePreconditionFailed);
    assert_eq!(case.read("to").await.unwrap(), "old");
    copy(&from, BlobCondition::Exists).await.unwrap();
    assert_eq!(case.read("to").await.unwrap(), "abc");
}

async fn blocks(case: Case) {
    let written = case.put("from", "0123456789").await;
    let from = source(&case, "from", SourceCondition::Match(written.store_tag)).await.unwrap();
    let (one, two) = (BlockId([1; BLOCK_ID_BYTES]), BlockId([2; BLOCK_ID_BYTES]));
    let staged = case.client.put_block_from_url(case.blob("to"), one, &from, Some(Span { start: 2, end: 5 })).await;
    if case.has(Quirk::NoBearerCopySource) && matches!(case.client.credential(), Credential::Bearer(_)) {
        assert_eq!(kind(staged), ErrorKind::CopySourceUnreadable);
        return;
    }
    if let Some(crc) = staged.unwrap() {
        assert_eq!(crc, crc64(b"234"));
    }
    case.client.put_block_from_url(case.blob("to"), two, &from, None).await.unwrap();
    let list = PutBlockList { blocks: vec![one, two], ..PutBlockList::default() };
    case.client.put_block_list(case.blob("to"), &list).await.unwrap();
    assert_eq!(case.read("to").await.unwrap(), "2340123456789");
    let stale = source(&case, "from", SourceCondition::Match(other())).await.unwrap();
    let refused = case.client.put_block_from_url(case.blob("to"), one, &stale, None).await;
    assert_eq!(kind(refused), ErrorKind::SourcePreconditionFailed);
}

async fn sync_copy(case: Case) {
    case.put("from", "abc").await;
    let from = source(&case, "from", SourceCondition::None).await.unwrap();
    let request = PutBlobFromUrl { metadata: pairs(&[("new", "2")]), ..PutBlobFromUrl::default() };
    case.client.copy_blob_from_url(case.blob("to"), &from, &request).await.unwrap();
    assert_eq!(case.read("to").await.unwrap(), "abc");
    assert_eq!(case.client.get_properties(case.blob("to")).await.unwrap().metadata, pairs(&[("new", "2")]));
}

async fn missing_source(case: Case) {
    let from = source(&case, "missing", SourceCondition::None).await.unwrap();
    let block = BlockId([1; BLOCK_ID_BYTES]);
    let refused = kind(case.client.put_block_from_url(case.blob("to"), block, &from, None).await);
    assert!(matches!(refused, ErrorKind::CopySourceUnreadable | ErrorKind::NotFound), "{refused:?}");
}

async fn delegation(case: Case) {
    case.put("from", "abc").await;
    let from = case.client.copy_source(case.blob("from"), SourceCondition::None, SourceAuth::DelegationSas).await;
    if !matches!(case.client.credential(), Credential::Bearer(_)) {
        assert_eq!(kind(from), ErrorKind::Unsupported);
        return;
    }
    let from = from.unwrap();
    if case.has(Quirk::NoPutBlobFromUrl) {
        let block = BlockId([1; BLOCK_ID_BYTES]);
        case.client.put_block_from_url(case.blob("to"), block, &from, None).await.unwrap();
        let list = PutBlockList { blocks: vec![block], ..PutBlockList::default() };
        case.client.put_block_list(case.blob("to"), &list).await.unwrap();
    } else {
        let copied = case.client.put_blob_from_url(case.blob("to"), &from, &PutBlobFromUrl::default()).await;
        copied.unwrap();
    }
    assert_eq!(case.read("to").await.unwrap(), "abc");
}

async fn long_urls(case: Case) {
    let name = "日".repeat(300);
    assert_eq!(kind(source(&case, &name, SourceCondition::None).await), ErrorKind::TooLarge);
}
