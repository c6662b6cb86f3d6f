//! The body modes of S3 ("Signature calculations for the Authorization header: transferring payload
//! in multiple chunks" in the S3 API reference).

use crate::harness::hash::{self, Algorithm};
use crate::harness::sigv4::Credentials;

/// How a body is sent and what of it is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyMode {
    /// The SHA-256 of the body in the signature.
    Signed,
    /// `UNSIGNED-PAYLOAD`
    Unsigned,
    /// `STREAMING-AWS4-HMAC-SHA256-PAYLOAD`
    ChunkedSigned { chunk: usize },
    /// `STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER`
    ChunkedSignedTrailer { chunk: usize, algorithm: Algorithm },
    /// `STREAMING-UNSIGNED-PAYLOAD-TRAILER`
    ChunkedUnsignedTrailer { chunk: usize, algorithm: Algorithm },
}

impl BodyMode {
    /// All modes, for matrices.
    pub const ALL: [Self; 5] = [
        Self::Signed,
        Self::Unsigned,
        Self::ChunkedSigned { chunk: 64 * 1024 },
        Self::ChunkedSignedTrailer { chunk: 64 * 1024, algorithm: Algorithm::Crc32 },
        Self::ChunkedUnsignedTrailer { chunk: 64 * 1024, algorithm: Algorithm::Crc32 },
    ];

    /// The value of `x-amz-content-sha256`.
    pub fn payload(self, body: &[u8]) -> String {
        match self {
            Self::Signed => hash::sha256_hex(body),
            Self::Unsigned => "UNSIGNED-PAYLOAD".into(),
            Self::ChunkedSigned { .. } => "STREAMING-AWS4-HMAC-SHA256-PAYLOAD".into(),
            Self::ChunkedSignedTrailer { .. } => "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER".into(),
            Self::ChunkedUnsignedTrailer { .. } => "STREAMING-UNSIGNED-PAYLOAD-TRAILER".into(),
        }
    }

    /// The headers that come with the mode.
    pub(super) fn headers(self, length: usize) -> Vec<(String, String)> {
        let trailer = match self {
            Self::Signed | Self::Unsigned => return Vec::new(),
            Self::ChunkedSigned { .. } => None,
            Self::ChunkedSignedTrailer { algorithm, .. } | Self::ChunkedUnsignedTrailer { algorithm, .. } => {
                Some(algorithm.header())
            }
        };
        let mut headers = vec![
            ("content-encoding".to_owned(), "aws-chunked".to_owned()),
            ("x-amz-decoded-content-length".into(), length.to_string()),
        ];
        headers.extend(trailer.map(|trailer| ("x-amz-trailer".into(), trailer)));
        headers
    }
}

/// The body as it goes over the wire.
pub fn encode(mode: BodyMode, body: &[u8], credentials: &Credentials, date: &str, seed_signature: &str) -> Vec<u8> {
    let mut signer = Chain { credentials, date, previous: seed_signature.to_owned() };
    let mut wire = Vec::with_capacity(body.len() + 1024);
    match mode {
        BodyMode::Signed | BodyMode::Unsigned => wire.extend_from_slice(body),
        BodyMode::ChunkedSigned { chunk } => {
            signed_chunks(&mut wire, body, chunk, &mut signer);
            wire.extend_from_slice(b"\r\n");
        }
        BodyMode::ChunkedSignedTrailer { chunk, algorithm } => {
            signed_chunks(&mut wire, body, chunk, &mut signer);
            let (name, value) = (algorithm.header(), hash::checksum(algorithm, body));
            let signature =
                signer.next("AWS4-HMAC-SHA256-TRAILER", &hash::sha256_hex(format!("{name}:{value}\n").as_bytes()));
            wire.extend_from_slice(format!("{name}:{value}\r\nx-amz-trailer-signature:{signature}\r\n\r\n").as_bytes());
        }
        BodyMode::ChunkedUnsignedTrailer { chunk, algorithm } => {
            for piece in body.chunks(chunk) {
                wire.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
                wire.extend_from_slice(piece);
                wire.extend_from_slice(b"\r\n");
            }
            let trailer = format!("0\r\n{}:{}\r\n\r\n", algorithm.header(), hash::checksum(algorithm, body));
            wire.extend_from_slice(trailer.as_bytes());
        }
    }
    wire
}

/// HTTP chunks, for `Transfer-Encoding: chunked`.
pub(super) fn transfer_chunks(body: &[u8]) -> Vec<u8> {
    let mut wire = Vec::with_capacity(body.len() + 64);
    for piece in body.chunks(16 * 1024) {
        wire.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        wire.extend_from_slice(piece);
        wire.extend_from_slice(b"\r\n");
    }
    wire.extend_from_slice(b"0\r\n\r\n");
    wire
}

/// The chain of chunk signatures.
struct Chain<'a> {
    credentials: &'a Credentials,
    date: &'a str,
    previous: String,
}

impl Chain<'_> {
    fn next(&mut self, kind: &str, hashes: &str) -> String {
        let scope = self.credentials.scope(self.date);
        let text = format!("{kind}\n{}\n{scope}\n{}\n{hashes}", self.date, self.previous);
        self.previous = self.credentials.sign(self.date, &text);
        self.previous.clone()
    }

    fn chunk(&mut self, bytes: &[u8]) -> String {
        let hashes = format!("{}\n{}", hash::sha256_hex(b""), hash::sha256_hex(bytes));
        self.next("AWS4-HMAC-SHA256-PAYLOAD", &hashes)
    }
}

/// All chunks and the last, empty one, without the line end that closes the body.
fn signed_chunks(wire: &mut Vec<u8>, body: &[u8], chunk: usize, signer: &mut Chain) {
    for piece in body.chunks(chunk) {
        wire.extend_from_slice(format!("{:x};chunk-signature={}\r\n", piece.len(), signer.chunk(piece)).as_bytes());
        wire.extend_from_slice(piece);
        wire.extend_from_slice(b"\r\n");
    }
    wire.extend_from_slice(format!("0;chunk-signature={}\r\n", signer.chunk(b"")).as_bytes());
}
