//! Removes what uploads leave behind: abandoned ones, parts without an upload, old results.

use std::collections::HashSet;
use std::time::Duration;

use super::complete::Settled;
use super::names;
use super::record::parse_listed;
use crate::blob::batch::BATCH_MAX;
use crate::bucket::Bucket;
use crate::object::{ErrorKind, Result, Timestamp, UploadId};

/// Results of completed uploads are kept this long, so that a repeated Complete is answered the same.
const DONE_AGE_MAX: Duration = Duration::from_secs(86_400);

/// What a sweep did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Uploads that a crash had left in their commit, taken to their end.
    pub settled: u64,
    /// Uploads given up because they were older than allowed.
    pub expired: u64,
    /// Results that were older than a day.
    pub results: u64,
}

impl Bucket {
    /// Sweeps the uploads of this bucket. `age_max: None` keeps abandoned uploads for ever.
    ///
    /// # Errors
    /// The first of those of the Blob client, once all else has been swept; what could not be is found
    /// again by the next sweep.
    pub async fn sweep_uploads(&self, now: Timestamp, age_max: Option<Duration>) -> Result<Swept> {
        let mut swept = Swept::default();
        let mut failure = None;
        let mut marker = None;
        loop {
            let (records, next) = self.state.list(&names::markers(&self.name), marker.as_deref()).await?;
            for record in records {
                let listed = names::marker_id(&record.name).zip(parse_listed(&record.metadata));
                let Some((id, (key, initiated))) = listed else { continue };
                let expired = age_max.is_some_and(|age_max| older(now, initiated, age_max));
                let outcome = if expired {
                    self.drop_upload(&key, &id).await.map(|()| swept.expired += 1)
                } else if older(now, record.last_modified, SETTLE_AFTER) {
                    let settled = self.settle_upload(&key, &id).await;
                    settled.map(|settled| swept.settled += u64::from(matches!(settled, Settled::Done)))
                } else {
                    Ok(())
                };
                match outcome {
                    Err(error) if !matches!(error.kind(), ErrorKind::NoSuchUpload | ErrorKind::Conflict) => {
                        // One upload that resists must not keep all others.
                        failure.get_or_insert(error);
                    }
                    _ => {}
                }
            }
            marker = next;
            if marker.is_none() {
                break;
            }
        }
        swept.results = self.sweep_results(now).await?;
        failure.map_or(Ok(swept), Err)
    }

    async fn sweep_results(&self, now: Timestamp) -> Result<u64> {
        let mut removed = 0;
        let mut marker = None;
        loop {
            let (records, next) = self.state.list(&names::all_done(&self.name), marker.as_deref()).await?;
            let old: Vec<_> = records.iter().filter(|record| older(now, record.last_modified, DONE_AGE_MAX)).collect();
            for chunk in old.chunks(BATCH_MAX) {
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
}

impl Bucket {
    /// Deletes parts that no upload of the account has any more: of an upload aborted by another
    /// replica while they were on their way. `live` are the uploads of all buckets.
    ///
    /// # Errors
    /// Those of the Blob client.
    pub async fn sweep_orphan_parts(&self, now: Timestamp, live: &HashSet<UploadId>) -> Result<u64> {
        let mut removed = 0;
        let mut marker = None;
        loop {
            let page = self.list_part_page("part!", marker.as_deref(), None, None).await?;
            let orphans: Vec<_> = page
                .parts
                .iter()
                .filter(|part| older(now, part.last_modified, DONE_AGE_MAX))
                .filter(|part| names::part_of(&part.name).is_some_and(|(id, _)| !live.contains(&id)))
                .map(|part| part.name.as_str())
                .collect();
            for chunk in orphans.chunks(BATCH_MAX) {
                self.delete_state_blobs(chunk).await?;
                removed += chunk.len() as u64;
            }
            marker = page.next_marker;
            if marker.is_none() {
                return Ok(removed);
            }
        }
    }

    /// The ids of all uploads of this bucket.
    ///
    /// # Errors
    /// Those of the Blob client.
    pub async fn live_uploads(&self) -> Result<HashSet<UploadId>> {
        let mut live = HashSet::new();
        let mut marker = None;
        loop {
            let (records, next) = self.state.list(&names::markers(&self.name), marker.as_deref()).await?;
            live.extend(records.iter().filter_map(|record| names::marker_id(&record.name)));
            marker = next;
            if marker.is_none() {
                return Ok(live);
            }
        }
    }
}

/// A commit this long under way has lost whoever was at it.
const SETTLE_AFTER: Duration = Duration::from_secs(300);

fn older(now: Timestamp, time: Timestamp, age_max: Duration) -> bool {
    now.seconds_since(time) > age_max.as_secs() as i64
}
