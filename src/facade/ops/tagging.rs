//! GetObjectTagging, PutObjectTagging, DeleteObjectTagging.

use http::{Response, StatusCode};

use super::{only_null_version, read_error, write_error};
use crate::facade::handle::Call;
use crate::facade::respond;
use crate::net::Body;
use crate::object::Tags;
use crate::s3::error::Result;
use crate::s3::operation::{PutObjectTagging, VersionedObject};
use crate::s3::xml::tagging;

pub async fn get(call: &Call<'_>, object: &VersionedObject) -> Result<Response<Body>> {
    only_null_version(object.version_id.as_deref())?;
    let route = call.route(&object.address.bucket)?;
    let tags = route.tags(&object.address.key).await.map_err(read_error)?;
    Ok(respond::xml(tagging::render(&tags)))
}

pub async fn put(call: Call<'_>, request: PutObjectTagging) -> Result<Response<Body>> {
    only_null_version(request.object.version_id.as_deref())?;
    let Call { facade, body, chunk_signer, .. } = call;
    let address = &request.object.address;
    let route = facade.router.route(&address.bucket).map_err(write_error)?;
    let document = facade.document(body, &request.body, chunk_signer, tagging::BYTES_MAX).await?;
    route.put_tags(&address.key, &tagging::parse(&document)?).await.map_err(write_error)?;
    Ok(respond::empty(StatusCode::OK))
}

pub async fn delete(call: &Call<'_>, object: &VersionedObject) -> Result<Response<Body>> {
    only_null_version(object.version_id.as_deref())?;
    let route = call.route(&object.address.bucket)?;
    route.put_tags(&object.address.key, &Tags::default()).await.map_err(write_error)?;
    Ok(respond::empty(StatusCode::NO_CONTENT))
}
