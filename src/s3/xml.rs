//! S3's documents: one file each, rendered by hand, parsed with bounds.

pub mod writer;

pub use writer::KeyEncoding;
