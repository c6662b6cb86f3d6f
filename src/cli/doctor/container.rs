//! Each container: there, listable, readable.

use bytes::Bytes;
use http::Method;

use super::check::Check;
use super::remedy;
use crate::blob::get_blob::ReadRange;
use crate::blob::list::{BlobItem, ListBlobs};
use crate::blob::{BlobClient, BlobCondition, BlobRef};
use crate::object::{ContainerName, Error, ErrorKind, Result, Span};

/// Checks a container that data is written to.
pub async fn check(client: &BlobClient, container: &ContainerName, checks: &mut Vec<Check>) {
    let name = |what: &str| format!("container/{container}/{what}");
    let failed = |what: &str, error: &Error| {
        Check::problem(name(what), error.to_string(), remedy::of_store(error, container.as_str()))
    };
    if let Err(error) = client.get_container(container).await {
        checks.push(failed("exists", &error));
        if error.kind() != ErrorKind::Denied {
            return;
        }
    } else {
        checks.push(Check::ok(name("exists"), "it is there"));
    }
    let first = match first_blob(client, container).await {
        Ok(first) => first,
        Err(error) => return checks.push(failed("list", &error)),
    };
    checks.push(Check::ok(name("list"), if first.is_some() { "it holds blobs" } else { "it is empty" }));
    if let Some((blob, length)) = first {
        checks.push(match read(client, BlobRef { container, name: &blob }, length).await {
            Ok(()) => Check::ok(name("read"), "its first blob can be read"),
            Err(error) => failed("read", &error),
        });
    }
    if is_versioned(client, container).await {
        checks.push(Check::warning(
            name("versions"),
            "blob versioning is on",
            "Reckon with a version of every replaced blob, records included, or set a lifecycle rule that deletes old versions.",
        ));
    }
}

/// Checks the container that everything of ours lives in. It may be missing: it is made when needed.
pub async fn check_state(client: &BlobClient, container: &ContainerName) -> Check {
    let name = format!("container/{container}/state");
    match client.get_container(container).await {
        Ok(_) => Check::ok(name, "it is there"),
        Err(error) if error.kind() == ErrorKind::ContainerMissing => Check::warning(
            name,
            "it is not there yet",
            "serve and backfill make it, which takes Storage Blob Data Contributor on the account (doctor --probe tries it), or make it yourself.",
        ),
        Err(error) => Check::problem(name, error.to_string(), remedy::of_store(&error, container.as_str())),
    }
}

/// The first blob and its length. Pages may be empty and still not be the last.
async fn first_blob(client: &BlobClient, container: &ContainerName) -> Result<Option<(String, u64)>> {
    let mut marker: Option<String> = None;
    for _ in 0..PAGES_MAX {
        let query = ListBlobs { max_results: Some(FIRST), marker: marker.as_deref(), ..ListBlobs::default() };
        let page = client.list_blobs(container, &query).await?;
        for item in page.items {
            if let BlobItem::Blob { name, properties } = item
                && !properties.is_directory
            {
                return Ok(Some((name, properties.length)));
            }
        }
        marker = page.next_marker;
        if marker.is_none() {
            break;
        }
    }
    Ok(None)
}

/// Entries asked for: directories come before the first blob of a hierarchical account.
const FIRST: usize = 50;
const PAGES_MAX: usize = 5;

/// Reads one byte, or what there is of a blob without any.
async fn read(client: &BlobClient, blob: BlobRef<'_>, length: u64) -> Result<()> {
    if length == 0 {
        return client.get_properties(blob).await.map(drop);
    }
    let one = ReadRange::Span(Span { start: 0, end: 1 });
    let download = client.get_blob(blob, one, &BlobCondition::None).await?;
    crate::object::body::collect(download.body, 1).await.map(drop)
}

/// Listings of versioned accounts name the version of every blob.
async fn is_versioned(client: &BlobClient, container: &ContainerName) -> bool {
    let target = format!("/{container}?restype=container&comp=list&maxresults={FIRST}");
    let page = client.probe_raw(Method::GET, &target, &[], Bytes::new()).await;
    page.is_ok_and(|page| memchr::memmem::find(&page.body, b"<VersionId>").is_some())
}
