//! What native clients (`abfss://`) ask of the Data Lake endpoint: make, append, flush, rename, delete.

use std::sync::Arc;
use std::time::SystemTime;

use http::header::{HeaderName, HeaderValue};
use http::request;

use super::put_blob::{NewBlob, build};
use crate::emulator::answer::Answer;
use crate::emulator::call::Call;
use crate::emulator::checksum::{Summer, unbase64};
use crate::emulator::clock::rfc3339_seven;
use crate::emulator::condition::{Conditions, Verdict};
use crate::emulator::config::ContentMd5;
use crate::emulator::content::Content;
use crate::emulator::error::{Outcome, ServiceError};
use crate::emulator::events::CommitKind;
use crate::emulator::intake::{Incoming, receive};
use crate::emulator::names::BlobName;
use crate::emulator::properties::{Metadata, Properties};
use crate::emulator::store::{Blob, BlobKind, ContainerState};
use crate::emulator::target::{Query, percent_decode};
use crate::emulator::tree;
use crate::net::Body;

/// 100 MiB, the bound of one append.
const APPEND_MAX: u64 = 100 << 20;

/// Path - Create: a file or a directory.
pub fn create(call: &Call<'_>) -> Outcome<Answer> {
    let directory = match call.query.get("resource") {
        Some("file") => false,
        Some("directory") => true,
        other => return Err(ServiceError::query_value("resource", other.unwrap_or(""), "Not one of file, directory.")),
    };
    let metadata = metadata(call)?;
    let conditions = Conditions::of_request(call.headers)?;
    let container = call.open_container()?;
    let mut state = container.open()?;
    let before = committed(&mut state, &call.name, call.now);
    if before.is_some() && call.header("if-none-match") == Some("*") {
        return Err(exists(before.as_deref()));
    }
    conditions.check_write(before.as_deref(), false, false)?;
    if before.as_ref().is_some_and(|blob| (blob.kind == BlobKind::Directory) != directory) {
        return Err(ServiceError::path_conflict());
    }
    make_parents(call, &mut state, &call.name)?;
    let etag = if directory {
        let etag = call.next_etag();
        tree::make_directory(&mut state, &call.name, metadata, call.now, etag);
        etag
    } else {
        let blob = file(call, before, Content::kept(Vec::new()), Properties::of_request(call.headers), metadata);
        let etag = blob.etag;
        state.commit(&call.name, blob, call.now);
        etag
    };
    if let Some(entry) = state.blobs.get_mut(&call.name) {
        entry.appended.clear();
    }
    call.record(CommitKind::PutBlob, Some(etag));
    Ok(Answer::new(201).version(etag, call.now).with("x-ms-request-server-encrypted", "true"))
}

/// Path - Update, append: bytes that nobody sees before they are flushed.
pub async fn append(call: &Call<'_>, body: Incoming) -> Outcome<Answer> {
    let length = call.content_length(APPEND_MAX)?;
    let position = position(call)?;
    let container = call.open_container()?;
    let mut summer = Summer::new(ContentMd5::Omit, false, length);
    let pieces = receive(body, length, true, &mut summer).await?;
    let mut state = container.open()?;
    let entry = state.entry(&call.name, call.now).ok_or_else(ServiceError::path_not_found)?;
    let blob = entry.committed.clone().ok_or_else(ServiceError::path_not_found)?;
    if blob.kind == BlobKind::Directory {
        return Err(ServiceError::path_conflict());
    }
    if blob.content.length() + length_of(&entry.appended) != position {
        return Err(ServiceError::invalid_flush_position());
    }
    entry.appended.extend(pieces);
    Ok(Answer::new(202).with("x-ms-request-server-encrypted", "true"))
}

