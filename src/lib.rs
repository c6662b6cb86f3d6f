//! bluebucket moves object storage from S3 to Azure Blob Storage while the applications keep running.
//!
//! One binary, three jobs: the [`mover`] streams the objects of S3 buckets into Blob containers and
//! proves that they are equal; the [`facade`] is an S3 API backed by Blob Storage, so that every S3
//! client keeps working; the cutover ([`migration`]) will move the truth from S3 to Azure per bucket.
//!
//! # The map
//!
//! | module | what it is | knows of |
//! |---|---|---|
//! | [`object`] | value types: key, ETag, range, metadata, checksum, condition, error kind | nothing |
//! | [`telemetry`] | metric catalogue, logs without secrets | nothing |
//! | [`net`] | per-thread HTTP/1.1 pool, server loop, TLS, pipes, byte budget | telemetry |
//! | [`s3`] | the S3 wire format both ways | object |
//! | [`source`] | S3 client of the mover | object, net, telemetry |
//! | [`blob`] | Blob REST client, one file per operation | object, net, telemetry; never `s3` |
//! | [`state`] | records by compare-and-swap in the state container | blob, object |
//! | [`bucket`] | an S3 bucket kept in a container | state, blob, object |
//! | [`migration`] | which side holds the truth, what the mover may write, ranges | bucket, state, source |
//! | [`facade`] | authenticate, one file per S3 operation, respond | migration, s3, object, net |
//! | [`mover`] | plan, backfill, verify | migration, source, object, net |
//! | [`admin`] | metrics, health, readiness, status | telemetry |
//! | [`emulator`] | a strict Blob service, its own reading of the protocol | net |
//! | [`config`] | file and environment to typed settings | config structs |
//! | [`daemon`], [`cli`] | composition and commands | all |
//!
//! `tests/architecture.rs` holds the table of imports. [`docs`] explains what spans several modules.
//!
//! # What always holds
//!
//! - Nothing acknowledged is lost: a write is answered only after Blob Storage has committed it.
//! - Nothing half-written is visible: the last bytes of a body are held back until signature, length
//!   and checksums agree; multipart results appear by one commit.
//! - A write whose outcome is unknown is never sent again without looking first.
//! - Keys are byte-identical to blob names; what Blob cannot hold is refused or counted, never renamed.
//! - Azure's ETags never reach S3 clients; S3's ETags never reach Azure.
//! - Only `migration` decides what the mover may overwrite, and it is always conditional.
//! - No two tries stage blocks under one id.
//! - There is no unsafe code, and what comes off the network cannot make the path of a request panic.

#![forbid(unsafe_code)]
// A place that cannot go wrong says why.
#![cfg_attr(
    not(test),
    warn(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable, clippy::todo)
)]

pub mod admin;
pub mod blob;
pub mod bucket;
pub mod cli;
pub mod config;
pub mod daemon;
pub mod emulator;
pub mod facade;
pub mod migration;
pub mod mover;
pub mod net;
pub mod object;
pub mod s3;
pub mod source;
pub mod state;
pub mod telemetry;

/// What spans several modules: formats, state tables, metrics, errors.
pub mod docs {
    #[doc = include_str!("docs/formats.md")]
    pub mod formats {}
    #[doc = include_str!("docs/multipart.md")]
    pub mod multipart {}
    #[doc = include_str!("docs/semantics.md")]
    pub mod semantics {}
    #[doc = include_str!("docs/conformance.md")]
    pub mod conformance {}
    #[doc = include_str!("docs/metrics.md")]
    pub mod metrics {}
    #[doc = include_str!("docs/errors.md")]
    pub mod errors {}
}
