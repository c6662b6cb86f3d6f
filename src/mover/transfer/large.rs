//! An object in blocks: parallel ranged GETs, blocks named after version, place and checksum, one
//! conditional commit. Blocks that an earlier try staged are used again.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt;

use super::multipart_etag::MultipartEtag;
use super::{Context, Done, Stop, Trial, Version, import_request, proof};
use crate::migration::import::worth_retrying;
use crate::migration::rules::Action;
use crate::migration::{ImportBlock, ImportTarget, SourceVersion};
use crate::net::budget::Grant;
use crate::object::body::gather_exact;
use crate::object::checksum::{RunningCrc64, RunningMd5, crc64, crc64_combine};
use crate::object::{Algorithm, Checksum, ETag, Error, ErrorKind, Hasher, ObjectKey, Retry, Span};
use crate::source::GetSource;
use crate::telemetry::ProofLevel;

/// Blocks that a blob may have (Azure, "Scalability and performance targets for Blob storage").
const BLOCKS_MAX: u64 = 50_000;
/// Tries of one block before the object is tried anew.
const BLOCK_TRIES: u32 = 4;

/// Copies `version` onto `target`.
pub async fn copy(
    context: &Context,
    key: &ObjectKey,
    version: &Version,
    target: &ImportTarget,
    trial: &mut Trial,
) -> Result<Done, Stop> {
    let clients = &context.clients;
    let meta = clients.source.head_object(&clients.source_bucket, key.as_str(), None).await.map_err(Stop::source)?;
    if meta.sse_customer {
        return Err(Stop::NeedsAction(Action::ReencryptSseC));
    }
    if meta.etag != version.etag || meta.size != version.size {
        return Err(Stop::Changed);
    }
    let tags = context.tags(key, &meta).await?;
    let mut request = import_request(&meta, tags)?;
    // Before gigabytes are read for nothing.
    clients.importer.bucket().check_import_fits(key, &request, meta.size).map_err(Stop::Store)?;

    let plan = Plan::new(&meta.etag, meta.size, meta.last_modified, context.settings.block_size);
    let staged = if trial.fresh_blocks {
        Vec::new()
    } else {
        clients.importer.staged(key, plan.version).await.map_err(Stop::Store)?
    };
    let staged = plan.usable(staged);
    let reused = !staged.is_empty();
    let full = proof::full_object(&meta);
    let md5 = proof::md5(&meta).filter(|_| !trial.distrust_md5 && !reused && meta.size <= context.settings.md5_up_to);
    let multipart = (context.settings.multipart_etags && !reused && full.is_none())
        .then(|| MultipartEtag::new(&meta.etag, meta.size))
        .flatten();
    let mut check = Check { multipart, ..Check::new(full, md5, reused) };

    let job = Arc::new(Job {
        source: clients.source.clone(),
        bucket: clients.source_bucket.clone(),
        importer: clients.importer.clone(),
        key: key.clone(),
        etag: meta.etag.clone(),
        version_id: meta.version_id.clone(),
        plan,
        staged,
        pace: context.pace.clone(),
        budget: context.budget.clone(),
        progress: context.progress.clone(),
        progress_bucket: context.bucket,
    });
    let fetches = (0..plan.count).map(|index| job.clone().block(index));
    let mut fetches = futures::stream::iter(fetches).buffered(context.settings.blocks_at_once.max(1));
    let mut blocks = Vec::with_capacity(plan.count as usize);
    while let Some(fetched) = fetches.next().await {
        let fetched = fetched?;
        check.take(&fetched);
        blocks.push(fetched.block);
    }
    drop(fetches);

    let proof = match check.judge(&blocks) {
        Ok((proof, md5)) => {
            request.content_md5 = md5;
            proof
        }
        Err(Mismatch::Md5 { crc64 }) => {
            trial.distrust_md5 = trial.refused == Some(crc64);
            trial.refused = Some(crc64);
            trial.fresh_blocks = true;
            return Err(Stop::Source(mismatch("the object's bytes do not have the MD5 that its ETag looks like")));
        }
        Err(Mismatch::Checksum(message)) => {
            trial.fresh_blocks = true;
            return Err(Stop::Source(mismatch(message)));
        }
    };
    let imported = clients.importer.commit(key, &blocks, request, target).await.map_err(Stop::Store)?;
    Ok(Done { imported, proof, size: meta.size })
}

