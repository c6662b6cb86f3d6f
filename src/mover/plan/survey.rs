//! What one slice of a bucket holds, and the sum of such.

use std::collections::BTreeMap;

use serde::Serialize;

use super::collisions::Collisions;
use crate::migration::rules::Decision;
use crate::mover::BucketClients;
use crate::mover::merge::{Merge, Pair, Slice};
use crate::mover::range_worker::decision;
use crate::mover::transfer::fits;
use crate::object::{ErrorKind, Result};
use crate::source::{SourceList, SourceObject};

/// What a bucket holds and what a backfill would do about it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct BucketPlan {
    pub bucket: String,
    pub objects: u64,
    pub bytes: u64,
    pub to_copy: u64,
    pub bytes_to_copy: u64,
    /// Of those to copy: in blocks, because of their size.
    pub large: u64,
    pub bytes_large: u64,
    pub unchanged: u64,
    pub client_newer: u64,
    pub foreign: u64,
    /// Blobs whose key the source does not have.
    pub extra: u64,
    /// Keys that Blob cannot hold, by reason.
    pub unmappable: BTreeMap<&'static str, u64>,
    pub unmappable_examples: Vec<String>,
    /// In an archive tier: to be restored first.
    pub archived: u64,
    pub bytes_archived: u64,
    /// Made by a multipart upload: their ETag proves nothing.
    pub multipart: u64,
    pub bytes_multipart: u64,
    /// With a checksum at the source.
    pub with_checksum: u64,
    /// Keys that are an object and a directory: a problem on hierarchical accounts.
    pub collisions: u64,
    pub collision_examples: Vec<String>,
    pub largest_bytes: u64,
    /// Objects by size: of 0 bytes, 1, 2 to 3, 4 to 7, ...; each place doubles.
    pub histogram: Vec<u64>,
    pub sampled: Sampled,
}

/// What the headers of some of the objects to copy say.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Sampled {
    pub objects: u64,
    /// Their metadata does not fit into Azure's 8 KiB.
    pub metadata_too_large: u64,
    /// Encrypted with a key of their owner (SSE-C).
    pub customer_keys: u64,
    /// With tags: a request more each.
    pub tagged: u64,
    /// Could not be read.
    pub unreadable: u64,
}

/// Examples kept of each kind.
const EXAMPLES_MAX: usize = 10;

/// Surveys a slice, and reads the headers of `samples` objects of it.
pub async fn slice(clients: BucketClients, slice: Slice, samples: usize, large: u64) -> Result<BucketPlan> {
    let mut plan = BucketPlan::default();
    let mut collisions = Collisions::default();
    let mut sample: Vec<SourceObject> = Vec::with_capacity(samples);
    for (ancestor, told) in ancestors(&clients, slice.after.as_deref()).await? {
        collisions.seed(ancestor, told);
    }
    let mut merge = Merge::begin(&clients, slice);
    while let Some(pair) = merge.next().await? {
        let Pair::Source(object, stored) = pair else {
            plan.extra += 1;
            continue;
        };
        for key in collisions.take(&object.key) {
            plan.collisions += 1;
            example(&mut plan.collision_examples, key);
        }
        if plan.take(&object, decision(&object, stored.as_ref()), large) {
            choose(&mut sample, samples, plan.to_copy, object);
        }
    }
    for object in sample {
        plan.sampled.add(&look(&clients, &object).await);
    }
    Ok(plan)
}

/// The keys before a slice that may be directories of keys in it: whatever lies between an object and
/// what lies below it begins with the object's key, so only beginnings of the bound come into question.
/// Also tells whether an earlier slice has seen that they are.
async fn ancestors(clients: &BucketClients, after: Option<&str>) -> Result<Vec<(String, bool)>> {
    let Some(after) = after else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for at in after.char_indices().map(|(at, _)| at).skip(1).chain([after.len()]) {
        // What sorts between `a` and `a/...` goes on behind `a` with a character up to the slash.
        let (key, rest) = after.split_at(at);
        if rest.chars().next().is_some_and(|next| next > '/') {
            continue;
        }
        let is_object = clients.source.head_object(&clients.source_bucket, key, None).await.is_ok();
        if is_object {
            let list = SourceList { prefix: format!("{key}/"), max_keys: Some(1), ..SourceList::default() };
            let below = clients.source.list_objects(&clients.source_bucket, &list).await?;
            let told = below.objects.first().is_some_and(|object| object.key.as_str() <= after);
            found.push((key.to_owned(), told));
        }
    }
    Ok(found)
}

