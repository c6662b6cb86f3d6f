//! Copies within the service: Put Blob From URL and Copy Blob From URL.

use std::fmt;

use http::{HeaderName, HeaderValue, Method};

use super::auth::{Credential, SigningKey, read_sas};
use super::operation::Operation;
use super::request::{Call, names};
use super::{BlobClient, BlobCondition, BlobRef, MetadataPairs, SourceCondition, Written, response};
use crate::object::{ContentHeaders, Error, ErrorKind, Result, Timestamp};

/// Longest source of Copy Blob From URL in bytes.
pub const COPY_FROM_URL_BYTES_MAX: u64 = 256 << 20;

/// Longest source URL in bytes (Azure, Copy Blob).
pub const SOURCE_URL_BYTES_MAX: usize = 2048;

/// A blob to copy from: its URL and how the service may read it.
#[derive(Clone)]
pub struct CopySource {
    /// With a SAS in its query where no bearer token goes with it. A secret then: not for logs.
    url: String,
    /// Send the client's own token along, as it is when the copy is sent.
    with_bearer: bool,
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

/// What the copy gets. Nothing of the source's headers is taken over; its metadata is, by the
/// service's own rule, if `metadata` is empty.
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
        source: BlobRef<'_>,
        condition: SourceCondition,
        auth: SourceAuth,
    ) -> Result<CopySource> {
        let mut url = self.blob_url(source);
        let bearer_allowed = self.inner.account.features.bearer_copy_source;
        let (with_bearer, sas) = match (auth, &self.inner.credential) {
            (SourceAuth::Preferred, Credential::Bearer(_)) if bearer_allowed => (true, None),
            (_, Credential::Bearer(_)) => (false, Some(self.delegation_sas(source).await?)),
            (SourceAuth::Preferred, Credential::SharedKey(key)) => {
                (false, Some(self.sas(source, SigningKey::Account(key))))
            }
            (SourceAuth::Preferred, Credential::Sas(sas)) => (false, Some(sas.query().to_owned())),
            (SourceAuth::DelegationSas, Credential::SharedKey(_) | Credential::Sas(_)) => {
                return Err(Error::new(ErrorKind::Unsupported, "a user delegation key needs an entra identity"));
            }
        };
        if let Some(sas) = sas {
            url.push('?');
            url.push_str(&sas);
        }
        if url.len() > SOURCE_URL_BYTES_MAX {
            return Err(Error::new(ErrorKind::TooLarge, "the url of the copy source exceeds 2 KiB"));
        }
        Ok(CopySource { url, with_bearer, condition })
    }

    /// One atomic write of the source's bytes, up to 5000 MiB.
    ///
    /// # Errors
    /// `SourcePreconditionFailed`, `CopySourceUnreadable`, `Unsupported` (Azurite), those of Put Blob.
    pub async fn put_blob_from_url(
        &self,
        blob: BlobRef<'_>,
        source: &CopySource,
        request: &PutBlobFromUrl,
    ) -> Result<Written> {
        let mut call = Call::new(Operation::PutBlobFromUrl, Method::PUT, self.blob_target(blob, &[]));
        call.header(names::BLOB_TYPE, HeaderValue::from_static("BlockBlob"));
        call.header(COPY_SOURCE_BLOB_PROPERTIES, HeaderValue::from_static("false"));
        call.content(&request.content)?;
        self.copy(call, source, request).await
    }

    /// Synchronous copy of up to 256 MiB: what Azurite has in place of Put Blob From URL. It takes
    /// over the source's content headers, so they have to be set afterwards where they differ. It
    /// also takes over the source's metadata if `request` has none.
    ///
    /// # Errors
    /// As [`BlobClient::put_blob_from_url`], and `TooLarge` or `Unexpected` for larger sources.
    pub async fn copy_blob_from_url(
        &self,
        blob: BlobRef<'_>,
        source: &CopySource,
        request: &PutBlobFromUrl,
    ) -> Result<Written> {
        let mut call = Call::new(Operation::CopyBlobFromUrl, Method::PUT, self.blob_target(blob, &[]));
        call.header(REQUIRES_SYNC, HeaderValue::from_static("true"));
        self.copy(call, source, request).await
    }

    async fn copy(&self, mut call: Call, source: &CopySource, request: &PutBlobFromUrl) -> Result<Written> {
        call.content_length(0);
        call.metadata(&request.metadata)?;
        call.condition(&request.condition)?;
        self.name_source(&mut call, source).await?;
        let response = self.send(&call).await?;
        response::written(&response::head(response).await, true)
    }

    /// Adds a copy's source to a call.
    pub(super) async fn name_source(&self, call: &mut Call, source: &CopySource) -> Result<()> {
        call.text(names::COPY_SOURCE, &source.url)?;
        call.source_condition(&source.condition)?;
        if source.with_bearer
            && let Credential::Bearer(tokens) = &self.inner.credential
        {
            call.header(names::COPY_SOURCE_AUTHORIZATION, tokens.header().await?);
        }
        Ok(())
    }

    async fn delegation_sas(&self, source: BlobRef<'_>) -> Result<String> {
        let key = self.inner.delegation.get(self).await?;
        Ok(self.sas(source, SigningKey::Delegation(&key)))
    }

    fn sas(&self, source: BlobRef<'_>, key: SigningKey<'_>) -> String {
        read_sas(self.inner.account.name(), source.container.as_str(), source.name, key, Timestamp::now())
    }
}

const COPY_SOURCE_BLOB_PROPERTIES: HeaderName = HeaderName::from_static("x-ms-copy-source-blob-properties");
const REQUIRES_SYNC: HeaderName = HeaderName::from_static("x-ms-requires-sync");

impl fmt::Debug for CopySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = self.url.split('?').next().unwrap_or_default();
        f.debug_struct("CopySource").field("url", &url).field("condition", &self.condition).finish_non_exhaustive()
    }
}
