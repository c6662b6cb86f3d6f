//! What the service keeps: accounts, containers, blobs and their uncommitted blocks.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, RwLock};
use std::time::{Duration, SystemTime};

use aws_lc_rs::hmac;

use super::checksum::{KnownMd5, Md5Hash, unbase64};
use super::clock::Etag;
use super::config::{AccountConfig, Storage};
use super::content::{Content, synthetic_seed};
use super::error::{Outcome, ServiceError};
use super::lease::Lease;
use super::names::{BlobName, NameOrder, path};
use super::properties::{Metadata, Properties};

/// A storage account.
pub(super) struct Account {
    pub config: AccountConfig,
    pub key: Option<hmac::Key>,
    /// Signs user delegation keys, so that they need not be remembered.
    pub delegation: hmac::Key,
    pub known_md5: KnownMd5,
    containers: RwLock<BTreeMap<String, Slot>>,
}

enum Slot {
    Live(Arc<Container>),
    /// The name is blocked for a while.
    Deleted {
        at: SystemTime,
    },
}

/// How long the name of a deleted container cannot be used.
const DELETED_BLOCKS_FOR: Duration = Duration::from_secs(30);

impl Account {
    /// `None` if the key is no base64.
    pub fn new(config: AccountConfig) -> Option<Self> {
        let key = match &config.key_base64 {
            None => None,
            Some(text) => Some(hmac::Key::new(hmac::HMAC_SHA256, &unbase64(text)?)),
        };
        let secret = format!("user delegation of {} {}", config.name, config.seed);
        Some(Self {
            key,
            delegation: hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()),
            known_md5: KnownMd5::default(),
            containers: RwLock::default(),
            config,
        })
    }

    pub fn name_order(&self) -> NameOrder {
        if self.config.hierarchical { NameOrder::Tree } else { NameOrder::Flat }
    }

    /// The name that a text has in this account.
    pub fn blob_name(&self, text: &str) -> BlobName {
        if self.config.hierarchical {
            BlobName::new(path(text), NameOrder::Tree)
        } else {
            BlobName::new(text, NameOrder::Flat)
        }
    }

    pub fn container(&self, name: &str) -> Outcome<Arc<Container>> {
        let containers = self.containers.read().unwrap_or_else(|e| e.into_inner());
        match containers.get(name) {
            Some(Slot::Live(container)) => Ok(container.clone()),
            _ => Err(ServiceError::container_not_found()),
        }
    }

    pub fn create(&self, name: &str, etag: Etag, metadata: Metadata, now: SystemTime) -> Outcome<()> {
        let mut containers = self.containers.write().unwrap_or_else(|e| e.into_inner());
        match containers.get(name) {
            Some(Slot::Live(_)) => return Err(ServiceError::container_already_exists()),
            Some(Slot::Deleted { at }) if now < *at + DELETED_BLOCKS_FOR => {
                return Err(ServiceError::container_being_deleted());
            }
            _ => {}
        }
        let real =
            self.config.storage == Storage::Memory || self.config.real_containers.iter().any(|real| real == name);
        let state = ContainerState { etag, modified: now, metadata, blobs: BTreeMap::new(), deleted: false };
        let container = Container { name: name.to_owned(), keeps_content: real, state: Mutex::new(state) };
        containers.insert(name.to_owned(), Slot::Live(Arc::new(container)));
        Ok(())
    }

    /// Deletes a container; deleting it again while its name is blocked succeeds too, as recorded.
    pub fn delete(&self, name: &str, now: SystemTime, check: impl Fn(&ContainerState) -> Outcome<()>) -> Outcome<()> {
        let mut containers = self.containers.write().unwrap_or_else(|e| e.into_inner());
        match containers.get(name) {
            Some(Slot::Live(container)) => {
                let mut state = container.lock();
                check(&state)?;
                state.deleted = true;
                state.blobs.clear();
            }
            Some(Slot::Deleted { at }) if now < *at + DELETED_BLOCKS_FOR => return Ok(()),
            _ => return Err(ServiceError::container_not_found()),
        }
        containers.insert(name.to_owned(), Slot::Deleted { at: now });
        Ok(())
    }

    /// The containers from `start` on, in order.
    pub fn containers_from(&self, start: &str) -> Vec<Arc<Container>> {
        let containers = self.containers.read().unwrap_or_else(|e| e.into_inner());
        let live = containers.range(start.to_owned()..).filter_map(|(_, slot)| match slot {
            Slot::Live(container) => Some(container.clone()),
            Slot::Deleted { .. } => None,
        });
        live.collect()
    }
}

/// A container. Its lock is held for lookups and commits only, never while a body is read.
pub(super) struct Container {
    pub name: String,
    /// Content is kept even if the account is synthetic.
    pub keeps_content: bool,
    state: Mutex<ContainerState>,
}

