//! bluebucket: an S3-to-Azure compatibility proxy and data mover.

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
