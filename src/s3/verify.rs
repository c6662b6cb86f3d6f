//! Verifies a body while it streams: framing and chunk signatures, length, `x-amz-content-sha256`,
//! Content-MD5 and the flexible checksum, whether it came in a header or comes in a trailer.
//!
//! The last bytes of the object, at most [`HELD_BACK_MAX`], are handed on only when everything
//! agrees. A write of known length can therefore not complete with a bad body.

mod stream;

use aws_lc_rs::digest;
use bytes::Bytes;
use subtle::ConstantTimeEq;

use crate::object::checksum::RunningMd5;
use crate::object::{Checksum, Hasher};

use super::aws_chunked::{Decoder, Trailers};
use super::error::{Result, S3Code, S3Error};
use super::payload::{BodyDeclaration, DeclaredChecksum, PayloadMode, full_object};
use super::sigv4::ChunkSigner;

pub use stream::{Outcome, verified_payload, verified_stream};

/// Most bytes that are held back (set by us).
pub const HELD_BACK_MAX: usize = 64 * 1024;

/// What is known of a body once it has been verified.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VerifiedBody {
    /// Length of the object's bytes.
    pub length: u64,
    /// The flexible checksum that the client declared, now known to be right.
    pub checksum: Option<Checksum>,
    /// Known only if the client sent a Content-MD5.
    pub md5: Option<[u8; 16]>,
    /// Known only if the client signed the payload.
    pub sha256: Option<[u8; 32]>,
}

/// Judges a body piece by piece.
pub struct BodyVerifier {
    framing: Framing,
    digests: Digests,
    expected: Expected,
    held: Option<Bytes>,
}

enum Framing {
    /// So many bytes are still to come.
    Plain,
    Chunked(Box<Decoder>),
}

struct Expected {
    length: u64,
    sha256: Option<[u8; 32]>,
    md5: Option<[u8; 16]>,
    checksum: Option<DeclaredChecksum>,
    trailers: Vec<String>,
}

/// Everything that is computed on the way.
struct Digests {
    length: u64,
    sha256: Option<digest::Context>,
    md5: Option<RunningMd5>,
    checksum: Option<Hasher>,
}

impl BodyVerifier {
    /// A verifier for a body; `signer` is that of the verified request.
    ///
    /// # Errors
    /// AccessDenied if the body's chunks are signed and there is no signer.
    pub fn new(declared: &BodyDeclaration, signer: Option<ChunkSigner>) -> Result<Self> {
        let sha256 = match declared.mode {
            PayloadMode::Signed(sha256) => Some(sha256),
            _ => None,
        };
        let framing = if declared.mode.chunked() {
            Framing::Chunked(Box::new(Decoder::new(declared.mode, declared.length, signer)?))
        } else {
            Framing::Plain
        };
        let algorithm = declared.checksum.as_ref().map(|declared| match declared {
            DeclaredChecksum::Header(checksum) => checksum.algorithm,
            DeclaredChecksum::Trailer(algorithm) => *algorithm,
        });
        Ok(Self {
            framing,
            digests: Digests {
                length: 0,
                sha256: sha256.map(|_| digest::Context::new(&digest::SHA256)),
                md5: declared.content_md5.map(|_| RunningMd5::default()),
                checksum: algorithm.map(Hasher::new),
            },
            expected: Expected {
                length: declared.length,
                sha256,
                md5: declared.content_md5,
                checksum: declared.checksum.clone(),
                trailers: declared.trailers.clone(),
            },
            held: None,
        })
    }

    /// Length of the object's bytes, as declared.
    pub fn length(&self) -> u64 {
        self.expected.length
    }

    /// Takes what came off the connection; hands on object bytes, all but the last ones of the object.
    ///
    /// # Errors
    /// IncompleteBody for more bytes than declared, and what [`Decoder::push`] says.
    pub fn push(&mut self, input: Bytes, out: &mut impl FnMut(Bytes)) -> Result<()> {
        let (digests, held, length) = (&mut self.digests, &mut self.held, self.expected.length);
        match &mut self.framing {
            Framing::Plain if digests.length + input.len() as u64 > length => {
                Err(S3Error::new(S3Code::IncompleteBody, "The body has more bytes than Content-Length says."))
            }
            Framing::Plain => {
                digests.update(&input);
                hand_on(input, digests.length == length, held, out);
                Ok(())
            }
            Framing::Chunked(decoder) => decoder.push(input, &mut |data| {
                digests.update(&data);
                hand_on(data, digests.length == length, held, out);
            }),
        }
    }

