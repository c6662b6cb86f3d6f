//! What Azure tells of a blob.

use crate::object::{ContentHeaders, StoreTag, Timestamp};

/// Metadata as Azure holds it: C# identifiers and ASCII values. Names are lower case, wherever they
/// were read: the service does not tell them apart by case, and HTTP loses it.
pub type MetadataPairs = Vec<(String, String)>;

/// Properties from a GET, a HEAD or a listing.
#[derive(Clone, Debug)]
pub struct BlobProperties {
    pub store_tag: StoreTag,
    pub last_modified: Timestamp,
    /// Length of the whole blob in bytes, also when a range was read.
    pub length: u64,
    /// Of the whole blob; Put Block List leaves it unset.
    pub content_md5: Option<[u8; 16]>,
    /// Azure has no `expires`; it is always `None` here. Not of a listing: nobody asks it for them.
    pub content: ContentHeaders,
    pub metadata: MetadataPairs,
    /// A directory of a hierarchical account (`ResourceType` or `hdi_isfolder`).
    pub is_directory: bool,
    /// The account says whether it is a file or a directory: it is hierarchical.
    pub is_path: bool,
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
