//! Sending one request to the source: address, sign, try again.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri, header as http_header};
use tokio::time::Instant;

use super::config::{SourceConfig, Target};
use super::error::{Subject, from_answer, text};
use super::header;
use super::measure::Try;
use super::sign::{PayloadHash, Signer};
use super::stats::SourceStats;
use crate::net::{Body, Client, PooledBody, SendError};
use crate::object::{BucketName, Error, ErrorKind, Result, Retry, Timestamp};
use crate::telemetry::metrics::ClientMetrics;
use crate::telemetry::{Metrics, SourceOperation, Throttle};

/// A client of the source. Cheap to clone; make one per runtime thread.
#[derive(Clone)]
pub struct SourceClient(Arc<Inner>);

struct Inner {
    config: SourceConfig,
    target: Target,
    client: Client,
    signer: Signer,
    /// The source's clock less ours, in seconds, learned from a refusal for skew.
    clock_offset: AtomicI64,
    user_agent: HeaderValue,
    stats: Arc<SourceStats>,
    metrics: Option<Arc<Metrics>>,
}

/// A request without a body. All are reads, so that each may be sent again.
pub(super) struct Call<'a> {
    pub operation: SourceOperation,
    pub method: Method,
    pub bucket: &'a BucketName,
    /// Percent-encoded, with a slash in front; empty for the bucket itself.
    pub path: String,
    /// Percent-encoded, without the question mark.
    pub query: String,
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub subject: Subject,
}

/// Longest error document that is read.
const ERROR_BYTES_MAX: usize = 64 * 1024;

/// Seconds by which the clocks may differ before our own is corrected; S3 allows 900.
const SKEW_MIN: i64 = 60;

impl SourceClient {
    /// # Errors
    /// `Invalid` if the endpoint is no URL or the user agent no header value.
    pub fn new(config: SourceConfig, client: Client, stats: Arc<SourceStats>) -> Result<Self> {
        let target = Target::new(&config)?;
        let user_agent = HeaderValue::from_str(&config.user_agent)
            .map_err(|_| Error::new(ErrorKind::Invalid, "the user agent is no header value"))?;
        let signer = Signer::new(config.region.clone());
        let clock_offset = AtomicI64::new(0);
        let inner = Inner { config, target, client, signer, clock_offset, user_agent, stats, metrics: None };
        Ok(Self(Arc::new(inner)))
    }

    /// The same client, which counts its requests. Clones made before go on without.
    #[must_use]
    pub fn with_metrics(self, metrics: Arc<Metrics>) -> Self {
        let inner = &*self.0;
        Self(Arc::new(Inner {
            config: inner.config.clone(),
            target: inner.target.clone(),
            client: inner.client.clone(),
            signer: Signer::new(inner.signer.region()),
            clock_offset: AtomicI64::new(inner.clock_offset.load(Ordering::Relaxed)),
            user_agent: inner.user_agent.clone(),
            stats: inner.stats.clone(),
            metrics: Some(metrics),
        }))
    }

    pub fn stats(&self) -> &SourceStats {
        &self.0.stats
    }

    /// Sends a request, again where that helps, and returns an answer of success.
    pub(super) async fn send(&self, call: &Call<'_>) -> Result<Response<PooledBody>> {
        let begun = Instant::now();
        let mut tries = 0;
        loop {
            let error = match self.attempt(call).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            tries += 1;
            match self.wait(&error, tries, begun) {
                Some(wait) => {
                    tracing::debug!(error = %error.error, tries, wait = ?wait, "a request to the source is tried again");
                    tokio::time::sleep(wait).await;
                }
                None => return Err(error.error.context(format!("{} {}{}", call.method, call.bucket, call.path))),
            }
            SourceStats::count(&self.0.stats.retries);
            if let Some(metrics) = self.metrics() {
                metrics.retried(call.operation);
            }
        }
    }

    /// How long to wait before the next try; `None` if there is none.
    fn wait(&self, failure: &Failure, tries: u32, begun: Instant) -> Option<Duration> {
        let backoff = &self.0.config.backoff;
        if tries >= backoff.tries_max {
            return None;
        }
        let wait = match failure.error.retry() {
            _ if failure.again_at_once && tries < 3 => return Some(Duration::ZERO),
            Retry::No => return None,
            Retry::Backoff => backoff.wait(tries),
            Retry::After(wait) => wait.max(backoff.wait(tries)),
        };
        (begun.elapsed() + wait <= backoff.total_max).then_some(wait)
    }

    async fn attempt(&self, call: &Call<'_>) -> Result<Response<PooledBody>, Failure> {
        let (endpoint, request) = self.request(call)?;
        SourceStats::count(&self.0.stats.requests);
        let mut attempt = Try::begin(self.metrics(), call.operation);
        let sent = self.0.client.send(&endpoint, request).await;
        attempt.answered();
        let failure = match sent {
            Ok(answer) => {
                let counter = self.metrics().and_then(|metrics| metrics.received_counter(call.operation));
                let answer = answer.map(|body| body.counted(counter));
                if answer.status().is_success() {
                    attempt.succeeded();
                    return Ok(answer);
                }
                self.refused(call, answer).await
            }
            Err(error) => lost(error),
        };
        attempt.failed(failure.error.kind());
        Err(failure)
    }

