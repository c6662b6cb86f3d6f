//! Listings in S3 order: the byte order of UTF-8.
//!
//! A flat account lists in UTF-16 order, which differs only where, at the same place, one name has a
//! character of U+E000 to U+FFFF (*high*) and another one beyond U+FFFF (*astral*, two surrogates
//! below U+E000). Wherever a page shows such a name, the names that share what comes before that
//! character are listed apart: first those with a high character there, then the astral ones. The
//! rest, and so practically every listing, is passed through as it comes.
//!
//! A hierarchical account is listed as a tree (`list/tree.rs`), each level in this way.

mod level;
mod tree;

use self::tree::Tree;
use super::Bucket;
use super::codec::{self, Decoded, Origin, Place};
use crate::blob::ListedProperties;
use crate::blob::list::{BlobItem, ListBlobs, Named};
use crate::object::listing::{ListEntry, ListPage, ListQuery, ListedObject};
use crate::object::{Result, Stamp, StoreTag};

/// Pages asked for on behalf of one request; past them a client that has something gets a short page
/// and goes on.
const PAGES_MAX: u32 = 64;
/// Entries beyond the wanted ones: the inclusive first name, and the one that tells of more.
const PAGE_SLACK: usize = 2;

/// An object as the mover needs it listed.
#[derive(Clone, Debug)]
pub struct StoredEntry {
    pub listed: ListedObject,
    pub stamp: Option<Stamp>,
    pub origin: Origin,
    pub store_tag: StoreTag,
}

impl Bucket {
    /// A page of a listing. It is never empty and `truncated`.
    ///
    /// # Errors
    /// `ContainerMissing`, and those of the Blob client.
    pub async fn list(&self, query: &ListQuery) -> Result<ListPage<ListedObject>> {
        let page = self.list_stored(query).await?;
        let entries = page.entries.into_iter().map(|entry| match entry {
            ListEntry::Object(stored) => ListEntry::Object(stored.listed),
            ListEntry::Prefix(prefix) => ListEntry::Prefix(prefix),
        });
        Ok(ListPage { entries: entries.collect(), truncated: page.truncated })
    }

    /// As [`Bucket::list`], with what only we may know of each blob.
    ///
    /// # Errors
    /// As [`Bucket::list`].
    pub async fn list_stored(&self, query: &ListQuery) -> Result<ListPage<StoredEntry>> {
        let mut page = ListPage { entries: Vec::new(), truncated: false };
        if query.limit == 0 {
            return Ok(page);
        }
        if self.is_hierarchical() {
            return Box::pin(Tree::list(self, query)).await;
        }
        let mut walk = Walk::new(query, Order::Flat);
        let mut pages = 0;
        while pages < PAGES_MAX || page.entries.is_empty() {
            pages += 1;
            let wanted = query.limit - page.entries.len();
            let Some(entries) = self.next_entries(&mut walk, query.delimiter.as_deref(), wanted).await? else {
                return Ok(page);
            };
            page.entries.reserve(entries.len().min(wanted));
            for entry in entries {
                let Some(entry) = shown(entry, query) else { continue };
                if let (ListEntry::Prefix(prefix), Some(ListEntry::Prefix(last))) = (&entry, page.entries.last())
                    && prefix == last
                {
                    continue;
                }
                if page.entries.len() == query.limit {
                    page.truncated = true;
                    return Ok(page);
                }
                page.entries.push(entry);
            }
        }
        page.truncated = true;
        Ok(page)
    }

    /// The next entries in S3 order; `None` at the end.
    async fn next_entries(
        &self,
        walk: &mut Walk,
        delimiter: Option<&str>,
        wanted: usize,
    ) -> Result<Option<Vec<ListEntry<StoredEntry>>>> {
        let Some(section) = walk.sections.last_mut() else { return Ok(None) };
        let request = ListBlobs {
            prefix: &section.prefix,
            delimiter,
            marker: section.marker.as_deref(),
            start_from: if section.marker.is_none() { section.start_from.as_deref() } else { None },
            max_results: Some((wanted + PAGE_SLACK).min(crate::blob::list::LIST_PAGE_MAX)),
            include_metadata: true,
            include_uncommitted: false,
        };
        let mut page = self.blobs.list_blobs_as(&self.container, &request, |item| self.entry(item)).await?;
        section.marker = page.next_marker.take();
        let mut entries = page.items;
        if let Some(stop) = &section.stop_before
            && let Some(end) = entries.iter().position(|entry| utf16_order(entry.name(), stop).is_ge())
        {
            entries.truncate(end);
            section.marker = None;
        }
        let split = entries.iter().enumerate().find_map(|(index, entry)| Some((index, section.split(entry.name())?)));
        match split {
            None if section.marker.is_none() => {
                walk.sections.pop();
            }
            None => {}
            Some((index, at)) => {
                let name = entries[index].name().to_owned();
                entries.truncate(index);
                walk.split(&name, at);
            }
        }
        Ok(Some(entries))
    }

