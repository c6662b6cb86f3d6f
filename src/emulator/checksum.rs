//! MD5 and CRC64 of bodies.

use std::collections::HashMap;
use std::sync::Mutex;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use crc_fast::{CrcAlgorithm, Digest as Crc};
use md5::{Digest, Md5};

use super::config::ContentMd5;
use super::error::{Outcome, ServiceError};

/// An MD5.
pub(super) type Md5Hash = [u8; 16];

pub(super) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

pub(super) fn unbase64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// A CRC64 as headers carry it: base64 of its little-endian bytes.
pub(super) fn crc_text(crc: u64) -> String {
    base64(&crc.to_le_bytes())
}

pub(super) fn crc64(pieces: &[Bytes]) -> u64 {
    let mut crc = Crc::new(CrcAlgorithm::Crc64Nvme);
    pieces.iter().for_each(|piece| crc.update(piece));
    crc.finalize()
}

/// The CRC64 of two texts in a row, of theirs and the second's length.
pub(super) fn combined_crc64(first: u64, second: u64, second_length: u64) -> u64 {
    crc_fast::checksum_combine(CrcAlgorithm::Crc64Nvme, first, second, second_length)
}

pub(super) fn md5(pieces: &[Bytes]) -> Md5Hash {
    let mut md5 = Md5::new();
    pieces.iter().for_each(|piece| md5.update(piece));
    md5.finalize().into()
}

/// What a client says about the body it sends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Claim {
    pub md5: Option<Md5Hash>,
    pub crc64: Option<u64>,
}

impl Claim {
    pub fn parse(md5: Option<&str>, crc64: Option<&str>) -> Outcome<Self> {
        let md5 = match md5 {
            None => None,
            Some(text) => {
                let bytes = unbase64(text).and_then(|bytes| Md5Hash::try_from(bytes).ok());
                Some(bytes.ok_or_else(ServiceError::invalid_md5)?)
            }
        };
        let crc64 = match crc64 {
            None => None,
            Some(text) => {
                let bytes = unbase64(text).and_then(|bytes| <[u8; 8]>::try_from(bytes).ok());
                let error = || ServiceError::header_value("x-ms-content-crc64", text);
                Some(u64::from_le_bytes(bytes.ok_or_else(error)?))
            }
        };
        if md5.is_some() && crc64.is_some() {
            return Err(ServiceError::both_checksums());
        }
        Ok(Self { md5, crc64 })
    }

    /// Compares with what was received.
    ///
    /// # Errors
    /// `Md5Mismatch`, `Crc64Mismatch`.
    pub fn verify(&self, sums: &Sums) -> Outcome<()> {
        if let (Some(sent), Some(found)) = (self.md5, sums.md5)
            && sent != found
        {
            return Err(ServiceError::md5_mismatch(&base64(&sent), &base64(&found)));
        }
        match self.crc64 {
            Some(sent) if sent != sums.crc64 => {
                Err(ServiceError::crc64_mismatch(&crc_text(sent), &crc_text(sums.crc64)))
            }
            _ => Ok(()),
        }
    }
}

/// Length and checksums of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sums {
    pub length: u64,
    pub crc64: u64,
    pub md5: Option<Md5Hash>,
}

/// Computes [`Sums`] while a body comes in.
pub(super) struct Summer {
    length: u64,
    crc: Crc,
    md5: Option<Md5>,
    /// Held for an MD5 that may turn out to be known.
    held: Option<Vec<Bytes>>,
}

/// Longest body that is held to find out whether its MD5 is known.
const HELD_MAX: u64 = 64 << 20;

impl Summer {
    /// `needed`: the MD5 is part of a comparison or answer, whatever the account's policy.
    pub fn new(policy: ContentMd5, needed: bool, length: u64) -> Self {
        let remember = policy == ContentMd5::Remember && !needed && length <= HELD_MAX;
        let compute = needed || (policy != ContentMd5::Omit && !remember);
        Self {
            length: 0,
            crc: Crc::new(CrcAlgorithm::Crc64Nvme),
            md5: compute.then(Md5::new),
            held: remember.then(Vec::new),
        }
    }

    /// CRC64 alone, as for a block.
    pub fn without_md5() -> Self {
        Self::new(ContentMd5::Omit, false, 0)
    }

    pub fn update(&mut self, piece: &Bytes) {
        self.length += piece.len() as u64;
        self.crc.update(piece);
        if let Some(md5) = &mut self.md5 {
            md5.update(piece);
        }
        if let Some(held) = &mut self.held {
            held.push(piece.clone());
        }
    }

    pub fn length(&self) -> u64 {
        self.length
    }

    pub fn finish(self, known: &KnownMd5) -> Sums {
        let crc64 = self.crc.finalize();
        let md5 = match (self.md5, self.held) {
            (Some(md5), _) => Some(md5.finalize().into()),
            (None, Some(held)) => Some(known.of(self.length, crc64, &held)),
            (None, None) => None,
        };
        Sums { length: self.length, crc64, md5 }
    }
}

/// MD5s of bodies seen before, by length and CRC64.
#[derive(Default)]
pub(super) struct KnownMd5(Mutex<HashMap<(u64, u64), Md5Hash>>);

/// Entries kept: a load generator has few different bodies.
const KNOWN_MAX: usize = 4096;

impl KnownMd5 {
    fn of(&self, length: u64, crc64: u64, body: &[Bytes]) -> Md5Hash {
        let lock = || self.0.lock().unwrap_or_else(|e| e.into_inner());
        if let Some(known) = lock().get(&(length, crc64)) {
            return *known;
        }
        let fresh = md5(body);
        let mut known = lock();
        if known.len() < KNOWN_MAX {
            known.insert((length, crc64), fresh);
        }
        fresh
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn combined() {
        let crc = |text: &'static str| crc64(&[Bytes::from_static(text.as_bytes())]);
        assert_eq!(combined_crc64(crc("Hello "), crc("World"), 5), crc("Hello World"));
        assert_eq!(combined_crc64(0, crc("World"), 5), crc("World"));
    }

    /// Recorded answers of the real service.
    #[test]
    fn recorded_values() {
        for (body, md5_text, crc) in [
            ("", "1B2M2Y8AsgTpgAmY7PhCfg==", "AAAAAAAAAAA="),
            ("Hello World", "sQqNsWTgdUEFt6mb5y4/5Q==", "YeJLfssylmU="),
            ("hello", "XUFAKrxLKna5cZ2REBfFkg==", "V0JSBnCFdzM="),
        ] {
            for policy in [ContentMd5::Compute, ContentMd5::Remember, ContentMd5::Omit] {
                let mut summer = Summer::new(policy, false, body.len() as u64);
                summer.update(&Bytes::from_static(body.as_bytes()));
                let sums = summer.finish(&KnownMd5::default());
                assert_eq!(crc_text(sums.crc64), crc);
                let expected = (policy != ContentMd5::Omit).then(|| md5_text.to_owned());
                assert_eq!(sums.md5.map(|md5| base64(&md5)), expected, "{policy:?}");
            }
        }
    }
}
