//! ListObjects, both versions.

use http::Response;

use super::read_error;
use crate::facade::handle::Call;
use crate::facade::respond;
use crate::net::Body;
use crate::object::listing::{ListEntry, ListPage, ListQuery, ListedObject};
use crate::s3::continuation;
use crate::s3::error::Result;
use crate::s3::operation::{ListObjectsV1, ListObjectsV2, Listing};
use crate::s3::xml::{Owner, list_objects};

pub async fn v1(call: &Call<'_>, request: &ListObjectsV1) -> Result<Response<Body>> {
    let route = call.route(&request.bucket)?;
    let page = route.list(&query(&request.listing, request.marker.clone())).await.map_err(read_error)?;
    // S3 names the next marker only where a client could not tell it: in listings with a delimiter.
    let next = last_entry(&page).filter(|_| request.listing.delimiter.is_some());
    Ok(respond::xml(list_objects::render_v1(request, &page, next, &Owner::default())))
}

pub async fn v2(call: &Call<'_>, request: &ListObjectsV2) -> Result<Response<Body>> {
    let route = call.route(&request.bucket)?;
    let after = match &request.continuation_token {
        Some(token) => Some(continuation::decode(token)?),
        None => request.start_after.clone(),
    };
    let page = route.list(&query(&request.listing, after)).await.map_err(read_error)?;
    let token = last_entry(&page).map(continuation::encode);
    Ok(respond::xml(list_objects::render_v2(request, &page, token.as_deref(), &Owner::default())))
}

pub(super) fn query(listing: &Listing, after: Option<String>) -> ListQuery {
    ListQuery { prefix: listing.prefix.clone(), delimiter: listing.delimiter.clone(), after, limit: listing.max_keys }
}

/// The last entry of a page that others follow.
pub(super) fn last_entry(page: &ListPage<ListedObject>) -> Option<&str> {
    let last = page.entries.last().filter(|_| page.truncated)?;
    Some(match last {
        ListEntry::Object(object) => object.key.as_str(),
        ListEntry::Prefix(prefix) => prefix,
    })
}
