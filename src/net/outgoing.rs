//! A request body on its way out: kept to its announced length, and watched for a slow source.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::Request;
use http_body::{Frame, SizeHint};

use super::Body;
use super::body::BoxError;

pub(super) struct Outgoing {
    body: Body,
    /// Bytes still to come of a stream of known length.
    left: Option<u64>,
    /// Set while a stream has nothing to give. `None` for bodies in memory.
    waiting: Option<Arc<AtomicBool>>,
}

impl Outgoing {
    /// Prepares a request's body; the flag says whether it waits for its source.
    pub fn wrap(request: Request<Body>) -> (Request<Self>, Option<Arc<AtomicBool>>) {
        let (left, waiting) = match request.body() {
            Body::Stream { length, .. } => (*length, Some(Arc::default())),
            Body::Empty | Body::Full(_) => (None, None),
        };
        (request.map(|body| Self { body, left, waiting: waiting.clone() }), waiting)
    }

    /// hyper would cut a body that is too long without a word.
    fn count(&mut self, frame: &Frame<Bytes>) -> Result<(), BoxError> {
        let (Some(left), Some(bytes)) = (self.left, frame.data_ref()) else { return Ok(()) };
        let rest = left.checked_sub(bytes.len() as u64).ok_or("the body is longer than announced")?;
        self.left = Some(rest);
        Ok(())
    }
}

impl http_body::Body for Outgoing {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if let Some(waiting) = &self.waiting {
            waiting.store(polled.is_pending(), Ordering::Relaxed);
        }
        polled.map(|next| {
            next.map(|frame| {
                let frame = frame?;
                self.count(&frame)?;
                Ok(frame)
            })
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
