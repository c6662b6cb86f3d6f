//! I9: every listed object is accounted for, and all reports of it agree.

use super::history::{Event, History, Writer};
use super::invariants::Violation;

/// The outcomes of a pass over a listing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Accounting {
    pub listed: u64,
    pub copied: u64,
    pub unchanged: u64,
    pub client_newer: u64,
    pub deleted: u64,
    pub unmappable: u64,
    pub needs_action: u64,
    pub failed: u64,
    pub bytes_copied: u64,
}

impl Accounting {
    pub fn accounted(&self) -> u64 {
        self.copied
            + self.unchanged
            + self.client_newer
            + self.deleted
            + self.unmappable
            + self.needs_action
            + self.failed
    }
}

/// The sum fits, the metrics say the same as the report, and objects and bytes copied are what the
/// store saw the mover commit. `history` holds the commits of that pass alone.
pub fn exact_accounting(report: &Accounting, metrics: &Accounting, history: &History) -> Vec<Violation> {
    let (mut objects, mut bytes) = (0, 0);
    for event in history.events() {
        if let Event::StoreWrite { writer: Writer::Mover, content, .. } = event {
            objects += 1;
            bytes += content.length;
        }
    }
    let checks = [
        (
            report.listed == report.accounted(),
            format!("listed {} and accounted for {}", report.listed, report.accounted()),
        ),
        (report == metrics, format!("the report says {report:?}, the metrics say {metrics:?}")),
        (report.copied == objects, format!("copied {} and the store saw {objects}", report.copied)),
        (report.bytes_copied == bytes, format!("copied {} bytes and the store saw {bytes}", report.bytes_copied)),
    ];
    let broken = checks.into_iter().filter(|(holds, _)| !holds);
    broken
        .map(|(_, detail)| Violation { invariant: "I9 exact accounting", key: String::new(), at: 0, detail })
        .collect()
}
