//! `Tagging`, both ways.

use crate::object::Tags;
use crate::s3::error::Result;
use crate::s3::request::{invalid_tags, not_reserved};

use super::reader::{malformed, read};
use super::writer::Writer;

/// Longest document in bytes (set by us).
pub const BYTES_MAX: usize = 1 << 20;

/// # Errors
/// MalformedXML; InvalidTag for tags that S3 refuses.
pub fn parse(document: &[u8]) -> Result<Tags> {
    let root = read(document, "Tagging")?;
    let mut sets = root.all("TagSet");
    let (Some(set), None) = (sets.next(), sets.next()) else { return Err(malformed()) };
    let pairs = set.all("Tag").map(|tag| Ok((tag.required("Key")?.to_owned(), tag.required("Value")?.to_owned())));
    Tags::new(pairs.collect::<Result<_>>()?).map_err(invalid_tags).and_then(not_reserved)
}

pub fn render(tags: &Tags) -> String {
    let mut xml = Writer::document(256 + tags.len() * 128);
    xml.root("Tagging");
    xml.open("TagSet");
    // A set has no order; this one is the same however it was written.
    let mut pairs: Vec<_> = tags.iter().collect();
    pairs.sort_unstable();
    for (key, value) in pairs {
        xml.open("Tag");
        xml.text("Key", key);
        xml.text("Value", value);
        xml.close("Tag");
    }
    xml.close("TagSet");
    xml.close("Tagging");
    xml.finish()
}
