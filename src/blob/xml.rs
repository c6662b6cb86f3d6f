//! Reading the service's XML: a cursor over elements, text unescaped only where there is something
//! to unescape.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesStart, Event};

use crate::object::{Error, ErrorKind, Result};

/// A cursor over a document in memory.
pub(super) struct Xml<'a>(Reader<&'a [u8]>);

/// What the cursor came to.
pub(super) enum Node<'a> {
    /// An element with content: read it with [`Xml::text`], [`Xml::skip`] or further nodes.
    Open(BytesStart<'a>),
    /// An element without content.
    Empty(BytesStart<'a>),
    /// The end of the element around.
    Close,
    /// The end of the document.
    End,
}

impl<'a> Xml<'a> {
    /// Begins at the start of `document`, after its byte order mark if it has one.
    ///
    /// # Errors
    /// `Corrupt` if it is not UTF-8.
    pub fn new(document: &'a [u8]) -> Result<Self> {
        let text = std::str::from_utf8(strip_bom(document)).map_err(|_| corrupt("is not UTF-8"))?;
        let mut reader = Reader::from_str(text);
        let config = reader.config_mut();
        config.check_end_names = false;
        config.check_comments = false;
        Ok(Self(reader))
    }

    /// The next element or end; text between elements is passed over.
    pub fn node(&mut self) -> Result<Node<'a>> {
        loop {
            match self.event()? {
                Event::Start(start) => return Ok(Node::Open(start)),
                Event::Empty(start) => return Ok(Node::Empty(start)),
                Event::End(_) => return Ok(Node::Close),
                Event::Eof => return Ok(Node::End),
                _ => {}
            }
        }
    }

    /// The text of the element just opened, up to its end; elements within it are passed over.
    pub fn text(&mut self) -> Result<Cow<'a, str>> {
        let mut text = Cow::Borrowed("");
        loop {
            match self.event()? {
                Event::Text(piece) => append(&mut text, piece.into_inner()),
                Event::CData(piece) => append(&mut text, piece.into_inner()),
                Event::GeneralRef(entity) => {
                    let character = entity.resolve_char_ref().map_err(|_| corrupt("holds a broken reference"))?;
                    match (character, resolve_predefined_entity(&entity)) {
                        (Some(character), _) => text.to_mut().push(character),
                        (None, Some(resolved)) => text.to_mut().push_str(resolved),
                        (None, None) => return Err(corrupt("holds an unknown entity")),
                    }
                }
                Event::Start(_) => self.skip()?,
                Event::End(_) => return Ok(text),
                Event::Eof => return Err(corrupt("ends early")),
                _ => {}
            }
        }
    }

    /// Passes over the element just opened, to its end.
    pub fn skip(&mut self) -> Result<()> {
        let mut depth = 1_u32;
        while depth > 0 {
            match self.event()? {
                Event::Start(_) => depth += 1,
                Event::End(_) => depth -= 1,
                Event::Eof => return Err(corrupt("ends early")),
                _ => {}
            }
        }
        Ok(())
    }

    fn event(&mut self) -> Result<Event<'a>> {
        self.0.read_event().map_err(|error| corrupt("is not well-formed").with_source(error))
    }
}

/// The text of the first element of this name anywhere in the document.
pub(super) fn find(document: &[u8], name: &str) -> Option<String> {
    let mut xml = Xml::new(document).ok()?;
    loop {
        match xml.node().ok()? {
            Node::Open(start) if start.name().0 == name => return Some(xml.text().ok()?.into_owned()),
            Node::End => return None,
            _ => {}
        }
    }
}

pub(super) fn corrupt(what: &str) -> Error {
    Error::new(ErrorKind::Corrupt, format!("the xml of the service {what}"))
}

fn append<'a>(text: &mut Cow<'a, str>, piece: Cow<'a, str>) {
    if text.is_empty() {
        *text = piece;
    } else {
        text.to_mut().push_str(&piece);
    }
}

fn strip_bom(document: &[u8]) -> &[u8] {
    document.strip_prefix(b"\xef\xbb\xbf").unwrap_or(document)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_entities_and_bom() {
        let document = "\u{feff}<?xml version=\"1.0\"?>\n<Error><Code>A</Code><Message>a &lt;b&gt; &amp;#x41; &#x41;c\nTime</Message></Error>";
        assert_eq!(find(document.as_bytes(), "Code").as_deref(), Some("A"));
        assert_eq!(find(document.as_bytes(), "Message").as_deref(), Some("a <b> &#x41; Ac\nTime"));
        assert_eq!(find(document.as_bytes(), "Other"), None);
        assert_eq!(find(b"<Error><Code>unclosed", "Code"), None);
        assert_eq!(find(b"\xff\xfe", "Code"), None);
    }
}
