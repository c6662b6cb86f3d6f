//! Reading request bodies.

use std::pin::Pin;

use bytes::{Bytes, BytesMut};
use http_body::Body as HttpBody;
use http_body_util::BodyExt;

use super::checksum::Summer;
use super::error::{Outcome, ServiceError};
use crate::net::body::BoxError;

/// A request's body, whatever carries it.
pub(super) type Incoming = Pin<Box<dyn HttpBody<Data = Bytes, Error = BoxError> + Send>>;

/// Bodies up to this long are copied into one piece: a piece of a connection's buffer would keep
/// the whole buffer alive.
const COMPACT_BYTES: u64 = 64 << 10;

/// Reads exactly `length` bytes, feeding `summer`; keeps them if asked to.
///
/// # Errors
/// 400 if the body ends early or breaks; nobody reads that answer as a rule.
pub(super) async fn receive(mut body: Incoming, length: u64, keep: bool, summer: &mut Summer) -> Outcome<Vec<Bytes>> {
    let compact = length <= COMPACT_BYTES;
    let mut whole = BytesMut::with_capacity(if compact && keep { length as usize } else { 0 });
    let mut pieces = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(piece) = frame.map_err(|_| incomplete())?.into_data() else { continue };
        if piece.is_empty() {
            continue;
        }
        summer.update(&piece);
        if summer.length() > length {
            return Err(incomplete());
        }
        match (keep, compact) {
            (true, true) => whole.extend_from_slice(&piece),
            (true, false) => pieces.push(piece),
            (false, _) => {}
        }
    }
    if summer.length() != length {
        return Err(incomplete());
    }
    if !whole.is_empty() {
        pieces.push(whole.freeze());
    }
    Ok(pieces)
}

/// Reads a small body whole.
///
/// # Errors
/// 413 above `limit`.
pub(super) async fn collect(mut body: Incoming, limit: u64) -> Outcome<Bytes> {
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(piece) = frame.map_err(|_| incomplete())?.into_data() else { continue };
        if (whole.len() + piece.len()) as u64 > limit {
            return Err(ServiceError::body_too_large(limit));
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole.freeze())
}

/// Reads on for a while so that a client that is still sending gets to read the answer.
pub(super) async fn drain(mut body: Incoming) {
    const DRAIN_MAX: u64 = 8 << 20;
    let mut drained = 0;
    while drained < DRAIN_MAX {
        match body.frame().await {
            Some(Ok(frame)) => drained += frame.data_ref().map_or(0, |piece| piece.len() as u64),
            _ => return,
        }
    }
}

fn incomplete() -> ServiceError {
    ServiceError::new(400, "IncompleteBody", "The request body is not as long as Content-Length says.")
}
