//! Who we are towards the source: fixed keys, keys in mounted files, or AWS's own chain.
//!
//! Requests never wait for a renewal: it runs in the background, and the old credentials serve
//! until they really expire.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwapOption;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use crate::object::{Error, ErrorKind, Result};

#[cfg(feature = "aws-chain")]
mod chain;
mod mounted;

pub use mounted::MountedSecret;

/// An access key, perhaps temporary.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
    expires: Option<SystemTime>,
}

/// Gives the current credentials. Clones share them, and the renewal, which ends with the last clone.
#[derive(Clone)]
pub struct CredentialProvider(Arc<Shared>);

struct Shared {
    cell: Arc<Cell>,
    renewal: Option<AbortHandle>,
}

#[derive(Default)]
struct Cell {
    current: ArcSwapOption<Credentials>,
    /// Somebody found the credentials refused.
    hurry: Notify,
}

impl Credentials {
    pub fn new(access_key_id: impl Into<String>, secret_access_key: impl Into<String>) -> Self {
        Self {
            access_key_id: access_key_id.into(),
            secret_access_key: secret_access_key.into(),
            session_token: None,
            expires: None,
        }
    }

    #[must_use]
    pub fn with_session_token(mut self, token: impl Into<String>) -> Self {
        self.session_token = Some(token.into());
        self
    }

    #[must_use]
    pub fn with_expiry(mut self, expires: SystemTime) -> Self {
        self.expires = Some(expires);
        self
    }

    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    pub fn secret_access_key(&self) -> &str {
        &self.secret_access_key
    }

    pub fn session_token(&self) -> Option<&str> {
        self.session_token.as_deref()
    }

    pub fn expires(&self) -> Option<SystemTime> {
        self.expires
    }
}

impl CredentialProvider {
    /// The same keys for ever.
    pub fn fixed(credentials: Credentials) -> Self {
        Self::around(Cell::holding(credentials), None)
    }

    /// The credentials to sign with now.
    ///
    /// # Errors
    /// `AuthExpired` if there are none that are still valid.
    pub fn current(&self) -> Result<Arc<Credentials>> {
        let current = self.0.cell.current.load_full();
        current
            .filter(|credentials| credentials.expires.is_none_or(|expires| expires > SystemTime::now()))
            .ok_or_else(|| Error::new(ErrorKind::AuthExpired, "there are no valid credentials for the source"))
    }

    /// Time until the current credentials expire; `None` if they do not.
    pub fn valid_for(&self) -> Option<Duration> {
        let expires = self.0.cell.current.load().as_ref()?.expires?;
        Some(expires.duration_since(SystemTime::now()).unwrap_or_default())
    }

    /// Asks for a renewal now: the source has refused the current credentials.
    pub fn hurry(&self) {
        self.0.cell.hurry.notify_one();
    }

    fn around(cell: Arc<Cell>, renewal: Option<AbortHandle>) -> Self {
        Self(Arc::new(Shared { cell, renewal }))
    }

    /// Gets credentials from `source` now, and again from a task of the current runtime.
    async fn renewed<S: Source>(mut source: S) -> Result<Self> {
        let first = source.fetch().await?;
        let cell = Cell::holding(first);
        let renewal = tokio::spawn(renew(cell.clone(), source)).abort_handle();
        Ok(Self::around(cell, Some(renewal)))
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Some(renewal) = &self.renewal {
            renewal.abort();
        }
    }
}

impl Cell {
    fn holding(credentials: Credentials) -> Arc<Self> {
        Arc::new(Self { current: ArcSwapOption::from_pointee(credentials), hurry: Notify::new() })
    }

    /// Takes new credentials, if they are new: signing keys are cached by identity.
    fn take(&self, credentials: Credentials) {
        if self.current.load().as_deref() != Some(&credentials) {
            tracing::info!("credentials for the source were renewed");
            self.current.store(Some(Arc::new(credentials)));
        }
    }
}

/// Where credentials come from.
trait Source: Send + 'static {
    fn fetch(&mut self) -> Pin<Box<dyn Future<Output = Result<Credentials>> + Send + '_>>;

    /// When to ask again.
    fn next(&self, current: &Credentials) -> Duration;
}

/// Wait after a failed renewal.
const RETRY: Duration = Duration::from_secs(15);

/// Shortest time between two renewals, however many requests ask for one.
const PAUSE: Duration = Duration::from_secs(1);

async fn renew(cell: Arc<Cell>, mut source: impl Source) {
    let mut failing = false;
    let mut wait = cell.current.load().as_ref().map_or(RETRY, |current| source.next(current));
    loop {
        tokio::time::sleep(PAUSE).await;
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = cell.hurry.notified() => {}
        }
        wait = match source.fetch().await {
            Ok(credentials) => {
                failing = false;
                let next = source.next(&credentials);
                cell.take(credentials);
                next
            }
            Err(error) => {
                if !failing {
                    tracing::warn!(%error, "credentials for the source could not be renewed");
                }
                failing = true;
                RETRY
            }
        };
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("expires", &self.expires).finish_non_exhaustive()
    }
}

impl fmt::Debug for CredentialProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CredentialProvider").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_secret_is_shown_and_expired_ones_are_not_used() {
        let credentials = Credentials::new("AKID", "SECRET").with_session_token("TOKEN");
        let provider = CredentialProvider::fixed(credentials.clone());
        let shown = format!("{credentials:?} {provider:?} {:?}", provider.current().unwrap());
        assert!(!["AKID", "SECRET", "TOKEN"].iter().any(|secret| shown.contains(secret)), "{shown}");
        let past = SystemTime::now() - Duration::from_secs(1);
        let provider = CredentialProvider::fixed(credentials.with_expiry(past));
        assert_eq!(provider.current().unwrap_err().kind(), ErrorKind::AuthExpired);
    }

    struct Counting(u32);

    impl Source for Counting {
        fn fetch(&mut self) -> Pin<Box<dyn Future<Output = Result<Credentials>> + Send + '_>> {
            self.0 += 1;
            let outcome = match self.0 {
                2 => Err(Error::new(ErrorKind::Unavailable, "not now")),
                count => Ok(Credentials::new(count.to_string(), "")),
            };
            Box::pin(async { outcome })
        }

        fn next(&self, _: &Credentials) -> Duration {
            Duration::from_secs(100)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn renewal_goes_on_after_a_failure_and_can_be_hurried() {
        let provider = CredentialProvider::renewed(Counting(0)).await.unwrap();
        let id = || provider.current().unwrap().access_key_id().to_owned();
        tokio::time::sleep(Duration::from_secs(105)).await;
        assert_eq!(id(), "1", "the second fetch failed, the first serves on");
        tokio::time::sleep(Duration::from_secs(20)).await;
        assert_eq!(id(), "3");
        provider.hurry();
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(id(), "4");
    }
}
