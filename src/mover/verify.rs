//! Compares both sides of a bucket without believing anything that a backfill noted.
//!
//! `List` compares two listings: keys, sizes, ETags. `Hash` reads every object on both sides and
//! compares SHA-256, content headers, user metadata and tags.

mod content;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use serde::Serialize;

use super::merge::{Merge, Pair, Slice};
use super::pace::{Pace, PaceSettings};
use super::report::Report;
use super::slices::{self, Reading};
use super::stop::Stop;
use super::summary::{bytes, write_table};
use super::{BucketClients, Factory, ThreadClients, threads};
use crate::migration::{Origin, StoredEntry};
use crate::object::{ETag, ObjectKey, Result};
use crate::source::SourceObject;

/// How much is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VerifyMode {
    /// Keys, sizes and ETags of the listings.
    List,
    /// All bytes and headers.
    Hash,
}

/// How buckets are compared.
#[derive(Clone)]
pub struct VerifySettings {
    pub mode: VerifyMode,
    /// Key prefix of each bucket, in the order of the clients; empty = the whole bucket.
    pub prefixes: Vec<String>,
    /// Runtime threads; default 2.
    pub threads: usize,
    /// Slices that a bucket is cut into at the most; default 16.
    pub ranges: usize,
    /// Objects read at one time, over all threads; default 64. Each holds a few frames in memory.
    pub concurrency: usize,
    /// Where differences go, a line of JSON each; `None` = they are only counted.
    pub report: Option<PathBuf>,
    pub stop: Stop,
}

impl Default for VerifySettings {
    fn default() -> Self {
        Self {
            mode: VerifyMode::List,
            prefixes: Vec::new(),
            threads: 2,
            ranges: 16,
            concurrency: 64,
            report: None,
            stop: Stop::default(),
        }
    }
}

/// How two sides compare. `Display` is a table for people, `Serialize` the same as JSON.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Verification {
    pub buckets: Vec<BucketVerification>,
    pub total: BucketVerification,
}

/// How a bucket compares.
#[derive(Clone, Debug, Default, Serialize)]
pub struct BucketVerification {
    pub bucket: String,
    /// Objects of the source.
    pub compared: u64,
    pub equal: u64,
    /// Not on Blob.
    pub missing: u64,
    /// Not on Blob, and cannot be: a key that Blob does not hold.
    pub unmappable: u64,
    /// On Blob and not at the source.
    pub extra: u64,
    pub size_differs: u64,
    pub etag_differs: u64,
    pub content_differs: u64,
    /// Content headers, user metadata or tags.
    pub headers_differ: u64,
    /// Could not be read on one side, or changed while being read.
    pub unreadable: u64,
    /// Of all that differ: written by a client through the facade, so of course they do.
    pub by_client: u64,
    /// Read on each side.
    pub bytes_read: u64,
}

/// A line of the report of differences.
#[derive(Clone, Debug, Serialize, serde::Deserialize, PartialEq, Eq)]
pub struct Difference {
    pub bucket: String,
    pub key: String,
    /// `missing`, `unmappable`, `extra`, `size`, `etag`, `content`, `headers`, `unreadable`.
    pub difference: String,
    /// What is different, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// Who wrote the blob: `import`, `client`, `foreign`; empty if there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub written_by: String,
    /// Size at the source in bytes; at Blob for extra ones.
    pub size: u64,
    pub etag: String,
}

/// How one object compares.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Finding {
    Equal,
    Missing,
    Unmappable,
    Size(u64),
    ETag(ETag),
    Content,
    Headers(String),
    Unreadable(String),
}

impl Verification {
    /// Both sides are equal, save for keys that Blob has more, and for what clients have written.
    pub fn clean(&self) -> bool {
        self.total.equal + self.total.by_client >= self.total.compared
    }
}

