//! The canonical request and the string to sign.

use std::borrow::Cow;

use aws_lc_rs::digest;
use http::{HeaderMap, Method};

use crate::s3::query;

/// What a signature covers, as it came in.
#[derive(Clone, Copy)]
pub struct Canonical<'a> {
    pub method: &'a Method,
    /// The path as it stands in the request line.
    pub path: &'a str,
    /// The query as it stands in the request line.
    pub query: &'a str,
    pub headers: &'a HeaderMap,
    /// Names in lower case, joined by `;`.
    pub signed_headers: &'a str,
    pub payload_hash: &'a str,
}

/// A header is announced as signed and is not there.
#[derive(Debug)]
pub struct HeaderAbsent;

impl Canonical<'_> {
    /// Writes the string to sign into `out`, whatever it held.
    pub fn string_to_sign(&self, out: &mut Vec<u8>, amz_date: &str, scope: &str) -> Result<(), HeaderAbsent> {
        out.clear();
        self.write(out)?;
        let hash = digest::digest(&digest::SHA256, out);
        out.clear();
        for part in [super::ALGORITHM, "\n", amz_date, "\n", scope, "\n"] {
            out.extend_from_slice(part.as_bytes());
        }
        hex_into(out, hash.as_ref());
        Ok(())
    }

    fn write(&self, out: &mut Vec<u8>) -> Result<(), HeaderAbsent> {
        out.extend_from_slice(self.method.as_str().as_bytes());
        out.push(b'\n');
        out.extend_from_slice(self.path.as_bytes());
        out.push(b'\n');
        write_query(out, self.query);
        out.push(b'\n');
        for name in self.signed_headers.split(';') {
            write_header(out, self.headers, name)?;
        }
        out.push(b'\n');
        out.extend_from_slice(self.signed_headers.as_bytes());
        out.push(b'\n');
        out.extend_from_slice(self.payload_hash.as_bytes());
        Ok(())
    }
}

/// Parameters sorted by encoded name, then value; the signature itself is never part of it.
fn write_query(out: &mut Vec<u8>, raw: &str) {
    if raw.is_empty() {
        return;
    }
    let mut parameters: Vec<_> = query::pairs(raw)
        .map(|(name, value)| (component(name), component(value)))
        .filter(|(name, _)| name != "X-Amz-Signature")
        .collect();
    parameters.sort_unstable();
    for (index, (name, value)) in parameters.iter().enumerate() {
        if index > 0 {
            out.push(b'&');
        }
        out.extend_from_slice(name.as_bytes());
        out.push(b'=');
        out.extend_from_slice(value.as_bytes());
    }
}

fn write_header(out: &mut Vec<u8>, headers: &HeaderMap, name: &str) -> Result<(), HeaderAbsent> {
    out.extend_from_slice(name.as_bytes());
    out.push(b':');
    let mut values = headers.get_all(name).iter();
    write_trimmed(out, values.next().ok_or(HeaderAbsent)?.as_bytes());
    for value in values {
        out.push(b',');
        write_trimmed(out, value.as_bytes());
    }
    out.push(b'\n');
    Ok(())
}

/// Drops blanks at both ends and leaves one of each run inside.
fn write_trimmed(out: &mut Vec<u8>, value: &[u8]) {
    let value = value.trim_ascii();
    // Most values hold no blank at all.
    if memchr::memchr2(b' ', b'\t', value).is_none() {
        out.extend_from_slice(value);
        return;
    }
    let mut blank = false;
    for &byte in value {
        let is_blank = matches!(byte, b' ' | b'\t');
        if !is_blank {
            out.push(byte);
        } else if !blank {
            out.push(b' ');
        }
        blank = is_blank;
    }
}

/// The canonical form of a query component: decoded once (`+` is a space) and encoded again.
fn component(raw: &str) -> Cow<'_, str> {
    recode(raw, b"", true)
}

/// The canonical form of a path, for clients that sign it instead of what they send. `None` if it is
/// what was sent.
pub fn canonical_path(raw: &str) -> Option<String> {
    match recode(raw, b"/", false) {
        Cow::Borrowed(_) => None,
        Cow::Owned(path) => (path != raw).then_some(path),
    }
}

fn recode<'a>(raw: &'a str, keep: &[u8], plus_is_space: bool) -> Cow<'a, str> {
    let plain =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') || keep.contains(byte);
    if raw.as_bytes().iter().all(plain) {
        return Cow::Borrowed(raw);
    }
    let mut decoded = Vec::with_capacity(raw.len());
    let mut rest = raw.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        decoded.push(match (byte, after) {
            (b'%', [high, low, after @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                rest = after;
                digit(*high) << 4 | digit(*low)
            }
            (b'+', _) if plus_is_space => b' ',
            _ => byte,
        });
    }
    let mut encoded = String::with_capacity(raw.len() + 8);
    crate::object::text::percent_encode_into(&mut encoded, &decoded, keep);
    Cow::Owned(encoded)
}

fn digit(hex: u8) -> u8 {
    (hex as char).to_digit(16).unwrap_or(0) as u8
}

/// Appends lower-case hex.
#[expect(clippy::indexing_slicing, reason = "half a byte is below 16")]
pub fn hex_into(out: &mut Vec<u8>, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.reserve(bytes.len() * 2);
    out.extend(bytes.iter().flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(raw: &str) -> String {
        let mut out = Vec::new();
        write_query(&mut out, raw);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn query_is_sorted_and_encoded_once() {
        for (raw, expected) in [
            ("", ""),
            ("uploads", "uploads="),
            ("uploads=", "uploads="),
            ("b=2&a=1", "a=1&b=2"),
            ("a=2&a=1&a=", "a=&a=1&a=2"),
            ("prefix=a/b", "prefix=a%2Fb"),
            ("prefix=a%2fb", "prefix=a%2Fb"),
            ("prefix=a+b%20c%2B", "prefix=a%20b%20c%2B"),
            ("k=%zz%", "k=%25zz%25"),
            ("a-b=1&a=2", "a=2&a-b=1"),
            ("A=1&a=2&X-Amz-Signature=ff", "A=1&a=2"),
            ("k=~%7E%e9", "k=~~%E9"),
            ("&a=1&&", "a=1"),
        ] {
            assert_eq!(query(raw), expected, "{raw}");
        }
    }

    #[test]
    fn header_values_are_trimmed_and_joined() {
        let mut headers = HeaderMap::new();
        headers.append("x-amz-a", "  a   b\t\tc ".parse().unwrap());
        headers.append("x-amz-a", "d".parse().unwrap());
        let mut out = Vec::new();
        write_header(&mut out, &headers, "x-amz-a").unwrap();
        assert_eq!(out, b"x-amz-a:a b c,d\n");
        assert!(write_header(&mut out, &headers, "host").is_err());
        assert!(write_header(&mut out, &headers, "").is_err());
    }

    #[test]
    fn paths() {
        for (raw, expected) in [
            ("/bucket/a%20b", None),
            ("/bucket/a=b", Some("/bucket/a%3Db")),
            ("/bucket/a%2fb+c", Some("/bucket/a/b%2Bc")),
            ("/a//./../b", None),
            ("/%7Ea", Some("/~a")),
        ] {
            assert_eq!(canonical_path(raw).as_deref(), expected, "{raw}");
        }
    }
}
