//! bluebucket: an S3-to-Azure compatibility proxy and data mover.

pub mod admin;
pub mod blob;
pub mod cli;
pub mod config;
pub mod net;
pub mod object;
pub mod telemetry;
