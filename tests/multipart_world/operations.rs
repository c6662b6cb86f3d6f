//! What a client asks of a replica, once, and what goes on record of it.

use std::sync::Arc;

use bluebucket::object::body::collect;
use bluebucket::object::condition::TagList;
use bluebucket::object::multipart::CompleteUpload;
use bluebucket::object::write::{CopyAttributes, CopyRequest};
use bluebucket::object::{
    Attributes, ErrorKind, ObjectKey, Payload, PutRequest, Read, ReadRequest, Result, Timestamp, WriteCondition,
};

use super::World;
use super::journal::{Outcome, Try};
use super::replica::Replica;
use super::values::{label_of_tags, label_of_user, tags, user};
use crate::harness::oracle::{Demand, Held, Label, ObjectAction, ObjectOperation, Value};

const BODY_MAX: usize = 16 << 20;
/// Reads of what a copy has made, until one is answered.
const LOOKS: usize = 10;

/// What a replica answered; `None` if it was lost.
type Told<T> = Option<Result<T>>;

pub async fn put(world: &Arc<World>, replica: &Replica, demands: Demand) {
    let (value, bytes) = {
        let mut journal = world.journal();
        let value = journal.values.add_whole(|value| 10 + value as usize * 3);
        (value, journal.values.bytes(value))
    };
    let makes = world.labelled(value);
    let called = world.begin(format!("PUT of {makes:?}, demands {demands:?}"));
    let request = put_request(Payload::from(bytes), makes, world.condition(demands));
    let told = replica.run(replica.bucket.put(&world.key, request)).await;
    world.check_etag("PUT", value, told.as_ref().and_then(|told| Some(&told.as_ref().ok()?.etag)));
    let action = ObjectAction::Write { makes, demands, landed: landed(&told) };
    world.end("PUT", called, action, told, refusals(demands));
}

/// Copies a source, whose value is `value`, onto the key.
pub async fn copy_onto(world: &Arc<World>, replica: &Replica, value: Value, source: ObjectKey, demands: Demand) {
    let makes = world.labelled(value);
    let called = world.begin(format!("copy of {makes:?}, demands {demands:?}"));
    let attributes = copy_attributes(makes);
    let condition = world.condition(demands);
    let request = CopyRequest { source, source_condition: Default::default(), attributes, condition };
    let told = replica.run(replica.bucket.copy(&world.key, &replica.bucket, &request)).await;
    world.check_etag("copy", value, told.as_ref().and_then(|told| Some(&told.as_ref().ok()?.etag)));
    let action = ObjectAction::Write { makes, demands, landed: landed(&told) };
    world.end("copy", called, action, told, refusals(demands));
}

/// Copies the key onto itself, with other tags.
pub async fn copy_in_place(world: &Arc<World>, replica: &Replica) {
    let makes = world.labelled(0);
    let called = world.begin(format!("copy onto itself, {makes:?}"));
    let request = copy_request(world.key.clone(), copy_attributes(makes));
    let told = replica.run(replica.bucket.copy(&world.key, &replica.bucket, &request)).await;
    let etag = told.as_ref().and_then(|told| Some(told.as_ref().ok()?.etag.clone()));
    let value = etag.and_then(|etag| world.journal().values.of_etag(&etag));
    let action = ObjectAction::InPlace { value, meta: makes.meta, tags: makes.tags, found: landed(&told) };
    world.end("copy in place", called, action, told, &[ErrorKind::NotFound]);
}

/// Copies the key to a place of its own: what lands there was at the key at some moment.
pub async fn copy_from(world: &Arc<World>, replica: &Replica) {
    let called = world.begin("copy to elsewhere".to_owned());
    let target = ObjectKey::new(format!("copy-{called}")).unwrap();
    let request = copy_request(world.key.clone(), CopyAttributes::default());
    let told = replica.run(replica.bucket.copy(&target, &replica.bucket, &request)).await;
    let returned = world.wire.tick();
    let seen = match &told {
        Some(Ok(_)) => read_copy(world, &target).await,
        Some(Err(error)) if error.kind() == ErrorKind::NotFound => Some(None),
        _ => None,
    };
    let mut journal = world.journal();
    journal.note(returned, format!("copy to elsewhere of {called}: {seen:?} {told:?}"));
    journal.tally.count(format!("copy from {}", if seen.is_some() { "answered" } else { "unknown" }));
    if let Some(seen) = seen {
        journal.operations.push(ObjectOperation { called, returned: Some(returned), action: ObjectAction::Read(seen) });
    }
}

async fn read_copy(world: &Arc<World>, target: &ObjectKey) -> Option<Option<Held>> {
    for _ in 0..LOOKS {
        let replica = world.replica();
        match look(world, &replica, target).await {
            Some(Ok(None)) => {
                world.journal().wrong.push(format!("what was copied to {target} is not there"));
                return None;
            }
            Some(Ok(seen)) => return Some(seen),
            _ => world.pause().await,
        }
    }
    None
}

