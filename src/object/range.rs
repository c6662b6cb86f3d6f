//! Byte ranges as HTTP asks for them (RFC 9110 section 14.1.2), and as bytes of an object.

use std::fmt;

/// What a `Range: bytes=...` header asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByteRange {
    /// `bytes=a-b`, both inclusive.
    Inclusive { first: u64, last: u64 },
    /// `bytes=a-`.
    From { first: u64 },
    /// `bytes=-n`: the last `length` bytes.
    Suffix { length: u64 },
}

/// Bytes `start` (inclusive) to `end` (exclusive) of an object, never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub start: u64,
    pub end: u64,
}

/// A range that lies wholly outside the object: 416.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unsatisfiable;

impl ByteRange {
    /// Reads a `Range` header. `None` means that the header is to be ignored and the whole object
    /// answered: another unit, several ranges (S3 does not serve them), or no valid range.
    pub fn parse(header: &str) -> Option<Self> {
        let (first, last) = header.trim().strip_prefix("bytes=")?.split_once('-')?;
        let (first, last) = (first.trim(), last.trim());
        match (first.is_empty(), last.is_empty()) {
            (true, true) => None,
            (true, false) => Some(Self::Suffix { length: number(last)? }),
            (false, true) => Some(Self::From { first: number(first)? }),
            (false, false) => {
                let (first, last) = (number(first)?, number(last)?);
                (first <= last).then_some(Self::Inclusive { first, last })
            }
        }
    }

    /// The bytes that the range means in an object of `length` bytes.
    ///
    /// # Errors
    /// [`Unsatisfiable`] if there are none.
    pub fn resolve(self, length: u64) -> Result<Span, Unsatisfiable> {
        let span = match self {
            Self::Inclusive { first, last } => Span { start: first, end: last.saturating_add(1).min(length) },
            Self::From { first } => Span { start: first, end: length },
            Self::Suffix { length: suffix } => Span { start: length.saturating_sub(suffix), end: length },
        };
        if span.start < span.end { Ok(span) } else { Err(Unsatisfiable) }
    }
}

impl fmt::Display for ByteRange {
    /// As a `Range` header has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Inclusive { first, last } => write!(f, "bytes={first}-{last}"),
            Self::From { first } => write!(f, "bytes={first}-"),
            Self::Suffix { length } => write!(f, "bytes=-{length}"),
        }
    }
}

fn number(digits: &str) -> Option<u64> {
    // u64::from_str would take a leading plus.
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(digits.parse().unwrap_or(u64::MAX))
}

impl Span {
    /// Length in bytes.
    pub fn length(self) -> u64 {
        self.end - self.start
    }

    /// The value of a `Range` request header.
    pub fn header(self) -> String {
        format!("bytes={}-{}", self.start, self.end - 1)
    }

    /// The value of a `Content-Range` response header.
    pub fn content_range(self, length: u64) -> String {
        format!("bytes {}-{}/{length}", self.start, self.end - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table() {
        let ok = |start, end| Some(Ok(Span { start, end }));
        let cases = [
            ("bytes=0-0", 10, ok(0, 1)),
            ("bytes=0-9", 10, ok(0, 10)),
            ("bytes=5-100", 10, ok(5, 10)),
            ("bytes=5-18446744073709551615", 10, ok(5, 10)),
            ("bytes=5-99999999999999999999", 10, ok(5, 10)),
            ("bytes=9-", 10, ok(9, 10)),
            ("bytes=-3", 10, ok(7, 10)),
            ("bytes=-30", 10, ok(0, 10)),
            ("bytes=10-", 10, Some(Err(Unsatisfiable))),
            ("bytes=10-12", 10, Some(Err(Unsatisfiable))),
            ("bytes=-0", 10, Some(Err(Unsatisfiable))),
            ("bytes=0-", 0, Some(Err(Unsatisfiable))),
            ("bytes=-1", 0, Some(Err(Unsatisfiable))),
            ("bytes=5-2", 10, None),
            ("bytes=-", 10, None),
            ("bytes=", 10, None),
            ("bytes=a-b", 10, None),
            ("bytes=+1-2", 10, None),
            ("bytes=0-1,3-4", 10, None),
            ("items=0-1", 10, None),
        ];
        for (header, length, expected) in cases {
            assert_eq!(ByteRange::parse(header).map(|range| range.resolve(length)), expected, "{header}");
        }
    }
}