    /// Says that the body has ended. If all agrees, returns the bytes held back.
    ///
    /// # Errors
    /// IncompleteBody, SignatureDoesNotMatch, XAmzContentSHA256Mismatch, BadDigest or
    /// MalformedTrailerError.
    pub fn finish(self) -> Result<(Option<Bytes>, VerifiedBody)> {
        if self.digests.length != self.expected.length {
            return Err(S3Code::IncompleteBody.into());
        }
        let trailers = match self.framing {
            Framing::Plain => Trailers::new(),
            Framing::Chunked(decoder) => decoder.finish()?,
        };
        check_trailer_names(&self.expected.trailers, &trailers)?;
        Ok((self.held, self.digests.agree(&self.expected, &trailers)?))
    }
}

impl Digests {
    fn update(&mut self, data: &[u8]) {
        self.length += data.len() as u64;
        if let Some(sha256) = &mut self.sha256 {
            sha256.update(data);
        }
        if let Some(md5) = &mut self.md5 {
            md5.update(data);
        }
        if let Some(checksum) = &mut self.checksum {
            checksum.update(data);
        }
    }

    fn agree(self, expected: &Expected, trailers: &Trailers) -> Result<VerifiedBody> {
        if let (Some(claimed), Some(running)) = (&expected.sha256, self.sha256)
            && !bool::from(running.finish().as_ref().ct_eq(claimed))
        {
            return Err(S3Code::XAmzContentSHA256Mismatch.into());
        }
        if let (Some(claimed), Some(running)) = (&expected.md5, self.md5)
            && running.finish() != *claimed
        {
            return Err(S3Error::new(
                S3Code::BadDigest,
                "The Content-MD5 you specified did not match what we received.",
            ));
        }
        let computed = self.checksum.map(Hasher::finish);
        if let (Some(declared), Some(computed)) = (&expected.checksum, &computed) {
            check_checksum(declared, computed, trailers)?;
        }
        Ok(VerifiedBody { length: self.length, checksum: computed, md5: expected.md5, sha256: expected.sha256 })
    }
}

fn check_checksum(declared: &DeclaredChecksum, computed: &Checksum, trailers: &Trailers) -> Result<()> {
    let name = computed.algorithm.header();
    let agrees = match declared {
        DeclaredChecksum::Header(claimed) => claimed == computed,
        DeclaredChecksum::Trailer(algorithm) => {
            let value = trailers.iter().find(|(known, _)| known == name).map(|(_, value)| value);
            let claimed = value.and_then(|value| full_object(*algorithm, value));
            claimed.ok_or_else(|| {
                S3Error::new(S3Code::InvalidRequest, format!("Value for {name} trailing header is invalid."))
            })? == *computed
        }
    };
    if agrees {
        return Ok(());
    }
    let message = format!("The {} you specified did not match the calculated checksum.", computed.algorithm.name());
    Err(S3Error::new(S3Code::BadDigest, message))
}

/// Exactly the announced trailers have to come.
fn check_trailer_names(announced: &[String], trailers: &Trailers) -> Result<()> {
    let all_came = announced.iter().all(|name| trailers.iter().any(|(known, _)| known == name));
    let none_else = trailers.iter().all(|(name, _)| announced.contains(name));
    if all_came && none_else {
        return Ok(());
    }
    Err(S3Error::new(S3Code::MalformedTrailerError, "The trailers are not the ones that x-amz-trailer announced."))
}

/// Hands `data` on; of the last piece the end is held back instead.
fn hand_on(mut data: Bytes, is_last: bool, held: &mut Option<Bytes>, out: &mut impl FnMut(Bytes)) {
    if data.is_empty() {
        return;
    }
    if is_last {
        *held = Some(data.split_off(data.len().saturating_sub(HELD_BACK_MAX)));
    }
    if !data.is_empty() {
        out(data);
    }
}

#[cfg(test)]
mod tests;
