//! Continuation tokens of ListObjectsV2: our own, opaque to clients, and without any state of ours.
//!
//! Format: base64url without padding of one byte `1`, the version, and the UTF-8 of the last entry
//! that was listed, a key or a folded prefix. The listing goes on after it, on whichever side holds
//! the truth by then.

use crate::object::text::{base64url, unbase64url};

use super::error::{Result, S3Code, S3Error};

const VERSION: u8 = 1;

/// The token that continues a listing after `last_entry`.
pub fn encode(last_entry: &str) -> String {
    let mut bytes = Vec::with_capacity(last_entry.len() + 1);
    bytes.push(VERSION);
    bytes.extend_from_slice(last_entry.as_bytes());
    base64url(&bytes)
}

/// The entry that a token continues after.
///
/// # Errors
/// InvalidArgument for anything but a token of ours.
pub fn decode(token: &str) -> Result<String> {
    let bytes = unbase64url(token).unwrap_or_default();
    let entry = match bytes.split_first() {
        Some((&VERSION, entry)) if !entry.is_empty() => std::str::from_utf8(entry).ok(),
        _ => None,
    };
    entry.map(str::to_owned).ok_or_else(|| {
        S3Error::new(S3Code::InvalidArgument, "The continuation token provided is incorrect")
            .with("ArgumentName", "continuation-token")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tokens live in clients over an upgrade: their bytes may not change.
    #[test]
    fn golden() {
        for (entry, token) in [("a", "AWE"), ("dir/é 😀", "AWRpci_DqSDwn5iA"), ("\u{1}\\", "AQFc")] {
            assert_eq!(encode(entry), token);
            assert_eq!(decode(token).unwrap(), entry);
        }
        for bad in ["", "AQ", "AmE", "AWE=", "A", "!", "Af8", "1/a"] {
            assert_eq!(decode(bad).unwrap_err().code(), S3Code::InvalidArgument, "{bad}");
        }
    }
}
