//! CompleteMultipartUpload: check, stage, make ready, commit; at most once, whoever goes on with it.

use std::time::Duration;

use tokio::time::sleep;

use super::names;
use super::record::{Base, Done, Ended, Marker, Publishing, Run, State};
use super::verdict::{self, Sent, Verdict};
use super::whole::{self, StoredPart};
use super::{no_such_upload, stage};
use crate::blob::get_block_list::BlockListKind;
use crate::blob::put_block_list::PutBlockList;
use crate::bucket::block_ids::PartChecksum;
use crate::bucket::codec::{self, Decoded, WriteId};
use crate::bucket::put::condition_failed;
use crate::bucket::{Bucket, StoredObject};
use crate::net::Backoff;
use crate::object::multipart::CompleteUpload;
use crate::object::{
    Checksum, Error, ErrorKind, ObjectKey, ObjectMeta, Result, Stored, Timestamp, UploadId, WriteCondition,
};
use crate::state::Version;

/// Rounds until the client is told to come again: conditional writers could go on for ever.
const ROUNDS_MAX: u32 = 64;
/// Sends of one commit whose outcome stays unknown, before the client is told to come again. It lands
/// once at most, so it may be sent again.
const RESENDS: Backoff = Backoff {
    base: Duration::from_millis(200),
    max: Duration::from_secs(5),
    tries_max: 5,
    total_max: Duration::from_secs(20),
};
/// Azure drops staged blocks after a week; a day less leaves room for clocks (seconds).
const PUBLISHING_AGE_MAX: i64 = 6 * 86_400;
/// An upload begun this long ago may be taken for abandoned, so Complete first says that it is not
/// (seconds). Less than the shortest time after which uploads may expire.
const SAY_ALIVE_AFTER: i64 = 1800;

/// How a round ended.
enum Round {
    Done(Stored),
    Again,
    /// The commit may have landed or not, and never will from now on.
    Unknown(Version),
}

/// Where an upload stands that nobody is at any more.
pub(super) enum Settled {
    Open(Version),
    Done,
    /// Its commit may have landed or not, and never will from now on.
    Unknown(Version),
}

/// An upload whose commit is on record and may be sent.
struct Ready {
    marker: Marker,
    record: Publishing,
    version: Version,
}

impl Bucket {
    /// Makes the object of its parts. Said again with the same parts, it answers the same.
    ///
    /// # Errors
    /// `NoSuchUpload` (also if it was completed of other parts than these), `InvalidPart`,
    /// `InvalidPartOrder`, `PartTooSmall`, `ChecksumMismatch`, `PreconditionFailed`; `Unexpected` where
    /// the commit may have landed or not.
    pub async fn complete_upload(&self, key: &ObjectKey, id: &UploadId, request: &CompleteUpload) -> Result<Stored> {
        whole::in_order(&request.parts)?;
        let stored = self.complete(key, id, request).await?;
        if whole::is_made_of(&stored.etag, &request.parts) { Ok(stored) } else { Err(no_such_upload(id)) }
    }

