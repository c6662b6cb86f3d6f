//! One object, from its listing to its outcome.
//!
//! [`small`] objects are one GET and one Put Blob, [`large`] ones ranged GETs into blocks and one commit.
//! Whatever goes wrong with an object ends in its outcome; only what would go wrong with every object
//! ends the run.

pub mod guard;
mod large;
mod multipart_etag;
mod proof;
mod small;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::BucketClients;
use super::outcome::{Failure, Outcome, Settled};
use super::pace::Pace;
use super::progress::Progress;
use crate::migration::import::{Imported, worth_retrying};
use crate::migration::rules::{Action, Decision, SourceSide, decide};
use crate::migration::{ImportTarget, StoredEntry};
use crate::net::{Backoff, ByteBudget};
use crate::object::listing::{ListEntry, ListQuery};
use crate::object::{
    Attributes, ETag, Error, ErrorKind, ImportRequest, ObjectKey, Result, Retry, Stamp, Tags, Timestamp,
};
use crate::source::{SourceMeta, SourceObject};
use crate::telemetry::ProofLevel;

/// How objects are copied.
#[derive(Clone, Debug)]
pub struct TransferSettings {
    /// Objects of more bytes than this are copied in blocks; default 32 MiB.
    pub large_threshold: u64,
    /// Bytes of a block; default 8 MiB. Doubled until an object has at most 50,000.
    pub block_size: u64,
    /// Blocks of one object on their way at one time; default 8.
    pub blocks_at_once: usize,
    /// Large objects of at most this many bytes whose ETag is an MD5 are hashed in order to check it;
    /// default 5 GiB, which is every object that one PUT can have written.
    pub md5_up_to: u64,
    /// Recompute the ETag of multipart objects that have no checksum, where the size of their parts can
    /// be guessed; default false, since it costs an MD5 or up to three.
    pub multipart_etags: bool,
    /// Tries of one object before it counts as failed, and their spacing; default 8 tries within 3
    /// minutes. Each try has the clients' own retries within.
    pub backoff: Backoff,
}

impl Default for TransferSettings {
    fn default() -> Self {
        Self {
            large_threshold: 32 << 20,
            block_size: 8 << 20,
            blocks_at_once: 8,
            md5_up_to: 5 << 30,
            multipart_etags: false,
            backoff: Backoff {
                base: Duration::from_millis(500),
                max: Duration::from_secs(30),
                tries_max: 8,
                total_max: Duration::from_secs(180),
            },
        }
    }
}

/// Copies objects of one bucket. Cheap to clone.
#[derive(Clone)]
pub struct Transfer(pub(super) Arc<Context>);

/// What a transfer needs.
pub(super) struct Context {
    pub clients: BucketClients,
    /// The bucket's index in the progress.
    pub bucket: usize,
    pub settings: TransferSettings,
    pub pace: Pace,
    pub budget: ByteBudget,
    pub progress: Arc<Progress>,
}

/// The version of a source object that is to be copied.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Version {
    etag: ETag,
    size: u64,
    last_modified: Timestamp,
    /// The source keeps a checksum with it, so far as the listing tells.
    has_checksum: bool,
}

/// What one try of an object leaves to the next.
#[derive(Debug, Default)]
struct Trial {
    /// CRC-64 of the bytes whose MD5 was found not to be the ETag.
    refused: Option<u64>,
    /// The ETag is no MD5, though it looks like one.
    distrust_md5: bool,
    /// Blocks of earlier tries are not to be used.
    fresh_blocks: bool,
}

/// A try that came to its end.
struct Done {
    imported: Imported,
    proof: ProofLevel,
    size: u64,
}

/// Why a try ended early.
#[derive(Debug)]
enum Stop {
    /// The source has another version by now.
    Changed,
    Deleted,
    NeedsAction(Action),
    Failed(Failure),
    Source(Error),
    Store(Error),
}

/// Times that an object may change under the copy before that counts as a failure.
const CHANGES_MAX: u32 = 20;

impl Transfer {
    pub(super) fn new(context: Context) -> Self {
        Self(Arc::new(context))
    }

    /// Copies an object onto `target`.
    ///
    /// # Errors
    /// Only what every other object would meet too: credentials, a missing bucket or container.
    pub(super) async fn copy(&self, object: SourceObject, target: ImportTarget) -> Result<Settled> {
        let _in_flight = self.0.progress.begin();
        let key = match ObjectKey::new(object.key.as_str()) {
            Ok(key) => key,
            Err(reason) => {
                return Ok(settled(Outcome::Failed(Failure::new("invalid", reason.to_string())), object.size));
            }
        };
        let version = Version {
            has_checksum: !object.checksum_algorithms.is_empty(),
            etag: object.etag,
            size: object.size,
            last_modified: object.last_modified,
        };
        Copying { context: &self.0, key: &key, target, trial: Trial::default(), size: version.size }.run(version).await
    }

