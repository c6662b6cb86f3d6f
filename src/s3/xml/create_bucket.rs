//! `CreateBucketConfiguration`.

use crate::object::Tags;
use crate::s3::error::Result;

use super::reader::{malformed, read};
use super::tagging;

/// Longest document in bytes (set by us).
pub const BYTES_MAX: usize = 64 << 10;

/// What a new bucket is to have; an empty document asks for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Configuration {
    pub region: Option<String>,
    pub tags: Tags,
}

/// # Errors
/// MalformedXML; InvalidTag or BadRequest for tags that S3 refuses.
pub fn parse(document: &[u8]) -> Result<Configuration> {
    if document.trim_ascii().is_empty() {
        return Ok(Configuration::default());
    }
    let root = read(document, "CreateBucketConfiguration")?;
    let region = root.text_of("LocationConstraint")?.map(str::trim).filter(|region| !region.is_empty());
    let mut sets = root.all("Tags");
    let tags = sets.next().map(tagging::of_bucket).transpose()?.unwrap_or_default();
    if sets.next().is_some() {
        return Err(malformed());
    }
    Ok(Configuration { region: region.map(str::to_owned), tags })
}
