//! Removes what uploads leave behind: abandoned ones, parts without an upload, old results.

use std::collections::HashSet;
use std::time::Duration;

use tokio::time::sleep;

use super::complete::Settled;
use super::names;
use super::record::{is_listed_open, parse_listed};
use crate::blob::batch::BATCH_MAX;
use crate::bucket::Bucket;
use crate::object::{Error, ErrorKind, ObjectKey, Result, Timestamp, UploadId};
use crate::state::Listed;

/// Results of completed uploads are kept this long, so that a repeated Complete is answered the same.
/// Parts without an upload are left alone as long: theirs may be about to appear in a listing.
const KEPT: Duration = Duration::from_secs(86_400);
/// A commit this long under way has lost whoever was at it.
const SETTLE_AFTER: Duration = Duration::from_secs(300);
/// Whoever touched an upload within this time has not abandoned it, however old it is.
const BUSY: Duration = Duration::from_secs(86_400);
/// Between two steps of a sweep: it is in no hurry, and clients share the account with it.
const PAUSE: Duration = Duration::from_millis(50);

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Uploads in progress that it found.
    pub seen: u64,
    /// Uploads that a crash had left in their commit, taken to their end.
    pub settled: u64,
    /// Uploads given up because they were older than allowed.
    pub expired: u64,
    /// Results that were older than a day.
    pub results: u64,
    /// Uploads that could not be settled or given up: the next sweep finds them again.
    pub failed: u64,
}

impl Bucket {
    /// Sweeps the uploads of this bucket. Those begun longer than `ttl` ago are given up, unless somebody
    /// is at them; `None` keeps them for ever.
    ///
    /// # Errors
    /// Those of the Blob client where a listing fails. An upload that resists is counted, so that it
    /// does not keep all others.
    pub async fn sweep_uploads(&self, now: Timestamp, ttl: Option<Duration>) -> Result<Swept> {
        let mut swept = Swept::default();
        let mut live = HashSet::new();
        let mut marker = None;
        loop {
            let (records, next) = self.state.list(&names::markers(&self.name), marker.as_deref()).await?;
            for record in records {
                let listed = names::marker_id(&record.name).zip(parse_listed(&record.metadata));
                let Some((id, (key, initiated))) = listed else { continue };
                swept.seen += 1;
                let upload = Found { key, id, initiated, record };
                match self.sweep_upload(&upload, now, ttl).await {
                    Ok(Fate::Left) => {}
                    Ok(Fate::Settled) => swept.settled += 1,
                    Ok(Fate::Expired) => swept.expired += 1,
                    Err(error) if is_overtaken(&error) => {}
                    Err(error) => {
                        tracing::warn!(upload = %upload.id, %error, "an upload is left to the next sweep");
                        swept.failed += 1;
                    }
                }
                live.insert(upload.id);
            }
            marker = next;
            if marker.is_none() {
                break;
            }
        }
        swept.results = self.sweep_results(now, &live).await?;
        Ok(swept)
    }

    async fn sweep_upload(&self, upload: &Found, now: Timestamp, ttl: Option<Duration>) -> Result<Fate> {
        let Found { key, id, initiated, record } = upload;
        let mut version = record.version.clone();
        let mut stuck = false;
        if !is_listed_open(&record.metadata) && older(now, record.last_modified, SETTLE_AFTER) {
            sleep(PAUSE).await;
            match self.settle_upload(key, id).await? {
                Settled::Done => return Ok(Fate::Settled),
                Settled::Unknown(renewed) => (version, stuck) = (renewed, true),
                Settled::Open(renewed) if renewed != version => return Ok(Fate::Left),
                // Its marker only does not say that it is open.
                Settled::Open(_) => {}
            }
        }
        let Some(ttl) = ttl.filter(|ttl| older(now, *initiated, *ttl)) else { return Ok(Fate::Left) };
        let busy = ttl.min(BUSY);
        // Sweeps themselves write the marker of an upload that is stuck, and clients that try again.
        if !stuck && !older(now, record.last_modified, busy) || self.has_new_parts(id, now, busy).await? {
            return Ok(Fate::Left);
        }
        sleep(PAUSE).await;
        // As it was when it was looked at: a Complete that has begun since has written the marker.
        match stuck {
            true => self.give_up(key, id, &version).await?,
            false => self.drop_upload(key, id, &version).await?,
        }
        Ok(Fate::Expired)
    }

