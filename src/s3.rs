//! The S3 wire format both ways: pure, without I/O, and without knowledge of what an operation does.
//!
//! A request becomes an [`operation::Operation`], a closed enum with typed fields; documents are
//! rendered from and parsed into types of `object`; signatures and bodies are verified here and
//! nowhere else. The vocabulary of answers is one table in [`error`].

// What comes off the network is read here: no index may be able to miss.
#![cfg_attr(not(test), warn(clippy::indexing_slicing, clippy::string_slice))]

pub mod addressing;
pub mod aws_chunked;
pub mod continuation;
#[cfg(test)]
mod cost;
pub mod error;
pub mod header;
pub mod operation;
pub mod payload;
pub mod query;
pub mod request;
pub mod sigv4;
pub mod verify;
pub mod xml;

pub use addressing::Addressing;
pub use error::{Access, S3Code, S3Error};
pub use operation::Operation;
pub use payload::{BodyDeclaration, PayloadMode};
pub use sigv4::{Expectations, SignedRequest, SigningKey, Verified};
pub use verify::{BodyVerifier, VerifiedBody, verified_payload, verified_stream};
