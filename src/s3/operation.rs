//! Everything an S3 client may ask for: a closed enum, each variant with its parsed fields.

use std::fmt;

use crate::object::condition::ReadCondition;
use crate::object::{
    Algorithm, BucketName, ByteRange, Checksum, ContentHeaders, DeleteCondition, ObjectKey, Tags, Unmappable,
    UserMetadata, WriteCondition,
};

use super::payload::BodyDeclaration;
use super::query::Query;
use super::xml::KeyEncoding;

/// An operation. Names are those of the S3 API reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    ListBuckets(ListBuckets),
    HeadBucket(BucketName),
    CreateBucket(CreateBucket),
    DeleteBucket(BucketName),
    GetBucketLocation(BucketName),
    GetBucketVersioning(BucketName),
    GetBucketAcl(BucketName),
    /// An access control list that says what holds anyway.
    PutBucketAcl(BucketName),
    GetBucketSetting(BucketName, BucketSetting),
    PutBucketTagging(PutBucketTagging),
    DeleteBucketTagging(BucketName),
    ListObjectsV1(ListObjectsV1),
    ListObjectsV2(ListObjectsV2),
    ListObjectVersions(ListObjectVersions),
    ListMultipartUploads(ListMultipartUploads),
    DeleteObjects(DeleteObjects),
    GetObject(ReadObject),
    HeadObject(ReadObject),
    GetObjectAttributes(GetObjectAttributes),
    GetObjectAcl(VersionedObject),
    /// As [`Operation::PutBucketAcl`].
    PutObjectAcl(VersionedObject),
    PutObject(PutObject),
    CopyObject(CopyObject),
    DeleteObject(DeleteObject),
    GetObjectTagging(VersionedObject),
    PutObjectTagging(PutObjectTagging),
    DeleteObjectTagging(VersionedObject),
    CreateMultipartUpload(CreateMultipartUpload),
    UploadPart(UploadPart),
    UploadPartCopy(UploadPartCopy),
    CompleteMultipartUpload(CompleteMultipartUpload),
    AbortMultipartUpload(UploadAddress),
    ListParts(ListParts),
    /// A known operation that is not served: 501 NotImplemented. Holds its name and what it is about,
    /// so that the right may be checked before the answer tells anything.
    Unsupported {
        name: &'static str,
        bucket: Option<BucketName>,
    },
    /// No operation has this method on this kind of resource: 405.
    MethodNotAllowed,
}

/// A bucket and a key in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectAddress {
    pub bucket: BucketName,
    pub key: ObjectKey,
}

/// An object, perhaps in one of its versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionedObject {
    pub address: ObjectAddress,
    /// As the client gave it. `null` is the current version of an object that has no others.
    pub version_id: Option<String>,
}

/// A multipart upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadAddress {
    pub address: ObjectAddress,
    /// Opaque; judged by whoever made it.
    pub upload_id: String,
}

/// The number of a part: 1 to 10,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartNumber(u16);

impl PartNumber {
    /// Most parts of an upload (set by S3).
    pub const MAX: u16 = 10_000;

    pub fn new(number: u64) -> Option<Self> {
        (1..=u64::from(Self::MAX)).contains(&number).then_some(Self(number as u16))
    }

    pub fn get(self) -> u16 {
        self.0
    }
}

impl fmt::Display for PartNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What ListBuckets is asked for; an empty value is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListBuckets {
    /// Buckets of a page at the most: 1 to 10,000. `None`: all there are.
    pub max: Option<usize>,
    /// As given, not decoded: [`super::continuation`] does that.
    pub continuation_token: Option<String>,
    pub prefix: Option<String>,
    pub region: Option<String>,
}

/// A setting that S3 has and this project does not let anybody change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BucketSetting {
    Accelerate,
    /// One analytics, intelligent-tiering, inventory or metrics configuration.
    Configuration,
    Cors,
    Encryption,
    Lifecycle,
    Logging,
    Notification,
    ObjectLock,
    OwnershipControls,
    Policy,
    PolicyStatus,
    PublicAccessBlock,
    Replication,
    RequestPayment,
    /// The exception: it may be changed where clients make buckets themselves.
    Tagging,
    Website,
}

