//! One directory of a hierarchical account: what is in it, in the order of S3.
//!
//! A directory `A` comes before its siblings `A-B` in the order of the tree, but its keys begin with
//! `A/` and come behind those of `A-B`: it waits until a sibling shows that none of them is left.

use std::collections::VecDeque;

use super::{Order, StoredEntry, Walk};
use crate::object::ObjectKey;

/// What is in a directory.
pub(super) enum Child {
    Object(StoredEntry),
    /// A directory, with the slash at its end.
    Directory(String),
}

/// What a level needs or has next.
pub(super) enum Step {
    Child(Child),
    /// The next page of the level.
    Fetch,
    /// Whether the marker of the directory itself is there, which comes first.
    LookFor(ObjectKey),
    End,
}

/// The names of a directory that begin with `prefix`.
pub(super) struct Level {
    pub prefix: String,
    /// What of the account's listing is still to be read.
    pub walk: Walk,
    ready: VecDeque<Child>,
    /// Directories that come behind names that may not have been read yet, the next one last.
    waiting: Vec<String>,
    /// The directory's own marker, as long as it is not known whether it is there.
    marker: Option<ObjectKey>,
}

impl Level {
    /// What comes after `after` of the level; `None` if nothing does.
    pub fn new(prefix: String, after: Option<&str>) -> Option<Self> {
        let after = after.filter(|after| *after >= prefix.as_str());
        let mut level = match after {
            None => Self::from(prefix, None),
            Some(after) if !after.starts_with(&prefix) => return None,
            Some(after) => Self::resume(prefix, after),
        };
        // The key that is the prefix itself has come already if the listing goes on after anything here.
        if after.is_none() && level.prefix.ends_with('/') {
            level.marker = ObjectKey::new(level.prefix.as_str()).ok();
        }
        Some(level)
    }

    fn from(prefix: String, start: Option<&str>) -> Self {
        let walk = Walk::of(&prefix, start, Order::Level);
        Self { prefix, walk, ready: VecDeque::new(), waiting: Vec::new(), marker: None }
    }

    /// The account's listing goes on at the name within the level. Directories whose name is a beginning
    /// of it have passed there, and are yet to come here.
    fn resume(prefix: String, after: &str) -> Self {
        let rest = after.get(prefix.len()..).unwrap_or_default();
        let end = rest.find('/').map_or(after.len(), |at| prefix.len() + at);
        let name = after.get(..end).unwrap_or(after);
        let begins = prefix.rfind('/').map_or(0, |at| at + 1);
        let behind = name
            .char_indices()
            .filter(|&(at, character)| at >= prefix.len() && at > begins && character < '/')
            .filter_map(|(at, _)| Some(format!("{}/", name.get(..at)?)));
        let waiting = behind.collect();
        Self { waiting, ..Self::from(prefix, Some(name)) }
    }

    /// Adds what a page of the account's listing holds, in its order.
    pub fn extend(&mut self, children: impl IntoIterator<Item = Child>) {
        self.ready.extend(children);
    }

    /// What comes next, as far as it is known.
    pub fn step(&mut self) -> Step {
        loop {
            let Some(next) = self.ready.front() else {
                if !self.walk.sections.is_empty() {
                    return Step::Fetch;
                }
                return self.waiting.pop().map_or(Step::End, |directory| Step::Child(Child::Directory(directory)));
            };
            let own = self.prefix.ends_with('/') && next.text() == self.prefix;
            match self.marker.take() {
                // It came first, where its place is.
                None if own => {
                    self.ready.pop_front();
                    continue;
                }
                Some(marker) if !own && next.text() < marker.path_name() => return Step::LookFor(marker),
                _ => {}
            }
            if self.waiting.last().is_some_and(|waiting| waiting.as_str() < next.text()) {
                return self.waiting.pop().map_or(Step::End, |directory| Step::Child(Child::Directory(directory)));
            }
            match self.ready.pop_front() {
                Some(Child::Directory(directory)) => self.waiting.push(directory),
                Some(object) => return Step::Child(object),
                None => {}
            }
        }
    }
}

impl Child {
    pub fn text(&self) -> &str {
        match self {
            Self::Object(entry) => entry.listed.key.as_str(),
            Self::Directory(name) => name,
        }
    }
}
