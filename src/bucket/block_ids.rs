//! What the bytes of our block ids mean (`docs/formats.md`).

use crate::blob::BlockId;
use crate::blob::block_id::BLOCK_ID_BYTES;
use crate::object::{Timestamp, checksum};

/// A block staged for CompleteMultipartUpload or a large CopyObject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StagedPart {
    /// Fresh for every try, so that blocks of two tries never meet.
    pub nonce: [u8; 8],
    pub part: u16,
    /// A part longer than a block has several pieces.
    pub piece: u16,
}

impl StagedPart {
    pub fn id(self) -> BlockId {
        assemble(b'P', &[&self.nonce, &self.part.to_be_bytes(), &self.piece.to_be_bytes()])
    }

    /// `None` for any other block id.
    pub fn parse(base64: &str) -> Option<Self> {
        let bytes = BlockId::parse(base64)?.0;
        let (nonce, rest) = bytes.strip_prefix(b"P")?.split_first_chunk()?;
        let (part, rest) = rest.split_first_chunk()?;
        let (piece, _) = rest.split_first_chunk()?;
        Some(Self { nonce: *nonce, part: u16::from_be_bytes(*part), piece: u16::from_be_bytes(*piece) })
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
        let staged = StagedPart { nonce: [1, 2, 3, 4, 5, 6, 7, 8], part: 10_000, piece: 1 };
        assert_eq!(staged.id().base64(), "UAECAwQFBgcIJxAAAQAAAAAAAAAAAAAAAAAAAAAAAAAA");
        assert_eq!(StagedPart::parse(&staged.id().base64()), Some(staged));
        let version = SourceVersion::new("abc-2", 1 << 30, Timestamp(1_795_412_511), 8 << 20);
        let block = ImportBlock { version, index: 7, crc64: 0xae8b_1486_0a79_9888, length: 8 << 20 };
        assert_eq!(ImportBlock::parse(&block.id().base64()), Some(block));
        assert_eq!(StagedPart::parse(&block.id().base64()), None);
        assert_eq!(ImportBlock::parse("AAAA"), None);
        assert_eq!(long_put([9; 12], 1).base64().len(), 44);
        assert_ne!(version, SourceVersion::new("abc-2", 1 << 30, Timestamp(1_795_412_511), 16 << 20));
    }
}
