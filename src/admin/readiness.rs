//! Whether this process should be sent requests: a set of named checks that all have to hold.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The checks of a process. Clones share them; a set without checks is ready.
#[derive(Clone, Default)]
pub struct Readiness(Arc<Mutex<Vec<Check>>>);

/// One check that somebody turns on and off.
#[derive(Clone)]
pub struct ReadyFlag(Arc<Mutex<Option<Cow<'static, str>>>>);

/// How a check stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckReport {
    pub name: &'static str,
    /// Why it does not hold; nothing if it does.
    pub reason: Option<String>,
}

struct Check {
    name: &'static str,
    reason: Box<dyn Fn() -> Option<String> + Send>,
}

impl Readiness {
    /// Adds a check that is asked each time. It must answer at once, without I/O.
    pub fn check(&self, name: &'static str, holds: impl Fn() -> Result<(), String> + Send + 'static) {
        lock(&self.0).push(Check { name, reason: Box::new(move || holds().err()) });
    }

    /// Adds a check that does not hold until its flag says so.
    pub fn flag(&self, name: &'static str) -> ReadyFlag {
        let flag = ReadyFlag(Arc::new(Mutex::new(Some(Cow::Borrowed("starting")))));
        let asked = flag.clone();
        self.check(name, move || lock(&asked.0).as_ref().map_or(Ok(()), |reason| Err(reason.to_string())));
        flag
    }

    /// Every check, in the order in which they were added.
    pub fn report(&self) -> Vec<CheckReport> {
        lock(&self.0).iter().map(|check| CheckReport { name: check.name, reason: (check.reason)() }).collect()
    }

    pub fn is_ready(&self) -> bool {
        lock(&self.0).iter().all(|check| (check.reason)().is_none())
    }
}

impl ReadyFlag {
    pub fn ready(&self) {
        *lock(&self.0) = None;
    }

    /// Takes the process out of service; the reason is shown by `/readyz` and holds no secret.
    pub fn not_ready(&self, reason: impl Into<Cow<'static, str>>) {
        *lock(&self.0) = Some(reason.into());
    }
}

impl fmt::Debug for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.report()).finish()
    }
}

/// A panic elsewhere leaves a list of checks or a reason, both whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