    /// An item as an entry; `None` for what S3 does not list.
    fn entry(&self, item: BlobItem) -> Option<ListEntry<StoredEntry>> {
        match item {
            BlobItem::Prefix(prefix) => Some(ListEntry::Prefix(prefix)),
            BlobItem::Blob { name, properties } => self.object_entry(name, properties).map(ListEntry::Object),
        }
    }

    /// A blob as an object; `None` for directories.
    fn object_entry(&self, name: String, properties: ListedProperties) -> Option<StoredEntry> {
        if properties.is_directory {
            return None;
        }
        let place = Place { container: self.container.as_str(), name: &name, length: properties.length };
        let own = Decoded::of(&properties.metadata, place);
        Some(StoredEntry {
            origin: own.origin(),
            listed: ListedObject {
                key: self.key_of(name)?,
                size: properties.length,
                etag: codec::shown_etag(&own, properties.content_md5, &properties.store_tag),
                last_modified: own.shown_time(properties.last_modified),
                storage_class: own.storage_class,
            },
            stamp: own.stamp,
            store_tag: properties.store_tag,
        })
    }
}

impl Named for ListEntry<StoredEntry> {
    fn name(&self) -> &str {
        match self {
            Self::Object(stored) => stored.listed.key.as_str(),
            Self::Prefix(prefix) => prefix,
        }
    }
}

/// An entry as the query wants it; `None` for what lies before its start. What is no object has been left out
/// before, and makes no prefix.
fn shown(entry: ListEntry<StoredEntry>, query: &ListQuery) -> Option<ListEntry<StoredEntry>> {
    let entry = match entry {
        ListEntry::Object(stored) => match query.fold(stored.listed.key.as_str()) {
            // The service has not folded it: its section begins within a delimiter of several characters.
            Some(prefix) => ListEntry::Prefix(prefix.to_owned()),
            None => ListEntry::Object(stored),
        },
        prefix => prefix,
    };
    (Some(entry.name()) > query.after.as_deref()).then_some(entry)
}

/// What is still to be listed, the next section last.
struct Walk {
    sections: Vec<Section>,
    order: Order,
}

/// The order in which an account lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Flat,
    /// One level of a tree: the same among names, but that `/`, with which directories end, comes before
    /// every other character.
    Level,
}

/// A run of names in which the account's order is S3's, but for names that [`Section::split`] finds.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Section {
    prefix: String,
    /// Inclusive.
    start_from: Option<String>,
    /// Exclusive, in UTF-16 order.
    stop_before: Option<String>,
    /// Bytes of a name up to which its order is settled.
    settled: usize,
    marker: Option<String>,
}

impl Section {
    fn new(prefix: &str, start_from: Option<String>, stop_before: Option<String>, settled: usize) -> Self {
        Self { prefix: prefix.to_owned(), start_from, stop_before, settled, marker: None }
    }

    /// Byte position of the first high or astral character that is not settled yet.
    fn split(&self, name: &str) -> Option<usize> {
        let settled = self.settled.min(name.len());
        // Only bytes from 0xEE on begin such a character: a cheap look before the decoding.
        if !name.as_bytes()[settled..].iter().any(|&byte| byte >= 0xee) {
            return None;
        }
        name.get(settled..)?.char_indices().find(|(_, character)| *character >= FIRST_HIGH).map(|(at, _)| settled + at)
    }
}

const FIRST_HIGH: char = '\u{e000}';
const FIRST_ASTRAL: char = '\u{10000}';
const LAST: char = '\u{10ffff}';

impl Walk {
    fn new(query: &ListQuery, order: Order) -> Self {
        // Within a folded group nothing is left, and no section may begin there: it would not be folded.
        let after = query.after.as_deref().map(|after| query.fold(after).unwrap_or(after));
        Self::of(&query.prefix, after, order)
    }

    fn of(prefix: &str, after: Option<&str>, order: Order) -> Self {
        let mut walk = Self { sections: vec![Section::new(prefix, None, None, prefix.len())], order };
        if let Some(after) = after {
            walk.resume(after);
        }
        walk
    }

    /// Goes on after a key: the sections that come before it in S3 order are left out.
    fn resume(&mut self, after: &str) {
        loop {
            let Some(section) = self.sections.last_mut() else { return };
            let Some(at) = after.starts_with(section.prefix.as_str()).then(|| section.split(after)).flatten() else {
                let begins_later = section.start_from.as_deref().is_some_and(|start| after < start);
                if !begins_later && after > section.prefix.as_str() {
                    section.start_from = Some(after.to_owned());
                }
                return;
            };
            self.split(after, at);
            if after[at..].starts_with(|character: char| character >= FIRST_ASTRAL) {
                // The high names come before the astral ones.
                self.sections.pop();
            }
        }
    }

