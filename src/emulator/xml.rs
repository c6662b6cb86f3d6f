//! The little XML that the service writes, and the block list that it reads.

use quick_xml::Reader;
use quick_xml::events::Event;

use super::error::{Outcome, ServiceError};

/// Appends `text` with the characters escaped that XML gives a meaning.
pub(super) fn escape_into(out: &mut String, text: &str) {
    if !text.contains(['&', '<', '>', '\r']) {
        out.push_str(text);
        return;
    }
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // A bare carriage return would be read as a line feed (XML 1.0 section 2.11).
            '\r' => out.push_str("&#xD;"),
            c => out.push(c),
        }
    }
}

/// Appends `<name>text</name>`, or `<name />` for an empty text, as the service does.
pub(super) fn element(out: &mut String, name: &str, text: &str) {
    out.push('<');
    out.push_str(name);
    if text.is_empty() {
        out.push_str(" />");
        return;
    }
    out.push('>');
    escape_into(out, text);
    out.push_str("</");
    out.push_str(name);
    out.push('>');
}

/// Appends `<element>name</element>`, percent-encoded whole with `Encoded="true"` if XML cannot hold
/// the name (U+FFFE, U+FFFF).
pub(super) fn name_element(out: &mut String, name_tag: &str, name: &str) {
    if !name.chars().any(|c| matches!(c, '\u{FFFE}' | '\u{FFFF}')) {
        return element(out, name_tag, name);
    }
    out.push('<');
    out.push_str(name_tag);
    out.push_str(" Encoded=\"true\">");
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out.push_str("</");
    out.push_str(name_tag);
    out.push('>');
}

/// Where Put Block List looks for a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BlockSource {
    Committed,
    Uncommitted,
    Latest,
}

/// The blocks of a Put Block List body: source and id (base64) in order.
///
/// # Errors
/// `InvalidXmlDocument`, or `BlockListTooLong` past 50,000 blocks.
pub(super) fn block_list(body: &[u8]) -> Outcome<Vec<(BlockSource, String)>> {
    let text = std::str::from_utf8(body).map_err(|_| ServiceError::invalid_xml())?;
    let mut reader = Reader::from_str(text.trim_start_matches('\u{FEFF}'));
    let mut list = Vec::new();
    let mut open: Option<(BlockSource, String)> = None;
    let mut seen_root = false;
    loop {
        match reader.read_event().map_err(|_| ServiceError::invalid_xml())? {
            Event::Start(tag) => match (seen_root, tag.name().as_ref()) {
                (false, "BlockList") => seen_root = true,
                (true, name) if open.is_none() => open = Some((block_source(name)?, String::new())),
                _ => return Err(ServiceError::invalid_xml()),
            },
            Event::Empty(tag) => match (seen_root, tag.name().as_ref()) {
                (false, "BlockList") => seen_root = true,
                _ => return Err(ServiceError::invalid_xml()),
            },
            Event::Text(piece) => {
                let piece: &str = &piece;
                match &mut open {
                    Some((_, id)) => id.push_str(piece.trim()),
                    None if piece.trim().is_empty() => {}
                    None => return Err(ServiceError::invalid_xml()),
                }
            }
            Event::End(_) => {
                if let Some(block) = open.take() {
                    list.push(block);
                }
            }
            Event::Eof => break,
            Event::Decl(_) | Event::Comment(_) => {}
            _ => return Err(ServiceError::invalid_xml()),
        }
        if list.len() > BLOCKS_MAX {
            return Err(ServiceError::block_list_too_long());
        }
    }
    if seen_root && open.is_none() { Ok(list) } else { Err(ServiceError::invalid_xml()) }
}

/// Blocks of one committed blob (Put Block List).
const BLOCKS_MAX: usize = 50_000;

fn block_source(name: &str) -> Outcome<BlockSource> {
    match name {
        "Committed" => Ok(BlockSource::Committed),
        "Uncommitted" => Ok(BlockSource::Uncommitted),
        "Latest" => Ok(BlockSource::Latest),
        _ => Err(ServiceError::invalid_xml()),
    }
}

/// The text of the first element of each name in a small flat document.
pub(super) fn texts(body: &[u8]) -> Outcome<Vec<(String, String)>> {
    let text = std::str::from_utf8(body).map_err(|_| ServiceError::invalid_xml())?;
    let mut reader = Reader::from_str(text.trim_start_matches('\u{FEFF}'));
    let mut found = Vec::new();
    let mut open = String::new();
    loop {
        match reader.read_event().map_err(|_| ServiceError::invalid_xml())? {
            Event::Start(tag) => open = tag.name().as_ref().to_owned(),
            Event::Text(piece) => {
                if !piece.trim().is_empty() {
                    found.push((open.clone(), piece.trim().to_owned()));
                }
            }
            Event::Eof => return Ok(found),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn block_lists() {
        let body = b"\xEF\xBB\xBF<?xml version=\"1.0\"?>\n<BlockList><Latest>QQ==</Latest>\n<Committed>Qg==</Committed><Uncommitted>QQ==</Uncommitted></BlockList>";
        assert_eq!(
            block_list(body).unwrap(),
            [
                (BlockSource::Latest, "QQ==".to_owned()),
                (BlockSource::Committed, "Qg==".to_owned()),
                (BlockSource::Uncommitted, "QQ==".to_owned())
            ]
        );
        assert_eq!(block_list(b"<BlockList />").unwrap(), []);
        for bad in ["", "<a/>", "<BlockList><X>QQ==</X></BlockList>", "<BlockList><Latest>QQ==", "text"] {
            assert_eq!(block_list(bad.as_bytes()).unwrap_err().code, "InvalidXmlDocument", "{bad}");
        }
        let long = format!("<BlockList>{}</BlockList>", "<Latest>QQ==</Latest>".repeat(50_001));
        assert_eq!(block_list(long.as_bytes()).unwrap_err().code, "BlockListTooLong");
    }

    #[test]
    fn names_that_xml_cannot_hold() {
        let mut out = String::new();
        name_element(&mut out, "Name", "a/b\u{FFFE}");
        assert_eq!(out, "<Name Encoded=\"true\">a%2Fb%EF%BF%BE</Name>");
    }
}
