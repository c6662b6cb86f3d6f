//! The body of a write on its way to the service.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures::Stream;

use crate::net::Body;
use crate::net::body::BoxError;
use crate::object::body::{PayloadSource, collect};
use crate::object::{ByteStream, Error, ErrorKind, Payload, Result};
use crate::telemetry::ByteCounter;

/// A payload that may be sent again if it is in memory, or if it is a stream of which nothing has
/// been taken yet.
pub(super) struct Upload {
    source: Source,
    /// Of the bytes of a stream, or of pieces, as they go out.
    counter: Option<ByteCounter>,
}

enum Source {
    Bytes(Bytes),
    Pieces { length: u64, pieces: Vec<Bytes> },
    Stream { length: u64, shared: Arc<Mutex<Shared>> },
}

/// What a stream that is being sent leaves behind when it ends.
#[derive(Default)]
struct Shared {
    /// The stream, while nobody sends it and nothing has been taken from it.
    untouched: Option<ByteStream>,
    /// Why the stream failed.
    failure: Option<Error>,
}

impl Upload {
    /// # Errors
    /// Of a stream announced as empty: its own error, or `BodyIncomplete` if it is not. HTTP would not
    /// look at such a stream, so it is read here.
    pub async fn new(payload: Payload, counter: Option<ByteCounter>) -> Result<Self> {
        let length = payload.length;
        let source = match payload.source {
            PayloadSource::Bytes(bytes) if bytes.len() as u64 != length => return Err(excess(length)),
            PayloadSource::Bytes(bytes) => Source::Bytes(bytes),
            PayloadSource::Pieces(pieces) if pieces.iter().map(|piece| piece.len() as u64).sum::<u64>() != length => {
                return Err(excess(length));
            }
            PayloadSource::Pieces(pieces) => Source::Pieces { length, pieces },
            PayloadSource::Stream(stream) if length == 0 => {
                collect(stream, 0).await.map_err(|error| match error.kind() {
                    ErrorKind::TooLarge => excess(0),
                    _ => error,
                })?;
                Source::Bytes(Bytes::new())
            }
            PayloadSource::Stream(stream) => {
                let shared = Shared { untouched: Some(stream), failure: None };
                Source::Stream { length, shared: Arc::new(Mutex::new(shared)) }
            }
        };
        Ok(Self { source, counter })
    }

    /// The body for the next try; `None` if the stream has been used.
    pub fn body(&mut self) -> Option<Body> {
        match &self.source {
            Source::Bytes(bytes) => Some(Body::from(bytes.clone())),
            Source::Pieces { length, pieces } => {
                let counter = self.counter.clone();
                let pieces = pieces.clone().into_iter().inspect(move |piece| count(counter.as_ref(), piece));
                let stream = futures::stream::iter(pieces.map(Ok));
                Some(Body::Stream { length: Some(*length), stream: Box::pin(stream) })
            }
            Source::Stream { length, shared } => {
                let stream = lock(shared).untouched.take()?;
                let body = Measured {
                    stream: Some(stream),
                    length: *length,
                    remaining: *length,
                    last: None,
                    polled: false,
                    shared: shared.clone(),
                    counter: self.counter.clone(),
                };
                Some(Body::Stream { length: Some(*length), stream: Box::pin(body) })
            }
        }
    }

    pub fn can_be_sent_again(&self) -> bool {
        match &self.source {
            Source::Bytes(_) | Source::Pieces { .. } => true,
            Source::Stream { shared, .. } => lock(shared).untouched.is_some(),
        }
    }

    /// The error that the stream itself gave, if that is why the request failed.
    pub fn failure(&mut self) -> Option<Error> {
        match &self.source {
            Source::Bytes(_) | Source::Pieces { .. } => None,
            Source::Stream { shared, .. } => lock(shared).failure.take(),
        }
    }
}

fn lock(shared: &Mutex<Shared>) -> std::sync::MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A stream that has to have exactly the announced length. Anything else is an error, which makes
/// the connection be cut, so that the service sees an incomplete body and writes nothing. The last
/// piece is held back until the stream has ended well.
struct Measured {
    stream: Option<ByteStream>,
    length: u64,
    remaining: u64,
    last: Option<Bytes>,
    polled: bool,
    shared: Arc<Mutex<Shared>>,
    counter: Option<ByteCounter>,
}

impl Measured {
    fn give(&self, bytes: Bytes) -> Poll<Option<std::result::Result<Bytes, BoxError>>> {
        count(self.counter.as_ref(), &bytes);
        Poll::Ready(Some(Ok(bytes)))
    }

