//! A listing of a hierarchical account: a walk of the tree in the order of S3, without the directories.
//!
//! Small trees are read by one flat list and sorted here; larger ones level by level. With the
//! delimiter `/` only one level is read, and of each directory in it one file, so that directories
//! without one are not shown; other delimiters, which these accounts do not know, are folded here.

use std::vec::IntoIter;

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, TryStreamExt};

use super::level::{Child, Level, Step};
use super::{PAGE_SLACK, PAGES_MAX, StoredEntry};
use crate::blob::list::{BlobItem, BlobPage, LIST_PAGE_MAX, ListBlobs};
use crate::bucket::Bucket;
use crate::object::listing::{ListEntry, ListPage, ListQuery};
use crate::object::{ErrorKind, ObjectKey, Result};

/// Directories of which one page is read to see whether a key is below them, for one request.
const PROBES_MAX: usize = 1000;
/// Of those at one time.
const PROBES_PARALLEL: usize = 16;
/// Entries of a directory that are read first to find a file in it.
const PROBE_ENTRIES: usize = 8;
/// Entries of a tree that are read in one go, beyond twice those wanted.
const WHOLE_SLACK: usize = 14;

/// A walk under way.
pub(super) struct Tree<'a> {
    bucket: &'a Bucket,
    query: &'a ListQuery,
    /// Only what comes after this is found.
    after: Option<String>,
    /// Nothing that begins so is found any more: it has been folded.
    folded: Option<String>,
    /// Nothing behind the folded names has been found yet: they can be jumped over.
    jump: bool,
    frames: Vec<Frame>,
    /// List requests, but for probes.
    pages: u32,
    probes: usize,
}

enum Frame {
    /// A whole tree, in order.
    Whole(IntoIter<StoredEntry>),
    Level(Box<Level>),
}

/// An entry, or a directory that is one if a key is below it.
enum Found {
    Entry(ListEntry<StoredEntry>),
    Directory(String),
}

impl<'a> Tree<'a> {
    /// A page of a listing.
    pub async fn list(bucket: &'a Bucket, query: &'a ListQuery) -> Result<ListPage<StoredEntry>> {
        let mut tree = Self::begin(bucket, query).await?;
        let mut page = ListPage { entries: Vec::new(), truncated: false };
        while page.entries.len() <= query.limit && !tree.ended() && (page.entries.is_empty() || !tree.spent()) {
            // One more than fits tells whether others follow.
            let found = tree.some(query.limit + 1 - page.entries.len(), !page.entries.is_empty()).await?;
            page.entries.extend(tree.living(found).await?);
        }
        page.truncated = page.entries.len() > query.limit || !tree.ended();
        page.entries.truncate(query.limit);
        Ok(page)
    }

    async fn begin(bucket: &'a Bucket, query: &'a ListQuery) -> Result<Self> {
        let (after, frames) = (query.after.clone(), Vec::new());
        let mut tree = Self { bucket, query, after, folded: None, jump: false, frames, pages: 0, probes: 0 };
        if tree.is_one_level() {
            let level = Level::new(query.prefix.clone(), query.after.as_deref());
            tree.frames.extend(level.map(|level| Frame::Level(Box::new(level))));
            return Ok(tree);
        }
        if let Some(folded) = query.after.as_deref().and_then(|after| query.fold(after)) {
            tree.fold_away(folded.to_owned());
        }
        tree.enter(query.prefix.clone()).await?;
        Ok(tree)
    }

    fn is_one_level(&self) -> bool {
        self.query.delimiter.as_deref() == Some("/")
    }

    fn ended(&self) -> bool {
        self.frames.is_empty()
    }

    /// Whether so much has been done for this request that what there is should be answered.
    fn spent(&self) -> bool {
        self.pages >= PAGES_MAX || self.probes >= PROBES_MAX
    }

