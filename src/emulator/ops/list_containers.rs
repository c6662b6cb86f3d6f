//! List Containers.

use super::list_blobs::{page_size, read_marker, write_marker};
use crate::emulator::answer::Answer;
use crate::emulator::call::Call;
use crate::emulator::clock::rfc1123;
use crate::emulator::error::{Outcome, ServiceError};
use crate::emulator::xml::element;

pub fn list_containers(call: &Call<'_>) -> Outcome<Answer> {
    let get = |name| call.query.get(name).unwrap_or("");
    let (max, prefix) = (page_size(call)?, get("prefix"));
    let start = match get("marker") {
        "" => prefix.to_owned(),
        text => read_marker(text).ok_or_else(|| ServiceError::query_value("marker", text, "Invalid marker."))?,
    };
    let mut out =
        String::from("\u{FEFF}<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults ServiceEndpoint=\"");
    out.push_str(&call.emulator.service_endpoint(call));
    out.push_str("\">");
    if !prefix.is_empty() {
        element(&mut out, "Prefix", prefix);
    }
    if call.query.get("maxresults").is_some() {
        element(&mut out, "MaxResults", &max.to_string());
    }
    out.push_str("<Containers>");
    let mut containers = call.account.containers_from(&start).into_iter().filter(|c| c.name.starts_with(prefix));
    for container in containers.by_ref().take(max) {
        let Ok(state) = container.open() else { continue };
        out.push_str("<Container>");
        element(&mut out, "Name", &container.name);
        out.push_str("<Properties>");
        element(&mut out, "Last-Modified", &rfc1123(state.modified));
        element(&mut out, "Etag", &format!("\"{}\"", state.etag));
        for (name, value) in [
            ("LeaseStatus", "unlocked"),
            ("LeaseState", "available"),
            ("DefaultEncryptionScope", "$account-encryption-key"),
            ("DenyEncryptionScopeOverride", "false"),
            ("HasImmutabilityPolicy", "false"),
            ("HasLegalHold", "false"),
        ] {
            element(&mut out, name, value);
        }
        out.push_str("</Properties>");
        if get("include").split(',').any(|include| include == "metadata") {
            state.metadata.xml(&mut out);
        }
        out.push_str("</Container>");
    }
    out.push_str("</Containers>");
    let next = containers.next().map(|container| write_marker(&container.name)).unwrap_or_default();
    element(&mut out, "NextMarker", &next);
    out.push_str("</EnumerationResults>");
    Ok(Answer::new(200).xml(out))
}
