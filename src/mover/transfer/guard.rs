//! Lets a body through, but not its end before it is known to be right.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures::StreamExt;

use crate::object::{Algorithm, ByteStream, Checksum, Error, ErrorKind, Hasher};

/// What came of a guarded body. Shared with the stream.
#[derive(Clone, Default)]
pub struct Verdict(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    error: Option<Error>,
    crc64: Option<u64>,
}

/// Bytes that are held back until all agree.
const HELD_MAX: usize = 64 * 1024;

impl Verdict {
    /// Why the body failed. The write that it was meant for got an error in its stead.
    pub fn take_error(&self) -> Option<Error> {
        self.state().error.take()
    }

    /// CRC-64/NVME of the bytes; `None` unless all have passed.
    pub fn crc64(&self) -> Option<u64> {
        self.state().crc64
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Passes on `length` bytes; the last of them only once the length is right and they have the
/// checksum. `seen` is told the length of each frame as it comes.
pub fn guard(
    body: ByteStream,
    length: u64,
    checksum: Option<Checksum>,
    seen: impl Fn(u64) + Send + 'static,
) -> (ByteStream, Verdict) {
    let verdict = Verdict::default();
    let guarded = Guard {
        body,
        left: length,
        crc64: Hasher::new(Algorithm::Crc64Nvme),
        hasher: checksum
            .as_ref()
            .filter(|sum| sum.algorithm != Algorithm::Crc64Nvme)
            .map(|sum| Hasher::new(sum.algorithm)),
        checksum,
        ready: VecDeque::with_capacity(2),
        held: Bytes::new(),
        verdict: verdict.clone(),
        seen: Box::new(seen),
        ended: false,
    };
    let stream = futures::stream::unfold(guarded, |mut guarded| async move {
        let item = guarded.next().await?;
        Some((item, guarded))
    });
    (Box::pin(stream), verdict)
}

struct Guard {
    body: ByteStream,
    left: u64,
    crc64: Hasher,
    hasher: Option<Hasher>,
    checksum: Option<Checksum>,
    ready: VecDeque<Bytes>,
    held: Bytes,
    verdict: Verdict,
    seen: Box<dyn Fn(u64) + Send>,
    ended: bool,
}

impl Guard {
    async fn next(&mut self) -> Option<Result<Bytes, Error>> {
        loop {
            if let Some(bytes) = self.ready.pop_front() {
                return Some(Ok(bytes));
            }
            if self.ended {
                return None;
            }
            match self.body.next().await {
                Some(Ok(frame)) if frame.is_empty() => {}
                Some(Ok(frame)) if frame.len() as u64 > self.left => {
                    return self.fail(Error::new(ErrorKind::BodyIncomplete, "the body is longer than announced"));
                }
                Some(Ok(frame)) => self.take(frame),
                Some(Err(error)) => return self.fail(error),
                None => match self.judge() {
                    Ok(()) => {
                        self.ended = true;
                        let held = std::mem::take(&mut self.held);
                        if !held.is_empty() {
                            self.ready.push_back(held);
                        }
                    }
                    Err(error) => return self.fail(error),
                },
            }
        }
    }

    fn take(&mut self, mut frame: Bytes) {
        (self.seen)(frame.len() as u64);
        self.left -= frame.len() as u64;
        self.crc64.update(&frame);
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&frame);
        }
        if !self.held.is_empty() {
            self.ready.push_back(std::mem::take(&mut self.held));
        }
        self.held = frame.split_off(frame.len().saturating_sub(HELD_MAX));
        if !frame.is_empty() {
            self.ready.push_back(frame);
        }
    }

    fn judge(&mut self) -> Result<(), Error> {
        if self.left > 0 {
            return Err(Error::new(ErrorKind::BodyIncomplete, "the body ended early"));
        }
        let crc64 = std::mem::replace(&mut self.crc64, Hasher::new(Algorithm::Crc64Nvme)).finish();
        let number = crc64.crc();
        let computed = self.hasher.take().map_or(crc64, Hasher::finish);
        if self.checksum.as_ref().is_some_and(|expected| *expected != computed) {
            return Err(Error::new(
                ErrorKind::ChecksumMismatch,
                format!("the source sent bytes with {computed:?}, and keeps {:?}", self.checksum),
            ));
        }
        self.verdict.state().crc64 = number;
        Ok(())
    }

    /// Keeps the real error for the caller and breaks the write off.
    fn fail(&mut self, error: Error) -> Option<Result<Bytes, Error>> {
        self.ended = true;
        self.ready.clear();
        let shown = Error::new(ErrorKind::BodyIncomplete, error.message());
        self.verdict.state().error = Some(error);
        Some(Err(shown))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::body::collect;

    fn body(frames: &[&'static [u8]]) -> ByteStream {
        let frames: Vec<_> = frames.iter().map(|frame| Ok(Bytes::from_static(frame))).collect();
        Box::pin(futures::stream::iter(frames))
    }

    fn sum(bytes: &[u8], algorithm: Algorithm) -> Checksum {
        let mut hasher = Hasher::new(algorithm);
        hasher.update(bytes);
        hasher.finish()
    }

    #[tokio::test]
    async fn right_bodies_pass_unchanged() {
        static LONG: [u8; 200_000] = [7; 200_000];
        for algorithm in [Algorithm::Crc64Nvme, Algorithm::Sha256] {
            let expected = [&LONG[..], b"end"].concat();
            let (stream, verdict) =
                guard(body(&[&LONG, b"", b"end"]), expected.len() as u64, Some(sum(&expected, algorithm)), |_| {});
            assert_eq!(collect(stream, 1 << 20).await.unwrap(), expected);
            assert_eq!(verdict.crc64(), sum(&expected, Algorithm::Crc64Nvme).crc());
            assert!(verdict.take_error().is_none());
        }
        let (stream, verdict) = guard(body(&[]), 0, None, |_| {});
        assert_eq!(collect(stream, 1).await.unwrap(), "");
        assert_eq!(verdict.crc64(), Some(0));
    }

    #[tokio::test]
    async fn a_wrong_body_never_ends() {
        static LONG: [u8; 100_000] = [7; 100_000];
        let wrong = sum(b"other", Algorithm::Crc32);
        for (frames, length, checksum, kind) in [
            (vec![&LONG[..]], 100_000, Some(wrong), ErrorKind::ChecksumMismatch),
            (vec![&LONG[..]], 100_001, None, ErrorKind::BodyIncomplete),
            (vec![&LONG[..]], 99_999, None, ErrorKind::BodyIncomplete),
        ] {
            let (mut stream, verdict) = guard(body(&frames), length, checksum, |_| {});
            let mut passed = 0;
            let error = loop {
                match stream.next().await.expect("an error comes before the end") {
                    Ok(bytes) => passed += bytes.len(),
                    Err(error) => break error,
                }
            };
            assert!(passed <= 100_000 - HELD_MAX, "{passed}");
            assert_eq!(error.kind(), ErrorKind::BodyIncomplete);
            assert_eq!(verdict.take_error().unwrap().kind(), kind);
            assert!(verdict.crc64().is_none());
        }
    }
}
