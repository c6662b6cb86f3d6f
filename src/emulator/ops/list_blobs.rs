//! List Blobs: in the account's order, prefixes among the names, pages by opaque marker. Directories of
//! hierarchical accounts are entries, and with a delimiter prefixes with properties of their own.

use std::collections::btree_map;
use std::ops::Bound;
use std::sync::Arc;
use std::time::SystemTime;

use crate::emulator::answer::{Answer, LeaseView};
use crate::emulator::call::Call;
use crate::emulator::checksum::{base64, unbase64};
use crate::emulator::clock::rfc1123;
use crate::emulator::error::{Outcome, ServiceError};
use crate::emulator::names::{BlobName, NameOrder};
use crate::emulator::store::{Blob, BlobKind, ContainerState, Entry};
use crate::emulator::tree;
use crate::emulator::xml::{element, name_element};

/// What a list request asks for.
struct Wanted<'a> {
    prefix: &'a str,
    delimiter: &'a str,
    /// The first name that may be shown.
    start: String,
    max: usize,
    metadata: bool,
    uncommitted: bool,
    copy: bool,
    now: SystemTime,
    order: NameOrder,
}

/// An entry of a page.
enum Shown {
    Blob {
        name: String,
        blob: Option<Arc<Blob>>,
        lease: LeaseView,
    },
    /// `directory`: of a hierarchical account.
    Prefix {
        name: String,
        directory: Option<Arc<Blob>>,
    },
}

pub fn list_blobs(call: &Call<'_>) -> Outcome<Answer> {
    let wanted = parse(call)?;
    let container = call.open_container()?;
    let (page, next) = if call.emulator.page_comes_empty() {
        (Vec::new(), Some(wanted.start.clone()))
    } else {
        let mut state = container.open()?;
        collect(&mut state, &wanted)
    };
    Ok(Answer::new(200).xml(render(call, &wanted, &page, next.as_deref())))
}

fn parse<'a>(call: &'a Call<'_>) -> Outcome<Wanted<'a>> {
    let get = |name| call.query.get(name).unwrap_or("");
    let order = call.account.name_order();
    if order == NameOrder::Tree && !matches!(get("delimiter"), "" | "/") {
        return Err(ServiceError::query_value("delimiter", get("delimiter"), "Only / is a delimiter of this account."));
    }
    let max = page_size(call)?;
    let prefix = get("prefix");
    let marker = match get("marker") {
        "" => None,
        text => Some(read_marker(text).ok_or_else(|| ServiceError::query_value("marker", text, "Invalid marker."))?),
    };
    // Older versions do not know the parameter, and unknown ones are ignored.
    let start_from = if call.version_at_least("2026-02-06") { get("startFrom") } else { "" };
    let start = marker.unwrap_or_else(|| {
        if order.compare(start_from, prefix).is_gt() { start_from.to_owned() } else { prefix.to_owned() }
    });
    let mut wanted = Wanted {
        prefix,
        delimiter: get("delimiter"),
        start,
        max,
        metadata: false,
        uncommitted: false,
        copy: false,
        now: call.now,
        order,
    };
    for include in get("include").split(',').filter(|include| !include.is_empty()) {
        match include {
            "metadata" => wanted.metadata = true,
            "uncommittedblobs" => wanted.uncommitted = true,
            "copy" => wanted.copy = true,
            // Nothing of these kinds exists here.
            "snapshots"
            | "versions"
            | "deleted"
            | "deletedwithversions"
            | "tags"
            | "immutabilitypolicy"
            | "legalhold"
            | "permissions" => {}
            other => return Err(ServiceError::query_value("include", other, "Invalid query parameter value.")),
        }
    }
    Ok(wanted)
}

/// `maxresults`, bounded by the service and by the emulator's own setting.
///
/// # Errors
/// 400 for zero or no number.
pub fn page_size(call: &Call<'_>) -> Outcome<usize> {
    let limit = call.emulator.config.page_max.clamp(1, 5000);
    match call.query.get("maxresults") {
        None | Some("") => Ok(limit),
        Some(text) => match text.parse::<usize>() {
            Ok(0) | Err(_) => Err(ServiceError::new(
                400,
                "OutOfRangeQueryParameterValue",
                "One of the query parameters specified in the request URI is outside the permissible range.",
            )
            .detail("QueryParameterName", "maxresults")
            .detail("QueryParameterValue", text)),
            Ok(max) => Ok(max.min(limit)),
        },
    }
}

