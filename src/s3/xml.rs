//! S3's documents: one file each, rendered by hand into one buffer, parsed with bounds on size, depth
//! and number of entries. There are no DTDs and no entities but the predefined ones.

pub mod access_control;
pub mod bucket_setting;
pub mod complete;
pub mod copy;
pub mod create_bucket;
pub mod delete;
pub mod list_buckets;
pub mod list_objects;
pub mod list_parts;
pub mod list_uploads;
pub mod list_versions;
pub mod location;
pub mod multipart;
pub mod object_attributes;
pub mod owner;
mod reader;
pub mod tagging;
pub mod versioning;
pub mod writer;

pub use owner::Owner;
pub use writer::{DECLARATION, KeyEncoding};

#[cfg(test)]
mod tests;