/// Path - Update, flush: makes visible what was appended.
pub fn flush(call: &Call<'_>) -> Outcome<Answer> {
    let position = position(call)?;
    let conditions = Conditions::of_request(call.headers)?;
    let container = call.open_container()?;
    let mut state = container.open()?;
    let entry = state.entry(&call.name, call.now).ok_or_else(ServiceError::path_not_found)?;
    let blob = entry.committed.clone().ok_or_else(ServiceError::path_not_found)?;
    call.check_write(Some(entry), &conditions)?;
    if blob.content.length() + length_of(&entry.appended) != position {
        return Err(ServiceError::invalid_flush_position());
    }
    let mut pieces = blob.content.slice(0..blob.content.length());
    pieces.append(&mut entry.appended);
    let content = if container.keeps_content {
        Content::kept(pieces)
    } else {
        container.content(call.account, &call.name, Vec::new(), position)
    };
    let blob = file(call, Some(blob.clone()), content, blob.properties.clone(), blob.metadata.clone());
    let etag = blob.etag;
    call.record(CommitKind::PutBlockList, Some(etag));
    state.commit(&call.name, blob, call.now);
    // Recorded so, although everything is encrypted.
    Ok(Answer::new(200).version(etag, call.now).with("x-ms-request-server-encrypted", "false"))
}

/// Path - Delete.
pub fn delete(call: &Call<'_>) -> Outcome<Answer> {
    let conditions = Conditions::of_request(call.headers)?;
    let container = call.open_container()?;
    let mut state = container.open()?;
    let before = committed(&mut state, &call.name, call.now).ok_or_else(ServiceError::path_not_found)?;
    conditions.check_write(Some(&before), false, false)?;
    let below = if before.kind == BlobKind::Directory { tree::below(&state, &call.name) } else { Vec::new() };
    if !below.is_empty() && call.query.get("recursive") != Some("true") {
        return Err(ServiceError::directory_not_empty());
    }
    for name in below.iter().chain([&call.name]) {
        state.blobs.remove(name);
    }
    call.record(CommitKind::Delete, None);
    Ok(Answer::new(200).with("x-ms-delete-type-permanent", "true"))
}

/// Path - Create with a source: a rename, which keeps ETag and Last-Modified, also of files.
pub fn rename(call: &Call<'_>) -> Outcome<Answer> {
    let source = source(call)?;
    let container = call.open_container()?;
    let from = call.account.container(&source.0)?;
    if source.0 != call.container {
        check_target(call, &mut *container.open()?, &source.1)?;
    }
    let moved: Vec<(BlobName, crate::emulator::store::Entry)> = {
        let mut state = from.open()?;
        let blob = committed(&mut state, &source.1, call.now).ok_or_else(ServiceError::source_path_not_found)?;
        if Conditions::of_source(call.headers)?.verdict(&blob) != Verdict::Met {
            return Err(ServiceError::source_condition_not_met());
        }
        if source.0 == call.container {
            check_target(call, &mut state, &source.1)?;
        }
        let names = tree::below(&state, &source.1).into_iter().chain([source.1.clone()]);
        names.filter_map(|name| state.blobs.remove_entry(&name)).collect()
    };
    let mut state = container.open()?;
    let mut etag = None;
    for (name, entry) in moved {
        let rest = name.as_str().get(source.1.as_str().len()..).unwrap_or_default();
        if rest.is_empty() {
            etag = entry.committed.as_ref().map(|blob| (blob.etag, blob.modified));
        }
        state.blobs.insert(BlobName::new(format!("{}{rest}", call.name.as_str()), call.name.order()), entry);
    }
    let (etag, modified) = etag.ok_or_else(ServiceError::source_path_not_found)?;
    call.record(CommitKind::Copy, Some(etag));
    Ok(Answer::new(201).version(etag, modified))
}

/// Whether a request is one of the Data Lake endpoint's: its errors are JSON.
pub fn speaks(head: &request::Parts) -> bool {
    let host = head.headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or_default();
    let query = Query::parse(head.uri.query().unwrap_or("")).unwrap_or_default();
    let asks = ["resource", "action", "recursive"].iter().any(|name| query.get(name).is_some());
    host.contains(".dfs.") || query.get("comp").is_none() && asks || head.headers.contains_key("x-ms-rename-source")
}

/// An error as the Data Lake endpoint words it.
pub fn error_answer(mut answer: Answer, error: &ServiceError, request_id: &str, now: SystemTime) -> Answer {
    answer = answer.with("server", "Windows-Azure-HDFS/1.0 Microsoft-HTTPAPI/2.0");
    if matches!(answer.body, Body::Empty | Body::Stream { .. }) {
        return answer;
    }
    let message = format!("{}\nRequestId:{request_id}\nTime:{}", error.message, rfc3339_seven(now));
    let document = serde_json::json!({"error": {"code": error.code, "message": message}});
    answer.body = Body::from(bytes::Bytes::from(document.to_string()));
    answer.with("content-type", "application/json;charset=utf-8")
}

