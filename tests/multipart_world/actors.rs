//! What clients do.

use std::sync::Arc;
use std::time::Duration;

use bluebucket::object::multipart::{CompletedPart, CreateUpload, UploadPart};
use bluebucket::object::{Attributes, ObjectKey, Payload, UploadId, WriteCondition};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::World;
use super::journal::{List, Outcome, Upload};
use super::operations::{
    abort, complete, copy_from, copy_in_place, copy_onto, delete, get, put, put_request, read_tags, retag, sweep,
};
use super::values::{Shape, content, tags, user};
use crate::harness::oracle::{Demand, Held, Value};

/// Calls of Complete by one client until it gives up.
const TRIES: usize = 4;
/// Calls of anything that is only to prepare a schedule.
const PATIENCE: usize = 10;

/// Lets all actors of a schedule run to their end.
pub async fn act(world: &Arc<World>) {
    let (uploads, writers, first, readers) = {
        let mut random = world.random();
        let uploads = if random.chance(0.7) { 2 + random.below(3) } else { 5 + random.below(6) };
        (uploads, 1 + random.below(2), random.chance(0.5), 1 + random.below(2))
    };
    let sources = sources(world).await;
    if first {
        put(world, &world.replica(), Demand::Nothing).await;
    }
    let mut tasks: Vec<JoinHandle<()>> = Vec::new();
    for number in 0..uploads {
        tasks.push(tokio::spawn(uploader(world.clone(), number)));
    }
    for number in 0..writers {
        let sources = sources[number as usize * 2..number as usize * 2 + 2].to_vec();
        tasks.push(tokio::spawn(writer(world.clone(), sources)));
    }
    for _ in 0..readers {
        tasks.push(tokio::spawn(reader(world.clone())));
    }
    let (sweeper, dropper) = (world.chance(0.4), world.chance(0.4));
    if sweeper {
        tasks.push(tokio::spawn(sweeps(world.clone())));
    }
    if dropper {
        tasks.push(tokio::spawn(drops(world.clone())));
    }
    for task in tasks {
        if let Err(error) = task.await {
            world.journal().wrong.push(format!("an actor failed: {error}"));
        }
    }
}

/// Objects to copy from; each is used once.
async fn sources(world: &Arc<World>) -> Vec<(Value, ObjectKey)> {
    let mut sources = Vec::new();
    for number in 0..4 {
        let key = ObjectKey::new(format!("source-{number}")).unwrap();
        let value = world.journal().values.add_whole(|_| 50);
        let none = Held { value, meta: 0, tags: 0 };
        for _ in 0..PATIENCE {
            let payload = Payload::from(world.journal().values.bytes(value));
            let replica = world.replica();
            if replica.bucket.put(&key, put_request(payload, none, WriteCondition::None)).await.is_ok() {
                break;
            }
        }
        sources.push((value, key));
    }
    sources
}

async fn uploader(world: Arc<World>, number: u64) {
    world.pause().await;
    let Some(index) = begin(&world, number).await else { return };
    world.pause().await;
    let (twice, dropped, aborted) = {
        let mut random = world.random();
        (random.chance(0.3), random.chance(0.25), random.chance(0.2))
    };
    let lists = world.journal().uploads[index].lists.len();
    let mut completers: Vec<_> = (0..lists).map(|list| tokio::spawn(completer(world.clone(), index, list))).collect();
    if twice {
        completers.push(tokio::spawn(completer(world.clone(), index, 0)));
    }
    if aborted {
        world.pause().await;
        abort(&world, &world.replica(), index).await;
    }
    if dropped {
        let longest = *world.random().pick(&[1, 10, 100, 1_000]);
        let after = world.below(longest * 1000);
        sleep(Duration::from_micros(after)).await;
        completers[0].abort();
    }
    for completer in completers {
        if let Err(error) = completer.await
            && !error.is_cancelled()
        {
            world.journal().wrong.push(format!("a completer failed: {error}"));
        }
    }
}

/// Creates an upload and its parts.
async fn begin(world: &Arc<World>, number: u64) -> Option<usize> {
    let (planned, value) = {
        let mut random = world.random();
        // Values are told apart by their bytes: one empty upload at the most.
        let shape = match random.below(100) {
            0 => Shape::Large,
            1..=15 if number == 0 => Shape::Empty,
            1..=12 => Shape::Rivals,
            _ => Shape::Small,
        };
        let parts = shape.parts(&mut random);
        let mut journal = world.journal();
        // Clients of rivals name one part each.
        let named = if shape == Shape::Rivals { &parts[..1] } else { &parts[..] };
        let value = journal.values.add_parts(None, named);
        let mut lists = vec![(value, named.to_vec())];
        if shape == Shape::Rivals {
            lists.push((journal.values.add_parts(Some(value), &parts[1..]), parts[1..].to_vec()));
        }
        (Planned { parts, lists }, value)
    };
    let makes = world.labelled(value);
    let attributes = Attributes { user: user(makes.meta), tags: tags(makes.tags), ..Attributes::default() };
    let id = create(world, &CreateUpload { attributes, checksum: None }).await?;
    let mut stored = Vec::new();
    for &(number, length) in &planned.parts {
        stored.push(upload_part(world, &id, number, content(value, number, length)).await?);
    }
    let demands = draw_demand(world).await;
    let condition = world.condition(demands);
    let list = |(value, parts): &(Value, Vec<(u16, usize)>)| List {
        value: *value,
        parts: stored.iter().filter(|part| parts.iter().any(|(number, _)| *number == part.number)).cloned().collect(),
    };
    let lists: Vec<_> = planned.lists.iter().map(list).collect();
    let mut journal = world.journal();
    journal.note(world.wire.tick(), format!("upload {id} of {makes:?}, demands {demands:?}"));
    let upload = Upload {
        meta: makes.meta,
        tags: makes.tags,
        id,
        demands,
        condition,
        lists,
        completes: Vec::new(),
        aborts: Vec::new(),
    };
    journal.uploads.push(upload);
    Some(journal.uploads.len() - 1)
}

