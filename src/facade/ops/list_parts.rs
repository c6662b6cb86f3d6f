//! ListParts.

use http::Response;

use super::{read_error, upload_id};
use crate::facade::handle::Call;
use crate::facade::respond;
use crate::net::Body;
use crate::object::multipart::Part;
use crate::s3::error::Result;
use crate::s3::operation::{ChecksumType, ListParts, PartNumber};
use crate::s3::xml::Owner;
use crate::s3::xml::list_parts::{self, ListedPart, PartsPage};

pub async fn run(call: &Call<'_>, request: &ListParts) -> Result<Response<Body>> {
    let id = upload_id(&request.upload)?;
    let address = &request.upload.address;
    let route = call.route(&address.bucket)?;
    let page = route.list_parts(&address.key, &id, request.part_number_marker, request.max_parts).await;
    let page = page.map_err(read_error)?;
    let shown = PartsPage {
        parts: page.parts.into_iter().filter_map(shown).collect(),
        truncated: page.truncated,
        checksum_algorithm: page.checksum.map(|declared| declared.algorithm),
        checksum_type: page
            .checksum
            .map(|declared| if declared.full_object { ChecksumType::FullObject } else { ChecksumType::Composite }),
        storage_class: None,
    };
    Ok(respond::xml(list_parts::render(request, &shown, &Owner::default())))
}

fn shown(part: Part) -> Option<ListedPart> {
    Some(ListedPart {
        number: PartNumber::new(part.number.into())?,
        etag: part.etag,
        size: part.size,
        last_modified: part.last_modified,
        checksum: part.checksums.into_iter().next(),
    })
}
