//! The bytes of an object: held, or made on read from a seed.

use bytes::Bytes;

use crate::harness::random::mix;

/// Bytes that can be read at any offset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    Held(Bytes),
    /// `length` bytes that a seed decides.
    Synthetic {
        seed: u64,
        length: u64,
    },
    /// Parts one after the other, as a multipart upload leaves them.
    Joined(Vec<Content>),
}

impl Content {
    pub fn len(&self) -> u64 {
        match self {
            Self::Held(bytes) => bytes.len() as u64,
            Self::Synthetic { length, .. } => *length,
            Self::Joined(parts) => parts.iter().map(Self::len).sum(),
        }
    }

    /// At most `length` bytes from `offset`; fewer at the end or at the seam of two parts.
    pub fn read(&self, offset: u64, length: usize) -> Bytes {
        let length = length.min(usize::try_from(self.len().saturating_sub(offset)).unwrap_or(usize::MAX));
        match self {
            Self::Held(bytes) if length == 0 => bytes.slice(..0),
            Self::Held(bytes) => bytes.slice(offset as usize..offset as usize + length),
            Self::Synthetic { seed, .. } => synthesise(*seed, offset, length),
            Self::Joined(parts) => read_joined(parts, offset, length),
        }
    }

    /// Hands all bytes to `take`, piece by piece.
    pub fn for_each(&self, mut take: impl FnMut(&[u8])) {
        let mut offset = 0;
        while offset < self.len() {
            let piece = self.read(offset, PIECE);
            take(&piece);
            offset += piece.len() as u64;
        }
    }

    pub fn to_vec(&self) -> Vec<u8> {
        let mut all = Vec::with_capacity(self.len() as usize);
        self.for_each(|piece| all.extend_from_slice(piece));
        all
    }
}

/// What is read at once.
pub const PIECE: usize = 256 * 1024;

fn read_joined(parts: &[Content], mut offset: u64, length: usize) -> Bytes {
    for part in parts {
        if offset < part.len() {
            return part.read(offset, length);
        }
        offset -= part.len();
    }
    Bytes::new()
}

fn synthesise(seed: u64, offset: u64, length: usize) -> Bytes {
    let first = offset / 8;
    let skip = (offset % 8) as usize;
    let words = (skip + length).div_ceil(8) as u64;
    let mut bytes = Vec::with_capacity(words as usize * 8);
    for word in first..first + words {
        bytes.extend_from_slice(&mix(seed ^ word).to_le_bytes());
    }
    Bytes::from(bytes).slice(skip..skip + length)
}
