//! How answers are broken: by chance from a seed, or by a rule.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::request::Request;
use super::{Content, S3Source, State};
use crate::harness::random::{self, Random};

/// One way to break an answer. Fractions say where in the body it happens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// 503 SlowDown; nothing is done.
    SlowDown {
        retry_after: Option<u32>,
    },
    /// 500 InternalError; nothing is done.
    InternalError,
    /// Any other status, with an S3 error code.
    Error {
        status: u16,
        code: &'static str,
    },
    /// The request takes effect and the connection closes without an answer.
    ResponseLost,
    /// Nothing is ever answered; the connection stays open.
    Silence,
    /// The right Content-Length, then a clean close too early.
    Truncated {
        at: f64,
    },
    /// A Content-Length that fits the truncated body.
    TruncatedWithItsLength {
        at: f64,
    },
    /// No Content-Length, and a clean close too early.
    TruncatedWithoutLength {
        at: f64,
    },
    /// A connection reset in the body.
    Reset {
        at: f64,
    },
    /// One wrong byte.
    WrongByte {
        at: f64,
    },
    /// The whole object instead of the range, with 200.
    RangeIgnored,
    /// The object changes just after this answer was made: same size, other bytes.
    ChangedAfter,
    /// The object is deleted just after this answer was made.
    DeletedAfter,
    /// Pauses between pieces of the body.
    SlowBody {
        piece: usize,
        pause: Duration,
    },
    /// A pause before the answer.
    Delay(Duration),
    /// A listing that skips this page's entries but goes on behind them.
    PageDropped,
    /// A listing that repeats its last entries on the page.
    PageDuplicated,
    PageUnsorted,
    /// The next token is the one that came with the request.
    TokenRepeated,
    /// 400 InvalidArgument for a continuation token.
    TokenExpired,
}

/// Probabilities, each on its own; the first that comes up is used.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    pub chances: Vec<(f64, Fault)>,
    /// A request that is repeated is spared after this many faults, so that retries end.
    pub at_most_per_request: Option<u64>,
}

/// A fault for the requests a predicate picks.
#[derive(Clone)]
pub struct Rule {
    matches: Arc<dyn Fn(&Request) -> bool + Send + Sync>,
    fault: Fault,
    skip: u64,
    times: u64,
}

impl Faults {
    pub fn chance(mut self, probability: f64, fault: Fault) -> Self {
        self.chances.push((probability, fault));
        self
    }
}

impl Rule {
    /// Breaks the first request that matches.
    pub fn once(fault: Fault, matches: impl Fn(&Request) -> bool + Send + Sync + 'static) -> Self {
        Self { matches: Arc::new(matches), fault, skip: 0, times: 1 }
    }

    /// Breaks that many matching requests.
    pub fn times(self, times: u64) -> Self {
        Self { times, ..self }
    }

    /// Lets that many matching requests pass first.
    pub fn after(self, skip: u64) -> Self {
        Self { skip, ..self }
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rule({:?}, {} times after {})", self.fault, self.times, self.skip)
    }
}

impl State {
    /// The fault for a request, if any. Chances depend on the request and how often it came, not
    /// on the order of requests.
    pub(super) fn draw_fault(&mut self, request: &Request) -> Option<Fault> {
        if let Some(fault) = self.draw_rule(request) {
            return Some(fault);
        }
        if self.faults.chances.is_empty() {
            return None;
        }
        let identity = random::draw(self.seed, &request.identity());
        let attempt = self.attempts.entry(identity).or_default();
        *attempt += 1;
        if self.faults.at_most_per_request.is_some_and(|most| *attempt > most) {
            return None;
        }
        let mut random = Random::new(identity ^ random::mix(*attempt));
        self.faults
            .chances
            .iter()
            .filter(|(_, fault)| fault.fits(request))
            .find(|(probability, _)| random.chance(*probability))
            .map(|(_, fault)| *fault)
    }

    fn draw_rule(&mut self, request: &Request) -> Option<Fault> {
        let rule = self.rules.iter_mut().find(|rule| rule.times > 0 && (rule.matches)(request))?;
        if rule.skip > 0 {
            rule.skip -= 1;
            return None;
        }
        rule.times -= 1;
        Some(rule.fault)
    }
}

impl Fault {
    /// Whether the fault says anything about such a request.
    fn fits(self, request: &Request) -> bool {
        match self {
            Self::PageDropped | Self::PageDuplicated | Self::PageUnsorted => request.is_listing(),
            Self::TokenRepeated | Self::TokenExpired => {
                request.is_listing() && request.query("continuation-token").is_some()
            }
            Self::RangeIgnored => request.method == "GET" && request.header("range").is_some(),
            Self::ChangedAfter | Self::DeletedAfter => {
                request.method == "GET" && request.key.is_some() && request.query.is_empty()
            }
            Self::Truncated { .. }
            | Self::TruncatedWithItsLength { .. }
            | Self::TruncatedWithoutLength { .. }
            | Self::Reset { .. }
            | Self::WrongByte { .. }
            | Self::SlowBody { .. } => request.method == "GET",
            Self::SlowDown { .. }
            | Self::InternalError
            | Self::Error { .. }
            | Self::ResponseLost
            | Self::Silence
            | Self::Delay(_) => true,
        }
    }
}

/// Replaces an object by one of the same size with other bytes.
pub(super) fn change(source: &S3Source, bucket: &str, key: &str) {
    let Some(stored) = source.live(bucket, key) else { return };
    let seed = random::draw(crate::harness::sequence::next(), key);
    source.put(bucket, key, super::Object::new(Content::Synthetic { seed, length: stored.size }));
}
