//! Blocks: staged, committed, dropped.

use bluebucket::blob::block_id::BLOCK_ID_BYTES;
use bluebucket::blob::get_block_list::BlockListKind;
use bluebucket::blob::list::{BlobItem, ListBlobs};
use bluebucket::blob::put_block_list::PutBlockList;
use bluebucket::blob::{BlobCondition, BlockId};
use bluebucket::object::checksum::{crc64, md5};
use bluebucket::object::{ContentHeaders, ErrorKind, Payload, StoreTag};
use bytes::Bytes;
use futures::future::join_all;

use super::{Case, Quirk, cases, error, kind, pairs, stream};

cases![
    commit,
    unlisted_blocks_are_dropped,
    a_commit_lands_once,
    staged_only,
    conditions,
    put_blob_drops_staged_blocks,
    bad_blocks,
    one_creator,
    many,
    after_put_blob,
];

fn id(number: u8) -> BlockId {
    let mut bytes = [b'-'; BLOCK_ID_BYTES];
    bytes[0] = number;
    BlockId(bytes)
}

async fn stage(case: &Case, name: &str, number: u8, content: &'static str) {
    let payload = Bytes::from_static(content.as_bytes());
    let crc = case.client.put_block(case.blob(name), id(number), payload.into(), None).await.unwrap();
    assert_eq!(crc, Some(crc64(content.as_bytes())));
}

fn list(numbers: &[u8]) -> PutBlockList {
    PutBlockList { blocks: numbers.iter().map(|&number| id(number)).collect(), ..PutBlockList::default() }
}

async fn commit(case: Case) {
    stage(&case, "k", 2, "World").await;
    stage(&case, "k", 1, "Hello ").await;
    let content = ContentHeaders { content_type: Some("text/plain".into()), ..ContentHeaders::default() };
    let request = PutBlockList {
        blob_md5: Some(md5(b"Hello World")),
        content: content.clone(),
        metadata: pairs(&[("a", "1")]),
        ..list(&[1, 2])
    };
    let written = case.client.put_block_list(case.blob("k"), &request).await.unwrap();
    assert_eq!(written.crc64, None);
    assert_eq!(case.read("k").await.unwrap(), "Hello World");
    let head = case.client.get_properties(case.blob("k")).await.unwrap();
    assert_eq!(head.store_tag, written.store_tag);
    assert_eq!(head.content_md5, Some(md5(b"Hello World")));
    assert_eq!((head.content, head.metadata), (content, pairs(&[("a", "1")])));
    let blocks = case.client.get_block_list(case.blob("k"), BlockListKind::All).await.unwrap();
    assert_eq!((blocks.store_tag, blocks.length), (Some(written.store_tag), Some(11)));
    let told: Vec<_> = blocks.committed.iter().map(|block| (BlockId::parse(&block.id), block.length)).collect();
    assert_eq!(told, [(Some(id(1)), 6), (Some(id(2)), 5)]);
    assert!(blocks.uncommitted.is_empty());
}

async fn unlisted_blocks_are_dropped(case: Case) {
    for number in 1..=4 {
        stage(&case, "k", number, "x").await;
    }
    case.client.put_block_list(case.blob("k"), &list(&[1, 3])).await.unwrap();
    let blocks = case.client.get_block_list(case.blob("k"), BlockListKind::All).await.unwrap();
    assert_eq!((blocks.committed.len(), blocks.uncommitted.len()), (2, 0));
    assert_eq!(kind(case.client.put_block_list(case.blob("k"), &list(&[2])).await), ErrorKind::InvalidBlockList);
}

async fn a_commit_lands_once(case: Case) {
    stage(&case, "k", 1, "x").await;
    let first = case.client.put_block_list(case.blob("k"), &list(&[1])).await.unwrap();
    assert_eq!(kind(case.client.put_block_list(case.blob("k"), &list(&[1])).await), ErrorKind::InvalidBlockList);
    assert_eq!(case.client.get_properties(case.blob("k")).await.unwrap().store_tag, first.store_tag);
    assert_eq!(kind(case.client.put_block_list(case.blob("k"), &list(&[9])).await), ErrorKind::InvalidBlockList);
}

async fn staged_only(case: Case) {
    stage(&case, "k", 1, "abc").await;
    assert_eq!(kind(case.read("k").await), ErrorKind::NotFound);
    assert_eq!(kind(case.client.get_properties(case.blob("k")).await), ErrorKind::NotFound);
    assert!(case.list(ListBlobs::default()).await.is_empty());
    let items = case.list(ListBlobs { include_uncommitted: true, ..ListBlobs::default() }).await;
    assert!(matches!(&items[..], [BlobItem::Blob { name, .. }] if name == "k"), "{items:?}");
    let blocks = case.client.get_block_list(case.blob("k"), BlockListKind::All).await.unwrap();
    assert_eq!((blocks.committed.len(), blocks.uncommitted.len()), (0, 1));
    assert_eq!(blocks.uncommitted[0].length, 3);
    let request = PutBlockList { condition: BlobCondition::Absent, ..list(&[1]) };
    case.client.put_block_list(case.blob("k"), &request).await.unwrap();
    assert_eq!(case.read("k").await.unwrap(), "abc");
}

