//! ListMultipartUploads.

use http::Response;

use super::read_error;
use crate::facade::handle::Call;
use crate::facade::respond;
use crate::net::Body;
use crate::object::listing::{ListEntry, ListPage};
use crate::object::multipart::{Upload, UploadQuery};
use crate::s3::error::Result;
use crate::s3::operation::ListMultipartUploads;
use crate::s3::xml::Owner;
use crate::s3::xml::list_uploads::{self, ListedUpload};

pub async fn run(call: &Call<'_>, request: &ListMultipartUploads) -> Result<Response<Body>> {
    let route = call.route(&request.bucket)?;
    let query = UploadQuery {
        prefix: request.listing.prefix.clone(),
        delimiter: request.listing.delimiter.clone(),
        after_key: request.key_marker.clone().filter(|key| !key.is_empty()),
        after_id: request.upload_id_marker.clone().filter(|id| !id.is_empty()),
        limit: request.listing.max_keys,
    };
    let page = shown(route.list_uploads(&query).await.map_err(read_error)?);
    let next = page.entries.last().filter(|_| page.truncated).map(|last| match last {
        ListEntry::Object(upload) => (upload.key.as_str(), upload.upload_id.as_str()),
        ListEntry::Prefix(prefix) => (prefix.as_str(), ""),
    });
    Ok(respond::xml(list_uploads::render(request, &page, next, &Owner::default())))
}

fn shown(page: ListPage<Upload>) -> ListPage<ListedUpload> {
    let entries = page.entries.into_iter().map(|entry| match entry {
        ListEntry::Prefix(prefix) => ListEntry::Prefix(prefix),
        ListEntry::Object(upload) => ListEntry::Object(ListedUpload {
            key: upload.key,
            upload_id: upload.id.as_str().to_owned(),
            initiated: upload.initiated,
            storage_class: None,
            checksum_algorithm: None,
            checksum_type: None,
        }),
    });
    ListPage { entries: entries.collect(), truncated: page.truncated }
}
