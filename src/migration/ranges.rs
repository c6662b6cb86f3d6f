//! Slices of a bucket's key space: the unit of mover work, shared by any number of processes.
//!
//! A backfill is a run record with the bounds of its ranges, and a record for each range that somebody
//! has begun. A range changes only by compare-and-swap, cursor and counters together, so a process that
//! lost it notices at its next advance, and what it counted since is counted by whoever goes on.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::object::{BucketName, Error, ErrorKind, Result};
use crate::state::{StateStore, Version};

const VERSION: u32 = 1;

/// An owner that has not advanced for this long, by the observer's clock, has lost its range.
pub const TAKEOVER_AFTER: Duration = Duration::from_secs(20);

/// A backfill of one bucket.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub struct Run {
    v: u32,
    /// Counts the backfills of the bucket.
    pub number: u64,
    /// Only keys with this prefix.
    pub prefix: String,
    /// Last keys of all ranges but the last, ascending.
    pub bounds: Vec<String>,
    pub finished: bool,
}

/// A slice of the key space: keys after `after` up to and including `through`.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub struct Range {
    v: u32,
    pub owner: Option<Owner>,
    /// All keys up to and including this one are done; at first the lower bound.
    pub cursor: Option<String>,
    /// `None` = to the end of the bucket.
    pub through: Option<String>,
    pub finished: bool,
    pub counters: Counters,
}

/// A process that works on a range.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub struct Owner {
    pub host: String,
    pub pid: u32,
    /// Tells two processes of one host and number apart.
    pub nonce: String,
}

/// What became of the objects of a range. `listed` is the sum of the others.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
pub struct Counters {
    pub listed: u64,
    pub copied: u64,
    pub unchanged: u64,
    pub client_newer: u64,
    pub foreign: u64,
    /// Gone from the source between listing and copying.
    pub deleted: u64,
    pub unmappable: u64,
    pub needs_action: u64,
    pub failed: u64,
    /// Bytes of the listed and of the copied objects.
    pub bytes_listed: u64,
    pub bytes_copied: u64,
}

impl Counters {
    /// Objects whose outcome is known.
    pub fn settled(&self) -> u64 {
        self.copied
            + self.unchanged
            + self.client_newer
            + self.foreign
            + self.deleted
            + self.unmappable
            + self.needs_action
            + self.failed
    }

    /// Everything listed is accounted for.
    pub fn balanced(&self) -> bool {
        self.listed == self.settled()
    }

    /// Objects that are not on Blob as the source has them, through no choice of a client.
    pub fn not_done(&self) -> u64 {
        self.foreign + self.unmappable + self.needs_action + self.failed
    }
}

impl std::ops::AddAssign for Counters {
    fn add_assign(&mut self, other: Self) {
        self.listed += other.listed;
        self.copied += other.copied;
        self.unchanged += other.unchanged;
        self.client_newer += other.client_newer;
        self.foreign += other.foreign;
        self.deleted += other.deleted;
        self.unmappable += other.unmappable;
        self.needs_action += other.needs_action;
        self.failed += other.failed;
        self.bytes_listed += other.bytes_listed;
        self.bytes_copied += other.bytes_copied;
    }
}

impl Owner {
    /// This process.
    pub fn this_process(host: &str) -> Self {
        Self { host: host.to_owned(), pid: std::process::id(), nonce: format!("{:016x}", fastrand::u64(..)) }
    }

    /// Whether the owner is known to be dead without waiting: a process of this host that is no more,
    /// or whose number is ours now.
    fn is_dead(&self, us: &Self) -> bool {
        if self.host != us.host || self.nonce == us.nonce {
            return false;
        }
        self.pid == us.pid || !std::path::Path::new(&format!("/proc/{}", self.pid)).exists()
    }
}

/// The records of one bucket's backfill.
#[derive(Clone)]
pub struct Ranges {
    state: StateStore,
    bucket: BucketName,
}

/// A range that this process owns.
pub struct Owned {
    pub index: usize,
    pub range: Range,
    name: String,
    version: Version,
}

/// What became of an attempt to take a range.
pub enum Claim {
    Owned(Box<Owned>),
    Finished(Counters),
    /// Somebody else is at it; the version tells whether they advance.
    Busy(Version),
}

impl Ranges {
    pub fn new(state: StateStore, bucket: BucketName) -> Self {
        Self { state, bucket }
    }

    /// Joins the run that is under way, or begins one with the bounds that `split` finds.
    ///
    /// # Errors
    /// `Invalid` if a run with another prefix is under way, and those of the Blob client.
    pub async fn begin<F>(&self, prefix: &str, split: impl FnOnce() -> F) -> Result<Run>
    where
        F: Future<Output = Result<Vec<String>>>,
    {
        let name = format!("run!{}", self.bucket);
        let found: Option<(Run, Version)> = self.state.read(&name).await?;
        let (number, version) = match found {
            Some((run, _)) if !run.finished => return self.join(run, prefix),
            Some((run, version)) => (run.number + 1, Some(version)),
            None => (1, None),
        };
        let run = Run { v: VERSION, number, prefix: prefix.to_owned(), bounds: split().await?, finished: false };
        let written = match version {
            Some(version) => self.state.replace(&name, &run, Vec::new(), &version).await,
            None => self.state.create(&name, &run, Vec::new()).await,
        };
        match written {
            Ok(_) => {
                self.remove_ranges_before(number).await?;
                Ok(run)
            }
            Err(error) if error.kind() == ErrorKind::Conflict => {
                let (run, _) = self.state.read(&name).await?.ok_or(error)?;
                self.join(run, prefix)
            }
            Err(error) => Err(error),
        }
    }

