//! Carrying out faults.

use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use http::header;

use super::answer::Answer;
use super::auth::bearer;
use super::error::{Outcome, ServiceError};
use super::faults::Fault;
use crate::net::Body;
use crate::net::body::{BodyStream, BoxError};

/// Faults that strike before a request is carried out.
pub(super) async fn before(faults: &[Fault]) -> Outcome<()> {
    for fault in faults {
        match *fault {
            Fault::Latency(delay) => tokio::time::sleep(delay).await,
            Fault::Throttle { text, retry_after } => {
                let error = ServiceError::new(503, "ServerBusy", text.message());
                return Err(match retry_after {
                    Some(seconds) => error.header(header::RETRY_AFTER, &seconds.to_string()),
                    None => error,
                });
            }
            Fault::TimeoutBefore => return Err(ServiceError::operation_timed_out()),
            Fault::TokenExpired => return Err(bearer::refuse("Lifetime validation failed. The token is expired.")),
            Fault::ConnectionLost => return Err(lost()),
            _ => {}
        }
    }
    Ok(())
}

/// Faults that strike once a request has been carried out.
pub(super) fn after(faults: &[Fault]) -> Outcome<()> {
    for fault in faults {
        match fault {
            Fault::TimeoutAfter => return Err(ServiceError::operation_timed_out()),
            Fault::ResponseLost => return Err(lost()),
            _ => {}
        }
    }
    Ok(())
}

/// Faults of the answer's body.
pub(super) fn body(mut answer: Answer, faults: &[Fault]) -> Answer {
    for fault in faults {
        let (length, stream) = match fault {
            Fault::ResetBody { .. } | Fault::SlowBody { .. } | Fault::CorruptByte { .. } => stream(answer.body),
            _ => continue,
        };
        let stream: BodyStream = match *fault {
            Fault::ResetBody { after } => Box::pin(reset(stream, after)),
            Fault::SlowBody { piece, pause } => Box::pin(slow(stream, piece.max(1), pause)),
            Fault::CorruptByte { offset } => Box::pin(corrupt(stream, offset)),
            _ => stream,
        };
        answer.body = Body::Stream { length, stream };
    }
    answer
}

/// The body of an answer that never leaves: it fails before its first byte, and the server, which
/// writes the head together with that byte, closes the connection.
pub(super) fn broken_body() -> Body {
    let stream =
        futures::stream::once(std::future::ready(Err::<Bytes, BoxError>("the connection is lost on purpose".into())));
    Body::Stream { length: Some(1), stream: Box::pin(stream) }
}

/// The code by which an error is known to be no answer at all.
pub(super) const LOST: &str = "ConnectionLost";

fn lost() -> ServiceError {
    ServiceError::new(500, LOST, "")
}

fn stream(body: Body) -> (Option<u64>, BodyStream) {
    match body {
        Body::Empty => (Some(0), Box::pin(futures::stream::empty())),
        Body::Full(bytes) => (Some(bytes.len() as u64), Box::pin(futures::stream::once(std::future::ready(Ok(bytes))))),
        Body::Stream { length, stream } => (length, stream),
    }
}

fn reset(stream: BodyStream, after: u64) -> impl futures::Stream<Item = Result<Bytes, BoxError>> {
    futures::stream::unfold((stream, Some(after)), |(mut stream, left)| async move {
        match left? {
            0 => {
                // What was sent before is to arrive: let the server flush it first.
                tokio::time::sleep(Duration::from_millis(1)).await;
                Some((Err("the connection is reset on purpose".into()), (stream, None)))
            }
            left => {
                let piece = stream.next().await?;
                let piece =
                    piece.map(|bytes| bytes.slice(..bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX))));
                let sent = piece.as_ref().map_or(0, |bytes| bytes.len() as u64);
                Some((piece, (stream, Some(left - sent))))
            }
        }
    })
}

fn slow(stream: BodyStream, size: usize, pause: Duration) -> impl futures::Stream<Item = Result<Bytes, BoxError>> {
    futures::stream::unfold((stream, Bytes::new()), move |(mut stream, mut rest)| async move {
        while rest.is_empty() {
            match stream.next().await? {
                Ok(bytes) => rest = bytes,
                Err(error) => return Some((Err(error), (stream, rest))),
            }
        }
        tokio::time::sleep(pause).await;
        let piece = rest.split_to(size.min(rest.len()));
        Some((Ok(piece), (stream, rest)))
    })
}

fn corrupt(stream: BodyStream, offset: u64) -> impl futures::Stream<Item = Result<Bytes, BoxError>> {
    let mut at = 0;
    stream.map(move |piece| {
        let bytes = piece?;
        let within = offset.checked_sub(at).and_then(|within| usize::try_from(within).ok());
        at += bytes.len() as u64;
        let mut changed = bytes.to_vec();
        match within.and_then(|within| changed.get_mut(within)) {
            Some(byte) => *byte ^= 0xFF,
            None => return Ok(bytes),
        }
        Ok(Bytes::from(changed))
    })
}
