//! The totals of a run.

use std::fmt::{self, Write};
use std::time::Duration;

use serde::Serialize;

use super::progress::Progress;
use crate::migration::ranges::Counters;
use crate::telemetry::ProofLevel;

/// What a run came to.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Summary {
    pub buckets: Vec<BucketSummary>,
    pub total: Counters,
    /// The run was asked to end before everything was done.
    pub stopped: bool,
    pub elapsed_seconds: f64,
}

/// What a run came to in one bucket.
#[derive(Clone, Debug, Default, Serialize)]
pub struct BucketSummary {
    pub bucket: String,
    /// Of all processes that shared the run, from its beginning.
    pub counters: Counters,
    /// Blobs without an object at the source, seen by this process.
    pub extra: u64,
    /// Copied objects by proof, of this process, in the order of [`ProofLevel::ALL`].
    pub proofs: [u64; ProofLevel::ALL.len()],
    /// Bytes that this process moved, those of tries that failed included.
    pub bytes_moved: u64,
}

impl Summary {
    pub(super) fn new(counters: Vec<Counters>, progress: &Progress, stopped: bool) -> Self {
        let mut total = Counters::default();
        let buckets = progress.buckets().iter().zip(counters).map(|(bucket, counters)| {
            total += counters;
            let seen = bucket.snapshot();
            BucketSummary {
                bucket: bucket.name.clone(),
                counters,
                extra: seen.extra,
                proofs: bucket.proofs(),
                bytes_moved: seen.bytes_moved,
            }
        });
        let buckets = buckets.collect();
        assert!(total.balanced(), "an object was counted twice or not at all: {total:?}");
        Self { buckets, total, stopped, elapsed_seconds: progress.elapsed().as_secs_f64() }
    }

    /// Everything of the source is on Blob, or a client chose otherwise.
    pub fn complete(&self) -> bool {
        !self.stopped && self.total.not_done() == 0
    }

    pub fn elapsed(&self) -> Duration {
        Duration::from_secs_f64(self.elapsed_seconds)
    }
}

impl fmt::Display for Summary {
    /// A table: outcomes down, buckets across.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows: Vec<Vec<String>> = vec![vec![String::new()]];
        rows[0].extend(self.buckets.iter().map(|bucket| bucket.bucket.clone()));
        rows[0].push("total".to_owned());
        let all: Vec<Counters> = self.buckets.iter().map(|bucket| bucket.counters).chain([self.total]).collect();
        let mut row = |name: &str, value: &dyn Fn(&Counters) -> String| {
            let mut cells = vec![name.to_owned()];
            cells.extend(all.iter().map(value));
            rows.push(cells);
        };
        row("listed", &|c| c.listed.to_string());
        row("= copied", &|c| c.copied.to_string());
        row("+ unchanged", &|c| c.unchanged.to_string());
        row("+ client newer", &|c| c.client_newer.to_string());
        row("+ foreign", &|c| c.foreign.to_string());
        row("+ deleted", &|c| c.deleted.to_string());
        row("+ unmappable", &|c| c.unmappable.to_string());
        row("+ needs action", &|c| c.needs_action.to_string());
        row("+ failed", &|c| c.failed.to_string());
        row("bytes listed", &|c| bytes(c.bytes_listed));
        row("bytes copied", &|c| bytes(c.bytes_copied));
        write_table(f, &rows)?;
        let moved: u64 = self.buckets.iter().map(|bucket| bucket.bytes_moved).sum();
        let copied: u64 = self.buckets.iter().flat_map(|bucket| bucket.proofs).sum();
        let seconds = self.elapsed_seconds.max(0.001);
        writeln!(
            f,
            "this process: {copied} objects copied in {:.1} s ({:.1}/s, {}/s)",
            self.elapsed_seconds,
            copied as f64 / seconds,
            bytes((moved as f64 / seconds) as u64)
        )?;
        let proofs = ProofLevel::ALL.iter().enumerate().map(|(index, level)| {
            format!("{} {}", level.label(), self.buckets.iter().map(|bucket| bucket.proofs[index]).sum::<u64>())
        });
        writeln!(f, "proofs: {}", proofs.collect::<Vec<_>>().join(", "))?;
        let extra: u64 = self.buckets.iter().map(|bucket| bucket.extra).sum();
        if extra > 0 {
            writeln!(f, "blobs without an object at the source: {extra} (left as they are)")?;
        }
        Ok(())
    }
}

/// Writes rows of cells: the first column to the left, the others to the right.
pub(super) fn write_table(f: &mut impl Write, rows: &[Vec<String>]) -> fmt::Result {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    for row in rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            match column {
                0 => write!(line, "{cell:<width$}", width = widths[0])?,
                _ => write!(line, "  {cell:>width$}", width = widths[column])?,
            }
        }
        writeln!(f, "{}", line.trim_end())?;
    }
    Ok(())
}

/// A number of bytes for people: binary units, three digits.
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 7] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let mut value = count as f64;
    let mut unit = 0;
    while value >= 1000.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    match unit {
        0 => format!("{count} B"),
        _ if value < 10.0 => format!("{value:.2} {}", UNITS[unit]),
        _ if value < 100.0 => format!("{value:.1} {}", UNITS[unit]),
        _ => format!("{value:.0} {}", UNITS[unit]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_for_people() {
        for (count, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "0.98 KiB"),
            (1024, "1.00 KiB"),
            (10 << 20, "10.0 MiB"),
            (5 << 40, "5.00 TiB"),
            (u64::MAX, "16.0 EiB"),
        ] {
            assert_eq!(bytes(count), text);
        }
    }

    #[test]
    fn the_table_shows_the_identity() {
        let counters = Counters { listed: 12, copied: 10, failed: 2, bytes_listed: 1 << 30, ..Counters::default() };
        let summary = Summary {
            buckets: vec![BucketSummary { bucket: "local-iceberg-test".into(), counters, ..Default::default() }],
            total: counters,
            ..Summary::default()
        };
        let text = summary.to_string();
        assert!(text.contains("\n= copied                        10        10\n"), "{text}");
        assert!(text.contains("bytes listed              1.00 GiB"), "{text}");
        assert!(!summary.complete());
    }
}
