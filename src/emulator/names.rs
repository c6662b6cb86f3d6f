//! Names of containers and blobs, and their order.

use std::cmp::Ordering;

use super::error::{Outcome, ServiceError};

/// A blob name, ordered as a flat account lists: by UTF-16 code units.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct BlobName(pub String);

impl Ord for BlobName {
    fn cmp(&self, other: &Self) -> Ordering {
        utf16_order(&self.0, &other.0)
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
