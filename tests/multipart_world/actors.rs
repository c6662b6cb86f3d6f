//! What clients do.

use std::sync::Arc;
use std::time::Duration;

use bluebucket::bucket::Bucket;
use bluebucket::object::body::collect;
use bluebucket::object::condition::TagList;
use bluebucket::object::multipart::{CompleteUpload, CompletedPart, CreateUpload, UploadPart};
use bluebucket::object::write::CopyRequest;
use bluebucket::object::{
    Attributes, ErrorKind, ObjectKey, Payload, PutRequest, Read, ReadRequest, Result, Stored, Tags, WriteCondition,
};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::journal::{Outcome, Tag, Try, Upload};
use super::{Planned, World, content};
use crate::harness::oracle::{Action, Operation};

/// Calls of Complete by one client until it gives up.
const TRIES: usize = 4;
const BODY_MAX: usize = 16 << 20;

/// Lets all actors of a schedule run to their end.
pub async fn act(world: &Arc<World>) {
    let (uploads, writers, first) = {
        let mut random = world.random();
        (2 + random.below(3), 1 + random.below(2), random.chance(0.5))
    };
    let sources = sources(world).await;
    if first {
        put(world, world.replica(), WriteCondition::None, None).await;
    }
    let mut tasks: Vec<JoinHandle<()>> = Vec::new();
    for number in 0..uploads {
        tasks.push(tokio::spawn(uploader(world.clone(), number)));
    }
    for number in 0..writers {
        let sources = sources[number as usize * 2..number as usize * 2 + 2].to_vec();
        tasks.push(tokio::spawn(writer(world.clone(), sources)));
    }
    tasks.push(tokio::spawn(reader(world.clone())));
    for task in tasks {
        if let Err(error) = task.await {
            world.journal().wrong.push(format!("an actor failed: {error}"));
        }
    }
}

