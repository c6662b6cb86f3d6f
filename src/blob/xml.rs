//! Reading the service's XML: a cursor over elements.
//!
//! The documents are machine-made and plain: elements, few attributes, text with entities. A listing
//! has some fifty tags per entry, and a general parser takes two to three times as long over them;
//! so the tags are found here, and `quick-xml` does the unescaping where there is something to unescape.

use std::borrow::Cow;

use memchr::{memchr, memmem};

use crate::object::{Error, ErrorKind, Result};

/// A cursor over a document in memory, or over a part of one.
pub(super) struct Xml<'a> {
    rest: &'a str,
    /// Name of the element opened last: the next end tag is most likely its own, and is then known
    /// by a comparison where it would have to be searched for.
    opened: &'a str,
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
    pub name: &'a str,
    /// As they stand in the tag.
    pub attributes: &'a str,
}

/// An element that holds text.
pub(super) struct Leaf<'a> {
    pub name: &'a str,
    /// As it stands there; `None` if there are elements in it.
    text: Option<&'a str>,
}

impl<'a> Leaf<'a> {
    pub fn is_empty(&self) -> bool {
        self.text == Some("")
    }

    /// # Errors
    /// `Corrupt` if there is more in it than text.
    pub fn text(&self) -> Result<Cow<'a, str>> {
        unescape(self.text.ok_or_else(|| corrupt("has elements where there should be text"))?)
    }
}

impl<'a> Xml<'a> {
    /// Begins within the root element of `document`, after its byte order mark if it has one.
    ///
    /// # Errors
    /// `Corrupt` if it is not UTF-8, or if the root is another one or there is none: that is no document of nothing.
    pub fn within(root: &str, document: &'a [u8]) -> Result<Self> {
        let mut xml = Self::new(utf8(document)?);
        match xml.node()? {
            Node::Open(start) | Node::Empty(start) if start.name == root => Ok(xml),
            _ => Err(corrupt("is of another kind")),
        }
    }

    fn new(document: &'a str) -> Self {
        Self { is_part: false, ..Self::part(document) }
    }

    /// Begins anywhere between two tags of a document.
    pub fn part(part: &'a str) -> Self {
        Self { rest: part.strip_prefix('\u{feff}').unwrap_or(part), opened: "", depth: 0, is_part: true }
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
        if let Some(text) = self.only_text() {
            return unescape(text);
        }
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
        if self.only_text().is_some() { Ok(()) } else { self.skip_to_end(1) }
    }

    /// Passes over what is left of the innermost `depth` elements.
    fn skip_to_end(&mut self, mut depth: u32) -> Result<()> {
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

    /// Calls `on` with each element within the one just opened, up to the end of that. Unlike [`Xml::text`] a
    /// leaf has no text if there are elements in it: such text is never meant to be read.
    ///
    /// # Errors
    /// Those of [`Xml::node`], and those of `on`.
    pub fn leaves(&mut self, mut on: impl FnMut(Leaf<'a>) -> Result<()>) -> Result<()> {
        loop {
            if let Some(leaf) = self.plain_leaf() {
                on(leaf)?;
                continue;
            }
            match self.node()? {
                Node::Open(start) => {
                    let (text, next) = self.advance()?;
                    let text = matches!(next, Node::Close).then_some(text);
                    if text.is_none() {
                        self.skip_to_end(1 + u32::from(matches!(next, Node::Open(_))))?;
                    }
                    on(Leaf { name: start.name, text })?;
                }
                Node::Empty(start) => on(Leaf { name: start.name, text: Some("") })?,
                Node::Close => return Ok(()),
                Node::End => return Err(corrupt("ends early")),
            }
        }
    }

    /// The next element, if it begins here, without attributes, and holds text alone, as most do: found at once.
    /// Called, it would return a leaf's four words through memory, which takes a seventh of a page's time.
    #[inline(always)]
    fn plain_leaf(&mut self) -> Option<Leaf<'a>> {
        let tag = self.rest.strip_prefix('<')?;
        let (name, rest) = tag.split_at(name_end(tag.as_bytes())?);
        // Ends, comments and declarations are for `advance`.
        if matches!(name.as_bytes().first(), None | Some(b'!' | b'?')) {
            return None;
        }
        let (text, rest) = match rest.strip_prefix('>') {
            Some(rest) => text_up_to_end(rest, name)?,
            None => ("", rest.strip_prefix(" />").or_else(|| rest.strip_prefix("/>"))?),
        };
        self.rest = rest;
        Some(Leaf { name, text: Some(text) })
    }

    /// The text of the element just opened, if nothing else is in it, which is then passed over.
    fn only_text(&mut self) -> Option<&'a str> {
        let (text, rest) = text_up_to_end(self.rest, self.opened)?;
        self.rest = rest;
        self.depth -= 1;
        Some(text)
    }

