//! What the bytes of our block ids mean (`docs/formats.md`).

use crate::blob::BlockId;
use crate::blob::block_id::BLOCK_ID_BYTES;
use crate::object::{Algorithm, Checksum, Timestamp, checksum, text};

/// A block staged for CompleteMultipartUpload or a large CopyObject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StagedPart {
    /// Fresh for every try, so that blocks of two tries never meet.
    pub nonce: [u8; 8],
    pub part: u16,
    /// A part longer than a block has several pieces.
    pub piece: u16,
    /// Of the whole part, so that reads of one part can show it.
    pub checksum: PartChecksum,
}

impl StagedPart {
    pub fn id(self) -> BlockId {
        let PartChecksum { kind, value } = self.checksum;
        assemble(b'P', &[&self.nonce, &self.part.to_be_bytes(), &self.piece.to_be_bytes(), &[kind], &value])
    }

    /// `None` for any other block id.
    pub fn parse(base64: &str) -> Option<Self> {
        let bytes = BlockId::parse(base64)?.0;
        let (nonce, rest) = bytes.strip_prefix(b"P")?.split_first_chunk()?;
        let (part, rest) = rest.split_first_chunk()?;
        let (piece, rest) = rest.split_first_chunk()?;
        let (kind, rest) = rest.split_first()?;
        let (value, _) = rest.split_first_chunk()?;
        Some(Self {
            nonce: *nonce,
            part: u16::from_be_bytes(*part),
            piece: u16::from_be_bytes(*piece),
            checksum: PartChecksum { kind: *kind, value: *value },
        })
    }
}

/// The checksum of a part as block ids carry it: the longest of S3's fits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PartChecksum {
    /// 0: the part has none.
    kind: u8,
    value: [u8; 32],
}

impl PartChecksum {
    /// That of a part, if it has one.
    pub fn new(checksum: Option<&Checksum>) -> Self {
        let mut carried = Self::default();
        if let Some((checksum, place)) =
            checksum.and_then(|sum| Some((sum, carried.value.get_mut(..sum.value().len())?)))
        {
            place.copy_from_slice(checksum.value());
            carried.kind = kind_of(checksum.algorithm);
        }
        carried
    }

    /// As records keep it.
    pub fn text(self) -> String {
        let mut bytes = [0; 33];
        bytes[0] = self.kind;
        bytes[1..].copy_from_slice(&self.value);
        text::base64url(&bytes)
    }

    /// Reads [`PartChecksum::text`].
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; 33] = text::unbase64url_exactly(text)?;
        let (kind, value) = bytes.split_first()?;
        Some(Self { kind: *kind, value: value.try_into().ok()? })
    }

    /// The checksum, if it is one of `algorithm`.
    pub fn of(self, algorithm: Algorithm) -> Option<Checksum> {
        let value = self.value.get(..algorithm.bytes())?;
        (self.kind == kind_of(algorithm)).then(|| Checksum::full_object(algorithm, value))
    }
}

/// Fixed for ever: it lies in blobs.
fn kind_of(algorithm: Algorithm) -> u8 {
    match algorithm {
        Algorithm::Crc32 => 1,
        Algorithm::Crc32c => 2,
        Algorithm::Crc64Nvme => 3,
        Algorithm::Sha1 => 4,
        Algorithm::Sha256 => 5,
    }
}

/// A block of a PUT that is longer than Put Blob takes.
pub fn long_put(write_id: [u8; 12], index: u32) -> BlockId {
    assemble(b'W', &[&write_id, &index.to_be_bytes()])
}

/// The version of a source object that import blocks belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceVersion([u8; 12]);

impl SourceVersion {
    pub fn new(etag: &str, size: u64, last_modified: Timestamp, block_bytes: u64) -> Self {
        let text = format!("{etag}\0{size}\0{}\0{block_bytes}", last_modified.0);
        let digest = checksum::sha256(text.as_bytes());
        let mut version = [0; 12];
        version.copy_from_slice(&digest[..12]);
        Self(version)
    }
}

/// A block of an import, which a restarted mover recognises and uses again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImportBlock {
    pub version: SourceVersion,
    pub index: u32,
    pub crc64: u64,
    /// Length in bytes.
    pub length: u32,
}

impl ImportBlock {
    pub fn id(self) -> BlockId {
        assemble(
            b'I',
            &[&self.version.0, &self.index.to_be_bytes(), &self.crc64.to_be_bytes(), &self.length.to_be_bytes()],
        )
    }

    /// `None` for any other block id.
    pub fn parse(base64: &str) -> Option<Self> {
        let bytes = BlockId::parse(base64)?.0;
        let (version, rest) = bytes.strip_prefix(b"I")?.split_first_chunk()?;
        let (index, rest) = rest.split_first_chunk()?;
        let (crc64, rest) = rest.split_first_chunk()?;
        let (length, _) = rest.split_first_chunk()?;
        Some(Self {
            version: SourceVersion(*version),
            index: u32::from_be_bytes(*index),
            crc64: u64::from_be_bytes(*crc64),
            length: u32::from_be_bytes(*length),
        })
    }
}

fn assemble(kind: u8, fields: &[&[u8]]) -> BlockId {
    let mut bytes = [0; BLOCK_ID_BYTES];
    bytes[0] = kind;
    let mut at = 1;
    for field in fields {
        bytes[at..at + field.len()].copy_from_slice(field);
        at += field.len();
    }
    BlockId(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden() {
        let staged = |checksum| StagedPart { nonce: [1, 2, 3, 4, 5, 6, 7, 8], part: 10_000, piece: 1, checksum };
        let bare = staged(PartChecksum::default());
        assert_eq!(bare.id().base64(), "UAECAwQFBgcIJxAAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
        assert_eq!(StagedPart::parse(&bare.id().base64()), Some(bare));
        let crc32 = Checksum::full_object(Algorithm::Crc32, &[0xcb, 0xf4, 0x39, 0x26]);
        let summed = staged(PartChecksum::new(Some(&crc32)));
        assert_eq!(summed.id().base64(), "UAECAwQFBgcIJxAAAQHL9DkmAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
        for algorithm in Algorithm::ALL {
            let checksum = Checksum::full_object(algorithm, &[7; 32][..algorithm.bytes()]);
            let read = StagedPart::parse(&staged(PartChecksum::new(Some(&checksum))).id().base64()).unwrap();
            for other in Algorithm::ALL {
                assert_eq!(read.checksum.of(other), (other == algorithm).then(|| checksum.clone()), "{algorithm:?}");
            }
            assert_eq!(PartChecksum::parse(&read.checksum.text()), Some(read.checksum));
        }
        let version = SourceVersion::new("abc-2", 1 << 30, Timestamp(1_795_412_511), 8 << 20);
        let block = ImportBlock { version, index: 7, crc64: 0xae8b_1486_0a79_9888, length: 8 << 20 };
        assert_eq!(ImportBlock::parse(&block.id().base64()), Some(block));
        assert_eq!(StagedPart::parse(&block.id().base64()), None);
        assert_eq!(ImportBlock::parse("AAAA"), None);
        assert_eq!(long_put([9; 12], 1).base64().len(), 64);
        assert_ne!(version, SourceVersion::new("abc-2", 1 << 30, Timestamp(1_795_412_511), 16 << 20));
    }
}
