//! The S3 wire format both ways: pure, without I/O, and without knowledge of what an operation does.
//!
//! rendered from and parsed into types of `object`; signatures and bodies are verified here and
//! nowhere else. The vocabulary of answers is one table in [`error`].

pub mod aws_chunked;
pub mod error;
pub mod header;
pub mod payload;
pub mod query;
pub mod sigv4;
pub mod verify;
pub mod xml;

pub use error::{Access, S3Code, S3Error};
pub use payload::{BodyDeclaration, PayloadMode};
pub use sigv4::{Expectations, SignedRequest, SigningKey, Verified};
pub use verify::{BodyVerifier, VerifiedBody, verified_payload, verified_stream};
