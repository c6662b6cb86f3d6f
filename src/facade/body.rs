//! The body of a request: verified while it passes.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures::Stream;
use http_body::Body as _;
use hyper::body::Incoming;

use super::Facade;
use super::deadline::Moving;
use crate::net::budget::Grant;
use crate::object::body::collect;
use crate::object::{ByteStream, Checksum, Error, ErrorKind, Payload, Result};
use crate::s3::error::{self, Access, S3Code, S3Error};
use crate::s3::payload::{BodyDeclaration, DeclaredChecksum};
use crate::s3::sigv4::ChunkSigner;
use crate::s3::verify::{BodyVerifier, Outcome, verified_payload};

/// Bodies up to this length are read whole before they are sent on: the write can then be sent
/// again after throttling, and a checksum that comes behind the body is stored with it.
const BUFFERED_BYTES_MAX: u64 = 1 << 20;

/// A body on its way to Blob.
pub(super) struct Verified {
    pub payload: Payload,
    pub outcome: Outcome,
    /// MD5 that Azure is to check.
    pub content_md5: Option<[u8; 16]>,
    /// Checksums known before the body is sent.
    pub checksums: Vec<Checksum>,
    /// Its share of the byte budget, if it was buffered.
    pub grant: Option<Grant>,
}

impl Facade {
    /// Makes a body ready to be written: buffered if it is small, else verified while it streams, its
    /// last bytes held back until everything agrees.
    ///
    /// # Errors
    /// What the verifier finds in a small body; AccessDenied for unsigned chunks.
    pub(super) async fn verified(
        &self,
        incoming: Incoming,
        declared: &BodyDeclaration,
        signer: Option<ChunkSigner>,
    ) -> error::Result<Verified> {
        // Azure checks the MD5 of what it stores: computing it here as well would cost most of a core.
        let content_md5 = declared.content_md5;
        let unchecked = BodyDeclaration { content_md5: None, ..declared.clone() };
        let verifier = BodyVerifier::new(&unchecked, signer)?;
        let known_checksums = match &declared.checksum {
            Some(DeclaredChecksum::Header(checksum)) => vec![checksum.clone()],
            _ => Vec::new(),
        };
        let (payload, outcome) =
            verified_payload(self.stream(incoming), verifier).await.map_err(|error| refusal(error, None))?;
        if payload.length > BUFFERED_BYTES_MAX {
            return Ok(Verified { payload, outcome, content_md5, checksums: known_checksums, grant: None });
        }
        let Some(grant) = self.settings.budget.try_acquire(payload.length) else {
            return Ok(Verified { payload, outcome, content_md5, checksums: known_checksums, grant: None });
        };
        let limit = payload.length as usize;
        let bytes = collect(payload.into_stream(), limit).await.map_err(|error| refusal(error, Some(&outcome)))?;
        let checksums = outcome.verified().and_then(|body| body.checksum.clone()).into_iter().collect();
        Ok(Verified { payload: Payload::from(bytes), outcome, content_md5, checksums, grant: Some(grant) })
    }

    /// Reads a whole document.
    ///
    /// # Errors
    /// MalformedXML if it is longer than `limit`; what the verifier finds.
    pub(super) async fn document(
        &self,
        incoming: Incoming,
        declared: &BodyDeclaration,
        signer: Option<ChunkSigner>,
        limit: usize,
    ) -> error::Result<Bytes> {
        if declared.length > limit as u64 {
            return Err(S3Error::new(S3Code::MalformedXML, "The document is too long."));
        }
        let verifier = BodyVerifier::new(declared, signer)?;
        let (payload, outcome) =
            verified_payload(self.stream(incoming), verifier).await.map_err(|error| refusal(error, None))?;
        collect(payload.into_stream(), limit).await.map_err(|error| refusal(error, Some(&outcome)))
    }

    fn stream(&self, incoming: Incoming) -> ByteStream {
        Box::pin(Moving::new(Frames(incoming), self.settings.body_timeout))
    }
}

/// The precise answer of the verifier if it refused the body, else what the error means.
pub(super) fn refusal(error: Error, outcome: Option<&Outcome>) -> S3Error {
    if let Some(refusal) = outcome.and_then(Outcome::refusal) {
        return refusal.clone();
    }
    if let Some(refusal) = std::error::Error::source(&error).and_then(|source| source.downcast_ref::<S3Error>()) {
        return refusal.clone();
    }
    S3Error::from_object(error, Access::Write)
}

/// The data frames of a request.
struct Frames(Incoming);

impl Stream for Frames {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            return Poll::Ready(match ready!(Pin::new(&mut self.0).poll_frame(context)) {
                None => None,
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => Some(Ok(data)),
                    // Trailers of the HTTP framing: S3's own come inside the body.
                    Err(_) => continue,
                },
                Some(Err(error)) => {
                    Some(Err(Error::new(ErrorKind::BodyIncomplete, "the client broke off").with_source(error)))
                }
            });
        }
    }
}
