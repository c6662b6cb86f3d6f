//! CopyObject.

use http::Response;

use super::{only_null_version, write_error};
use crate::facade::handle::Call;
use crate::facade::respond;
use crate::net::Body;
use crate::object::CopyRequest;
use crate::object::write::CopyAttributes;
use crate::s3::error::Result;
use crate::s3::operation::CopyObject;
use crate::s3::xml::copy;

pub async fn run(call: &Call<'_>, request: CopyObject) -> Result<Response<Body>> {
    only_null_version(request.source.version_id.as_deref())?;
    let route = call.route(&request.address.bucket)?;
    let from = call.route(&request.source.address.bucket)?;
    let replace = request.replace_metadata.map(|(mut content, user)| {
        content.content_type.get_or_insert_with(|| respond::DEFAULT_CONTENT_TYPE.to_owned());
        (content, user)
    });
    let copy = CopyRequest {
        source: request.source.address.key,
        source_condition: request.source.condition,
        attributes: CopyAttributes {
            replace,
            tags: request.replace_tags,
            storage_class: request.storage_class.filter(|class| class != "STANDARD"),
            checksum: request.checksum_algorithm,
        },
        condition: request.condition,
    };
    let stored = route.copy(&request.address.key, &from, &copy).await.map_err(write_error)?;
    let mut response = respond::xml(copy::render_object(&stored.etag, stored.last_modified, &stored.checksums));
    if request.encryption_asked {
        super::put_object::encrypted(&mut response);
    }
    Ok(response)
}
