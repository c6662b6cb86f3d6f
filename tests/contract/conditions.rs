//! Conditions on the blob, alone and in races.

use bluebucket::blob::get_blob::ReadRange;
use bluebucket::blob::put_blob::PutBlob;
use bluebucket::blob::{BlobCondition, Written};
use bluebucket::object::{ErrorKind, Result, StoreTag};
use bytes::Bytes;
use futures::future::join_all;

use super::{Case, cases, kind};

cases![writes, reads, deletes, one_creator, one_replacer];

async fn put(case: &Case, content: &'static str, condition: BlobCondition) -> Result<Written> {
    let request = PutBlob { condition, ..PutBlob::default() };
    case.client.put_blob(case.blob("k"), Bytes::from_static(content.as_bytes()).into(), request).await
}

fn other() -> BlobCondition {
    BlobCondition::Match(StoreTag::parse("0x8D0000000000001"))
}

async fn writes(case: Case) {
    assert_eq!(kind(put(&case, "1", other()).await), ErrorKind::PreconditionFailed);
    assert_eq!(kind(put(&case, "1", BlobCondition::Exists).await), ErrorKind::PreconditionFailed);
    let first = put(&case, "1", BlobCondition::Absent).await.unwrap();
    assert_eq!(kind(put(&case, "2", BlobCondition::Absent).await), ErrorKind::Exists);
    assert_eq!(kind(put(&case, "2", other()).await), ErrorKind::PreconditionFailed);
    let second = put(&case, "2", BlobCondition::Match(first.store_tag.clone())).await.unwrap();
    assert_ne!(first.store_tag, second.store_tag);
    assert_eq!(kind(put(&case, "3", BlobCondition::Match(first.store_tag)).await), ErrorKind::PreconditionFailed);
    put(&case, "4", BlobCondition::Exists).await.unwrap();
    assert_eq!(case.read("k").await.unwrap(), "4");
}

async fn reads(case: Case) {
    let written = case.put("k", "abc").await;
    let read = async |condition| case.client.get_blob(case.blob("k"), ReadRange::All, &condition).await;
    read(BlobCondition::Match(written.store_tag)).await.unwrap();
    assert_eq!(kind(read(other()).await), ErrorKind::PreconditionFailed);
}

async fn deletes(case: Case) {
    let written = case.put("k", "abc").await;
    assert_eq!(kind(case.client.delete_blob(case.blob("k"), &other()).await), ErrorKind::PreconditionFailed);
    let pin = BlobCondition::Match(written.store_tag);
    case.client.delete_blob(case.blob("k"), &pin).await.unwrap();
}

/// Writers of numbers; exactly one may win, and its number is what the blob holds.
async fn race(case: &Case, condition: BlobCondition, refused: ErrorKind) {
    let puts = (0..16).map(|number| {
        let request = PutBlob { condition: condition.clone(), ..PutBlob::default() };
        let content = Bytes::from(format!("writer {number}"));
        case.client.put_blob(case.blob("k"), content.into(), request)
    });
    let results = join_all(puts).await;
    let winners: Vec<_> = (0..16).filter(|&number: &usize| results[number].is_ok()).collect();
    assert_eq!(winners.len(), 1, "{results:?}");
    for error in results.iter().filter_map(|result| result.as_ref().err()) {
        assert_eq!(error.kind(), refused, "{error}");
    }
    assert_eq!(case.read("k").await.unwrap(), format!("writer {}", winners[0]));
}

async fn one_creator(case: Case) {
    race(&case, BlobCondition::Absent, ErrorKind::Exists).await;
}

async fn one_replacer(case: Case) {
    let base = case.put("k", "base").await;
    race(&case, BlobCondition::Match(base.store_tag), ErrorKind::PreconditionFailed).await;
}
