//! Operations on buckets as a whole, and what is said of access control.

use http::{HeaderValue, Response, StatusCode};

use super::{only_null_version, read_error, write_error};
use crate::facade::handle::Call;
use crate::facade::respond;
use crate::net::Body;
use crate::object::{BucketName, ErrorKind, ReadRequest, Timestamp};
use crate::s3::continuation;
use crate::s3::error::{Result, S3Code, S3Error};
use crate::s3::header;
use crate::s3::operation::{BucketSetting, CreateBucket, ListBuckets, VersionedObject};
use crate::s3::xml::{Owner, access_control, bucket_setting, create_bucket, list_buckets, location, versioning};

/// Shown as the creation time of buckets whose containers are not asked: Azure does not keep one.
const UNKNOWN_CREATION: Timestamp = Timestamp(0);

pub async fn list(call: &Call<'_>, request: &ListBuckets) -> Result<Response<Body>> {
    let after = request.continuation_token.as_deref().map(continuation::decode).transpose()?;
    let here = request.region.as_deref().is_none_or(|region| region == call.facade.settings.region);
    let buckets = if here { call.facade.router.list().await.map_err(read_error)? } else { Vec::new() };
    let mut shown: Vec<_> = buckets
        .iter()
        .filter(|bucket| call.caller.sees(&bucket.name))
        .filter(|bucket| request.prefix.as_deref().is_none_or(|prefix| bucket.name.as_str().starts_with(prefix)))
        .filter(|bucket| after.as_deref().is_none_or(|after| bucket.name.as_str() > after))
        .map(|bucket| (&bucket.name, bucket.created.unwrap_or(UNKNOWN_CREATION)))
        .collect();
    let limit = request.max.unwrap_or(usize::MAX);
    let more = shown.len() > limit;
    shown.truncate(limit);
    let next = shown.last().filter(|_| more).map(|(name, _)| continuation::encode(name.as_str()));
    let page = list_buckets::Page {
        buckets: &shown,
        region: &call.facade.settings.region,
        prefix: request.prefix.as_deref(),
        next: next.as_deref(),
    };
    Ok(respond::xml(list_buckets::render(&Owner::default(), &page)))
}

pub async fn head(call: &Call<'_>, bucket: &BucketName) -> Result<Response<Body>> {
    call.route(bucket)?.exists().await.map_err(read_error)?;
    let mut response = respond::empty(StatusCode::OK);
    respond::set(response.headers_mut(), header::BUCKET_REGION.clone(), &call.facade.settings.region);
    Ok(response)
}

/// In development mode only: elsewhere the buckets are fixed. One that is there already is owned by
/// whoever may ask.
pub async fn create(call: Call<'_>, request: CreateBucket) -> Result<Response<Body>> {
    let Call { facade, body, chunk_signer, .. } = call;
    let mut asked = create_bucket::Configuration::default();
    if let Some(declared) = &request.body {
        let document = facade.document(body, declared, chunk_signer, create_bucket::BYTES_MAX).await?;
        asked = create_bucket::parse(&document)?;
        check_region(asked.region.as_deref(), &facade.settings.region)?;
    }
    // The one region in which S3 lets an owner create a bucket again, and not even there with tags.
    let again = facade.settings.region == "us-east-1" && asked.tags.is_empty();
    match facade.router.create(&request.bucket, &asked.tags).await {
        Err(error) if again && error.kind() == ErrorKind::ContainerExists => {}
        created => created.map_err(write_error)?,
    }
    let mut response = respond::empty(StatusCode::OK);
    if let Ok(place) = HeaderValue::from_str(&format!("/{}", request.bucket)) {
        response.headers_mut().insert(http::header::LOCATION, place);
    }
    Ok(response)
}

fn check_region(asked: Option<&str>, ours: &str) -> Result<()> {
    match asked {
        Some(region) if region != ours => {
            let message = format!("The {region} location constraint is incompatible with this endpoint.");
            Err(S3Error::new(S3Code::IllegalLocationConstraintException, message))
        }
        _ => Ok(()),
    }
}

pub async fn delete(call: &Call<'_>, bucket: &BucketName) -> Result<Response<Body>> {
    call.facade.router.delete(bucket).await.map_err(write_error)?;
    Ok(respond::empty(StatusCode::NO_CONTENT))
}

pub fn location(call: &Call<'_>, bucket: &BucketName) -> Result<Response<Body>> {
    call.route(bucket)?;
    Ok(respond::xml(location::render(&call.facade.settings.region)))
}

pub fn versioning(call: &Call<'_>, bucket: &BucketName) -> Result<Response<Body>> {
    call.route(bucket)?;
    Ok(respond::xml(versioning::render()))
}

pub fn acl(call: &Call<'_>, bucket: &BucketName) -> Result<Response<Body>> {
    call.route(bucket)?;
    Ok(respond::xml(access_control::render(&Owner::default())))
}

/// Says what holds anyway.
pub async fn put_acl(call: &Call<'_>, bucket: &BucketName) -> Result<Response<Body>> {
    call.route(bucket)?.exists().await.map_err(read_error)?;
    Ok(respond::empty(StatusCode::OK))
}

pub async fn put_object_acl(call: &Call<'_>, object: &VersionedObject) -> Result<Response<Body>> {
    object_acl(call, object).await.map(|_| respond::empty(StatusCode::OK))
}

pub fn setting(call: &Call<'_>, bucket: &BucketName, setting: BucketSetting) -> Result<Response<Body>> {
    call.route(bucket)?;
    let named = |error: S3Error| error.with("BucketName", bucket.as_str());
    Ok(respond::xml(bucket_setting::render(setting).map_err(named)?))
}

pub async fn object_acl(call: &Call<'_>, object: &VersionedObject) -> Result<Response<Body>> {
    only_null_version(object.version_id.as_deref())?;
    let route = call.route(&object.address.bucket)?;
    route.head(&object.address.key, &ReadRequest::default()).await.map_err(read_error)?;
    Ok(respond::xml(access_control::render(&Owner::default())))
}
