//! Multipart uploads of one key under seeded schedules: interleaved at random with PUT, DELETE, copy,
//! tagging and abort, with answers lost, requests carried out late and replicas dropped half-way.
//!
//! 300 schedules, 10,000 with `BLUEBUCKET_FULL=1`, any number with `BLUEBUCKET_SCHEDULES`. A failing
//! one prints its seed; `BLUEBUCKET_SEED` runs it alone. A fifth as many again run on a hierarchical account.

#[path = "harness/harness.rs"]
mod harness;
#[path = "harness/hostile_blob.rs"]
mod hostile_blob;
#[path = "multipart_world/world.rs"]
mod world;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use bluebucket::bucket::Namespace;
use harness::random::mix;
use world::{Tally, run_schedule};

const QUICK: u64 = 300;
const FULL: u64 = 10_000;
const THREADS: usize = 2;

#[test]
fn uploads_of_one_key_never_mix_and_never_get_lost() {
    run(Namespace::Flat, 1);
}

#[test]
fn nor_on_a_hierarchical_account() {
    run(Namespace::Hierarchical, 5);
}

/// Runs one of `share` of the schedules that the depth asks for.
fn run(namespace: Namespace, share: u64) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    if let Some(seed) = number("BLUEBUCKET_SEED") {
        let tally = run_schedule(seed, true, namespace).unwrap_or_else(|wrong| panic!("schedule {seed}: {wrong}"));
        return println!("schedule {seed}: {tally:?}");
    }
    let count =
        number("BLUEBUCKET_SCHEDULES").unwrap_or(if std::env::var("BLUEBUCKET_FULL").is_ok() { FULL } else { QUICK });
    let count = count.div_ceil(share);
    let base = number("BLUEBUCKET_BASE").unwrap_or_else(|| u64::from(fastrand::u32(..)));
    println!("{count} schedules from base {base}");
    let began = Instant::now();
    let next = AtomicU64::new(0);
    let sum: Mutex<Tally> = Mutex::default();
    let wrong: Mutex<BTreeMap<u64, String>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    if place >= count || wrong.lock().unwrap().len() >= 10 {
                        return;
                    }
                    let seed = mix(base.wrapping_add(place)) >> 32;
                    let run = std::panic::catch_unwind(|| run_schedule(seed, false, namespace));
                    match run.unwrap_or_else(|_| Err("panicked".to_owned())) {
                        Ok(tally) => sum.lock().unwrap().add(&tally),
                        Err(reason) => drop(wrong.lock().unwrap().insert(seed, reason)),
                    }
                }
            });
        }
    });
    println!("{count} schedules in {:.1} s: {:#?}", began.elapsed().as_secs_f64(), sum.lock().unwrap());
    let wrong = wrong.into_inner().unwrap();
    for (seed, reason) in &wrong {
        println!("schedule {seed}: {reason}\n  BLUEBUCKET_SEED={seed} repeats it");
    }
    assert!(wrong.is_empty(), "{} schedules failed", wrong.len());
}