async fn conditions(case: Case) {
    let base = case.put("k", "base").await;
    stage(&case, "k", 1, "new").await;
    let request = PutBlockList { condition: BlobCondition::Absent, ..list(&[1]) };
    assert_eq!(kind(case.client.put_block_list(case.blob("k"), &request).await), ErrorKind::Exists);
    let other = BlobCondition::Match(StoreTag::parse("0x8D0000000000001"));
    let request = PutBlockList { condition: other, ..list(&[1]) };
    assert_eq!(kind(case.client.put_block_list(case.blob("k"), &request).await), ErrorKind::PreconditionFailed);
    assert_eq!(case.read("k").await.unwrap(), "base");
    let request = PutBlockList { condition: BlobCondition::Match(base.store_tag), ..list(&[1]) };
    case.client.put_block_list(case.blob("k"), &request).await.unwrap();
    assert_eq!(case.read("k").await.unwrap(), "new");
    // The condition is judged before the list: this one is stale and its block is gone.
    assert_eq!(kind(case.client.put_block_list(case.blob("k"), &request).await), ErrorKind::PreconditionFailed);
}

async fn put_blob_drops_staged_blocks(case: Case) {
    stage(&case, "k", 1, "staged").await;
    case.put("k", "whole").await;
    let late = case.client.put_block_list(case.blob("k"), &list(&[1])).await;
    if case.has(Quirk::PutBlobKeepsStagedBlocks) {
        late.unwrap();
    } else {
        assert_eq!(kind(late), ErrorKind::InvalidBlockList);
        assert_eq!(case.read("k").await.unwrap(), "whole");
    }
}

async fn bad_blocks(case: Case) {
    let wrong = case.client.put_block(case.blob("k"), id(1), Bytes::from_static(b"abc").into(), Some(7)).await;
    assert_eq!(kind(wrong), ErrorKind::ChecksumMismatch);
    let right = case.client.put_block(case.blob("k"), id(1), Bytes::from_static(b"abc").into(), Some(crc64(b"abc")));
    right.await.unwrap();
    let empty = case.client.put_block(case.blob("k"), id(2), Payload::empty(), None).await;
    if case.has(Quirk::EmptyBlockTaken) {
        empty.unwrap();
    } else {
        assert_eq!(kind(empty), ErrorKind::Invalid);
    }
    let pieces = vec![Ok(Bytes::from(vec![0; 100_000])), Err(error(ErrorKind::Cancelled))];
    let cut = case.client.put_block(case.blob("k"), id(3), Payload::stream(200_000, stream(pieces)), None).await;
    assert_eq!(kind(cut), ErrorKind::Cancelled);
}

async fn one_creator(case: Case) {
    for number in 0..16 {
        stage(&case, "k", number, "x").await;
    }
    let commits = (0..16).map(|number| {
        let case = case.clone();
        async move {
            let request = PutBlockList { condition: BlobCondition::Absent, ..list(&[number]) };
            case.client.put_block_list(case.blob("k"), &request).await
        }
    });
    let results = join_all(commits).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1, "{results:?}");
    for error in results.iter().filter_map(|result| result.as_ref().err()) {
        assert_eq!(error.kind(), ErrorKind::Exists, "{error}");
    }
}

async fn many(case: Case) {
    let numbers: Vec<u8> = (0..200).collect();
    for chunk in numbers.chunks(20) {
        join_all(chunk.iter().map(|&number| stage(&case, "k", number, "0123456789"))).await;
    }
    case.client.put_block_list(case.blob("k"), &list(&numbers)).await.unwrap();
    assert_eq!(case.read("k").await.unwrap(), "0123456789".repeat(200));
}

async fn after_put_blob(case: Case) {
    let written = case.put("k", "abc").await;
    let blocks = case.client.get_block_list(case.blob("k"), BlockListKind::All).await.unwrap();
    assert_eq!((blocks.committed.len(), blocks.uncommitted.len()), (0, 0));
    assert_eq!((blocks.store_tag, blocks.length), (Some(written.store_tag), Some(3)));
    let missing = case.client.get_block_list(case.blob("no"), BlockListKind::All).await;
    assert_eq!(kind(missing), ErrorKind::NotFound);
}
