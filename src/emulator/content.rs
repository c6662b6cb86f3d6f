//! The bytes of a blob: kept, or generated when they are read.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;

/// Content that can be read again and again. Clones share the bytes.
#[derive(Clone, Debug)]
pub(super) enum Content {
    Kept(Arc<Frames>),
    Synthetic { seed: u64, length: u64 },
}

/// Bytes in pieces, with the offset at which each piece ends.
#[derive(Debug, Default)]
pub(super) struct Frames {
    pieces: Vec<Bytes>,
    ends: Vec<u64>,
}

impl Frames {
    pub fn new(pieces: Vec<Bytes>) -> Self {
        let mut end = 0;
        let ends = pieces.iter().map(|piece| {
            end += piece.len() as u64;
            end
        });
        Self { ends: ends.collect(), pieces }
    }

    fn length(&self) -> u64 {
        self.ends.last().copied().unwrap_or(0)
    }

    fn slice(&self, range: Range<u64>) -> Vec<Bytes> {
        let first = self.ends.partition_point(|&end| end <= range.start);
        let mut slices = Vec::new();
        for (piece, &end) in self.pieces.iter().zip(&self.ends).skip(first) {
            let start = end - piece.len() as u64;
            if start >= range.end {
                break;
            }
            let from = range.start.saturating_sub(start) as usize;
            let to = (range.end.min(end) - start) as usize;
            slices.push(piece.slice(from..to));
        }
        slices
    }
}

impl Content {
    pub fn kept(pieces: Vec<Bytes>) -> Self {
        Self::Kept(Arc::new(Frames::new(pieces)))
    }

    pub fn length(&self) -> u64 {
        match self {
            Self::Kept(frames) => frames.length(),
            Self::Synthetic { length, .. } => *length,
        }
    }

    /// The bytes of a range, without copying them.
    pub fn slice(&self, range: Range<u64>) -> Vec<Bytes> {
        let range = range.start.min(self.length())..range.end.min(self.length());
        match self {
            Self::Kept(frames) => frames.slice(range),
            Self::Synthetic { seed, .. } => {
                let mut slices = Vec::new();
                let mut at = range.start;
                while at < range.end {
                    let piece = synthetic_piece(*seed, at, range.end);
                    at += piece.len() as u64;
                    slices.push(piece);
                }
                slices
            }
        }
    }

    /// The bytes of a range one piece after the other, so that a long read holds few of them.
    pub fn piece(&self, range: Range<u64>) -> Option<Bytes> {
        if range.start >= range.end {
            return None;
        }
        match self {
            Self::Kept(frames) => {
                let index = frames.ends.partition_point(|&end| end <= range.start);
                let (piece, end) = (frames.pieces.get(index)?, *frames.ends.get(index)?);
                let start = end - piece.len() as u64;
                let to = (range.end.min(end) - start) as usize;
                Some(piece.slice((range.start - start) as usize..to))
            }
            Self::Synthetic { seed, .. } => Some(synthetic_piece(*seed, range.start, range.end)),
        }
    }
}

/// Bytes that begin every synthetic blob and differ from seed to seed.
const HEAD_BYTES: u64 = 64;
/// After the head, content is a row of windows of the pool, so that reading copies nothing.
const WINDOW_BYTES: u64 = 64 << 10;
const POOL_BYTES: usize = 4 << 20;

fn synthetic_piece(seed: u64, at: u64, end: u64) -> Bytes {
    if at < HEAD_BYTES {
        let head: Vec<u8> = (0..HEAD_BYTES / 8).flat_map(|word| mix(seed ^ word).to_le_bytes()).collect();
        return Bytes::from(head).slice(at as usize..end.min(HEAD_BYTES) as usize);
    }
    let window = at / WINDOW_BYTES;
    let within = at % WINDOW_BYTES;
    let start = mix(seed.wrapping_add(window)) as usize % (POOL_BYTES - WINDOW_BYTES as usize);
    let length = (WINDOW_BYTES - within).min(end - at) as usize;
    let from = start + within as usize;
    pool().slice(from..from + length)
}

/// Random bytes, the same in every process.
fn pool() -> &'static Bytes {
    static POOL: OnceLock<Bytes> = OnceLock::new();
    POOL.get_or_init(|| {
        let words = (0..(POOL_BYTES / 8) as u64).map(mix);
        Bytes::from(words.flat_map(u64::to_le_bytes).collect::<Vec<u8>>())
    })
}

/// A good mixing of 64 bits (the finaliser of SplitMix64).
fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The seed of a synthetic blob's content: of account seed, container, name and length.
pub(super) fn synthetic_seed(account_seed: u64, container: &str, name: &str, length: u64) -> u64 {
    let fold = |hash: u64, byte: u8| mix(hash ^ u64::from(byte));
    let hash = container.bytes().chain([0]).chain(name.bytes()).fold(mix(account_seed), fold);
    mix(hash ^ length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(pieces: Vec<Bytes>) -> Vec<u8> {
        pieces.concat()
    }

    #[test]
    fn any_range_is_part_of_the_whole() {
        let pieces = ["ab", "", "cdef", "g"].map(|piece| Bytes::from_static(piece.as_bytes())).to_vec();
        let long = Content::Synthetic { seed: 5, length: 3 * WINDOW_BYTES + 7 };
        for content in [Content::kept(pieces), long] {
            let length = content.length();
            let whole = joined(content.slice(0..length));
            assert_eq!(whole.len() as u64, length);
            let edges = [0, 1, 2, 3, 5, 6, 7, 63, 64, 65, WINDOW_BYTES - 1, WINDOW_BYTES, WINDOW_BYTES + 1, length];
            for start in edges.into_iter().filter(|&at| at <= length) {
                for end in edges.into_iter().filter(|&at| at <= length && at >= start) {
                    let part = &whole[start as usize..end as usize];
                    assert_eq!(joined(content.slice(start..end)), part, "{start}..{end}");
                    let mut pieces = Vec::new();
                    let mut at = start;
                    while let Some(piece) = content.piece(at..end) {
                        at += piece.len() as u64;
                        pieces.push(piece);
                    }
                    assert_eq!(joined(pieces), part, "{start}..{end} by pieces");
                }
            }
        }
    }

    #[test]
    fn other_names_other_content() {
        let content = |name| {
            let seed = synthetic_seed(0, "con", name, 100);
            joined(Content::Synthetic { seed, length: 100 }.slice(0..100))
        };
        assert_ne!(content("a"), content("b"));
        assert_eq!(content("a"), content("a"));
    }
}
