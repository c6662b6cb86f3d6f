//! The tree of a hierarchical account: directories are entries, and a name is one thing only.

use std::sync::Arc;
use std::time::SystemTime;

use http::header::{HeaderName, HeaderValue};

use super::clock::Etag;
use super::content::Content;
use super::error::{Outcome, ServiceError};
use super::names::BlobName;
use super::properties::{Metadata, Properties};
use super::store::{Blob, BlobKind, ContainerState, Entry};

/// Checks that a file may be at `name`, and makes the directories that it lies in. Does nothing in flat
/// accounts.
///
/// # Errors
/// `ResourceTypeMismatch` if `name` is a directory or lies below a file.
pub(super) fn make_way(
    state: &mut ContainerState,
    name: &BlobName,
    now: SystemTime,
    next_etag: impl Fn() -> Etag,
) -> Outcome<()> {
    check_way(state, name)?;
    if !name.is_path() {
        return Ok(());
    }
    for parent in name.parents() {
        if !is_committed(state, &parent) {
            make_directory(state, &parent, Metadata::default(), now, next_etag());
        }
    }
    Ok(())
}

/// As [`make_way`], without making anything.
pub(super) fn check_way(state: &ContainerState, name: &BlobName) -> Outcome<()> {
    if !name.is_path() {
        return Ok(());
    }
    let kind = |name: &BlobName| Some(state.blobs.get(name)?.committed.as_ref()?.kind);
    let below_file = name.parents().any(|parent| kind(&parent).is_some_and(|kind| kind != BlobKind::Directory));
    if below_file || kind(name) == Some(BlobKind::Directory) {
        return Err(ServiceError::resource_type_mismatch_path());
    }
    Ok(())
}

/// # Errors
/// `BlobOperationNotSupported` for a file that a Data Lake client has created.
pub(super) fn takes_blocks(entry: Option<&Entry>) -> Outcome<()> {
    match entry.and_then(|entry| entry.committed.as_ref()) {
        Some(blob) if blob.kind == BlobKind::DataLake => Err(ServiceError::blob_operation_not_supported()),
        _ => Ok(()),
    }
}

/// Puts a directory at `name`, over whatever is there.
pub(super) fn make_directory(
    state: &mut ContainerState,
    name: &BlobName,
    metadata: Metadata,
    now: SystemTime,
    etag: Etag,
) {
    let mut pairs = metadata.0.as_ref().clone();
    pairs.push((HeaderName::from_static("x-ms-meta-hdi_isfolder"), HeaderValue::from_static("true")));
    let directory = Blob {
        etag,
        created: now,
        modified: now,
        content: Content::kept(Vec::new()),
        crc64: Some(0),
        md5: None,
        properties: Properties::default().or_octet_stream(),
        metadata: Metadata(Arc::new(pairs)),
        blocks: Arc::default(),
        tier: None,
        copy: None,
        kind: BlobKind::Directory,
    };
    state.commit(name, directory, now);
}

/// Whether `name` is a directory with something in it.
pub(super) fn is_full_directory(state: &ContainerState, name: &BlobName) -> bool {
    is_directory(state, name) && !below(state, name).is_empty()
}

pub(super) fn is_directory(state: &ContainerState, name: &BlobName) -> bool {
    let blob = state.blobs.get(name).and_then(|entry| entry.committed.as_ref());
    blob.is_some_and(|blob| blob.kind == BlobKind::Directory)
}

/// All committed names below a directory, in order.
pub(super) fn below(state: &ContainerState, name: &BlobName) -> Vec<BlobName> {
    let prefix = name.below();
    let from = BlobName::new(prefix.as_str(), name.order());
    let names = state.blobs.range(from..).take_while(|(name, _)| name.as_str().starts_with(&prefix));
    names.filter(|(_, entry)| entry.committed.is_some()).map(|(name, _)| name.clone()).collect()
}

pub(super) fn resource_type(blob: &Blob) -> &'static str {
    if blob.kind == BlobKind::Directory { "directory" } else { "file" }
}

pub(super) fn permissions(blob: &Blob) -> &'static str {
    if blob.kind == BlobKind::Directory { "rwxr-x---" } else { "rw-r-----" }
}

fn is_committed(state: &ContainerState, name: &BlobName) -> bool {
    state.blobs.get(name).is_some_and(|entry| entry.committed.is_some())
}
