//! The mover's clients: both sides of each bucket, made on the thread that uses them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{AzureAccess, Process, SourceAccess};
use crate::bucket::Bucket;
use crate::config::{BucketConfig, BucketSource};
use crate::migration::import::Importer;
use crate::migration::ranges::Ranges;
use crate::mover::{BucketClients, Factory, ThreadClients};
use crate::object::{Error, ErrorKind, Result};

/// The buckets that a run of the mover is about, and how to reach both sides of them.
pub struct MoverAccess {
    azure: AzureAccess,
    sources: Arc<BTreeMap<String, SourceAccess>>,
    buckets: Vec<(BucketConfig, BucketSource)>,
}

impl MoverAccess {
    /// Chooses the buckets named, or all that have a source, and prepares their sources' credentials.
    ///
    /// # Errors
    /// `Invalid` if a bucket is not configured or has no source.
    pub async fn new(process: &Process, names: &[String]) -> Result<Self> {
        let buckets = choose(&process.config.buckets, names)?;
        let mut sources = BTreeMap::new();
        for source in &process.config.sources {
            if buckets.iter().any(|(_, from)| from.source == source.name) {
                sources.insert(source.name.clone(), SourceAccess::new(source, process.metrics.clone()).await?);
            }
        }
        Ok(Self { azure: process.azure.clone(), sources: Arc::new(sources), buckets })
    }

    /// Names of the buckets, in the order of the clients.
    pub fn names(&self) -> Vec<String> {
        self.buckets.iter().map(|(bucket, _)| bucket.name.to_string()).collect()
    }

    /// Key prefixes of the buckets, in the same order; empty = the whole bucket.
    pub fn prefixes(&self) -> Vec<String> {
        self.buckets.iter().map(|(_, from)| from.prefix.clone().unwrap_or_default()).collect()
    }

    /// Answers of the sources so far that asked for fewer requests.
    pub fn throttles(&self) -> u64 {
        let of = |source: &SourceAccess| source.stats().throttled.load(std::sync::atomic::Ordering::Relaxed);
        self.sources.values().map(of).sum()
    }

    /// Makes the clients of a thread.
    pub fn factory(&self) -> Factory {
        let (azure, sources, buckets) = (self.azure.clone(), self.sources.clone(), self.buckets.clone());
        let shared = azure.shared();
        Arc::new(move || {
            let blobs = azure.client();
            let state = azure.state(&blobs);
            let clients = buckets.iter().map(|(bucket, from)| {
                let access = sources
                    .get(&from.source)
                    .ok_or_else(|| Error::new(ErrorKind::Invalid, format!("there is no source \"{}\"", from.source)))?;
                let (name, container) = (bucket.name.clone(), bucket.container.clone());
                let stored = Bucket::new(name.clone(), container, blobs.clone(), state.clone(), shared.clone());
                Ok(BucketClients {
                    source: access.client()?,
                    source_bucket: from.bucket.clone(),
                    importer: Importer::new(stored),
                    ranges: Ranges::new(state.clone(), name),
                })
            });
            Ok(ThreadClients { buckets: clients.collect::<Result<_>>()? })
        })
    }
}

fn choose(configured: &[BucketConfig], names: &[String]) -> Result<Vec<(BucketConfig, BucketSource)>> {
    let invalid = |message: String| Err(Error::new(ErrorKind::Invalid, message));
    if let Some(unknown) = names.iter().find(|name| !configured.iter().any(|bucket| bucket.name.as_str() == **name)) {
        return invalid(format!("there is no [[bucket]] of the name \"{unknown}\" in the configuration"));
    }
    let wanted = |bucket: &&BucketConfig| names.is_empty() || names.iter().any(|name| name == bucket.name.as_str());
    let mut chosen = Vec::new();
    for bucket in configured.iter().filter(wanted) {
        match &bucket.source {
            Some(source) => chosen.push((bucket.clone(), source.clone())),
            None if names.is_empty() => {}
            None => return invalid(format!("bucket {} has no source in the configuration", bucket.name)),
        }
    }
    if chosen.is_empty() {
        return invalid("no [[bucket]] of the configuration has a source: there is nothing to move".to_owned());
    }
    Ok(chosen)
}

/// The name of this machine or pod.
pub fn host_name() -> String {
    let read = |path| std::fs::read_to_string(path).ok().map(|name| name.trim().to_owned());
    read("/proc/sys/kernel/hostname").filter(|name| !name.is_empty()).unwrap_or_else(|| "localhost".to_owned())
}
