//! List Blobs: in UTF-16 order, prefixes among the names, pages by opaque marker.

use std::collections::btree_map;
use std::ops::Bound;
use std::sync::Arc;
use std::time::SystemTime;

use crate::emulator::answer::{Answer, LeaseView};
use crate::emulator::call::Call;
use crate::emulator::checksum::{base64, unbase64};
use crate::emulator::clock::rfc1123;
use crate::emulator::error::{Outcome, ServiceError};
use crate::emulator::names::{BlobName, utf16_order};
use crate::emulator::store::{Blob, ContainerState, Entry};
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
}

/// An entry of a page.
enum Shown {
    Blob { name: String, blob: Option<Arc<Blob>>, lease: LeaseView },
    Prefix(String),
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
    let max = page_size(call)?;
    let prefix = get("prefix");
    let marker = match get("marker") {
        "" => None,
        text => Some(read_marker(text).ok_or_else(|| ServiceError::query_value("marker", text, "Invalid marker."))?),
    };
    // Older versions do not know the parameter, and unknown ones are ignored.
    let start_from = if call.version_at_least("2026-02-06") { get("startFrom") } else { "" };
    let start = marker.unwrap_or_else(|| {
        if utf16_order(start_from, prefix).is_gt() { start_from.to_owned() } else { prefix.to_owned() }
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

/// The entries of a page, and the first one that did not fit.
fn collect(state: &mut ContainerState, wanted: &Wanted<'_>) -> (Vec<Shown>, Option<String>) {
    let mut page = Vec::new();
    let mut start = wanted.start.clone();
    loop {
        let mut names = state.blobs.range_mut((Bound::Included(BlobName(start)), Bound::Unbounded));
        match take_run(&mut names, wanted, &mut page) {
            Run::End => return (page, None),
            Run::Full(next) => return (page, Some(next)),
            // The next name that does not begin with the prefix is near: only names with U+FFFF
            // right after the prefix lie between.
            Run::Group(prefix) => start = format!("{prefix}\u{FFFF}"),
        }
    }
}

enum Run {
    End,
    Full(String),
    /// A prefix was shown; what it stands for is to be jumped over.
    Group(String),
}

fn take_run(names: &mut btree_map::RangeMut<'_, BlobName, Entry>, wanted: &Wanted<'_>, page: &mut Vec<Shown>) -> Run {
    let last_prefix = match page.last() {
        Some(Shown::Prefix(prefix)) => Some(prefix.clone()),
        _ => None,
    };
    for (BlobName(name), entry) in names {
        if !name.starts_with(wanted.prefix) {
            if utf16_order(name, wanted.prefix).is_gt() {
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
        let shown = match group(name, wanted) {
            Some(prefix) => Shown::Prefix(prefix.to_owned()),
            None => Shown::Blob {
                name: name.clone(),
                blob: entry.committed.clone(),
                lease: LeaseView::of(entry.lease.as_ref(), wanted.now),
            },
        };
        if page.len() == wanted.max {
            return Run::Full(match shown {
                Shown::Blob { name, .. } | Shown::Prefix(name) => name,
            });
        }
        let jump = match &shown {
            Shown::Prefix(prefix) => Some(prefix.clone()),
            Shown::Blob { .. } => None,
        };
        page.push(shown);
        if let Some(prefix) = jump {
            return Run::Group(prefix);
        }
    }
    Run::End
}

/// The part of a name up to and with the first delimiter after the prefix.
fn group<'n>(name: &'n str, wanted: &Wanted<'_>) -> Option<&'n str> {
    if wanted.delimiter.is_empty() {
        return None;
    }
    let rest = name.get(wanted.prefix.len()..)?;
    let end = wanted.prefix.len() + rest.find(wanted.delimiter)? + wanted.delimiter.len();
    name.get(..end)
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
            Shown::Prefix(prefix) => {
                out.push_str("<BlobPrefix>");
                name_element(&mut out, "Name", prefix);
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
    element(out, "Content-Length", &blob.content.length().to_string());
    element(out, "Content-Type", &text(&blob.properties.content_type));
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
