//! Tokens, kept fresh in the background.
//!
//! One task per source is the only one that asks the token service, so a refresh is always single
//! and never in the way of a request while a valid token is there.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwapOption;
use azure_core::credentials::TokenCredential;
use http::HeaderValue;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};

use crate::net::Backoff;
use crate::object::{Error, ErrorKind, Result, Timestamp};
use crate::telemetry::Metrics;

/// What a token for Blob Storage is asked for.
pub const STORAGE_SCOPE: &str = "https://storage.azure.com/.default";

/// Where bearer tokens come from. Clones share the token; the last one dropped ends the background
/// task.
#[derive(Clone)]
pub struct TokenSource {
    current: Arc<ArcSwapOption<Token>>,
    outcome: watch::Receiver<Outcome>,
    ask: mpsc::Sender<()>,
}

struct Token {
    /// `Bearer ...`, marked as sensitive.
    header: HeaderValue,
    obtained: Instant,
    expires: Instant,
}

/// How the last request to the token service ended.
#[derive(Clone, Default)]
struct Outcome {
    failure: Option<Failure>,
}

#[derive(Clone)]
struct Failure {
    message: Arc<str>,
    /// The service is left alone until then.
    until: Instant,
}

impl TokenSource {
    /// Begins to keep a token of `credential` fresh, in a task of the current runtime. That should be
    /// one that lives as long as the process.
    pub fn start(credential: Arc<dyn TokenCredential>) -> Self {
        Self::begin(credential, None)
    }

    /// As [`TokenSource::start`], and counts how the token service answers.
    pub fn start_with_metrics(credential: Arc<dyn TokenCredential>, metrics: Arc<Metrics>) -> Self {
        Self::begin(credential, Some(metrics))
    }

    fn begin(credential: Arc<dyn TokenCredential>, metrics: Option<Arc<Metrics>>) -> Self {
        let current = Arc::new(ArcSwapOption::empty());
        let (outcome_sender, outcome) = watch::channel(Outcome::default());
        let (ask, asked) = mpsc::channel(1);
        let keeper = Keeper { credential, current: current.clone(), outcome: outcome_sender, asked, metrics };
        tokio::spawn(keeper.run());
        Self { current, outcome, ask }
    }

    /// How long the current token is still valid; `None` if there is none.
    pub fn expires_in(&self) -> Option<Duration> {
        let current = self.current.load();
        let left = current.as_ref()?.expires.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }

    /// The value of `Authorization`: the current token at once, or the first one when it has come.
    ///
    /// # Errors
    /// `AuthExpired` if the token service gives none.
    pub(in crate::blob) async fn header(&self) -> Result<HeaderValue> {
        if let Some(header) = self.valid() {
            return Ok(header);
        }
        let mut outcome = self.outcome.clone();
        outcome.mark_unchanged();
        if let Some(failure) = outcome.borrow().failure.as_ref().filter(|failure| Instant::now() < failure.until) {
            return Err(Error::new(ErrorKind::AuthExpired, &*failure.message));
        }
        let _ = timeout(FIRST_TOKEN_WAIT, self.next(&mut outcome)).await;
        self.valid().ok_or_else(|| {
            let failure = outcome.borrow().failure.clone();
            failure.map_or_else(
                || none("the token service did not answer in time"),
                |failure| Error::new(ErrorKind::AuthExpired, &*failure.message),
            )
        })
    }

    /// Gets a token in the place of one that the storage service refused. False if there is none, or
    /// the last one is so young that another would be no better.
    pub(super) async fn renew(&self, refused: Option<&HeaderValue>) -> bool {
        let mut outcome = self.outcome.clone();
        outcome.mark_unchanged();
        let is_refused = |token: &Token| refused == Some(&token.header);
        match self.current.load().as_deref() {
            Some(token) if !is_refused(token) => return true,
            Some(token) if token.obtained.elapsed() < RENEW_PAUSE => return false,
            _ => {}
        }
        let _ = timeout(FIRST_TOKEN_WAIT, self.next(&mut outcome)).await;
        self.current.load().as_deref().is_some_and(|token| !is_refused(token))
    }

