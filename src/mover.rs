//! Streams the objects of S3 buckets into Blob containers and proves that they are equal.
//!
//! A backfill reads like this: [`range_worker`] claims a slice of the key space, [`merge`] joins the
//! two listings of it, the migration rules decide about each key, [`transfer`] copies what has to be
//! copied, [`window`] knows up to which key everything is settled, and the range record advances to
//! there, cursor and counters together. See `docs/mover.md` for the reasons.
//!
//! The mover deletes nothing, and every write of it is conditional: that is the migration module's
//! business, and no condition is built here.
#![doc = include_str!("docs/mover.md")]

pub mod backfill;
mod board;
pub mod manifest;
pub mod merge;
pub mod outcome;
pub mod pace;
pub mod plan;
pub mod progress;
pub mod progress_bar;
mod range_worker;
pub mod report;
mod slices;
pub mod split;
pub mod stop;
pub mod summary;
pub mod threads;
pub mod transfer;
pub mod verify;
mod window;

use std::sync::Arc;

use crate::migration::import::Importer;
use crate::migration::ranges::Ranges;
use crate::object::{BucketName, Result};
use crate::source::SourceClient;

/// Both sides of one bucket, as one runtime thread sees them.
#[derive(Clone)]
pub struct BucketClients {
    pub source: SourceClient,
    /// The bucket's name at the source; the importer knows the one that clients use.
    pub source_bucket: BucketName,
    pub importer: Importer,
    pub ranges: Ranges,
}

/// The clients of one runtime thread: one entry for each bucket, in the same order on every thread.
#[derive(Clone)]
pub struct ThreadClients {
    pub buckets: Vec<BucketClients>,
}

/// Makes the clients of a thread. It is called on that thread, within its runtime, so that
/// connections and background work belong to it.
pub type Factory = Arc<dyn Fn() -> Result<ThreadClients> + Send + Sync>;
