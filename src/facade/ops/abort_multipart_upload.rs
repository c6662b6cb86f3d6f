//! AbortMultipartUpload.

use http::{Response, StatusCode};

use super::{upload_id, write_error};
use crate::facade::handle::Call;
use crate::facade::respond;
use crate::net::Body;
use crate::s3::error::Result;
use crate::s3::operation::UploadAddress;

pub async fn run(call: &Call<'_>, upload: &UploadAddress) -> Result<Response<Body>> {
    let id = upload_id(upload)?;
    let route = call.route(&upload.address.bucket)?;
    route.abort_upload(&upload.address.key, &id).await.map_err(write_error)?;
    Ok(respond::empty(StatusCode::NO_CONTENT))
}
