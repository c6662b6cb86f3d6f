//! Replicas of the product that can be lost at any moment, with all that they are doing.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use bluebucket::bucket::{Bucket, Namespace, Shared};
use bluebucket::object::{BucketName, ContainerName};
use bluebucket::state::StateStore;
use tokio::sync::watch;

use super::{CONTAINER, STATE};
use crate::hostile_blob::HostileBlob;

/// A replica as a client has found it.
#[derive(Clone)]
pub struct Replica {
    pub bucket: Bucket,
    alive: watch::Receiver<()>,
}

/// The replicas of a schedule.
pub struct Replicas {
    blob: HostileBlob,
    namespace: Namespace,
    running: Mutex<Vec<Running>>,
}

/// Dropping the sender ends whatever runs on the replica.
struct Running {
    bucket: Bucket,
    life: watch::Sender<()>,
}

impl Replica {
    /// Carries out a request. `None` if the replica was lost meanwhile: nobody knows how far it came.
    pub async fn run<T>(&self, request: impl Future<Output = T>) -> Option<T> {
        let mut alive = self.alive.clone();
        tokio::select! {
            biased;
            done = request => Some(done),
            _ = alive.changed() => None,
        }
    }
}

impl Replicas {
    pub fn new(blob: HostileBlob, namespace: Namespace, count: usize) -> Self {
        let running = (0..count).map(|_| Running::start(&blob, namespace)).collect();
        Self { blob, namespace, running: Mutex::new(running) }
    }

    pub fn pick(&self, number: u64) -> Replica {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let one = &running[(number % running.len() as u64) as usize];
        Replica { bucket: one.bucket.clone(), alive: one.life.subscribe() }
    }

    /// Replaces one by a new one, which knows nothing of what it knew.
    pub fn drop_one(&self, number: u64) -> usize {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let which = (number % running.len() as u64) as usize;
        running[which] = Running::start(&self.blob, self.namespace);
        which
    }
}

impl Running {
    fn start(blob: &HostileBlob, namespace: Namespace) -> Self {
        let client = blob.client();
        let bucket = Bucket::new(
            BucketName::new("local-rocksdb-test").unwrap(),
            ContainerName::new(CONTAINER).unwrap(),
            client.clone(),
            StateStore::new(client, ContainerName::new(STATE).unwrap()),
            Arc::new(Shared::new(namespace)),
        );
        Self { bucket, life: watch::Sender::new(()) }
    }
}
