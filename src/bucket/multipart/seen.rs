//! Uploads whose marker this process has seen moments ago: spares each part a read.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::object::{ObjectKey, UploadId};

/// How long a look is good for. A part that another replica's abort overtakes within this time is
/// stored and swept later; its upload's Complete answers NoSuchUpload all the same.
const FRESH: Duration = Duration::from_secs(5);
/// Entries kept; past it the stale ones are dropped, then all.
const ENTRIES_MAX: usize = 16_384;

/// Shared by all threads of a process.
#[derive(Default)]
pub struct SeenUploads(Mutex<HashMap<UploadId, (ObjectKey, Instant)>>);

impl SeenUploads {
    pub(super) fn recently(&self, id: &UploadId, key: &ObjectKey) -> bool {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(id).is_some_and(|(seen_key, at)| seen_key == key && at.elapsed() < FRESH)
    }

    pub(super) fn note(&self, id: &UploadId, key: &ObjectKey) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= ENTRIES_MAX {
            seen.retain(|_, (_, at)| at.elapsed() < FRESH);
            if seen.len() >= ENTRIES_MAX {
                seen.clear();
            }
        }
        seen.insert(id.clone(), (key.clone(), Instant::now()));
    }

    pub(super) fn forget(&self, id: &UploadId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }
}
