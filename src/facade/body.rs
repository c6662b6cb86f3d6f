//! The body of a request: verified while it passes.

use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use http::Request;
use http::header::EXPECT;
use http_body::Body as _;
use hyper::body::Incoming;

use super::Facade;
use super::last_move::LastMove;
use super::place::Place;
use crate::net::budget::Grant;
use crate::net::{BodyError, RequestBody};
use crate::object::body::{collect, collect_exact};
use crate::object::{ByteStream, Checksum, Error, ErrorKind, Payload};
use crate::s3::error::{Access, Result, S3Code, S3Error};
use crate::s3::payload::{BodyDeclaration, DeclaredChecksum};
use crate::s3::sigv4::ChunkSigner;
use crate::s3::verify::{BodyVerifier, Outcome, verified_payload};
use crate::telemetry::label::ShedReason;

/// Bodies up to this length are read whole before they are sent on: the write can then be sent
/// again after throttling, and a checksum that comes behind the body is stored with it.
const BUFFERED_BYTES_MAX: u64 = 1 << 20;

/// The body of a request as it comes in, not verified yet.
pub(super) struct ClientBody<'a> {
    body: RequestBody,
    last_move: LastMove,
    /// The place of its request, which is not held while the client keeps us waiting.
    place: Option<&'a mut Place>,
}

impl<'a> ClientBody<'a> {
    /// A body that may be silent for at most `idle_timeout`; every piece of it is a move.
    pub fn new(incoming: Incoming, idle_timeout: Duration, last_move: LastMove, place: Option<&'a mut Place>) -> Self {
        Self { body: RequestBody::new(incoming, idle_timeout), last_move, place }
    }

    /// Reads the whole body as it is; the caller checks what it has to be.
    ///
    /// # Errors
    /// MaxMessageLengthExceeded past `limit` bytes; IncompleteBody or RequestTimeout.
    pub async fn small(self, limit: usize) -> Result<Bytes> {
        let (stream, mut place) = self.into_stream();
        lent(&mut place, collect(stream, limit)).await.map_err(|error| match error.kind() {
            ErrorKind::TooLarge => S3Code::MaxMessageLengthExceeded.into(),
            _ => refusal(error, None),
        })
    }

    fn into_stream(self) -> (ByteStream, Option<&'a mut Place>) {
        let Self { body, last_move, place } = self;
        let stream = body.map(move |piece| {
            last_move.now();
            piece.map_err(broken_off)
        });
        (Box::pin(stream), place)
    }
}

/// Reads what has to come whole, without holding the place while it does not come.
async fn lent<T>(place: &mut Option<&mut Place>, reading: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    match place {
        Some(place) => place.lent(reading).await,
        None => reading.await,
    }
}

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
        body: ClientBody<'_>,
        declared: &BodyDeclaration,
        signer: Option<ChunkSigner>,
    ) -> Result<Verified> {
        // Azure checks the MD5 of what it stores: computing it here as well would cost most of a core.
        let content_md5 = declared.content_md5;
        let unchecked = BodyDeclaration { content_md5: None, ..declared.clone() };
        let verifier = BodyVerifier::new(&unchecked, signer)?;
        let known_checksums = match &declared.checksum {
            Some(DeclaredChecksum::Header(checksum)) => vec![checksum.clone()],
            _ => Vec::new(),
        };
        let (stream, mut place) = body.into_stream();
        let beginning = verified_payload(stream, verifier);
        let (payload, outcome) = lent(&mut place, beginning).await.map_err(|error| refusal(error, None))?;
        let short = payload.length <= BUFFERED_BYTES_MAX;
        let Some(grant) = short.then(|| self.settings.budget.try_acquire(payload.length)).flatten() else {
            if let Some(place) = place {
                place.stream(&self.settings.budget);
            }
            return Ok(Verified { payload, outcome, content_md5, checksums: known_checksums, grant: None });
        };
        let length = payload.length as usize;
        let reading = collect_exact(payload.into_stream(), length);
        let bytes = lent(&mut place, reading).await.map_err(|error| refusal(error, Some(&outcome)))?;
        let checksums = outcome.verified().and_then(|body| body.checksum.clone()).into_iter().collect();
        Ok(Verified { payload: Payload::from(bytes), outcome, content_md5, checksums, grant: Some(grant) })
    }

    /// Reads a whole document.
    ///
    /// # Errors
    /// MalformedXML if it is longer than `limit`; SlowDown if there is no memory for it; what the
    /// verifier finds.
    pub(super) async fn document(
        &self,
        body: ClientBody<'_>,
        declared: &BodyDeclaration,
        signer: Option<ChunkSigner>,
        limit: usize,
    ) -> Result<Bytes> {
        if declared.length > limit as u64 {
            return Err(S3Error::new(S3Code::MalformedXML, "The document is too long."));
        }
        let Some(_grant) = self.settings.budget.try_acquire(declared.length) else {
            self.settings.metrics.facade.shed(ShedReason::Memory);
            return Err(S3Code::SlowDown.into());
        };
        let verifier = BodyVerifier::new(declared, signer)?;
        let (stream, mut place) = body.into_stream();
        let beginning = verified_payload(stream, verifier);
        let (payload, outcome) = lent(&mut place, beginning).await.map_err(|error| refusal(error, None))?;
        let reading = collect(payload.into_stream(), limit);
        lent(&mut place, reading).await.map_err(|error| refusal(error, Some(&outcome)))
    }
}

/// Takes in for a moment what the client of a refused request is sending: if the connection were closed on
/// it, the client might never see why. A client that waits to be told to send is not told so.
pub(super) fn forget(request: Request<Incoming>) {
    let (head, body) = request.into_parts();
    let short = body.size_hint().exact().is_some_and(|length| (1..=BUFFERED_BYTES_MAX).contains(&length));
    if short && !head.headers.contains_key(EXPECT) {
        let mut body = RequestBody::new(body, FORGET_TIME);
        let rest = async move { while let Some(Ok(_)) = body.next().await {} };
        tokio::spawn(tokio::time::timeout(FORGET_TIME, rest));
    }
}

/// Time for the rest of a body that nobody wants.
const FORGET_TIME: Duration = Duration::from_secs(1);

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

/// The body did not come as it was announced.
fn broken_off(error: BodyError) -> Error {
    if error.timed_out {
        return S3Error::from(S3Code::RequestTimeout).into_object();
    }
    Error::new(ErrorKind::BodyIncomplete, "the client broke off").with_source(error)
}
