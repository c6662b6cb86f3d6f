//! Reading the service's XML: a cursor over elements.
//!
//! The documents are machine-made and plain: elements, few attributes, text with entities. A listing
//! has some fifty tags per entry, and a general parser takes two to three times as long over them;
//! so the tags are found here, and `quick-xml` does the unescaping where there is something to unescape.
//! Only what is read of a document has to be UTF-8.

use std::borrow::Cow;

use memchr::{memchr, memmem};

use crate::object::{Error, ErrorKind, Result};

/// A cursor over a document in memory, or over a part of one.
pub(super) struct Xml<'a> {
    rest: &'a [u8],
    /// Name of the element opened last: the next end tag is most likely its own, and is then known
    /// by a comparison where it would have to be searched for.
    opened: &'a [u8],
    /// Elements opened less elements closed.
    depth: i64,
    /// A part may begin and end within elements.
    is_part: bool,
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
    pub name: &'a [u8],
    /// As they stand in the tag.
    pub attributes: &'a [u8],
}

impl<'a> Xml<'a> {
    /// Begins within the root element of `document`, after its byte order mark if it has one.
    ///
    /// # Errors
    /// `Corrupt` if the root is another one, or if there is none: that is no document of nothing.
    pub fn within(root: &str, document: &'a [u8]) -> Result<Self> {
        let mut xml = Self::new(document);
        match xml.node()? {
            Node::Open(start) | Node::Empty(start) if start.name == root.as_bytes() => Ok(xml),
            _ => Err(corrupt("is of another kind")),
        }
    }

    fn new(document: &'a [u8]) -> Self {
        Self { is_part: false, ..Self::part(document) }
    }

    /// Begins anywhere between two tags of a document.
    pub fn part(part: &'a [u8]) -> Self {
        Self { rest: strip_bom(part), opened: b"", depth: 0, is_part: true }
    }

    /// Bytes that the cursor has not come to.
    pub fn bytes_left(&self) -> usize {
        self.rest.len()
    }

    /// The next element or end; text between elements is passed over.
    ///
    /// # Errors
    /// `Corrupt` for what is no markup of the service, and for a document that ends before its root element does.
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
    fn advance(&mut self) -> Result<(&'a [u8], Node<'a>)> {
        loop {
            let Some(at) = self.next_tag() else { return Ok((self.end()?, Node::End)) };
            let (text, tag) = self.rest.split_at(at);
            match tag.get(1) {
                Some(b'/') => {
                    self.depth -= 1;
                    match tag[2..].strip_prefix(self.opened).and_then(|rest| rest.strip_prefix(b">")) {
                        Some(rest) => self.rest = rest,
                        None => self.take_until(tag, b">")?,
                    }
                    return Ok((text, Node::Close));
                }
                Some(b'?') => self.take_until(tag, b"?>")?,
                Some(b'!') if tag.starts_with(b"<!--") => self.take_until(tag, b"-->")?,
                Some(b'!') => return Err(corrupt("holds markup of an unknown kind")),
                _ => return Ok((text, self.start(tag)?)),
            }
        }
    }

    /// Where the next tag begins; mostly at once, without text before it.
    fn next_tag(&self) -> Option<usize> {
        if self.rest.first() == Some(&b'<') { Some(0) } else { memchr(b'<', self.rest) }
    }

    /// The text behind the last tag.
    fn end(&mut self) -> Result<&'a [u8]> {
        // A root element was opened, and all that were are closed.
        if !self.is_part && (self.depth != 0 || self.opened.is_empty()) {
            return Err(corrupt("ends early"));
        }
        Ok(std::mem::take(&mut self.rest))
    }

    /// Takes a start tag.
    fn start(&mut self, tag: &'a [u8]) -> Result<Node<'a>> {
        let (name, rest) = tag.split_at(name_end(tag).ok_or_else(|| corrupt("ends early"))?);
        let end = if rest.first() == Some(&b'>') { 0 } else { attributes_end(rest)? };
        let (attributes, rest) = rest.split_at(end);
        self.rest = &rest[1..];
        let (attributes, empty) = attributes.strip_suffix(b"/").map_or((attributes, false), |inner| (inner, true));
        let start = Start { name: &name[1..], attributes };
        self.opened = start.name;
        if empty {
            return Ok(Node::Empty(start));
        }
        self.depth += 1;
        Ok(Node::Open(start))
    }

    fn take_until(&mut self, tag: &'a [u8], end: &[u8]) -> Result<()> {
        let at = match end {
            [byte] => memchr(*byte, tag),
            end => memmem::find(tag, end),
        };
        let at = at.ok_or_else(|| corrupt("ends early"))?;
        self.rest = &tag[at + end.len()..];
        Ok(())
    }
}

/// Where the name of a start tag ends. Nearly all bytes of names come behind all those that end one.
fn name_end(tag: &[u8]) -> Option<usize> {
    tag.iter().position(|&byte| byte <= b'>' && matches!(byte, b'>' | b' ' | b'/' | b'\t' | b'\r' | b'\n'))
}

/// Where the tag ends: a `>` within quotes does not end it.
fn attributes_end(rest: &[u8]) -> Result<usize> {
    let mut quoted = false;
    let end = rest.iter().position(|&byte| {
        quoted ^= byte == b'"';
        byte == b'>' && !quoted
    });
    end.ok_or_else(|| corrupt("ends early"))
}

fn unescape(text: &[u8]) -> Result<Cow<'_, str>> {
    let text = utf8(text)?;
    if memchr(b'&', text.as_bytes()).is_none() {
        return Ok(Cow::Borrowed(text));
    }
    quick_xml::escape::unescape(text).map_err(|error| corrupt("holds a broken reference").with_source(error))
}

pub(super) fn utf8(text: &[u8]) -> Result<&str> {
    std::str::from_utf8(text).map_err(|_| corrupt("is not UTF-8"))
}

/// The text of the first element of this name anywhere in the document.
pub(super) fn find(document: &[u8], name: &str) -> Option<String> {
    let mut xml = Xml::new(document);
    loop {
        match xml.node().ok()? {
            Node::Open(start) if start.name == name.as_bytes() => return Some(xml.text().ok()?.into_owned()),
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
        assert_eq!(find(b"<Code>\xff</Code>", "Code"), None);
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

    #[test]
    fn a_document_is_whole() {
        let all = |mut xml: Xml<'_>| loop {
            match xml.node() {
                Ok(Node::End) => return true,
                Ok(_) => {}
                Err(_) => return false,
            }
        };
        let document = b"<?xml version=\"1.0\"?><a>text<b/><c x=\"1\">t</c ></a>\n";
        assert!(all(Xml::new(document)));
        for end in 0..document.len() - 1 {
            assert!(!all(Xml::new(&document[..end])), "{end} bytes");
        }
        assert!(!all(Xml::new(b"</a>")));
        for other in
            [&b""[..], b"\xef\xbb\xbf<?xml version=\"1.0\"?>", b"text", b"<html><body>no</body></html>", b"</a>"]
        {
            assert!(Xml::within("a", other).is_err(), "{other:?}");
        }
        assert!(Xml::within("a", document).is_ok_and(all) && Xml::within("a", b"<a x=\"y\"/>").is_ok_and(all));
        assert!(all(Xml::part(b"</a>")) && all(Xml::part(b"<a><b></b>")) && all(Xml::part(b"")));
    }
}
