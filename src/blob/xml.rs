//! Reading the service's XML: a cursor over elements.
//!
//! The documents are machine-made and plain: elements, few attributes, text with entities. A listing
//! has some fifty tags per entry, and a general parser takes two to three times as long over them;
//! so the tags are found here, and `quick-xml` does the unescaping where there is something to unescape.

use std::borrow::Cow;

use memchr::{memchr, memmem};

use crate::object::{Error, ErrorKind, Result};

/// A cursor over a document in memory.
pub(super) struct Xml<'a> {
    rest: &'a str,
    /// Name of the element opened last: the next end tag is most likely its own, and is then known
    /// by a comparison where it would have to be searched for.
    opened: &'a str,
}

/// What the cursor came to.
pub(super) enum Node<'a> {
    /// An element with content: read it with [`Xml::text`], [`Xml::skip`] or further nodes.
    Open(Start<'a>),
    /// An element without content.
    Empty(Start<'a>),
    /// The end of the element around.
    Close,
    /// The end of the document.
    End,
}

/// The tag that begins an element.
pub(super) struct Start<'a> {
    pub name: &'a str,
    /// As they stand in the tag.
    pub attributes: &'a str,
}

impl<'a> Xml<'a> {
    /// Begins at the start of `document`, after its byte order mark if it has one.
    ///
    /// # Errors
    /// `Corrupt` if it is not UTF-8.
    pub fn new(document: &'a [u8]) -> Result<Self> {
        let rest = std::str::from_utf8(strip_bom(document)).map_err(|_| corrupt("is not UTF-8"))?;
        Ok(Self { rest, opened: "" })
    }

    /// Bytes of the document that the cursor has not come to.
    pub fn bytes_left(&self) -> usize {
        self.rest.len()
    }

    /// The next element or end; text between elements is passed over.
    pub fn node(&mut self) -> Result<Node<'a>> {
        Ok(self.advance()?.1)
    }

    /// The text of the element just opened, up to its end; elements within it are passed over.
    pub fn text(&mut self) -> Result<Cow<'a, str>> {
        let mut text = Cow::Borrowed("");
        loop {
            let (piece, node) = self.advance()?;
            if !piece.is_empty() {
                let piece = unescape(piece)?;
                if text.is_empty() { text = piece } else { text.to_mut().push_str(&piece) }
            }
            match node {
                Node::Close => return Ok(text),
                Node::Open(_) => self.skip()?,
                Node::Empty(_) => {}
                Node::End => return Err(corrupt("ends early")),
            }
        }
    }

    /// Passes over the element just opened, to its end.
    pub fn skip(&mut self) -> Result<()> {
        let mut depth = 1_u32;
        while depth > 0 {
            match self.node()? {
                Node::Open(_) => depth += 1,
                Node::Close => depth -= 1,
                Node::Empty(_) => {}
                Node::End => return Err(corrupt("ends early")),
            }
        }
        Ok(())
    }

    /// The text up to the next tag, and the tag. Comments and declarations are passed over.
    fn advance(&mut self) -> Result<(&'a str, Node<'a>)> {
        loop {
            let Some(at) = self.next_tag() else {
                let text = std::mem::take(&mut self.rest);
                return Ok((text, Node::End));
            };
            let (text, tag) = self.rest.split_at(at);
            match tag.as_bytes().get(1) {
                Some(b'/') => {
                    match tag[2..].strip_prefix(self.opened).and_then(|rest| rest.strip_prefix('>')) {
                        Some(rest) => self.rest = rest,
                        None => self.take_until(tag, ">")?,
                    }
                    return Ok((text, Node::Close));
                }
                Some(b'?') => self.take_until(tag, "?>")?,
                Some(b'!') if tag.starts_with("<!--") => self.take_until(tag, "-->")?,
                Some(b'!') => return Err(corrupt("holds markup of an unknown kind")),
                _ => return Ok((text, self.start(tag)?)),
            }
        }
    }

    /// Where the next tag begins; mostly at once, without text before it.
    fn next_tag(&self) -> Option<usize> {
        if self.rest.starts_with('<') { Some(0) } else { memchr(b'<', self.rest.as_bytes()) }
    }

    /// Takes a start tag.
    fn start(&mut self, tag: &'a str) -> Result<Node<'a>> {
        let name_end = tag.bytes().position(|byte| matches!(byte, b'>' | b' ' | b'/' | b'\t' | b'\r' | b'\n'));
        let (name, rest) = tag.split_at(name_end.ok_or_else(|| corrupt("ends early"))?);
        let end = if rest.starts_with('>') { 0 } else { attributes_end(rest)? };
        let (attributes, rest) = rest.split_at(end);
        self.rest = &rest[1..];
        let (attributes, empty) = attributes.strip_suffix('/').map_or((attributes, false), |inner| (inner, true));
        let start = Start { name: &name[1..], attributes };
        self.opened = start.name;
        Ok(if empty { Node::Empty(start) } else { Node::Open(start) })
    }

    fn take_until(&mut self, tag: &'a str, end: &str) -> Result<()> {
        let at = match end.as_bytes() {
            [byte] => memchr(*byte, tag.as_bytes()),
            end => memmem::find(tag.as_bytes(), end),
        };
        let at = at.ok_or_else(|| corrupt("ends early"))?;
        self.rest = &tag[at + end.len()..];
        Ok(())
    }
}

/// Where the tag ends: a `>` within quotes does not end it.
fn attributes_end(rest: &str) -> Result<usize> {
    let mut quoted = false;
    let end = rest.bytes().position(|byte| {
        quoted ^= byte == b'"';
        byte == b'>' && !quoted
    });
    end.ok_or_else(|| corrupt("ends early"))
}

fn unescape(text: &str) -> Result<Cow<'_, str>> {
    if memchr(b'&', text.as_bytes()).is_none() {
        return Ok(Cow::Borrowed(text));
    }
    quick_xml::escape::unescape(text).map_err(|error| corrupt("holds a broken reference").with_source(error))
}

/// The text of the first element of this name anywhere in the document.
pub(super) fn find(document: &[u8], name: &str) -> Option<String> {
    let mut xml = Xml::new(document).ok()?;
    loop {
        match xml.node().ok()? {
            Node::Open(start) if start.name == name => return Some(xml.text().ok()?.into_owned()),
            Node::End => return None,
            _ => {}
        }
    }
}

pub(super) fn corrupt(what: &str) -> Error {
    Error::new(ErrorKind::Corrupt, format!("the xml of the service {what}"))
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
        assert_eq!(
            find(b"<a x=\"1>2\"><!-- <Code>no</Code> --><b/><Code>yes<i>no</i></Code></a>", "Code").as_deref(),
            Some("yes")
        );
        for broken in [
            "<",
            "<a",
            "<a>",
            "</",
            "<Code>&nope;</Code>",
            "<!DOCTYPE x><Code>1</Code>",
            "<Code>1",
            "<!--",
            "<a b=\"<Code>",
        ] {
            assert_eq!(find(broken.as_bytes(), "Code"), None, "{broken}");
        }
    }
}
