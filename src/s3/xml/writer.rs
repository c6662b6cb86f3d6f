//! Writes S3's XML answers by hand into one buffer.

use crate::object::Timestamp;
use crate::object::text::{percent_encode_into, push_decimal};

/// The namespace of S3's documents.
pub const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// How keys and prefixes stand in a listing (`encoding-type`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyEncoding {
    /// As they are, XML-escaped.
    #[default]
    Plain,
    /// Percent-encoded, slashes kept, so that any key survives an XML parser.
    Url,
}

/// An XML document in the making.
pub struct Writer(String);

impl Writer {
    /// Begins a document, with room for `capacity` bytes.
    pub fn document(capacity: usize) -> Self {
        let mut out = String::with_capacity(capacity + DECLARATION.len());
        out.push_str(DECLARATION);
        Self(out)
    }

    /// The document as text.
    pub fn finish(self) -> String {
        self.0
    }

    /// `<name xmlns="...">`
    pub fn root(&mut self, name: &str) {
        self.0.push('<');
        self.0.push_str(name);
        self.0.push_str(" xmlns=\"");
        self.0.push_str(NAMESPACE);
        self.0.push_str("\">");
    }

    #[inline]
    pub fn open(&mut self, name: &str) {
        self.0.push('<');
        self.0.push_str(name);
        self.0.push('>');
    }

    #[inline]
    pub fn close(&mut self, name: &str) {
        self.0.push_str("</");
        self.0.push_str(name);
        self.0.push('>');
    }

    /// Markup that is known to be well-formed.
    pub fn raw(&mut self, markup: &str) {
        self.0.push_str(markup);
    }

    /// Text in the element that is open.
    pub fn escaped(&mut self, text: &str) {
        escape_into(&mut self.0, text);
    }

    /// An element with text.
    #[inline]
    pub fn text(&mut self, name: &str, text: &str) {
        self.open(name);
        escape_into(&mut self.0, text);
        self.close(name);
    }

    /// An element with text, if there is one.
    pub fn optional(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(name, text);
        }
    }

    /// An element with a key or prefix.
    #[inline]
    pub fn key(&mut self, name: &str, key: &str, encoding: KeyEncoding) {
        self.open(name);
        match encoding {
            KeyEncoding::Plain => escape_into(&mut self.0, key),
            KeyEncoding::Url => percent_encode_into(&mut self.0, key.as_bytes(), b"/"),
        }
        self.close(name);
    }

    #[inline]
    pub fn number(&mut self, name: &str, number: u64) {
        self.open(name);
        push_decimal(&mut self.0, number);
        self.close(name);
    }

    pub fn boolean(&mut self, name: &str, value: bool) {
        self.text(name, if value { "true" } else { "false" });
    }

    #[inline]
    pub fn time(&mut self, name: &str, time: Timestamp) {
        self.open(name);
        time.write_iso8601(&mut self.0);
        self.close(name);
    }

    /// An element with an ETag in its double quotes.
    pub fn etag(&mut self, etag: &str) {
        self.0.push_str("<ETag>&quot;");
        escape_into(&mut self.0, etag);
        self.0.push_str("&quot;</ETag>");
    }
}

/// What every document begins with. An answer that is kept alive sends it first, then blanks.
pub const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// Escapes markup. Control characters become numeric references, as S3 writes them: XML 1.0 has no
/// other form, and `encoding-type=url` is there for clients whose parsers refuse them.
#[expect(clippy::indexing_slicing, clippy::string_slice, reason = "cuts lie beside characters of one byte")]
fn escape_into(out: &mut String, text: &str) {
    let mut clean = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= b'?' || (byte >= b' ' && !matches!(byte, b'<' | b'>' | b'&' | b'"')) {
            continue;
        }
        out.push_str(&text[clean..at]);
        clean = at + 1;
        match byte {
            b'<' => out.push_str("&lt;"),
            b'>' => out.push_str("&gt;"),
            b'&' => out.push_str("&amp;"),
            b'"' => out.push_str("&quot;"),
            control => {
                out.push_str("&#x");
                if control >= 16 {
                    out.push('1');
                }
                out.push(char::from(b"0123456789ABCDEF"[usize::from(control & 15)]));
                out.push(';');
            }
        }
    }
    out.push_str(&text[clean..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaping() {
        for (text, expected) in [
            ("plain/é😀?", "plain/é😀?"),
            ("<a>&\"'", "&lt;a&gt;&amp;&quot;'"),
            ("\t\n\r\u{0}\u{1f}", "&#x9;&#xA;&#xD;&#x0;&#x1F;"),
            ("", ""),
        ] {
            let mut out = String::new();
            escape_into(&mut out, text);
            assert_eq!(out, expected);
        }
    }

    #[test]
    fn elements() {
        let mut xml = Writer::document(0);
        xml.root("R");
        xml.number("N", 0);
        xml.number("N", u64::MAX);
        xml.key("K", "a b/+", KeyEncoding::Url);
        xml.boolean("B", true);
        xml.time("T", Timestamp(0));
        xml.etag("abc");
        xml.close("R");
        assert_eq!(
            xml.finish(),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<R xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
             <N>0</N><N>18446744073709551615</N><K>a%20b/%2B</K><B>true</B><T>1970-01-01T00:00:00.000Z</T>\
             <ETag>&quot;abc&quot;</ETag></R>"
        );
    }
}
