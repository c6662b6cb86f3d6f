//! The one home of live-migration rules: which side holds the truth, and what the mover may write.
//!
//! Only this module holds both clients. The facade asks [`router::Router`] for a bucket's side; the
//! mover asks [`rules`] what a pair of listings means and [`import`] to carry it out. Neither builds a
//! condition of its own. There is no live phase yet: every bucket's truth for the facade is Blob.

pub mod import;
pub mod ranges;
pub mod router;
pub mod rules;

pub use crate::bucket::{ImportBlock, ImportTarget, Origin, SourceVersion, StoredEntry};
pub use crate::state::Version as RangeVersion;
