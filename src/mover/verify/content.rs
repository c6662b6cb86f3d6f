//! Reads one object on both sides and compares it.

use futures::StreamExt;

use super::{Finding, same_etag};
use crate::migration::StoredEntry;
use crate::mover::BucketClients;
use crate::object::{
    Algorithm, ByteStream, Checksum, Error, ErrorKind, Hasher, ObjectMeta, Read, ReadRequest, Result, Tags,
};
use crate::source::{GetSource, SourceMeta, SourceObject};

/// Compares bytes by their SHA-256, then everything else that clients see.
pub(super) async fn compare(clients: &BucketClients, object: &SourceObject, stored: &StoredEntry) -> Finding {
    match both(clients, object, stored).await {
        Ok(finding) => finding,
        Err(error) => Finding::Unreadable(error.to_string()),
    }
}

async fn both(clients: &BucketClients, object: &SourceObject, stored: &StoredEntry) -> Result<Finding> {
    let get = GetSource { if_match: Some(object.etag.clone()), ..GetSource::default() };
    let source = clients.source.get_object(&clients.source_bucket, &object.key, &get);
    let source = source.await.map_err(|error| error.context("source"))?;
    let copy = clients.importer.bucket().get(&stored.listed.key, &ReadRequest::default()).await;
    let Read::Object(copy) = copy.map_err(|error| error.context("blob"))? else {
        return Err(Error::new(ErrorKind::Unexpected, "an unconditional read was answered without a body"));
    };
    let (ours, theirs) = futures::join!(digest(copy.body), digest(source.body));
    let (ours, theirs) =
        (ours.map_err(|error| error.context("blob"))?, theirs.map_err(|error| error.context("source"))?);
    if ours != theirs {
        return Ok(Finding::Content);
    }
    let tags = match source.meta.tag_count {
        0 => Tags::default(),
        _ => {
            let version = source.meta.version_id.as_deref();
            clients.source.get_object_tagging(&clients.source_bucket, &object.key, version).await?
        }
    };
    if !same_etag(&source.meta.etag, &copy.head.meta.etag) {
        return Ok(Finding::ETag(copy.head.meta.etag));
    }
    Ok(headers(&source.meta, &tags, &copy.head.meta).map_or(Finding::Equal, Finding::Headers))
}

async fn digest(mut body: ByteStream) -> Result<Checksum> {
    let mut hasher = Hasher::new(Algorithm::Sha256);
    while let Some(frame) = body.next().await {
        hasher.update(&frame?);
    }
    Ok(hasher.finish())
}

/// The first header that differs.
fn headers(source: &SourceMeta, tags: &Tags, copy: &ObjectMeta) -> Option<String> {
    let (a, b) = (&source.content, &copy.content);
    let differs = |name: &str, a: &Option<String>, b: &Option<String>| {
        (a != b).then(|| format!("{name}: {:?} at the source, {:?} on blob", a.as_deref(), b.as_deref()))
    };
    differs("content-type", &a.content_type, &b.content_type)
        .or_else(|| differs("content-encoding", &a.content_encoding, &b.content_encoding))
        .or_else(|| differs("content-language", &a.content_language, &b.content_language))
        .or_else(|| differs("content-disposition", &a.content_disposition, &b.content_disposition))
        .or_else(|| differs("cache-control", &a.cache_control, &b.cache_control))
        .or_else(|| differs("expires", &a.expires, &b.expires))
        .or_else(|| (source.metadata != copy.user).then(|| "user metadata".to_owned()))
        .or_else(|| (*tags != copy.tags).then(|| "tags".to_owned()))
}
