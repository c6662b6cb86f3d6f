//! A signature, computed or claimed.

use std::fmt;

use subtle::ConstantTimeEq;

use crate::object::text::{hex, unhex};

/// An HMAC-SHA256. The one comparison there is takes the same time wherever two of them differ: nobody learns from
/// the clock how much of a guess was right.
#[derive(Clone, Copy)]
pub struct Mac([u8; 32]);

impl Mac {
    /// Reads 64 hex digits of either case.
    pub fn parse(hex: &str) -> Option<Self> {
        unhex(hex).map(Self)
    }

    pub(super) fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// As it stands on the wire: lower-case hex.
    pub fn hex(&self) -> String {
        hex(&self.0)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl PartialEq for Mac {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Mac {}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mac(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let digits = "0123456789abcdefABCDEF".repeat(3);
        let mac = Mac::parse(&digits[..64]).unwrap();
        assert_eq!(mac, Mac::parse(&mac.hex().to_uppercase()).unwrap());
        for place in 0..32 {
            let mut other = mac;
            other.0[place] ^= 1;
            assert_ne!(mac, other, "byte {place}");
        }
        assert_eq!(format!("{mac:?}"), "Mac(..)");
        for bad in ["", "00", &digits[..63], &digits[..65], &format!("{}g", &digits[..63])] {
            assert!(Mac::parse(bad).is_none(), "{bad}");
        }
    }
}