pub async fn delete(world: &Arc<World>, replica: &Replica, demands: Demand) {
    let condition = world.condition(demands);
    let called = world.begin(format!("DELETE demands {demands:?}"));
    let told = replica.run(replica.bucket.delete(&world.key, &condition)).await;
    let action = ObjectAction::Delete { demands, landed: landed(&told) };
    world.end("DELETE", called, action, told, refusals(demands));
}

pub async fn retag(world: &Arc<World>, replica: &Replica) {
    let set = if world.chance(0.2) { 0 } else { world.fresh_label() };
    let called = world.begin(format!("tagging with {set}"));
    let told = replica.run(replica.bucket.put_tags(&world.key, &tags(set))).await;
    let action = ObjectAction::Retag { tags: set, found: landed(&told) };
    world.end("tagging", called, action, told, &[ErrorKind::NotFound]);
}

pub async fn read_tags(world: &Arc<World>, replica: &Replica) {
    let called = world.begin("GET of tags".to_owned());
    let told = replica.run(replica.bucket.tags(&world.key)).await;
    let returned = world.wire.tick();
    let seen = match &told {
        Some(Ok(tags)) => Some(label_of_tags(tags)),
        Some(Err(error)) if error.kind() == ErrorKind::NotFound => Some(None),
        _ => None,
    };
    let mut journal = world.journal();
    journal.note(returned, format!("GET of tags of {called}: {told:?}"));
    if let Some(seen) = seen {
        journal.operations.push(ObjectOperation {
            called,
            returned: Some(returned),
            action: ObjectAction::ReadTags(seen),
        });
    }
}

/// Reads the key: `None` if the read failed, else whose value is there.
pub async fn get(world: &Arc<World>, replica: &Replica) -> Option<Option<Value>> {
    let called = world.begin("GET".to_owned());
    let told = look(world, replica, &world.key).await;
    let returned = world.wire.tick();
    let mut journal = world.journal();
    journal.note(returned, format!("GET of {called}: {told:?}"));
    let seen = told?.ok()?;
    journal.operations.push(ObjectOperation { called, returned: Some(returned), action: ObjectAction::Read(seen) });
    Some(seen.map(|held| held.value))
}

/// What is at a key.
async fn look(world: &Arc<World>, replica: &Replica, key: &ObjectKey) -> Told<Option<Held>> {
    let request = ReadRequest::default();
    let read = replica.run(async {
        match replica.bucket.get(key, &request).await? {
            Read::Object(object) => {
                let bytes = collect(object.body, BODY_MAX).await?;
                Ok::<_, bluebucket::object::Error>((bytes, object.head.meta))
            }
            Read::NotModified(_) => unreachable!("a read without a condition"),
        }
    });
    let (bytes, meta) = match read.await? {
        Err(error) if error.kind() == ErrorKind::NotFound => return Some(Ok(None)),
        Err(error) => return Some(Err(error)),
        Ok(read) => read,
    };
    let mut journal = world.journal();
    match (journal.values.of_bytes(&bytes), label_of_user(&meta.user), label_of_tags(&meta.tags)) {
        (Some(value), Some(meta_label), Some(tags)) if journal.values.etag(value) == Some(&meta.etag) => {
            Some(Ok(Some(Held { value, meta: meta_label, tags })))
        }
        found => {
            let start = String::from_utf8_lossy(&bytes[..bytes.len().min(80)]).into_owned();
            let wrong =
                format!("a read saw {} bytes {start:?} as {found:?} {} {:?}", bytes.len(), meta.etag, meta.tags);
            journal.wrong.push(wrong);
            None
        }
    }
}

/// Calls Complete once, with one of the upload's lists of parts.
pub async fn complete(world: &Arc<World>, replica: &Replica, index: usize, list: usize) -> Outcome {
    let (id, request, value, place) = {
        let mut journal = world.journal();
        let called = world.wire.tick();
        let upload = &mut journal.uploads[index];
        upload.completes.push(Try { called, returned: None, outcome: None, list });
        let parts = upload.lists[list].parts.clone();
        let request = CompleteUpload { parts, condition: upload.condition.clone(), ..CompleteUpload::default() };
        let place = upload.completes.len() - 1;
        let (id, value) = (upload.id.clone(), upload.lists[list].value);
        journal.note(called, format!("Complete of value {value}"));
        (id, request, value, place)
    };
    let told = replica.run(replica.bucket.complete_upload(&world.key, &id, &request)).await;
    world.check_etag("Complete", value, told.as_ref().and_then(|told| Some(&told.as_ref().ok()?.etag)));
    let mut journal = world.journal();
    let returned = world.wire.tick();
    journal.note(returned, format!("Complete of value {value} answered {told:?}"));
    let Some(told) = told else {
        journal.tally.count("complete cut");
        return Outcome::Failed(ErrorKind::Unavailable);
    };
    let outcome = told.map_or_else(|error| Outcome::of_error(&error), |stored| Outcome::Done(stored.etag));
    let label = match &outcome {
        Outcome::Done(_) => "200".to_owned(),
        other => format!("{other:?}"),
    };
    journal.tally.count(format!("complete {label}"));
    let tried = &mut journal.uploads[index].completes[place];
    tried.returned = Some(returned);
    tried.outcome = Some(outcome.clone());
    outcome
}

