//! Object keys, and which of them Blob Storage cannot hold.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

/// A key as S3 knows it: 1 to 1024 bytes of UTF-8, kept byte for byte. As a blob name it is the
/// same string, but for directory markers on hierarchical accounts ([`ObjectKey::path_name`]).
#[derive(Clone)]
pub struct ObjectKey {
    /// The key, and behind a directory marker the rest of its path name.
    path_name: Box<str>,
    /// Bytes of the key.
    length: usize,
}

/// The file that stands for the marker of its directory (`dir/`) on a hierarchical account. Hadoop and
/// what is built on it pass over names that begin with a full stop.
const MARKER_FILE: &str = ".bluebucket";

/// Why a string is no S3 key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidKey {
    Empty,
    /// Longer than S3's 1024 bytes.
    TooLong,
}

/// Why Blob Storage cannot hold a key: refused at the facade, counted by the mover, never renamed.
///
/// Source: Azure "Naming and Referencing Containers, Blobs, and Metadata".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unmappable {
    /// A character below 0x20, 0x7F, U+0081, U+E000, or one that XML and HTTP cannot carry.
    ControlCharacter,
    /// A `\`, which the service takes for `/`.
    Backslash,
    /// A `.` or `..` segment, which HTTP stacks and the service resolve away.
    DotSegment,
    /// A segment that ends in `.`, which the service may strip.
    TrailingDot,
    /// More than 254 path segments.
    TooManySegments,
    /// An empty segment, on a hierarchical account, whose directories all have names.
    EmptySegment,
    /// The name of the file that a hierarchical account keeps for a directory marker, or a marker that is
    /// too long for it.
    ReservedName,
}

impl ObjectKey {
    /// Longest key in bytes (S3 user guide, "Naming Amazon S3 objects").
    pub const BYTES_MAX: usize = 1024;

    /// # Errors
    /// [`InvalidKey`] if S3 itself would refuse the key.
    pub fn new(key: impl Into<Box<str>>) -> Result<Self, InvalidKey> {
        let key = key.into();
        match key.len() {
            0 => Err(InvalidKey::Empty),
            length @ 1..=Self::BYTES_MAX if key.ends_with('/') => {
                Ok(Self { path_name: format!("{key}{MARKER_FILE}").into(), length })
            }
            length @ 1..=Self::BYTES_MAX => Ok(Self { path_name: key, length }),
            _ => Err(InvalidKey::TooLong),
        }
    }

