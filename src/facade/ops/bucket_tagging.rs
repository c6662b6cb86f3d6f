//! GetBucketTagging, PutBucketTagging, DeleteBucketTagging: kept for buckets that clients make themselves,
//! which is in development mode.

use http::{Response, StatusCode};

use super::{read_error, write_error};
use crate::facade::handle::Call;
use crate::facade::respond;
use crate::net::Body;
use crate::object::{BucketName, Tags};
use crate::s3::error::{Result, S3Code, S3Error};
use crate::s3::operation::PutBucketTagging;
use crate::s3::xml::tagging;

pub async fn get(call: &Call<'_>, bucket: &BucketName) -> Result<Response<Body>> {
    let tags = call.facade.router.tags(bucket).await.map_err(read_error)?;
    if tags.is_empty() {
        return Err(S3Error::from(S3Code::NoSuchTagSet).with("BucketName", bucket.as_str()));
    }
    Ok(respond::xml(tagging::render(&tags)))
}

/// An empty set takes the tags away, as in S3.
pub async fn put(call: Call<'_>, request: PutBucketTagging) -> Result<Response<Body>> {
    let Call { facade, body, chunk_signer, .. } = call;
    facade.router.keeps_tags(&request.bucket).map_err(write_error)?;
    let document = facade.document(body, &request.body, chunk_signer, tagging::BYTES_MAX).await?;
    let tags = tagging::parse_of_bucket(&document)?;
    facade.router.put_tags(&request.bucket, &tags).await.map_err(write_error)?;
    Ok(respond::empty(StatusCode::NO_CONTENT))
}

pub async fn delete(call: &Call<'_>, bucket: &BucketName) -> Result<Response<Body>> {
    call.facade.router.put_tags(bucket, &Tags::default()).await.map_err(write_error)?;
    Ok(respond::empty(StatusCode::NO_CONTENT))
}
