//! Bodies: always streamed, with their length known before the first byte.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, ready};

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
    /// In memory, in the pieces in which they came: can be sent again, and need no joining.
    Pieces(Vec<Bytes>),
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

    /// The bytes, if they lie in memory in one piece.
    pub fn replayable(&self) -> Option<&Bytes> {
        match &self.source {
            PayloadSource::Bytes(bytes) => Some(bytes),
            PayloadSource::Pieces(_) | PayloadSource::Stream(_) => None,
        }
    }

    /// Turns the payload into a stream, whatever its source.
    pub fn into_stream(self) -> ByteStream {
        match self.source {
            PayloadSource::Bytes(bytes) => once(bytes),
            PayloadSource::Pieces(pieces) => Box::pin(futures::stream::iter(pieces.into_iter().map(Ok))),
            PayloadSource::Stream(stream) => stream,
        }
    }
}

impl From<Bytes> for Payload {
    fn from(bytes: Bytes) -> Self {
        Self { length: bytes.len() as u64, source: PayloadSource::Bytes(bytes) }
    }
}

impl From<Vec<Bytes>> for Payload {
    fn from(pieces: Vec<Bytes>) -> Self {
        let length = pieces.iter().map(|piece| piece.len() as u64).sum();
        Self { length, source: PayloadSource::Pieces(pieces) }
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

/// Cuts one stream into consecutive streams of given lengths, so that a body can be sent as several
/// requests without being held. `tap` sees every byte once, in order.
pub struct Splitter {
    state: Arc<Mutex<Split>>,
}

/// What sees every byte that passes.
type Tap = Box<dyn FnMut(&[u8]) + Send>;

struct Split {
    source: ByteStream,
    leftover: Bytes,
    tap: Tap,
}

impl Splitter {
    pub fn new(source: ByteStream, tap: impl FnMut(&[u8]) + Send + 'static) -> Self {
        Self { state: Arc::new(Mutex::new(Split { source, leftover: Bytes::new(), tap: Box::new(tap) })) }
    }

    /// The next `length` bytes. It has to be read to its end before the next one is taken.
    pub fn take(&self, length: u64) -> ByteStream {
        let state = self.state.clone();
        let mut left = length;
        Box::pin(futures::stream::poll_fn(move |context| {
            if left == 0 {
                return Poll::Ready(None);
            }
            let mut split = state.lock().unwrap_or_else(PoisonError::into_inner);
            let mut frame = std::mem::take(&mut split.leftover);
            if frame.is_empty() {
                frame = match ready!(split.source.poll_next_unpin(context)) {
                    Some(Ok(frame)) => frame,
                    Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                    None => {
                        return Poll::Ready(Some(Err(Error::new(ErrorKind::BodyIncomplete, "the body ended early"))));
                    }
                };
            }
            split.leftover = frame.split_off(frame.len().min(usize::try_from(left).unwrap_or(usize::MAX)));
            (split.tap)(&frame);
            left -= frame.len() as u64;
            Poll::Ready(Some(Ok(frame)))
        }))
    }

    /// Reads on to the end, so that what is judged there is judged.
    ///
    /// # Errors
    /// `BodyIncomplete` if more bytes come; the stream's own error.
    pub async fn finish(self) -> Result<()> {
        futures::future::poll_fn(move |context| {
            let mut split = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            loop {
                if !split.leftover.is_empty() {
                    return Poll::Ready(Err(Error::new(
                        ErrorKind::BodyIncomplete,
                        "the body is longer than announced",
                    )));
                }
                match ready!(split.source.poll_next_unpin(context)) {
                    Some(Ok(frame)) => split.leftover = frame,
                    Some(Err(error)) => return Poll::Ready(Err(error)),
                    None => return Poll::Ready(Ok(())),
                }
            }
        })
        .await
    }
}

/// Reads a stream of exactly `length` bytes into memory, and takes no more memory than that.
///
/// # Errors
/// `BodyIncomplete` if it has another length; the stream's own error otherwise.
pub async fn collect_exact(mut stream: ByteStream, length: usize) -> Result<Bytes> {
    let wrong = || not_exact(length as u64);
    let mut whole = Vec::new();
    while let Some(frame) = stream.next().await {
        let frame = frame?;
        if whole.len() + frame.len() > length {
            return Err(wrong());
        }
        if frame.len() == length {
            // One frame that is all of it is passed on as it came; what follows can only be empty.
            return match collect(stream, 0).await {
                Ok(_) => Ok(frame),
                Err(error) if error.kind() == ErrorKind::TooLarge => Err(wrong()),
                Err(error) => Err(error),
            };
        }
        whole.reserve_exact(length - whole.len());
        whole.extend_from_slice(&frame);
    }
    if whole.len() == length { Ok(Bytes::from(whole)) } else { Err(wrong()) }
}

/// Reads a stream of exactly `length` bytes into memory, in the pieces in which they come. `tap` sees each as
/// it comes, while the processor still has it at hand.
///
/// # Errors
/// As [`collect_exact`].
pub async fn gather_exact(mut stream: ByteStream, length: u64, mut tap: impl FnMut(&[u8])) -> Result<Vec<Bytes>> {
    let mut pieces = Vec::new();
    let mut left = length;
    while let Some(piece) = stream.next().await {
        let piece = piece?;
        left = left.checked_sub(piece.len() as u64).ok_or_else(|| not_exact(length))?;
        if !piece.is_empty() {
            tap(&piece);
            pieces.push(piece);
        }
    }
    if left == 0 { Ok(pieces) } else { Err(not_exact(length)) }
}

fn not_exact(length: u64) -> Error {
    Error::new(ErrorKind::BodyIncomplete, format!("the body does not have the {length} bytes announced"))
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
    async fn a_split_body_loses_nothing() {
        let frames = ["abc", "defgh", "", "ij"].map(|s| Ok(Bytes::from_static(s.as_bytes())));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let tapped = seen.clone();
        let splitter = Splitter::new(Box::pin(futures::stream::iter(frames)), move |bytes| {
            tapped.lock().unwrap().extend_from_slice(bytes);
        });
        assert_eq!(collect(splitter.take(4), 100).await.unwrap(), "abcd");
        assert_eq!(collect(splitter.take(6), 100).await.unwrap(), "efghij");
        assert_eq!(collect(splitter.take(1), 100).await.unwrap_err().kind(), ErrorKind::BodyIncomplete);
        splitter.finish().await.unwrap();
        assert_eq!(*seen.lock().unwrap(), b"abcdefghij");
    }

    #[tokio::test]
    async fn exact_bodies_have_their_length() {
        let stream = |frames: &[&'static str]| -> ByteStream {
            let frames: Vec<_> = frames.iter().map(|frame| Ok(Bytes::from_static(frame.as_bytes()))).collect();
            Box::pin(futures::stream::iter(frames))
        };
        for frames in [&["abc", "def"][..], &["abcdef"], &["", "abcdef", ""], &["a", "", "bcdef"]] {
            assert_eq!(collect_exact(stream(frames), 6).await.unwrap(), "abcdef", "{frames:?}");
            let mut seen = Vec::new();
            let pieces = gather_exact(stream(frames), 6, |piece| seen.extend_from_slice(piece)).await.unwrap();
            assert_eq!((pieces.concat().as_slice(), seen.as_slice()), (&b"abcdef"[..], &b"abcdef"[..]), "{frames:?}");
        }
        assert_eq!(collect_exact(stream(&[]), 0).await.unwrap(), "");
        assert!(gather_exact(stream(&[]), 0, |_| ()).await.unwrap().is_empty());
        for frames in [&["abc"][..], &["abcdef", "g"], &["abcd", "efg"], &[], &["abcdefg"]] {
            let refused = collect_exact(stream(frames), 6).await.unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::BodyIncomplete, "{frames:?}");
            let refused = gather_exact(stream(frames), 6, |_| ()).await.unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::BodyIncomplete, "{frames:?}");
        }
    }

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
