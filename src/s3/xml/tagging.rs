//! `Tagging`, both ways.

use crate::object::Tags;
use crate::s3::error::Result;
use crate::s3::request::{invalid_bucket_tags, invalid_tags, not_reserved};

use super::reader::{Element, malformed, read};
use super::writer::Writer;

/// Longest document in bytes (set by us).
pub const BYTES_MAX: usize = 1 << 20;

/// The tags of an object.
///
/// # Errors
/// MalformedXML; InvalidTag or BadRequest for tags that S3 refuses.
pub fn parse(document: &[u8]) -> Result<Tags> {
    Tags::new(pairs(only_set(&read(document, "Tagging")?)?)?).map_err(invalid_tags).and_then(not_reserved)
}

/// The tags of a bucket.
///
/// # Errors
/// As [`parse`].
pub fn parse_of_bucket(document: &[u8]) -> Result<Tags> {
    of_bucket(only_set(&read(document, "Tagging")?)?)
}

/// The same from the element that holds them.
///
/// # Errors
/// As [`parse`].
pub(super) fn of_bucket(set: &Element) -> Result<Tags> {
    Tags::of_bucket(pairs(set)?).map_err(invalid_bucket_tags).and_then(not_reserved)
}

fn only_set(root: &Element) -> Result<&Element> {
    let mut sets = root.all("TagSet");
    let (Some(set), None) = (sets.next(), sets.next()) else { return Err(malformed()) };
    Ok(set)
}

fn pairs(set: &Element) -> Result<Vec<(String, String)>> {
    set.all("Tag").map(|tag| Ok((tag.required("Key")?.to_owned(), tag.required("Value")?.to_owned()))).collect()
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