    /// Replaces the section in which `name` was met by: its high names, its astral names, the rest.
    fn split(&mut self, name: &str, at: usize) {
        let Some(section) = self.sections.pop() else { return };
        let stem = &name[..at];
        // Behind all names that begin with the stem, in the account's order.
        if let Some(rest) = after_all(stem, &section.prefix, self.order) {
            let ends_before = section.stop_before.as_deref().is_some_and(|stop| utf16_order(&rest, stop).is_ge());
            if !ends_before {
                self.sections.push(Section::new(
                    &section.prefix,
                    Some(rest),
                    section.stop_before.clone(),
                    section.settled,
                ));
            }
        }
        let high = format!("{stem}{FIRST_HIGH}");
        let astral = format!("{stem}{FIRST_ASTRAL}");
        self.sections.push(Section::new(stem, Some(astral), Some(high.clone()), at + FIRST_ASTRAL.len_utf8()));
        self.sections.push(Section::new(stem, Some(high), None, at + FIRST_HIGH.len_utf8()));
    }
}

/// The least name that no name beginning with `stem` reaches, in both orders: the last character of
/// the stem that can be raised is raised. `None` if nothing within `prefix` comes behind.
fn after_all(stem: &str, prefix: &str, order: Order) -> Option<String> {
    let mut head = stem.to_owned();
    while head.len() > prefix.len() {
        let last = head.pop()?;
        if let Some(next) = successor(last, order) {
            head.push(next);
            return Some(head);
        }
    }
    None
}

/// The next character in UTF-16 order; no name within a level has a `/`.
fn successor(character: char, order: Order) -> Option<char> {
    match character {
        '.' if order == Order::Level => Some('0'),
        '\u{d7ff}' => Some(FIRST_ASTRAL),
        LAST => Some(FIRST_HIGH),
        '\u{ffff}' => None,
        _ => char::from_u32(character as u32 + 1),
    }
}

/// Order of a flat account's listing.
fn utf16_order(a: &str, b: &str) -> std::cmp::Ordering {
    a.encode_utf16().cmp(b.encode_utf16())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Lists `names` as [`Bucket::next_entries`] does, against a model of a flat account, which holds `hidden` ones
    /// too: names that are no keys.
    fn walk_all(names: &[String], hidden: &[String], query: &ListQuery, page: usize) -> Vec<String> {
        let mut sorted = [names, hidden].concat();
        sorted.sort_by(|a, b| utf16_order(a, b));
        let mut walk = Walk::new(query, Order::Flat);
        let mut out = Vec::new();
        let mut pages = 0;
        while let Some(section) = walk.sections.last_mut() {
            pages += 1;
            assert!(pages < 10_000, "the walk does not end");
            let from = section.marker.clone().or(section.start_from.clone()).unwrap_or_default();
            let mut matching =
                sorted.iter().filter(|name| name.starts_with(&section.prefix) && utf16_order(name, &from).is_ge());
            let mut items: Vec<String> = matching.by_ref().take(page).cloned().collect();
            section.marker = matching.next().cloned();
            items.retain(|name| !hidden.contains(name));
            if let Some(stop) = &section.stop_before
                && let Some(end) = items.iter().position(|name| utf16_order(name, stop).is_ge())
            {
                items.truncate(end);
                section.marker = None;
            }
            match items.iter().enumerate().find_map(|(index, name)| Some((index, section.split(name)?))) {
                None if section.marker.is_none() => {
                    walk.sections.pop();
                }
                None => {}
                Some((index, at)) => {
                    let name = items[index].clone();
                    items.truncate(index);
                    walk.split(&name, at);
                }
            }
            out.extend(items.into_iter().filter(|name| Some(name.as_str()) > query.after.as_deref()));
        }
        out
    }

    #[test]
    fn order_of_planes() {
        let names =
            ["a\u{ff21}", "a\u{1f600}", "a\u{e9}", "b", "a\u{1f600}\u{ff21}", "a\u{1f600}\u{1f600}", "\u{ff21}"];
        let names: Vec<_> = names.map(str::to_owned).to_vec();
        let mut expected = names.clone();
        expected.sort();
        for page in 1..8 {
            assert_eq!(walk_all(&names, &[], &ListQuery::default(), page), expected, "pages of {page}");
        }
    }

    proptest! {
        #[test]
        fn any_listing_is_in_s3_order(
            names in proptest::collection::btree_set("[ab\u{d7ff}\u{e001}\u{fffd}\u{10000}\u{1f600}\u{10ffff}]{1,5}", 0..40),
            hidden in proptest::collection::btree_set("[ab\u{e001}\u{10000}\u{1f600}]{1,4}", 0..20),
            prefix in "[ab\u{e001}\u{1f600}]{0,2}",
            after in proptest::option::of("[ab\u{e001}\u{fffd}\u{1f600}\u{10ffff}]{0,5}"),
            page in 1..6_usize,
        ) {
            let hidden: Vec<_> = hidden.difference(&names).cloned().collect();
            let names: Vec<_> = names.into_iter().collect();
            let query = ListQuery { prefix: prefix.clone(), after: after.clone(), limit: 1, ..Default::default() };
            let expected: Vec<_> = names
                .iter()
                .filter(|name| name.starts_with(&prefix) && Some(*name) > after.as_ref())
                .cloned()
                .collect();
            prop_assert_eq!(walk_all(&names, &hidden, &query, page), expected);
        }
    }
}
