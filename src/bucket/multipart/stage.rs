//! Staging: blocks on a blob made of pieces of other blobs, within the service where it can.

use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, TryStreamExt};
use tokio::time::sleep;

use crate::blob::get_blob::ReadRange;
use crate::blob::put_block::BLOCK_BYTES_MAX;
use crate::blob::{BlobCondition, BlobRef, BlockId, SourceCondition};
use crate::bucket::Bucket;
use crate::bucket::block_ids::{PartChecksum, StagedPart};
use crate::bucket::copy::not_to_be_had;
use crate::net::Backoff;
use crate::object::{ErrorKind, Payload, Result, Span, StoreTag};

/// Blocks being staged at one time.
const PARALLEL: usize = 16;

/// Sends of a block whose outcome stays unknown.
pub(super) const RESENDS: Backoff = Backoff {
    base: Duration::from_millis(200),
    max: Duration::from_secs(5),
    tries_max: 5,
    total_max: Duration::from_secs(20),
};

/// Bytes of a blob that become one block.
#[derive(Clone, Debug)]
pub struct Piece<'a> {
    pub part: u16,
    pub piece: u16,
    pub source: BlobRef<'a>,
    /// The version of the source that is meant.
    pub store_tag: StoreTag,
    pub span: Span,
    /// Of the whole part.
    pub checksum: PartChecksum,
}

/// Cuts `length` bytes of `source` from `start` on into pieces that blocks can hold. None for no bytes:
/// Azure has no empty blocks.
pub fn pieces<'a>(part: u16, source: BlobRef<'a>, store_tag: &StoreTag, start: u64, length: u64) -> Vec<Piece<'a>> {
    let count = length.div_ceil(BLOCK_BYTES_MAX);
    let piece = |index: u64| {
        let at = start + index * BLOCK_BYTES_MAX;
        let span = Span { start: at, end: (at + BLOCK_BYTES_MAX).min(start + length) };
        Piece {
            part,
            piece: index as u16,
            source,
            store_tag: store_tag.clone(),
            span,
            checksum: PartChecksum::default(),
        }
    };
    (0..count).map(piece).collect()
}

/// A fresh nonce: blocks of two tries never have one id.
pub fn nonce() -> [u8; 8] {
    let mut nonce = [0; 8];
    getrandom::fill(&mut nonce).expect("the operating system provides randomness");
    nonce
}

/// Stages the pieces as blocks of `blob` and returns their ids in order.
///
/// # Errors
/// `SourcePreconditionFailed` if a source is not the version meant any more, and those of the Blob client.
pub async fn stage(bucket: &Bucket, blob: BlobRef<'_>, nonce: [u8; 8], pieces: &[Piece<'_>]) -> Result<Vec<BlockId>> {
    let staged = stage_with_crcs(bucket, blob, nonce, pieces).await?;
    Ok(staged.into_iter().map(|(id, _)| id).collect())
}

/// As [`stage`], with the CRC-64 of each block where the service told it.
pub async fn stage_with_crcs(
    bucket: &Bucket,
    blob: BlobRef<'_>,
    nonce: [u8; 8],
    pieces: &[Piece<'_>],
) -> Result<Vec<(BlockId, Option<u64>)>> {
    // Boxed, because the compiler cannot see that a closure's future is Send for every lifetime.
    let stage_one = |piece| -> BoxFuture<'_, Result<(BlockId, Option<u64>)>> {
        async move {
            let piece: &Piece<'_> = piece;
            let id = StagedPart { nonce, part: piece.part, piece: piece.piece, checksum: piece.checksum }.id();
            // The same bytes under the same id: sending it again changes nothing.
            for tries in 1..RESENDS.tries_max {
                match stage_piece(bucket, blob, id, piece).await {
                    Err(error) if error.outcome_unknown() => sleep(RESENDS.wait(tries)).await,
                    other => return other.map(|crc64| (id, crc64)),
                }
            }
            Ok((id, stage_piece(bucket, blob, id, piece).await?))
        }
        .boxed()
    };
    let staged: Vec<_> = pieces.iter().map(stage_one).collect();
    futures::stream::iter(staged).buffered(PARALLEL).try_collect().await
}

/// Stages one byte under an id that no commit names: every commit of the blob drops it.
pub async fn stage_witness(bucket: &Bucket, blob: BlobRef<'_>, id: BlockId) -> Result<()> {
    for tries in 1.. {
        match bucket.blobs.put_block(blob, id, Payload::from(Bytes::from_static(b"-")), None).await {
            Err(error) if error.outcome_unknown() && tries < RESENDS.tries_max => sleep(RESENDS.wait(tries)).await,
            other => return other.map(drop),
        }
    }
    Ok(())
}

async fn stage_piece(bucket: &Bucket, blob: BlobRef<'_>, id: BlockId, piece: &Piece<'_>) -> Result<Option<u64>> {
    for auth in bucket.shared.route.auths() {
        let unchanged = SourceCondition::Match(piece.store_tag.clone());
        let staged = match bucket.blobs.copy_source(piece.source, unchanged, auth).await {
            Ok(source) => bucket.blobs.put_block_from_url(blob, id, &source, Some(piece.span)).await,
            Err(error) => Err(error),
        };
        match staged {
            Err(error) if not_to_be_had(&error) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(error.with_kind(ErrorKind::SourcePreconditionFailed));
            }
            Err(error) => return Err(error),
            Ok(crc64) => {
                bucket.shared.route.worked(auth);
                return Ok(crc64);
            }
        }
    }
    stream_piece(bucket, blob, id, piece).await
}

/// The bytes through this process: where the service cannot read the source itself.
async fn stream_piece(bucket: &Bucket, blob: BlobRef<'_>, id: BlockId, piece: &Piece<'_>) -> Result<Option<u64>> {
    let unchanged = BlobCondition::Match(piece.store_tag.clone());
    match bucket.blobs.get_blob(piece.source, ReadRange::Span(piece.span), &unchanged).await {
        Err(error) if crate::bucket::get::changed_meanwhile(&error) => {
            Err(error.with_kind(ErrorKind::SourcePreconditionFailed))
        }
        Err(error) => Err(error),
        Ok(download) => {
            let payload = Payload::stream(piece.span.length(), download.body);
            bucket.blobs.put_block(blob, id, payload, None).await
        }
    }
}
