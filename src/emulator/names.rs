//! Names of containers and blobs, and their order.

use std::cmp::Ordering;

use super::error::{Outcome, ServiceError};

/// A blob name, in the order in which its account lists.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct BlobName {
    text: String,
    order: NameOrder,
}

/// How an account orders names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum NameOrder {
    /// By UTF-16 code units.
    Flat,
    /// As a walk of the tree: `/` before every other character, else as flat accounts.
    Tree,
}

impl NameOrder {
    pub fn compare(self, a: &str, b: &str) -> Ordering {
        match self {
            Self::Flat => utf16_order(a, b),
            Self::Tree => tree_order(a, b),
        }
    }
}

impl BlobName {
    pub fn new(text: impl Into<String>, order: NameOrder) -> Self {
        Self { text: text.into(), order }
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn order(&self) -> NameOrder {
        self.order
    }

    /// Whether the name is a path of a hierarchical account.
    pub fn is_path(&self) -> bool {
        self.order == NameOrder::Tree
    }

    /// The directories that a name lies in, the outermost first.
    pub fn parents(&self) -> impl Iterator<Item = Self> {
        self.text.match_indices('/').map(|(at, _)| Self::new(&self.text[..at], self.order))
    }

    /// Where the names below this one begin.
    pub fn below(&self) -> String {
        format!("{}/", self.text)
    }
}

impl Ord for BlobName {
    fn cmp(&self, other: &Self) -> Ordering {
        self.order.compare(&self.text, &other.text)
    }
}

impl PartialOrd for BlobName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Compares by UTF-16 code units without transcoding: UTF-8 order differs from it only where one
/// text has a character of U+E000..U+FFFF (lead byte EE, EF) and the other a supplementary one (F0 and above).
pub(super) fn utf16_order(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let differing = a.iter().zip(b).find(|(x, y)| x != y);
    match differing {
        None => a.len().cmp(&b.len()),
        Some((0xEE..=0xEF, 0xF0..)) => Ordering::Greater,
        Some((0xF0.., 0xEE..=0xEF)) => Ordering::Less,
        Some((x, y)) => x.cmp(y),
    }
}

/// The same where `/` comes before every other character.
fn tree_order(a: &str, b: &str) -> Ordering {
    match a.bytes().zip(b.bytes()).find(|(x, y)| x != y) {
        Some((b'/', _)) => Ordering::Less,
        Some((_, b'/')) => Ordering::Greater,
        _ => utf16_order(a, b),
    }
}

/// A path of a hierarchical account: empty segments name nothing there. (How the service takes them is
/// not recorded; a client that relies on them is caught by this reading.)
pub(super) fn path(name: &str) -> String {
    if !name.contains("//") && !name.starts_with('/') && !name.ends_with('/') {
        return name.to_owned();
    }
    name.split('/').filter(|segment| !segment.is_empty()).collect::<Vec<_>>().join("/")
}

/// Checks a container name: 3 to 63 of `a-z0-9-`, no hyphen at an end or beside another.
pub(super) fn check_container(name: &str) -> Outcome<()> {
    if matches!(name, "$root" | "$logs" | "$web") {
        return Ok(());
    }
    let legal = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !legal || name.starts_with('-') || name.ends_with('-') || name.contains("--") {
        return Err(ServiceError::invalid_resource_name());
    }
    if !(3..=63).contains(&name.len()) {
        return Err(ServiceError::resource_name_length().detail("MinLimit", "3").detail("MaxLimit", "63"));
    }
    Ok(())
}

/// Checks a blob name: 1 to 1024 UTF-16 units, at most 254 segments, no control character (nor
/// U+0081 and U+E000).
pub(super) fn check_blob(name: &str) -> Outcome<()> {
    let units = name.encode_utf16().count();
    let segments = name.split('/').count();
    let refused = |c| matches!(c, '\0'..='\x1F' | '\u{81}' | '\u{E000}');
    if units == 0 || units > 1024 || segments > 254 || name.chars().any(refused) {
        return Err(ServiceError::invalid_input());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_that_of_utf16() {
        let names = [
            "",
            "a",
            "a/",
            "a/b",
            "a-b",
            "ab",
            "é",
            "\u{D7FF}",
            "\u{E001}x",
            "\u{FFFD}",
            "\u{FFFF}",
            "😀",
            "😀a",
            "\u{10FFFF}",
        ];
        for a in names {
            for b in names {
                assert_eq!(utf16_order(a, b), a.encode_utf16().cmp(b.encode_utf16()), "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn order_of_a_tree() {
        let sorted = ["A", "A/", "A/x", "A/x/y", "A/x-", "A ", "A!", "A-B", "A0", "\u{10000}", "\u{E001}"];
        for (at, a) in sorted.iter().enumerate() {
            for (other, b) in sorted.iter().enumerate() {
                assert_eq!(tree_order(a, b), at.cmp(&other), "{a:?} {b:?}");
            }
        }
        for (name, meant) in [("a/b", "a/b"), ("a/b/", "a/b"), ("//a///b", "a/b"), ("/", "")] {
            assert_eq!(path(name), meant);
        }
        let parents = BlobName::new("a/b/c", NameOrder::Tree).parents().map(|name| name.text).collect::<Vec<_>>();
        assert_eq!(parents, ["a", "a/b"]);
    }

    #[test]
    fn container_names() {
        for good in ["abc", "local-iceberg-test", "1-2-3", "$root", &"a".repeat(63)] {
            assert!(check_container(good).is_ok(), "{good}");
        }
        for bad in ["ab", "-abc", "abc-", "a--b", "Abc", "a_b", "a b", &"a".repeat(64), ""] {
            assert!(check_container(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn blob_names() {
        for good in ["a", "a/../b", "//", "x.", "\u{FFFF}", &"é".repeat(1024), &"a/".repeat(253)] {
            assert!(check_blob(good).is_ok(), "{good}");
        }
        for bad in ["", "a\nb", "\u{81}", "\u{E000}", &"a".repeat(1025), &"😀".repeat(513), &"a/".repeat(254)] {
            assert!(check_blob(bad).is_err(), "{bad:?}");
        }
    }
}
