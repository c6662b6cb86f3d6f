//! Bodies: always streamed, with their length known before the first byte.

use std::pin::Pin;

use bytes::Bytes;
use futures::{Stream, StreamExt};

use super::{Error, ErrorKind, Result};

/// Bytes as they come off a connection. A stream that ends early yields an error before it ends.
pub type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>;

/// A body to be written: exactly `length` bytes, or the write fails and nothing becomes visible.
pub struct Payload {
    /// Length in bytes.
    pub length: u64,
    pub source: PayloadSource,
}

/// Where a payload's bytes come from, which decides whether a failed write can be sent again.
pub enum PayloadSource {
    /// In memory: can be sent again.
    Bytes(Bytes),
    /// Comes from a client or another service as it is read: can be sent once.
    Stream(ByteStream),
}

impl Payload {
    /// An empty body.
    pub fn empty() -> Self {
        Self::from(Bytes::new())
    }

    /// A body of `length` bytes that can be read once.
    pub fn stream(length: u64, stream: ByteStream) -> Self {
        Self { length, source: PayloadSource::Stream(stream) }
    }

    /// The bytes, if they are in memory and so can be sent again.
    pub fn replayable(&self) -> Option<&Bytes> {
        match &self.source {
            PayloadSource::Bytes(bytes) => Some(bytes),
            PayloadSource::Stream(_) => None,
        }
    }

    /// Turns the payload into a stream, whatever its source.
    pub fn into_stream(self) -> ByteStream {
        match self.source {
            PayloadSource::Bytes(bytes) => once(bytes),
            PayloadSource::Stream(stream) => stream,
        }
    }
}

impl From<Bytes> for Payload {
    fn from(bytes: Bytes) -> Self {
        Self { length: bytes.len() as u64, source: PayloadSource::Bytes(bytes) }
    }
}

impl std::fmt::Debug for Payload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Payload").field("length", &self.length).finish_non_exhaustive()
    }
}

/// A stream of one frame, or of none if `bytes` is empty.
pub fn once(bytes: Bytes) -> ByteStream {
    let frame = (!bytes.is_empty()).then_some(Ok(bytes));
    Box::pin(futures::stream::iter(frame))
}

/// Reads a whole stream into memory.
///
/// # Errors
/// [`ErrorKind::TooLarge`] once more than `limit` bytes have come; the stream's own error otherwise.
pub async fn collect(mut stream: ByteStream, limit: usize) -> Result<Bytes> {
    let mut first: Option<Bytes> = None;
    let mut rest: Vec<u8> = Vec::new();
    while let Some(frame) = stream.next().await {
        let frame = frame?;
        let held = first.as_ref().map_or(0, Bytes::len).max(rest.len());
        if held + frame.len() > limit {
            return Err(Error::new(ErrorKind::TooLarge, format!("body is larger than {limit} bytes")));
        }
        match first.take() {
            None if rest.is_empty() => first = Some(frame),
            None => rest.extend_from_slice(&frame),
            Some(head) => {
                rest.reserve(head.len() + frame.len());
                rest.extend_from_slice(&head);
                rest.extend_from_slice(&frame);
            }
        }
    }
    Ok(first.unwrap_or_else(|| Bytes::from(rest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn collect_joins_frames_and_keeps_the_limit() {
        let frames = ["ab", "", "cde", "f"].map(|s| Ok(Bytes::from_static(s.as_bytes())));
        let joined = collect(Box::pin(futures::stream::iter(frames)), 6).await.unwrap();
        assert_eq!(joined, "abcdef");
        let frames = ["ab", "cde", "f"].map(|s| Ok(Bytes::from_static(s.as_bytes())));
        let refused = collect(Box::pin(futures::stream::iter(frames)), 5).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::TooLarge);
    }
}