/// How an object is cut.
#[derive(Clone, Copy)]
struct Plan {
    version: SourceVersion,
    size: u64,
    block: u64,
    count: u32,
}

impl Plan {
    fn new(etag: &ETag, size: u64, last_modified: crate::object::Timestamp, block: u64) -> Self {
        let block = block_size(size, block);
        let count = u32::try_from(size.div_ceil(block)).unwrap_or(u32::MAX);
        Self { version: SourceVersion::new(etag.as_str(), size, last_modified, block), size, block, count }
    }

    fn span(&self, index: u32) -> Span {
        let start = u64::from(index) * self.block;
        Span { start, end: (start + self.block).min(self.size) }
    }

    /// The staged blocks that have the place and length of one of ours.
    fn usable(&self, staged: Vec<ImportBlock>) -> HashMap<u32, ImportBlock> {
        let fits = |block: &ImportBlock| {
            block.index < self.count && u64::from(block.length) == self.span(block.index).length()
        };
        staged.into_iter().filter(fits).map(|block| (block.index, block)).collect()
    }
}

/// The configured size, doubled until the blocks fit into a blob.
fn block_size(size: u64, configured: u64) -> u64 {
    let mut block = configured.max(1);
    while size.div_ceil(block) > BLOCKS_MAX {
        block *= 2;
    }
    block
}

/// What the blocks of one object share.
struct Job {
    source: crate::source::SourceClient,
    bucket: crate::object::BucketName,
    importer: crate::migration::import::Importer,
    key: ObjectKey,
    etag: ETag,
    version_id: Option<String>,
    plan: Plan,
    staged: HashMap<u32, ImportBlock>,
    pace: super::Pace,
    budget: super::ByteBudget,
    progress: Arc<super::Progress>,
    progress_bucket: usize,
}

/// A block that is staged. Its bytes, in the pieces in which they came, are kept until they have been hashed in
/// their order.
struct Fetched {
    block: ImportBlock,
    pieces: Option<(Vec<Bytes>, Grant)>,
}

impl Job {
    async fn block(self: Arc<Self>, index: u32) -> Result<Fetched, Stop> {
        if let Some(block) = self.staged.get(&index) {
            return Ok(Fetched { block: *block, pieces: None });
        }
        let span = self.plan.span(index);
        let grant = self.budget.acquire(span.length()).await;
        let _permit = self.pace.acquire(span.length()).await;
        let _metric = self.progress.metrics().mover.copying(span.length());
        let mut tries = 0;
        loop {
            tries += 1;
            let stop = match self.move_block(index, span).await {
                Ok((block, pieces)) => {
                    self.pace.succeeded();
                    return Ok(Fetched { block, pieces: Some((pieces, grant)) });
                }
                Err(stop) => stop,
            };
            let (Stop::Source(error) | Stop::Store(error)) = &stop else { return Err(stop) };
            if error.kind() == ErrorKind::Throttled {
                self.pace.throttled();
            }
            if tries >= BLOCK_TRIES || !(worth_retrying(error) || error.retry() != Retry::No) {
                return Err(stop);
            }
            tokio::time::sleep(crate::net::Backoff::default().wait(tries)).await;
        }
    }