/// The entries of a page, and where the next one begins.
fn collect(state: &mut ContainerState, wanted: &Wanted<'_>) -> (Vec<Shown>, Option<String>) {
    let mut page = Vec::new();
    let mut start = wanted.start.clone();
    loop {
        let from = BlobName::new(start, wanted.order);
        let mut names = state.blobs.range_mut((Bound::Included(from), Bound::Unbounded));
        match take_run(&mut names, wanted, &mut page) {
            Run::End => return (page, None),
            Run::Full(next) => return (page, Some(next)),
            // The next name that does not begin with the prefix is near: only names with U+FFFF
            // right after the prefix lie between.
            Run::Group(prefix) => {
                if wanted.order == NameOrder::Tree {
                    show_directory(state, wanted, &mut page);
                }
                start = format!("{prefix}\u{FFFF}");
            }
        }
    }
}

/// Gives the prefix that was shown last the properties of its directory.
fn show_directory(state: &ContainerState, wanted: &Wanted<'_>, page: &mut [Shown]) {
    let Some(Shown::Prefix { name, directory }) = page.last_mut() else { return };
    let key = BlobName::new(name.trim_end_matches('/'), wanted.order);
    *directory = state.blobs.get(&key).and_then(|entry| entry.committed.clone());
}

enum Run {
    End,
    Full(String),
    /// A prefix was shown; what it stands for is to be jumped over.
    Group(String),
}

fn take_run(names: &mut btree_map::RangeMut<'_, BlobName, Entry>, wanted: &Wanted<'_>, page: &mut Vec<Shown>) -> Run {
    let last_prefix = match page.last() {
        Some(Shown::Prefix { name, .. }) => Some(name.clone()),
        _ => None,
    };
    for (name, entry) in names {
        let name = name.as_str();
        if !name.starts_with(wanted.prefix) {
            if wanted.order.compare(name, wanted.prefix).is_gt() {
                return Run::End;
            }
            continue;
        }
        if last_prefix.as_deref().is_some_and(|prefix| name.starts_with(prefix)) {
            continue;
        }
        entry.settle(wanted.now);
        if !(entry.committed.is_some() || wanted.uncommitted && !entry.is_nothing()) {
            continue;
        }
        if page.len() == wanted.max {
            return Run::Full(name.to_owned());
        }
        if let Some(prefix) = group(name, entry, wanted) {
            page.push(Shown::Prefix { name: prefix.clone(), directory: None });
            return Run::Group(prefix);
        }
        page.push(Shown::Blob {
            name: name.to_owned(),
            blob: entry.committed.clone(),
            lease: LeaseView::of(entry.lease.as_ref(), wanted.now),
        });
    }
    Run::End
}

/// The part of a name up to and with the first delimiter after the prefix; a directory stands for what
/// is in it.
fn group(name: &str, entry: &Entry, wanted: &Wanted<'_>) -> Option<String> {
    if wanted.delimiter.is_empty() {
        return None;
    }
    let rest = name.get(wanted.prefix.len()..)?;
    if let Some(at) = rest.find(wanted.delimiter) {
        return name.get(..wanted.prefix.len() + at + wanted.delimiter.len()).map(str::to_owned);
    }
    let directory = entry.committed.as_ref().is_some_and(|blob| blob.kind == BlobKind::Directory);
    directory.then(|| format!("{name}/"))
}

/// The marker of the real service is opaque and so is this: nobody can take it for a name.
pub fn write_marker(name: &str) -> String {
    let text = base64(format!("1!{name}").as_bytes()).replace('=', "-");
    format!("2!{}!{text}", text.len())
}

pub fn read_marker(text: &str) -> Option<String> {
    let (length, text) = text.strip_prefix("2!")?.split_once('!')?;
    if length.parse() != Ok(text.len()) {
        return None;
    }
    let decoded = String::from_utf8(unbase64(&text.replace('-', "="))?).ok()?;
    decoded.strip_prefix("1!").map(str::to_owned)
}

