//! Copy Blob (which may take its time) and Copy Blob From URL.

use super::put_blob::{NewBlob, build, commit};
use super::source;
use crate::emulator::answer::Answer;
use crate::emulator::call::Call;
use crate::emulator::checksum::Claim;
use crate::emulator::condition::Conditions;
use crate::emulator::content::Content;
use crate::emulator::error::{Outcome, ServiceError};
use crate::emulator::events::CommitKind;
use crate::emulator::properties::Metadata;
use crate::emulator::store::{Blob, Copy};
use crate::emulator::tree;

/// 256 MiB.
const COPY_FROM_URL_MAX: u64 = 256 << 20;

pub async fn copy_from_url(call: &Call<'_>) -> Outcome<Answer> {
    let claim = Claim::parse(call.header("x-ms-source-content-md5"), None)?;
    let metadata = Metadata::of_request(call.headers)?;
    let conditions = Conditions::of_request(call.headers)?;
    let container = call.open_container()?;
    let source = source::open(call)?;
    let length = source.content.length();
    if length > COPY_FROM_URL_MAX {
        return Err(ServiceError::new(
            409,
            "CannotVerifyCopySource",
            "The source is larger than the operation can copy.",
        ));
    }
    let (content, sums) = source::take(call, &container, &source, 0..length, claim.md5.is_some()).await;
    claim.verify(&sums)?;
    let copy = record(call, length, "success");
    let id = copy.id.clone();
    let new =
        NewBlob { content, crc64: Some(sums.crc64), md5: sums.md5.or(source.md5), ..like(&source, metadata, copy) };
    let version = commit(call, &container, &conditions, new, CommitKind::Copy)?;
    Ok(Answer::new(202)
        .version(version.0, version.1)
        .crc64(Some(sums.crc64))
        .with("x-ms-copy-id", id)
        .with("x-ms-copy-status", "success"))
}

/// Copies content, block list, MD5 and, without own metadata, that too. While it is pending, the
/// blob is there and empty.
pub async fn copy_blob(call: &Call<'_>) -> Outcome<Answer> {
    let metadata = Metadata::of_request(call.headers)?;
    let conditions = Conditions::of_request(call.headers)?;
    let container = call.open_container()?;
    let source = source::open(call)?;
    let length = source.content.length();
    let (content, sums) = source::take(call, &container, &source, 0..length, false).await;
    let pending = call.emulator.config.copy_pending;
    let copy = record(call, length, "success");
    let id = copy.id.clone();
    let new = NewBlob { content, crc64: Some(sums.crc64), md5: source.md5, ..like(&source, metadata, copy) };

    let mut state = container.open()?;
    let before = state.entry(&call.name, call.now);
    call.check_write(before.as_deref(), &conditions)?;
    let before = before.and_then(|entry| entry.committed.clone());
    let mut done = build(call, before, new);
    done.blocks = source.blocks.clone();
    tree::make_way(&mut state, &call.name, call.now, || call.next_etag())?;
    call.record(CommitKind::Copy, Some(done.etag));
    let Some(delay) = pending else {
        let version = (done.etag, done.modified);
        state.commit(&call.name, done, call.now);
        return Ok(answer(version, id, "success"));
    };
    let mut empty = empty_while_pending(&done, length);
    empty.etag = call.next_etag();
    (done.etag, done.modified) = (call.next_etag(), call.now + delay);
    let version = (empty.etag, empty.modified);
    state.commit(&call.name, empty, call.now);
    if let Some(entry) = state.blobs.get_mut(&call.name) {
        entry.pending = Some((call.now + delay, done));
    }
    Ok(answer(version, id, "pending"))
}

/// Abort Copy Blob: what was to come does not come.
pub fn abort(call: &Call<'_>) -> Outcome<Answer> {
    let container = call.open_container()?;
    let mut state = container.open()?;
    let entry = state.entry(&call.name, call.now).ok_or_else(ServiceError::blob_not_found)?;
    call.check_lease(Some(entry))?;
    if entry.pending.take().is_none() {
        return Err(ServiceError::new(409, "NoPendingCopyOperation", "There is currently no pending copy operation."));
    }
    Ok(Answer::new(204))
}

fn answer(version: (crate::emulator::clock::Etag, std::time::SystemTime), id: String, status: &'static str) -> Answer {
    Answer::new(202).version(version.0, version.1).with("x-ms-copy-id", id).with("x-ms-copy-status", status)
}

/// A new blob with the source's properties; content and checksums are filled in by the caller.
fn like(source: &Blob, metadata: Metadata, copy: Copy) -> NewBlob {
    NewBlob {
        content: Content::kept(Vec::new()),
        crc64: None,
        md5: None,
        properties: source.properties.clone(),
        metadata: if metadata.is_empty() { source.metadata.clone() } else { metadata },
        copy: Some(copy),
    }
}

fn record(call: &Call<'_>, length: u64, status: &'static str) -> Copy {
    Copy {
        id: call.emulator.new_guid(),
        source: call.header("x-ms-copy-source").unwrap_or("").to_owned(),
        status,
        copied: length,
        total: length,
        completed: Some(call.now),
    }
}

fn empty_while_pending(done: &Blob, total: u64) -> Blob {
    let copy = done.copy.clone().map(|copy| Copy { status: "pending", copied: 0, total, completed: None, ..copy });
    Blob {
        content: Content::kept(Vec::new()),
        crc64: Some(0),
        md5: None,
        blocks: Default::default(),
        copy,
        ..done.clone()
    }
}
