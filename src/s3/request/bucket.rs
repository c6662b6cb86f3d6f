//! Operations on a bucket.

use http::Method;
use http::header::CONTENT_LENGTH;

use crate::object::BucketName;
use crate::s3::error::{Result, S3Code};
use crate::s3::header;
use crate::s3::operation::{
    BucketSetting, CreateBucket, DeleteObjects, ListBuckets, ListMultipartUploads, ListObjectVersions, ListObjectsV1,
    ListObjectsV2, Listing, Operation, PutBucketTagging,
};
use crate::s3::payload::BodyDeclaration;
use crate::s3::xml::KeyEncoding;

use super::{Input, attributes, invalid, unserved};

pub(super) fn parse(input: &Input<'_>, bucket: BucketName) -> Result<Operation> {
    match *input.method {
        Method::GET => get(input, bucket),
        Method::HEAD => Ok(Operation::HeadBucket(bucket)),
        Method::PUT if input.query.has("acl") => {
            attributes::same_acl(input.headers)?;
            Ok(Operation::PutBucketAcl(bucket))
        }
        Method::PUT if input.query.has("tagging") => {
            let body = BodyDeclaration::parse(input.headers)?;
            Ok(Operation::PutBucketTagging(PutBucketTagging { bucket, body }))
        }
        Method::DELETE if input.query.has("tagging") => Ok(Operation::DeleteBucketTagging(bucket)),
        Method::PUT => match refused(input, &bucket) {
            Some(refusal) => Ok(refusal),
            None => create(input, bucket),
        },
        Method::DELETE => Ok(refused(input, &bucket).unwrap_or(Operation::DeleteBucket(bucket))),
        Method::POST if input.query.has("delete") => {
            let body = BodyDeclaration::parse(input.headers)?;
            Ok(Operation::DeleteObjects(DeleteObjects { bucket, body }))
        }
        Method::POST => Ok(unserved::find(unserved::BUCKET, input.method, input.query, &bucket)
            .unwrap_or(Operation::Unsupported { name: "PostObject", bucket: Some(bucket) })),
        _ => Ok(Operation::MethodNotAllowed),
    }
}

fn refused(input: &Input<'_>, bucket: &BucketName) -> Option<Operation> {
    unserved::find(unserved::BUCKET, input.method, input.query, bucket).or_else(|| input.unknown_subresource(bucket))
}

fn get(input: &Input<'_>, bucket: BucketName) -> Result<Operation> {
    let query = input.query;
    if query.has("location") {
        return Ok(Operation::GetBucketLocation(bucket));
    }
    if query.has("versioning") {
        return Ok(Operation::GetBucketVersioning(bucket));
    }
    if query.has("acl") {
        return Ok(Operation::GetBucketAcl(bucket));
    }
    if query.has("uploads") {
        return list_uploads(input, bucket);
    }
    if query.has("versions") {
        return list_versions(input, bucket);
    }
    if let Some(setting) = BucketSetting::of(query) {
        return Ok(Operation::GetBucketSetting(bucket, setting));
    }
    if let Some(refusal) = unserved::find(unserved::BUCKET, input.method, input.query, &bucket) {
        return Ok(refusal);
    }
    match query.get("list-type")? {
        None => Ok(Operation::ListObjectsV1(ListObjectsV1 {
            bucket,
            listing: listing(input, "max-keys")?,
            marker: input.non_empty("marker")?,
        })),
        Some("2") => list_v2(input, bucket),
        Some(_) => Err(invalid("list-type", "Invalid list-type")),
    }
}

fn list_v2(input: &Input<'_>, bucket: BucketName) -> Result<Operation> {
    Ok(Operation::ListObjectsV2(ListObjectsV2 {
        bucket,
        listing: listing(input, "max-keys")?,
        continuation_token: input.query.get("continuation-token")?.map(str::to_owned),
        start_after: input.non_empty("start-after")?,
        fetch_owner: input.query.get("fetch-owner")?.is_some_and(|value| value.eq_ignore_ascii_case("true")),
    }))
}

fn list_versions(input: &Input<'_>, bucket: BucketName) -> Result<Operation> {
    let key_marker = input.non_empty("key-marker")?;
    let version_id_marker = input.non_empty("version-id-marker")?;
    if version_id_marker.is_some() && key_marker.is_none() {
        return Err(invalid("version-id-marker", "A version-id marker cannot be specified without a key marker."));
    }
    let listing = listing(input, "max-keys")?;
    Ok(Operation::ListObjectVersions(ListObjectVersions { bucket, listing, key_marker, version_id_marker }))
}

fn list_uploads(input: &Input<'_>, bucket: BucketName) -> Result<Operation> {
    let key_marker = input.non_empty("key-marker")?;
    // Without a key marker S3 ignores it.
    let upload_id_marker = input.non_empty("upload-id-marker")?.filter(|_| key_marker.is_some());
    let listing = listing(input, "max-uploads")?;
    Ok(Operation::ListMultipartUploads(ListMultipartUploads { bucket, listing, key_marker, upload_id_marker }))
}

/// ListBuckets, whole or in pages.
pub(super) fn list(input: &Input<'_>) -> Result<Operation> {
    let max = match input.number("max-buckets")? {
        Some(0) => return Err(invalid("max-buckets", "Argument max-buckets must be an integer between 1 and 10000")),
        max => max.map(|max| max.min(BUCKETS_MAX) as usize),
    };
    Ok(Operation::ListBuckets(ListBuckets {
        max,
        continuation_token: input.non_empty("continuation-token")?,
        prefix: input.non_empty("prefix")?,
        region: input.non_empty("bucket-region")?,
    }))
}

/// Most buckets of a page (set by S3).
const BUCKETS_MAX: u64 = 10_000;

fn listing(input: &Input<'_>, limit: &'static str) -> Result<Listing> {
    Ok(Listing {
        prefix: input.non_empty("prefix")?.unwrap_or_default(),
        delimiter: input.non_empty("delimiter")?,
        max_keys: input.limit(limit)?,
        encoding: encoding(input)?,
    })
}

pub(super) fn encoding(input: &Input<'_>) -> Result<KeyEncoding> {
    match input.query.get("encoding-type")? {
        None | Some("") => Ok(KeyEncoding::Plain),
        Some(text) if text.eq_ignore_ascii_case("url") => Ok(KeyEncoding::Url),
        Some(_) => Err(invalid("encoding-type", "Invalid Encoding Method specified in Request")),
    }
}

fn create(input: &Input<'_>, bucket: BucketName) -> Result<Operation> {
    attributes::refuse_public_acl(input.headers).map_err(|refused| match refused.code() {
        S3Code::AccessControlListNotSupported => S3Code::InvalidBucketAclWithObjectOwnership.into(),
        _ => refused,
    })?;
    let empty = match input.headers.get(CONTENT_LENGTH) {
        Some(length) => length == "0",
        None => !input.headers.contains_key(&header::DECODED_CONTENT_LENGTH),
    };
    let body = if empty { None } else { Some(BodyDeclaration::parse(input.headers)?) };
    Ok(Operation::CreateBucket(CreateBucket { bucket, body }))
}
