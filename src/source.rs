//! The S3 side as a client: what the mover reads, over the same connection pool as everything else.
//!
//! Keys go out byte-exact: percent-encoded once, never through a URL type that resolves `.`
//! segments. Every read of an object can be pinned to its ETag, a body that breaks off is resumed
//! under that pin, and a body that is shorter than announced is an error.

pub mod bucket;
pub mod client;
pub mod config;
pub mod credentials;
pub mod error;
pub mod get;
pub mod head;
pub mod list;
mod measure;
pub mod meta;
pub mod sign;
pub mod stats;
pub mod tagging;
mod xml;

pub use client::SourceClient;
pub use config::{Addressing, SourceConfig};
pub use credentials::{CredentialProvider, Credentials};
pub use get::{GetSource, SourceDownload};
pub use list::{SourceList, SourceObject, SourcePage};
pub use meta::SourceMeta;
pub use stats::SourceStats;

/// Header names of S3 that this module sends or reads.
pub mod header {
    pub const CONTENT_SHA256: &str = "x-amz-content-sha256";
    pub const DATE: &str = "x-amz-date";
    pub const SECURITY_TOKEN: &str = "x-amz-security-token";
    pub const CHECKSUM_MODE: &str = "x-amz-checksum-mode";
    pub const CHECKSUM_TYPE: &str = "x-amz-checksum-type";
    pub const REQUEST_ID: &str = "x-amz-request-id";
    pub const BUCKET_REGION: &str = "x-amz-bucket-region";
    pub const DELETE_MARKER: &str = "x-amz-delete-marker";
    pub const VERSION_ID: &str = "x-amz-version-id";
    pub const TAGGING_COUNT: &str = "x-amz-tagging-count";
    pub const STORAGE_CLASS: &str = "x-amz-storage-class";
    pub const SSE: &str = "x-amz-server-side-encryption";
    pub const SSE_CUSTOMER_ALGORITHM: &str = "x-amz-server-side-encryption-customer-algorithm";
    pub const PARTS_COUNT: &str = "x-amz-mp-parts-count";
    pub const REPLICATION_STATUS: &str = "x-amz-replication-status";
    pub const RESTORE: &str = "x-amz-restore";
    pub const MISSING_META: &str = "x-amz-missing-meta";
    pub const META_PREFIX: &str = "x-amz-meta-";
}

#[cfg(test)]
mod tests;