/// Parts to upload, and the values that lists of them make.
struct Planned {
    parts: Vec<(u16, usize)>,
    lists: Vec<(Value, Vec<(u16, usize)>)>,
}

async fn create(world: &Arc<World>, request: &CreateUpload) -> Option<UploadId> {
    for _ in 0..PATIENCE {
        let replica = world.replica();
        if let Some(Ok(id)) = replica.run(replica.bucket.create_upload(&world.key, request)).await {
            return Some(id);
        }
    }
    None
}

async fn upload_part(world: &Arc<World>, id: &UploadId, number: u16, bytes: bytes::Bytes) -> Option<CompletedPart> {
    for _ in 0..PATIENCE {
        let request = UploadPart {
            number,
            payload: Payload::from(bytes.clone()),
            content_md5: None,
            checksums: Vec::new(),
            late_checksums: None,
        };
        let replica = world.replica();
        if let Some(Ok(stored)) = replica.run(replica.bucket.upload_part(&world.key, id, request)).await {
            return Some(CompletedPart { number, etag: stored.etag, checksums: Vec::new() });
        }
    }
    None
}

async fn draw_demand(world: &Arc<World>) -> Demand {
    match world.below(10) {
        0 | 1 => Demand::Absent,
        2 => match get(world, &world.replica()).await.flatten() {
            Some(value) => Demand::Value(value),
            None => Demand::Absent,
        },
        _ => Demand::Nothing,
    }
}

/// A client that calls Complete until it is answered, as SDKs do.
async fn completer(world: Arc<World>, index: usize, list: usize) {
    for _ in 0..TRIES {
        match complete(&world, &world.replica(), index, list).await {
            Outcome::Unknown | Outcome::Failed(_) => world.pause().await,
            _ => return,
        }
    }
}

async fn writer(world: Arc<World>, mut sources: Vec<(Value, ObjectKey)>) {
    let steps = 2 + world.below(5);
    let mut seen: Option<Value> = None;
    let known = |seen: Option<Value>| seen.map_or(Demand::Absent, Demand::Value);
    for _ in 0..steps {
        world.pause().await;
        let replica = world.replica();
        match world.below(20) {
            0..=2 => put(&world, &replica, Demand::Nothing).await,
            3 => put(&world, &replica, Demand::Absent).await,
            4 => put(&world, &replica, known(seen)).await,
            5..=7 => delete(&world, &replica, Demand::Nothing).await,
            8..=10 => {
                seen = get(&world, &replica).await.flatten();
                delete(&world, &replica, seen.map_or(Demand::Nothing, Demand::Value)).await;
            }
            11 | 12 => match sources.pop() {
                Some((value, source)) => {
                    let demands = if world.chance(0.7) { Demand::Nothing } else { known(seen) };
                    copy_onto(&world, &replica, value, source, demands).await;
                }
                None => put(&world, &replica, Demand::Nothing).await,
            },
            13 | 14 => copy_in_place(&world, &replica).await,
            15..=17 => retag(&world, &replica).await,
            _ => seen = get(&world, &replica).await.flatten(),
        }
    }
}

async fn reader(world: Arc<World>) {
    let steps = 3 + world.below(5);
    for _ in 0..steps {
        world.pause().await;
        let replica = world.replica();
        match world.below(10) {
            0 => read_tags(&world, &replica).await,
            1 | 2 => copy_from(&world, &replica).await,
            _ => drop(get(&world, &replica).await),
        }
    }
}

/// Sweeps now and then, sometimes two at once.
async fn sweeps(world: Arc<World>) {
    let rounds = 1 + world.below(3);
    for _ in 0..rounds {
        world.pause().await;
        let (one, other) = (world.replica(), world.replica());
        if world.chance(0.5) {
            sweep(&world, &one).await;
        } else {
            tokio::join!(sweep(&world, &one), sweep(&world, &other));
        }
    }
}

/// Loses replicas.
async fn drops(world: Arc<World>) {
    let rounds = 1 + world.below(3);
    for _ in 0..rounds {
        world.pause().await;
        world.pause().await;
        world.drop_a_replica();
    }
}
