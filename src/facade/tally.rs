//! What a request comes to, counted once it is over: with the last byte of its answer, or when its
//! client goes away before.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::Bytes;
use futures::Stream;
use http::Response;
use http_body::Body as _;

use super::auth::Caller;
use super::place::Place;
use crate::net::Body;
use crate::net::body::{BodyStream, BoxError};
use crate::telemetry::label::{S3Operation, StatusClass};
use crate::telemetry::metrics::{ComponentMetrics, FacadeMetrics, InFlight};

/// What is known of a request so far. Dropping it counts the request.
pub(super) struct Tally {
    pub begun: Instant,
    pub operation: S3Operation,
    /// Bytes of the request's body, without framing.
    pub received: u64,
    /// Whose request it is, once that is known.
    pub caller: Option<Caller>,
    /// Its place among the requests being worked on.
    pub place: Option<Place>,
    unknown: Arc<ComponentMetrics>,
    sent: u64,
    /// `Aborted` until the answer is complete.
    status: StatusClass,
    _in_flight: InFlight,
}

impl Tally {
    /// Begins a request; `unknown` is where it is counted as long as nobody knows whose it is.
    pub fn begin(metrics: &FacadeMetrics, unknown: Arc<ComponentMetrics>) -> Self {
        Self {
            begun: Instant::now(),
            operation: S3Operation::Unknown,
            received: 0,
            caller: None,
            place: None,
            unknown,
            sent: 0,
            status: StatusClass::Aborted,
            _in_flight: metrics.begin(),
        }
    }

    /// The component's name, for logs.
    pub fn component(&self) -> &str {
        self.caller.as_ref().map_or(FacadeMetrics::UNKNOWN_COMPONENT, |caller| &caller.key.component)
    }

    /// The name of the session, for logs.
    pub fn session(&self) -> Option<&str> {
        Some(&self.caller.as_ref()?.session.as_ref()?.role.session_name)
    }

    /// Counts the request by its answer: a streamed one when its body ends, any other at once.
    pub fn follow(mut self, response: Response<Body>) -> Response<Body> {
        let status = StatusClass::of(response.status().as_u16());
        let (head, body) = response.into_parts();
        let body = match body {
            Body::Stream { length, stream } => {
                let stream = Followed { stream, length, status, tally: self };
                Body::Stream { length, stream: Box::pin(stream) }
            }
            body => {
                self.sent = body.size_hint().exact().unwrap_or(0);
                self.status = status;
                body
            }
        };
        Response::from_parts(head, body)
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        let metrics = self.caller.as_ref().map_or(&self.unknown, |caller| &caller.key.metrics);
        let status = if std::thread::panicking() { StatusClass::ServerError } else { self.status };
        metrics.observe(self.operation, status, self.begun.elapsed(), self.received, self.sent);
    }
}

/// The body of an answer on its way to the client.
struct Followed {
    stream: BodyStream,
    length: Option<u64>,
    /// The class of the answer's status.
    status: StatusClass,
    tally: Tally,
}

impl Stream for Followed {
    type Item = Result<Bytes, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = ready!(self.stream.as_mut().poll_next(context));
        let this = &mut *self;
        match &polled {
            Some(Ok(bytes)) => {
                this.tally.sent += bytes.len() as u64;
                // The server does not ask for more than it announced.
                if this.length == Some(this.tally.sent) {
                    this.tally.status = this.status;
                }
            }
            // The head said otherwise, but the connection is cut, and not by the client.
            Some(Err(_)) => this.tally.status = StatusClass::ServerError,
            None if this.length.is_none() => this.tally.status = this.status,
            None => {}
        }
        Poll::Ready(polled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::Metrics;
    use futures::StreamExt;

    /// An answer of two pieces, of which `pieces` are read.
    async fn answer(metrics: &Metrics, length: Option<u64>, second: Result<&'static str, &'static str>, pieces: usize) {
        let unknown = metrics.facade.component(FacadeMetrics::UNKNOWN_COMPONENT);
        let mut tally = Tally::begin(&metrics.facade, unknown);
        tally.operation = S3Operation::GetObject;
        let frames = [Ok("abc"), second].map(|frame| match frame {
            Ok(text) => Ok(Bytes::from_static(text.as_bytes())),
            Err(reason) => Err(BoxError::from(reason)),
        });
        let body = Body::Stream { length, stream: Box::pin(futures::stream::iter(frames)) };
        let Body::Stream { mut stream, .. } = tally.follow(Response::new(body)).into_body() else {
            panic!("no stream");
        };
        assert_eq!(metrics.facade.in_flight(), 1);
        for _ in 0..pieces {
            let _ = stream.next().await;
        }
        drop(stream);
        assert_eq!(metrics.facade.in_flight(), 0);
    }

    #[tokio::test]
    async fn a_streamed_answer_is_counted_when_it_ends() {
        for (length, second, pieces, status, sent) in [
            (Some(5), Ok("de"), 2, "2xx", 5),
            (None, Ok("de"), 3, "2xx", 5),
            (None, Ok("de"), 2, "aborted", 5),
            (Some(5), Ok("de"), 1, "aborted", 3),
            (Some(5), Ok("de"), 0, "aborted", 0),
            (Some(5), Err("broken"), 2, "5xx", 3),
        ] {
            let metrics = Metrics::new();
            answer(&metrics, length, second, pieces).await;
            let text = metrics.render();
            let line = format!(
                "bluebucket_facade_requests_total{{component=\"unknown\",operation=\"get_object\",status=\"{status}\"}} 1"
            );
            assert!(text.lines().any(|shown| shown == line), "{length:?} {pieces}: no {line}");
            assert_eq!(text.matches("bluebucket_facade_requests_total{").count(), 1);
            let line = format!("bluebucket_facade_sent_bytes_total{{operation=\"get_object\"}} {sent}");
            assert!(text.lines().any(|shown| shown == line), "{length:?} {pieces}: no {line}");
        }
    }

    #[test]
    fn any_other_answer_is_counted_at_once_and_a_lost_one_as_aborted() {
        let metrics = Metrics::new();
        let begin = || Tally::begin(&metrics.facade, metrics.facade.component(FacadeMetrics::UNKNOWN_COMPONENT));
        let response = begin().follow(Response::new(Body::from(Bytes::from_static(b"abcd"))));
        assert_eq!(metrics.facade.in_flight(), 0);
        drop(response);
        drop(begin());
        let text = metrics.render();
        for line in [
            r#"bluebucket_facade_requests_total{component="unknown",operation="unknown",status="2xx"} 1"#,
            r#"bluebucket_facade_requests_total{component="unknown",operation="unknown",status="aborted"} 1"#,
            r#"bluebucket_facade_sent_bytes_total{operation="unknown"} 4"#,
        ] {
            assert!(text.lines().any(|shown| shown == line), "{line} is not in\n{text}");
        }
    }
}
