//! `Delete` and `DeleteResult`, the two sides of DeleteObjects.

use crate::object::condition::TagList;
use crate::object::key::InvalidKey;
use crate::object::{DeleteCondition, ObjectKey, Timestamp};
use crate::s3::error::{Result, S3Code, S3Error};
use crate::s3::request::byte_count;

use super::reader::{Element, malformed, read};
use super::writer::Writer;

/// Longest document in bytes (set by us: 1000 keys of 1 KiB fit, escaped as they may be).
pub const BYTES_MAX: usize = 4 << 20;
/// Most keys of a request (set by S3).
pub const KEYS_MAX: usize = 1_000;

/// What is to be deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delete {
    pub objects: Vec<DeleteEntry>,
    /// Only failures are to be answered.
    pub quiet: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteEntry {
    pub key: ObjectKey,
    pub version_id: Option<String>,
    pub condition: DeleteCondition,
}

/// What became of one key.
#[derive(Clone, Debug)]
pub struct DeleteOutcome<'a> {
    pub entry: &'a DeleteEntry,
    /// The key is gone, or the reason why not.
    pub result: Result<(), S3Error>,
}

/// # Errors
/// MalformedXML, also for no key, for more than 1000, and for a time or size that is none;
/// KeyTooLongError.
pub fn parse(document: &[u8]) -> Result<Delete> {
    let root = read(document, "Delete")?;
    if !(1..=KEYS_MAX).contains(&root.all("Object").count()) {
        return Err(malformed());
    }
    let quiet = match root.text_of("Quiet")?.map(str::trim) {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(malformed()),
    };
    Ok(Delete { objects: root.all("Object").map(entry).collect::<Result<_>>()?, quiet })
}

fn entry(element: &Element) -> Result<DeleteEntry> {
    let key = ObjectKey::new(element.required("Key")?).map_err(|error| match error {
        InvalidKey::Empty => malformed(),
        InvalidKey::TooLong => S3Code::KeyTooLongError.into(),
    })?;
    let filled = |name| Ok::<_, S3Error>(element.text_of(name)?.map(str::trim).filter(|text| !text.is_empty()));
    Ok(DeleteEntry {
        key,
        version_id: filled("VersionId")?.map(str::to_owned),
        condition: DeleteCondition {
            etag: filled("ETag")?.map(TagList::parse),
            last_modified: filled("LastModifiedTime")?.map(|text| time(text).ok_or_else(malformed)).transpose()?,
            size: filled("Size")?.map(|text| byte_count(text).ok_or_else(malformed)).transpose()?,
        },
    })
}

/// SDKs write times as ISO 8601, or as HTTP does.
fn time(text: &str) -> Option<Timestamp> {
    Timestamp::parse_iso8601(text).or_else(|| Timestamp::parse_http(text))
}

/// The answer, in the order given; `quiet` leaves out what went well.
pub fn render(outcomes: &[DeleteOutcome<'_>], quiet: bool) -> String {
    let mut xml = Writer::document(outcomes.len() * 128);
    xml.root("DeleteResult");
    for DeleteOutcome { entry, result } in outcomes {
        let element = match result {
            Ok(()) if quiet => continue,
            Ok(()) => "Deleted",
            Err(_) => "Error",
        };
        xml.open(element);
        xml.text("Key", entry.key.as_str());
        xml.optional("VersionId", entry.version_id.as_deref());
        if let Err(error) = result {
            xml.text("Code", error.code().as_str());
            xml.text("Message", error.message());
        }
        xml.close(element);
    }
    xml.close("DeleteResult");
    xml.finish()
}