impl BucketSetting {
    /// The query parameter, the setting, and the operation that reads it.
    const ALL: &[(&'static str, Self, &'static str)] = &[
        ("accelerate", Self::Accelerate, "GetBucketAccelerateConfiguration"),
        ("cors", Self::Cors, "GetBucketCors"),
        ("encryption", Self::Encryption, "GetBucketEncryption"),
        ("lifecycle", Self::Lifecycle, "GetBucketLifecycleConfiguration"),
        ("logging", Self::Logging, "GetBucketLogging"),
        ("notification", Self::Notification, "GetBucketNotificationConfiguration"),
        ("object-lock", Self::ObjectLock, "GetObjectLockConfiguration"),
        ("ownershipControls", Self::OwnershipControls, "GetBucketOwnershipControls"),
        ("policy", Self::Policy, "GetBucketPolicy"),
        ("policyStatus", Self::PolicyStatus, "GetBucketPolicyStatus"),
        ("publicAccessBlock", Self::PublicAccessBlock, "GetPublicAccessBlock"),
        ("replication", Self::Replication, "GetBucketReplication"),
        ("requestPayment", Self::RequestPayment, "GetBucketRequestPayment"),
        ("tagging", Self::Tagging, "GetBucketTagging"),
        ("website", Self::Website, "GetBucketWebsite"),
        ("analytics", Self::Configuration, "GetBucketConfiguration"),
        ("intelligent-tiering", Self::Configuration, "GetBucketConfiguration"),
        ("inventory", Self::Configuration, "GetBucketConfiguration"),
        ("metrics", Self::Configuration, "GetBucketConfiguration"),
    ];

    /// The setting that a query asks for; of configurations there are several, so it has to name one.
    pub(super) fn of(query: &Query<'_>) -> Option<Self> {
        let (_, setting, _) = Self::ALL.iter().find(|(parameter, ..)| query.has(parameter))?;
        (*setting != Self::Configuration || query.has("id")).then_some(*setting)
    }

    fn operation(self) -> &'static str {
        Self::ALL.iter().find(|(_, setting, _)| *setting == self).map_or("GetBucketSetting", |(.., name)| name)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateBucket {
    pub bucket: BucketName,
    /// `None` if the request has no body; else a `CreateBucketConfiguration`.
    pub body: Option<BodyDeclaration>,
}

/// The body is a `Tagging` document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutBucketTagging {
    pub bucket: BucketName,
    pub body: BodyDeclaration,
}

/// What every listing of keys has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    pub prefix: String,
    /// `None` for an empty one as well.
    pub delimiter: Option<String>,
    /// Entries of a page at the most: 0 to 1000.
    pub max_keys: usize,
    pub encoding: KeyEncoding,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListObjectsV1 {
    pub bucket: BucketName,
    pub listing: Listing,
    /// Entries after this one; `None` for an empty one as well.
    pub marker: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListObjectsV2 {
    pub bucket: BucketName,
    pub listing: Listing,
    /// As given, not decoded: [`super::continuation`] does that.
    pub continuation_token: Option<String>,
    /// Ignored by S3 if there is a token; `None` for an empty one as well.
    pub start_after: Option<String>,
    pub fetch_owner: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListObjectVersions {
    pub bucket: BucketName,
    pub listing: Listing,
    pub key_marker: Option<String>,
    pub version_id_marker: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListMultipartUploads {
    pub bucket: BucketName,
    /// `max_keys` is the request's `max-uploads`.
    pub listing: Listing,
    pub key_marker: Option<String>,
    pub upload_id_marker: Option<String>,
}

/// The body is a `Delete` document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteObjects {
    pub bucket: BucketName,
    pub body: BodyDeclaration,
}

/// GetObject and HeadObject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadObject {
    pub address: ObjectAddress,
    pub version_id: Option<String>,
    pub range: Option<ByteRange>,
    pub part_number: Option<PartNumber>,
    pub condition: ReadCondition,
    pub overrides: ResponseOverrides,
    /// The client wants the stored checksum (`x-amz-checksum-mode: ENABLED`).
    pub checksum_mode: bool,
}

/// `response-*` parameters: headers of the answer in place of the object's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResponseOverrides {
    pub content_type: Option<String>,
    pub content_language: Option<String>,
    pub expires: Option<String>,
    pub cache_control: Option<String>,
    pub content_disposition: Option<String>,
    pub content_encoding: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetObjectAttributes {
    pub object: VersionedObject,
    pub attributes: Attributes,
    pub max_parts: usize,
    pub part_number_marker: u16,
}

/// What GetObjectAttributes is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    pub etag: bool,
    pub checksum: bool,
    pub object_parts: bool,
    pub storage_class: bool,
    pub object_size: bool,
}

