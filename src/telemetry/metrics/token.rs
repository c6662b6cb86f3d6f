//! The Azure token in use.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use prometheus::{IntCounter, IntGauge, Registry};

use super::Families;
use crate::telemetry::catalogue;

/// How long the token is good for, and how its renewals went.
pub struct TokenMetrics {
    expires_in: IntGauge,
    /// Seconds since 1970; [`NO_TOKEN`] before the first token.
    expires_at: AtomicI64,
    registry: Registry,
    refreshes: IntCounter,
    failures: IntCounter,
}

const NO_TOKEN: i64 = i64::MIN;

impl TokenMetrics {
    pub(super) fn new(families: &Families<'_>) -> Self {
        Self {
            expires_in: unregistered_gauge(),
            expires_at: AtomicI64::new(NO_TOKEN),
            registry: families.registry.clone(),
            refreshes: families.counter(&catalogue::TOKEN_REFRESHES),
            failures: families.counter(&catalogue::TOKEN_REFRESH_FAILURES),
        }
    }

    /// Records a new token.
    pub fn refreshed(&self, expires_at: SystemTime) {
        self.refreshes.inc();
        if self.expires_at.swap(unix_seconds(expires_at), Ordering::Relaxed) == NO_TOKEN
            && let Err(error) = self.registry.register(Box::new(self.expires_in.clone()))
        {
            tracing::error!(%error, "the life of the token is not exported");
        }
    }

    /// Counts an attempt to renew the token that failed.
    pub fn refresh_failed(&self) {
        self.failures.inc();
    }

    /// Brings the remaining life up to date, just before it is shown.
    pub(super) fn refresh(&self) {
        let expires_at = self.expires_at.load(Ordering::Relaxed);
        if expires_at != NO_TOKEN {
            self.expires_in.set(expires_at.saturating_sub(unix_seconds(SystemTime::now())));
        }
    }
}

/// Registered with the first token: a process that uses none must not look as if its token had run out.
#[expect(clippy::panic, reason = "a mistake in the catalogue, which every test that makes metrics shows")]
fn unregistered_gauge() -> IntGauge {
    let metric = &catalogue::TOKEN_EXPIRES_IN;
    IntGauge::with_opts(super::options(metric)).unwrap_or_else(|error| panic!("{}: {error}", metric.name))
}

fn unix_seconds(time: SystemTime) -> i64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::telemetry::Metrics;

    #[test]
    fn shows_the_life_of_the_last_token_only_once_there_is_one() {
        let metrics = Metrics::new();
        assert!(!metrics.render().contains("bluebucket_token_expires_in_seconds"));
        metrics.token.refreshed(SystemTime::now() + Duration::from_secs(10));
        metrics.token.refreshed(SystemTime::now() - Duration::from_secs(100));
        let text = metrics.render();
        assert!(text.contains("\nbluebucket_token_expires_in_seconds -1"), "{text}");
        assert!(text.contains("\nbluebucket_token_refreshes_total 2\n"), "{text}");
    }
}
