//! The verifier as an adapter over a body, for layers that know only [`ByteStream`].

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::{Stream, StreamExt};

use crate::object::{ByteStream, Payload, Result};
use crate::s3::error::S3Error;

use super::{BodyVerifier, VerifiedBody};

/// What became of a body, readable once its stream has ended.
///
/// An error that a body causes crosses layers that know only [`crate::object::Error`] and may wrap
/// it; the precise answer is kept here.
#[derive(Clone, Debug, Default)]
pub struct Outcome(Arc<OnceLock<Result<VerifiedBody, S3Error>>>);

impl Outcome {
    /// The verified body; `None` if it has not ended, or was not agreed to.
    pub fn verified(&self) -> Option<&VerifiedBody> {
        self.0.get().and_then(|outcome| outcome.as_ref().ok())
    }

    /// The answer for the client, if the body was refused.
    pub fn refusal(&self) -> Option<&S3Error> {
        self.0.get().and_then(|outcome| outcome.as_ref().err())
    }

    fn settle(&self, outcome: Result<VerifiedBody, S3Error>) {
        // The stream ends once, so the first outcome is the only one.
        let _ = self.0.set(outcome);
    }
}

/// Verifies `body` as it is read. The stream's last bytes come only if everything agrees; otherwise
/// it ends in an error. A consumer of an object of no bytes has to read the stream to its end, or
/// use [`verified_payload`].
pub fn verified_stream(body: ByteStream, verifier: BodyVerifier) -> (ByteStream, Outcome) {
    let outcome = Outcome::default();
    let stream = Verified { body, verifier: Some(verifier), ready: VecDeque::new(), outcome: outcome.clone() };
    (Box::pin(stream), outcome)
}

/// Verifies `body` as it is read, as a payload of the declared length. An object of no bytes is
/// verified before this returns: nothing of it would be read afterwards.
///
/// # Errors
/// If an object of no bytes has a bad body.
pub async fn verified_payload(body: ByteStream, verifier: BodyVerifier) -> Result<(Payload, Outcome)> {
    let length = verifier.length();
    let (mut stream, outcome) = verified_stream(body, verifier);
    if length > 0 {
        return Ok((Payload::stream(length, stream), outcome));
    }
    while let Some(frame) = stream.next().await {
        frame?;
    }
    Ok((Payload::empty(), outcome))
}

struct Verified {
    body: ByteStream,
    /// `None` once the body has ended.
    verifier: Option<BodyVerifier>,
    ready: VecDeque<Bytes>,
    outcome: Outcome,
}

impl Verified {
    fn take_in(&mut self, frame: Bytes) -> Result<(), S3Error> {
        let ready = &mut self.ready;
        match &mut self.verifier {
            Some(verifier) => verifier.push(frame, &mut |data| ready.push_back(data)),
            None => Ok(()),
        }
    }

    fn end(&mut self) -> Result<(), S3Error> {
        let Some(verifier) = self.verifier.take() else { return Ok(()) };
        let (last, verified) = verifier.finish()?;
        self.outcome.settle(Ok(verified));
        self.ready.extend(last);
        Ok(())
    }

    fn refuse(&mut self, refusal: S3Error) -> crate::object::Error {
        self.verifier = None;
        self.ready.clear();
        self.outcome.settle(Err(refusal.clone()));
        refusal.into_object()
    }
}

impl Stream for Verified {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(frame) = self.ready.pop_front() {
                return Poll::Ready(Some(Ok(frame)));
            }
            if self.verifier.is_none() {
                return Poll::Ready(None);
            }
            let taken = match std::task::ready!(self.body.as_mut().poll_next(cx)) {
                Some(Ok(frame)) => self.take_in(frame),
                Some(Err(error)) => {
                    self.verifier = None;
                    return Poll::Ready(Some(Err(error)));
                }
                None => self.end(),
            };
            if let Err(refusal) = taken {
                return Poll::Ready(Some(Err(self.refuse(refusal))));
            }
        }
    }
}
