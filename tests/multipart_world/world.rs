//! One key, several replicas, and what clients do to it.

mod actors;
mod journal;
mod settle;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bluebucket::blob::BlobClient;
use bluebucket::bucket::{Bucket, Namespace, Shared};
use bluebucket::emulator::{AccountConfig, DEVELOPMENT_ACCOUNT};
use bluebucket::object::{BucketName, ContainerName, ETag, ObjectKey};
use bluebucket::state::StateStore;
use bytes::Bytes;
use tokio::time::sleep;

use crate::harness::random::Random;
use crate::hostile_blob::{HostileBlob, Hostility, Wire};
use journal::{Journal, Tag, Upload};

const CONTAINER: &str = "flink";
const STATE: &str = "bluebucket-state";
const REPLICAS: usize = 3;
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
    pub replicas: Vec<Bucket>,
    pub client: BlobClient,
    pub key: ObjectKey,
    pub journal: Mutex<Journal>,
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

    pub fn replica(&self) -> &Bucket {
        &self.replicas[self.below(REPLICAS as u64) as usize]
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
        let blob = HostileBlob::start_with(account(namespace), random.next(), hostility, &[CONTAINER, STATE]);
        let world = Arc::new(make(&blob, random, namespace));
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

fn make(blob: &HostileBlob, random: Random, namespace: Namespace) -> World {
    let state = ContainerName::new(STATE).unwrap();
    let replica = |_| {
        let client = blob.client();
        Bucket::new(
            BucketName::new("local-rocksdb-test").unwrap(),
            ContainerName::new(CONTAINER).unwrap(),
            client.clone(),
            StateStore::new(client, state.clone()),
            Arc::new(Shared::new(namespace)),
        )
    };
    World {
        wire: blob.wire.clone(),
        client: blob.client(),
        replicas: (0..REPLICAS).map(replica).collect(),
        key: ObjectKey::new("a/key").unwrap(),
        journal: Mutex::default(),
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

/// The bytes of a value, so that whoever reads a piece of them knows whose they are.
pub fn content(tag: Tag, part: u16, length: usize) -> Bytes {
    let unit = format!("<{tag}:{part}>");
    unit.bytes().cycle().take(length).collect::<Vec<_>>().into()
}

/// An upload as the schedule means to make it.
pub struct Planned {
    pub tag: Tag,
    /// Number and length of each part.
    pub parts: Vec<(u16, usize)>,
}

impl Planned {
    pub fn draw(tag: Tag, random: &mut Random, large: bool, empty: bool) -> Self {
        let number = 1 + random.below(3) as u16;
        let small = 20 + random.below(200) as usize;
        let parts = match (large, empty) {
            (true, _) => vec![(1, 5 << 20), (number + 1, small)],
            (_, true) => vec![(number, 0)],
            _ => vec![(number, small)],
        };
        Self { tag, parts }
    }

    pub fn whole(&self) -> Bytes {
        let parts = self.parts.iter().map(|&(number, length)| content(self.tag, number, length));
        parts
            .fold(Vec::new(), |mut whole, part| {
                whole.extend_from_slice(&part);
                whole
            })
            .into()
    }
}

/// What is known of the values: whose bytes they are, and the ETag that clients were told.
#[derive(Default)]
pub struct Values {
    contents: BTreeMap<Tag, Bytes>,
    etags: BTreeMap<Tag, ETag>,
}

impl Values {
    pub fn add(&mut self, content: impl FnOnce(Tag) -> Bytes) -> Tag {
        let tag = self.contents.len() as Tag + 1;
        self.contents.insert(tag, content(tag));
        tag
    }

    pub fn set(&mut self, tag: Tag, content: Bytes) {
        self.contents.insert(tag, content);
    }

    pub fn of_bytes(&self, bytes: &Bytes) -> Option<Tag> {
        self.contents.iter().find(|(_, content)| *content == bytes).map(|(tag, _)| *tag)
    }

    pub fn content(&self, tag: Tag) -> Bytes {
        self.contents.get(&tag).cloned().unwrap_or_default()
    }

    pub fn etag(&self, tag: Tag) -> Option<&ETag> {
        self.etags.get(&tag)
    }

    /// Notes the ETag that a client was told; false if it is another than before.
    pub fn told(&mut self, tag: Tag, etag: &ETag) -> bool {
        self.etags.entry(tag).or_insert_with(|| etag.clone()) == etag
    }
}

/// The uploads in the order in which they were planned.
pub type Uploads = Vec<Upload>;