/// Compares all buckets of the clients.
///
/// # Errors
/// Those of listing, and a report that cannot be written. What cannot be read is counted.
pub async fn run(settings: VerifySettings, factory: Factory) -> Result<Verification> {
    let report = match &settings.report {
        Some(path) => Report::open(path)?,
        None => Report::none(),
    };
    let names = |clients: ThreadClients| async move {
        Ok(clients.buckets.iter().map(|bucket| bucket.importer.bucket().name().to_string()).collect::<Vec<_>>())
    };
    let names = threads::finish(threads::start("mover-names", &factory, names)?).await?;
    let reading = Reading {
        prefixes: settings.prefixes.clone(),
        threads: settings.threads,
        slices: settings.ranges,
        stop: settings.stop.clone(),
    };
    let comparing = Comparing {
        mode: settings.mode,
        report: report.clone(),
        pace: Pace::new(PaceSettings {
            start: settings.concurrency,
            max: settings.concurrency,
            ..PaceSettings::default()
        }),
        at_once: settings.concurrency.max(1),
    };
    let compare = move |_, clients, slice| comparing.clone().slice(clients, slice);
    let mut verification = Verification {
        buckets: names
            .into_iter()
            .map(|bucket| BucketVerification { bucket, ..BucketVerification::default() })
            .collect(),
        ..Verification::default()
    };
    for (bucket, part) in slices::each(&reading, &factory, compare).await? {
        verification.total += &part;
        if let Some(bucket) = verification.buckets.get_mut(bucket) {
            *bucket += &part;
        }
    }
    verification.total.bucket = "total".to_owned();
    report.flush().await?;
    Ok(verification)
}

/// What all slices share.
#[derive(Clone)]
struct Comparing {
    mode: VerifyMode,
    report: Report,
    pace: Pace,
    at_once: usize,
}

impl Comparing {
    async fn slice(self, clients: BucketClients, slice: Slice) -> Result<BucketVerification> {
        let mut counts = BucketVerification::default();
        let read = Arc::new(AtomicU64::new(0));
        let clients = Arc::new(clients);
        let mut merge = Merge::begin(&clients, slice);
        let mut reading = FuturesUnordered::new();
        let mut listing = true;
        while listing || !reading.is_empty() {
            tokio::select! {
                biased;
                Some((object, stored, finding)) = reading.next() => {
                    self.settle(&clients, &mut counts, object, Some(stored), finding).await?;
                }
                pair = merge.next(), if listing && reading.len() < self.at_once => match pair? {
                    None => listing = false,
                    Some(Pair::Extra(stored)) => self.extra(&clients, &mut counts, &stored).await?,
                    Some(Pair::Source(object, stored)) => match listed(&object, stored.as_ref(), self.mode) {
                        Some(finding) => self.settle(&clients, &mut counts, object, stored, finding).await?,
                        None => if let Some(stored) = stored {
                            reading.push(self.clone().read(clients.clone(), object, stored, read.clone()));
                        },
                    },
                },
            }
        }
        counts.bytes_read = read.load(Ordering::Relaxed);
        Ok(counts)
    }

    async fn read(
        self,
        clients: Arc<BucketClients>,
        object: SourceObject,
        stored: StoredEntry,
        read: Arc<AtomicU64>,
    ) -> (SourceObject, StoredEntry, Finding) {
        let _permit = self.pace.acquire(object.size).await;
        let finding = content::compare(&clients, &object, &stored).await;
        read.fetch_add(object.size, Ordering::Relaxed);
        (object, stored, finding)
    }

    async fn settle(
        &self,
        clients: &BucketClients,
        counts: &mut BucketVerification,
        object: SourceObject,
        stored: Option<StoredEntry>,
        finding: Finding,
    ) -> Result<()> {
        counts.compared += 1;
        let (counter, difference, detail) = match finding {
            Finding::Equal => {
                counts.equal += 1;
                return Ok(());
            }
            Finding::Missing => (&mut counts.missing, "missing", String::new()),
            Finding::Unmappable => (&mut counts.unmappable, "unmappable", String::new()),
            Finding::Size(size) => (&mut counts.size_differs, "size", format!("{size} bytes on blob")),
            Finding::ETag(etag) => (&mut counts.etag_differs, "etag", format!("{etag} on blob")),
            Finding::Content => (&mut counts.content_differs, "content", String::new()),
            Finding::Headers(detail) => (&mut counts.headers_differ, "headers", detail),
            Finding::Unreadable(detail) => (&mut counts.unreadable, "unreadable", detail),
        };
        *counter += 1;
        let origin = stored.map(|stored| stored.origin);
        counts.by_client += u64::from(origin == Some(Origin::Client));
        self.report
            .add(&Difference {
                bucket: clients.importer.bucket().name().to_string(),
                key: object.key,
                difference: difference.to_owned(),
                detail,
                written_by: origin.map_or("", writer).to_owned(),
                size: object.size,
                etag: object.etag.as_str().to_owned(),
            })
            .await
    }

