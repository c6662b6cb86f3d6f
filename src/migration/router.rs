//! Which side serves a bucket. Until live migration comes that is always Blob.

use std::collections::BTreeMap;

use crate::bucket::Bucket;
use crate::object::listing::{ListPage, ListQuery, ListedObject};
use crate::object::multipart::{CompleteUpload, CopyPart, CreateUpload, PartPage, Upload, UploadPart, UploadQuery};
use crate::object::write::DeleteOutcome;
use crate::object::{
    BucketName, CopyRequest, Error, ErrorKind, ObjectBody, ObjectHead, ObjectKey, PutRequest, Read, ReadRequest,
    Result, Stored, Tags, UploadId, WriteCondition,
};

/// The buckets that the facade serves, with the clients of one runtime thread.
#[derive(Clone, Default)]
pub struct Router {
    buckets: BTreeMap<BucketName, Bucket>,
}

/// A bucket as the facade sees it, whoever holds its truth.
#[derive(Clone, Copy)]
pub struct Route<'a>(Side<'a>);

/// Who holds the truth of a bucket.
#[derive(Clone, Copy)]
enum Side<'a> {
    Blob(&'a Bucket),
}

impl Router {
    pub fn new(buckets: impl IntoIterator<Item = Bucket>) -> Self {
        Self { buckets: buckets.into_iter().map(|bucket| (bucket.name().clone(), bucket)).collect() }
    }

    /// # Errors
    /// `ContainerMissing` if the bucket is not served.
    pub fn route(&self, bucket: &BucketName) -> Result<Route<'_>> {
        match self.buckets.get(bucket) {
            Some(bucket) => Ok(Route(Side::Blob(bucket))),
            None => Err(Error::new(ErrorKind::ContainerMissing, format!("bucket {bucket} is not served"))),
        }
    }

    /// Names of all buckets, in order.
    pub fn names(&self) -> impl Iterator<Item = &BucketName> {
        self.buckets.keys()
    }
}

/// One method an operation; see [`Bucket`] for what each answers and how it fails.
impl Route<'_> {
    pub async fn get(&self, key: &ObjectKey, request: &ReadRequest) -> Result<Read<ObjectBody>> {
        match self.0 {
            Side::Blob(bucket) => bucket.get(key, request).await,
        }
    }

    pub async fn head(&self, key: &ObjectKey, request: &ReadRequest) -> Result<Read<ObjectHead>> {
        match self.0 {
            Side::Blob(bucket) => bucket.head(key, request).await,
        }
    }

    pub async fn put(&self, key: &ObjectKey, request: PutRequest) -> Result<Stored> {
        match self.0 {
            Side::Blob(bucket) => bucket.put(key, request).await,
        }
    }

    pub async fn delete(&self, key: &ObjectKey, condition: &WriteCondition) -> Result<()> {
        match self.0 {
            Side::Blob(bucket) => bucket.delete(key, condition).await,
        }
    }

    pub async fn delete_many(&self, keys: &[ObjectKey]) -> Vec<DeleteOutcome> {
        match self.0 {
            Side::Blob(bucket) => bucket.delete_many(keys).await,
        }
    }

    /// Copies an object of `from` to `key`.
    pub async fn copy(&self, key: &ObjectKey, from: Route<'_>, request: &CopyRequest) -> Result<Stored> {
        match (self.0, from.0) {
            (Side::Blob(bucket), Side::Blob(from)) => bucket.copy(key, from, request).await,
        }
    }

    pub async fn list(&self, query: &ListQuery) -> Result<ListPage<ListedObject>> {
        match self.0 {
            Side::Blob(bucket) => bucket.list(query).await,
        }
    }

    pub async fn tags(&self, key: &ObjectKey) -> Result<Tags> {
        match self.0 {
            Side::Blob(bucket) => bucket.tags(key).await,
        }
    }

    pub async fn put_tags(&self, key: &ObjectKey, tags: &Tags) -> Result<()> {
        match self.0 {
            Side::Blob(bucket) => bucket.put_tags(key, tags).await,
        }
    }

    pub async fn create_upload(&self, key: &ObjectKey, request: &CreateUpload) -> Result<UploadId> {
        match self.0 {
            Side::Blob(bucket) => bucket.create_upload(key, request).await,
        }
    }

    pub async fn upload_part(&self, key: &ObjectKey, id: &UploadId, request: UploadPart) -> Result<Stored> {
        match self.0 {
            Side::Blob(bucket) => bucket.upload_part(key, id, request).await,
        }
    }

    /// Makes a part of an object of `from`.
    pub async fn copy_part(
        &self,
        key: &ObjectKey,
        id: &UploadId,
        from: Route<'_>,
        request: &CopyPart,
    ) -> Result<Stored> {
        match (self.0, from.0) {
            (Side::Blob(bucket), Side::Blob(from)) => bucket.copy_part(key, id, from, request).await,
        }
    }

    pub async fn complete_upload(&self, key: &ObjectKey, id: &UploadId, request: &CompleteUpload) -> Result<Stored> {
        match self.0 {
            Side::Blob(bucket) => bucket.complete_upload(key, id, request).await,
        }
    }

    pub async fn abort_upload(&self, key: &ObjectKey, id: &UploadId) -> Result<()> {
        match self.0 {
            Side::Blob(bucket) => bucket.abort_upload(key, id).await,
        }
    }

    pub async fn list_parts(&self, key: &ObjectKey, id: &UploadId, after: u16, limit: usize) -> Result<PartPage> {
        match self.0 {
            Side::Blob(bucket) => bucket.list_parts(key, id, after, limit).await,
        }
    }

    pub async fn list_uploads(&self, query: &UploadQuery) -> Result<ListPage<Upload>> {
        match self.0 {
            Side::Blob(bucket) => bucket.list_uploads(query).await,
        }
    }
}