/// What a new object carries besides its bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewObject {
    pub content: ContentHeaders,
    pub metadata: UserMetadata,
    pub tags: Tags,
    /// As given; `None` = STANDARD.
    pub storage_class: Option<String>,
    /// `x-amz-server-side-encryption: AES256` was asked for and is to be echoed.
    pub encryption_asked: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutObject {
    pub address: ObjectAddress,
    pub object: NewObject,
    pub condition: WriteCondition,
    pub body: BodyDeclaration,
}

/// The source of a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopySource {
    pub address: ObjectAddress,
    pub version_id: Option<String>,
    pub condition: ReadCondition,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyObject {
    pub address: ObjectAddress,
    pub source: CopySource,
    pub condition: WriteCondition,
    /// `x-amz-metadata-directive: REPLACE`: headers and metadata of the result. `None`: the source's.
    pub replace_metadata: Option<(ContentHeaders, UserMetadata)>,
    /// `x-amz-tagging-directive: REPLACE`: tags of the result. `None`: the source's.
    pub replace_tags: Option<Tags>,
    pub storage_class: Option<String>,
    pub encryption_asked: bool,
    /// The result is to have a checksum of this algorithm.
    pub checksum_algorithm: Option<Algorithm>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteObject {
    pub object: VersionedObject,
    pub condition: DeleteCondition,
}

/// The body is a `Tagging` document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutObjectTagging {
    pub object: VersionedObject,
    pub body: BodyDeclaration,
}

/// What the checksum of a multipart result covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChecksumType {
    Composite,
    FullObject,
}

