//! Put Blob and Put Blob From URL: one atomic write.

use std::sync::Arc;

use super::source;
use crate::emulator::answer::Answer;
use crate::emulator::call::Call;
use crate::emulator::checksum::{Claim, Summer};
use crate::emulator::condition::Conditions;
use crate::emulator::content::Content;
use crate::emulator::error::{Outcome, ServiceError};
use crate::emulator::events::CommitKind;
use crate::emulator::intake::{Incoming, receive};
use crate::emulator::properties::{Metadata, Properties};
use crate::emulator::store::{Blob, BlobKind, Container, Copy};
use crate::emulator::tree;

/// 5000 MiB.
const PUT_BLOB_MAX: u64 = 5000 << 20;

pub async fn put_blob(call: &Call<'_>, body: Incoming) -> Outcome<Answer> {
    let length = call.content_length(PUT_BLOB_MAX)?;
    let content_md5 = call.header("x-ms-blob-content-md5").or(call.header("content-md5"));
    let claim = Claim::parse(content_md5, call.header("x-ms-content-crc64"))?;
    let properties = Properties::of_request(call.headers).or(Properties::plain(call.headers)).or_octet_stream();
    let metadata = Metadata::of_request(call.headers)?;
    let conditions = Conditions::of_request(call.headers)?;
    let container = call.open_container()?;

    let mut summer = Summer::new(call.account.config.content_md5, claim.md5.is_some(), length);
    let pieces = receive(body, length, container.keeps_content, &mut summer).await?;
    let sums = summer.finish(&call.account.known_md5);
    claim.verify(&sums)?;

    let content = container.content(call.account, &call.name, pieces, length);
    let new = NewBlob { content, crc64: Some(sums.crc64), md5: sums.md5, properties, metadata, copy: None };
    let blob = commit(call, &container, &conditions, new, CommitKind::PutBlob)?;
    Ok(Answer::new(201).version(blob.0, blob.1).md5(sums.md5).crc64(Some(sums.crc64)).written())
}

pub async fn put_blob_from_url(call: &Call<'_>) -> Outcome<Answer> {
    if call.content_length(u64::MAX)? != 0 {
        return Err(ServiceError::header_value("Content-Length", call.header("content-length").unwrap_or("")));
    }
    let claim = Claim::parse(call.header("x-ms-source-content-md5"), call.header("x-ms-source-content-crc64"))?;
    let metadata = Metadata::of_request(call.headers)?;
    let conditions = Conditions::of_request(call.headers)?;
    let container = call.open_container()?;
    let source = source::open(call)?;
    let length = source.content.length();
    if length > PUT_BLOB_MAX {
        return Err(ServiceError::new(
            409,
            "CannotVerifyCopySource",
            "The source is larger than the operation can copy.",
        ));
    }
    let (content, sums) = source::take(call, &container, &source, 0..length, claim.md5.is_some()).await;
    claim.verify(&sums)?;

    let sent = Properties::of_request(call.headers);
    let copied = call.header("x-ms-copy-source-blob-properties") != Some("false");
    let properties = if copied { sent.or(source.properties.clone()) } else { sent };
    let new = NewBlob {
        content,
        crc64: Some(sums.crc64),
        md5: sums.md5,
        properties: properties.or_octet_stream(),
        metadata: if metadata.is_empty() { source.metadata.clone() } else { metadata },
        copy: None,
    };
    let version = commit(call, &container, &conditions, new, CommitKind::Copy)?;
    // Before 2026-10-06 the MD5 is answered only where one was sent, and then alone.
    let both = call.version_at_least("2026-10-06");
    let md5 = sums.md5.filter(|_| claim.md5.is_some());
    let crc64 = (both || md5.is_none()).then_some(sums.crc64);
    Ok(Answer::new(201).version(version.0, version.1).md5(md5).crc64(crc64).written())
}

/// What a write makes of a blob; the rest is set when it is committed.
pub struct NewBlob {
    pub content: Content,
    pub crc64: Option<u64>,
    pub md5: Option<[u8; 16]>,
    pub properties: Properties,
    pub metadata: Metadata,
    pub copy: Option<Copy>,
}

/// Judges and commits a whole new content.
pub fn commit(
    call: &Call<'_>,
    container: &Container,
    conditions: &Conditions,
    new: NewBlob,
    kind: CommitKind,
) -> Outcome<(crate::emulator::clock::Etag, std::time::SystemTime)> {
    let mut state = container.open()?;
    let before = state.entry(&call.name, call.now);
    call.check_write(before.as_deref(), conditions)?;
    let blob = build(call, before.and_then(|entry| entry.committed.clone()), new);
    let version = (blob.etag, blob.modified);
    tree::make_way(&mut state, &call.name, call.now, || call.next_etag())?;
    call.record(kind, Some(blob.etag));
    state.commit(&call.name, blob, call.now);
    Ok(version)
}

/// Creation time and an explicit tier outlive an overwrite, as recorded.
pub fn build(call: &Call<'_>, before: Option<Arc<Blob>>, new: NewBlob) -> Blob {
    let sent_tier = call.header("x-ms-access-tier").map(|tier| (tier.to_owned(), call.now));
    Blob {
        etag: call.next_etag(),
        created: before.as_ref().map_or(call.now, |blob| blob.created),
        modified: call.now,
        content: new.content,
        crc64: new.crc64,
        md5: new.md5,
        properties: new.properties,
        metadata: new.metadata,
        blocks: Arc::default(),
        tier: sent_tier.or_else(|| before.and_then(|blob| blob.tier.clone())),
        copy: new.copy,
        kind: BlobKind::Blob,
    }
}
