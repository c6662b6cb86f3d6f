//! DeleteObjects: nothing is read before it is deleted, but where an entry demands something of it.

use http::Response;

use super::{only_null_version, write_error};
use crate::facade::handle::Call;
use crate::facade::respond;
use crate::migration::router::Route;
use crate::net::Body;
use crate::object::ObjectKey;
use crate::s3::error::{Result, S3Code, S3Error};
use crate::s3::operation::DeleteObjects;
use crate::s3::xml::delete::{self, DeleteEntry, DeleteOutcome};

pub async fn run(call: Call<'_>, request: DeleteObjects) -> Result<Response<Body>> {
    let Call { facade, caller, body, chunk_signer, .. } = call;
    let route = facade.router.route(&request.bucket).map_err(write_error)?;
    let document = facade.document(body, &request.body, chunk_signer, delete::BYTES_MAX).await?;
    let asked = delete::parse(&document)?;
    let results = delete_all(&route, &asked.objects, |entry| {
        caller.authorize_delete(&request.bucket, entry.key.as_str(), entry.version_id.as_deref())
    });
    let results = results.await;
    let outcomes: Vec<_> =
        asked.objects.iter().zip(results).map(|(entry, result)| DeleteOutcome { entry, result }).collect();
    Ok(respond::xml(delete::render(&outcomes, asked.quiet)))
}

/// The outcome of each entry, in order. One that the caller may not delete is not asked for at all.
async fn delete_all(
    route: &Route<'_>,
    entries: &[DeleteEntry],
    may: impl Fn(&DeleteEntry) -> Result<()>,
) -> Vec<Result<(), S3Error>> {
    let rights = rights(entries, may).await;
    let plain =
        |entry: &DeleteEntry, right: &Result<()>| right.is_ok() && entry.condition.is_empty() && is_current(entry);
    let asked = entries.iter().zip(&rights).filter(|(entry, right)| plain(entry, right));
    let keys: Vec<ObjectKey> = asked.map(|(entry, _)| entry.key.clone()).collect();
    let mut deleted = route.delete_many(&keys).await.into_iter();
    let mut results = Vec::with_capacity(entries.len());
    for (entry, right) in entries.iter().zip(rights) {
        results.push(if plain(entry, &right) {
            deleted.next().unwrap_or(Ok(())).map_err(write_error)
        } else if right.is_err() {
            right
        } else if is_current(entry) {
            route.delete_if(&entry.key, &entry.condition).await.map_err(write_error)
        } else {
            Err(S3Code::NoSuchVersion.into())
        });
    }
    results
}

/// Judges each entry. A policy may take a while over a thousand keys; others are served in between.
async fn rights(entries: &[DeleteEntry], may: impl Fn(&DeleteEntry) -> Result<()>) -> Vec<Result<()>> {
    let mut rights = Vec::with_capacity(entries.len());
    for some in entries.chunks(JUDGED_AT_ONCE) {
        rights.extend(some.iter().map(&may));
        tokio::task::yield_now().await;
    }
    rights
}

const JUDGED_AT_ONCE: usize = 32;

fn is_current(entry: &DeleteEntry) -> bool {
    only_null_version(entry.version_id.as_deref()).is_ok()
}
