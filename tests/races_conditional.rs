//! Many clients that each want to be the first, through two replicas: exactly one is.
//!
//! 50 rounds of PUTs and 10 of Completes, 1,000 of each with `BLUEBUCKET_FULL=1`.

#[path = "harness/harness.rs"]
mod harness;
#[path = "harness/hostile_blob.rs"]
mod hostile_blob;

use std::sync::Arc;
use std::time::Duration;

use bluebucket::bucket::{Bucket, Shared};
use bluebucket::object::body::collect;
use bluebucket::object::multipart::{CompleteUpload, CompletedPart, CreateUpload, UploadPart};
use bluebucket::object::{
    Attributes, BucketName, ContainerName, ErrorKind, ObjectKey, Payload, PutRequest, Read, ReadRequest, Result,
    Stored, UploadId, WriteCondition,
};
use bluebucket::state::StateStore;
use bytes::Bytes;
use harness::random::{Random, seed};
use hostile_blob::{HostileBlob, Hostility};
use tokio::time::sleep;

const RACERS: usize = 64;
const REPLICAS: usize = 2;

#[test]
fn one_of_many_conditional_puts_wins() {
    rounds("one_of_many_conditional_puts_wins", 50, 1_000, async |world, key, random| {
        let racers = (0..RACERS).map(|racer| {
            let (bucket, pause) = (world.bucket(racer), pause(random));
            let (key, payload) = (key.clone(), Payload::from(content(racer)));
            tokio::spawn(async move {
                sleep(pause).await;
                let request = PutRequest {
                    payload,
                    attributes: Attributes::default(),
                    content_md5: None,
                    checksums: Vec::new(),
                    condition: WriteCondition::Absent,
                };
                bucket.put(&key, request).await
            })
        });
        futures::future::join_all(racers).await.into_iter().map(|raced| raced.unwrap()).collect()
    });
}

#[test]
fn one_of_many_conditional_completes_wins() {
    rounds("one_of_many_conditional_completes_wins", 10, 1_000, async |world, key, random| {
        let mut uploads = Vec::new();
        for racer in 0..RACERS {
            uploads.push(begin(&world.bucket(racer), key, racer).await.unwrap());
        }
        let racers = uploads.into_iter().enumerate().map(|(racer, (id, request))| {
            let (bucket, pause, key) = (world.bucket(racer + 1), pause(random), key.clone());
            tokio::spawn(async move {
                sleep(pause).await;
                bucket.complete_upload(&key, &id, &request).await
            })
        });
        futures::future::join_all(racers).await.into_iter().map(|raced| raced.unwrap()).collect()
    });
}

/// Runs the rounds of a race and checks each: one winner, and its bytes are there.
fn rounds(
    name: &str,
    quick: u64,
    full: u64,
    race: impl AsyncFn(&World, &ObjectKey, &mut Random) -> Vec<Result<Stored>>,
) {
    let count = if std::env::var("BLUEBUCKET_FULL").is_ok() { full } else { quick };
    let mut random = Random::new(seed(name));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let hostility = Hostility { delay_max: 20, chance: 0.0, chance_of_commits: 0.0, budget: 0 };
        let blob = HostileBlob::start(random.next(), hostility, &["flink", "bluebucket-state"]);
        let world = World((0..REPLICAS).map(|_| replica(&blob)).collect());
        for round in 0..count {
            let key = ObjectKey::new(format!("round-{round}")).unwrap();
            let outcomes = race(&world, &key, &mut random).await;
            let winners: Vec<_> = (0..outcomes.len()).filter(|&racer| outcomes[racer].is_ok()).collect();
            assert_eq!(winners.len(), 1, "round {round}: {winners:?} won");
            for outcome in &outcomes {
                let kind = outcome.as_ref().map_or_else(|error| error.kind(), |_| ErrorKind::PreconditionFailed);
                assert_eq!(kind, ErrorKind::PreconditionFailed, "round {round}: {outcome:?}");
            }
            assert_eq!(world.read(&key).await, content(winners[0]), "round {round}");
        }
        println!("{count} rounds");
    });
}

struct World(Vec<Bucket>);

impl World {
    fn bucket(&self, racer: usize) -> Bucket {
        self.0[racer % REPLICAS].clone()
    }

    async fn read(&self, key: &ObjectKey) -> Bytes {
        match self.0[0].get(key, &ReadRequest::default()).await.unwrap() {
            Read::Object(object) => collect(object.body, 1 << 20).await.unwrap(),
            Read::NotModified(_) => panic!("a read without a condition"),
        }
    }
}

fn replica(blob: &HostileBlob) -> Bucket {
    let client = blob.client();
    let state = StateStore::new(client.clone(), ContainerName::new("bluebucket-state").unwrap());
    let (name, container) = (BucketName::new("local-rocksdb-test").unwrap(), ContainerName::new("flink").unwrap());
    Bucket::new(name, container, client, state, Arc::new(Shared::default()))
}

async fn begin(bucket: &Bucket, key: &ObjectKey, racer: usize) -> Result<(UploadId, CompleteUpload)> {
    let id = bucket.create_upload(key, &CreateUpload::default()).await?;
    let part = UploadPart {
        number: 1,
        payload: Payload::from(content(racer)),
        content_md5: None,
        checksums: Vec::new(),
        late_checksums: None,
    };
    let etag = bucket.upload_part(key, &id, part).await?.etag;
    let parts = vec![CompletedPart { number: 1, etag, checksums: Vec::new() }];
    Ok((id, CompleteUpload { parts, condition: WriteCondition::Absent, ..CompleteUpload::default() }))
}

fn pause(random: &mut Random) -> Duration {
    Duration::from_micros(random.below(10_000))
}

fn content(racer: usize) -> Bytes {
    format!("racer {racer}").into_bytes().into()
}