/// Objects to copy from; each is used once.
async fn sources(world: &Arc<World>) -> Vec<(Tag, ObjectKey)> {
    let mut sources = Vec::new();
    for number in 0..4 {
        let key = ObjectKey::new(format!("source-{number}")).unwrap();
        let tag = world.journal().values.add(|tag| content(tag, 0, 50));
        for _ in 0..TRIES * 2 {
            let payload = Payload::from(world.journal().values.content(tag));
            if world.replica().put(&key, request(payload, WriteCondition::None)).await.is_ok() {
                break;
            }
        }
        sources.push((tag, key));
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
    let mut completers = vec![tokio::spawn(completer(world.clone(), index))];
    if twice {
        completers.push(tokio::spawn(completer(world.clone(), index)));
    }
    if aborted {
        world.pause().await;
        abort(&world, index).await;
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
    let planned = {
        let mut random = world.random();
        let large = random.chance(0.01);
        // Values are told apart by their bytes: one empty upload at the most.
        let empty = number == 0 && random.chance(0.15);
        let mut journal = world.journal();
        let tag = journal.values.add(|_| Default::default());
        let planned = Planned::draw(tag, &mut random, large, empty);
        journal.values.set(tag, planned.whole());
        planned
    };
    let mut id = None;
    for _ in 0..TRIES * 2 {
        if let Ok(created) = world.replica().create_upload(&world.key, &CreateUpload::default()).await {
            id = Some(created);
            break;
        }
    }
    let id = id?;
    let mut parts = Vec::new();
    for &(part, length) in &planned.parts {
        let mut stored = None;
        for _ in 0..TRIES * 2 {
            let request = UploadPart {
                number: part,
                payload: Payload::from(content(planned.tag, part, length)),
                content_md5: None,
                checksums: Vec::new(),
                late_checksums: None,
            };
            stored = world.replica().upload_part(&world.key, &id, request).await.ok();
            if stored.is_some() {
                break;
            }
        }
        parts.push(CompletedPart { number: part, etag: stored?.etag, checksums: Vec::new() });
    }
    let (condition, demands) = draw_condition(world).await;
    let mut journal = world.journal();
    let line = format!("upload {} of value {} demands {demands:?}", id, planned.tag);
    journal.note(world.wire.tick(), line);
    let upload = Upload { tag: planned.tag, id, demands, condition, parts, completes: Vec::new(), aborts: Vec::new() };
    journal.uploads.push(upload);
    Some(journal.uploads.len() - 1)
}

async fn draw_condition(world: &Arc<World>) -> (WriteCondition, Option<Option<Tag>>) {
    let which = world.below(10);
    match which {
        0 | 1 => (WriteCondition::Absent, Some(None)),
        2 => match get(world, world.replica()).await.flatten() {
            Some(tag) => (world.matches(tag), Some(Some(tag))),
            None => (WriteCondition::Absent, Some(None)),
        },
        _ => (WriteCondition::None, None),
    }
}

/// A client that calls Complete until it is answered, as SDKs do.
async fn completer(world: Arc<World>, index: usize) {
    for _ in 0..TRIES {
        let replica = world.replica().clone();
        match complete(&world, &replica, index).await {
            Outcome::Unknown | Outcome::Failed(_) => world.pause().await,
            _ => return,
        }
    }
}

/// Calls Complete once.
pub async fn complete(world: &Arc<World>, replica: &Bucket, index: usize) -> Outcome {
    let (id, request, tag, place) = {
        let mut journal = world.journal();
        let called = world.wire.tick();
        let upload = &mut journal.uploads[index];
        upload.completes.push(Try { called, returned: None, outcome: None });
        let request = CompleteUpload {
            parts: upload.parts.clone(),
            condition: upload.condition.clone(),
            ..CompleteUpload::default()
        };
        let place = upload.completes.len() - 1;
        let (id, tag) = (upload.id.clone(), upload.tag);
        journal.note(called, format!("Complete of value {tag}"));
        (id, request, tag, place)
    };
    let result = replica.complete_upload(&world.key, &id, &request).await;
    let mut journal = world.journal();
    let returned = world.wire.tick();
    let outcome = match &result {
        Ok(stored) => {
            if !journal.values.told(tag, &stored.etag) {
                journal.wrong.push(format!("Complete of value {tag} answers another ETag"));
            }
            Outcome::Done(stored.etag.clone())
        }
        Err(error) => Outcome::of_error(error),
    };
    let label = match &outcome {
        Outcome::Done(_) => "200".to_owned(),
        other => format!("{other:?}"),
    };
    journal.tally.count(format!("complete {label}"));
    journal.note(returned, format!("Complete of value {tag} answered {:?}", result.map(|stored| stored.etag)));
    let tried = &mut journal.uploads[index].completes[place];
    tried.returned = Some(returned);
    tried.outcome = Some(outcome.clone());
    outcome
}

/// Calls Abort once.
pub async fn abort(world: &Arc<World>, index: usize) -> Outcome {
    let called = world.wire.tick();
    let (id, tag) = {
        let mut journal = world.journal();
        let upload = &mut journal.uploads[index];
        upload.aborts.push(Try { called, returned: None, outcome: None });
        let (id, tag) = (upload.id.clone(), upload.tag);
        journal.note(called, format!("Abort of value {tag}"));
        (id, tag)
    };
    let result = world.replica().abort_upload(&world.key, &id).await;
    let mut journal = world.journal();
    let returned = world.wire.tick();
    let outcome = match &result {
        Ok(()) => Outcome::Done(bluebucket::object::ETag::parse("aborted")),
        Err(error) => Outcome::of_error(error),
    };
    journal.tally.count(format!("abort {outcome:?}"));
    journal.note(returned, format!("Abort of value {tag} answered {result:?}"));
    if let Some(tried) = journal.uploads[index].aborts.iter_mut().find(|tried| tried.called == called) {
        tried.returned = Some(returned);
        tried.outcome = Some(outcome.clone());
    }
    outcome
}

async fn writer(world: Arc<World>, mut sources: Vec<(Tag, ObjectKey)>) {
    let steps = 2 + world.below(4);
    let mut seen = None;
    for _ in 0..steps {
        world.pause().await;
        let replica = world.replica().clone();
        let which = world.below(15);
        match which {
            0..=2 => put(&world, &replica, WriteCondition::None, None).await,
            3 => put(&world, &replica, WriteCondition::Absent, Some(None)).await,
            4 => match seen {
                Some(tag) => put(&world, &replica, world.matches(tag), Some(Some(tag))).await,
                None => put(&world, &replica, WriteCondition::Absent, Some(None)).await,
            },
            5..=7 => delete(&world, &replica, None).await,
            8 | 11 | 12 => {
                seen = get(&world, &replica).await.flatten();
                delete(&world, &replica, seen).await;
            }
            9 => match sources.pop() {
                Some((tag, source)) => copy(&world, &replica, tag, source).await,
                None => put(&world, &replica, WriteCondition::None, None).await,
            },
            10 => tag(&world, &replica).await,
            _ => seen = get(&world, &replica).await.flatten(),
        }
    }
}

async fn reader(world: Arc<World>) {
    let steps = 3 + world.below(5);
    for _ in 0..steps {
        world.pause().await;
        let replica = world.replica().clone();
        get(&world, &replica).await;
    }
}

async fn put(world: &Arc<World>, replica: &Bucket, condition: WriteCondition, demands: Option<Option<Tag>>) {
    let (tag, bytes) = {
        let mut journal = world.journal();
        let tag = journal.values.add(|tag| content(tag, 0, 10 + tag as usize * 3));
        (tag, journal.values.content(tag))
    };
    let called = world.begin(format!("PUT of value {tag} demands {demands:?}"));
    let result = replica.put(&world.key, request(Payload::from(bytes), condition)).await;
    world.written("PUT", called, tag, demands, result);
}

async fn copy(world: &Arc<World>, replica: &Bucket, tag: Tag, source: ObjectKey) {
    let called = world.begin(format!("copy of value {tag}"));
    let request = CopyRequest {
        source,
        source_condition: Default::default(),
        attributes: Default::default(),
        condition: WriteCondition::None,
    };
    let result = replica.copy(&world.key, replica, &request).await;
    world.written("copy", called, tag, None, result);
}

async fn delete(world: &Arc<World>, replica: &Bucket, demands: Option<Tag>) {
    let condition = demands.map_or(WriteCondition::None, |tag| world.matches(tag));
    let called = world.begin(format!("DELETE demands {demands:?}"));
    let result = replica.delete(&world.key, &condition).await;
    let landed = result.is_ok();
    let action = demands.map_or(Action::Delete, |base| Action::DeleteIf { base, landed });
    world.end("DELETE", called, action, result.map(drop));
}

async fn tag(world: &Arc<World>, replica: &Bucket) {
    let called = world.begin("tagging".to_owned());
    let tags = Tags::parse_query(&format!("at={called}")).unwrap();
    let result = replica.put_tags(&world.key, &tags).await;
    let at = world.wire.tick();
    world.journal().note(at, format!("tagging of {called}: {result:?}"));
}

/// Reads the key: `None` if the read failed, else whose value is there.
pub async fn get(world: &Arc<World>, replica: &Bucket) -> Option<Option<Tag>> {
    let called = world.begin("GET".to_owned());
    let seen = match replica.get(&world.key, &ReadRequest::default()).await {
        Ok(Read::Object(object)) => match collect(object.body, BODY_MAX).await {
            Ok(bytes) => Ok(Some((bytes, object.head.meta.etag))),
            Err(error) => Err(error),
        },
        Ok(Read::NotModified(_)) => Ok(None),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    };
    let mut journal = world.journal();
    let value = match seen {
        Err(error) => {
            journal.note(world.wire.tick(), format!("GET of {called}: {error}"));
            return None;
        }
        Ok(None) => None,
        Ok(Some((bytes, etag))) => match journal.values.of_bytes(&bytes) {
            Some(tag) if journal.values.told(tag, &etag) => Some(tag),
            found => {
                let start = String::from_utf8_lossy(&bytes[..bytes.len().min(80)]).into_owned();
                journal.wrong.push(format!("a read saw {} bytes {start:?} as {found:?} {etag}", bytes.len()));
                return None;
            }
        },
    };
    let returned = world.wire.tick();
    journal.note(returned, format!("GET of {called}: {value:?}"));
    journal.operations.push(Operation { called, returned: Some(returned), action: Action::Read(value) });
    Some(value)
}

fn request(payload: Payload, condition: WriteCondition) -> PutRequest {
    PutRequest { payload, attributes: Attributes::default(), content_md5: None, checksums: Vec::new(), condition }
}

impl World {
    /// The condition that a client sends to demand a value that it has seen.
    fn matches(&self, tag: Tag) -> WriteCondition {
        let journal = self.journal();
        let etags = journal.values.etag(tag).cloned().into_iter().collect();
        WriteCondition::Match(TagList::Tags(etags))
    }

    fn begin(&self, line: String) -> u64 {
        let called = self.wire.tick();
        self.journal().note(called, line);
        called
    }

    fn written(&self, what: &str, called: u64, tag: Tag, demands: Option<Option<Tag>>, result: Result<Stored>) {
        if let Ok(stored) = &result {
            let mut journal = self.journal();
            if !journal.values.told(tag, &stored.etag) {
                journal.wrong.push(format!("{what} of value {tag} answers another ETag"));
            }
        }
        let landed = result.is_ok();
        let action = demands.map_or(Action::Write(tag), |base| Action::WriteIf { base, value: tag, landed });
        self.end(what, called, action, result.map(drop));
    }

    /// Records an operation by what its client was told.
    fn end(&self, what: &str, called: u64, action: Action<Tag>, result: Result<()>) {
        let at = self.wire.tick();
        let mut journal = self.journal();
        journal.note(at, format!("{what} of {called}: {result:?}"));
        let conditional = matches!(action, Action::WriteIf { .. } | Action::DeleteIf { .. });
        let returned = match result {
            Ok(()) => Some(at),
            Err(error) => match error.kind() {
                ErrorKind::PreconditionFailed | ErrorKind::NotFound if conditional => Some(at),
                // Refused without a judgement on the condition: nothing happened.
                ErrorKind::Conflict | ErrorKind::Throttled => return,
                _ if error.outcome_unknown() => None,
                kind => {
                    journal.wrong.push(format!("{what} of {called} answered {kind:?}"));
                    return;
                }
            },
        };
        journal.tally.count(format!("{what} {}", if returned.is_some() { "answered" } else { "unknown" }));
        journal.operations.push(Operation { called, returned, action });
    }
}
