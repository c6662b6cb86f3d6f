//! Operations on buckets as a whole, and what is said of access control.

use http::{HeaderValue, Response, StatusCode};

use super::{only_null_version, read_error, write_error};
use crate::facade::handle::Call;
use crate::facade::respond;
use crate::net::Body;
use crate::object::{BucketName, ReadRequest, Timestamp};
use crate::s3::error::{Result, S3Code, S3Error};
use crate::s3::header;
use crate::s3::operation::{CreateBucket, VersionedObject};
use crate::s3::xml::{Owner, access_control, create_bucket, list_buckets, location, versioning};

/// Shown as the creation time of buckets whose containers are not asked: Azure does not keep one.
const UNKNOWN_CREATION: Timestamp = Timestamp(0);

pub async fn list(call: &Call<'_>) -> Result<Response<Body>> {
    let buckets = call.facade.router.list().await.map_err(read_error)?;
    let shown = buckets
        .iter()
        .filter(|bucket| call.caller.sees(&bucket.name))
        .map(|bucket| (&bucket.name, bucket.created.unwrap_or(UNKNOWN_CREATION)));
    Ok(respond::xml(list_buckets::render(&Owner::default(), shown)))
}

pub async fn head(call: &Call<'_>, bucket: &BucketName) -> Result<Response<Body>> {
    call.route(bucket)?.exists().await.map_err(read_error)?;
    let mut response = respond::empty(StatusCode::OK);
    respond::set(response.headers_mut(), header::BUCKET_REGION.clone(), &call.facade.settings.region);
    Ok(response)
}

/// In development mode only: elsewhere the buckets are fixed, and one that is there already is owned
/// by whoever may ask.
pub async fn create(call: Call<'_>, request: CreateBucket) -> Result<Response<Body>> {
    let Call { facade, body, chunk_signer, .. } = call;
    if let Some(declared) = &request.body {
        let document = facade.document(body, declared, chunk_signer, create_bucket::BYTES_MAX).await?;
        check_region(create_bucket::parse(&document)?.as_deref(), &facade.settings.region)?;
    }
    facade.router.create(&request.bucket).await.map_err(write_error)?;
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

pub async fn object_acl(call: &Call<'_>, object: &VersionedObject) -> Result<Response<Body>> {
    only_null_version(object.version_id.as_deref())?;
    let route = call.route(&object.address.bucket)?;
    route.head(&object.address.key, &ReadRequest::default()).await.map_err(read_error)?;
    Ok(respond::xml(access_control::render(&Owner::default())))
}
