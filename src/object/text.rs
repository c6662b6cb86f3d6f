//! Small text encodings: hex, base64 and percent-encoding.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    let mut digits = vec![0; bytes.len() * 2];
    for (pair, byte) in digits.as_chunks_mut().0.iter_mut().zip(bytes) {
        *pair = [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]];
    }
    String::from_utf8(digits).unwrap_or_default()
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
    decode_exactly(&STANDARD, text.trim_ascii())
}

/// Fills `out` from base64 with padding; `None` if that is not exactly as many bytes.
pub fn unbase64_into(text: &str, out: &mut [u8]) -> Option<()> {
    fill(&STANDARD, text.trim_ascii(), out)
}

/// Any number of bytes from base64 with padding.
pub fn unbase64_vec(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text.trim()).ok()
}

/// Base64 for URLs and names, without padding (RFC 4648 section 5).
pub fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Exactly `N` bytes of [`base64url`].
pub fn unbase64url_exactly<const N: usize>(text: &str) -> Option<[u8; N]> {
    decode_exactly(&URL_SAFE_NO_PAD, text)
}

/// The longest sum or id in bytes.
const DECODED_MAX: usize = 64;

fn decode_exactly<const N: usize>(engine: &impl Engine, text: &str) -> Option<[u8; N]> {
    const { assert!(N <= DECODED_MAX) };
    let mut out = [0; N];
    fill(engine, text, &mut out).map(|()| out)
}

/// Without an allocation: listings read thousands of sums and ids. The decoder wants room for whole groups of four
/// characters, of three bytes each: more than there may be in `out`.
fn fill(engine: &impl Engine, text: &str, out: &mut [u8]) -> Option<()> {
    debug_assert!(out.len() <= DECODED_MAX);
    let mut room = [0; DECODED_MAX.next_multiple_of(3)];
    let length = engine.decode_slice(text, &mut room).ok().filter(|length| *length == out.len())?;
    out.copy_from_slice(room.get(..length)?);
    Some(())
}

/// The bytes of [`base64url`].
pub fn unbase64url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Appends bytes that are ASCII, all at once.
pub fn push_ascii(out: &mut String, ascii: &[u8]) {
    out.push_str(std::str::from_utf8(ascii).unwrap_or_default());
}

/// Appends a number in decimal digits, without the machinery of formatting: listings write thousands of them.
pub fn push_decimal(out: &mut String, number: u64) {
    let mut digits = [0; 20];
    let mut start = digits.len();
    let mut rest = number;
    loop {
        start -= 1;
        digits[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    push_ascii(out, &digits[start..]);
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
        assert_eq!(unbase64::<3>(" /wA= "), None);
        assert_eq!(unbase64::<2>(" /wA= "), Some([0xff, 0]));
        assert_eq!(unbase64url_exactly::<2>("_wA"), Some([0xff, 0]));
        assert_eq!(unbase64::<64>(&base64(&[7; 64])), Some([7; 64]));
        assert_eq!(unbase64::<64>(&base64(&[7; 65])), None);
        assert_eq!(unbase64::<64>(&base64(&[7; 6_000])), None);
        for number in [0, 7, 10, u64::MAX] {
            let mut out = String::new();
            push_decimal(&mut out, number);
            assert_eq!(out, number.to_string());
        }
        assert_eq!(percent_encode("a b/c+%é~", b"/"), "a%20b/c%2B%25%C3%A9~");
        assert_eq!(percent_decode("a%20b/c%2B%25%C3%A9~").as_deref(), Some("a b/c+%é~"));
        assert_eq!(percent_decode("a+b").as_deref(), Some("a+b"));
        for bad in ["%", "%2", "%zz", "%ff"] {
            assert_eq!(percent_decode(bad), None, "{bad}");
        }
    }
}
