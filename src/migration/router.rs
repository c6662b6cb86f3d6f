//! Which side serves a bucket. Until live migration comes that is always Blob.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::blob::BlobClient;
use crate::bucket::{Bucket, Shared};
use crate::object::listing::{ListPage, ListQuery, ListedObject};
use crate::object::multipart::{CompleteUpload, CopyPart, CreateUpload, PartPage, Upload, UploadPart, UploadQuery};
use crate::object::write::DeleteOutcome;
use crate::object::{
    BucketName, ContainerName, CopyRequest, DeleteCondition, Error, ErrorKind, ObjectBody, ObjectHead, ObjectKey,
    ObjectMeta, ObjectPart, PutRequest, Read, ReadRequest, Result, Stored, Tags, Timestamp, UploadId, WriteCondition,
};
use crate::state::StateStore;

/// The buckets that the facade serves, with the clients of one runtime thread.
#[derive(Clone)]
pub struct Router {
    buckets: Arc<BTreeMap<BucketName, Bucket>>,
    open: Option<OpenBuckets>,
}

/// Makes a bucket of any container of the account: development mode.
#[derive(Clone)]
pub struct OpenBuckets {
    pub blobs: BlobClient,
    pub state: StateStore,
    pub shared: Arc<Shared>,
}

/// A bucket as the facade sees it, whoever holds its truth.
pub struct Route<'a>(Side<'a>);

/// Who holds the truth of a bucket.
enum Side<'a> {
    Blob(Cow<'a, Bucket>),
}

/// A bucket in the answer to ListBuckets.
#[derive(Clone, Debug)]
pub struct ListedBucket {
    pub name: BucketName,
    /// When its container was last modified; Azure tells no creation time. Unknown for the buckets of
    /// the configuration, which are listed without asking.
    pub created: Option<Timestamp>,
}

impl Router {
    /// Serves these buckets and no others.
    pub fn new(buckets: impl IntoIterator<Item = Bucket>) -> Self {
        let buckets = buckets.into_iter().map(|bucket| (bucket.name().clone(), bucket)).collect();
        Self { buckets: Arc::new(buckets), open: None }
    }

    /// Serves every container of the account under its own name as well.
    #[must_use]
    pub fn with_open_buckets(mut self, open: OpenBuckets) -> Self {
        self.open = Some(open);
        self
    }

