//! ListObjectVersions: on a bucket that was never versioned, every object is its only version.

use http::Response;

use super::list_objects::{last_entry, query};
use super::read_error;
use crate::facade::handle::Call;
use crate::facade::respond;
use crate::net::Body;
use crate::s3::error::Result;
use crate::s3::operation::ListObjectVersions;
use crate::s3::xml::{Owner, list_versions};

pub async fn run(call: &Call<'_>, request: &ListObjectVersions) -> Result<Response<Body>> {
    let route = call.route(&request.bucket)?;
    let page = route.list(&query(&request.listing, request.key_marker.clone())).await.map_err(read_error)?;
    Ok(respond::xml(list_versions::render(request, &page, last_entry(&page), &Owner::default())))
}
