//! `[mover]`: how much is moved at a time.

use std::path::PathBuf;

use super::document::{Document, Section};
use super::setting::Bytes;

/// The mover's share of memory, processors and network.
#[derive(Clone, Debug, PartialEq)]
pub struct MoverConfig {
    /// Objects, of large ones blocks, being copied at one time at the most.
    pub concurrency: usize,
    /// The same to begin with: it grows while both sides keep up.
    pub concurrency_start: usize,
    /// The same at the least, however often a side asks for fewer requests.
    pub concurrency_min: usize,
    /// Runtime threads; 0 is one per core.
    pub threads: usize,
    /// Ranges that a bucket is cut into at the most, for all processes that share the work.
    pub ranges: usize,
    /// Memory for bytes in flight.
    pub byte_budget: u64,
    /// Bytes of one block of a large object.
    pub block_size: u64,
    /// An object of more bytes than this is copied in blocks.
    pub large_threshold: u64,
    /// Blocks of one object on their way at one time.
    pub blocks_at_once: usize,
    /// Large objects of at most this many bytes whose ETag is an MD5 are hashed in order to check it.
    pub md5_up_to: u64,
    /// Computes the ETag of multipart uploads again, which takes the size of each part from the source.
    pub prove_multipart: bool,
    /// Objects that `plan` asks the source about one by one, to tell what a listing does not show.
    pub plan_samples: usize,
    /// `None` is no cap.
    pub pace_bytes_per_second: Option<u64>,
    /// Objects, of large ones blocks, begun per second: each is a request at the source and one at
    /// Azure. `None` is no cap.
    pub pace_requests_per_second: Option<u64>,
    /// One line of JSON for every object that was not simply unchanged.
    pub report: Option<PathBuf>,
}

impl Default for MoverConfig {
    fn default() -> Self {
        Self {
            concurrency: 64,
            concurrency_start: 16,
            concurrency_min: 2,
            threads: 0,
            ranges: 64,
            byte_budget: 512 << 20,
            block_size: 8 << 20,
            large_threshold: 32 << 20,
            blocks_at_once: 8,
            md5_up_to: 5 << 30,
            prove_multipart: false,
            plan_samples: 200,
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
        // A default gives way to what is written beside it.
        let concurrency = section.get("concurrency").unwrap_or(default.concurrency);
        let concurrency_start =
            section.get("concurrency_start").unwrap_or_else(|| default.concurrency_start.min(concurrency));
        let mover = Self {
            concurrency,
            concurrency_start,
            concurrency_min: section
                .get("concurrency_min")
                .unwrap_or_else(|| default.concurrency_min.min(concurrency_start)),
            threads: section.get("threads").unwrap_or(default.threads),
            ranges: section.get("ranges").unwrap_or(default.ranges),
            byte_budget: bytes("byte_budget", default.byte_budget),
            block_size: bytes("block_size", default.block_size),
            large_threshold: bytes("large_threshold", default.large_threshold),
            blocks_at_once: section.get("blocks_at_once").unwrap_or(default.blocks_at_once),
            md5_up_to: bytes("md5_up_to", default.md5_up_to),
            prove_multipart: section.get("prove_multipart").unwrap_or(default.prove_multipart),
            plan_samples: section.get("plan_samples").unwrap_or(default.plan_samples),
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
        mover.check(&section);
        section.finish();
        mover
    }

    fn check(&self, section: &Section<'_>) {
        let counts =
            [("concurrency", self.concurrency), ("ranges", self.ranges), ("blocks_at_once", self.blocks_at_once)];
        for (key, _) in counts.into_iter().filter(|(_, count)| *count == 0) {
            section.mistake(key, "must be at least 1");
        }
        if self.concurrency > 0 && !(1..=self.concurrency).contains(&self.concurrency_start) {
            section.mistake("concurrency_start", "must be at least 1 and at most concurrency");
        }
        if self.concurrency_start > 0 && !(1..=self.concurrency_start).contains(&self.concurrency_min) {
            section.mistake("concurrency_min", "must be at least 1 and at most concurrency_start");
        }
        if !(BLOCK_BYTES_MIN..=BLOCK_BYTES_MAX).contains(&self.block_size) {
            section.mistake("block_size", "must be between 256KiB and 4000MiB");
        }
        if self.byte_budget < self.block_size {
            section.mistake("byte_budget", "must be at least block_size");
        }
        if self.large_threshold > PUT_BLOB_BYTES_MAX {
            section.mistake("large_threshold", "must be at most 5000MiB, the largest blob that one request can write");
        }
    }
}