    async fn move_block(&self, index: u32, span: Span) -> Result<(ImportBlock, Vec<Bytes>), Stop> {
        let get = GetSource {
            if_match: Some(self.etag.clone()),
            range: Some(span),
            version_id: self.version_id.clone(),
            checksum_mode: false,
        };
        let download = self.source.get_object(&self.bucket, self.key.as_str(), &get).await.map_err(Stop::source)?;
        let mut sum = RunningCrc64::default();
        let pieces = gather_exact(download.body, span.length(), |piece| sum.update(piece));
        let pieces = pieces.await.map_err(Stop::source)?;
        self.progress.moved(self.progress_bucket, span.length());
        let length = u32::try_from(span.length())
            .map_err(|_| Stop::Store(Error::new(ErrorKind::Invalid, "a block of 4 GiB or more")))?;
        let block = ImportBlock { version: self.plan.version, index, crc64: sum.finish(), length };
        self.importer.stage(&self.key, block, pieces.clone()).await.map_err(Stop::Store)?;
        Ok((block, pieces))
    }
}

/// The proof of an object, while its blocks come in their order.
struct Check {
    full: Option<Checksum>,
    hasher: Option<Hasher>,
    md5: Option<([u8; 16], RunningMd5)>,
    multipart: Option<MultipartEtag>,
    /// CRC-64 of the blocks so far, where the source keeps that of the whole. Joined block by block: all the blocks of
    /// a large object at once would keep the thread for seconds.
    crc64: Option<u64>,
}

/// Bytes that are not what the source says they are.
enum Mismatch {
    Checksum(String),
    Md5 { crc64: u64 },
}

impl Check {
    /// With blocks of an earlier try only the CRC-64 can be had: it stands in the blocks' ids.
    fn new(full: Option<Checksum>, md5: Option<[u8; 16]>, reused: bool) -> Self {
        let full = full.filter(|sum| !reused || sum.algorithm == Algorithm::Crc64Nvme);
        let hasher = full.as_ref().filter(|sum| sum.algorithm != Algorithm::Crc64Nvme);
        Self {
            crc64: full.as_ref().filter(|sum| sum.algorithm == Algorithm::Crc64Nvme).map(|_| crc64(b"")),
            hasher: hasher.map(|sum| Hasher::new(sum.algorithm)),
            full,
            md5: md5.map(|md5| (md5, RunningMd5::default())),
            multipart: None,
        }
    }

    fn take(&mut self, fetched: &Fetched) {
        if let Some(sum) = &mut self.crc64 {
            *sum = crc64_combine(*sum, fetched.block.crc64, u64::from(fetched.block.length));
        }
        for bytes in fetched.pieces.iter().flat_map(|(pieces, _)| pieces) {
            if let Some(hasher) = &mut self.hasher {
                hasher.update(bytes);
            }
            if let Some((_, md5)) = &mut self.md5 {
                md5.update(bytes);
            }
            if let Some(multipart) = &mut self.multipart {
                multipart.update(bytes);
            }
        }
    }

    /// The proof reached, and the MD5 if it was shown to be one. `blocks` are those of the whole object.
    fn judge(self, blocks: &[ImportBlock]) -> Result<(ProofLevel, Option<[u8; 16]>), Mismatch> {
        let computed = match self.hasher {
            Some(hasher) => Some(hasher.finish()),
            None => self.crc64.map(|sum| Checksum::full_object(Algorithm::Crc64Nvme, &sum.to_be_bytes())),
        };
        if computed != self.full {
            let message = format!("the blocks together have {computed:?}, and the source keeps {:?}", self.full);
            return Err(Mismatch::Checksum(message));
        }
        let md5 = match self.md5 {
            Some((expected, running)) => {
                if running.finish() != expected {
                    return Err(Mismatch::Md5 { crc64: joined_crc64(blocks) });
                }
                Some(expected)
            }
            None => None,
        };
        Ok(match (&self.full, md5) {
            (Some(_), md5) => (ProofLevel::Checksum, md5),
            (None, Some(md5)) => (ProofLevel::Md5, Some(md5)),
            (None, None) if self.multipart.is_some_and(MultipartEtag::matches) => (ProofLevel::MultipartEtag, None),
            (None, None) => (ProofLevel::LengthAndBlocks, None),
        })
    }
}

