//! Sending a request, and sending it again where that is safe.
//!
//! A read is sent again after any passing failure. A write is sent again only when it cannot have
//! taken effect: nothing reached the service, or the service refused to execute it. After an unknown
//! outcome the error goes to the caller, who has to look first.

use http::header::AUTHORIZATION;
use http::{HeaderValue, Request, Uri};
use tokio::time::{Instant, sleep};

use super::BlobClient;
use super::error::refusal;
use super::measure::outcome;
use super::request::{Call, date, names};
use super::response::Answer;
use super::upload::Upload;
use crate::net::{Backoff, Body, SendError};
use crate::object::{Error, ErrorKind, Payload, Result, Retry};
use crate::telemetry::Outcome;

/// When to stop trying.
#[derive(Clone, Copy, Debug)]
pub struct RetryPolicy {
    pub backoff: Backoff,
    /// How often the body of one read is resumed after it broke off.
    pub resumes_max: u32,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { backoff: Backoff::default(), resumes_max: 5 }
    }
}

impl BlobClient {
    /// Sends a request that has no body.
    pub(super) async fn send(&self, call: &Call) -> Result<Answer> {
        self.send_with(call, Payload::empty()).await
    }

    /// Sends a request and returns the head of a successful answer.
    ///
    /// # Errors
    /// What the service refused with, the payload's own error if it failed, and the failures of
    /// connections, once no further try is safe or allowed.
    pub(super) async fn send_with(&self, call: &Call, payload: Payload) -> Result<Answer> {
        let mut upload = Upload::new(payload, self.sent_counter(call.operation)).await?;
        let mut tries = Tries::new(&self.inner.retry.backoff);
        loop {
            let Some(body) = upload.body() else {
                return Err(Error::new(ErrorKind::Unexpected, "a stream was to be sent twice"));
            };
            let failure = match self.send_once(call, body).await {
                Ok(response) => return Ok(response),
                Err(failure) => failure,
            };
            if let Some(error) = upload.failure() {
                return Err(error.context(call.operation.name()));
            }
            let safe = (call.operation.reads() || failure.harmless) && upload.can_be_sent_again();
            if !safe {
                return Err(failure.error);
            }
            if failure.error.kind() == ErrorKind::AuthExpired {
                tries.renew_credential(failure, self).await?;
            } else {
                tries.wait(failure.error).await?;
            }
            self.count_retry(call.operation);
        }
    }

    async fn send_once(&self, call: &Call, body: Body) -> Result<Answer, Failure> {
        let request = self.assemble(call, body).await.map_err(Failure::harmless)?;
        let authorization = request.headers().get(AUTHORIZATION).cloned();
        let mut attempt = self.begin_try(call.operation, request.body());
        let sent = self.inner.http.send(&self.inner.account.endpoint, request).await;
        attempt.answered();
        let response = match sent {
            Ok(response) => response.map(|body| body.counted(self.received_counter(call.operation))),
            Err(error) => {
                let body_failed = error.body_failed;
                let failure = unanswered(call, error);
                if failure.harmless {
                    attempt.unsent();
                }
                attempt.ended(if body_failed { Outcome::Cancelled } else { outcome(failure.error.kind()) });
                return Err(failure);
            }
        };
        if response.status().is_success() {
            attempt.ended(Outcome::Ok);
            return Ok(response);
        }
        let error = refusal(call.operation, response).await;
        attempt.ended(outcome(error.kind()));
        self.count_throttle(&error);
        // A throttled request was not executed, nor was one whose credential was not accepted.
        let harmless = match error.kind() {
            ErrorKind::Throttled => matches!(error.status(), Some(503 | 429)),
            ErrorKind::AuthExpired => error.status() == Some(401),
            _ => false,
        };
        Err(Failure { error, harmless, authorization })
    }

    /// Sends a request once and returns the answer, whatever it is.
    pub(super) async fn exchange(&self, call: &Call, body: Body) -> Result<Answer> {
        let request = self.assemble(call, body).await?;
        let sent = self.inner.http.send(&self.inner.account.endpoint, request).await;
        sent.map_err(|error| unanswered(call, error).error)
    }

    /// Adds to a call what every request carries, and signs it.
    async fn assemble(&self, call: &Call, body: Body) -> Result<Request<Body>> {
        let account = &self.inner.account;
        let target = self.inner.credential.complete(&call.target);
        let uri = Uri::try_from(&*target).map_err(|_| Error::new(ErrorKind::Invalid, "the blob's URL is too long"))?;
        let mut headers = call.headers.clone();
        headers.insert(names::VERSION, account.api_version.clone());
        headers.insert(names::DATE, date());
        self.inner.credential.authorize(&call.method, &call.target, &mut headers).await?;
        let mut request = Request::new(body);
        *request.method_mut() = call.method.clone();
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        Ok(request)
    }
}

/// A failed try, and whether it certainly had no effect.
struct Failure {
    error: Error,
    harmless: bool,
    /// What the try was sent with.
    authorization: Option<HeaderValue>,
}

impl Failure {
    fn harmless(error: Error) -> Self {
        Self { error, harmless: true, authorization: None }
    }
}

fn unanswered(call: &Call, error: SendError) -> Failure {
    let operation = call.operation.name();
    let (kind, message) = match (error.not_sent, error.timed_out) {
        (true, _) => (ErrorKind::Unavailable, "could not be sent"),
        (false, true) => (ErrorKind::Timeout, "no answer came in time"),
        (false, false) => (ErrorKind::Unavailable, "the connection failed before an answer came"),
    };
    let harmless = error.not_sent;
    let error = Error::new(kind, format!("{operation}: {message}")).with_source(error.source);
    Failure { error, harmless, authorization: None }
}

/// The tries of one request.
pub(super) struct Tries<'a> {
    backoff: &'a Backoff,
    began: Instant,
    made: u32,
    credential_renewed: bool,
}

impl<'a> Tries<'a> {
    pub fn new(backoff: &'a Backoff) -> Self {
        Self { backoff, began: Instant::now(), made: 1, credential_renewed: false }
    }

    /// Waits before the next try.
    ///
    /// # Errors
    /// `error` itself if it does not pass with time, or tries or time are used up.
    pub async fn wait(&mut self, error: Error) -> Result<()> {
        let wait = match error.retry() {
            Retry::No => return Err(error),
            Retry::Backoff => self.backoff.wait(self.made),
            Retry::After(wait) => wait,
        };
        if self.made >= self.backoff.tries_max || self.began.elapsed() + wait > self.backoff.total_max {
            return Err(error);
        }
        self.made += 1;
        tracing::debug!(tries = self.made, wait_ms = wait.as_millis() as u64, %error, "sending again");
        sleep(wait).await;
        Ok(())
    }

    /// Asks once for a newer token than the one that was refused.
    async fn renew_credential(&mut self, failure: Failure, client: &BlobClient) -> Result<()> {
        if self.credential_renewed || failure.error.status() != Some(401) {
            return Err(failure.error);
        }
        self.credential_renewed = true;
        let renewed = client.inner.credential.renew(failure.authorization.as_ref()).await;
        if renewed { Ok(()) } else { Err(failure.error) }
    }
}