    fn valid(&self) -> Option<HeaderValue> {
        let current = self.current.load();
        let token = current.as_ref()?;
        (Instant::now() < token.expires).then(|| token.header.clone())
    }

    /// Asks the task for a token and waits until it has tried.
    async fn next(&self, outcome: &mut watch::Receiver<Outcome>) {
        // A full channel means that somebody else has asked.
        let _ = self.ask.try_send(());
        let _ = outcome.changed().await;
    }
}

/// Longest wait of a request for a token when there is none.
const FIRST_TOKEN_WAIT: Duration = Duration::from_secs(20);

/// A token younger than this is not replaced because the storage service refused it.
const RENEW_PAUSE: Duration = Duration::from_secs(10);

/// Longest time that one request to the token service, with the retries of its own, may take.
const FETCH_WAIT: Duration = Duration::from_secs(90);

/// Between two failed requests to the token service.
const FAILURE_BACKOFF: Backoff = Backoff {
    base: Duration::from_secs(1),
    max: Duration::from_secs(30),
    tries_max: u32::MAX,
    total_max: Duration::MAX,
};

/// While there is no valid token, requests fail anyway: try more often.
const FAILURE_WAIT_MAX_WITHOUT_TOKEN: Duration = Duration::from_secs(5);

/// The task that keeps the token fresh.
struct Keeper {
    credential: Arc<dyn TokenCredential>,
    current: Arc<ArcSwapOption<Token>>,
    outcome: watch::Sender<Outcome>,
    asked: mpsc::Receiver<()>,
    metrics: Option<Arc<Metrics>>,
}

impl Keeper {
    async fn run(mut self) {
        let mut failures = 0;
        loop {
            let next = match self.fetch().await {
                Ok(token) => {
                    failures = 0;
                    self.take(token)
                }
                Err(error) => {
                    failures += 1;
                    self.fail(&error, failures)
                }
            };
            tokio::select! {
                () = sleep_until(next) => {}
                asked = self.asked.recv() => if asked.is_none() { return },
            }
        }
    }

    async fn fetch(&self) -> Result<Token> {
        let fetched = timeout(FETCH_WAIT, self.credential.get_token(&[STORAGE_SCOPE], None)).await;
        let token = fetched.map_err(|_| none("the token service did not answer in time"))?;
        let token = token.map_err(|error| none(&error.to_string()))?;
        let seconds = token.expires_on.unix_timestamp().saturating_sub(Timestamp::now().0);
        let life = u64::try_from(seconds).ok().filter(|&seconds| seconds > 0);
        let life = life.ok_or_else(|| none("the token service gave a token that has expired"))?;
        let header = HeaderValue::try_from(format!("Bearer {}", token.token.secret()));
        let mut header = header.map_err(|_| none("the token service gave a token that no header can carry"))?;
        header.set_sensitive(true);
        let obtained = Instant::now();
        Ok(Token { header, obtained, expires: obtained + Duration::from_secs(life) })
    }

    /// Publishes a token and says when to get the next: after half to four fifths of its life.
    fn take(&mut self, token: Token) -> Instant {
        let life = token.expires - token.obtained;
        let next = token.obtained + life.mul_f64(0.5 + 0.3 * fastrand::f64());
        if let Some(metrics) = &self.metrics {
            metrics.token.refreshed(SystemTime::now() + life);
        }
        tracing::info!(life_seconds = life.as_secs(), "token refreshed");
        self.current.store(Some(Arc::new(token)));
        // Who asked while it was being fetched has been served.
        while self.asked.try_recv().is_ok() {}
        self.outcome.send_replace(Outcome::default());
        next
    }

