//! Object keys, and which of them Blob Storage cannot hold.

use std::fmt;

/// A key as S3 knows it: 1 to 1024 bytes of UTF-8, kept byte for byte. As a blob name it is the
/// same string.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey(Box<str>);

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
            1..=Self::BYTES_MAX => Ok(Self(key)),
            _ => Err(InvalidKey::TooLong),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Says whether Blob Storage can hold the key under its own name.
    ///
    /// # Errors
    /// The first reason found why it cannot.
    pub fn mappable(&self) -> Result<(), Unmappable> {
        let mut segments = 0;
        for segment in self.0.split('/') {
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
        for character in self.0.chars() {
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

impl Unmappable {
    /// Every reason, for metrics and reports.
    pub const ALL: [Self; 5] =
        [Self::ControlCharacter, Self::Backslash, Self::DotSegment, Self::TrailingDot, Self::TooManySegments];

    /// The reason as one word, for metrics and reports.
    pub fn label(self) -> &'static str {
        match self {
            Self::ControlCharacter => "control_character",
            Self::Backslash => "backslash",
            Self::DotSegment => "dot_segment",
            Self::TrailingDot => "trailing_dot",
            Self::TooManySegments => "too_many_segments",
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
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
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
    fn lengths() {
        assert_eq!(ObjectKey::new(""), Err(InvalidKey::Empty));
        assert!(ObjectKey::new("a".repeat(1024)).is_ok());
        assert_eq!(ObjectKey::new("é".repeat(513)), Err(InvalidKey::TooLong));
    }
}
