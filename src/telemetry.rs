//! What operators see: the catalogue of metrics, logs, and the guard that keeps secrets out of both.
//!
//! [`Metrics`] is made once per process and passed down by `Arc`; its handles are indexed by the
//! closed enums of [`label`], so that no call site spells a label and none can grow a new series.

pub mod catalogue;
pub mod charge;
pub mod label;
pub mod log;
pub mod metrics;
pub mod redact;
mod table;

pub use charge::Charge;
pub use label::{
    AuthFailure, BlobOperation, DialResult, MoverOutcome, Outcome, Peer, ProofLevel, RangeState, S3Operation,
    ShedReason, SourceOperation, StatusClass, Throttle,
};
pub use metrics::{ByteCounter, Metrics};
pub use redact::Secret;
