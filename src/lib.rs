//! bluebucket: an S3-to-Azure compatibility proxy and data mover.

pub mod blob;
pub mod emulator;
pub mod net;
pub mod object;
pub mod telemetry;
