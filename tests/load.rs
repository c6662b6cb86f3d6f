//! Heavy traffic: slow clients, many connections, overload.
//!
//! What can be judged by answers alone runs always. The measured tests are ignored: the stage `load`
//! runs them, one at a time, with an optimised build that `BLUEBUCKET` names.

#[path = "harness/harness.rs"]
mod harness;

#[path = "load/connections.rs"]
mod connections;
#[path = "load/overload.rs"]
mod overload;
#[path = "load/slow.rs"]
mod slow;

use std::time::Duration;

const MIB: u64 = 1 << 20;

/// The larger amount in the full depth.
fn depth<T>(quick: T, full: T) -> T {
    if std::env::var_os("BLUEBUCKET_FULL").is_some() { full } else { quick }
}

/// The time below which that share of the durations lies.
fn percentile(durations: &mut [Duration], share: f64) -> Duration {
    durations.sort_unstable();
    let last = durations.len().checked_sub(1).expect("nothing was measured");
    durations[(last as f64 * share).round() as usize]
}

/// Says what was measured and panics if it is too much.
fn assert_peak(name: &str, bytes: u64, limit_mib: u64) {
    println!("{name}: peak {:.1} MiB of {limit_mib} MiB", bytes as f64 / MIB as f64);
    assert!(bytes <= limit_mib * MIB, "{name}: too much memory");
}
