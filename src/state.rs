//! Records in the state container: small JSON blobs changed only by ETag compare-and-swap.
//!
//! Everything that must survive a process lives here. A replaced record whose answer was lost is
//! read back: a record names the write that made it, so that one's own write is recognised.

use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::sleep;

use crate::blob::get_blob::ReadRange;
use crate::blob::list::ListBlobs;
use crate::blob::put_blob::PutBlob;
use crate::blob::{BlobClient, BlobCondition, BlobRef, MetadataPairs};
use crate::net::Backoff;
use crate::object::body::collect;
use crate::object::{ContainerName, Error, ErrorKind, Payload, Result, StoreTag, checksum, text};

/// Largest record in bytes: a publishing record of 10,000 parts with 8 KiB of metadata stays below.
const RECORD_BYTES_MAX: usize = 1 << 20;
/// A change of a known version takes effect once at most, so it is sent again where its fate is not known.
const RESENDS: Backoff = Backoff {
    base: Duration::from_millis(200),
    max: Duration::from_secs(5),
    tries_max: 5,
    total_max: Duration::from_secs(20),
};
/// Metadata name that tells one write of a record from another.
const WRITE: &str = "write";

/// The state container of an account.
#[derive(Clone)]
pub struct StateStore {
    blobs: BlobClient,
    container: ContainerName,
}

/// The version of a record that was read or written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version(StoreTag);

/// A record's name and the metadata it is listed with.
#[derive(Clone, Debug)]
pub struct Listed {
    pub name: String,
    pub metadata: MetadataPairs,
    pub last_modified: crate::object::Timestamp,
    pub version: Version,
}

impl StateStore {
    pub fn new(blobs: BlobClient, container: ContainerName) -> Self {
        Self { blobs, container }
    }

    pub fn blobs(&self) -> &BlobClient {
        &self.blobs
    }

    pub fn container(&self) -> &ContainerName {
        &self.container
    }

    pub fn blob<'a>(&'a self, name: &'a str) -> BlobRef<'a> {
        BlobRef { container: &self.container, name }
    }

    /// Creates the container if it is not there.
    pub async fn ensure_container(&self) -> Result<()> {
        match self.blobs.create_container(&self.container).await {
            Err(error) if error.kind() != ErrorKind::ContainerExists => Err(error),
            _ => Ok(()),
        }
    }

    /// Reads a record; `None` if there is none.
    pub async fn read<T: DeserializeOwned>(&self, name: &str) -> Result<Option<(T, Version)>> {
        let download = match self.blobs.get_blob(self.blob(name), ReadRange::All, &BlobCondition::None).await {
            Ok(download) => download,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.context(format_args!("read record {name}"))),
        };
        let version = Version(download.properties.store_tag);
        let content = collect(download.body, RECORD_BYTES_MAX).await?;
        let record = serde_json::from_slice(&content)
            .map_err(|error| Error::new(ErrorKind::Corrupt, format!("record {name} is not readable: {error}")))?;
        Ok(Some((record, version)))
    }

    /// Writes a record that must not exist yet.
    ///
    /// # Errors
    /// `Conflict` if it exists.
    pub async fn create<T: Serialize>(&self, name: &str, record: &T, metadata: MetadataPairs) -> Result<Version> {
        self.write(name, record, metadata, BlobCondition::Absent).await
    }

    /// Replaces the version of a record that was read.
    ///
    /// # Errors
    /// `Conflict` if somebody else has changed or deleted it since.
    pub async fn replace<T: Serialize>(
        &self,
        name: &str,
        record: &T,
        metadata: MetadataPairs,
        version: &Version,
    ) -> Result<Version> {
        self.write(name, record, metadata, BlobCondition::Match(version.0.clone())).await
    }

    /// Deletes the version of a record that was read.
    ///
    /// # Errors
    /// `Conflict` if somebody else has changed it since. That it is gone already is success.
    pub async fn delete(&self, name: &str, version: &Version) -> Result<()> {
        let mut tries = 1;
        loop {
            match self.blobs.delete_blob(self.blob(name), &BlobCondition::Match(version.0.clone())).await {
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
                Err(error) if error.kind() == ErrorKind::PreconditionFailed => {
                    return Err(error.with_kind(ErrorKind::Conflict));
                }
                Err(error) if error.outcome_unknown() && tries < RESENDS.tries_max => {}
                other => return other,
            }
            sleep(RESENDS.wait(tries)).await;
            tries += 1;
        }
    }

    /// A page of the records whose names begin with `prefix`, in order of their names.
    pub async fn list(&self, prefix: &str, marker: Option<&str>) -> Result<(Vec<Listed>, Option<String>)> {
        use crate::blob::list::BlobItem;
        let query = ListBlobs { prefix, marker, include_metadata: true, ..Default::default() };
        let page = self.blobs.list_blobs(&self.container, &query).await?;
        let records = page.items.into_iter().filter_map(|item| match item {
            BlobItem::Blob { name, properties } => {
                let version = Version(properties.store_tag);
                Some(Listed { name, metadata: properties.metadata, last_modified: properties.last_modified, version })
            }
            BlobItem::Prefix(_) => None,
        });
        Ok((records.collect(), page.next_marker))
    }

    async fn write<T: Serialize>(
        &self,
        name: &str,
        record: &T,
        mut metadata: MetadataPairs,
        condition: BlobCondition,
    ) -> Result<Version> {
        let content = serde_json::to_vec(record)
            .map_err(|error| Error::new(ErrorKind::Unexpected, format!("record {name} cannot be written: {error}")))?;
        let content = Bytes::from(content);
        let write = text::base64url(&random());
        metadata.push((WRITE.into(), write.clone()));
        let request = PutBlob { crc64: Some(checksum::crc64(&content)), metadata, condition, ..Default::default() };
        // A record created anew may have been seen and deleted by somebody: it is not created again.
        let tries_max = if matches!(request.condition, BlobCondition::Match(_)) { RESENDS.tries_max } else { 1 };
        let mut tries = 1;
        loop {
            let sent = self.blobs.put_blob(self.blob(name), Payload::from(content.clone()), request.clone()).await;
            let error = match sent {
                Ok(written) => return Ok(Version(written.store_tag)),
                Err(error) => error,
            };
            match self.settle(name, &write, error).await {
                Err(error) if error.outcome_unknown() && tries < tries_max => {}
                other => return other,
            }
            sleep(RESENDS.wait(tries)).await;
            tries += 1;
        }
    }

    /// Finds out whether a write whose answer was an error has landed all the same.
    async fn settle(&self, name: &str, write: &str, error: Error) -> Result<Version> {
        let refused = matches!(error.kind(), ErrorKind::Exists | ErrorKind::PreconditionFailed | ErrorKind::NotFound);
        if !refused && !error.outcome_unknown() {
            return Err(error.context(format_args!("write record {name}")));
        }
        match self.blobs.get_properties(self.blob(name)).await {
            Ok(now) if now.metadata.iter().any(|(key, value)| key == WRITE && value == write) => {
                Ok(Version(now.store_tag))
            }
            Ok(_) if refused => Err(error.with_kind(ErrorKind::Conflict)),
            Err(now) if refused && now.kind() == ErrorKind::NotFound => Err(error.with_kind(ErrorKind::Conflict)),
            _ => Err(error.context(format_args!("write record {name}"))),
        }
    }
}

#[expect(clippy::expect_used, reason = "without randomness nothing may be written")]
fn random() -> [u8; 9] {
    let mut bytes = [0; 9];
    getrandom::fill(&mut bytes).expect("the operating system provides randomness");
    bytes
}