fn check_target(call: &Call<'_>, state: &mut ContainerState, source: &BlobName) -> Outcome<()> {
    let before = committed(state, &call.name, call.now);
    if before.is_some() && call.header("if-none-match") == Some("*") {
        return Err(exists(before.as_deref()));
    }
    Conditions::of_request(call.headers)?.check_write(before.as_deref(), false, false)?;
    if tree::is_full_directory(state, &call.name) || call.name.as_str().starts_with(&source.below()) {
        return Err(ServiceError::path_conflict());
    }
    match call.name.parents().last() {
        Some(parent) if !tree::is_directory(state, &parent) => Err(ServiceError::rename_parent_not_found()),
        _ => Ok(()),
    }
}

/// Container and name of `x-ms-rename-source`.
fn source(call: &Call<'_>) -> Outcome<(String, BlobName)> {
    let text = call.header("x-ms-rename-source").unwrap_or_default();
    let wrong = || ServiceError::header_value("x-ms-rename-source", text);
    let path = text.split('?').next().and_then(percent_decode).ok_or_else(wrong)?;
    let path = path.strip_prefix('/').ok_or_else(wrong)?;
    let (container, name) = path.split_once('/').ok_or_else(wrong)?;
    Ok((container.to_owned(), call.account.blob_name(name)))
}

fn make_parents(call: &Call<'_>, state: &mut ContainerState, name: &BlobName) -> Outcome<()> {
    let parents: Vec<_> = name.parents().collect();
    for parent in parents {
        match committed(state, &parent, call.now) {
            Some(blob) if blob.kind == BlobKind::Directory => {}
            Some(_) => return Err(ServiceError::path_conflict()),
            None => tree::make_directory(state, &parent, Metadata::default(), call.now, call.next_etag()),
        }
    }
    Ok(())
}

fn committed(state: &mut ContainerState, name: &BlobName, now: SystemTime) -> Option<Arc<Blob>> {
    state.entry(name, now)?.committed.clone()
}

/// A file of this endpoint has no MD5.
fn file(
    call: &Call<'_>,
    before: Option<Arc<Blob>>,
    content: Content,
    properties: Properties,
    metadata: Metadata,
) -> Blob {
    let new =
        NewBlob { content, crc64: None, md5: None, properties: properties.or_octet_stream(), metadata, copy: None };
    Blob { kind: BlobKind::DataLake, ..build(call, before, new) }
}

fn exists(blob: Option<&Blob>) -> ServiceError {
    let kind = blob.map_or("file", tree::resource_type);
    ServiceError::path_already_exists().header(HeaderName::from_static("x-ms-existing-resource-type"), kind)
}

fn position(call: &Call<'_>) -> Outcome<u64> {
    let text = call.query.get("position").ok_or_else(|| ServiceError::missing_query("position"))?;
    text.parse().map_err(|_| ServiceError::query_value("position", text, "Not a number."))
}

fn length_of(pieces: &[bytes::Bytes]) -> u64 {
    pieces.iter().map(|piece| piece.len() as u64).sum()
}

/// `x-ms-properties: name=<base64>,...`
fn metadata(call: &Call<'_>) -> Outcome<Metadata> {
    let Some(text) = call.header("x-ms-properties").filter(|text| !text.is_empty()) else {
        return Ok(Metadata::default());
    };
    let pair = |item: &str| {
        let (name, value) = item.split_once('=')?;
        let name = HeaderName::try_from(format!("x-ms-meta-{}", name.trim())).ok()?;
        Some((name, HeaderValue::from_bytes(&unbase64(value)?).ok()?))
    };
    let pairs: Option<Vec<_>> = text.split(',').map(pair).collect();
    pairs.map(|pairs| Metadata(Arc::new(pairs))).ok_or_else(|| ServiceError::header_value("x-ms-properties", text))
}
