//! The life of multipart uploads over weeks, restarts and replicas: what is kept, what is answered when
//! it is asked again, and what the sweeper may and may not remove.

#[path = "harness/harness.rs"]
mod harness;
#[path = "harness/hostile_blob.rs"]
mod hostile_blob;

#[path = "multipart_life/answers.rs"]
mod answers;
#[path = "multipart_life/expiry.rs"]
mod expiry;
#[path = "multipart_life/months.rs"]
mod months;
#[path = "multipart_life/sweeping.rs"]
mod sweeping;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bluebucket::bucket::{Bucket, Shared};
use bluebucket::emulator::{CommitEvent, CommitKind, Fault, FaultPlan, FaultRule, FaultScope, Operation, Trigger};
use bluebucket::object::body::collect;
use bluebucket::object::multipart::{CompleteUpload, CompletedPart, CreateUpload, UploadPart};
use bluebucket::object::{
    Attributes, BucketName, ContainerName, ErrorKind, ObjectKey, Payload, PutRequest, Read, ReadRequest, Result,
    Stored, Timestamp, UploadId, WriteCondition,
};
use bluebucket::state::StateStore;
use hostile_blob::{HostileBlob, Hostility};

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);
const CONTAINER: &str = "flink";
const STATE: &str = "bluebucket-state";
const CALM: Hostility = Hostility { delay_max: 0, chance: 0.0, chance_of_commits: 0.0, budget: 0 };

/// An account, and a clock that the account and all replicas go by.
struct Life {
    blob: HostileBlob,
    shift: Arc<AtomicI64>,
}

/// An upload as its client knows it.
#[derive(Clone)]
struct Begun {
    key: ObjectKey,
    id: UploadId,
    request: CompleteUpload,
}

impl Life {
    fn new() -> Self {
        Self::with(1, CALM)
    }

    fn with(seed: u64, hostility: Hostility) -> Self {
        Self { blob: HostileBlob::start(seed, hostility, &[CONTAINER, STATE]), shift: Arc::default() }
    }

    /// A replica that has just been started.
    fn replica(&self) -> Bucket {
        self.replica_of("local-rocksdb-test")
    }

    fn replica_of(&self, bucket: &str) -> Bucket {
        let client = self.blob.client();
        let shift = self.shift.clone();
        let clock = move || Timestamp(Timestamp::now().0 + shift.load(Ordering::SeqCst));
        Bucket::new(
            BucketName::new(bucket).unwrap(),
            ContainerName::new(CONTAINER).unwrap(),
            client.clone(),
            StateStore::new(client, ContainerName::new(STATE).unwrap()),
            Arc::new(Shared::with_clock(clock)),
        )
    }

    fn now(&self) -> Timestamp {
        Timestamp(Timestamp::now().0 + self.shift.load(Ordering::SeqCst))
    }

    /// Lets time pass.
    fn pass(&self, time: Duration) {
        self.shift.fetch_add(time.as_secs() as i64, Ordering::SeqCst);
        self.blob.wire.emulator().clock().advance(time);
    }

    /// The commits of block lists fail so, from now on.
    fn fail_commits(&self, fault: Fault) {
        self.fail_some_commits(fault, 0, u64::MAX);
    }

    /// The first that would record how this upload ended comes to that so much later.
    fn delay_end(&self, begun: &Begun, delay: Duration) {
        let blob = Some(format!("done!local-rocksdb-test!{}", begun.id));
        let scope = FaultScope { container: Some(STATE.into()), blob, ..FaultScope::operation(Operation::PutBlob) };
        let rule = FaultRule { scope, trigger: Trigger::Next { skip: 0, times: 1 }, fault: Fault::Latency(delay) };
        self.blob.wire.emulator().set_fault(rule);
    }

    /// So many commits of block lists fail so, after so many that do not.
    fn fail_some_commits(&self, fault: Fault, skip: u64, times: u64) {
        let scope = FaultScope { container: Some(CONTAINER.into()), ..FaultScope::operation(Operation::PutBlockList) };
        let rule = FaultRule { scope, trigger: Trigger::Next { skip, times }, fault };
        self.blob.wire.emulator().set_fault(rule);
    }

    fn heal(&self) {
        self.blob.wire.emulator().set_faults(FaultPlan::default());
    }

    /// An upload with these parts, each through a replica of its own.
    async fn begin(&self, key: &str, parts: &[(u16, &[u8])]) -> Begun {
        let key = ObjectKey::new(key).unwrap();
        let id = self.replica().create_upload(&key, &CreateUpload::default()).await.unwrap();
        let mut begun = Begun { key, id, request: CompleteUpload::default() };
        for (number, content) in parts {
            let part = self.part(&begun, *number, content).await.unwrap();
            begun.request.parts.push(part);
        }
        begun
    }

    async fn part(&self, begun: &Begun, number: u16, content: &[u8]) -> Result<CompletedPart> {
        let request = UploadPart {
            number,
            payload: Payload::from(bytes::Bytes::copy_from_slice(content)),
            content_md5: None,
            checksums: Vec::new(),
            late_checksums: None,
        };
        let etag = self.replica().upload_part(&begun.key, &begun.id, request).await?.etag;
        Ok(CompletedPart { number, etag, checksums: Vec::new() })
    }

    /// Complete through a fresh replica.
    async fn complete(&self, begun: &Begun) -> Result<Stored> {
        self.replica().complete_upload(&begun.key, &begun.id, &begun.request).await
    }

    async fn put(&self, key: &ObjectKey, content: &'static [u8], condition: WriteCondition) -> Result<Stored> {
        let payload = Payload::from(bytes::Bytes::from_static(content));
        let attributes = Attributes::default();
        let request = PutRequest { payload, attributes, content_md5: None, checksums: Vec::new(), condition };
        self.replica().put(key, request).await
    }

    async fn read(&self, key: &ObjectKey) -> Option<Vec<u8>> {
        match self.replica().get(key, &ReadRequest::default()).await {
            Ok(Read::Object(object)) => Some(collect(object.body, 64 << 20).await.unwrap().to_vec()),
            Ok(Read::NotModified(_)) => panic!("a read without a condition"),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
                None
            }
        }
    }

    /// What lies in the state container under names that begin so.
    async fn state(&self, prefix: &str) -> Vec<String> {
        let state = StateStore::new(self.blob.client(), ContainerName::new(STATE).unwrap());
        let (records, _) = state.list(prefix, None).await.unwrap();
        records.into_iter().map(|record| record.name).collect()
    }

    /// How often a block list has been committed to the key.
    fn landings(&self, begun: &Begun) -> usize {
        let of_key = |event: &CommitEvent| event.container == CONTAINER && event.name == begun.key.as_str();
        let events = self.blob.wire.emulator().events(0).into_iter();
        events.filter(|event| event.kind == CommitKind::PutBlockList && of_key(event)).count()
    }
}

#[track_caller]
fn kind<T: std::fmt::Debug>(result: Result<T>) -> ErrorKind {
    result.expect_err("this has to fail").kind()
}