/// Of all blocks together, of which there are few where an MD5 is checked (`md5_up_to`).
fn joined_crc64(blocks: &[ImportBlock]) -> u64 {
    blocks.iter().fold(crc64(b""), |sum, block| crc64_combine(sum, block.crc64, u64::from(block.length)))
}

fn mismatch(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::ChecksumMismatch, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::Timestamp;
    use crate::object::checksum::md5;

    #[test]
    fn blocks_cover_the_object() {
        for (size, configured, block, count) in [
            (33 << 20, 8 << 20, 8 << 20, 5),
            (32 << 20, 8 << 20, 8 << 20, 4),
            (5 << 40, 8 << 20, 128 << 20, 40_960),
            (50_000 * (8 << 20), 8 << 20, 8 << 20, 50_000),
            (50_000 * (8 << 20) + 1, 8 << 20, 16 << 20, 25_001),
        ] {
            let plan = Plan::new(&ETag::parse("e"), size, Timestamp(0), configured);
            assert_eq!((plan.block, plan.count), (block, count));
            assert_eq!(plan.span(plan.count - 1).end, size);
            assert_eq!(plan.span(0).start, 0);
        }
    }

    #[test]
    fn blocks_of_another_cut_are_not_used() {
        let plan = Plan::new(&ETag::parse("e"), 20, Timestamp(0), 8);
        let block = |index, length| ImportBlock { version: plan.version, index, crc64: 0, length };
        let usable = plan.usable(vec![block(0, 8), block(1, 4), block(2, 4), block(3, 4)]);
        let mut usable: Vec<_> = usable.into_keys().collect();
        usable.sort_unstable();
        assert_eq!(usable, [0, 2]);
    }

    fn check(
        full: Option<&Checksum>,
        md5: Option<[u8; 16]>,
        reused: bool,
    ) -> Result<(ProofLevel, Option<[u8; 16]>), Mismatch> {
        let version = SourceVersion::new("e", 9, Timestamp(0), 5);
        let mut check = Check::new(full.cloned(), md5, reused);
        let budget = super::super::ByteBudget::new(1024);
        let mut blocks = Vec::new();
        for (index, piece) in [&b"12345"[..], b"6789"].into_iter().enumerate() {
            let block = ImportBlock { version, index: index as u32, crc64: crc64(piece), length: piece.len() as u32 };
            let grant = budget.try_acquire(1).filter(|_| !(reused && index == 0));
            let pieces = || piece.chunks(2).map(Bytes::copy_from_slice).collect();
            check.take(&Fetched { block, pieces: grant.map(|grant| (pieces(), grant)) });
            blocks.push(block);
        }
        check.judge(&blocks)
    }

    #[test]
    fn levels() {
        let sum = |algorithm| {
            let mut hasher = Hasher::new(algorithm);
            hasher.update(b"123456789");
            hasher.finish()
        };
        let right = md5(b"123456789");
        let wrong = Checksum::full_object(Algorithm::Crc64Nvme, &[0; 8]);
        for algorithm in Algorithm::ALL {
            assert!(matches!(check(Some(&sum(algorithm)), None, false), Ok((ProofLevel::Checksum, None))));
        }
        assert!(matches!(check(Some(&sum(Algorithm::Crc64Nvme)), None, true), Ok((ProofLevel::Checksum, None))));
        assert!(matches!(check(Some(&sum(Algorithm::Sha256)), None, true), Ok((ProofLevel::LengthAndBlocks, None))));
        assert!(matches!(check(Some(&wrong), None, true), Err(Mismatch::Checksum(_))));
        assert!(matches!(check(None, Some(right), false), Ok((ProofLevel::Md5, Some(_)))));
        assert!(matches!(check(None, Some([0; 16]), false), Err(Mismatch::Md5 { .. })));
        assert!(matches!(check(None, None, true), Ok((ProofLevel::LengthAndBlocks, None))));
    }
}