impl ChecksumType {
    /// As in `x-amz-checksum-type`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Composite => "COMPOSITE",
            Self::FullObject => "FULL_OBJECT",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [Self::Composite, Self::FullObject].into_iter().find(|kind| kind.name().eq_ignore_ascii_case(name))
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateMultipartUpload {
    pub address: ObjectAddress,
    pub object: NewObject,
    pub checksum_algorithm: Option<Algorithm>,
    pub checksum_type: Option<ChecksumType>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadPart {
    pub upload: UploadAddress,
    pub part_number: PartNumber,
    pub body: BodyDeclaration,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadPartCopy {
    pub upload: UploadAddress,
    pub part_number: PartNumber,
    pub source: CopySource,
    /// `None`: the whole source. Both ends given, and inside the source, or S3 answers InvalidArgument.
    pub range: Option<ByteRange>,
}

/// The body is a `CompleteMultipartUpload` document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompleteMultipartUpload {
    pub upload: UploadAddress,
    pub condition: WriteCondition,
    /// The checksum that the result has to have.
    pub checksum: Option<Checksum>,
    pub checksum_type: Option<ChecksumType>,
    /// The size in bytes that the result has to have.
    pub object_size: Option<u64>,
    pub body: BodyDeclaration,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListParts {
    pub upload: UploadAddress,
    /// 0 to 1000.
    pub max_parts: usize,
    /// Parts after this number.
    pub part_number_marker: u16,
    pub encoding: KeyEncoding,
}

/// What is answered for a key that Blob Storage cannot hold, once Blob holds the truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unheld {
    /// 404 NoSuchKey: it cannot exist.
    NoSuchKey,
    /// 204: it is not there, which is what was asked for.
    Deleted,
    /// 404 NoSuchUpload: none can have begun.
    NoSuchUpload,
}

impl Operation {
    /// The operation's name, for logs and metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Self::ListBuckets(_) => "ListBuckets",
            Self::HeadBucket(_) => "HeadBucket",
            Self::CreateBucket(_) => "CreateBucket",
            Self::DeleteBucket(_) => "DeleteBucket",
            Self::GetBucketLocation(_) => "GetBucketLocation",
            Self::GetBucketVersioning(_) => "GetBucketVersioning",
            Self::GetBucketAcl(_) => "GetBucketAcl",
            Self::PutBucketAcl(_) => "PutBucketAcl",
            Self::GetBucketSetting(_, setting) => setting.operation(),
            Self::PutBucketTagging(_) => "PutBucketTagging",
            Self::DeleteBucketTagging(_) => "DeleteBucketTagging",
            Self::ListObjectsV1(_) => "ListObjects",
            Self::ListObjectsV2(_) => "ListObjectsV2",
            Self::ListObjectVersions(_) => "ListObjectVersions",
            Self::ListMultipartUploads(_) => "ListMultipartUploads",
            Self::DeleteObjects(_) => "DeleteObjects",
            Self::GetObject(_) => "GetObject",
            Self::HeadObject(_) => "HeadObject",
            Self::GetObjectAttributes(_) => "GetObjectAttributes",
            Self::GetObjectAcl(_) => "GetObjectAcl",
            Self::PutObjectAcl(_) => "PutObjectAcl",
            Self::PutObject(_) => "PutObject",
            Self::CopyObject(_) => "CopyObject",
            Self::DeleteObject(_) => "DeleteObject",
            Self::GetObjectTagging(_) => "GetObjectTagging",
            Self::PutObjectTagging(_) => "PutObjectTagging",
            Self::DeleteObjectTagging(_) => "DeleteObjectTagging",
            Self::CreateMultipartUpload(_) => "CreateMultipartUpload",
            Self::UploadPart(_) => "UploadPart",
            Self::UploadPartCopy(_) => "UploadPartCopy",
            Self::CompleteMultipartUpload(_) => "CompleteMultipartUpload",
            Self::AbortMultipartUpload(_) => "AbortMultipartUpload",
            Self::ListParts(_) => "ListParts",
            Self::Unsupported { name, .. } => name,
            Self::MethodNotAllowed => "MethodNotAllowed",
        }
    }

    /// The bucket that the operation is about.
    pub fn bucket(&self) -> Option<&BucketName> {
        match self {
            Self::HeadBucket(bucket)
            | Self::DeleteBucket(bucket)
            | Self::GetBucketLocation(bucket)
            | Self::GetBucketVersioning(bucket)
            | Self::GetBucketAcl(bucket)
            | Self::PutBucketAcl(bucket)
            | Self::GetBucketSetting(bucket, _)
            | Self::DeleteBucketTagging(bucket) => Some(bucket),
            Self::CreateBucket(request) => Some(&request.bucket),
            Self::PutBucketTagging(request) => Some(&request.bucket),
            Self::ListObjectsV1(request) => Some(&request.bucket),
            Self::ListObjectsV2(request) => Some(&request.bucket),
            Self::ListObjectVersions(request) => Some(&request.bucket),
            Self::ListMultipartUploads(request) => Some(&request.bucket),
            Self::DeleteObjects(request) => Some(&request.bucket),
            Self::Unsupported { bucket, .. } => bucket.as_ref(),
            Self::ListBuckets(_) | Self::MethodNotAllowed => None,
            _ => self.address().map(|address| &address.bucket),
        }
    }

