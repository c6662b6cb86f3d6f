//! The process itself, under the names that Prometheus clients of every language use.

use std::time::{SystemTime, UNIX_EPOCH};

use prometheus::{Counter, IntGauge, Opts};

use super::Families;
use crate::telemetry::catalogue;

/// Memory, descriptors and processor time, read from `/proc` when the metrics are shown.
pub struct ProcessMetrics {
    resident: IntGauge,
    descriptors: IntGauge,
    processor: Counter,
}

/// Clock ticks per second in `/proc/self/stat`: Linux shows 100 to user space on every architecture.
const TICKS_PER_SECOND: f64 = 100.0;

impl ProcessMetrics {
    pub(super) fn new(families: &Families<'_>) -> Self {
        families.gauges(&catalogue::BUILD_INFO).with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        let started = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        families.gauge(&catalogue::PROCESS_START).set(i64::try_from(started).unwrap_or(i64::MAX));
        let processor = Opts::new(catalogue::PROCESS_CPU.name, catalogue::PROCESS_CPU.help);
        Self {
            resident: families.gauge(&catalogue::PROCESS_RESIDENT),
            descriptors: families.gauge(&catalogue::PROCESS_FDS),
            processor: families.register(&catalogue::PROCESS_CPU, Counter::with_opts(processor)),
        }
    }

    /// Reads `/proc`; where there is none, the numbers stay at 0.
    pub(super) fn refresh(&self) {
        if let Some(bytes) = resident_bytes() {
            self.resident.set(bytes);
        }
        if let Ok(entries) = std::fs::read_dir("/proc/self/fd") {
            self.descriptors.set(i64::try_from(entries.count()).unwrap_or(i64::MAX));
        }
        if let Some(seconds) = processor_seconds() {
            self.processor.inc_by((seconds - self.processor.get()).max(0.0));
        }
    }
}

/// `VmRSS` of `/proc/self/status`, in bytes.
fn resident_bytes() -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: i64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// User and system time of `/proc/self/stat` (proc(5): fields 14 and 15, counted behind the command name).
fn processor_seconds() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let mut ticks = fields.split_whitespace().skip(11).map(str::parse::<f64>);
    Some((ticks.next()?.ok()? + ticks.next()?.ok()?) / TICKS_PER_SECOND)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn proc_is_understood() {
        assert!(resident_bytes().unwrap() > 1 << 20);
        assert!(processor_seconds().unwrap() >= 0.0);
    }
}
