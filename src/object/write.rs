//! Writing, deleting and copying objects: what is asked, and what comes back.

use super::{
    Algorithm, Checksum, ContentHeaders, ETag, ObjectKey, Payload, ReadCondition, Stamp, Tags, Timestamp, UserMetadata,
    WriteCondition,
};

/// What an object is given besides its bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    pub content: ContentHeaders,
    pub user: UserMetadata,
    pub tags: Tags,
    pub storage_class: Option<String>,
}

/// A PUT.
#[derive(Debug)]
pub struct PutRequest {
    pub payload: Payload,
    pub attributes: Attributes,
    /// MD5 of the bytes where the client gave it: checked by Azure, and recorded.
    pub content_md5: Option<[u8; 16]>,
    /// Checksums known before the body: recorded. (They are verified by whoever made the payload.)
    pub checksums: Vec<Checksum>,
    pub condition: WriteCondition,
}

/// A write that took effect.
#[derive(Clone, Debug)]
pub struct Stored {
    pub etag: ETag,
    pub last_modified: Timestamp,
    pub checksums: Vec<Checksum>,
    pub size: u64,
}

/// What a copy gives its result in place of the source's own attributes.
#[derive(Clone, Debug, Default)]
pub struct CopyAttributes {
    /// `x-amz-metadata-directive: REPLACE`: content headers and user metadata.
    pub replace: Option<(ContentHeaders, UserMetadata)>,
    /// `x-amz-tagging-directive: REPLACE`.
    pub tags: Option<Tags>,
    pub storage_class: Option<String>,
    /// `x-amz-checksum-algorithm`: the result has a checksum of the whole object of this kind.
    pub checksum: Option<Algorithm>,
}

/// A copy within the account.
#[derive(Clone, Debug)]
pub struct CopyRequest {
    pub source: ObjectKey,
    /// Judged on the source.
    pub source_condition: ReadCondition,
    pub attributes: CopyAttributes,
    /// Judged on what the copy replaces.
    pub condition: WriteCondition,
}

/// A write by the mover: the bytes of one version of a source object.
#[derive(Debug)]
pub struct ImportRequest {
    pub attributes: Attributes,
    pub checksums: Vec<Checksum>,
    pub stamp: Stamp,
    /// MD5 of the bytes, if the source vouches for it.
    pub content_md5: Option<[u8; 16]>,
    /// CRC-64/NVME of the bytes, if known before the body; sent where no MD5 is.
    pub crc64: Option<u64>,
}

/// The outcome for one key of DeleteObjects.
pub type DeleteOutcome = super::Result<()>;

/// The checksum an upload was begun with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeclaredChecksum {
    pub algorithm: Algorithm,
    /// FULL_OBJECT in place of COMPOSITE.
    pub full_object: bool,
}
