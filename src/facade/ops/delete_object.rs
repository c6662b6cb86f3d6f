//! DeleteObject.

use http::{Response, StatusCode};

use super::{only_null_version, write_error};
use crate::facade::handle::Call;
use crate::facade::respond;
use crate::net::Body;
use crate::object::WriteCondition;
use crate::s3::error::Result;
use crate::s3::operation::DeleteObject;

pub async fn run(call: &Call<'_>, request: &DeleteObject) -> Result<Response<Body>> {
    let object = &request.object;
    let route = call.route(&object.address.bucket)?;
    only_null_version(object.version_id.as_deref())?;
    if request.condition.is_empty() {
        route.delete(&object.address.key, &WriteCondition::None).await.map_err(write_error)?;
    } else {
        route.delete_if(&object.address.key, &request.condition).await.map_err(write_error)?;
    }
    Ok(respond::empty(StatusCode::NO_CONTENT))
}
