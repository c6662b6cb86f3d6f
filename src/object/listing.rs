//! Listings of a bucket in S3 order: the byte order of the keys' UTF-8.

use super::{ETag, ObjectKey, Timestamp};

/// What a listing asks for.
#[derive(Clone, Debug, Default)]
pub struct ListQuery {
    pub prefix: String,
    /// Keys that go on with text up to and including the delimiter are folded into one prefix.
    pub delimiter: Option<String>,
    /// Only entries (keys or folded prefixes) after this one, exclusive.
    pub after: Option<String>,
    /// Entries at the most.
    pub limit: usize,
}

impl ListQuery {
    /// The prefix that a key is folded into.
    pub fn fold<'k>(&self, key: &'k str) -> Option<&'k str> {
        let delimiter = self.delimiter.as_deref().filter(|delimiter| !delimiter.is_empty())?;
        let rest = key.strip_prefix(self.prefix.as_str())?;
        key.get(..self.prefix.len() + rest.find(delimiter)? + delimiter.len())
    }
}

/// A page of a listing.
#[derive(Clone, Debug, Default)]
pub struct ListPage<T> {
    pub entries: Vec<ListEntry<T>>,
    /// More entries follow the last one of this page.
    pub truncated: bool,
}

/// An entry: an object, or a prefix that folds several.
#[derive(Clone, Debug)]
pub enum ListEntry<T> {
    Object(T),
    Prefix(String),
}

/// An object as S3 lists it.
#[derive(Clone, Debug)]
pub struct ListedObject {
    pub key: ObjectKey,
    /// Size in bytes.
    pub size: u64,
    pub etag: ETag,
    pub last_modified: Timestamp,
    /// S3's name of the storage class; `None` = STANDARD.
    pub storage_class: Option<String>,
}
