//! Clients that race for one key through two replicas, each a process of its own, one of which is killed
//! in between; behind them an emulated account that throttles and loses answers.
//!
//! 15 schedules, 200 with `BLUEBUCKET_FULL=1`, any number with `BLUEBUCKET_SCHEDULES`. Processes go
//! their own ways, so a seed repeats what clients mean to do, not what becomes of it: a failing schedule
//! leaves its history in a file. `BLUEBUCKET` names the program to run.

#[path = "races_processes/client.rs"]
mod client;
#[path = "races_processes/fleet.rs"]
mod fleet;
#[path = "harness/harness.rs"]
mod harness;
#[path = "races_processes/record.rs"]
mod record;
#[path = "races_processes/schedule.rs"]
mod schedule;
#[allow(dead_code)]
#[path = "multipart_world/values.rs"]
mod values;

use std::sync::Arc;
use std::time::Instant;

use fleet::Fleet;
use harness::random::{Random, seed};

const QUICK: u64 = 15;
const FULL: u64 = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_of_replicas_that_are_killed_see_one_history() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let depth = if std::env::var("BLUEBUCKET_FULL").is_ok() { FULL } else { QUICK };
    let count = number("BLUEBUCKET_SCHEDULES").unwrap_or(depth);
    let mut random = Random::new(seed("clients_of_replicas_that_are_killed_see_one_history"));
    let began = Instant::now();
    let fleet = Arc::new(Fleet::start(random.next()).await);
    let mut sum = record::Tally::default();
    let mut wrong = Vec::new();
    for place in 0..count {
        match schedule::run(&fleet, place, random.next()).await {
            Ok(tally) => sum.add(&tally),
            Err(reason) => {
                println!("schedule {place}: {reason}");
                wrong.push(place);
            }
        }
    }
    println!("{count} schedules in {:.1} s: {sum:#?}", began.elapsed().as_secs_f64());
    assert!(wrong.is_empty(), "schedules {wrong:?} failed");
}
