//! An object in one piece: one GET, one Put Blob.

use bytes::Bytes;

use super::guard::guard;
use super::multipart_etag::MultipartEtag;
use super::{Context, Done, Stop, Trial, Version, import_request, proof};
use crate::migration::ImportTarget;
use crate::migration::rules::Action;
use crate::object::body::{PayloadSource, collect};
use crate::object::{Algorithm, Checksum, Error, ErrorKind, Hasher, ImportRequest, ObjectKey, Payload, checksum};
use crate::source::{GetSource, SourceDownload};
use crate::telemetry::ProofLevel;

/// Bodies of at most this many bytes are read before they are written: the write can then be sent
/// again without reading the source twice.
const BUFFERED_MAX: u64 = 256 * 1024;
/// What a streamed body holds in memory, in bytes: frames on their way, and the end held back.
const STREAMED: u64 = 256 * 1024;

/// Copies `version` onto `target`.
pub async fn copy(
    context: &Context,
    key: &ObjectKey,
    version: &Version,
    target: &ImportTarget,
    trial: &mut Trial,
) -> Result<Done, Stop> {
    // Without checksum and MD5 the body is held whole, so that it goes to Blob with a CRC of ours.
    let unproven = !version.has_checksum && (version.etag.md5().is_none() || trial.distrust_md5);
    let held = if unproven { version.size } else { version.size.min(STREAMED) };
    let _grant = context.budget.acquire(held).await;
    let _permit = context.pace.acquire(version.size).await;
    let _metric = context.progress.metrics().mover.copying(held);
    let get = GetSource { if_match: Some(version.etag.clone()), checksum_mode: true, ..GetSource::default() };
    let source = &context.clients.source;
    let download = source.get_object(&context.clients.source_bucket, key.as_str(), &get).await.map_err(Stop::source)?;
    if download.meta.sse_customer {
        return Err(Stop::NeedsAction(Action::ReencryptSseC));
    }
    if download.meta.size != version.size {
        return Err(Stop::Changed);
    }
    let tags = context.tags(key, &download.meta).await?;
    let mut request = import_request(&download.meta, tags)?;
    let full = proof::full_object(&download.meta);
    request.content_md5 = proof::md5(&download.meta).filter(|_| !trial.distrust_md5);
    let proof = match (&full, request.content_md5) {
        (Some(_), _) => ProofLevel::Checksum,
        (None, Some(_)) => ProofLevel::Md5,
        (None, None) => ProofLevel::LengthAndBlocks,
    };
    if held == version.size && (unproven || version.size <= BUFFERED_MAX) {
        let bytes = buffered(context, download, full.as_ref()).await?;
        let crc64 = checksum::crc64(&bytes);
        request.crc64 = Some(crc64);
        let proof = match proof {
            ProofLevel::LengthAndBlocks if is_multipart(context, version, &bytes) => ProofLevel::MultipartEtag,
            other => other,
        };
        let result = put(context, key, Payload::from(bytes), request, target).await;
        return judge(result, Some(crc64), proof, version, trial);
    }
    request.crc64 = full.as_ref().filter(|sum| sum.algorithm == Algorithm::Crc64Nvme).and_then(Checksum::crc);
    let (progress, bucket) = (context.progress.clone(), context.bucket);
    let (stream, verdict) = guard(download.body, version.size, full, move |bytes| progress.moved(bucket, bytes));
    let payload = Payload { length: version.size, source: PayloadSource::Stream(stream) };
    let result = put(context, key, payload, request, target).await;
    match verdict.take_error() {
        Some(error) => Err(Stop::source(error)),
        None => judge(result, verdict.crc64(), proof, version, trial),
    }
}

/// Whether the bytes have the ETag of a multipart object, if that is to be found out.
fn is_multipart(context: &Context, version: &Version, bytes: &[u8]) -> bool {
    let etag = context.settings.multipart_etags.then(|| MultipartEtag::new(&version.etag, version.size)).flatten();
    etag.is_some_and(|mut etag| {
        etag.update(bytes);
        etag.matches()
    })
}

type Put = (crate::object::Result<crate::migration::import::Imported>, bool);

/// Writes; also tells whether an MD5 went with it.
async fn put(
    context: &Context,
    key: &ObjectKey,
    payload: Payload,
    request: ImportRequest,
    target: &ImportTarget,
) -> Put {
    let with_md5 = request.content_md5.is_some();
    (context.clients.importer.whole(key, payload, request, target).await, with_md5)
}

/// An MD5 that Azure refuses twice for the very same bytes is none: the bytes are right, and the ETag
/// only looks like an MD5.
fn judge(put: Put, crc64: Option<u64>, proof: ProofLevel, version: &Version, trial: &mut Trial) -> Result<Done, Stop> {
    match put {
        (Ok(imported), _) => Ok(Done { imported, proof, size: version.size }),
        (Err(error), true) if error.kind() == ErrorKind::ChecksumMismatch => {
            trial.distrust_md5 = trial.refused.is_some() && trial.refused == crc64;
            trial.refused = crc64;
            Err(Stop::Store(error))
        }
        (Err(error), _) => Err(Stop::Store(error)),
    }
}

/// Reads a body into memory and checks it.
async fn buffered(context: &Context, download: SourceDownload, full: Option<&Checksum>) -> Result<Bytes, Stop> {
    let size = download.meta.size;
    let limit = usize::try_from(size).unwrap_or(usize::MAX);
    let bytes = collect(download.body, limit).await.map_err(Stop::source)?;
    if bytes.len() as u64 != size {
        return Err(Stop::Source(Error::new(ErrorKind::BodyIncomplete, "the body ended early")));
    }
    if let Some(expected) = full {
        let mut hasher = Hasher::new(expected.algorithm);
        hasher.update(&bytes);
        let computed = hasher.finish();
        if computed != *expected {
            let message = format!("the source sent bytes with {computed:?}, and keeps {expected:?}");
            return Err(Stop::Source(Error::new(ErrorKind::ChecksumMismatch, message)));
        }
    }
    context.progress.moved(context.bucket, size);
    Ok(bytes)
}
