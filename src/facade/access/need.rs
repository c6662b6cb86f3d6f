//! What each operation needs.

use super::{Action as A, Resource};
use crate::object::Tags;
use crate::s3::operation::{CopySource, ObjectAddress, Operation};

/// Says whether `allows` answers yes to everything that an operation needs. The entries of a
/// DeleteObjects are for the operation itself to ask about.
pub fn permits(operation: &Operation, allows: impl Fn(A, Resource<'_>) -> bool) -> bool {
    let on = |action, address: &ObjectAddress| {
        allows(action, Resource::Object { bucket: &address.bucket, key: address.key.as_str() })
    };
    // An object has one version here, called `null`; asking for it by name needs the right to versions too.
    let in_version = |action, of_version, address: &ObjectAddress, version: &Option<String>| {
        on(action, address) && (version.is_none() || on(of_version, address))
    };
    let read = |address: &ObjectAddress, version: &Option<String>| {
        in_version(A::GetObject, A::GetObjectVersion, address, version)
    };
    let source = |source: &CopySource| read(&source.address, &source.version_id);
    let write = |address: &ObjectAddress, tags: Option<&Tags>| {
        on(A::PutObject, address) && (tags.is_none_or(Tags::is_empty) || on(A::PutObjectTagging, address))
    };
    match operation {
        Operation::ListBuckets(_) => allows(A::ListAllMyBuckets, Resource::Account),
        Operation::HeadBucket(bucket) => allows(A::HeadBucket, Resource::Bucket(bucket)),
        Operation::CreateBucket(request) => allows(A::CreateBucket, Resource::Bucket(&request.bucket)),
        Operation::DeleteBucket(bucket) => allows(A::DeleteBucket, Resource::Bucket(bucket)),
        Operation::GetBucketLocation(bucket) => allows(A::GetBucketLocation, Resource::Bucket(bucket)),
        Operation::GetBucketVersioning(bucket) => allows(A::GetBucketVersioning, Resource::Bucket(bucket)),
        Operation::GetBucketAcl(bucket) => allows(A::GetBucketAcl, Resource::Bucket(bucket)),
        Operation::PutBucketAcl(bucket) => allows(A::PutBucketAcl, Resource::Bucket(bucket)),
        Operation::GetBucketSetting(bucket, _) => allows(A::GetBucketSetting, Resource::Bucket(bucket)),
        Operation::PutBucketTagging(request) => allows(A::PutBucketTagging, Resource::Bucket(&request.bucket)),
        Operation::DeleteBucketTagging(bucket) => allows(A::PutBucketTagging, Resource::Bucket(bucket)),
        Operation::ListObjectsV1(request) => {
            allows(A::ListBucket, Resource::Listing { bucket: &request.bucket, prefix: &request.listing.prefix })
        }
        Operation::ListObjectsV2(request) => {
            allows(A::ListBucket, Resource::Listing { bucket: &request.bucket, prefix: &request.listing.prefix })
        }
        Operation::ListObjectVersions(request) => allows(
            A::ListBucketVersions,
            Resource::Listing { bucket: &request.bucket, prefix: &request.listing.prefix },
        ),
        Operation::ListMultipartUploads(request) => allows(
            A::ListBucketMultipartUploads,
            Resource::Listing { bucket: &request.bucket, prefix: &request.listing.prefix },
        ),
        Operation::DeleteObjects(request) => allows(A::DeleteObject, Resource::SomeObjects(&request.bucket)),
        Operation::GetObject(request) | Operation::HeadObject(request) => read(&request.address, &request.version_id),
        Operation::GetObjectAttributes(request) => {
            read(&request.object.address, &request.object.version_id)
                && on(A::GetObjectAttributes, &request.object.address)
        }
        Operation::GetObjectAcl(object) => on(A::GetObjectAcl, &object.address),
        Operation::PutObjectAcl(object) => on(A::PutObjectAcl, &object.address),
        Operation::GetObjectTagging(object) => on(A::GetObjectTagging, &object.address),
        Operation::PutObjectTagging(request) => on(A::PutObjectTagging, &request.object.address),
        Operation::DeleteObjectTagging(object) => on(A::DeleteObjectTagging, &object.address),
        Operation::PutObject(request) => write(&request.address, Some(&request.object.tags)),
        Operation::CopyObject(request) => {
            source(&request.source) && write(&request.address, request.replace_tags.as_ref())
        }
        Operation::DeleteObject(request) => {
            in_version(A::DeleteObject, A::DeleteObjectVersion, &request.object.address, &request.object.version_id)
        }
        Operation::CreateMultipartUpload(request) => write(&request.address, Some(&request.object.tags)),
        Operation::UploadPart(request) => write(&request.upload.address, None),
        Operation::UploadPartCopy(request) => source(&request.source) && write(&request.upload.address, None),
        Operation::CompleteMultipartUpload(request) => write(&request.upload.address, None),
        Operation::AbortMultipartUpload(upload) => on(A::AbortMultipartUpload, &upload.address),
        Operation::ListParts(request) => on(A::ListMultipartUploadParts, &request.upload.address),
        Operation::Unsupported { bucket: Some(bucket), .. } => allows(A::Unserved, Resource::Bucket(bucket)),
        Operation::Unsupported { bucket: None, .. } | Operation::MethodNotAllowed => true,
    }
}
