//! Small text encodings: hex, base64 and percent-encoding.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        out.push(HEX[usize::from(byte >> 4)] as char);
        out.push(HEX[usize::from(byte & 15)] as char);
    }
    out
}

/// Exactly `N` bytes from hex digits of either case.
pub fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != N * 2 {
        return None;
    }
    let mut out = [0; N];
    for (byte, pair) in out.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = hex_digit(pair[0])? << 4 | hex_digit(pair[1])?;
    }
    Some(out)
}

fn hex_digit(digit: u8) -> Option<u8> {
    (digit as char).to_digit(16).map(|value| value as u8)
}

/// Base64 with padding (RFC 4648 section 4), as in Content-MD5 and S3 checksums.
pub fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Exactly `N` bytes from base64 with padding.
pub fn unbase64<const N: usize>(text: &str) -> Option<[u8; N]> {
    STANDARD.decode(text.trim()).ok()?.try_into().ok()
}

/// Any number of bytes from base64 with padding.
pub fn unbase64_vec(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text.trim()).ok()
}

/// Base64 for URLs and names, without padding (RFC 4648 section 5).
pub fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes of [`base64url`].
pub fn unbase64url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Appends `text` percent-encoded as RFC 3986 wants a path or query component: everything but the
/// unreserved characters, and but `keep`. Never through a URL type, which would normalise `.`
/// segments away.
pub fn percent_encode_into(out: &mut String, text: &[u8], keep: &[u8]) {
    for &byte in text {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') || keep.contains(&byte) {
            out.push(byte as char);
        } else {
            out.push('%');
            out.push(char::from(HEX[usize::from(byte >> 4)]).to_ascii_uppercase());
            out.push(char::from(HEX[usize::from(byte & 15)]).to_ascii_uppercase());
        }
    }
}

/// See [`percent_encode_into`].
pub fn percent_encode(text: &str, keep: &[u8]) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    percent_encode_into(&mut out, text.as_bytes(), keep);
    out
}

/// Decodes `%XX`, once. `None` if a `%` is not followed by two hex digits or the result is not UTF-8.
pub fn percent_decode(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        out.push(if byte == b'%' { hex_digit(bytes.next()?)? << 4 | hex_digit(bytes.next()?)? } else { byte });
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips() {
        assert_eq!(hex(&[0, 0xab, 0xff]), "00abff");
        assert_eq!(unhex::<3>("00ABff"), Some([0, 0xab, 0xff]));
        assert_eq!(unhex::<3>("00ab"), None);
        assert_eq!(unhex::<1>("0g"), None);
        assert_eq!(percent_encode("a b/c+%é~", b"/"), "a%20b/c%2B%25%C3%A9~");
        assert_eq!(percent_decode("a%20b/c%2B%25%C3%A9~").as_deref(), Some("a b/c+%é~"));
        assert_eq!(percent_decode("a+b").as_deref(), Some("a+b"));
        for bad in ["%", "%2", "%zz", "%ff"] {
            assert_eq!(percent_decode(bad), None, "{bad}");
        }
    }
}