    /// # Errors
    /// `ContainerMissing` if the bucket is not served.
    pub fn route(&self, name: &BucketName) -> Result<Route<'_>> {
        if let Some(bucket) = self.buckets.get(name) {
            return Ok(Route(Side::Blob(Cow::Borrowed(bucket))));
        }
        let open = self.open.as_ref().and_then(|open| open.bucket(name));
        open.map(|bucket| Route(Side::Blob(Cow::Owned(bucket)))).ok_or_else(|| not_served(name))
    }

    /// All buckets, in order of their names.
    ///
    /// # Errors
    /// Those of the Blob client, in development mode.
    pub async fn list(&self) -> Result<Vec<ListedBucket>> {
        let fixed = self.buckets.keys().map(|name| (name.clone(), None));
        let mut listed: BTreeMap<_, _> = fixed.collect();
        if let Some(open) = &self.open {
            for (container, modified) in open.blobs.list_containers().await? {
                if let Some(name) = BucketName::new(container.as_str()).ok().filter(|_| open.serves(&container)) {
                    listed.entry(name).or_insert(Some(modified));
                }
            }
        }
        Ok(listed.into_iter().map(|(name, created)| ListedBucket { name, created }).collect())
    }

    /// Creates a bucket's container, with its tags: in development mode only.
    ///
    /// # Errors
    /// `ContainerExists`, `ContainerBeingDeleted`; `Denied` if buckets are fixed by the configuration.
    pub async fn create(&self, name: &BucketName, tags: &Tags) -> Result<()> {
        if self.buckets.contains_key(name) {
            return Err(Error::new(ErrorKind::ContainerExists, format!("bucket {name} is served already")));
        }
        let open = self.open.as_ref().ok_or_else(fixed)?;
        let bucket = open.bucket(name).ok_or_else(|| {
            Error::new(ErrorKind::Invalid, format!("no container can have the name of bucket {name}"))
        })?;
        bucket.create(tags).await
    }

    /// The tags of a bucket; one that the configuration fixes has none.
    ///
    /// # Errors
    /// `ContainerMissing`, and those of the Blob client.
    pub async fn tags(&self, name: &BucketName) -> Result<Tags> {
        match self.taggable(name) {
            Ok(bucket) => bucket.own_tags().await,
            Err(_) => self.route(name).map(|_| Tags::default()),
        }
    }

    /// Says whether tags of the bucket are kept: in development mode only.
    ///
    /// # Errors
    /// `ContainerMissing` if the bucket is not served; `Unsupported` if the configuration fixes it.
    pub fn keeps_tags(&self, name: &BucketName) -> Result<()> {
        self.taggable(name).map(drop)
    }

    /// Replaces the tags of a bucket.
    ///
    /// # Errors
    /// As [`Self::keeps_tags`]; `MetadataTooLarge`, and those of the Blob client.
    pub async fn put_tags(&self, name: &BucketName, tags: &Tags) -> Result<()> {
        self.taggable(name)?.put_own_tags(tags).await
    }

    fn taggable(&self, name: &BucketName) -> Result<Bucket> {
        if self.buckets.contains_key(name) {
            return Err(Error::new(ErrorKind::Unsupported, "a bucket that the configuration fixes keeps no tags"));
        }
        self.open.as_ref().and_then(|open| open.bucket(name)).ok_or_else(|| not_served(name))
    }

    /// Deletes a bucket's container if it is empty: in development mode only.
    ///
    /// # Errors
    /// `ContainerNotEmpty`, `ContainerMissing`; `Denied` if buckets are fixed by the configuration.
    pub async fn delete(&self, name: &BucketName) -> Result<()> {
        let open = self.open.as_ref().filter(|_| !self.buckets.contains_key(name)).ok_or_else(fixed)?;
        let bucket = open.bucket(name).ok_or_else(|| not_served(name))?;
        let page = bucket.list(&ListQuery { limit: 1, ..Default::default() }).await?;
        if !page.entries.is_empty() {
            return Err(Error::new(ErrorKind::ContainerNotEmpty, format!("bucket {name} is not empty")));
        }
        open.blobs.delete_container(bucket.container()).await
    }
}

impl OpenBuckets {
    fn bucket(&self, name: &BucketName) -> Option<Bucket> {
        let container = ContainerName::new(name.as_str()).ok().filter(|container| self.serves(container))?;
        Some(Bucket::new(name.clone(), container, self.blobs.clone(), self.state.clone(), self.shared.clone()))
    }

    /// The state container is nobody's bucket.
    fn serves(&self, container: &ContainerName) -> bool {
        container != self.state.container()
    }
}

fn not_served(name: &BucketName) -> Error {
    Error::new(ErrorKind::ContainerMissing, format!("bucket {name} is not served"))
}

fn fixed() -> Error {
    Error::new(ErrorKind::Denied, "the buckets are fixed by the configuration")
}

