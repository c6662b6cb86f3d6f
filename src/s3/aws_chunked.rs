//! Takes the aws-chunked framing off a body while it streams through.
//!
//! ```text
//! <size in hex>[;chunk-signature=<64 hex digits>]\r\n<data>\r\n ... 0[;chunk-signature=...]\r\n
//! [<trailer>:<value>\r\n ... [x-amz-trailer-signature:<64 hex digits>\r\n]]\r\n
//! ```
//! Data are handed on as slices of what came in; besides them only a line of at most [`LINE_MAX`]
//! bytes is ever held. A chunk's data are handed on before its signature is known: whoever writes
//! them must not commit before [`Decoder::finish`] has agreed.

use aws_lc_rs::digest;
use bytes::{Buf, Bytes};

use super::error::{Result, S3Code, S3Error};
use super::header::TRAILER_SIGNATURE;
use super::payload::PayloadMode;
use super::sigv4::{ChunkSigner, Mac};

/// Longest line of framing or trailer in bytes (set by us: a signature line has 100).
pub const LINE_MAX: usize = 1_024;
/// Most trailers of one body (set by us).
const TRAILERS_MAX: usize = 16;
/// Bytes of line ends that are tolerated after the end, which some clients append.
const SLACK_MAX: usize = 4;

/// Trailers that came after the data: names in lower case, and values.
pub type Trailers = Vec<(String, String)>;

/// An incremental decoder.
pub struct Decoder {
    state: State,
    line: Vec<u8>,
    /// Object bytes that may still come.
    remaining: u64,
    signatures: Option<Signatures>,
    with_trailers: bool,
    trailers: Trailers,
    trailer_signature: Option<Mac>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// A line `<size>[;...]`.
    Header,
    /// So many bytes of a chunk's data.
    Data(u64),
    /// The line end after a chunk's data; `lf`: its second byte.
    DataEnd { lf: bool },
    /// Trailer lines up to an empty one.
    Trailer,
    /// Everything came; so many bytes of slack after it.
    End(usize),
}

struct Signatures {
    signer: ChunkSigner,
    /// Of the chunk that is coming in.
    claimed: Option<Mac>,
    data: digest::Context,
}

impl Decoder {
    /// A decoder for `length` object bytes. `signer` is that of the verified request.
    ///
    /// # Errors
    /// AccessDenied for a mode with chunk signatures if there is no signer; InvalidRequest for a
    /// body without framing.
    pub fn new(mode: PayloadMode, length: u64, signer: Option<ChunkSigner>) -> Result<Self> {
        let (signatures, with_trailers) = match (mode, signer) {
            (PayloadMode::StreamingUnsigned, _) => (None, true),
            (PayloadMode::StreamingSigned { trailer }, Some(signer)) => {
                (Some(Signatures { signer, claimed: None, data: digest::Context::new(&digest::SHA256) }), trailer)
            }
            (PayloadMode::StreamingSigned { .. }, None) => {
                return Err(S3Error::new(S3Code::AccessDenied, "A signed body needs a signed request."));
            }
            (PayloadMode::Unsigned | PayloadMode::Signed(_), _) => return Err(S3Code::InvalidRequest.into()),
        };
        Ok(Self {
            state: State::Header,
            line: Vec::new(),
            remaining: length,
            signatures,
            with_trailers,
            trailers: Vec::new(),
            trailer_signature: None,
        })
    }

    /// Takes what came off the connection and hands the object's bytes to `out`.
    ///
    /// # Errors
    /// SignatureDoesNotMatch, IncompleteBody for more bytes than declared, InvalidChunkSizeError,
    /// MalformedTrailerError, or InvalidRequest for broken framing. The decoder is of no use then.
    pub fn push(&mut self, mut input: Bytes, out: &mut impl FnMut(Bytes)) -> Result<()> {
        while !input.is_empty() {
            match self.state {
                State::Header => {
                    if let Some(next) = self.on_line(&mut input, Self::begin_chunk)? {
                        self.state = next;
                    }
                }
                State::Data(left) => self.take_data(left, &mut input, out)?,
                State::DataEnd { lf } => {
                    let expected = if lf { b'\n' } else { b'\r' };
                    if input.get_u8() != expected {
                        return Err(broken("The data of a chunk are not followed by a line end."));
                    }
                    self.state = if lf { State::Header } else { State::DataEnd { lf: true } };
                }
                State::Trailer => {
                    if let Some(next) = self.on_line(&mut input, Self::trailer_line)? {
                        self.state = next;
                    }
                }
                State::End(slack) => {
                    if slack >= SLACK_MAX || !matches!(input.get_u8(), b'\r' | b'\n') {
                        return Err(broken("Bytes follow the end of the body."));
                    }
                    self.state = State::End(slack + 1);
                }
            }
        }
        Ok(())
    }

