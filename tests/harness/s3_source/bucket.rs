//! One bucket: the versions of its keys, and objects that exist only as a rule.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::object::{Object, Stored};
use crate::harness::random::mix;
use crate::harness::sequence;

/// One write or delete of a key.
#[derive(Clone, Debug)]
pub struct Version {
    /// Place in the order of all events of the process ([`sequence`]).
    pub sequence: u64,
    /// Time since the epoch, by the server's clock.
    pub at: Duration,
    /// Time since the epoch, by the wall clock, whatever the server's clock says.
    pub real_at: Duration,
    pub bucket: String,
    pub key: String,
    pub id: String,
    /// `None` for a delete.
    pub object: Option<Arc<Stored>>,
}

/// `count` objects named `prefix` + ten digits.
#[derive(Clone, Debug)]
pub struct Generated {
    pub prefix: String,
    pub count: u64,
    pub size: u64,
    pub seed: u64,
}

/// Generated objects share this many contents, so that hashing them stays cheap.
const DISTINCT_CONTENTS: u64 = 64;
const DIGITS: usize = 10;

#[derive(Default)]
pub(super) struct Bucket {
    pub versioned: bool,
    keys: BTreeMap<Vec<u8>, Vec<Arc<Version>>>,
    generated: Vec<Generator>,
}

struct Generator {
    rule: Generated,
    contents: Vec<Arc<Stored>>,
}

impl Version {
    pub(super) fn new(bucket: &str, key: &str, at: Duration, object: Option<Arc<Stored>>) -> Self {
        let sequence = sequence::next();
        let real_at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let id = format!("v{:016x}", mix(sequence));
        Self { sequence, at, real_at, bucket: bucket.into(), key: key.into(), id, object }
    }
}

impl Bucket {
    pub fn append(&mut self, version: Arc<Version>) {
        self.keys.entry(version.key.clone().into_bytes()).or_default().push(version);
    }

    pub fn generate(&mut self, rule: Generated, now: Duration) {
        let contents = (0..DISTINCT_CONTENTS.min(rule.count))
            .map(|content| Arc::new(Object::synthetic(mix(rule.seed ^ content), rule.size).resolve(now)))
            .collect();
        self.generated.push(Generator { rule, contents });
    }

    pub fn versions(&self, key: &[u8]) -> Vec<Arc<Version>> {
        self.keys.get(key).cloned().unwrap_or_default()
    }

    pub fn version(&self, key: &[u8], id: &str) -> Option<Arc<Version>> {
        self.keys.get(key)?.iter().find(|version| version.id == id).cloned()
    }

    pub fn latest(&self, key: &[u8]) -> Option<&Arc<Version>> {
        self.keys.get(key)?.last()
    }

    pub fn live(&self, key: &[u8]) -> Option<Arc<Stored>> {
        match self.latest(key) {
            Some(version) => version.object.clone(),
            None => self.generated.iter().find_map(|generator| generator.get(key)),
        }
    }

    pub fn live_objects(&self) -> Vec<(String, Arc<Stored>)> {
        let mut objects = Vec::new();
        let mut from = Vec::new();
        while let Some((key, stored)) = self.live_at_or_after(&from) {
            from = successor(&key);
            objects.push((String::from_utf8_lossy(&key).into_owned(), stored));
        }
        objects
    }

    /// The first live key that is not below `from`, by bytes.
    pub fn live_at_or_after(&self, from: &[u8]) -> Option<(Vec<u8>, Arc<Stored>)> {
        let held = self
            .keys
            .range::<[u8], _>((Bound::Included(from), Bound::Unbounded))
            .find_map(|(key, versions)| Some((key.clone(), versions.last()?.object.clone()?)));
        let made = self
            .generated
            .iter()
            .filter_map(|generator| self.unshadowed_at_or_after(generator, from))
            .min_by(|a, b| a.0.cmp(&b.0));
        match (held, made) {
            (Some(held), Some(made)) => Some(if made.0 < held.0 { made } else { held }),
            (held, made) => held.or(made),
        }
    }

    /// A generated key that was never written or deleted since.
    fn unshadowed_at_or_after(&self, generator: &Generator, from: &[u8]) -> Option<(Vec<u8>, Arc<Stored>)> {
        (generator.index_at_or_after(from)?..generator.rule.count)
            .map(|index| (generator.key(index), index))
            .find(|(key, _)| !self.keys.contains_key(key))
            .map(|(key, index)| (key, generator.content(index)))
    }
}

impl Generator {
    fn key(&self, index: u64) -> Vec<u8> {
        format!("{}{index:0DIGITS$}", self.rule.prefix).into_bytes()
    }

    fn content(&self, index: u64) -> Arc<Stored> {
        self.contents[(index % self.contents.len() as u64) as usize].clone()
    }

    fn get(&self, key: &[u8]) -> Option<Arc<Stored>> {
        let index = self.index_at_or_after(key)?;
        (self.key(index) == key).then(|| self.content(index))
    }

    /// The smallest index whose key is not below `from`.
    fn index_at_or_after(&self, from: &[u8]) -> Option<u64> {
        let prefix = self.rule.prefix.as_bytes();
        let index = match from.strip_prefix(prefix) {
            Some(rest) => digits_at_or_after(rest),
            None if from <= prefix => 0,
            None => return None,
        };
        (index < self.rule.count).then_some(index)
    }
}

/// The smallest number whose ten digits are not below `text`.
fn digits_at_or_after(text: &[u8]) -> u64 {
    let mut number = 0;
    for place in 0..DIGITS {
        let rest = 10u64.pow((DIGITS - place) as u32);
        match text.get(place) {
            None | Some(..b'0') => return number * rest,
            Some(digit @ b'0'..=b'9') => number = number * 10 + u64::from(digit - b'0'),
            Some(_) => return (number + 1) * rest,
        }
    }
    if text.len() > DIGITS { number + 1 } else { number }
}

/// The smallest string above `key`.
pub(super) fn successor(key: &[u8]) -> Vec<u8> {
    let mut next = key.to_vec();
    next.push(0);
    next
}

/// The smallest string above every string that begins with `prefix`; `None` if there is none.
pub(super) fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|&byte| byte != 0xff)?;
    let mut next = prefix[..=last].to_vec();
    next[last] += 1;
    Some(next)
}
