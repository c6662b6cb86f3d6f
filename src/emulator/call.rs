//! One request as the operations see it.

use std::sync::Arc;
use std::time::SystemTime;

use http::HeaderMap;

use super::Emulator;
use super::auth::Grant;
use super::clock::Etag;
use super::error::{Outcome, ServiceError};
use super::events::CommitKind;
use super::faults::Fault;
use super::names::BlobName;
use super::operation::Operation;
use super::store::{Account, Blob, Container, Entry};
use super::target::Query;

pub(super) struct Call<'a> {
    pub emulator: &'a Arc<Emulator>,
    pub account: &'a Arc<Account>,
    pub operation: Operation,
    /// Empty for operations on the account.
    pub container: String,
    /// Empty for operations on a container or the account.
    pub name: BlobName,
    pub query: Query,
    pub headers: &'a HeaderMap,
    pub version: String,
    pub now: SystemTime,
    pub grant: Grant,
    pub faults: Vec<Fault>,
}

impl Call<'_> {
    /// The value of a header that is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Versions are dates, which compare as texts.
    pub fn version_at_least(&self, version: &str) -> bool {
        self.version.as_str() >= version
    }

    pub fn lease_id(&self) -> Option<&str> {
        self.header("x-ms-lease-id")
    }

    pub fn open_container(&self) -> Outcome<Arc<Container>> {
        self.account.container(&self.container)
    }

    pub fn next_etag(&self) -> Etag {
        self.emulator.etags.next(self.now)
    }

    /// The declared length of the body.
    ///
    /// # Errors
    /// 411 without one, 413 above `limit`.
    pub fn content_length(&self, limit: u64) -> Outcome<u64> {
        let length = self.header("content-length").and_then(|text| text.parse().ok());
        match length {
            None => Err(ServiceError::missing_content_length()),
            Some(length) if length > limit => Err(ServiceError::body_too_large(limit)),
            Some(length) => Ok(length),
        }
    }

    /// Judges a write by its lease and conditions. Leases come first, as recorded.
    pub fn check_write(&self, entry: Option<&Entry>, conditions: &super::condition::Conditions) -> Outcome<()> {
        let held = self.check_lease(entry)?;
        let committed = entry.and_then(|entry| entry.committed.as_deref());
        if committed.is_some() && self.grant.create_only {
            return Err(ServiceError::permission_mismatch());
        }
        let from_url =
            matches!(self.operation, Operation::PutBlobFromUrl | Operation::CopyBlob | Operation::CopyBlobFromUrl);
        conditions.check_write(committed, held, from_url)
    }

    pub fn check_lease(&self, entry: Option<&Entry>) -> Outcome<bool> {
        super::lease::check_write(entry.and_then(|entry| entry.lease.as_ref()), self.lease_id(), self.now)
    }

    pub fn record(&self, kind: CommitKind, etag: Option<Etag>) {
        self.emulator.events.record(&self.account.config.name, &self.container, self.name.as_str(), etag, kind);
    }

    /// The blob of a read after lease and conditions have been judged, with what is shown of its lease.
    pub fn read(&self) -> Outcome<(Arc<Blob>, super::answer::LeaseView)> {
        let conditions = super::condition::Conditions::of_request(self.headers)?;
        let container = self.open_container()?;
        let mut state = container.open()?;
        let entry = state.entry(&self.name, self.now).ok_or_else(ServiceError::blob_not_found)?;
        let blob = entry.committed.clone().ok_or_else(ServiceError::blob_not_found)?;
        let view = super::answer::LeaseView::of(entry.lease.as_ref(), self.now);
        let lease = super::lease::check_read(entry.lease.as_ref(), self.lease_id(), self.now);
        drop(state);
        lease?;
        conditions.check_read(&blob)?;
        Ok((blob, view))
    }

    /// Changes a blob in place: `change` gets the present version and makes the next, whose ETag and
    /// time are set here.
    pub fn modify(
        &self,
        kind: CommitKind,
        change: impl FnOnce(&mut Blob) -> Outcome<()>,
    ) -> Outcome<(Etag, SystemTime)> {
        let conditions = super::condition::Conditions::of_request(self.headers)?;
        let container = self.open_container()?;
        let mut state = container.open()?;
        let entry = state.entry(&self.name, self.now).ok_or_else(ServiceError::blob_not_found)?;
        let mut blob = entry.committed.as_deref().cloned().ok_or_else(ServiceError::blob_not_found)?;
        self.check_write(Some(entry), &conditions)?;
        change(&mut blob)?;
        blob.etag = self.next_etag();
        blob.modified = self.now;
        let version = (blob.etag, blob.modified);
        self.record(kind, Some(blob.etag));
        entry.committed = Some(Arc::new(blob));
        entry.forget_ended_lease(self.now);
        Ok(version)
    }
}