    fn metrics(&self) -> Option<&ClientMetrics<SourceOperation>> {
        self.0.metrics.as_deref().map(|metrics| &metrics.source)
    }

    fn request(&self, call: &Call<'_>) -> Result<(crate::net::Endpoint, Request<Body>)> {
        let (endpoint, base) = self.0.target.of(call.bucket);
        let mut request = Request::new(Body::Empty);
        *request.method_mut() = call.method.clone();
        *request.uri_mut() = uri(base, &call.path, &call.query)?;
        let headers = request.headers_mut();
        let host = HeaderValue::try_from(endpoint.authority())
            .map_err(|_| Error::new(ErrorKind::Invalid, "the endpoint's host is no header value"))?;
        headers.insert(http_header::HOST, host);
        headers.insert(http_header::USER_AGENT, self.0.user_agent.clone());
        headers.extend(call.headers.iter().cloned());
        let credentials = self.0.config.credentials.current()?;
        let now = Timestamp(Timestamp::now().0 + self.0.clock_offset.load(Ordering::Relaxed));
        let (mut parts, body) = request.into_parts();
        self.0.signer.sign(&mut parts, &credentials, PayloadHash::Empty, now)?;
        Ok((endpoint, Request::from_parts(parts, body)))
    }

    async fn refused(&self, call: &Call<'_>, answer: Response<PooledBody>) -> Failure {
        let (head, body) = answer.into_parts();
        let body = body.collect(ERROR_BYTES_MAX).await.unwrap_or_default();
        let error = from_answer(&head, &body, call.subject, self.0.signer.region());
        if error.kind() == ErrorKind::Throttled {
            SourceStats::count(&self.0.stats.throttled);
            // S3 names no limit.
            if let Some(metrics) = self.metrics() {
                metrics.throttled(Throttle::Unknown);
            }
        }
        match error.vendor_code() {
            Some("RequestTimeTooSkewed") => Failure { again_at_once: self.learn_clock(&head.headers), error },
            Some("ExpiredToken" | "TokenRefreshRequired") => {
                self.0.config.credentials.hurry();
                error.with_retry(Retry::Backoff).into()
            }
            _ => error.into(),
        }
    }

    /// Takes the source's clock for the truth. True if that changes the next request.
    fn learn_clock(&self, headers: &HeaderMap) -> bool {
        let Some(date) = text(headers, "date").and_then(|date| Timestamp::parse_http(&date)) else { return false };
        let offset = date.seconds_since(Timestamp::now());
        let before = self.0.clock_offset.swap(offset, Ordering::Relaxed);
        let changed = (offset - before).abs() > SKEW_MIN;
        if changed {
            tracing::warn!(offset_seconds = offset, "the clock differs from the source's");
        }
        changed
    }
}

/// The path and query exactly as given: `http::Uri` checks the characters and changes nothing.
fn uri(base: String, path: &str, query: &str) -> Result<Uri> {
    let mut text = base;
    text.push_str(path);
    if !text.starts_with('/') {
        text.insert(0, '/');
    }
    if !query.is_empty() {
        text.push('?');
        text.push_str(query);
    }
    let path = PathAndQuery::from_maybe_shared(bytes::Bytes::from(text))
        .map_err(|error| Error::new(ErrorKind::Invalid, format!("the path cannot be sent: {error}")))?;
    Ok(Uri::from(path))
}

/// Why a try failed, and whether the next one need not wait.
struct Failure {
    error: Error,
    again_at_once: bool,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { error, again_at_once: false }
    }
}

fn lost(error: SendError) -> Failure {
    let kind = if error.timed_out { ErrorKind::Timeout } else { ErrorKind::Unavailable };
    // The server may just have closed a connection that had been idle.
    let again_at_once = error.reused && !error.timed_out;
    Failure { error: Error::new(kind, "no answer from the source").with_source(error), again_at_once }
}

/// A header of a call.
pub(super) fn pair(name: &'static str, value: &str) -> Result<(HeaderName, HeaderValue)> {
    let value = HeaderValue::from_str(value)
        .map_err(|_| Error::new(ErrorKind::Invalid, format!("the value of {name} is no header value")))?;
    Ok((HeaderName::from_static(name), value))
}

/// The path of a key: encoded once, slashes kept.
pub(super) fn key_path(key: &str) -> String {
    let mut path = String::with_capacity(key.len() + 16);
    path.push('/');
    crate::object::text::percent_encode_into(&mut path, key.as_bytes(), b"/");
    path
}

/// Appends `name=value` to a query, encoded.
pub(super) fn push_query(query: &mut String, name: &str, value: &str) {
    if !query.is_empty() {
        query.push('&');
    }
    query.push_str(name);
    query.push('=');
    crate::object::text::percent_encode_into(query, value.as_bytes(), b"");
}

/// The id that S3 gave a request, for messages.
pub(super) fn request_id(headers: &HeaderMap) -> Option<String> {
    text(headers, header::REQUEST_ID)
}
