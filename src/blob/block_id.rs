//! Block ids: all of one length, because Azure wants all uncommitted blocks of a blob so.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Length in bytes of every block id of ours before base64. Azure's limit is 64 (Put Block).
pub const BLOCK_ID_BYTES: usize = 48;

/// A block id; what the bytes mean is the business of who makes it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct BlockId(pub [u8; BLOCK_ID_BYTES]);

impl BlockId {
    /// The form in block lists; percent-encode it for a URL.
    pub fn base64(&self) -> String {
        STANDARD.encode(self.0)
    }

    /// `None` if the id is not one of ours by its length.
    pub fn parse(base64: &str) -> Option<Self> {
        STANDARD.decode(base64).ok()?.try_into().ok().map(Self)
    }
}

impl fmt::Debug for BlockId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BlockId({})", self.base64())
    }
}