    /// The key that a blob of a hierarchical account is; `None` if it is none of S3's.
    pub fn of_path_name(name: impl Into<Box<str>>) -> Option<Self> {
        let name = name.into();
        match name.strip_suffix(MARKER_FILE).filter(|key| key.ends_with('/')) {
            Some(key) => Self::new(key).ok(),
            None => Self::new(name).ok(),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.path_name[..self.length]
    }

    /// The name of its blob on a hierarchical account: the key itself, but for a directory marker
    /// (`dir/`) a file in that directory, because such an account has no names that end in a slash.
    pub fn path_name(&self) -> &str {
        &self.path_name
    }

    /// As [`ObjectKey::mappable`], for an account with a hierarchical namespace.
    ///
    /// # Errors
    /// The first reason found why it cannot.
    pub fn mappable_as_path(&self) -> Result<(), Unmappable> {
        self.mappable()?;
        let path = self.as_str();
        let named = path.strip_suffix('/').unwrap_or(path);
        if named.split('/').any(str::is_empty) {
            return Err(Unmappable::EmptySegment);
        }
        let reserved = path.strip_suffix(MARKER_FILE).is_some_and(|directory| directory.ends_with('/'));
        if reserved || self.path_name.encode_utf16().count() > NAME_UNITS_MAX {
            return Err(Unmappable::ReservedName);
        }
        Ok(())
    }

    /// Says whether Blob Storage can hold the key under its own name.
    ///
    /// # Errors
    /// The first reason found why it cannot.
    pub fn mappable(&self) -> Result<(), Unmappable> {
        let mut segments = 0;
        for segment in self.as_str().split('/') {
            segments += 1;
            if segment == "." || segment == ".." {
                return Err(Unmappable::DotSegment);
            }
            if segment.ends_with('.') {
                return Err(Unmappable::TrailingDot);
            }
        }
        if segments > SEGMENTS_MAX {
            return Err(Unmappable::TooManySegments);
        }
        for character in self.as_str().chars() {
            match character {
                '\\' => return Err(Unmappable::Backslash),
                '\0'..='\x1f' | '\x7f' | '\u{81}' | '\u{e000}' | '\u{fffe}' | '\u{ffff}' => {
                    return Err(Unmappable::ControlCharacter);
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Path segments of a blob name on a flat account (same page as [`Unmappable`]).
const SEGMENTS_MAX: usize = 254;
/// Longest blob name in UTF-16 units (same page).
const NAME_UNITS_MAX: usize = 1024;

impl PartialEq for ObjectKey {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for ObjectKey {}

impl Hash for ObjectKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl Ord for ObjectKey {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl PartialOrd for ObjectKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Unmappable {
    /// Every reason, for metrics and reports.
    pub const ALL: [Self; 7] = [
        Self::ControlCharacter,
        Self::Backslash,
        Self::DotSegment,
        Self::TrailingDot,
        Self::TooManySegments,
        Self::EmptySegment,
        Self::ReservedName,
    ];

    /// The reason as one word, for metrics and reports.
    pub fn label(self) -> &'static str {
        match self {
            Self::ControlCharacter => "control_character",
            Self::Backslash => "backslash",
            Self::DotSegment => "dot_segment",
            Self::TrailingDot => "trailing_dot",
            Self::TooManySegments => "too_many_segments",
            Self::EmptySegment => "empty_segment",
            Self::ReservedName => "reserved_name",
        }
    }
}

impl fmt::Display for Unmappable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ControlCharacter => "the key holds a character that a blob name cannot hold",
            Self::Backslash => "the key holds a backslash, which Blob Storage takes for a slash",
            Self::DotSegment => "the key holds a '.' or '..' segment, which a blob name cannot hold",
            Self::TrailingDot => "a segment of the key ends in '.', which Blob Storage does not keep",
            Self::TooManySegments => "the key has more than 254 segments",
            Self::EmptySegment => "the key holds an empty segment, which a hierarchical account does not keep",
            Self::ReservedName => "the key is too long for a directory marker, or has the name of one's file",
        })
    }
}

impl fmt::Display for InvalidKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "a key must not be empty",
            Self::TooLong => "a key must not be longer than 1024 bytes",
        })
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mappable_table() {
        let long = "a/".repeat(254) + "a";
        let cases = [
            ("a", Ok(())),
            ("a//b", Ok(())),
            ("/a", Ok(())),
            ("dir/", Ok(())),
            ("a b+c%2F?#&=é😀", Ok(())),
            (".hidden/..a", Ok(())),
            ("a/./b", Err(Unmappable::DotSegment)),
            ("..", Err(Unmappable::DotSegment)),
            ("a./b", Err(Unmappable::TrailingDot)),
            ("a...", Err(Unmappable::TrailingDot)),
            ("a\\b", Err(Unmappable::Backslash)),
            ("a\tb", Err(Unmappable::ControlCharacter)),
            ("a\u{7f}", Err(Unmappable::ControlCharacter)),
            ("a\u{e000}", Err(Unmappable::ControlCharacter)),
            (&long, Err(Unmappable::TooManySegments)),
        ];
        for (key, expected) in cases {
            assert_eq!(ObjectKey::new(key).unwrap().mappable(), expected, "{key:?}");
        }
    }

    #[test]
    fn paths_of_hierarchical_accounts() {
        let long = format!("{}/", "a".repeat(1014));
        let cases = [
            ("a/b", "a/b", Ok(())),
            ("a/b/", "a/b/.bluebucket", Ok(())),
            (".bluebucket", ".bluebucket", Ok(())),
            ("a/.bluebucket/b", "a/.bluebucket/b", Ok(())),
            ("a/.bluebucket", "a/.bluebucket", Err(Unmappable::ReservedName)),
            (&long, &format!("{long}.bluebucket"), Err(Unmappable::ReservedName)),
            ("a//b", "a//b", Err(Unmappable::EmptySegment)),
            ("/a", "/a", Err(Unmappable::EmptySegment)),
            ("a//", "a//.bluebucket", Err(Unmappable::EmptySegment)),
            ("/", "/.bluebucket", Err(Unmappable::EmptySegment)),
            ("a/../b", "a/../b", Err(Unmappable::DotSegment)),
        ];
        for (text, name, mappable) in cases {
            let key = ObjectKey::new(text).unwrap();
            assert_eq!((key.as_str(), key.path_name(), key.mappable_as_path()), (text, name, mappable));
            if mappable.is_ok() {
                assert_eq!(ObjectKey::of_path_name(name), Some(key));
            }
        }
        // The file behind a marker does not move it in the order of keys.
        let mut keys = ["a/", "a/!", "a/.bluebucket0", "a0"].map(|key| ObjectKey::new(key).unwrap());
        keys.sort();
        assert_eq!(keys.each_ref().map(ObjectKey::as_str), ["a/", "a/!", "a/.bluebucket0", "a0"]);
    }

    #[test]
    fn lengths() {
        assert_eq!(ObjectKey::new(""), Err(InvalidKey::Empty));
        assert!(ObjectKey::new("a".repeat(1024)).is_ok());
        assert_eq!(ObjectKey::new("é".repeat(513)), Err(InvalidKey::TooLong));
    }
}