    /// What lies at a key now.
    ///
    /// # Errors
    /// Those of the Blob client.
    pub(super) async fn look(&self, key: &ObjectKey) -> Result<Option<StoredEntry>> {
        self.0.look(key).await
    }
}

/// An object on its way, over all tries.
struct Copying<'a> {
    context: &'a Context,
    key: &'a ObjectKey,
    target: ImportTarget,
    trial: Trial,
    /// Of the last version seen.
    size: u64,
}

impl Copying<'_> {
    async fn run(mut self, version: Version) -> Result<Settled> {
        let begun = Instant::now();
        let (mut tries, mut changes) = (0, 0);
        let mut version = Some(version);
        loop {
            let stop = match self.attempt(&mut version).await {
                Ok(Done { imported: Imported::Copied, proof, size }) => {
                    self.context.pace.succeeded();
                    return Ok(settled(Outcome::Copied(proof), size));
                }
                Ok(Done { imported: Imported::ClientNewer, .. }) => match self.lost(version.as_ref()).await {
                    Ok(Some(outcome)) => return Ok(settled(outcome, self.size)),
                    Ok(None) => Stop::Changed,
                    Err(error) => Stop::Store(error),
                },
                Err(stop) => stop,
            };
            // Only the account knows whether its names are paths.
            if let (Stop::Store(error), Err(reason)) = (&stop, self.key.mappable_as_path())
                && error.kind() == ErrorKind::KeyUnmappable
            {
                return Ok(settled(Outcome::Unmappable(reason), self.size));
            }
            let error = match stop {
                Stop::Deleted => return Ok(settled(Outcome::Deleted, self.size)),
                Stop::NeedsAction(action) => return Ok(settled(Outcome::NeedsAction(action), self.size)),
                Stop::Failed(failure) => return Ok(settled(Outcome::Failed(failure), self.size)),
                Stop::Changed if changes < CHANGES_MAX => {
                    changes += 1;
                    version = None;
                    self.trial = Trial::default();
                    continue;
                }
                Stop::Changed => {
                    let failure = Failure::new("keeps_changing", "the object changed during every try to copy it");
                    return Ok(settled(Outcome::Failed(failure), self.size));
                }
                Stop::Source(error) => {
                    self.note(&error);
                    self.give_up_or(error, tries, begun, fatal_at_source)?
                }
                Stop::Store(error) => {
                    self.note(&error);
                    self.give_up_or(error, tries, begun, fatal_at_store)?
                }
            };
            tries += 1;
            match error {
                Next::Failed(failure) => return Ok(settled(Outcome::Failed(failure), self.size)),
                Next::Wait(wait) => tokio::time::sleep(wait).await,
            }
        }
    }

    async fn attempt(&mut self, version: &mut Option<Version>) -> Result<Done, Stop> {
        let version = match version {
            Some(version) => version,
            None => version.insert(self.context.current(self.key).await?),
        };
        self.size = version.size;
        let (context, key) = (self.context, self.key);
        if version.size > context.settings.large_threshold {
            large::copy(context, key, version, &self.target, &mut self.trial).await
        } else {
            small::copy(context, key, version, &self.target, &mut self.trial).await
        }
    }

    /// What to make of an import that lost to another write; `None` = copy again onto what is there.
    async fn lost(&mut self, version: Option<&Version>) -> Result<Option<Outcome>> {
        let stored = self.context.look(self.key).await?;
        let Some(version) = version else { return Ok(None) };
        let source = SourceSide {
            etag: &version.etag,
            size: version.size,
            last_modified: version.last_modified,
            storage_class: "",
        };
        Ok(match decide(self.key, source, stored.as_ref()) {
            // Another process of the mover was faster.
            Decision::Unchanged => Some(Outcome::Unchanged),
            Decision::ClientNewer => Some(Outcome::ClientNewer),
            Decision::Foreign => Some(Outcome::Foreign),
            // Written and deleted again by a client: what was listed is older than that.
            Decision::Copy(ImportTarget::New) => Some(Outcome::ClientNewer),
            Decision::Copy(target) => {
                self.target = target;
                None
            }
            Decision::Unmappable(reason) => Some(Outcome::Unmappable(reason)),
            Decision::NeedsAction(action) => Some(Outcome::NeedsAction(action)),
        })
    }

    fn note(&self, error: &Error) {
        if error.kind() == ErrorKind::Throttled {
            self.context.pace.throttled();
        }
        tracing::debug!(key = %self.key, %error, "copy of an object failed for now");
    }

    fn give_up_or(&self, error: Error, tries: u32, begun: Instant, fatal: fn(&Error) -> bool) -> Result<Next> {
        let backoff = &self.context.settings.backoff;
        let again = worth_retrying(&error) || error.retry() != Retry::No || fatal(&error);
        let wait = backoff.wait(tries + 1);
        if again && tries + 1 < backoff.tries_max && begun.elapsed() + wait <= backoff.total_max {
            return Ok(Next::Wait(wait));
        }
        if fatal(&error) {
            return Err(error);
        }
        Ok(Next::Failed(Failure::of(&error)))
    }
}

