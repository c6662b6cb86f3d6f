//! The two kinds of ETag, and the one rule by which a blob gets the one that S3 clients see.

use std::fmt;

use compact_str::CompactString;

/// An S3 ETag without its quotes: opaque to us, compared byte for byte.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ETag(Box<str>);

/// The ETag Azure gives a blob, without quotes. It changes with every write, metadata included, and
/// is used only to make our own requests conditional; S3 clients never see it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct StoreTag(CompactString);

impl ETag {
    /// Takes an ETag as it stands in a header or in XML: quoted, unquoted, or weak.
    pub fn parse(text: &str) -> Self {
        Self(unquote(text).into())
    }

    /// The ETag S3 gives an object written by one PUT.
    pub fn from_md5(md5: [u8; 16]) -> Self {
        Self(super::text::hex(&md5).into())
    }

    /// The ETag S3 gives the result of a multipart upload: MD5 of the parts' MD5s, and their number.
    pub fn composite(md5_of_md5s: [u8; 16], parts: usize) -> Self {
        Self(format!("{}-{parts}", super::text::hex(&md5_of_md5s)).into())
    }

    /// The opaque ETag of a blob that has neither a recorded ETag nor an MD5 we may show. The suffix
    /// keeps SDKs from taking it for an MD5 (they check bodies against ETags without `-`).
    pub fn from_store(tag: &StoreTag) -> Self {
        Self(format!("{}-1", tag.0.trim_start_matches("0x").to_ascii_lowercase()).into())
    }

    /// The MD5 that the ETag is by its form: 32 hex digits and nothing else.
    pub fn md5(&self) -> Option<[u8; 16]> {
        super::text::unhex(&self.0)
    }

    /// The number of parts, if the ETag has the form of a multipart result.
    pub fn parts(&self) -> Option<u32> {
        let (digest, parts) = self.0.rsplit_once('-')?;
        (digest.len() == 32).then(|| parts.parse().ok()).flatten()
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As it stands in a header: in double quotes.
    pub fn quoted(&self) -> String {
        format!("\"{}\"", self.0)
    }
}

impl StoreTag {
    /// Takes Azure's ETag from a header (quoted) or from list XML (bare).
    pub fn parse(text: &str) -> Self {
        Self(unquote(text).into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn quoted(&self) -> String {
        format!("\"{}\"", self.0)
    }
}

fn unquote(text: &str) -> &str {
    let text = text.trim_ascii();
    let text = text.strip_prefix("W/").unwrap_or(text);
    text.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')).unwrap_or(text)
}

impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ETag({})", self.0)
    }
}

impl fmt::Debug for StoreTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreTag({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        for text in ["\"abc\"", "abc", "W/\"abc\"", " abc "] {
            assert_eq!(ETag::parse(text).as_str(), "abc", "{text}");
        }
        let md5 = ETag::parse("d41d8cd98f00b204e9800998ecf8427e");
        assert!(md5.md5().is_some() && md5.parts().is_none());
        let composite = ETag::parse("\"d41d8cd98f00b204e9800998ecf8427e-12\"");
        assert!(composite.md5().is_none());
        assert_eq!(composite.parts(), Some(12));
        let opaque = ETag::from_store(&StoreTag::parse("\"0x8DB1234ABCD\""));
        assert_eq!(opaque.as_str(), "8db1234abcd-1");
        assert!(opaque.md5().is_none() && opaque.parts().is_none());
    }
}