pub(super) struct ContainerState {
    pub etag: Etag,
    pub modified: SystemTime,
    pub metadata: Metadata,
    pub blobs: BTreeMap<BlobName, Entry>,
    deleted: bool,
}

impl Container {
    fn lock(&self) -> MutexGuard<'_, ContainerState> {
        self.state.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// # Errors
    /// `ContainerNotFound` if it was deleted since it was looked up.
    pub fn open(&self) -> Outcome<MutexGuard<'_, ContainerState>> {
        let state = self.lock();
        if state.deleted { Err(ServiceError::container_not_found()) } else { Ok(state) }
    }

    /// What is stored of a body: itself, or how to generate its stand-in.
    pub fn content(&self, account: &Account, name: &BlobName, pieces: Vec<bytes::Bytes>, length: u64) -> Content {
        if self.keeps_content {
            return Content::kept(pieces);
        }
        Content::Synthetic { seed: synthetic_seed(account.config.seed, &self.name, name.as_str(), length), length }
    }
}

impl ContainerState {
    /// The entry of a name as of `now`: pending copies that are due are done, old blocks gone.
    pub fn entry(&mut self, name: &BlobName, now: SystemTime) -> Option<&mut Entry> {
        let entry = self.blobs.get_mut(name)?;
        entry.settle(now);
        if entry.is_nothing() {
            self.blobs.remove(name);
            return None;
        }
        self.blobs.get_mut(name)
    }

    /// Makes `blob` the content of `name` and discards all its uncommitted blocks.
    pub fn commit(&mut self, name: &BlobName, blob: Blob, now: SystemTime) {
        let blob = Arc::new(blob);
        match self.blobs.get_mut(name) {
            Some(entry) => {
                entry.committed = Some(blob);
                entry.uncommitted = Uncommitted::default();
                entry.pending = None;
                entry.forget_ended_lease(now);
            }
            None => {
                let entry = Entry { committed: Some(blob), ..Entry::default() };
                self.blobs.insert(name.clone(), entry);
            }
        }
    }
}

/// All there is of one name.
#[derive(Default)]
pub(super) struct Entry {
    pub committed: Option<Arc<Blob>>,
    pub uncommitted: Uncommitted,
    pub lease: Option<Lease>,
    /// What an asynchronous copy will show, and when.
    pub pending: Option<(SystemTime, Blob)>,
    /// What a Data Lake client has appended and not flushed.
    pub appended: Vec<bytes::Bytes>,
}

#[derive(Default)]
pub(super) struct Uncommitted {
    /// By decoded id.
    pub blocks: BTreeMap<Vec<u8>, Arc<Block>>,
    pub last_put: Option<SystemTime>,
}

/// How long uncommitted blocks live after the last Put Block on their blob.
const UNCOMMITTED_LIVE_FOR: Duration = Duration::from_secs(7 * 86_400);

impl Entry {
    /// Does what has come due: copies end, old blocks go.
    pub fn settle(&mut self, now: SystemTime) {
        if let Some((due, blob)) = self.pending.take_if(|(due, _)| *due <= now) {
            let _ = due;
            self.committed = Some(Arc::new(blob));
        }
        if self.uncommitted.last_put.is_some_and(|last| last + UNCOMMITTED_LIVE_FOR <= now) {
            self.uncommitted = Uncommitted::default();
        }
    }

    pub fn is_nothing(&self) -> bool {
        self.committed.is_none() && self.uncommitted.blocks.is_empty()
    }

    /// A write over a lease that has run out ends it for good.
    pub fn forget_ended_lease(&mut self, now: SystemTime) {
        if !super::lease::state(self.lease.as_ref(), now).active() {
            self.lease = None;
        }
    }
}

/// One version of a blob.
#[derive(Clone, Debug)]
pub(super) struct Blob {
    pub etag: Etag,
    pub created: SystemTime,
    pub modified: SystemTime,
    pub content: Content,
    /// Of the bytes that were written, also where they are not kept.
    pub crc64: Option<u64>,
    pub md5: Option<Md5Hash>,
    pub properties: Properties,
    pub metadata: Metadata,
    /// The committed block list; empty for a blob of one Put Blob.
    pub blocks: Arc<Vec<(Vec<u8>, Arc<Block>)>>,
    pub tier: Option<(String, SystemTime)>,
    pub copy: Option<Copy>,
    pub kind: BlobKind,
}

/// What a blob is to a hierarchical account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum BlobKind {
    /// Written through the Blob endpoint.
    #[default]
    Blob,
    /// Created through the Data Lake endpoint: it takes no blocks.
    DataLake,
    Directory,
}

/// How a blob came to be by Copy Blob.
#[derive(Clone, Debug)]
pub(super) struct Copy {
    pub id: String,
    pub source: String,
    pub status: &'static str,
    pub copied: u64,
    pub total: u64,
    pub completed: Option<SystemTime>,
}

/// A block, committed or not.
#[derive(Debug)]
pub(super) struct Block {
    pub content: Content,
    pub crc64: u64,
}
