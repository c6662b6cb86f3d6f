//! What the process is doing, as JSON: sections that each part of it contributes.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use super::Readiness;

/// The sections of a status report. Clones share them.
#[derive(Clone)]
pub struct Status {
    sections: Arc<Mutex<Vec<Section>>>,
    began: Instant,
    began_at: SystemTime,
}

struct Section {
    name: &'static str,
    report: Box<dyn Fn() -> Value + Send>,
}

impl Status {
    /// Adds a section. Its closure is asked for every report and must answer at once, without I/O; a
    /// list of objects with the same fields is shown as a table.
    pub fn section(&self, name: &'static str, report: impl Fn() -> Value + Send + 'static) {
        let mut sections = self.sections.lock().unwrap_or_else(PoisonError::into_inner);
        sections.push(Section { name, report: Box::new(report) });
    }

    /// The whole report.
    pub(super) fn report(&self, readiness: &Readiness) -> Value {
        let checks = readiness.report();
        let mut report = Map::new();
        report.insert("version".into(), env!("CARGO_PKG_VERSION").into());
        report.insert("started_at_unix_seconds".into(), unix_seconds(self.began_at).into());
        report.insert("uptime_seconds".into(), self.began.elapsed().as_secs().into());
        report.insert("ready".into(), checks.iter().all(|check| check.reason.is_none()).into());
        let checks = checks.into_iter().map(|check| json!({"check": check.name, "reason": check.reason}));
        report.insert("checks".into(), checks.collect());
        for section in self.sections.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            report.insert(section.name.into(), (section.report)());
        }
        Value::Object(report)
    }
}

impl Default for Status {
    /// A report that begins now.
    fn default() -> Self {
        Self { sections: Arc::default(), began: Instant::now(), began_at: SystemTime::now() }
    }
}

fn unix_seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
