//! What Azure tells of a blob.

use compact_str::CompactString;

use crate::object::{ContentHeaders, StoreTag, Timestamp};

/// Metadata as Azure holds it: C# identifiers and ASCII values. Names are lower case, wherever they
/// were read: the service does not tell them apart by case, and HTTP loses it.
pub type MetadataPairs = Vec<(CompactString, String)>;

/// Properties from a GET or a HEAD.
#[derive(Clone, Debug)]
pub struct BlobProperties {
    pub store_tag: StoreTag,
    pub last_modified: Timestamp,
    /// Length of the whole blob in bytes, also when a range was read.
    pub length: u64,
    /// Of the whole blob; Put Block List leaves it unset.
    pub content_md5: Option<[u8; 16]>,
    /// Azure has no `expires`; it is always `None` here.
    pub content: ContentHeaders,
    pub metadata: MetadataPairs,
    /// A directory of a hierarchical account (`ResourceType` or `hdi_isfolder`).
    pub is_directory: bool,
}

/// What is read of the properties that a listing tells. There is one of them per entry, so it is kept small.
#[derive(Clone, Debug)]
pub struct ListedProperties {
    /// Empty, as is the date, of a blob that has only staged blocks.
    pub store_tag: StoreTag,
    pub last_modified: Timestamp,
    /// In bytes.
    pub length: u64,
    /// Of the whole blob; Put Block List leaves it unset.
    pub content_md5: Option<[u8; 16]>,
    pub metadata: MetadataPairs,
    /// A directory of a hierarchical account (`ResourceType` or `hdi_isfolder`).
    pub is_directory: bool,
}

impl From<BlobProperties> for ListedProperties {
    fn from(properties: BlobProperties) -> Self {
        let BlobProperties { store_tag, last_modified, length, content_md5, content: _, metadata, is_directory } =
            properties;
        Self { store_tag, last_modified, length, content_md5, metadata, is_directory }
    }
}

/// What a successful write answers.
#[derive(Clone, Debug)]
pub struct Written {
    pub store_tag: StoreTag,
    pub last_modified: Timestamp,
    /// Put Blob always; others only where they were given one.
    pub content_md5: Option<[u8; 16]>,
    /// CRC-64/NVME of the bytes, where the operation answers it. (Put Block List answers the CRC of
    /// its XML: left out.)
    pub crc64: Option<u64>,
}
