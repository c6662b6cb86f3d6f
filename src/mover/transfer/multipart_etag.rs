//! Recomputes the ETag of a multipart object: the MD5 of its parts' MD5s.
//!
//! S3 tells the number of parts and not their sizes. All but the last have one size as a rule, and
//! that is a whole number of MiB, so few sizes come into question; all of them are tried at once. A
//! match is a proof. None is no proof of the contrary: the parts may have been cut otherwise.

use crate::object::ETag;
use crate::object::checksum::RunningMd5;

/// Part sizes tried at once: each costs the MD5 of the whole object.
const CANDIDATES_MAX: usize = 3;
const MIB: u64 = 1 << 20;

/// The ETags that an object would have with each of the part sizes that come into question.
pub struct MultipartEtag {
    expected: ETag,
    candidates: Vec<Candidate>,
}

struct Candidate {
    part_size: u64,
    /// Bytes that the current part still takes.
    left: u64,
    part: RunningMd5,
    all: RunningMd5,
    parts: usize,
}

impl MultipartEtag {
    /// `None` if the ETag is not of that form, or no usual part size fits.
    pub fn new(etag: &ETag, size: u64) -> Option<Self> {
        let sizes = part_sizes(size, u64::from(etag.parts()?));
        let candidates: Vec<_> = sizes.into_iter().map(Candidate::new).collect();
        (!candidates.is_empty()).then(|| Self { expected: etag.clone(), candidates })
    }

    /// Takes the next bytes of the object.
    pub fn update(&mut self, bytes: &[u8]) {
        for candidate in &mut self.candidates {
            candidate.update(bytes);
        }
    }

    /// Whether one of the candidates has the ETag.
    pub fn matches(self) -> bool {
        self.candidates.into_iter().any(|candidate| candidate.finish() == self.expected)
    }
}

impl Candidate {
    fn new(part_size: u64) -> Self {
        let (part, all) = (RunningMd5::default(), RunningMd5::default());
        Self { part_size, left: part_size, part, all, parts: 0 }
    }

    fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.left == 0 {
                self.end_part();
            }
            let (now, later) = bytes.split_at(bytes.len().min(usize::try_from(self.left).unwrap_or(usize::MAX)));
            self.part.update(now);
            self.left -= now.len() as u64;
            bytes = later;
        }
    }

    fn end_part(&mut self) {
        self.all.update(&std::mem::take(&mut self.part).finish());
        self.parts += 1;
        self.left = self.part_size;
    }

    fn finish(mut self) -> ETag {
        self.end_part();
        ETag::composite(self.all.finish(), self.parts)
    }
}

/// The sizes in whole MiB that cut `size` bytes into `parts` parts: 5, 8, 16 and so on, which tools
/// have as a default, before others.
fn part_sizes(size: u64, parts: u64) -> Vec<u64> {
    if parts == 0 || size == 0 {
        return Vec::new();
    }
    if parts == 1 {
        return vec![size];
    }
    let least = size.div_ceil(parts).div_ceil(MIB);
    let most = (size - 1) / (parts - 1) / MIB;
    let usual = [5, 8, 16, 32, 64, 128, 256, 512, 1024].into_iter().filter(|mib| (least..=most).contains(mib));
    let mut sizes: Vec<u64> = usual.collect();
    for mib in least..=most.min(least + CANDIDATES_MAX as u64) {
        if !sizes.contains(&mib) {
            sizes.push(mib);
        }
    }
    sizes.truncate(CANDIDATES_MAX);
    sizes.into_iter().map(|mib| mib * MIB).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::checksum::md5;

    #[test]
    fn sizes_that_come_into_question() {
        for (size, parts, expected) in [
            (1 << 30, 128, vec![8]),
            ((1 << 30) + 1, 129, vec![8]),
            (100 * MIB, 20, vec![5]),
            (12 * MIB, 2, vec![8, 6, 7]),
            (10 * MIB, 10_000, vec![]),
            (0, 1, vec![]),
        ] {
            let sizes: Vec<_> = part_sizes(size, parts).iter().map(|size| size / MIB).collect();
            assert_eq!(sizes, expected, "{size} {parts}");
        }
        assert_eq!(part_sizes(123, 1), [123]);
    }

    #[test]
    fn the_etag_of_parts() {
        let bytes: Vec<u8> = (0..13 * MIB).map(|n| (n % 251) as u8).collect();
        let digests: Vec<u8> = bytes.chunks(6 << 20).flat_map(md5).collect();
        let etag = ETag::composite(md5(&digests), 3);
        let matches = |bytes: &[u8], step: usize| {
            let mut running = MultipartEtag::new(&etag, bytes.len() as u64).unwrap();
            bytes.chunks(step).for_each(|piece| running.update(piece));
            running.matches()
        };
        assert!(matches(&bytes, 1_000_003) && matches(&bytes, bytes.len()));
        let mut wrong = bytes.clone();
        wrong[7 << 20] ^= 1;
        assert!(!matches(&wrong, 1 << 20));
    }
}