/// What to do after an error.
enum Next {
    Wait(Duration),
    Failed(Failure),
}

/// Errors of the source that no other object would escape.
fn fatal_at_source(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::AuthExpired | ErrorKind::ContainerMissing)
}

/// Errors of Blob Storage that no other object would escape.
fn fatal_at_store(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::AuthExpired | ErrorKind::Denied | ErrorKind::ContainerMissing | ErrorKind::ContainerBeingDeleted
    )
}

impl Context {
    /// The version that the source has now.
    async fn current(&self, key: &ObjectKey) -> Result<Version, Stop> {
        let head = self.clients.source.head_object(&self.clients.source_bucket, key.as_str(), None).await;
        head.map(|meta| Version::of(&meta)).map_err(Stop::source)
    }

    async fn look(&self, key: &ObjectKey) -> Result<Option<StoredEntry>> {
        let query = ListQuery { prefix: key.as_str().to_owned(), limit: 1, ..ListQuery::default() };
        let page = self.clients.importer.bucket().list_stored(&query).await?;
        Ok(page.entries.into_iter().find_map(|entry| match entry {
            ListEntry::Object(entry) if entry.listed.key == *key => Some(entry),
            _ => None,
        }))
    }

    /// The tags of an object, asked for only if it has any.
    async fn tags(&self, key: &ObjectKey, meta: &SourceMeta) -> Result<Tags, Stop> {
        if meta.tag_count == 0 {
            return Ok(Tags::default());
        }
        let (bucket, version) = (&self.clients.source_bucket, meta.version_id.as_deref());
        self.clients.source.get_object_tagging(bucket, key.as_str(), version).await.map_err(Stop::source)
    }
}

impl Version {
    fn of(meta: &SourceMeta) -> Self {
        Self {
            etag: meta.etag.clone(),
            size: meta.size,
            last_modified: meta.last_modified,
            has_checksum: !meta.checksums.is_empty(),
        }
    }
}

impl Stop {
    /// What an error of a read at the source means for the object.
    fn source(error: Error) -> Self {
        match error.kind() {
            ErrorKind::PreconditionFailed | ErrorKind::RangeUnsatisfiable => Self::Changed,
            ErrorKind::NotFound => Self::Deleted,
            ErrorKind::Archived => Self::NeedsAction(Action::Restore),
            ErrorKind::Unsupported => Self::NeedsAction(Action::ReencryptSseC),
            _ => Self::Source(error),
        }
    }
}

/// Checks by its headers that an object could be copied; true if it has tags.
///
/// # Errors
/// `MetadataTooLarge`, `Unsupported` (SSE-C), and those of the source client.
pub(super) async fn fits(clients: &BucketClients, object: &SourceObject) -> Result<bool> {
    let key =
        ObjectKey::new(object.key.as_str()).map_err(|reason| Error::new(ErrorKind::Invalid, reason.to_string()))?;
    let (source, bucket) = (&clients.source, &clients.source_bucket);
    let meta = source.head_object(bucket, key.as_str(), None).await?;
    if meta.sse_customer {
        return Err(Error::new(ErrorKind::Unsupported, "encrypted with its owner's key"));
    }
    let tagged = meta.tag_count > 0;
    let tags = match tagged {
        true => source.get_object_tagging(bucket, key.as_str(), meta.version_id.as_deref()).await?,
        false => Tags::default(),
    };
    let request = match import_request(&meta, tags) {
        Ok(request) => request,
        Err(_) => return Err(Error::new(ErrorKind::Corrupt, "the source does not show all metadata")),
    };
    clients.importer.bucket().check_import_fits(&key, &request, meta.size)?;
    Ok(tagged)
}

/// What the mover writes for a version of an object.
fn import_request(meta: &SourceMeta, tags: Tags) -> Result<ImportRequest, Stop> {
    if meta.metadata_missing > 0 {
        let count = meta.metadata_missing;
        let message = format!("the source does not show {count} of the object's metadata entries");
        return Err(Stop::Failed(Failure::new("metadata_missing", message)));
    }
    Ok(ImportRequest {
        attributes: Attributes {
            content: meta.content.clone(),
            user: meta.metadata.clone(),
            tags,
            storage_class: meta.storage_class.clone(),
        },
        checksums: meta.checksums.clone(),
        stamp: Stamp {
            etag: meta.etag.clone(),
            last_modified: meta.last_modified,
            epoch: 0,
            version: meta.version_id.clone(),
        },
        content_md5: None,
        crc64: None,
    })
}

fn settled(outcome: Outcome, size: u64) -> Settled {
    Settled { outcome, size }
}
