//! Copies within the service: Put Blob From URL and Copy Blob From URL.

use super::{BlobClient, BlobCondition, BlobRef, MetadataPairs, SourceCondition, Written};
use crate::object::{ContentHeaders, Result};

/// Longest source of Copy Blob From URL in bytes.
pub const COPY_FROM_URL_BYTES_MAX: u64 = 256 << 20;

/// Longest source URL in bytes (Azure, Copy Blob).
pub const SOURCE_URL_BYTES_MAX: usize = 2048;

/// A blob to copy from: its URL and how the service may read it.
#[derive(Clone, Debug)]
pub struct CopySource {
    /// With a SAS in its query where no bearer token goes with it. A secret then: not for logs.
    pub(super) url: String,
    /// Value of `x-ms-copy-source-authorization`.
    pub(super) authorization: Option<String>,
    pub condition: SourceCondition,
}

/// How the service is to be let read the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceAuth {
    /// Whatever the credential offers first: a bearer token, or a SAS signed by the account key.
    Preferred,
    /// A SAS signed with a user delegation key: where the bearer header is refused.
    DelegationSas,
}

/// What the copy gets; nothing of the source's metadata or headers is taken over.
#[derive(Clone, Debug, Default)]
pub struct PutBlobFromUrl {
    pub content: ContentHeaders,
    pub metadata: MetadataPairs,
    pub condition: BlobCondition,
}

impl BlobClient {
    /// Prepares `source` for copying.
    ///
    /// # Errors
    /// `Unsupported` if the credential cannot give the access, `TooLarge` if the URL exceeds
    /// [`SOURCE_URL_BYTES_MAX`]: stream the bytes then.
    pub async fn copy_source(
        &self,
        _source: BlobRef<'_>,
        _condition: SourceCondition,
        _auth: SourceAuth,
    ) -> Result<CopySource> {
        todo!()
    }

    /// One atomic write of the source's bytes, up to 5000 MiB.
    ///
    /// # Errors
    /// `SourcePreconditionFailed`, `CopySourceUnreadable`, `Unsupported` (Azurite), those of Put Blob.
    pub async fn put_blob_from_url(
        &self,
        _blob: BlobRef<'_>,
        _source: &CopySource,
        _request: &PutBlobFromUrl,
    ) -> Result<Written> {
        todo!()
    }

    /// Synchronous copy of up to 256 MiB: what Azurite has in place of Put Blob From URL. It takes
    /// over the source's content headers, so they have to be set afterwards where they differ.
    pub async fn copy_blob_from_url(
        &self,
        _blob: BlobRef<'_>,
        _source: &CopySource,
        _request: &PutBlobFromUrl,
    ) -> Result<Written> {
        todo!()
    }
}