/// Calls Abort once.
pub async fn abort(world: &Arc<World>, replica: &Replica, index: usize) -> Outcome {
    let called = world.wire.tick();
    let (id, place) = {
        let mut journal = world.journal();
        let upload = &mut journal.uploads[index];
        upload.aborts.push(Try { called, returned: None, outcome: None, list: 0 });
        let (id, place) = (upload.id.clone(), upload.aborts.len() - 1);
        journal.note(called, format!("Abort of upload {id}"));
        (id, place)
    };
    let told = replica.run(replica.bucket.abort_upload(&world.key, &id)).await;
    let mut journal = world.journal();
    let returned = world.wire.tick();
    journal.note(returned, format!("Abort of upload {id} answered {told:?}"));
    let Some(told) = told else { return Outcome::Failed(ErrorKind::Unavailable) };
    let aborted = || Outcome::Done(bluebucket::object::ETag::parse("aborted"));
    let outcome = told.map_or_else(|error| Outcome::of_error(&error), |()| aborted());
    journal.tally.count(format!("abort {outcome:?}"));
    let tried = &mut journal.uploads[index].aborts[place];
    tried.returned = Some(returned);
    tried.outcome = Some(outcome.clone());
    outcome
}

/// Sweeps as a replica does from time to time, as if everything were minutes old.
pub async fn sweep(world: &Arc<World>, replica: &Replica) {
    let at = world.begin("sweep".to_owned());
    world.journal().sweeps += 1;
    let later = Timestamp(Timestamp::now().0 + 400);
    let told = replica.run(replica.bucket.sweep_uploads(later, None)).await;
    let ended = world.wire.tick();
    let mut journal = world.journal();
    journal.note(ended, format!("sweep of {at}: {told:?}"));
    if let Some(Ok(swept)) = told {
        journal.tally.count("sweeps");
        (0..swept.settled).for_each(|_| journal.tally.count("settled by a sweep"));
    }
}

pub fn put_request(payload: Payload, makes: Held, condition: WriteCondition) -> PutRequest {
    let attributes = Attributes { user: user(makes.meta), tags: tags(makes.tags), ..Attributes::default() };
    PutRequest { payload, attributes, content_md5: None, checksums: Vec::new(), condition }
}

fn copy_attributes(makes: Held) -> CopyAttributes {
    CopyAttributes {
        replace: Some((Default::default(), user(makes.meta))),
        tags: Some(tags(makes.tags)),
        ..CopyAttributes::default()
    }
}

fn copy_request(source: ObjectKey, attributes: CopyAttributes) -> CopyRequest {
    CopyRequest { source, source_condition: Default::default(), attributes, condition: WriteCondition::None }
}

fn landed<T>(told: &Told<T>) -> bool {
    matches!(told, Some(Ok(_)))
}

/// The errors that say that a condition does not hold.
fn refusals(demands: Demand) -> &'static [ErrorKind] {
    match demands {
        Demand::Nothing => &[],
        Demand::Absent => &[ErrorKind::PreconditionFailed],
        Demand::Value(_) => &[ErrorKind::PreconditionFailed, ErrorKind::NotFound],
    }
}

impl World {
    /// The condition that a client sends.
    pub fn condition(&self, demands: Demand) -> WriteCondition {
        match demands {
            Demand::Nothing => WriteCondition::None,
            Demand::Absent => WriteCondition::Absent,
            Demand::Value(value) => {
                let etags = self.journal().values.etag(value).cloned().into_iter().collect();
                WriteCondition::Match(TagList::Tags(etags))
            }
        }
    }

    /// A value with metadata and perhaps tags that no other write has.
    pub fn labelled(&self, value: Value) -> Held {
        let meta = self.fresh_label();
        Held { value, meta, tags: if self.chance(0.5) { meta } else { 0 } }
    }

    fn fresh_label(&self) -> Label {
        let mut journal = self.journal();
        journal.labels += 1;
        journal.labels
    }

    fn begin(&self, line: String) -> u64 {
        let called = self.wire.tick();
        self.journal().note(called, line);
        called
    }

    fn check_etag(&self, what: &str, value: Value, told: Option<&bluebucket::object::ETag>) {
        let mut journal = self.journal();
        if told.is_some() && journal.values.etag(value) != told {
            journal.wrong.push(format!("{what} of value {value} answers the ETag {told:?}"));
        }
    }

    /// Records an operation by what its client was told.
    fn end<T>(&self, what: &str, called: u64, action: ObjectAction, told: Told<T>, refusals: &[ErrorKind]) {
        let at = self.wire.tick();
        let mut journal = self.journal();
        let told = told.map(|told| told.map(drop));
        journal.note(at, format!("{what} of {called}: {told:?}"));
        let returned = match told {
            None => None,
            Some(Ok(())) => Some(at),
            Some(Err(error)) if refusals.contains(&error.kind()) => Some(at),
            Some(Err(error)) => match error.kind() {
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
        journal.operations.push(ObjectOperation { called, returned, action });
    }
}
