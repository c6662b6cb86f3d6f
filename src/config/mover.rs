//! `[mover]`: how much is moved at a time.

use std::path::PathBuf;

use super::document::Document;
use super::setting::Bytes;

/// The mover's share of memory, processors and network.
#[derive(Clone, Debug, PartialEq)]
pub struct MoverConfig {
    /// Objects being copied at one time.
    pub concurrency: usize,
    /// Runtime threads; 0 is one per core.
    pub threads: usize,
    /// Memory for bytes in flight.
    pub byte_budget: u64,
    /// Bytes of one block of a large object.
    pub block_size: u64,
    /// From this size in bytes on an object is copied in blocks.
    pub large_threshold: u64,
    pub pace_bytes_per_second: Option<u64>,
    pub pace_requests_per_second: Option<u64>,
    /// One line of JSON for every object that was not simply unchanged.
    pub report: Option<PathBuf>,
}

impl Default for MoverConfig {
    fn default() -> Self {
        Self {
            concurrency: 64,
            threads: 0,
            byte_budget: 512 << 20,
            block_size: 8 << 20,
            large_threshold: 32 << 20,
            pace_bytes_per_second: None,
            pace_requests_per_second: None,
            report: None,
        }
    }
}

/// A smaller block would make one of 50,000 (Azure's limit) too small for S3's largest object only
/// from 5 GiB on, but cost a request for every few packets.
const BLOCK_BYTES_MIN: u64 = 256 << 10;
/// Azure, "Scalability and performance targets for Blob storage".
const BLOCK_BYTES_MAX: u64 = 4000 << 20;
/// Same page: the longest body of one Put Blob.
const PUT_BLOB_BYTES_MAX: u64 = 5000 << 20;

impl MoverConfig {
    pub(super) fn read(document: &Document<'_>) -> Self {
        let section = document.section("mover");
        let default = Self::default();
        let bytes = |key, default| section.get::<Bytes>(key).map_or(default, |bytes| bytes.0);
        let mover = Self {
            concurrency: section.get("concurrency").unwrap_or(default.concurrency),
            threads: section.get("threads").unwrap_or(default.threads),
            byte_budget: bytes("byte_budget", default.byte_budget),
            block_size: bytes("block_size", default.block_size),
            large_threshold: bytes("large_threshold", default.large_threshold),
            pace_bytes_per_second: section
                .get::<Bytes>("pace_bytes_per_second")
                .map(|bytes| bytes.0)
                .filter(|&b| b > 0),
            pace_requests_per_second: section
                .get::<usize>("pace_requests_per_second")
                .map(|n| n as u64)
                .filter(|&n| n > 0),
            report: section.get::<PathBuf>("report"),
        };
        if mover.concurrency == 0 {
            section.mistake("concurrency", "must be at least 1");
        }
        if !(BLOCK_BYTES_MIN..=BLOCK_BYTES_MAX).contains(&mover.block_size) {
            section.mistake("block_size", "must be between 256KiB and 4000MiB");
        }
        if mover.byte_budget < mover.block_size {
            section.mistake("byte_budget", "must be at least block_size");
        }
        if mover.large_threshold > PUT_BLOB_BYTES_MAX {
            section.mistake("large_threshold", "must be at most 5000MiB, the largest blob that one request can write");
        }
        section.finish();
        mover
    }
}