    /// The text up to the next tag, and the tag. Comments and declarations are passed over; one within a text is none
    /// of the service's, and would hide what stands before it.
    fn advance(&mut self) -> Result<(&'a str, Node<'a>)> {
        loop {
            let Some(at) = self.next_tag() else { return Ok((self.end()?, Node::End)) };
            let (text, tag) = self.rest.split_at(at);
            match tag.as_bytes().get(1) {
                Some(b'/') => {
                    self.depth -= 1;
                    match tag[2..].strip_prefix(self.opened).and_then(|rest| rest.strip_prefix('>')) {
                        Some(rest) => self.rest = rest,
                        None => self.take_until(tag, ">")?,
                    }
                    return Ok((text, Node::Close));
                }
                Some(b'?' | b'!') if !text.trim_ascii().is_empty() => {
                    return Err(corrupt("has a text with markup in it"));
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

    /// The text behind the last tag.
    fn end(&mut self) -> Result<&'a str> {
        // A root element was opened, and all that were are closed.
        if !self.is_part && (self.depth != 0 || self.opened.is_empty()) {
            return Err(corrupt("ends early"));
        }
        Ok(std::mem::take(&mut self.rest))
    }

    /// Takes a start tag.
    fn start(&mut self, tag: &'a str) -> Result<Node<'a>> {
        let (name, rest) = tag.split_at(name_end(tag.as_bytes()).ok_or_else(|| corrupt("ends early"))?);
        let end = if rest.starts_with('>') { 0 } else { attributes_end(rest.as_bytes())? };
        let (attributes, rest) = rest.split_at(end);
        self.rest = &rest[1..];
        let (attributes, empty) = attributes.strip_suffix('/').map_or((attributes, false), |inner| (inner, true));
        let start = Start { name: &name[1..], attributes };
        self.opened = start.name;
        if empty {
            return Ok(Node::Empty(start));
        }
        self.depth += 1;
        Ok(Node::Open(start))
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

/// The text up to the end tag of `name`, if that is the next tag, and what comes behind.
fn text_up_to_end<'a>(rest: &'a str, name: &str) -> Option<(&'a str, &'a str)> {
    let (text, tag) = rest.split_at(memchr(b'<', rest.as_bytes())?);
    let rest = tag.strip_prefix("</")?.strip_prefix(name)?.strip_prefix('>')?;
    Some((text, rest))
}

/// Where the name of a start tag ends: at a `>`, a `/`, white space or a control character, looked for in eight bytes
/// at a time.
fn name_end(tag: &[u8]) -> Option<usize> {
    let (words, rest) = tag.as_chunks();
    for (number, word) in words.iter().enumerate() {
        let ends = name_ends(u64::from_le_bytes(*word));
        if ends != 0 {
            return Some(number * 8 + ends.trailing_zeros() as usize / 8);
        }
    }
    let at = rest.iter().position(|&byte| byte <= b' ' || matches!(byte, b'>' | b'/'))?;
    Some(words.len() * 8 + at)
}

/// Sets the high bit of each byte that ends a name; above the first one there may be wrong ones (S. E. Anderson,
/// "Bit Twiddling Hacks", "Determine if a word has a byte less than n").
fn name_ends(word: u64) -> u64 {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    let below = |word: u64, limit: u8| word.wrapping_sub(ONES * u64::from(limit)) & !word;
    let equal = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    (below(word, b' ' + 1) | equal(b'>') | equal(b'/')) & (ONES << 7)
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

fn unescape(text: &str) -> Result<Cow<'_, str>> {
    if memchr(b'&', text.as_bytes()).is_none() {
        return Ok(Cow::Borrowed(text));
    }
    quick_xml::escape::unescape(text).map_err(|error| corrupt("holds a broken reference").with_source(error))
}

pub(super) fn utf8(text: &[u8]) -> Result<&str> {
    std::str::from_utf8(text).map_err(|_| corrupt("is not UTF-8"))
}

/// The text of the first element of this name anywhere in the document, before anything that is not UTF-8.
pub(super) fn find(document: &[u8], name: &str) -> Option<String> {
    let mut xml = Xml::new(document.utf8_chunks().next()?.valid());
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
        assert_eq!(find(b"<Error><Code>A</Code><Message>\xff</Message></Error>", "Code").as_deref(), Some("A"));
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
    fn leaves() {
        fn all(document: &str) -> Result<String> {
            let mut xml = Xml::part(document);
            let mut found = Vec::new();
            xml.node()?;
            xml.leaves(|leaf| {
                let text = leaf.text();
                assert_eq!(leaf.is_empty(), text.as_ref().is_ok_and(|text| text.is_empty()));
                found.push(format!("{}={}", leaf.name, text.as_deref().unwrap_or("?")));
                Ok(())
            })?;
            assert!(matches!(xml.node(), Ok(Node::End)), "{document}");
            Ok(found.join(" "))
        }
        for (document, expected) in [
            ("<p><a>1</a><Long-Name-9>a &lt; b</Long-Name-9><c /><d/><e></e></p>", "a=1 Long-Name-9=a < b c= d= e="),
            ("<p>\n <a x=\"1>2\">1</a>\t<b\n>2</b ><!-- <c>3</c> --></p>", "a=1 b=2"),
            ("<p><!--<c/>--><a>1</a><!--<d>2</d>--><?e f?></p>", "a=1"),
            ("<p><a><i>no</i></a><b>1<i/></b><c x=\"\"/></p>", "a=? b=? c="),
            ("<p><a>&nope;</a></p >", "a=?"),
            ("<p></p>", ""),
        ] {
            assert_eq!(all(document).ok().as_deref(), Some(expected), "{document}");
            for end in 3..document.len() {
                assert!(all(&document[..end]).is_err(), "{}", &document[..end]);
            }
        }
        for broken in [
            "<p><!--<c/></p>",
            "<p><!X/></p>",
            "<p><![CDATA[a/>]]></p>",
            "<p><?x/></p>",
            "<p><a>1</p>",
            "<p><a>x<!-- -->y</a></p>",
        ] {
            assert!(all(broken).is_err(), "{broken}");
        }
        assert!(Xml::part("<a>1</a></p>").leaves(|_| Err(corrupt("on purpose"))).is_err());
    }

    #[test]
    fn names_end_where_each_byte_says() {
        let ends = |byte: u8| byte <= b' ' || matches!(byte, b'/' | b'>');
        let mut random = fastrand::Rng::with_seed(7);
        for length in 0..40 {
            for byte in 0..=u8::MAX {
                // What follows the end must not matter, nor what is around.
                let mut tag: Vec<u8> =
                    std::iter::repeat_with(|| random.u8(..)).filter(|&byte| !ends(byte)).take(length).collect();
                tag.push(byte);
                let behind = random.usize(..12);
                tag.extend(std::iter::repeat_with(|| random.u8(..)).take(behind));
                let expected = tag.iter().position(|&byte| ends(byte));
                assert_eq!(name_end(&tag), expected, "{tag:?}");
            }
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
        let document = "<?xml version=\"1.0\"?><a>text<b/><c x=\"1\">t</c ></a>\n";
        assert!(all(Xml::new(document)));
        for end in 0..document.len() - 1 {
            assert!(!all(Xml::new(&document[..end])), "{end} bytes");
        }
        assert!(!all(Xml::new("</a>")));
        for other in
            [&b""[..], b"\xef\xbb\xbf<?xml version=\"1.0\"?>", b"text", b"<html><body>no</body></html>", b"</a>"]
        {
            assert!(Xml::within("a", other).is_err(), "{other:?}");
        }
        assert!(
            Xml::within("a", document.as_bytes()).is_ok_and(all) && Xml::within("a", b"<a x=\"y\"/>").is_ok_and(all)
        );
        assert!(all(Xml::part("</a>")) && all(Xml::part("<a><b></b>")) && all(Xml::part("")));
    }
}
