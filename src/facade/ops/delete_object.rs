//! DeleteObject.

use http::{Response, StatusCode};

use super::{only_null_version, write_error};
use crate::facade::handle::Call;
use crate::facade::respond;
use crate::net::Body;
use crate::s3::error::Result;
use crate::s3::operation::DeleteObject;

pub async fn run(call: &Call<'_>, request: &DeleteObject) -> Result<Response<Body>> {
    let object = &request.object;
    let route = call.route(&object.address.bucket)?;
    if only_null_version(object.version_id.as_deref()).is_ok() {
        route.delete(&object.address.key, &request.condition).await.map_err(write_error)?;
    }
    Ok(respond::empty(StatusCode::NO_CONTENT))
}
