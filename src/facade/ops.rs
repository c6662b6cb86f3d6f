//! One file per S3 operation: from its parsed request to the bucket and back to an answer.

mod abort_multipart_upload;
mod bucket_tagging;
mod buckets;
mod complete_multipart_upload;
mod copy_object;
mod create_multipart_upload;
mod delete_object;
mod delete_objects;
mod get_object;
mod get_object_attributes;
mod list_multipart_uploads;
mod list_object_versions;
mod list_objects;
mod list_parts;
mod put_object;
mod tagging;
mod upload_part;
mod upload_part_copy;

use http::Response;

use super::handle::Call;
use crate::migration::router::Route;
use crate::net::Body;
use crate::object::{Attributes, BucketName, UploadId};
use crate::s3::error::{Access, Result, S3Code, S3Error};
use crate::s3::operation::{BucketSetting, NewObject, Operation, UploadAddress};

/// Carries out an operation. Those that are not on every client's hot path are boxed, so that the
/// future of a request stays small enough to be moved about.
pub(super) async fn run(call: Call<'_>, operation: Operation) -> Result<Response<Body>> {
    match operation {
        Operation::ListBuckets(request) => Box::pin(buckets::list(&call, &request)).await,
        Operation::HeadBucket(bucket) => Box::pin(buckets::head(&call, &bucket)).await,
        Operation::CreateBucket(request) => Box::pin(buckets::create(call, request)).await,
        Operation::DeleteBucket(bucket) => Box::pin(buckets::delete(&call, &bucket)).await,
        Operation::GetBucketLocation(bucket) => buckets::location(&call, &bucket),
        Operation::GetBucketVersioning(bucket) => buckets::versioning(&call, &bucket),
        Operation::GetBucketAcl(bucket) => buckets::acl(&call, &bucket),
        Operation::PutBucketAcl(bucket) => Box::pin(buckets::put_acl(&call, &bucket)).await,
        Operation::GetBucketSetting(bucket, BucketSetting::Tagging) => {
            Box::pin(bucket_tagging::get(&call, &bucket)).await
        }
        Operation::GetBucketSetting(bucket, setting) => buckets::setting(&call, &bucket, setting),
        Operation::PutBucketTagging(request) => Box::pin(bucket_tagging::put(call, request)).await,
        Operation::DeleteBucketTagging(bucket) => Box::pin(bucket_tagging::delete(&call, &bucket)).await,
        Operation::ListObjectsV1(request) => Box::pin(list_objects::v1(&call, &request)).await,
        Operation::ListObjectsV2(request) => Box::pin(list_objects::v2(&call, &request)).await,
        Operation::ListObjectVersions(request) => Box::pin(list_object_versions::run(&call, &request)).await,
        Operation::ListMultipartUploads(request) => Box::pin(list_multipart_uploads::run(&call, &request)).await,
        Operation::DeleteObjects(request) => Box::pin(delete_objects::run(call, request)).await,
        Operation::GetObject(request) => get_object::get(&call, &request).await,
        Operation::HeadObject(request) => get_object::head(&call, &request).await,
        Operation::GetObjectAttributes(request) => Box::pin(get_object_attributes::run(&call, &request)).await,
        Operation::GetObjectAcl(object) => Box::pin(buckets::object_acl(&call, &object)).await,
        Operation::PutObjectAcl(object) => Box::pin(buckets::put_object_acl(&call, &object)).await,
        Operation::PutObject(request) => Box::pin(put_object::run(call, request)).await,
        Operation::CopyObject(request) => Box::pin(copy_object::run(&call, request)).await,
        Operation::DeleteObject(request) => Box::pin(delete_object::run(&call, &request)).await,
        Operation::GetObjectTagging(object) => Box::pin(tagging::get(&call, &object)).await,
        Operation::PutObjectTagging(request) => Box::pin(tagging::put(call, request)).await,
        Operation::DeleteObjectTagging(object) => Box::pin(tagging::delete(&call, &object)).await,
        Operation::CreateMultipartUpload(request) => Box::pin(create_multipart_upload::run(&call, request)).await,
        Operation::UploadPart(request) => Box::pin(upload_part::run(call, request)).await,
        Operation::UploadPartCopy(request) => Box::pin(upload_part_copy::run(&call, request)).await,
        Operation::CompleteMultipartUpload(request) => Box::pin(complete_multipart_upload::run(call, request)).await,
        Operation::AbortMultipartUpload(upload) => Box::pin(abort_multipart_upload::run(&call, &upload)).await,
        Operation::ListParts(request) => Box::pin(list_parts::run(&call, &request)).await,
        Operation::Unsupported { name, .. } => {
            Err(S3Error::new(S3Code::NotImplemented, format!("{name} is not served.")))
        }
        Operation::MethodNotAllowed => Err(S3Code::MethodNotAllowed.into()),
    }
}

impl Call<'_> {
    /// The side that serves a bucket.
    fn route(&self, bucket: &BucketName) -> Result<Route<'_>> {
        self.facade.router.route(bucket).map_err(|error| S3Error::from_object(error, Access::Read))
    }
}

/// An error of an operation that only reads.
fn read_error(error: crate::object::Error) -> S3Error {
    S3Error::from_object(error, Access::Read)
}

/// An error of an operation that may have written.
fn write_error(error: crate::object::Error) -> S3Error {
    S3Error::from_object(error, Access::Write)
}

/// A bucket that was never versioned knows the current version as `null`, and no other id is one of its own.
fn only_null_version(version_id: Option<&str>) -> Result<()> {
    match version_id {
        None | Some("null") => Ok(()),
        Some(other) => Err(S3Error::new(S3Code::InvalidArgument, "Invalid version id specified")
            .with("ArgumentName", "versionId")
            .with("ArgumentValue", other)),
    }
}

/// An upload id of ours; any other was never given out.
fn upload_id(upload: &UploadAddress) -> Result<UploadId> {
    UploadId::parse(&upload.upload_id).ok_or_else(|| S3Code::NoSuchUpload.into())
}

/// What a request gives a new object, with S3's default content type.
fn attributes(object: NewObject) -> Attributes {
    let mut content = object.content;
    content.content_type.get_or_insert_with(|| super::respond::DEFAULT_CONTENT_TYPE.to_owned());
    let storage_class = object.storage_class.filter(|class| class != "STANDARD");
    Attributes { content, user: object.metadata, tags: object.tags, storage_class }
}