    async fn has_new_parts(&self, id: &UploadId, now: Timestamp, time: Duration) -> Result<bool> {
        let parts = self.stored_parts(id).await?;
        Ok(parts.iter().any(|part| !older(now, part.last_modified, time)))
    }

    /// Removes old results but those of uploads in `live`: whoever finishes one needs it.
    async fn sweep_results(&self, now: Timestamp, live: &HashSet<UploadId>) -> Result<u64> {
        let mut removed = 0;
        let mut marker = None;
        loop {
            let (records, next) = self.state.list(&names::all_done(&self.name), marker.as_deref()).await?;
            let of_live = |record: &Listed| names::marker_id(&record.name).is_some_and(|id| live.contains(&id));
            let old = records.iter().filter(|record| older(now, record.last_modified, KEPT) && !of_live(record));
            let old: Vec<_> = old.collect();
            for chunk in old.chunks(BATCH_MAX) {
                sleep(PAUSE).await;
                for record in chunk {
                    // Parts that a crash in the middle of finishing left behind.
                    if let Some(id) = names::marker_id(&record.name) {
                        self.delete_parts(&id).await?;
                    }
                }
                let names: Vec<_> = chunk.iter().map(|record| record.name.as_str()).collect();
                self.delete_state_blobs(&names).await?;
                removed += chunk.len() as u64;
            }
            marker = next;
            if marker.is_none() {
                return Ok(removed);
            }
        }
    }

    /// Deletes parts that no upload has any more: of an upload aborted by another replica while they
    /// were on their way. `live` are the uploads of the whole account.
    ///
    /// # Errors
    /// Those of the Blob client.
    pub async fn sweep_orphan_parts(&self, now: Timestamp, live: &HashSet<UploadId>) -> Result<u64> {
        let mut removed = 0;
        let mut marker = None;
        loop {
            let page = self.list_part_page(names::ALL_PARTS, marker.as_deref(), None, None).await?;
            let orphans: Vec<_> = page
                .parts
                .iter()
                .filter(|part| older(now, part.last_modified, KEPT))
                .filter(|part| names::part_of(&part.name).is_some_and(|(id, _)| !live.contains(&id)))
                .map(|part| part.name.as_str())
                .collect();
            for chunk in orphans.chunks(BATCH_MAX) {
                sleep(PAUSE).await;
                self.delete_state_blobs(chunk).await?;
                removed += chunk.len() as u64;
            }
            marker = page.next_marker;
            if marker.is_none() {
                return Ok(removed);
            }
        }
    }

    /// The ids of all uploads in the state container, whatever their bucket: another deployment may
    /// serve other buckets of the same account.
    ///
    /// # Errors
    /// Those of the Blob client.
    pub async fn live_uploads(&self) -> Result<HashSet<UploadId>> {
        let mut live = HashSet::new();
        let mut marker = None;
        loop {
            let (records, next) = self.state.list(names::ALL_MARKERS, marker.as_deref()).await?;
            live.extend(records.iter().filter_map(|record| names::marker_id(&record.name)));
            marker = next;
            if marker.is_none() {
                return Ok(live);
            }
        }
    }
}

/// An upload as the listing of markers shows it.
struct Found {
    key: ObjectKey,
    id: UploadId,
    initiated: Timestamp,
    record: Listed,
}

enum Fate {
    Left,
    Settled,
    Expired,
}

/// A client or another sweep was faster, which is as good.
fn is_overtaken(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::NoSuchUpload | ErrorKind::Conflict)
}

fn older(now: Timestamp, time: Timestamp, age: Duration) -> bool {
    now.seconds_since(time) > i64::try_from(age.as_secs()).unwrap_or(i64::MAX)
}
