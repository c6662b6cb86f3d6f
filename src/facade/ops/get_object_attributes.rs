//! GetObjectAttributes.

use http::Response;

use super::{only_null_version, read_error};
use crate::facade::handle::Call;
use crate::facade::respond;
use crate::net::Body;
use crate::object::{ObjectMeta, Read, ReadRequest};
use crate::s3::error::Result;
use crate::s3::operation::GetObjectAttributes;
use crate::s3::xml::object_attributes::{self, ObjectAttributes, ObjectParts};

pub async fn run(call: &Call<'_>, request: &GetObjectAttributes) -> Result<Response<Body>> {
    only_null_version(request.object.version_id.as_deref())?;
    let address = &request.object.address;
    let route = call.route(&address.bucket)?;
    let meta = match route.head(&address.key, &ReadRequest::default()).await.map_err(read_error)? {
        Read::Object(head) => head.meta,
        Read::NotModified(meta) => *meta,
    };
    let mut response = respond::xml(object_attributes::render(request, &attributes(&meta)));
    response.headers_mut().insert(http::header::LAST_MODIFIED, respond::http_date(meta.last_modified));
    Ok(response)
}

/// The number of parts stands in the ETag; of each part nothing is kept once it is part of the object.
fn attributes(meta: &ObjectMeta) -> ObjectAttributes<'_> {
    ObjectAttributes {
        etag: &meta.etag,
        size: meta.size,
        storage_class: meta.storage_class.as_deref(),
        checksums: &meta.checksums,
        parts: meta.etag.parts().map(|total| ObjectParts { total: total.into(), ..Default::default() }),
    }
}
