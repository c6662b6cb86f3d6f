//! Faults: what can go wrong with a service, on order or at random from a seed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use super::operation::Operation;

/// Which limit a throttling answer names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Throttle {
    Ingress,
    Egress,
    Operations,
}

impl Throttle {
    pub(super) fn message(self) -> &'static str {
        match self {
            Self::Ingress => "Ingress is over the account limit.",
            Self::Egress => "Egress is over the account limit.",
            Self::Operations => "Operations per second is over the account limit.",
        }
    }
}

/// One way to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// 503 ServerBusy, with `Retry-After` in seconds if given.
    Throttle { text: Throttle, retry_after: Option<u32> },
    /// 500 OperationTimedOut, nothing done.
    TimeoutBefore,
    /// 500 OperationTimedOut although the request was carried out.
    TimeoutAfter,
    /// The request is carried out and the connection closed without an answer.
    ResponseLost,
    /// The connection is closed without an answer and nothing done.
    ConnectionLost,
    /// The connection breaks after so many bytes of the answer's body.
    ResetBody { after: u64 },
    /// The answer's body comes in pieces of `piece` bytes with a pause before each.
    SlowBody { piece: usize, pause: Duration },
    /// The answer is delayed.
    Latency(Duration),
    /// 401 as for an expired bearer token.
    TokenExpired,
    /// The byte at this offset of the answer's body is flipped.
    CorruptByte { offset: u64 },
    /// 401 CannotVerifyCopySource from the operations that read a URL.
    RefuseCopySource,
}

/// When a rule strikes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Trigger {
    /// At each request with this probability.
    Probability(f64),
    /// At every n-th request that matches.
    EveryNth(u64),
    /// At `times` requests after `skip` ones that match.
    Next { skip: u64, times: u64 },
}

/// Which requests a rule is about; `None` matches all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FaultScope {
    pub operation: Option<Operation>,
    pub account: Option<String>,
    pub container: Option<String>,
    /// A blob name, whole.
    pub blob: Option<String>,
}

/// A fault, where, and when.
#[derive(Clone, Debug)]
pub struct FaultRule {
    pub scope: FaultScope,
    pub trigger: Trigger,
    pub fault: Fault,
}

/// Rules and the seed of their chances.
#[derive(Clone, Debug, Default)]
pub struct FaultPlan {
    pub seed: u64,
    pub rules: Vec<FaultRule>,
}

/// The rules in force and how often each has matched.
pub(super) struct Faults {
    /// Spares requests the lock while there is no rule.
    any: AtomicBool,
    state: Mutex<FaultState>,
}

struct FaultState {
    random: fastrand::Rng,
    rules: Vec<(FaultRule, u64)>,
}

impl Faults {
    pub fn new(plan: Option<FaultPlan>) -> Self {
        let plan = plan.unwrap_or_default();
        let rules: Vec<_> = plan.rules.into_iter().map(|rule| (rule, 0)).collect();
        Self {
            any: AtomicBool::new(!rules.is_empty()),
            state: Mutex::new(FaultState { random: fastrand::Rng::with_seed(plan.seed), rules }),
        }
    }

    pub fn replace(&self, plan: FaultPlan) {
        let fresh = Self::new(Some(plan));
        let mut state = self.lock();
        *state = fresh.state.into_inner().unwrap_or_else(|e| e.into_inner());
        self.any.store(!state.rules.is_empty(), Ordering::Release);
    }

    pub fn add(&self, rule: FaultRule) {
        self.lock().rules.push((rule, 0));
        self.any.store(true, Ordering::Release);
    }

    /// The faults that strike this request, in the order of their rules.
    pub fn strike(&self, operation: Operation, account: &str, container: &str, blob: &str) -> Vec<Fault> {
        if !self.any.load(Ordering::Acquire) {
            return Vec::new();
        }
        let mut state = self.lock();
        let FaultState { random, rules } = &mut *state;
        let mut struck = Vec::new();
        rules.retain_mut(|(rule, seen)| {
            if !rule.scope.matches(operation, account, container, blob) {
                return true;
            }
            *seen += 1;
            let (strikes, keep) = match rule.trigger {
                Trigger::Probability(chance) => (random.f64() < chance, true),
                Trigger::EveryNth(n) => (n > 0 && seen.is_multiple_of(n), true),
                Trigger::Next { skip, times } => (*seen > skip, *seen < skip.saturating_add(times)),
            };
            if strikes {
                struck.push(rule.fault);
            }
            keep
        });
        self.any.store(!rules.is_empty(), Ordering::Release);
        struck
    }

    fn lock(&self) -> MutexGuard<'_, FaultState> {
        self.state.lock().unwrap_or_else(|e| e.into_inner())
    }
}

impl FaultScope {
    /// All requests of one operation.
    pub fn operation(operation: Operation) -> Self {
        Self { operation: Some(operation), ..Self::default() }
    }

    fn matches(&self, operation: Operation, account: &str, container: &str, blob: &str) -> bool {
        let fits = |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|wanted| wanted == found);
        self.operation.is_none_or(|wanted| wanted == operation)
            && fits(&self.account, account)
            && fits(&self.container, container)
            && fits(&self.blob, blob)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strikes(trigger: Trigger, requests: u32) -> Vec<bool> {
        let scope = FaultScope::operation(Operation::PutBlob);
        let faults = Faults::new(Some(FaultPlan {
            seed: 7,
            rules: vec![FaultRule { scope, trigger, fault: Fault::TimeoutAfter }],
        }));
        let strike = |_| {
            assert!(faults.strike(Operation::GetBlob, "a", "c", "b").is_empty());
            !faults.strike(Operation::PutBlob, "a", "c", "b").is_empty()
        };
        (0..requests).map(strike).collect()
    }

    #[test]
    fn triggers() {
        assert_eq!(strikes(Trigger::EveryNth(2), 4), [false, true, false, true]);
        assert_eq!(strikes(Trigger::Next { skip: 1, times: 2 }, 5), [false, true, true, false, false]);
        let hits = strikes(Trigger::Probability(0.25), 1000).into_iter().filter(|&hit| hit).count();
        assert!((200..300).contains(&hits), "{hits}");
        assert_eq!(strikes(Trigger::Probability(0.25), 50), strikes(Trigger::Probability(0.25), 50));
    }
}
