//! Get Block List.

use crate::emulator::answer::Answer;
use crate::emulator::call::Call;
use crate::emulator::checksum::base64;
use crate::emulator::error::{Outcome, ServiceError};
use crate::emulator::lease;

pub fn get_block_list(call: &Call<'_>) -> Outcome<Answer> {
    let kind = call.query.get("blocklisttype").unwrap_or("committed");
    let (committed, uncommitted) = match kind {
        "committed" => (true, false),
        "uncommitted" => (false, true),
        "all" => (true, true),
        other => {
            return Err(ServiceError::query_value("blocklisttype", other, "Not one of committed, uncommitted, all."));
        }
    };
    let container = call.open_container()?;
    let mut state = container.open()?;
    let entry = state.entry(&call.name, call.now).ok_or_else(ServiceError::blob_not_found)?;
    lease::check_read(entry.lease.as_ref(), call.lease_id(), call.now)?;
    if call.header("x-ms-if-tags").is_some() {
        return Err(ServiceError::condition_not_met());
    }
    let mut text = String::from("\u{FEFF}<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>");
    if committed {
        let blocks = entry.committed.iter().flat_map(|blob| blob.blocks.iter());
        list(&mut text, "CommittedBlocks", blocks.map(|(id, block)| (id.as_slice(), block.content.length())));
    }
    if uncommitted {
        let blocks = entry.uncommitted.blocks.iter();
        list(&mut text, "UncommittedBlocks", blocks.map(|(id, block)| (id.as_slice(), block.content.length())));
    }
    text.push_str("</BlockList>");
    let answer = Answer::new(200).xml(text);
    Ok(match &entry.committed {
        Some(blob) => answer.version(blob.etag, blob.modified).with("x-ms-blob-content-length", blob.content.length()),
        None => answer,
    })
}

fn list<'a>(text: &mut String, name: &str, blocks: impl Iterator<Item = (&'a [u8], u64)>) {
    let mut blocks = blocks.peekable();
    if blocks.peek().is_none() {
        text.push_str(&format!("<{name} />"));
        return;
    }
    text.push_str(&format!("<{name}>"));
    for (id, length) in blocks {
        text.push_str(&format!("<Block><Name>{}</Name><Size>{length}</Size></Block>", base64(id)));
    }
    text.push_str(&format!("</{name}>"));
}
