//! Whether there is memory for the demo: one that runs out of it is killed and cannot say why.

use std::fs;

/// What the process needs beside the objects, in bytes.
const OTHER_BYTES: u64 = 256 << 20;
/// What an object takes beside its content, in bytes. Measured, at the peak: 32 to 40 KiB, most of it the rest of the
/// buffers in which its content came.
const OBJECT_BYTES: u64 = 40 << 10;

/// Refuses to begin where so many objects of so many bytes in all have no room in memory, with the remedy as the
/// text.
pub fn require(objects: u64, bytes: u64) -> Result<(), String> {
    free_bytes().map_or(Ok(()), |free| compare(bytes + objects * OBJECT_BYTES + OTHER_BYTES, free))
}

fn compare(needed: u64, free: u64) -> Result<(), String> {
    if needed <= free {
        return Ok(());
    }
    Err(format!(
        "the demo keeps its objects in memory, once in the source and once as copies: that takes {} MiB, and {} MiB \
         are free. Give it fewer objects with --objects or smaller ones with --largest",
        needed >> 20,
        free >> 20
    ))
}

/// Bytes that this process may still take, of the machine's and of its container's; `None` where nothing says so.
fn free_bytes() -> Option<u64> {
    [machine_bytes(), group_bytes()].into_iter().flatten().min()
}

/// `MemAvailable` of proc_meminfo(5): what can be had without swapping.
fn machine_bytes() -> Option<u64> {
    available(&fs::read_to_string("/proc/meminfo").ok()?)
}

fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib << 10)
}

/// What the limit of a container leaves (the kernel's documentation of cgroup v2; `memory.max` is `max` where there is
/// none). Its control group is the root that it sees.
fn group_bytes() -> Option<u64> {
    let read = |file| fs::read_to_string(format!("/sys/fs/cgroup/{file}")).ok();
    let limit: u64 = read("memory.max")?.trim().parse().ok()?;
    let used: u64 = read("memory.current")?.trim().parse().ok()?;
    Some(limit.saturating_sub(used.saturating_sub(droppable(&read("memory.stat")?))))
}

/// Bytes of files that the kernel holds only as long as nobody else wants the memory.
fn droppable(stat: &str) -> u64 {
    let lines = stat.lines().filter_map(|line| line.split_once(' '));
    lines
        .filter(|(name, _)| matches!(*name, "inactive_file" | "active_file"))
        .filter_map(|(_, bytes)| bytes.parse::<u64>().ok())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_available_is_read_in_kib() {
        let meminfo = "MemTotal:       24674536 kB\nMemFree:          815276 kB\nMemAvailable:   23415276 kB\n";
        assert_eq!(available(meminfo), Some(23_415_276 << 10));
        assert_eq!(available("MemTotal: 1 kB\n"), None);
    }

    #[test]
    fn what_a_group_can_drop_are_its_files() {
        let stat = "anon 1179648\nfile 40960\nshmem 4096\ninactive_file 30000\nactive_file 6864\nslab 7\n";
        assert_eq!(droppable(stat), 36_864);
        assert_eq!(droppable("anon 1\n"), 0);
    }

    #[test]
    fn more_than_there_is_is_refused_with_the_remedy() {
        assert_eq!(compare(2 << 30, 2 << 30), Ok(()));
        let refused = compare(3 << 30, 2 << 30).unwrap_err();
        assert!(refused.contains("3072 MiB") && refused.contains("2048 MiB"), "{refused}");
        assert!(refused.contains("--objects") && refused.contains("--largest"), "{refused}");
    }
}