    /// The next entries, at most `wanted`; fewer at the end, or once enough has been done and there is
    /// anything to answer (`any`: there is already).
    async fn some(&mut self, wanted: usize, any: bool) -> Result<Vec<Found>> {
        let mut found = Vec::new();
        while found.len() < wanted && !(self.spent() && (any || !found.is_empty())) {
            match self.next().await? {
                None => break,
                Some(Child::Directory(directory)) => found.push(Found::Directory(directory)),
                Some(Child::Object(entry)) => found.push(Found::Entry(self.entry(entry))),
            }
        }
        Ok(found)
    }

    /// An object as it is shown: itself, or what it is folded into.
    fn entry(&mut self, entry: StoredEntry) -> ListEntry<StoredEntry> {
        match self.query.fold(entry.listed.key.as_str()).map(str::to_owned) {
            None => ListEntry::Object(entry),
            Some(prefix) => {
                self.fold_away(prefix.clone());
                ListEntry::Prefix(prefix)
            }
        }
    }

    /// Leaves out from now on what begins with `prefix`.
    fn fold_away(&mut self, prefix: String) {
        while matches!(self.frames.last(), Some(Frame::Level(level)) if level.prefix.starts_with(&prefix)) {
            self.frames.pop();
        }
        self.after = Some(format!("{prefix}{}", super::LAST));
        self.folded = Some(prefix);
        self.jump = true;
    }

    /// The next object, or on one level also the next directory.
    async fn next(&mut self) -> Result<Option<Child>> {
        loop {
            let step = match self.frames.last_mut() {
                None => return Ok(None),
                Some(Frame::Level(level)) => level.step(),
                Some(Frame::Whole(entries)) => {
                    entries.next().map_or(Step::End, |entry| Step::Child(Child::Object(entry)))
                }
            };
            match step {
                Step::End => drop(self.frames.pop()),
                Step::Child(child) if !self.counts(&child) => {}
                Step::Child(Child::Directory(directory)) if !self.is_one_level() => {
                    self.jump = false;
                    self.enter(directory).await?;
                }
                Step::Child(child) => {
                    self.jump = false;
                    return Ok(Some(child));
                }
                Step::Fetch => self.fetch().await?,
                Step::LookFor(marker) => {
                    if let Some(entry) = self.look_for(&marker).await?.filter(|entry| self.counts(entry)) {
                        return Ok(Some(entry));
                    }
                }
            }
        }
    }

    /// Whether a child belongs to the listing, or may hold what does.
    fn counts(&self, child: &Child) -> bool {
        let text = child.text();
        let after = self.after.as_deref().unwrap_or("");
        let goes_on_within = !self.is_one_level() && matches!(child, Child::Directory(_)) && after.starts_with(text);
        text.starts_with(self.query.prefix.as_str())
            && (text > after || goes_on_within)
            && self.folded.as_deref().is_none_or(|folded| !text.starts_with(folded))
    }

    /// Goes into a tree: reads it whole if it is small.
    async fn enter(&mut self, prefix: String) -> Result<()> {
        let whole = ListBlobs {
            prefix: &prefix,
            max_results: Some((2 * self.query.limit + WHOLE_SLACK).min(LIST_PAGE_MAX)),
            include_metadata: true,
            ..Default::default()
        };
        let page = self.page(&whole).await?;
        if page.next_marker.is_some() {
            let level = Level::new(prefix, self.after.as_deref());
            self.frames.extend(level.map(|level| Frame::Level(Box::new(level))));
            return Ok(());
        }
        let objects = page.items.into_iter().filter_map(|entry| match entry {
            ListEntry::Object(stored) => Some(stored),
            ListEntry::Prefix(_) => None,
        });
        let mut objects: Vec<_> = objects.collect();
        objects.sort_by(|one, next| one.listed.key.cmp(&next.listed.key));
        self.frames.push(Frame::Whole(objects.into_iter()));
        Ok(())
    }

