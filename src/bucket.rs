//! An S3 bucket kept in a container: the rules that make blobs behave like objects.
//!
//! One file per operation. Conditions on S3 ETags are made exact: the blob is read, the condition
//! judged on what S3 clients see, and the write sent under Azure's own ETag of what was read.

pub mod block_ids;
pub mod codec;
mod copy;
mod copy_route;
mod delete;
mod get;
mod hierarchy;
mod import;
mod lengths;
mod list;
pub mod multipart;
mod put;
mod tagging;

use std::sync::Arc;

use crate::blob::{BlobClient, BlobRef};
use crate::object::{BucketName, ContainerName, Error, ErrorKind, ObjectKey, Result, StoreTag, Timestamp};
use crate::state::StateStore;

pub use block_ids::{ImportBlock, SourceVersion};
pub use codec::{Decoded, Origin, Place, StoredObject, WriteId};
pub use hierarchy::Namespace;
pub use import::{ImportTarget, client_newer};
pub use list::StoredEntry;

/// A bucket and the clients of one runtime thread. Cheap to clone.
#[derive(Clone)]
pub struct Bucket {
    name: BucketName,
    container: ContainerName,
    blobs: BlobClient,
    state: StateStore,
    shared: Arc<Shared>,
}

/// What all threads of a process share about an account. By default that is a flat one.
#[derive(Default)]
pub struct Shared {
    namespace: Namespace,
    uploads_seen: multipart::SeenUploads,
    lengths: lengths::SeenLengths,
    route: copy_route::CopyRoute,
    clock: Option<Box<dyn Fn() -> Timestamp + Send + Sync>>,
}

impl Shared {
    /// What tells the time in place of the machine: for tests of what takes weeks.
    pub fn with_clock(clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self { clock: Some(Box::new(clock)), ..Self::default() }
    }
}

impl Shared {
    pub fn new(namespace: Namespace) -> Self {
        Self { namespace, ..Self::default() }
    }
}

impl Bucket {
    pub fn new(
        name: BucketName,
        container: ContainerName,
        blobs: BlobClient,
        state: StateStore,
        shared: Arc<Shared>,
    ) -> Self {
        Self { name, container, blobs, state, shared }
    }

    pub fn name(&self) -> &BucketName {
        &self.name
    }

    pub fn container(&self) -> &ContainerName {
        &self.container
    }

    /// Asks whether the container is there.
    ///
    /// # Errors
    /// `ContainerMissing`, and those of the Blob client.
    pub async fn exists(&self) -> Result<()> {
        self.blobs.get_container(&self.container).await.map(drop)
    }

    fn now(&self) -> Timestamp {
        self.shared.clock.as_ref().map_or_else(Timestamp::now, |clock| clock())
    }

    fn blob<'a>(&'a self, key: &'a ObjectKey) -> BlobRef<'a> {
        BlobRef { container: &self.container, name: self.name_of(key) }
    }

    fn place<'a>(&'a self, key: &'a ObjectKey, length: u64) -> Place<'a> {
        Place { container: self.container.as_str(), name: self.name_of(key), length }
    }

    /// What is at a key now; `None` = nothing.
    pub(crate) async fn look(&self, key: &ObjectKey) -> Result<Option<StoredObject>> {
        if !self.may_hold(key) {
            return Ok(None);
        }
        match self.blobs.get_properties(self.blob(key)).await {
            Ok(properties) if properties.is_directory => Ok(None),
            Ok(properties) => {
                let object = codec::stored_object(properties, self.container.as_str(), self.name_of(key));
                self.note_length(key, &object.store_tag, object.meta.size);
                Ok(Some(object))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// For readers of a suffix.
    fn note_length(&self, key: &ObjectKey, version: &StoreTag, length: u64) {
        self.shared.lengths.note(&self.container, self.name_of(key), version, length);
    }

    /// Refuses a key that Blob Storage cannot hold.
    fn mappable(&self, key: &ObjectKey) -> Result<()> {
        let mappable = if self.is_hierarchical() { key.mappable_as_path() } else { key.mappable() };
        mappable.map_err(|reason| Error::new(ErrorKind::KeyUnmappable, reason.to_string()))
    }
}
