//! The S3 API: accepts requests, finds out who asks, carries out one operation each, answers.
//!
//! The life of a request stands in [`handle`] as named steps. Errors become answers in [`respond`]
//! and nowhere else; which side serves a bucket is the business of [`crate::migration::router`].

#![cfg_attr(not(test), warn(clippy::indexing_slicing, clippy::string_slice))]

pub mod access;
mod auth;
mod body;
mod handle;
mod last_move;
mod ops;
mod place;
mod pursuit;
mod respond;
mod sts;
mod tally;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::migration::router::Router;
use crate::net::ByteBudget;
use crate::object::Timestamp;
use crate::s3::addressing::Addressing;
use crate::telemetry::Metrics;
use crate::telemetry::metrics::{ComponentMetrics, FacadeMetrics};

pub use access::{BucketScope, Rule, Rules, Verbs};
pub use auth::{AccessKey, AccessKeys};
pub use place::STREAM_BYTES;
pub use sts::SealingKeys;

/// What all threads of a process share.
pub struct FacadeSettings {
    /// The region that clients sign for; also the answer to GetBucketLocation.
    pub region: String,
    pub addressing: Addressing,
    /// CreateBucket and DeleteBucket make and drop containers.
    pub development: bool,
    /// Longest time between two pieces of a request's body.
    pub body_timeout: Duration,
    /// Longest time until the answer to a request begins, counted from the last piece of its body.
    pub request_timeout: Duration,
    /// Places: requests being worked on at one time. More are turned away. One that waits for its client
    /// holds memory of the budget in place of a place.
    pub in_flight: Arc<Semaphore>,
    /// Memory for bodies that are buffered, and half of it at the most for those that stream.
    pub budget: ByteBudget,
    pub keys: Arc<AccessKeys>,
    pub metrics: Arc<Metrics>,
}

/// The facade of one runtime thread. Cheap to clone.
#[derive(Clone)]
pub struct Facade {
    settings: Arc<FacadeSettings>,
    router: Router,
    sessions: auth::Sessions,
    signing_keys: auth::SigningKeys,
    clock: Clock,
    pursuit: pursuit::Pursuit,
    /// Counts the requests of nobody known.
    unknown: Arc<ComponentMetrics>,
}

/// What signatures and sessions are judged by.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

impl Facade {
    /// A facade with the clients of this thread.
    pub fn new(settings: Arc<FacadeSettings>, router: Router) -> Self {
        let unknown = settings.metrics.facade.component(FacadeMetrics::UNKNOWN_COMPONENT);
        let (sessions, signing_keys, pursuit) = Default::default();
        Self { settings, router, sessions, signing_keys, clock: Arc::new(Timestamp::now), pursuit, unknown }
    }

    /// Judges signatures and sessions by another clock than the system's.
    #[must_use]
    pub fn with_clock(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// Returns once no work is under way that goes on though its client may have gone away.
    pub async fn settled(&self) {
        self.pursuit.ended().await;
    }

    /// How much such work is under way.
    pub fn pursued(&self) -> usize {
        self.pursuit.count()
    }
}

#[cfg(test)]
mod tests {
    use http::Request;
    use hyper::body::Incoming;

    use super::*;

    fn future_bytes<'a, F: Future>(_: impl Fn(&'a Facade, Request<Incoming>) -> F) -> usize {
        size_of::<F>()
    }

    /// The future of a request is moved several times: if it grows, every request pays for copying it.
    #[test]
    fn the_future_of_a_request_stays_small() {
        let bytes = future_bytes(Facade::handle);
        assert!(bytes <= 8 * 1024, "{bytes} bytes: box what only rare operations need");
    }
}
