//! The rolling signatures of a signed aws-chunked body.
//!
//! Source: Amazon S3 API reference, "Signature Calculations for the Authorization Header:
//! Transferring Payload in Multiple Chunks", and the same with trailing headers.

use std::fmt;

use crate::s3::error::{Result, S3Code, S3Error};

use super::canonical::hex_into;
use super::{Mac, SigningKey};

/// SHA-256 of nothing, which every chunk signature covers.
const EMPTY_SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// Signs each chunk over the signature before it, beginning with that of the request.
#[derive(Clone)]
pub struct ChunkSigner {
    key: SigningKey,
    previous: Mac,
    /// `<date and time>\n<scope>\n`
    context: Box<str>,
}

impl ChunkSigner {
    pub(super) fn new(key: SigningKey, seed: Mac, amz_date: &str, scope: &str) -> Self {
        Self { key, previous: seed, context: format!("{amz_date}\n{scope}\n").into() }
    }

    /// A signer with a seed signature of its own, for the documented examples.
    #[cfg(test)]
    pub fn for_test(key: SigningKey, seed: Mac, amz_date: &str, scope: &str) -> Self {
        Self::new(key, seed, amz_date, scope)
    }

    /// The signature of the next chunk, from the SHA-256 of its data.
    pub fn chunk(&mut self, sha256: &[u8]) -> Mac {
        self.next("AWS4-HMAC-SHA256-PAYLOAD\n", &[EMPTY_SHA256, "\n"], sha256)
    }

    /// The signature of the trailers, from the SHA-256 of their lines, each ended by a line feed.
    pub fn trailer(&mut self, sha256: &[u8]) -> Mac {
        self.next("AWS4-HMAC-SHA256-TRAILER\n", &[], sha256)
    }

    /// Checks the signature of a chunk.
    ///
    /// # Errors
    /// SignatureDoesNotMatch.
    pub fn check_chunk(&mut self, claimed: &Mac, sha256: &[u8]) -> Result<()> {
        same(&self.chunk(sha256), claimed)
    }

    /// Checks the signature of the trailers.
    ///
    /// # Errors
    /// SignatureDoesNotMatch.
    pub fn check_trailer(&mut self, claimed: &Mac, sha256: &[u8]) -> Result<()> {
        same(&self.trailer(sha256), claimed)
    }

    fn next(&mut self, algorithm: &str, between: &[&str], sha256: &[u8]) -> Mac {
        let mut message = Vec::with_capacity(320);
        message.extend_from_slice(algorithm.as_bytes());
        message.extend_from_slice(self.context.as_bytes());
        hex_into(&mut message, self.previous.bytes());
        message.push(b'\n');
        for part in between {
            message.extend_from_slice(part.as_bytes());
        }
        hex_into(&mut message, sha256);
        self.previous = self.key.sign(&message);
        self.previous
    }
}

impl fmt::Debug for ChunkSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChunkSigner(..)")
    }
}

fn same(computed: &Mac, claimed: &Mac) -> Result<()> {
    if computed == claimed {
        return Ok(());
    }
    Err(S3Error::new(S3Code::SignatureDoesNotMatch, "The signature of a chunk or of the trailers does not match."))
}