/// Keeps every object with the same chance, without knowing how many will come (reservoir sampling).
fn choose(sample: &mut Vec<SourceObject>, size: usize, seen: u64, object: SourceObject) {
    if sample.len() < size {
        sample.push(object);
    } else if let Some(slot) = sample.get_mut(usize::try_from(fastrand::u64(..seen.max(1))).unwrap_or(usize::MAX)) {
        *slot = object;
    }
}

async fn look(clients: &BucketClients, object: &SourceObject) -> Sampled {
    let mut sampled = Sampled { objects: 1, ..Sampled::default() };
    match fits(clients, object).await {
        Ok(tagged) => sampled.tagged = u64::from(tagged),
        Err(error) => match error.kind() {
            ErrorKind::MetadataTooLarge => sampled.metadata_too_large = 1,
            ErrorKind::Unsupported => sampled.customer_keys = 1,
            ErrorKind::NotFound => {}
            _ => sampled.unreadable = 1,
        },
    }
    sampled
}

impl BucketPlan {
    /// Counts an object; true if it is to be copied.
    fn take(&mut self, object: &SourceObject, decision: Decision, large: u64) -> bool {
        self.objects += 1;
        self.bytes += object.size;
        self.largest_bytes = self.largest_bytes.max(object.size);
        let place = (u64::BITS - object.size.leading_zeros()) as usize;
        self.histogram.resize(self.histogram.len().max(place + 1), 0);
        self.histogram[place] += 1;
        if object.etag.parts().is_some() {
            self.multipart += 1;
            self.bytes_multipart += object.size;
        }
        self.with_checksum += u64::from(!object.checksum_algorithms.is_empty());
        match decision {
            Decision::Copy(_) => {
                self.to_copy += 1;
                self.bytes_to_copy += object.size;
                if object.size > large {
                    self.large += 1;
                    self.bytes_large += object.size;
                }
                return true;
            }
            Decision::Unchanged => self.unchanged += 1,
            Decision::ClientNewer => self.client_newer += 1,
            Decision::Foreign => self.foreign += 1,
            Decision::Unmappable(reason) => {
                *self.unmappable.entry(reason.label()).or_default() += 1;
                example(&mut self.unmappable_examples, object.key.clone());
            }
            Decision::NeedsAction(_) => {
                self.archived += 1;
                self.bytes_archived += object.size;
            }
        }
        false
    }

    /// Adds another slice or bucket.
    pub(super) fn add(&mut self, other: &Self) {
        self.objects += other.objects;
        self.bytes += other.bytes;
        self.to_copy += other.to_copy;
        self.bytes_to_copy += other.bytes_to_copy;
        self.large += other.large;
        self.bytes_large += other.bytes_large;
        self.unchanged += other.unchanged;
        self.client_newer += other.client_newer;
        self.foreign += other.foreign;
        self.extra += other.extra;
        for (reason, count) in &other.unmappable {
            *self.unmappable.entry(reason).or_default() += count;
        }
        other.unmappable_examples.iter().for_each(|key| example(&mut self.unmappable_examples, key.clone()));
        self.archived += other.archived;
        self.bytes_archived += other.bytes_archived;
        self.multipart += other.multipart;
        self.bytes_multipart += other.bytes_multipart;
        self.with_checksum += other.with_checksum;
        self.collisions += other.collisions;
        other.collision_examples.iter().for_each(|key| example(&mut self.collision_examples, key.clone()));
        self.largest_bytes = self.largest_bytes.max(other.largest_bytes);
        self.histogram.resize(self.histogram.len().max(other.histogram.len()), 0);
        for (place, count) in other.histogram.iter().enumerate() {
            self.histogram[place] += count;
        }
        self.sampled.add(&other.sampled);
    }
}

impl Sampled {
    fn add(&mut self, other: &Self) {
        self.objects += other.objects;
        self.metadata_too_large += other.metadata_too_large;
        self.customer_keys += other.customer_keys;
        self.tagged += other.tagged;
        self.unreadable += other.unreadable;
    }
}

fn example(examples: &mut Vec<String>, key: String) {
    if examples.len() < EXAMPLES_MAX {
        examples.push(key);
    }
}