    async fn extra(
        &self,
        clients: &BucketClients,
        counts: &mut BucketVerification,
        stored: &StoredEntry,
    ) -> Result<()> {
        counts.extra += 1;
        self.report
            .add(&Difference {
                bucket: clients.importer.bucket().name().to_string(),
                key: stored.listed.key.as_str().to_owned(),
                difference: "extra".to_owned(),
                detail: String::new(),
                written_by: writer(stored.origin).to_owned(),
                size: stored.listed.size,
                etag: stored.listed.etag.as_str().to_owned(),
            })
            .await
    }
}

/// What the listings say; `None` if the bytes have to be read to know.
fn listed(object: &SourceObject, stored: Option<&StoredEntry>, mode: VerifyMode) -> Option<Finding> {
    let Some(stored) = stored else {
        let mappable = ObjectKey::new(object.key.as_str()).is_ok_and(|key| key.mappable().is_ok());
        return Some(if mappable { Finding::Missing } else { Finding::Unmappable });
    };
    if stored.listed.size != object.size {
        return Some(Finding::Size(stored.listed.size));
    }
    if mode == VerifyMode::Hash {
        return None;
    }
    if same_etag(&object.etag, &stored.listed.etag) {
        return Some(Finding::Equal);
    }
    Some(Finding::ETag(stored.listed.etag.clone()))
}

/// An ETag of the source that looks like an MD5 and is none (SSE-KMS) is shown on Blob with `-1`.
fn same_etag(source: &ETag, shown: &ETag) -> bool {
    source == shown || (source.md5().is_some() && shown.as_str().strip_suffix("-1") == Some(source.as_str()))
}

fn writer(origin: Origin) -> &'static str {
    match origin {
        Origin::Import => "import",
        Origin::Client => "client",
        Origin::Foreign => "foreign",
    }
}

impl std::ops::AddAssign<&Self> for BucketVerification {
    fn add_assign(&mut self, other: &Self) {
        self.compared += other.compared;
        self.equal += other.equal;
        self.missing += other.missing;
        self.unmappable += other.unmappable;
        self.extra += other.extra;
        self.size_differs += other.size_differs;
        self.etag_differs += other.etag_differs;
        self.content_differs += other.content_differs;
        self.headers_differ += other.headers_differ;
        self.unreadable += other.unreadable;
        self.by_client += other.by_client;
        self.bytes_read += other.bytes_read;
    }
}

impl std::fmt::Display for Verification {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let columns: Vec<_> = self.buckets.iter().chain([&self.total]).collect();
        let mut rows = Vec::new();
        let mut row = |name: &str, cell: &dyn Fn(&BucketVerification) -> String| {
            rows.push(std::iter::once(name.to_owned()).chain(columns.iter().map(|bucket| cell(bucket))).collect());
        };
        row("", &|b| b.bucket.clone());
        row("compared", &|b| b.compared.to_string());
        row("equal", &|b| b.equal.to_string());
        row("missing on blob", &|b| b.missing.to_string());
        row("unmappable", &|b| b.unmappable.to_string());
        row("size differs", &|b| b.size_differs.to_string());
        row("etag differs", &|b| b.etag_differs.to_string());
        row("content differs", &|b| b.content_differs.to_string());
        row("headers differ", &|b| b.headers_differ.to_string());
        row("unreadable", &|b| b.unreadable.to_string());
        row("  of these by clients", &|b| b.by_client.to_string());
        row("only on blob", &|b| b.extra.to_string());
        row("bytes read a side", &|b| bytes(b.bytes_read));
        write_table(f, &rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn etags() {
        let md5 = "d41d8cd98f00b204e9800998ecf8427e";
        for (source, shown, same) in [
            (md5, md5, true),
            (md5, &format!("{md5}-1"), true),
            (md5, "8db1-1", false),
            (&format!("{md5}-2"), &format!("{md5}-2"), true),
            (&format!("{md5}-2"), &format!("{md5}-2-1"), false),
            ("opaque", "opaque-1", false),
        ] {
            assert_eq!(same_etag(&ETag::parse(source), &ETag::parse(shown)), same, "{source} {shown}");
        }
    }
}
