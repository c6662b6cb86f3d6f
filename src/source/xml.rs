//! Reads the small XML documents of S3: text of leaves, with the element they stand in.

use quick_xml::events::Event;
use quick_xml::reader::Reader;

use crate::object::{Error, ErrorKind, Result};

/// A step of a document.
pub(super) enum Step<'a> {
    Begin,
    /// The text between begin and end; white space alone where elements lie between.
    End(&'a str),
}

/// Deepest nesting that S3's documents have, and some.
const DEPTH_MAX: usize = 16;

/// Calls `on` with parent, name and step of every element in the document's order.
///
/// # Errors
/// `Corrupt` if the document is not well-formed.
pub(super) fn walk(document: &[u8], mut on: impl FnMut(&str, &str, Step<'_>) -> Result<()>) -> Result<()> {
    let document = std::str::from_utf8(document).map_err(malformed)?;
    let mut reader = Reader::from_str(document);
    let mut path: Vec<String> = Vec::with_capacity(DEPTH_MAX);
    let mut text = String::new();
    loop {
        match reader.read_event().map_err(malformed)? {
            Event::Start(element) => {
                let name = element.local_name().into_inner().to_owned();
                on(path.last().map_or("", String::as_str), &name, Step::Begin)?;
                if path.len() == DEPTH_MAX {
                    return Err(malformed("nested too deeply"));
                }
                path.push(name);
                text.clear();
            }
            Event::Empty(element) => {
                let parent = path.last().map_or("", String::as_str);
                on(parent, element.local_name().into_inner(), Step::Begin)?;
                on(parent, element.local_name().into_inner(), Step::End(""))?;
                text.clear();
            }
            Event::End(_) => {
                let name = path.pop().unwrap_or_default();
                on(path.last().map_or("", String::as_str), &name, Step::End(&text))?;
                text.clear();
            }
            Event::Text(piece) => text.push_str(&piece.xml10_content()),
            Event::CData(piece) => text.push_str(&piece.xml10_content()),
            Event::GeneralRef(reference) => {
                match reference.resolve_char_ref().map_err(malformed)? {
                    Some(character) => text.push(character),
                    None => text.push(predefined(&reference).ok_or_else(|| malformed("unknown entity"))?),
                };
            }
            Event::Eof if path.is_empty() => return Ok(()),
            Event::Eof => return Err(malformed("the document ends early")),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
}

fn predefined(entity: &str) -> Option<char> {
    Some(match entity {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => return None,
    })
}

fn malformed(reason: impl ToString) -> Error {
    Error::new(ErrorKind::Corrupt, format!("malformed XML in an answer: {}", reason.to_string()))
}