    /// The object that the operation is about; for copies, the result.
    pub fn address(&self) -> Option<&ObjectAddress> {
        match self {
            Self::GetObject(request) | Self::HeadObject(request) => Some(&request.address),
            Self::GetObjectAttributes(request) => Some(&request.object.address),
            Self::GetObjectAcl(object)
            | Self::PutObjectAcl(object)
            | Self::GetObjectTagging(object)
            | Self::DeleteObjectTagging(object) => Some(&object.address),
            Self::PutObject(request) => Some(&request.address),
            Self::CopyObject(request) => Some(&request.address),
            Self::DeleteObject(request) => Some(&request.object.address),
            Self::PutObjectTagging(request) => Some(&request.object.address),
            Self::CreateMultipartUpload(request) => Some(&request.address),
            Self::UploadPart(request) => Some(&request.upload.address),
            Self::UploadPartCopy(request) => Some(&request.upload.address),
            Self::CompleteMultipartUpload(request) => Some(&request.upload.address),
            Self::AbortMultipartUpload(upload) => Some(&upload.address),
            Self::ListParts(request) => Some(&request.upload.address),
            Self::ListBuckets(_)
            | Self::HeadBucket(_)
            | Self::CreateBucket(_)
            | Self::DeleteBucket(_)
            | Self::GetBucketLocation(_)
            | Self::GetBucketVersioning(_)
            | Self::GetBucketAcl(_)
            | Self::PutBucketAcl(_)
            | Self::GetBucketSetting(..)
            | Self::PutBucketTagging(_)
            | Self::DeleteBucketTagging(_)
            | Self::ListObjectsV1(_)
            | Self::ListObjectsV2(_)
            | Self::ListObjectVersions(_)
            | Self::ListMultipartUploads(_)
            | Self::DeleteObjects(_)
            | Self::Unsupported { .. }
            | Self::MethodNotAllowed => None,
        }
    }

    /// The source of a copy, which needs a right of its own.
    pub fn copy_source(&self) -> Option<&CopySource> {
        match self {
            Self::CopyObject(request) => Some(&request.source),
            Self::UploadPartCopy(request) => Some(&request.source),
            _ => None,
        }
    }

    /// Whether the operation changes something.
    pub fn writes(&self) -> bool {
        matches!(
            self,
            Self::CreateBucket(_)
                | Self::DeleteBucket(_)
                | Self::PutBucketTagging(_)
                | Self::DeleteBucketTagging(_)
                | Self::DeleteObjects(_)
                | Self::PutObject(_)
                | Self::CopyObject(_)
                | Self::DeleteObject(_)
                | Self::PutObjectTagging(_)
                | Self::DeleteObjectTagging(_)
                | Self::CreateMultipartUpload(_)
                | Self::UploadPart(_)
                | Self::UploadPartCopy(_)
                | Self::CompleteMultipartUpload(_)
                | Self::AbortMultipartUpload(_)
        )
    }

    /// The declaration of a body that the operation reads.
    pub fn body(&self) -> Option<&BodyDeclaration> {
        match self {
            Self::CreateBucket(request) => request.body.as_ref(),
            Self::PutBucketTagging(request) => Some(&request.body),
            Self::DeleteObjects(request) => Some(&request.body),
            Self::PutObject(request) => Some(&request.body),
            Self::PutObjectTagging(request) => Some(&request.body),
            Self::UploadPart(request) => Some(&request.body),
            Self::CompleteMultipartUpload(request) => Some(&request.body),
            _ => None,
        }
    }

    /// Whether the key, or that of a copy's source, is one that Blob Storage cannot hold, and what is
    /// answered then. Operations that would create such a key are refused when they are parsed; these
    /// are left to the caller, because while S3 holds the truth the key may well exist there.
    pub fn unheld(&self) -> Option<(Unheld, Unmappable)> {
        let of = |address: &ObjectAddress| address.key.mappable().err();
        match self {
            Self::CopyObject(_) | Self::UploadPartCopy(_) => {
                self.copy_source().and_then(|source| of(&source.address)).map(|why| (Unheld::NoSuchKey, why))
            }
            Self::DeleteObject(request) => of(&request.object.address).map(|why| (Unheld::Deleted, why)),
            Self::AbortMultipartUpload(upload) => of(&upload.address).map(|why| (Unheld::NoSuchUpload, why)),
            Self::ListParts(request) => of(&request.upload.address).map(|why| (Unheld::NoSuchUpload, why)),
            _ => self.address().and_then(of).map(|why| (Unheld::NoSuchKey, why)),
        }
    }
}