fn render(call: &Call<'_>, wanted: &Wanted<'_>, page: &[Shown], next: Option<&str>) -> String {
    let mut out = String::with_capacity(400 + page.len() * 700);
    out.push_str("\u{FEFF}<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults ServiceEndpoint=\"");
    out.push_str(&call.emulator.service_endpoint(call));
    out.push_str("\" ContainerName=\"");
    out.push_str(&call.container);
    out.push_str("\">");
    for (name, value) in [("Prefix", wanted.prefix), ("Delimiter", wanted.delimiter)] {
        if !value.is_empty() {
            name_element(&mut out, name, value);
        }
    }
    if call.query.get("maxresults").is_some_and(|max| !max.is_empty()) {
        element(&mut out, "MaxResults", &wanted.max.to_string());
    }
    out.push_str("<Blobs>");
    for shown in page {
        match shown {
            Shown::Prefix { name, directory } => {
                out.push_str("<BlobPrefix>");
                name_element(&mut out, "Name", name);
                if let Some(directory) = directory {
                    out.push_str("<Properties>");
                    properties(&mut out, directory, &LeaseView::of(None, wanted.now), wanted);
                    out.push_str("</Properties>");
                }
                out.push_str("</BlobPrefix>");
            }
            Shown::Blob { name, blob, lease } => blob_element(&mut out, name, blob.as_deref(), lease, wanted),
        }
    }
    out.push_str("</Blobs>");
    element(&mut out, "NextMarker", &next.map(write_marker).unwrap_or_default());
    out.push_str("</EnumerationResults>");
    out
}

fn blob_element(out: &mut String, name: &str, blob: Option<&Blob>, lease: &LeaseView, wanted: &Wanted<'_>) {
    out.push_str("<Blob>");
    name_element(out, "Name", name);
    out.push_str("<Properties>");
    match blob {
        Some(blob) => properties(out, blob, lease, wanted),
        None => {
            let rest = [
                ("Content-Length", "0"),
                ("BlobType", "BlockBlob"),
                ("AccessTier", "Hot"),
                ("AccessTierInferred", "true"),
            ];
            rest.into_iter().for_each(|(name, value)| element(out, name, value));
            leased(out, lease);
        }
    }
    out.push_str("</Properties>");
    if let Some(blob) = blob.filter(|_| wanted.metadata) {
        blob.metadata.xml(out);
    }
    out.push_str("<OrMetadata /></Blob>");
}

fn properties(out: &mut String, blob: &Blob, lease: &LeaseView, wanted: &Wanted<'_>) {
    let text =
        |value: &Option<http::HeaderValue>| value.as_ref().and_then(|v| v.to_str().ok()).unwrap_or("").to_owned();
    element(out, "Creation-Time", &rfc1123(blob.created));
    element(out, "Last-Modified", &rfc1123(blob.modified));
    element(out, "Etag", &blob.etag.to_string());
    if wanted.order == NameOrder::Tree {
        element(out, "ResourceType", tree::resource_type(blob));
    }
    element(out, "Content-Length", &blob.content.length().to_string());
    let content_type = Some(&blob.properties.content_type).filter(|_| blob.kind != BlobKind::Directory);
    element(out, "Content-Type", &content_type.map(text).unwrap_or_default());
    element(out, "Content-Encoding", &text(&blob.properties.encoding));
    element(out, "Content-Language", &text(&blob.properties.language));
    element(out, "Content-CRC64", "");
    element(out, "Content-MD5", &blob.md5.map(|md5| base64(&md5)).unwrap_or_default());
    element(out, "Cache-Control", &text(&blob.properties.cache_control));
    element(out, "Content-Disposition", &text(&blob.properties.disposition));
    element(out, "BlobType", "BlockBlob");
    match &blob.tier {
        Some((tier, changed)) => {
            element(out, "AccessTier", tier);
            element(out, "AccessTierChangeTime", &rfc1123(*changed));
        }
        None => {
            element(out, "AccessTier", "Hot");
            element(out, "AccessTierInferred", "true");
        }
    }
    leased(out, lease);
    if let Some(copy) = blob.copy.as_ref().filter(|_| wanted.copy) {
        element(out, "CopyId", &copy.id);
        element(out, "CopySource", &copy.source);
        element(out, "CopyStatus", copy.status);
        element(out, "CopyProgress", &format!("{}/{}", copy.copied, copy.total));
    }
}

fn leased(out: &mut String, lease: &LeaseView) {
    element(out, "LeaseStatus", lease.status);
    element(out, "LeaseState", lease.state);
    if let Some(duration) = lease.duration {
        element(out, "LeaseDuration", duration);
    }
    element(out, "ServerEncrypted", "true");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_are_opaque_and_checked() {
        for name in ["", "a", "dir/\u{FFFF}é😀", "x!y"] {
            let marker = write_marker(name);
            assert_eq!(read_marker(&marker).as_deref(), Some(name));
            assert!(!marker.contains('='));
        }
        for bad in ["", "a", "2!", "2!4!YQ--x", "2!1!a", "1!4!MSFh"] {
            assert_eq!(read_marker(bad), None, "{bad}");
        }
    }
}
