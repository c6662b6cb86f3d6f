//! Get Blob.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures::Stream;
use http::header::{IF_MATCH, RANGE};
use http::{Method, StatusCode};

use super::operation::Operation;
use super::request::Call;
use super::response::Answer;
use super::retry::Tries;
use super::{BlobClient, BlobCondition, BlobProperties, BlobRef, response};
use crate::net::PooledBody;
use crate::object::{ByteStream, Error, ErrorKind, Result, Span, StoreTag, body};
use crate::telemetry::charge::{Charge, charged};

/// A blob being read.
pub struct Download {
    pub properties: BlobProperties,
    /// The bytes that the body holds; `None` if the blob is empty.
    pub span: Option<Span>,
    pub body: ByteStream,
}

/// What to read: Azure knows no suffix ranges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadRange {
    All,
    From(u64),
    Span(Span),
}

impl BlobClient {
    /// Reads a blob or a part of it. A body that breaks off is resumed from the byte reached, pinned
    /// to the blob's ETag, so that one read never mixes two versions.
    ///
    /// # Errors
    /// `NotFound`, `ContainerMissing`, `PreconditionFailed`, `RangeUnsatisfiable` (any range of an
    /// empty blob too), and the common kinds.
    pub async fn get_blob(&self, blob: BlobRef<'_>, range: ReadRange, condition: &BlobCondition) -> Result<Download> {
        let mut call = Call::new(Operation::GetBlob, Method::GET, self.blob_target(blob, &[]));
        call.condition(condition)?;
        if let Some(range) = range.header() {
            call.text(RANGE, &range)?;
        }
        let response = self.send(&call).await?;
        let (span, length) = answered(&response, range)?;
        let properties = response::properties(response.headers(), response.status(), length)?;
        let body = match span {
            None => {
                response::head(response).await;
                body::once(Bytes::new())
            }
            Some(span) => {
                let pin = properties.store_tag.clone();
                Box::pin(Resuming::new(self.clone(), call.target, pin, span, response.into_body()))
            }
        };
        Ok(Download { properties, span, body })
    }
}

impl ReadRange {
    fn header(self) -> Option<String> {
        match self {
            Self::All => None,
            Self::From(first) => Some(format!("bytes={first}-")),
            Self::Span(span) => Some(span.header()),
        }
    }
}

/// The bytes that an answer holds and the length of the whole blob. An answer to another question
/// than the one asked is an error.
fn answered(response: &Answer, range: ReadRange) -> Result<(Option<Span>, u64)> {
    let asked = match range {
        ReadRange::All => None,
        ReadRange::From(first) => Some((first, u64::MAX)),
        ReadRange::Span(span) => Some((span.start, span.end)),
    };
    let Some((start, end)) = asked else {
        let length = response::content_length(response.headers())?;
        return Ok(((length > 0).then_some(Span { start: 0, end: length }), length));
    };
    let headers = response.headers();
    let partial = response.status() == StatusCode::PARTIAL_CONTENT;
    let whole = if partial { response::content_range_length(headers) } else { response::content_length(headers).ok() };
    // Azurite answers a range behind the end with a success that holds nothing.
    if whole.is_some_and(|length| length <= start) {
        return Err(Error::new(ErrorKind::RangeUnsatisfiable, "get_blob: the range begins behind the end of the blob"));
    }
    match response::content_range(headers).filter(|_| partial) {
        Some((first, last, length)) if first == start && last == end.min(length) => {
            Ok((Some(Span { start: first, end: last }), length))
        }
        _ => Err(Error::new(ErrorKind::Corrupt, "get_blob: the service answered another range than the one asked for")),
    }
}

/// A body that goes on after its connection broke off.
struct Resuming {
    state: State,
    /// The bytes still to come.
    left: Span,
    resumes_left: u32,
    client: BlobClient,
    target: String,
    pin: StoreTag,
    /// Whoever began to read, though the body is read elsewhere.
    charge: Option<Charge>,
}

enum State {
    Reading(PooledBody),
    Resuming(Pin<Box<dyn Future<Output = Result<PooledBody>> + Send>>),
    Ended,
}

impl Resuming {
    fn new(client: BlobClient, target: String, pin: StoreTag, left: Span, body: PooledBody) -> Self {
        let resumes_left = client.inner.retry.resumes_max;
        let charge = Charge::current();
        Self { state: State::Reading(body), left, resumes_left, client, target, pin, charge }
    }

    /// Asks for the rest, or gives up with what broke the body.
    fn resume(&mut self, error: Error) -> Result<()> {
        if self.resumes_left == 0 {
            self.state = State::Ended;
            return Err(error);
        }
        self.resumes_left -= 1;
        tracing::debug!(at = self.left.start, %error, "resuming a download");
        let (client, target, pin, left) = (self.client.clone(), self.target.clone(), self.pin.clone(), self.left);
        let rest = async move { rest(&client, target, &pin, left, error).await };
        self.state = State::Resuming(Box::pin(charged(self.charge.clone(), rest)));
        Ok(())
    }
}

/// Reads on from the first byte of `left`, after a first wait.
async fn rest(client: &BlobClient, target: String, pin: &StoreTag, left: Span, error: Error) -> Result<PooledBody> {
    Tries::new(&client.inner.retry.backoff).wait(error).await?;
    client.count_retry(Operation::GetBlob);
    let mut call = Call::new(Operation::GetBlob, Method::GET, target);
    call.tag(IF_MATCH, pin)?;
    call.text(RANGE, &left.header())?;
    let response = client.send(&call).await.map_err(|error| match error.kind() {
        // The head of the first version has gone out: no other kind would tell what happened.
        ErrorKind::PreconditionFailed | ErrorKind::NotFound => {
            error.with_kind(ErrorKind::Unavailable).context("the blob was replaced while it was being read")
        }
        _ => error,
    })?;
    answered(&response, ReadRange::Span(left))?;
    Ok(response.into_body())
}

impl Stream for Resuming {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            let broken = match &mut self.state {
                State::Ended => return Poll::Ready(None),
                State::Resuming(future) => {
                    match ready!(future.as_mut().poll(context)) {
                        Ok(body) => self.state = State::Reading(body),
                        Err(error) => {
                            self.state = State::Ended;
                            return Poll::Ready(Some(Err(error)));
                        }
                    }
                    continue;
                }
                State::Reading(body) => match ready!(Pin::new(body).poll_next(context)) {
                    Some(Ok(bytes)) => {
                        let length = bytes.len() as u64;
                        if length > self.left.length() {
                            self.state = State::Ended;
                            let message = "get_blob: the service sent more bytes than it announced";
                            return Poll::Ready(Some(Err(Error::new(ErrorKind::Corrupt, message))));
                        }
                        self.left.start += length;
                        return Poll::Ready(Some(Ok(bytes)));
                    }
                    None if self.left.start == self.left.end => {
                        self.state = State::Ended;
                        return Poll::Ready(None);
                    }
                    None => response::broken(Operation::GetBlob, "the body is shorter than announced"),
                    Some(Err(error)) => response::broken(Operation::GetBlob, error),
                },
            };
            // All bytes have come; what happens to the connection afterwards does not matter.
            if self.left.start == self.left.end {
                self.state = State::Ended;
                return Poll::Ready(None);
            }
            if let Err(error) = self.resume(broken) {
                return Poll::Ready(Some(Err(error)));
            }
        }
    }
}