    fn join(&self, run: Run, prefix: &str) -> Result<Run> {
        if run.prefix == prefix {
            return Ok(run);
        }
        Err(Error::new(
            ErrorKind::Invalid,
            format!(
                "a backfill of bucket {} with prefix {:?} is under way: finish it before one with prefix {prefix:?}",
                self.bucket, run.prefix
            ),
        ))
    }

    /// Tries to take range `index` of `run`. `idle` is the version last seen if the owner has not
    /// advanced since [`TAKEOVER_AFTER`].
    ///
    /// # Errors
    /// Those of the Blob client.
    pub async fn claim(&self, run: &Run, index: usize, us: &Owner, idle: Option<&Version>) -> Result<Claim> {
        let name = self.range_name(run.number, index);
        let found: Option<(Range, Version)> = self.state.read(&name).await?;
        let (range, version) = match found {
            None => (run.range(index, us), None),
            Some((range, _)) if range.finished => return Ok(Claim::Finished(range.counters)),
            Some((range, version)) => {
                let takeable = range.owner.as_ref().is_none_or(|owner| owner.is_dead(us)) || idle == Some(&version);
                if !takeable {
                    return Ok(Claim::Busy(version));
                }
                (Range { owner: Some(us.clone()), ..range }, Some(version))
            }
        };
        let written = match &version {
            None => self.state.create(&name, &range, Vec::new()).await,
            Some(version) => self.state.replace(&name, &range, Vec::new(), version).await,
        };
        match written {
            Ok(version) => Ok(Claim::Owned(Box::new(Owned { index, range, name, version }))),
            Err(error) if error.kind() == ErrorKind::Conflict => match self.state.read::<Range>(&name).await? {
                Some((_, version)) => Ok(Claim::Busy(version)),
                None => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    /// Records progress.
    ///
    /// # Errors
    /// `Conflict` if the range was taken over: stop working on it.
    pub async fn advance(&self, owned: &mut Owned) -> Result<()> {
        owned.version = self.state.replace(&owned.name, &owned.range, Vec::new(), &owned.version).await?;
        Ok(())
    }

    /// Marks the run as finished, once all its ranges are.
    ///
    /// # Errors
    /// Those of the Blob client.
    pub async fn finish(&self, run: &Run) -> Result<()> {
        let name = format!("run!{}", self.bucket);
        let Some((found, version)) = self.state.read::<Run>(&name).await? else { return Ok(()) };
        if found.number != run.number || found.finished {
            return Ok(());
        }
        match self.state.replace(&name, &Run { finished: true, ..found }, Vec::new(), &version).await {
            Err(error) if error.kind() == ErrorKind::Conflict => Ok(()),
            other => other.map(drop),
        }
    }

    fn range_name(&self, run: u64, index: usize) -> String {
        format!("range!{}!{run:06}!{index:06}", self.bucket)
    }

    async fn remove_ranges_before(&self, run: u64) -> Result<()> {
        let mut marker = None;
        loop {
            let (records, next) = self.state.list(&format!("range!{}!", self.bucket), marker.as_deref()).await?;
            for record in records.iter().filter(|record| record.name < self.range_name(run, 0)) {
                if let Some((_, version)) = self.state.read::<Range>(&record.name).await? {
                    self.state.delete(&record.name, &version).await?;
                }
            }
            marker = next;
            if marker.is_none() {
                return Ok(());
            }
        }
    }
}

impl Run {
    /// Number of ranges.
    pub fn ranges(&self) -> usize {
        self.bounds.len() + 1
    }

    fn range(&self, index: usize, owner: &Owner) -> Range {
        Range {
            v: VERSION,
            owner: Some(owner.clone()),
            cursor: index.checked_sub(1).and_then(|before| self.bounds.get(before)).cloned(),
            through: self.bounds.get(index).cloned(),
            finished: false,
            counters: Counters::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_records() {
        let run =
            Run { v: 1, number: 2, prefix: "p/".into(), bounds: vec!["p/g".into(), "p/q".into()], finished: false };
        assert_eq!(
            serde_json::to_string(&run).unwrap(),
            r#"{"v":1,"number":2,"prefix":"p/","bounds":["p/g","p/q"],"finished":false}"#
        );
        let owner = Owner { host: "pod-1".into(), pid: 7, nonce: "00".into() };
        let ranges: Vec<_> = (0..run.ranges()).map(|index| run.range(index, &owner)).collect();
        let bounds: Vec<_> = ranges.iter().map(|range| (range.cursor.as_deref(), range.through.as_deref())).collect();
        assert_eq!(bounds, [(None, Some("p/g")), (Some("p/g"), Some("p/q")), (Some("p/q"), None)]);
        assert_eq!(
            serde_json::to_string(&ranges[1]).unwrap(),
            r#"{"v":1,"owner":{"host":"pod-1","pid":7,"nonce":"00"},"cursor":"p/g","through":"p/q","finished":false,"counters":{"listed":0,"copied":0,"unchanged":0,"client_newer":0,"foreign":0,"deleted":0,"unmappable":0,"needs_action":0,"failed":0,"bytes_listed":0,"bytes_copied":0}}"#
        );
    }

    #[test]
    fn owners_that_are_dead() {
        let us = Owner { host: "a".into(), pid: std::process::id(), nonce: "1".into() };
        let other = |host: &str, pid, nonce: &str| Owner { host: host.into(), pid, nonce: nonce.into() };
        assert!(!us.is_dead(&us));
        assert!(other("a", us.pid, "0").is_dead(&us), "our number now");
        assert!(other("a", u32::MAX, "0").is_dead(&us), "no such process");
        assert!(!other("a", 1, "0").is_dead(&us), "lives");
        assert!(!other("b", u32::MAX, "0").is_dead(&us), "another host");
    }
}
