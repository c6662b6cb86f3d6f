//! CPU time of processes, from /proc (man 5 proc).

use std::fs;

/// CPU time of a process with all its threads.
#[derive(Clone, Copy, Debug, Default)]
pub struct CpuTime {
    /// Nanoseconds on a core, from the scheduler.
    pub total_ns: u64,
    /// Clock ticks of 10 ms, for the split.
    pub user_ticks: u64,
    pub system_ticks: u64,
}

impl CpuTime {
    pub fn of(pid: u32) -> Self {
        let (user_ticks, system_ticks) = ticks(&format!("/proc/{pid}/stat"), 13);
        // A thread that ended is missing in the sum of the threads, but not in the ticks.
        let threads_ns = threads(pid);
        let ticks_ns = (user_ticks + system_ticks) * NS_PER_TICK;
        let total_ns = if threads_ns + 2 * NS_PER_TICK < ticks_ns { ticks_ns } else { threads_ns };
        Self { total_ns, user_ticks, system_ticks }
    }

    /// CPU time of all children of this process that have ended and were waited for.
    pub fn of_ended_children() -> Self {
        let (user_ticks, system_ticks) = ticks("/proc/self/stat", 15);
        Self { total_ns: (user_ticks + system_ticks) * NS_PER_TICK, user_ticks, system_ticks }
    }

    pub fn since(self, earlier: Self) -> Self {
        Self {
            total_ns: self.total_ns.saturating_sub(earlier.total_ns),
            user_ticks: self.user_ticks.saturating_sub(earlier.user_ticks),
            system_ticks: self.system_ticks.saturating_sub(earlier.system_ticks),
        }
    }

    /// The part spent in the kernel, 0 to 1.
    pub fn system_share(self) -> f64 {
        self.system_ticks as f64 / (self.user_ticks + self.system_ticks).max(1) as f64
    }
}

/// The kernel reports ticks in USER_HZ, which is 100 on every architecture we build for.
const NS_PER_TICK: u64 = 10_000_000;

/// Peak resident memory in KiB.
pub fn peak_memory_kib(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

fn threads(pid: u32) -> u64 {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { return 0 };
    tasks
        .flatten()
        .filter_map(|task| fs::read_to_string(task.path().join("schedstat")).ok())
        .filter_map(|text| text.split_whitespace().next()?.parse::<u64>().ok())
        .sum()
}

/// Two neighbouring fields of a stat file, counted from 0.
fn ticks(path: &str, first: usize) -> (u64, u64) {
    let stat = fs::read_to_string(path).unwrap_or_default();
    // The second field is a name in brackets that may hold spaces.
    let rest = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let mut fields = rest.split(' ').skip(first - 2).map(|field| field.parse().unwrap_or(0));
    (fields.next().unwrap_or(0), fields.next().unwrap_or(0))
}
