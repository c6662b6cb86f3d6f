//! Put Block List: makes a blob of blocks and discards all other uncommitted ones.

use std::sync::Arc;

use super::put_blob::{NewBlob, build};
use crate::emulator::answer::Answer;
use crate::emulator::call::Call;
use crate::emulator::checksum::{Claim, Md5Hash, combined_crc64, crc64, md5, unbase64};
use crate::emulator::condition::Conditions;
use crate::emulator::content::Content;
use crate::emulator::error::{Outcome, ServiceError};
use crate::emulator::events::CommitKind;
use crate::emulator::intake::{Incoming, collect};
use crate::emulator::properties::{Metadata, Properties};
use crate::emulator::store::{Block, Container, Entry};
use crate::emulator::tree;
use crate::emulator::xml::{self, BlockSource};

/// 50,000 entries of the longest kind take less.
const BODY_MAX: u64 = 16 << 20;

pub async fn put_block_list(call: &Call<'_>, body: Incoming) -> Outcome<Answer> {
    call.content_length(BODY_MAX)?;
    let claim = Claim::parse(call.header("content-md5"), call.header("x-ms-content-crc64"))?;
    let blob_md5 = Claim::parse(call.header("x-ms-blob-content-md5"), None)?.md5;
    let properties = Properties::of_request(call.headers).or_octet_stream();
    let metadata = Metadata::of_request(call.headers)?;
    let conditions = Conditions::of_request(call.headers)?;
    let container = call.open_container()?;
    let body = [collect(body, BODY_MAX).await?];
    let sums = crate::emulator::checksum::Sums {
        length: body[0].len() as u64,
        crc64: crc64(&body),
        md5: claim.md5.map(|_| md5(&body)),
    };
    claim.verify(&sums)?;
    let list = xml::block_list(&body[0])?;

    let version = commit(call, &container, &conditions, list, (properties, metadata, blob_md5))?;
    let md5 = sums.md5;
    let crc = (md5.is_none() || call.version_at_least("2026-10-06")).then_some(sums.crc64);
    Ok(Answer::new(201).version(version.0, version.1).md5(md5).crc64(crc).written())
}

type Version = (crate::emulator::clock::Etag, std::time::SystemTime);

fn commit(
    call: &Call<'_>,
    container: &Container,
    conditions: &Conditions,
    list: Vec<(BlockSource, String)>,
    (properties, metadata, md5): (Properties, Metadata, Option<Md5Hash>),
) -> Outcome<Version> {
    let mut state = container.open()?;
    let before = state.entry(&call.name, call.now);
    call.check_write(before.as_deref(), conditions)?;
    tree::takes_blocks(before.as_deref())?;
    let blocks = resolve(before.as_deref(), list)?;
    let content = assemble(call, container, &blocks);
    // Kept content can be hashed when somebody asks; what is not kept is known by its blocks alone.
    let crc64 = (!container.keeps_content)
        .then(|| blocks.iter().fold(0, |crc, (_, block)| combined_crc64(crc, block.crc64, block.content.length())));
    let new = NewBlob { content, crc64, md5, properties, metadata, copy: None };
    let mut blob = build(call, before.and_then(|entry| entry.committed.clone()), new);
    blob.blocks = Arc::new(blocks);
    let version = (blob.etag, blob.modified);
    tree::make_way(&mut state, &call.name, call.now, || call.next_etag())?;
    call.record(CommitKind::PutBlockList, Some(blob.etag));
    state.commit(&call.name, blob, call.now);
    Ok(version)
}

/// Finds the listed blocks.
///
/// # Errors
/// `InvalidBlockList` for one that is not there.
fn resolve(entry: Option<&Entry>, list: Vec<(BlockSource, String)>) -> Outcome<Vec<(Vec<u8>, Arc<Block>)>> {
    let committed_list =
        entry.and_then(|entry| entry.committed.as_ref()).map(|blob| blob.blocks.clone()).unwrap_or_default();
    let committed: std::collections::HashMap<&[u8], &Arc<Block>> =
        committed_list.iter().map(|(id, block)| (id.as_slice(), block)).collect();
    let find = |(source, text): (BlockSource, String)| {
        let id = unbase64(&text).ok_or_else(ServiceError::invalid_block_list)?;
        let uncommitted = || entry.and_then(|entry| entry.uncommitted.blocks.get(&id));
        let committed = || committed.get(id.as_slice()).copied();
        let block = match source {
            BlockSource::Uncommitted => uncommitted(),
            BlockSource::Committed => committed(),
            BlockSource::Latest => uncommitted().or_else(committed),
        };
        let block = block.cloned().ok_or_else(ServiceError::invalid_block_list)?;
        Ok((id, block))
    };
    list.into_iter().map(find).collect()
}

fn assemble(call: &Call<'_>, container: &Container, blocks: &[(Vec<u8>, Arc<Block>)]) -> Content {
    let length = blocks.iter().map(|(_, block)| block.content.length()).sum();
    let pieces = if container.keeps_content {
        blocks.iter().flat_map(|(_, block)| block.content.slice(0..block.content.length())).collect()
    } else {
        Vec::new()
    };
    container.content(call.account, &call.name, pieces, length)
}
