//! GetObjectAttributes.

use http::Response;

use super::{only_null_version, read_error};
use crate::facade::handle::Call;
use crate::facade::respond;
use crate::net::Body;
use crate::object::{ObjectMeta, ObjectPart, Read, ReadRequest};
use crate::s3::error::Result;
use crate::s3::operation::{GetObjectAttributes, PartNumber};
use crate::s3::xml::object_attributes::{self, ObjectAttributes, ObjectParts};

pub async fn run(call: &Call<'_>, request: &GetObjectAttributes) -> Result<Response<Body>> {
    only_null_version(request.object.version_id.as_deref())?;
    let address = &request.object.address;
    let route = call.route(&address.bucket)?;
    let (meta, parts) = if request.attributes.object_parts {
        route.parts(&address.key).await.map_err(read_error)?
    } else {
        match route.head(&address.key, &ReadRequest::default()).await.map_err(read_error)? {
            Read::Object(head) => (head.meta, Vec::new()),
            Read::NotModified(meta) => (*meta, Vec::new()),
        }
    };
    let mut response = respond::xml(object_attributes::render(request, &attributes(request, &meta, parts)));
    response.headers_mut().insert(http::header::LAST_MODIFIED, respond::http_date(meta.last_modified));
    Ok(response)
}

fn attributes<'a>(request: &GetObjectAttributes, meta: &'a ObjectMeta, parts: Vec<ObjectPart>) -> ObjectAttributes<'a> {
    ObjectAttributes {
        etag: &meta.etag,
        size: meta.size,
        storage_class: meta.storage_class.as_deref(),
        checksums: &meta.checksums,
        parts: match parts.len() {
            // Made of parts elsewhere (imported, copied): only their number is known, from the ETag.
            0 => meta.etag.parts().map(|total| ObjectParts { total: total.into(), ..Default::default() }),
            _ => Some(page(request, parts)),
        },
    }
}

/// The parts after the marker of the request, as many as it wants.
fn page(request: &GetObjectAttributes, parts: Vec<ObjectPart>) -> ObjectParts {
    let total = parts.len();
    let after = usize::from(request.part_number_marker);
    let shown = parts.into_iter().enumerate().skip(after).take(request.max_parts).filter_map(|(index, part)| {
        let number = PartNumber::new(index as u64 + 1)?;
        Some(object_attributes::ObjectPart { number, size: part.span.length(), checksum: part.checksum })
    });
    let truncated = total.saturating_sub(after) > request.max_parts;
    ObjectParts { total: total as u64, truncated, parts: shown.collect() }
}
