//! One key, several replicas, and what clients do to it.

mod actors;
mod journal;
mod operations;
mod replica;
mod settle;
mod values;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bluebucket::blob::BlobClient;
use bluebucket::bucket::Namespace;
use bluebucket::emulator::{AccountConfig, DEVELOPMENT_ACCOUNT};
use bluebucket::object::ObjectKey;
use tokio::time::sleep;

use crate::harness::random::Random;
use crate::hostile_blob::{HostileBlob, Hostility, Wire};
use journal::Journal;
use replica::{Replica, Replicas};

const CONTAINER: &str = "flink";
const STATE: &str = "bluebucket-state";
/// Virtual time after which nothing is on its way any more.
const QUIET: Duration = Duration::from_secs(120);

/// What happened, over many schedules.
#[derive(Clone, Debug, Default)]
pub struct Tally(BTreeMap<String, u64>);

impl Tally {
    pub fn count(&mut self, what: impl Into<String>) {
        *self.0.entry(what.into()).or_default() += 1;
    }

    pub fn add(&mut self, other: &Self) {
        for (what, count) in &other.0 {
            *self.0.entry(what.clone()).or_default() += count;
        }
    }
}

/// Everything that the actors of a schedule share.
pub struct World {
    pub wire: Arc<Wire>,
    pub client: BlobClient,
    pub key: ObjectKey,
    pub journal: Mutex<Journal>,
    replicas: Replicas,
    random: Mutex<Random>,
}

impl World {
    pub fn journal(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn random(&self) -> MutexGuard<'_, Random> {
        self.random.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn below(&self, limit: u64) -> u64 {
        self.random().below(limit)
    }

    pub fn chance(&self, probability: f64) -> bool {
        self.random().chance(probability)
    }

    /// One of the replicas, as a balancer would pick it.
    pub fn replica(&self) -> Replica {
        self.replicas.pick(self.random().next())
    }

    /// Ends one of the replicas, with all that it is doing, and starts it anew.
    pub fn drop_a_replica(&self) {
        let which = self.replicas.drop_one(self.random().next());
        let mut journal = self.journal();
        journal.drops += 1;
        let at = self.wire.tick();
        journal.note(at, format!("replica {which} is dropped"));
    }

    /// A pause in which others may act.
    pub async fn pause(&self) {
        let longest = *self.random().pick(&[0, 0, 5, 50, 500, 3_000]);
        let pause = self.below(longest * 1000 + 1);
        if pause == 0 {
            tokio::task::yield_now().await;
        } else {
            sleep(Duration::from_micros(pause)).await;
        }
    }
}

/// Runs one schedule; the reason if something is wrong.
pub fn run_schedule(seed: u64, verbose: bool, namespace: Namespace) -> Result<Tally, String> {
    fastrand::seed(seed);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async move {
        let mut random = Random::new(seed);
        let budget = *random.pick(&[0, 0, 1, 2, 3]);
        let hostility = Hostility {
            delay_max: *random.pick(&[0, 1, 20, 300]),
            chance: *random.pick(&[0.0, 0.02, 0.1]),
            chance_of_commits: *random.pick(&[0.1, 0.4, 0.7]),
            budget,
        };
        let world = Arc::new(make(hostility, random, namespace));
        let outcome = play(&world, budget).await;
        if verbose || outcome.is_err() {
            let printed = print(&world);
            let file = std::env::temp_dir().join(format!("bluebucket-schedule-{seed}.log"));
            if verbose {
                println!("{printed}");
            } else {
                let _ = std::fs::write(file, printed);
            }
        }
        outcome
    })
}

fn make(hostility: Hostility, mut random: Random, namespace: Namespace) -> World {
    let blob = HostileBlob::start_with(account(namespace), random.next(), hostility, &[CONTAINER, STATE]);
    let replicas = 2 + random.below(2) as usize;
    World {
        wire: blob.wire.clone(),
        client: blob.client(),
        key: ObjectKey::new("a/key").unwrap(),
        journal: Mutex::default(),
        replicas: Replicas::new(blob, namespace, replicas),
        random: Mutex::new(random),
    }
}

fn account(namespace: Namespace) -> AccountConfig {
    let account = AccountConfig::memory(DEVELOPMENT_ACCOUNT);
    if namespace == Namespace::Hierarchical { account.hierarchical() } else { account }
}

async fn play(world: &Arc<World>, budget: u32) -> Result<Tally, String> {
    actors::act(world).await;
    sleep(QUIET).await;
    world.wire.calm();
    settle::settle(world).await?;
    let journal = world.journal();
    let mut tally = journal.tally.clone();
    tally.count("schedules");
    journal.judge(&world.wire.log(), budget)?;
    Ok(tally)
}

fn print(world: &World) -> String {
    let mut lines: Vec<(u64, String)> = world.journal().lines();
    for executed in world.wire.log() {
        let target: String = executed.target.split("&sig=").next().unwrap_or_default().chars().take(150).collect();
        let line = format!(
            "        {} {} {} {} {}",
            executed.method, target, executed.status, executed.fate, executed.metadata
        );
        lines.push((executed.at, line));
    }
    lines.sort();
    lines.into_iter().map(|(at, line)| format!("{at:5} {line}\n")).collect()
}
