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
    let mut path = Path::default();
    let mut text = String::new();
    loop {
        match reader.read_event().map_err(malformed)? {
            Event::Start(element) => {
                if path.starts.len() == DEPTH_MAX {
                    return Err(malformed("nested too deeply"));
                }
                path.push(element.local_name().into_inner());
                let (parent, name) = path.last_two();
                on(parent, name, Step::Begin)?;
                text.clear();
            }
            Event::Empty(element) => {
                let (_, parent) = path.last_two();
                on(parent, element.local_name().into_inner(), Step::Begin)?;
                on(parent, element.local_name().into_inner(), Step::End(""))?;
                text.clear();
            }
            Event::End(_) => {
                let (parent, name) = path.last_two();
                on(parent, name, Step::End(&text))?;
                path.pop();
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
            Event::Eof if path.starts.is_empty() => return Ok(()),
            Event::Eof => return Err(malformed("the document ends early")),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
}

/// The names of the elements that are open, one behind the other in one buffer.
#[derive(Default)]
struct Path {
    names: String,
    starts: Vec<usize>,
}

impl Path {
    fn push(&mut self, name: &str) {
        self.starts.push(self.names.len());
        self.names.push_str(name);
    }

    fn pop(&mut self) {
        self.names.truncate(self.starts.pop().unwrap_or(0));
    }

    /// The element around the innermost one, and that one; empty where there is none.
    fn last_two(&self) -> (&str, &str) {
        let mut starts = self.starts.iter().rev();
        let last = starts.next().map_or(0, |&start| start);
        let parent = starts.next().map_or(last, |&start| start);
        (self.names.get(parent..last).unwrap_or(""), self.names.get(last..).unwrap_or(""))
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