    /// Says that nothing more comes, and returns the trailers.
    ///
    /// # Errors
    /// IncompleteBody if something is missing; SignatureDoesNotMatch for the trailers.
    pub fn finish(mut self) -> Result<Trailers> {
        if !matches!(self.state, State::End(_)) || self.remaining > 0 {
            return Err(S3Code::IncompleteBody.into());
        }
        if let (Some(signatures), true) = (&mut self.signatures, self.with_trailers) {
            let claimed = self.trailer_signature.ok_or_else(|| {
                S3Error::new(S3Code::SignatureDoesNotMatch, "The signature of the trailers is missing.")
            })?;
            let mut lines = digest::Context::new(&digest::SHA256);
            for (name, value) in &self.trailers {
                for part in [name, ":", value, "\n"] {
                    lines.update(part.as_bytes());
                }
            }
            signatures.signer.check_trailer(&claimed, lines.finish().as_ref())?;
        }
        Ok(self.trailers)
    }

    /// Calls `read` with the next line, without its line feed, once all of it is there.
    fn on_line(
        &mut self,
        input: &mut Bytes,
        read: impl FnOnce(&mut Self, &[u8]) -> Result<State>,
    ) -> Result<Option<State>> {
        let Some(end) = memchr::memchr(b'\n', input) else {
            if self.line.len() + input.len() > LINE_MAX {
                return Err(broken("A line of the body's framing is too long."));
            }
            self.line.extend_from_slice(input);
            input.clear();
            return Ok(None);
        };
        if self.line.len() + end > LINE_MAX {
            return Err(broken("A line of the body's framing is too long."));
        }
        let tail = input.split_to(end + 1);
        let tail = tail.strip_suffix(b"\n").unwrap_or(&tail);
        if self.line.is_empty() {
            return read(self, tail).map(Some);
        }
        let mut line = std::mem::take(&mut self.line);
        line.extend_from_slice(tail);
        let next = read(self, &line);
        line.clear();
        self.line = line;
        next.map(Some)
    }

    fn begin_chunk(&mut self, line: &[u8]) -> Result<State> {
        let line = line.strip_suffix(b"\r").ok_or_else(|| broken("The head of a chunk does not end in a line end."))?;
        let (size, extension) = line.split_at(memchr::memchr(b';', line).unwrap_or(line.len()));
        let size = chunk_size(size).ok_or(S3Code::InvalidChunkSizeError)?;
        self.remaining = self.remaining.checked_sub(size).ok_or_else(|| {
            S3Error::new(S3Code::IncompleteBody, "The body has more bytes than x-amz-decoded-content-length says.")
        })?;
        if let Some(signatures) = &mut self.signatures {
            signatures.claimed = Some(chunk_signature(extension).ok_or_else(|| broken("A chunk has no signature."))?);
        }
        if size > 0 {
            return Ok(State::Data(size));
        }
        self.check_chunk()?;
        if self.remaining > 0 {
            return Err(S3Code::IncompleteBody.into());
        }
        Ok(State::Trailer)
    }

    fn take_data(&mut self, left: u64, input: &mut Bytes, out: &mut impl FnMut(Bytes)) -> Result<()> {
        let take = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
        let data = input.split_to(take);
        if let Some(signatures) = &mut self.signatures {
            signatures.data.update(&data);
        }
        out(data);
        let left = left - take as u64;
        self.state = State::Data(left);
        if left == 0 {
            self.check_chunk()?;
            self.state = State::DataEnd { lf: false };
        }
        Ok(())
    }

    fn check_chunk(&mut self) -> Result<()> {
        let Some(signatures) = &mut self.signatures else { return Ok(()) };
        let data = std::mem::replace(&mut signatures.data, digest::Context::new(&digest::SHA256));
        let claimed = signatures.claimed.take().ok_or_else(|| broken("A chunk has no signature."))?;
        signatures.signer.check_chunk(&claimed, data.finish().as_ref())
    }

    /// A trailer may end in a bare line feed: minio-go sends it so.
    fn trailer_line(&mut self, line: &[u8]) -> Result<State> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            return Ok(State::End(0));
        }
        let malformed = || S3Error::from(S3Code::MalformedTrailerError);
        let line = std::str::from_utf8(line).map_err(|_| malformed())?;
        let (name, value) = line.split_once(':').ok_or_else(malformed)?;
        let (name, value) = (name.to_ascii_lowercase(), value.trim_matches([' ', '\t']));
        let known = |known: &(String, String)| known.0 == name;
        if !self.with_trailers || self.trailer_signature.is_some() || self.trailers.len() == TRAILERS_MAX {
            return Err(malformed());
        }
        if name == TRAILER_SIGNATURE {
            self.trailer_signature = Some(Mac::parse(value).ok_or_else(malformed)?);
        } else if name.is_empty() || self.trailers.iter().any(known) {
            return Err(malformed());
        } else {
            self.trailers.push((name, value.to_owned()));
        }
        Ok(State::Trailer)
    }
}

/// 1 to 16 hex digits: every such number fits.
fn chunk_size(digits: &[u8]) -> Option<u64> {
    let valid = (1..=16).contains(&digits.len()) && digits.iter().all(u8::is_ascii_hexdigit);
    let digits = std::str::from_utf8(digits).ok().filter(|_| valid)?;
    u64::from_str_radix(digits, 16).ok()
}

fn chunk_signature(extension: &[u8]) -> Option<Mac> {
    let text = std::str::from_utf8(extension).ok()?;
    text.split(';').find_map(|part| part.strip_prefix("chunk-signature=")).and_then(Mac::parse)
}

fn broken(message: &'static str) -> S3Error {
    S3Error::new(S3Code::InvalidRequest, message)
}

#[cfg(test)]
mod tests;