    /// Reads the next page of the level that is being read.
    async fn fetch(&mut self) -> Result<()> {
        self.jump_over();
        let Some(Frame::Level(level)) = self.frames.last_mut() else { return Ok(()) };
        self.pages += 1;
        let wanted = self.query.limit + PAGE_SLACK;
        let entries = match self.bucket.next_entries(&mut level.walk, Some("/"), wanted).await {
            Err(error) if error.kind() == ErrorKind::Obstructed => {
                level.walk.sections.clear();
                return Ok(());
            }
            other => other?.unwrap_or_default(),
        };
        level.extend(entries.into_iter().map(|entry| match entry {
            ListEntry::Object(stored) => Child::Object(stored),
            ListEntry::Prefix(directory) => Child::Directory(directory),
        }));
        Ok(())
    }

    /// Passes over the names that were folded, if they are in the level that is being read.
    fn jump_over(&mut self) {
        let (Some(Frame::Level(level)), Some(folded)) = (self.frames.last_mut(), &self.folded) else { return };
        let Some(rest) = folded.strip_prefix(level.prefix.as_str()).filter(|_| self.jump) else { return };
        if rest.is_empty() || rest.contains('/') {
            return;
        }
        self.jump = false;
        if let Some(behind) = Level::new(level.prefix.clone(), self.after.as_deref()) {
            **level = behind;
        }
    }

    /// The marker of the directory that is being read.
    async fn look_for(&mut self, marker: &ObjectKey) -> Result<Option<Child>> {
        if !self.bucket.may_hold(marker) {
            return Ok(None);
        }
        self.pages += 1;
        let name = self.bucket.name_of(marker).to_owned();
        match self.bucket.blobs.get_properties(self.bucket.blob(marker)).await {
            Ok(properties) => Ok(self.bucket.object_entry(name, properties.into()).map(Child::Object)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A page; a prefix below a file names nothing.
    async fn page(&mut self, request: &ListBlobs<'_>) -> Result<BlobPage<ListEntry<StoredEntry>>> {
        self.pages += 1;
        let bucket = self.bucket;
        match bucket.blobs.list_blobs_as(&bucket.container, request, |item| bucket.entry(item)).await {
            Err(error) if error.kind() == ErrorKind::Obstructed => Ok(BlobPage::default()),
            other => other,
        }
    }

    /// The entries among what was found: directories without a key below them are none.
    async fn living(&mut self, found: Vec<Found>) -> Result<Vec<ListEntry<StoredEntry>>> {
        self.probes += found.iter().filter(|found| matches!(found, Found::Directory(_))).count();
        let bucket = self.bucket;
        // Boxed, because the compiler cannot see that a closure's future is Send for every lifetime.
        let judge = |found| -> BoxFuture<'_, Result<Option<ListEntry<StoredEntry>>>> {
            async move {
                match found {
                    Found::Entry(entry) => Ok(Some(entry)),
                    Found::Directory(directory) => {
                        Ok(bucket.holds_key(&directory).await?.then_some(ListEntry::Prefix(directory)))
                    }
                }
            }
            .boxed()
        };
        let judged: Vec<_> = found.into_iter().map(judge).collect();
        let living = futures::stream::iter(judged).buffered(PROBES_PARALLEL);
        living.try_filter_map(|entry| std::future::ready(Ok(entry))).try_collect().await
    }
}

impl Bucket {
    /// Whether a key is below a directory, named with its slash.
    async fn holds_key(&self, directory: &str) -> Result<bool> {
        let mut marker: Option<String> = None;
        let mut entries = PROBE_ENTRIES;
        loop {
            let query = ListBlobs {
                prefix: directory,
                marker: marker.as_deref(),
                max_results: Some(entries),
                ..Default::default()
            };
            let page = match self.blobs.list_blobs(&self.container, &query).await {
                Err(error) if error.kind() == ErrorKind::Obstructed => return Ok(false),
                other => other?,
            };
            let is_file =
                |item: &BlobItem| matches!(item, BlobItem::Blob { properties, .. } if !properties.is_directory);
            if page.items.iter().any(is_file) {
                return Ok(true);
            }
            marker = page.next_marker;
            if marker.is_none() {
                return Ok(false);
            }
            entries = LIST_PAGE_MAX;
        }
    }
}
