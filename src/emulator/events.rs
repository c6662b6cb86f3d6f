//! A log of commits, for oracles.

use std::sync::Mutex;

use super::clock::Etag;

/// A change that readers can see, in the order in which the service carried them out (per blob;
/// of two blobs in different containers either may be logged first).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitEvent {
    pub account: String,
    pub container: String,
    /// Empty for a container itself.
    pub name: String,
    /// `None` if nothing is left.
    pub etag: Option<Etag>,
    pub kind: CommitKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitKind {
    PutBlob,
    PutBlockList,
    Copy,
    SetMetadata,
    SetProperties,
    Delete,
    CreateContainer,
    DeleteContainer,
}

pub(super) struct Events(Option<Mutex<Vec<CommitEvent>>>);

impl Events {
    pub fn new(on: bool) -> Self {
        Self(on.then(Mutex::default))
    }

    pub fn record(&self, account: &str, container: &str, name: &str, etag: Option<Etag>, kind: CommitKind) {
        let Some(log) = &self.0 else { return };
        let event = CommitEvent {
            account: account.to_owned(),
            container: container.to_owned(),
            name: name.to_owned(),
            etag,
            kind,
        };
        log.lock().unwrap_or_else(|e| e.into_inner()).push(event);
    }

    /// All events from the `from`-th on.
    pub fn since(&self, from: usize) -> Vec<CommitEvent> {
        let Some(log) = &self.0 else { return Vec::new() };
        log.lock().unwrap_or_else(|e| e.into_inner()).iter().skip(from).cloned().collect()
    }
}
