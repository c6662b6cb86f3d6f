//! Seals what a session is into its token, and opens tokens.
//!
//! The format stands in `docs/formats.md`, with a golden test here.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::digest::{SHA256, digest};

use crate::object::text::{base64url, unbase64url};

/// The keys of tokens: the first seals, all of them open. Without one there are no sessions.
#[derive(Default)]
pub struct SealingKeys(Vec<SealingKey>);

struct SealingKey {
    /// Tells which key sealed a token, and nothing of the key.
    mark: [u8; MARK_BYTES],
    key: LessSafeKey,
}

/// First byte of every token.
const VERSION: u8 = 1;
const MARK_BYTES: usize = 4;
/// Version and mark: in the clear, and bound to the rest.
const HEAD_BYTES: usize = 1 + MARK_BYTES;
/// A longer one was never given out: a session's policy is bounded.
const TOKEN_CHARS_MAX: usize = 8 << 10;

impl SealingKeys {
    /// Takes the keys, the current one first.
    pub fn new(keys: impl IntoIterator<Item = [u8; 32]>) -> Self {
        Self(keys.into_iter().filter_map(|key| SealingKey::new(&key)).collect())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The token for these bytes; `None` without a key.
    pub(in crate::facade) fn seal(&self, plain: &[u8]) -> Option<String> {
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).ok()?;
        self.seal_with(plain, nonce)
    }

    fn seal_with(&self, plain: &[u8], nonce: [u8; NONCE_LEN]) -> Option<String> {
        let key = self.0.first()?;
        let mut token = [&[VERSION][..], &key.mark, &nonce].concat();
        let mut sealed = plain.to_vec();
        let head = Aad::from([&[VERSION][..], &key.mark].concat());
        key.key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), head, &mut sealed).ok()?;
        token.extend_from_slice(&sealed);
        Some(base64url(&token))
    }

    /// The bytes that were sealed; `None` if none of the keys sealed this token.
    pub(in crate::facade) fn open(&self, token: &str) -> Option<Vec<u8>> {
        if token.len() > TOKEN_CHARS_MAX {
            return None;
        }
        let bytes = unbase64url(token)?;
        let (head, rest) = bytes.split_at_checked(HEAD_BYTES)?;
        let (nonce, sealed) = rest.split_at_checked(NONCE_LEN)?;
        let (version, mark) = head.split_first()?;
        let key = self.0.iter().find(|key| *version == VERSION && key.mark == mark)?;
        let mut plain = sealed.to_vec();
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let length = key.key.open_in_place(nonce, Aad::from(head), &mut plain).ok()?.len();
        plain.truncate(length);
        Some(plain)
    }
}

impl SealingKey {
    fn new(key: &[u8; 32]) -> Option<Self> {
        let hash = digest(&SHA256, &[b"bluebucket sealing key ".as_slice(), key].concat());
        let mut mark = [0; MARK_BYTES];
        mark.copy_from_slice(hash.as_ref().get(..MARK_BYTES)?);
        Some(Self { mark, key: LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).ok()?) })
    }
}

impl fmt::Debug for SealingKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealingKeys({})", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: [u8; 32] = [7; 32];
    const NEW: [u8; 32] = [9; 32];

    /// The example of `docs/formats.md`: key 07…07, nonce 0…0, content `example`.
    #[test]
    fn golden() {
        let keys = SealingKeys::new([OLD]);
        let token = keys.seal_with(b"example", [0; NONCE_LEN]).unwrap();
        assert_eq!(token, GOLDEN);
        assert_eq!(keys.open(GOLDEN).as_deref(), Some(&b"example"[..]));
    }

    const GOLDEN: &str = "ATondaoAAAAAAAAAAAAAAAAEoMXfi_5uGylyg79LcNfdYorEGdnDbg";

    #[test]
    fn keys_rotate() {
        let (before, both, after) = (SealingKeys::new([OLD]), SealingKeys::new([NEW, OLD]), SealingKeys::new([NEW]));
        let (old, new) = (before.seal(b"x").unwrap(), both.seal(b"x").unwrap());
        assert_ne!(old, before.seal(b"x").unwrap(), "each has a nonce of its own");
        assert!(both.open(&old).is_some() && both.open(&new).is_some());
        assert!(after.open(&old).is_none() && after.open(&new).is_some());
        assert!(before.open(&new).is_none());
        assert!(SealingKeys::default().open(&old).is_none() && SealingKeys::default().seal(b"x").is_none());
    }

    #[test]
    fn nothing_of_a_token_can_be_changed() {
        let keys = SealingKeys::new([OLD]);
        let token = keys.seal(b"content of a session").unwrap();
        let bytes = unbase64url(&token).unwrap();
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << bit;
                assert!(keys.open(&base64url(&changed)).is_none(), "bit {bit} of byte {at}");
            }
            assert!(keys.open(&base64url(&bytes[..at])).is_none(), "cut to {at}");
        }
        assert!(keys.open(&format!("{token}AAAA")).is_none() && keys.open("").is_none());
        assert!(keys.open(&"A".repeat(1 << 20)).is_none());
        assert_eq!(format!("{keys:?}"), "SealingKeys(1)");
    }
}
