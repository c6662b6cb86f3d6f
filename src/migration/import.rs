//! Carries out what [`super::rules`] decided: the mover's only way to write.

use bytes::Bytes;

use crate::bucket::{Bucket, ImportBlock, ImportTarget, SourceVersion, client_newer};
use crate::object::{Error, ErrorKind, ImportRequest, ObjectKey, Payload, Result};

/// How an import ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Imported {
    Copied,
    /// Somebody wrote the key meanwhile: the mover's copy would be older.
    ClientNewer,
}

/// Imports into one bucket.
#[derive(Clone)]
pub struct Importer {
    bucket: Bucket,
}

impl Importer {
    pub fn new(bucket: Bucket) -> Self {
        Self { bucket }
    }

    pub fn bucket(&self) -> &Bucket {
        &self.bucket
    }

    /// Writes an object in one piece.
    ///
    /// # Errors
    /// Whatever the payload's stream ends in, `MetadataTooLarge`, and those of the Blob client.
    pub async fn whole(
        &self,
        key: &ObjectKey,
        payload: Payload,
        request: ImportRequest,
        target: &ImportTarget,
    ) -> Result<Imported> {
        settled(self.bucket.import(key, payload, request, target).await)
    }

    /// Blocks that an earlier try staged for this version.
    ///
    /// # Errors
    /// Those of the Blob client.
    pub async fn staged(&self, key: &ObjectKey, version: SourceVersion) -> Result<Vec<ImportBlock>> {
        self.bucket.staged_import_blocks(key, version).await
    }

    /// Stages one block, whose bytes lie in these pieces.
    ///
    /// # Errors
    /// Those of the Blob client.
    pub async fn stage(&self, key: &ObjectKey, block: ImportBlock, pieces: Vec<Bytes>) -> Result<()> {
        self.bucket.stage_import_block(key, block, pieces).await
    }

    /// Makes the object of its staged blocks.
    ///
    /// # Errors
    /// `InvalidBlockList` if another write dropped blocks: stage again. Those of the Blob client.
    pub async fn commit(
        &self,
        key: &ObjectKey,
        blocks: &[ImportBlock],
        request: ImportRequest,
        target: &ImportTarget,
    ) -> Result<Imported> {
        settled(self.bucket.commit_import(key, blocks, request, target).await)
    }
}

fn settled(result: Result<()>) -> Result<Imported> {
    match result {
        Ok(()) => Ok(Imported::Copied),
        Err(error) if client_newer(&error) => Ok(Imported::ClientNewer),
        Err(error) => Err(error),
    }
}

/// Whether a failed import is worth another try of the same object.
pub fn worth_retrying(error: &Error) -> bool {
    error.outcome_unknown()
        || matches!(
            error.kind(),
            ErrorKind::Throttled
                | ErrorKind::InvalidBlockList
                | ErrorKind::BodyIncomplete
                | ErrorKind::ChecksumMismatch
                | ErrorKind::PreconditionFailed
                | ErrorKind::AuthExpired
                | ErrorKind::Leased
        )
}