    fn fail(&mut self, error: &Error, failures: u32) -> Instant {
        if let Some(metrics) = &self.metrics {
            metrics.token.refresh_failed();
        }
        let now = Instant::now();
        let left = self.current.load().as_ref().map(|token| token.expires.saturating_duration_since(now));
        let left = left.unwrap_or_default();
        // No wait begun under a valid token may reach beyond its end.
        let wait = FAILURE_BACKOFF.wait(failures).min(left.max(FAILURE_WAIT_MAX_WITHOUT_TOKEN));
        tracing::warn!(%error, failures, token_left_seconds = left.as_secs(), "token could not be refreshed");
        while self.asked.try_recv().is_ok() {}
        let failure = Failure { message: error.message().into(), until: now + wait };
        self.outcome.send_replace(Outcome { failure: Some(failure) });
        now + wait
    }
}

fn none(why: &str) -> Error {
    let why = why.lines().next().unwrap_or_default();
    Error::new(ErrorKind::AuthExpired, format!("no valid token: {why}"))
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenSource(expires in {:?})", self.expires_in())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

    use async_trait::async_trait;
    use azure_core::credentials::{AccessToken, TokenRequestOptions};
    use azure_core::time::OffsetDateTime;
    use tokio::time::{advance, sleep};

    use super::*;

    const LIFE: u64 = 3600;

    #[derive(Debug, Default)]
    struct Numbered {
        asked: AtomicU32,
        down: AtomicBool,
    }

    #[async_trait]
    impl TokenCredential for Numbered {
        async fn get_token(&self, _: &[&str], _: Option<TokenRequestOptions<'_>>) -> azure_core::Result<AccessToken> {
            let number = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
            if self.down.load(Ordering::SeqCst) {
                return Err(azure_core::Error::with_message(azure_core::error::ErrorKind::Credential, "down"));
            }
            let expires = OffsetDateTime::from_unix_timestamp(Timestamp::now().0 + LIFE as i64).unwrap();
            Ok(AccessToken::new(number.to_string(), expires))
        }
    }

    async fn value(source: &TokenSource) -> String {
        source.header().await.unwrap().to_str().unwrap().to_owned()
    }

    #[tokio::test(start_paused = true)]
    async fn refreshed_between_half_and_four_fifths_of_its_life() {
        let credential = Arc::new(Numbered::default());
        let source = TokenSource::start(credential.clone());
        assert_eq!(value(&source).await, "Bearer 1");
        sleep(Duration::from_secs(LIFE / 2 - 10)).await;
        assert_eq!(credential.asked.load(Ordering::SeqCst), 1);
        sleep(Duration::from_secs(LIFE * 3 / 10 + 20)).await;
        assert_eq!(credential.asked.load(Ordering::SeqCst), 2);
        assert_eq!(value(&source).await, "Bearer 2");
        assert!(source.header().await.unwrap().is_sensitive());
    }

    #[tokio::test(start_paused = true)]
    async fn an_old_token_serves_until_it_expires() {
        let credential = Arc::new(Numbered::default());
        let source = TokenSource::start(credential.clone());
        assert_eq!(value(&source).await, "Bearer 1");
        credential.down.store(true, Ordering::SeqCst);
        sleep(Duration::from_secs(LIFE - 5)).await;
        assert!(credential.asked.load(Ordering::SeqCst) > 10);
        assert_eq!(value(&source).await, "Bearer 1");
        sleep(Duration::from_secs(10)).await;
        assert_eq!(source.header().await.unwrap_err().kind(), ErrorKind::AuthExpired);
        assert_eq!(source.expires_in(), None);
        credential.down.store(false, Ordering::SeqCst);
        sleep(Duration::from_secs(6)).await;
        assert_ne!(value(&source).await, "Bearer 1");
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_token_is_replaced_unless_it_is_young() {
        let credential = Arc::new(Numbered::default());
        let source = TokenSource::start(credential.clone());
        let first = source.header().await.unwrap();
        assert!(!source.renew(Some(&first)).await);
        advance(RENEW_PAUSE).await;
        assert!(source.renew(Some(&first)).await);
        assert_eq!(value(&source).await, "Bearer 2");
        // Somebody else's refusal of the old one costs no request.
        assert!(source.renew(Some(&first)).await);
        assert_eq!(credential.asked.load(Ordering::SeqCst), 2);
    }
}