    fn fail(&mut self, error: Error) -> Poll<Option<std::result::Result<Bytes, BoxError>>> {
        self.stream = None;
        lock(&self.shared).failure = Some(error);
        Poll::Ready(Some(Err("the body to be sent failed".into())))
    }
}

impl Stream for Measured {
    type Item = std::result::Result<Bytes, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.polled = true;
        loop {
            let Some(stream) = &mut self.stream else { return Poll::Ready(None) };
            match ready!(stream.as_mut().poll_next(context)) {
                Some(Ok(bytes)) if bytes.is_empty() => {}
                Some(Ok(bytes)) if bytes.len() as u64 > self.remaining => {
                    let error = excess(self.length);
                    return self.fail(error);
                }
                Some(Ok(bytes)) => {
                    self.remaining -= bytes.len() as u64;
                    if self.remaining > 0 {
                        return self.give(bytes);
                    }
                    self.last = Some(bytes);
                }
                Some(Err(error)) => return self.fail(error),
                None if self.remaining == 0 => {
                    self.stream = None;
                    return match self.last.take() {
                        Some(last) => self.give(last),
                        None => Poll::Ready(None),
                    };
                }
                None => {
                    let message = format!("the body ended {} bytes short of {}", self.remaining, self.length);
                    return self.fail(Error::new(ErrorKind::BodyIncomplete, message));
                }
            }
        }
    }
}

fn count(counter: Option<&ByteCounter>, bytes: &Bytes) {
    if let Some(counter) = counter {
        counter.add(bytes.len());
    }
}

fn excess(length: u64) -> Error {
    Error::new(ErrorKind::BodyIncomplete, format!("the body does not have the announced {length} bytes"))
}

impl Drop for Measured {
    fn drop(&mut self) {
        if !self.polled {
            lock(&self.shared).untouched = self.stream.take();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::StreamExt;

    async fn stream(frames: Vec<Result<&'static str, ErrorKind>>, length: u64) -> Upload {
        let frames = frames.into_iter().map(|frame| match frame {
            Ok(text) => Ok(Bytes::from_static(text.as_bytes())),
            Err(kind) => Err(Error::new(kind, "given")),
        });
        let frames: Vec<_> = frames.collect();
        Upload::new(Payload::stream(length, Box::pin(futures::stream::iter(frames))), None).await.unwrap()
    }

    async fn drain(upload: &mut Upload) -> bool {
        let Some(Body::Stream { stream, .. }) = upload.body() else { panic!("no stream") };
        stream.collect::<Vec<_>>().await.iter().all(Result::is_ok)
    }

    #[tokio::test]
    async fn lengths_and_errors() {
        let cases = [
            (vec![Ok("ab"), Ok("c")], 3, None),
            (vec![Ok("ab")], 3, Some(ErrorKind::BodyIncomplete)),
            (vec![Ok("ab"), Ok("cd")], 3, Some(ErrorKind::BodyIncomplete)),
            (vec![Ok("abc"), Ok("d")], 3, Some(ErrorKind::BodyIncomplete)),
            (vec![Ok("abc"), Err(ErrorKind::ChecksumMismatch)], 3, Some(ErrorKind::ChecksumMismatch)),
            (vec![Ok("ab"), Err(ErrorKind::ChecksumMismatch)], 3, Some(ErrorKind::ChecksumMismatch)),
        ];
        for (frames, length, expected) in cases {
            let mut upload = stream(frames, length).await;
            assert_eq!(drain(&mut upload).await, expected.is_none());
            assert_eq!(upload.failure().map(|error| error.kind()), expected);
            assert!(!upload.can_be_sent_again());
        }
    }

    #[tokio::test]
    async fn pieces_are_sent_as_often_as_asked() {
        let pieces = || ["ab", "c"].map(|piece| Bytes::from_static(piece.as_bytes())).to_vec();
        let mut upload = Upload::new(pieces().into(), None).await.unwrap();
        for _ in 0..2 {
            let Some(Body::Stream { length: Some(3), stream }) = upload.body() else { panic!("not three bytes") };
            let sent: Vec<_> = stream.map(Result::unwrap).collect().await;
            assert_eq!(sent, pieces());
            assert!(upload.can_be_sent_again() && upload.failure().is_none());
        }
        let short = Payload { length: 4, source: PayloadSource::Pieces(pieces()) };
        assert_eq!(Upload::new(short, None).await.err().map(|error| error.kind()), Some(ErrorKind::BodyIncomplete));
    }

    #[tokio::test]
    async fn an_untouched_stream_can_be_sent_again() {
        let mut upload = stream(vec![Ok("abc")], 3).await;
        drop(upload.body());
        assert!(upload.can_be_sent_again());
        assert!(drain(&mut upload).await);
        assert!(upload.body().is_none());
    }
}