/// One method an operation; see [`Bucket`] for what each answers and how it fails.
impl Route<'_> {
    /// Asks whether the bucket is there.
    pub async fn exists(&self) -> Result<()> {
        match &self.0 {
            Side::Blob(bucket) => bucket.exists().await,
        }
    }

    pub async fn get(&self, key: &ObjectKey, request: &ReadRequest) -> Result<Read<ObjectBody>> {
        match &self.0 {
            Side::Blob(bucket) => bucket.get(key, request).await,
        }
    }

    pub async fn head(&self, key: &ObjectKey, request: &ReadRequest) -> Result<Read<ObjectHead>> {
        match &self.0 {
            Side::Blob(bucket) => bucket.head(key, request).await,
        }
    }

    /// An object with the parts it was made of.
    pub async fn parts(&self, key: &ObjectKey) -> Result<(ObjectMeta, Vec<ObjectPart>)> {
        match &self.0 {
            Side::Blob(bucket) => bucket.parts(key).await,
        }
    }

    pub async fn put(&self, key: &ObjectKey, request: PutRequest) -> Result<Stored> {
        match &self.0 {
            Side::Blob(bucket) => bucket.put(key, request).await,
        }
    }

    pub async fn delete(&self, key: &ObjectKey, condition: &WriteCondition) -> Result<()> {
        match &self.0 {
            Side::Blob(bucket) => bucket.delete(key, condition).await,
        }
    }

    /// Deletes an object of which something is demanded.
    pub async fn delete_if(&self, key: &ObjectKey, condition: &DeleteCondition) -> Result<()> {
        match &self.0 {
            Side::Blob(bucket) => bucket.delete_if(key, condition).await,
        }
    }

    pub async fn delete_many(&self, keys: &[ObjectKey]) -> Vec<DeleteOutcome> {
        match &self.0 {
            Side::Blob(bucket) => bucket.delete_many(keys).await,
        }
    }

    /// Copies an object of `from` to `key`.
    pub async fn copy(&self, key: &ObjectKey, from: &Route<'_>, request: &CopyRequest) -> Result<Stored> {
        match (&self.0, &from.0) {
            (Side::Blob(bucket), Side::Blob(from)) => bucket.copy(key, from, request).await,
        }
    }

    pub async fn list(&self, query: &ListQuery) -> Result<ListPage<ListedObject>> {
        match &self.0 {
            Side::Blob(bucket) => bucket.list(query).await,
        }
    }

    pub async fn tags(&self, key: &ObjectKey) -> Result<Tags> {
        match &self.0 {
            Side::Blob(bucket) => bucket.tags(key).await,
        }
    }

    pub async fn put_tags(&self, key: &ObjectKey, tags: &Tags) -> Result<()> {
        match &self.0 {
            Side::Blob(bucket) => bucket.put_tags(key, tags).await,
        }
    }

    pub async fn create_upload(&self, key: &ObjectKey, request: &CreateUpload) -> Result<UploadId> {
        match &self.0 {
            Side::Blob(bucket) => bucket.create_upload(key, request).await,
        }
    }

    pub async fn upload_part(&self, key: &ObjectKey, id: &UploadId, request: UploadPart) -> Result<Stored> {
        match &self.0 {
            Side::Blob(bucket) => bucket.upload_part(key, id, request).await,
        }
    }

    /// Makes a part of an object of `from`.
    pub async fn copy_part(
        &self,
        key: &ObjectKey,
        id: &UploadId,
        from: &Route<'_>,
        request: &CopyPart,
    ) -> Result<Stored> {
        match (&self.0, &from.0) {
            (Side::Blob(bucket), Side::Blob(from)) => bucket.copy_part(key, id, from, request).await,
        }
    }

    pub async fn complete_upload(&self, key: &ObjectKey, id: &UploadId, request: &CompleteUpload) -> Result<Stored> {
        match &self.0 {
            Side::Blob(bucket) => bucket.complete_upload(key, id, request).await,
        }
    }

    pub async fn abort_upload(&self, key: &ObjectKey, id: &UploadId) -> Result<()> {
        match &self.0 {
            Side::Blob(bucket) => bucket.abort_upload(key, id).await,
        }
    }

    pub async fn list_parts(&self, key: &ObjectKey, id: &UploadId, after: u16, limit: usize) -> Result<PartPage> {
        match &self.0 {
            Side::Blob(bucket) => bucket.list_parts(key, id, after, limit).await,
        }
    }

    pub async fn list_uploads(&self, query: &UploadQuery) -> Result<ListPage<Upload>> {
        match &self.0 {
            Side::Blob(bucket) => bucket.list_uploads(query).await,
        }
    }
}
