//! Put Block and Put Block From URL.

use std::sync::Arc;

use super::source;
use crate::emulator::answer::Answer;
use crate::emulator::call::Call;
use crate::emulator::checksum::{Claim, Summer, Sums, unbase64};
use crate::emulator::config::ContentMd5;
use crate::emulator::content::Content;
use crate::emulator::error::{Outcome, ServiceError};
use crate::emulator::intake::{Incoming, receive};
use crate::emulator::properties::Metadata;
use crate::emulator::store::{Block, Container, Entry};
use crate::emulator::tree;

/// 4000 MiB.
const PUT_BLOCK_MAX: u64 = 4000 << 20;
const UNCOMMITTED_MAX: usize = 100_000;
/// Before base64.
const BLOCK_ID_MAX: usize = 64;

pub async fn put_block(call: &Call<'_>, body: Incoming) -> Outcome<Answer> {
    let id = block_id(call)?;
    let length = call.content_length(PUT_BLOCK_MAX)?;
    if length == 0 {
        return Err(ServiceError::header_value("Content-Length", "0"));
    }
    let claim = Claim::parse(call.header("content-md5"), call.header("x-ms-content-crc64"))?;
    Metadata::of_request(call.headers)?;
    let container = call.open_container()?;
    let policy = ContentMd5::Omit;
    let mut summer = Summer::new(policy, claim.md5.is_some(), length);
    let pieces = receive(body, length, container.keeps_content, &mut summer).await?;
    let sums = summer.finish(&call.account.known_md5);
    claim.verify(&sums)?;
    let content = container.content(call.account, &call.name, pieces, length);
    stage(call, &container, id, content, &sums)?;
    Ok(checksums(call, Answer::new(201), &claim, &sums).written())
}

pub async fn put_block_from_url(call: &Call<'_>) -> Outcome<Answer> {
    let id = block_id(call)?;
    if call.content_length(u64::MAX)? != 0 {
        return Err(ServiceError::header_value("Content-Length", call.header("content-length").unwrap_or("")));
    }
    let claim = Claim::parse(call.header("x-ms-source-content-md5"), call.header("x-ms-source-content-crc64"))?;
    let container = call.open_container()?;
    let source = source::open(call)?;
    let range = source::range(call, source.content.length())?;
    let length = range.end - range.start;
    if length == 0 || length > PUT_BLOCK_MAX {
        return Err(ServiceError::invalid_range());
    }
    let (content, sums) = source::take(call, &container, &source, range, claim.md5.is_some()).await;
    claim.verify(&sums)?;
    stage(call, &container, id, content, &sums)?;
    Ok(checksums(call, Answer::new(201), &claim, &sums).written())
}

fn block_id(call: &Call<'_>) -> Outcome<Vec<u8>> {
    let text = call.query.get("blockid").ok_or_else(|| ServiceError::missing_query("blockid"))?;
    let id = unbase64(text).filter(|id| (1..=BLOCK_ID_MAX).contains(&id.len()));
    id.ok_or_else(|| ServiceError::query_value("blockid", text, "Not a valid base64 string."))
}

fn stage(call: &Call<'_>, container: &Container, id: Vec<u8>, content: Content, sums: &Sums) -> Outcome<()> {
    let mut state = container.open()?;
    tree::check_way(&state, &call.name)?;
    let before = state.entry(&call.name, call.now);
    call.check_lease(before.as_deref())?;
    tree::takes_blocks(before.as_deref())?;
    let uncommitted = before.as_ref().map(|entry| &entry.uncommitted.blocks);
    if call.grant.create_only && before.as_ref().is_some_and(|entry| entry.committed.is_some()) {
        return Err(ServiceError::permission_mismatch());
    }
    if let Some(blocks) = uncommitted {
        if blocks.keys().next().is_some_and(|other| other.len() != id.len()) {
            return Err(ServiceError::invalid_blob_or_block());
        }
        if blocks.len() >= UNCOMMITTED_MAX && !blocks.contains_key(&id) {
            return Err(ServiceError::block_count_exceeds_limit());
        }
    }
    let block = Arc::new(Block { content, crc64: sums.crc64 });
    let entry = match before {
        Some(entry) => entry,
        None => state.blobs.entry(call.name.clone()).or_insert_with(Entry::default),
    };
    entry.uncommitted.blocks.insert(id, block);
    entry.uncommitted.last_put = Some(call.now);
    Ok(())
}

/// MD5 alone where one was sent, else CRC64; both from 2026-10-06 on.
fn checksums(call: &Call<'_>, answer: Answer, claim: &Claim, sums: &Sums) -> Answer {
    let md5 = sums.md5.filter(|_| claim.md5.is_some());
    let both = call.version_at_least("2026-10-06");
    answer.md5(md5).crc64((both || md5.is_none()).then_some(sums.crc64))
}