    async fn complete(&self, key: &ObjectKey, id: &UploadId, request: &CompleteUpload) -> Result<Stored> {
        let mut sent = false;
        let mut said_alive = false;
        for _ in 0..ROUNDS_MAX {
            let (marker, version) = match self.marker(key, id).await {
                Err(error) if error.kind() == ErrorKind::NoSuchUpload => {
                    // An Abort may have freed it after a commit whose outcome nobody learned.
                    let gone = if sent { unknown(id) } else { error };
                    return self.outcome(key, id).await?.ok_or(gone);
                }
                other => other?,
            };
            let outcome = match &marker.state {
                State::Publishing(record) => {
                    let record = record.clone();
                    self.take_over(key, id, Ready { marker, record, version }).await
                }
                State::Open if !said_alive && self.looks_abandoned(&marker) => {
                    said_alive = true;
                    match self.rewrite(key, id, &marker, &version).await {
                        Err(error) if error.kind() != ErrorKind::Conflict => Err(error),
                        _ => Ok(Round::Again),
                    }
                }
                State::Open => match self.make_ready(key, id, marker, &version, request).await {
                    Ok(ready) => self.commit(key, id, ready, Sent::Once).await,
                    // A part was uploaded again since it was listed: it counts if it still has its ETag.
                    Err(error) if error.kind() == ErrorKind::SourcePreconditionFailed => Ok(Round::Again),
                    // An empty directory goes, anything else there stays.
                    Err(error) if self.may_be_in_the_way(&error) => {
                        self.clear_way(key, error).await.map(|()| Round::Again)
                    }
                    // Whoever was faster has changed what this try stood on: parts, key, marker.
                    Err(_) if self.has_moved(key, id, &version).await => Ok(Round::Again),
                    Err(error) => Err(error),
                },
            };
            // Again means that it is open, so nothing has landed.
            sent = !matches!(outcome, Ok(Round::Again));
            match outcome {
                Ok(Round::Done(stored)) => return Ok(stored),
                Ok(Round::Again) => {}
                Ok(Round::Unknown(_)) => return Err(unknown(id)),
                // Somebody else moved the marker: see where it stands now.
                Err(error) if error.kind() == ErrorKind::Conflict => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::new(ErrorKind::Unavailable, format!("upload {id} meets too many conditional writes of its key")))
    }

    /// Takes an upload that may be publishing to its end without a client.
    pub(super) async fn settle_upload(&self, key: &ObjectKey, id: &UploadId) -> Result<Settled> {
        for _ in 0..ROUNDS_MAX {
            let (marker, version) = self.marker(key, id).await?;
            let State::Publishing(record) = &marker.state else { return Ok(Settled::Open(version)) };
            let record = record.clone();
            match self.take_over(key, id, Ready { marker, record, version }).await {
                Ok(Round::Done(_)) => return Ok(Settled::Done),
                Ok(Round::Unknown(version)) => return Ok(Settled::Unknown(version)),
                Ok(Round::Again) => {}
                Err(error) if error.kind() == ErrorKind::Conflict => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::new(ErrorKind::Conflict, format!("upload {id} is being completed")))
    }

    /// Whether expiry could be about to remove it.
    fn looks_abandoned(&self, marker: &Marker) -> bool {
        self.now().seconds_since(Timestamp(marker.initiated)) > SAY_ALIVE_AFTER
    }

    /// Goes on with a commit that somebody else has made ready and perhaps sent. The marker is written
    /// again first: who made it ready can then not reopen it any more in the belief that it alone had
    /// sent the commit.
    async fn take_over(&self, key: &ObjectKey, id: &UploadId, ready: Ready) -> Result<Round> {
        if let Some(ended) = self.ended(key, id).await? {
            // Whoever recorded that has not come to the removal of marker and parts.
            return self.clear(key, id, &ready.version).await.map(|()| ended.round(ready.version));
        }
        let version = self.rewrite(key, id, &ready.marker, &ready.version).await?;
        self.commit(key, id, Ready { version, ..ready }, Sent::Perhaps).await
    }

    /// Writes the marker in place of `version`, so that all versions of it known to others are void.
    async fn rewrite(&self, key: &ObjectKey, id: &UploadId, marker: &Marker, version: &Version) -> Result<Version> {
        let name = names::marker(&self.name, key, id);
        self.state.replace(&name, marker, marker.listed(), version).await
    }

    /// Whether somebody has changed or removed the marker since `version`.
    async fn has_moved(&self, key: &ObjectKey, id: &UploadId, version: &Version) -> bool {
        match self.marker(key, id).await {
            Ok((_, now)) => now != *version,
            Err(error) => error.kind() == ErrorKind::NoSuchUpload,
        }
    }

    /// What became of an upload whose marker is gone; `None` if it was not completed, as far as can be
    /// told: the result is on record for a day, and on the object for as long as nobody writes it.
    async fn outcome(&self, key: &ObjectKey, id: &UploadId) -> Result<Option<Stored>> {
        match self.ended(key, id).await? {
            Some(Ended::Completed(stored)) => return Ok(Some(stored)),
            Some(Ended::GivenUp) => return Ok(None),
            None => {}
        }
        let now = self.look(key).await?.filter(|object| object.upload_id.as_ref() == Some(id));
        Ok(now.map(|object| stored_of(object.meta)))
    }

    /// How an upload ended, if that is on record.
    pub(super) async fn ended(&self, key: &ObjectKey, id: &UploadId) -> Result<Option<Ended>> {
        let done: Option<(Done, Version)> = self.state.read(&names::done(&self.name, id)).await?;
        Ok(done.filter(|(done, _)| done.key == key.as_str()).map(|(done, _)| done.ended()))
    }

    /// Puts on record how an upload ended; returns what is on record then. A Complete that has seen its
    /// commit land and an Abort that finds nothing of it meet here: the first to write is told so.
    pub(super) async fn record_end(&self, key: &ObjectKey, id: &UploadId, end: &Done) -> Result<Ended> {
        let name = names::done(&self.name, id);
        for tries in 1.. {
            match self.state.create(&name, end, Vec::new()).await {
                Ok(_) => break,
                Err(error) if error.outcome_unknown() && tries < RESENDS.tries_max => {
                    sleep(RESENDS.wait(tries)).await;
                }
                Err(error) if error.kind() == ErrorKind::Conflict => {
                    return Ok(self.ended(key, id).await?.unwrap_or_else(|| end.ended()));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(end.ended())
    }

    /// From open: check, stage, put the commit on record.
    async fn make_ready(
        &self,
        key: &ObjectKey,
        id: &UploadId,
        mut marker: Marker,
        version: &Version,
        request: &CompleteUpload,
    ) -> Result<Ready> {
        let parts = self.stored_parts(id).await?;
        let parts = whole::choose(&parts, &request.parts)?;
        let whole = whole::assemble(&parts, request, marker.checksum())?;
        let nonce = stage::nonce();
        let mut pieces = Vec::new();
        for part in &parts {
            let checksum = PartChecksum::new(shown_with(&part.checksums, &whole.checksums));
            let source = self.state.blob(&part.name);
            let of_part = stage::pieces(part.number, source, &part.store_tag, 0, part.size);
            pieces.extend(of_part.into_iter().map(|piece| stage::Piece { checksum, ..piece }));
        }
        let composed = self.stage_whole(key, id, nonce, &pieces, whole.size).await?;
        let now = self.look(key).await?;
        judge_condition(&request.condition, now.as_ref())?;
        let conditional = request.condition != WriteCondition::None;
        let own = Decoded {
            write_id: Some(WriteId::generate()),
            replaced: conditional.then(|| now.as_ref().map_or(codec::Replaced::Absent, super::super::put::replaces)),
            upload_id: Some(id.clone()),
            etag: Some(whole.etag.clone()),
            checksums: whole.checksums.clone(),
            ..Default::default()
        };
        let record = Publishing::new(
            self.now(),
            nonce,
            runs(&pieces),
            Base::of(now.as_ref()),
            conditional,
            codec::encode(&marker.attributes(), &own, self.place(key, whole.size))?,
            whole.size,
            &whole.etag,
            &whole.checksums,
        )
        .of_composed(composed.filter(|_| now.is_some()));
        if let Some(witness) = record.witness()? {
            stage::stage_witness(self, self.blob(key), witness).await?;
        }
        marker.state = State::Publishing(record.clone());
        let version = self.rewrite(key, id, &marker, version).await?;
        Ok(Ready { marker, record, version })
    }

    /// From publishing: sends exactly the recorded commit, and finds out what a refusal means.
    async fn commit(&self, key: &ObjectKey, id: &UploadId, ready: Ready, mut sent: Sent) -> Result<Round> {
        let record = &ready.record;
        let commit = PutBlockList {
            blocks: record.blocks()?,
            content: ready.marker.attributes().content,
            blob_md5: None,
            metadata: record.metadata(),
            condition: record.base.condition(),
        };
        let outlived = self.has_outlived_its_blocks(record);
        for sends in 1.. {
            if sent == Sent::Perhaps && (outlived || !self.may_send_again(key, record).await?) {
                break;
            }
            let refusal = match self.send_commit(key, id, record, &commit).await {
                Ok(written) => {
                    let stored = record.stored(written.last_modified);
                    return self.finish(key, id, ready.version, &stored).await;
                }
                Err(error) => error,
            };
            if refusal.outcome_unknown() {
                sent = Sent::Perhaps;
                if sends >= RESENDS.tries_max {
                    return Err(refusal.context(format_args!("commit upload {id}")));
                }
                sleep(RESENDS.wait(sends)).await;
                continue;
            }
            if judged_by_the_key(&refusal) {
                break;
            }
            // Refused for another reason (a lease, the identity, a limit), so not carried out.
            if sent == Sent::Once {
                self.reopen(key, id, &ready).await?;
            }
            return Err(refusal.context(format_args!("commit upload {id}")));
        }
        let now = self.look(key).await?;
        match verdict::judge(sent, record.conditional, &record.base, id, now.as_ref()) {
            Verdict::Landed => {
                // Of another list perhaps than this record's: somebody may have opened it again meanwhile.
                let stored = now.map_or_else(|| record.stored(self.now()), |object| stored_of(object.meta));
                self.finish(key, id, ready.version, &stored).await
            }
            Verdict::Superseded => {
                // Nobody may have reopened it since, nor do so from now on: it would land after all.
                let version = self.rewrite(key, id, &ready.marker, &ready.version).await?;
                self.finish(key, id, version, &record.stored(self.now())).await
            }
            Verdict::StageAgain => self.reopen(key, id, &ready).await.map(|()| Round::Again),
            // Nobody was at it while its blocks lived, and nothing is there: it will not have been sent.
            Verdict::Unknown if outlived && !record.doubtful && now.is_none() => {
                self.reopen(key, id, &ready).await.map(|()| Round::Again)
            }
            // Whoever saw it land may have said so meanwhile.
            Verdict::Unknown => match self.ended(key, id).await? {
                Some(ended) => self.clear(key, id, &ready.version).await.map(|()| ended.round(ready.version)),
                None => self.doubt(key, id, ready).await.map(Round::Unknown),
            },
        }
    }

    /// Puts on record that nobody will ever know whether the commit landed: it does not become known by
    /// growing old.
    async fn doubt(&self, key: &ObjectKey, id: &UploadId, mut ready: Ready) -> Result<Version> {
        if ready.record.doubtful {
            return Ok(ready.version);
        }
        ready.record.doubtful = true;
        ready.marker.state = State::Publishing(ready.record);
        self.rewrite(key, id, &ready.marker, &ready.version).await
    }

    /// Blocks that Azure has dropped, or is about to, cannot be committed any more.
    fn has_outlived_its_blocks(&self, record: &Publishing) -> bool {
        self.now().seconds_since(Timestamp(record.since)) >= PUBLISHING_AGE_MAX
    }

    /// A commit of no blocks over nothing consumes nothing: only as long as its witness is staged is it
    /// known not to have landed.
    async fn may_send_again(&self, key: &ObjectKey, record: &Publishing) -> Result<bool> {
        let Some(witness) = record.witness()? else { return Ok(true) };
        match self.blobs.get_block_list(self.blob(key), BlockListKind::Uncommitted).await {
            Ok(list) => Ok(list.uncommitted.iter().any(|block| block.id == witness.base64())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn reopen(&self, key: &ObjectKey, id: &UploadId, ready: &Ready) -> Result<()> {
        let mut marker = ready.marker.clone();
        marker.state = State::Open;
        self.rewrite(key, id, &marker, &ready.version).await.map(drop)
    }

    /// Records the result, then removes the marker and the parts. A crash in between leaves what the
    /// next Complete or the sweeper finishes. If somebody was faster, their word counts.
    async fn finish(&self, key: &ObjectKey, id: &UploadId, version: Version, stored: &Stored) -> Result<Round> {
        let ended = self.record_end(key, id, &Done::new(key, stored)).await?;
        self.clear(key, id, &version).await?;
        Ok(ended.round(version))
    }

    /// Removes the marker and the parts of an upload whose end is on record. What fails is left to the
    /// sweeper: nobody will be told otherwise.
    async fn clear(&self, key: &ObjectKey, id: &UploadId, version: &Version) -> Result<()> {
        self.shared.uploads_seen.forget(id);
        let cleared = match self.state.delete(&names::marker(&self.name, key, id), version).await {
            // Somebody took the upload over and will find its result.
            Err(error) if error.kind() != ErrorKind::Conflict => Err(error),
            _ => self.delete_parts(id).await,
        };
        if let Err(error) = cleared {
            tracing::warn!(upload = %id, %error, "leftovers of an ended upload are left to the sweeper");
        }
        Ok(())
    }

    /// All parts of an upload, in order of their numbers.
    pub(super) async fn stored_parts(&self, id: &UploadId) -> Result<Vec<StoredPart>> {
        let prefix = names::parts(id);
        let mut parts = Vec::new();
        let mut marker = None;
        loop {
            let page = self.list_part_page(&prefix, marker.as_deref(), None, None).await?;
            parts.extend(page.parts);
            marker = page.next_marker;
            if marker.is_none() {
                return Ok(parts);
            }
        }
    }
}

impl Ended {
    /// The round in which this was found on record, at that version of the marker.
    fn round(self, version: Version) -> Round {
        match self {
            Self::Completed(stored) => Round::Done(stored),
            Self::GivenUp => Round::Unknown(version),
        }
    }
}

/// An object as Complete answers it.
fn stored_of(meta: ObjectMeta) -> Stored {
    Stored { etag: meta.etag, last_modified: meta.last_modified, checksums: meta.checksums, size: meta.size }
}

/// A refusal whose reason is what is at the key, or that the blocks are gone.
fn judged_by_the_key(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Exists | ErrorKind::PreconditionFailed | ErrorKind::InvalidBlockList | ErrorKind::NotFound
    )
}

fn unknown(id: &UploadId) -> Error {
    Error::new(
        ErrorKind::Unexpected,
        format!("whether upload {id} was completed before the key was written again is not known"),
    )
}

/// Parts and how many blocks each has, as the record keeps them.
fn runs(pieces: &[stage::Piece<'_>]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for piece in pieces {
        match runs.last_mut() {
            Some(run) if run.part == piece.part => run.pieces += 1,
            _ => runs.push(Run { part: piece.part, pieces: 1, checksum: piece.checksum }),
        }
    }
    runs
}

/// The checksum of a part that goes with those of the whole.
fn shown_with<'a>(of_part: &'a [Checksum], of_whole: &[Checksum]) -> Option<&'a Checksum> {
    let algorithm = of_whole.first()?.algorithm;
    of_part.iter().find(|checksum| checksum.algorithm == algorithm)
}

/// Judges the client's condition on what is at the key.
fn judge_condition(condition: &WriteCondition, now: Option<&StoredObject>) -> Result<()> {
    match (condition, now) {
        (WriteCondition::None, _) | (WriteCondition::Absent, None) => Ok(()),
        (WriteCondition::Match(list), Some(object)) if list.names(&object.meta.etag) => Ok(()),
        (WriteCondition::Match(_), None) => {
            Err(Error::new(ErrorKind::NotFound, "there is no object to match the condition"))
        }
        (WriteCondition::Absent | WriteCondition::Match(_), Some(_)) => Err(condition_failed()),
    }
}
