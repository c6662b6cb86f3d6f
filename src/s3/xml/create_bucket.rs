//! `CreateBucketConfiguration`.

use crate::s3::error::Result;

use super::reader::read;

/// Longest document in bytes (set by us).
pub const BYTES_MAX: usize = 64 << 10;

/// The region asked for, if one is; an empty document asks for none.
///
/// # Errors
/// MalformedXML.
pub fn parse(document: &[u8]) -> Result<Option<String>> {
    if document.trim_ascii().is_empty() {
        return Ok(None);
    }
    let root = read(document, "CreateBucketConfiguration")?;
    let region = root.text_of("LocationConstraint")?.map(str::trim).filter(|region| !region.is_empty());
    Ok(region.map(str::to_owned))
}
