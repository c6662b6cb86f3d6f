//! Joins two listings in S3 order: what the source has, and what lies at the same key on Blob.
//!
//! Each side is listed ahead by a page in the background, so the memory is that of a few pages
//! whatever the bucket holds. A listing that is not strictly ascending is refused: a merge of it
//! would leave out keys without a word.

use std::collections::VecDeque;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::BucketClients;
use crate::migration::StoredEntry;
use crate::object::listing::{ListEntry, ListQuery};
use crate::object::{Error, ErrorKind, Result};
use crate::source::{SourceList, SourceObject};

/// Which keys: those that begin with `prefix`, come after `after`, and not after `through`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slice {
    pub prefix: String,
    pub after: Option<String>,
    pub through: Option<String>,
}

/// A step of the join.
#[derive(Debug)]
pub enum Pair {
    /// An object of the source, and what lies at its key.
    Source(SourceObject, Option<StoredEntry>),
    /// A blob whose key the source does not have.
    Extra(StoredEntry),
}

/// The join of two sides. Every step is safe to cancel.
pub struct Merge<S = SourceObject, B = StoredEntry> {
    source: Side<S>,
    stored: Side<B>,
}

/// An entry of a listing.
pub trait Keyed {
    fn key(&self) -> &str;
}

impl Keyed for SourceObject {
    fn key(&self) -> &str {
        &self.key
    }
}

impl Keyed for StoredEntry {
    fn key(&self) -> &str {
        self.listed.key.as_str()
    }
}

/// Entries of the first page of the Blob listing. Pages grow from here, since a listing cannot be told
/// where to end, and what it shows beyond a short range is read for nothing.
const STORED_PAGE_FIRST: usize = 1000;
/// Entries of a page of the Blob listing: the service's maximum, less those that the bucket adds.
const STORED_PAGE_MAX: usize = 4990;
/// Pages in a row without an entry after which a listing is taken to go round in circles.
const EMPTY_PAGES_MAX: u32 = 1000;

impl Merge {
    /// Begins to list both sides of `slice`.
    pub fn begin(clients: &BucketClients, slice: Slice) -> Self {
        let source = list_source(clients, &slice);
        let stored = list_stored(clients, &slice);
        Self {
            source: Side::new("the source", source, slice.clone()),
            stored: Side::new("the container", stored, slice),
        }
    }

    /// The next key of either side; `None` at the end of the slice.
    ///
    /// # Errors
    /// `Corrupt` if a listing is out of order, and those of the clients.
    pub async fn next(&mut self) -> Result<Option<Pair>> {
        Ok(self.step().await?.map(|(source, stored)| match (source, stored) {
            (Some(source), stored) => Pair::Source(source, stored),
            (None, Some(stored)) => Pair::Extra(stored),
            (None, None) => unreachable!("a step has an entry"),
        }))
    }
}

impl<S: Keyed, B: Keyed> Merge<S, B> {
    async fn step(&mut self) -> Result<Option<(Option<S>, Option<B>)>> {
        self.source.fill().await?;
        self.stored.fill().await?;
        let step = match (self.source.peek(), self.stored.peek()) {
            (None, None) => return Ok(None),
            (Some(source), Some(stored)) => match source.cmp(stored) {
                std::cmp::Ordering::Less => (self.source.pop(), None),
                std::cmp::Ordering::Equal => (self.source.pop(), self.stored.pop()),
                std::cmp::Ordering::Greater => (None, self.stored.pop()),
            },
            (Some(_), None) => (self.source.pop(), None),
            (None, Some(_)) => (None, self.stored.pop()),
        };
        Ok(Some(step))
    }
}

/// One side: pages as they come, checked.
struct Side<T> {
    name: &'static str,
    pages: Pages<T>,
    slice: Slice,
    page: VecDeque<T>,
    /// The last key that was let through.
    last: Option<String>,
    ended: bool,
}

/// Pages that a task lists ahead, and `None` behind the last; the task ends with this.
pub struct Pages<T> {
    receiver: mpsc::Receiver<Result<Option<Vec<T>>>>,
    task: JoinHandle<()>,
}

impl<T> Drop for Pages<T> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl<T: Keyed> Side<T> {
    fn new(name: &'static str, pages: Pages<T>, slice: Slice) -> Self {
        let last = slice.after.clone();
        Self { name, pages, slice, page: VecDeque::new(), last, ended: false }
    }

    /// Makes sure that there is an entry, unless the slice has ended.
    async fn fill(&mut self) -> Result<()> {
        while self.page.is_empty() && !self.ended {
            match self.pages.receiver.recv().await {
                Some(page) => match page? {
                    Some(page) => self.take(page)?,
                    None => self.ended = true,
                },
                // Not the end of the listing, but of the task: to take one for the other would lose keys.
                None => return Err(Error::new(ErrorKind::Unexpected, "a listing broke off")),
            }
        }
        Ok(())
    }

    fn take(&mut self, page: Vec<T>) -> Result<()> {
        for entry in page {
            let key = entry.key();
            if self.last.as_deref().is_some_and(|last| key <= last) {
                return Err(self.out_of_order(key));
            }
            if !key.starts_with(self.slice.prefix.as_str()) {
                return Err(Error::new(
                    ErrorKind::Corrupt,
                    format!("the listing of {} holds {key:?}, which has not the prefix asked for", self.name),
                ));
            }
            if self.slice.through.as_deref().is_some_and(|through| key > through) {
                self.ended = true;
                return Ok(());
            }
            self.last = Some(key.to_owned());
            self.page.push_back(entry);
        }
        Ok(())
    }

    fn out_of_order(&self, key: &str) -> Error {
        let last = self.last.as_deref().unwrap_or_default();
        Error::new(
            ErrorKind::Corrupt,
            format!(
                "the listing of {} is not sorted: {key:?} came after {last:?}; keys could be missed, so nothing more is copied from it",
                self.name
            ),
        )
    }

    fn peek(&self) -> Option<&str> {
        self.page.front().map(Keyed::key)
    }

    fn pop(&mut self) -> Option<T> {
        self.page.pop_front()
    }
}

impl<T: Send + 'static> Pages<T> {
    /// Runs `list` ahead by one page.
    fn ahead<F>(list: impl FnOnce(mpsc::Sender<Result<Option<Vec<T>>>>) -> F) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (sender, receiver) = mpsc::channel(1);
        Self { receiver, task: tokio::spawn(list(sender)) }
    }
}

/// Pages of the source's listing, tokens checked.
pub(super) fn list_source(clients: &BucketClients, slice: &Slice) -> Pages<SourceObject> {
    let (source, bucket, through) = (clients.source.clone(), clients.source_bucket.clone(), slice.through.clone());
    let mut list =
        SourceList { prefix: slice.prefix.clone(), start_after: slice.after.clone(), ..SourceList::default() };
    Pages::ahead(move |sender| async move {
        let mut empty = 0;
        loop {
            let page = match source.list_objects(&bucket, &list).await {
                Ok(page) => page,
                // Tokens may expire; where the last page ended is known.
                Err(error) if error.kind() == ErrorKind::Invalid && list.continuation_token.is_some() => {
                    tracing::warn!(%error, "continuation token was refused, the listing goes on after its last key");
                    list.continuation_token = None;
                    continue;
                }
                Err(error) => return drop(sender.send(Err(error.context(format!("list bucket {bucket}")))).await),
            };
            match page.objects.last() {
                Some(last) => list.start_after = Some(last.key.clone()),
                None => empty += 1,
            }
            let more = page.truncated && !passed(page.objects.last(), through.as_deref());
            let next = page.next_token.filter(|_| more);
            let repeats = (next.is_some() && next == list.continuation_token) || empty > EMPTY_PAGES_MAX;
            if sender.send(Ok(Some(page.objects))).await.is_err() {
                return;
            }
            match next {
                _ if repeats => return drop(sender.send(Err(circles("the source"))).await),
                Some(token) => list.continuation_token = Some(token),
                None => return drop(sender.send(Ok(None)).await),
            }
        }
    })
}

/// Pages of the bucket on Blob.
pub(super) fn list_stored(clients: &BucketClients, slice: &Slice) -> Pages<StoredEntry> {
    let (bucket, through) = (clients.importer.bucket().clone(), slice.through.clone());
    let mut query = ListQuery {
        prefix: slice.prefix.clone(),
        after: slice.after.clone(),
        limit: STORED_PAGE_FIRST,
        ..ListQuery::default()
    };
    Pages::ahead(move |sender| async move {
        let mut empty = 0;
        loop {
            let page = match bucket.list_stored(&query).await {
                Ok(page) => page,
                Err(error) => {
                    return drop(
                        sender.send(Err(error.context(format!("list container {}", bucket.container())))).await,
                    );
                }
            };
            let entries: Vec<_> = page.entries.into_iter().filter_map(object).collect();
            match entries.last() {
                Some(last) => query.after = Some(last.key().to_owned()),
                None => empty += 1,
            }
            let more = page.truncated && !passed(entries.last(), through.as_deref());
            query.limit = (query.limit * 2).min(STORED_PAGE_MAX);
            if sender.send(Ok(Some(entries))).await.is_err() {
                return;
            }
            if !more {
                return drop(sender.send(Ok(None)).await);
            }
            if empty > EMPTY_PAGES_MAX {
                return drop(sender.send(Err(circles("the container"))).await);
            }
        }
    })
}

/// Whether a page that ends with `last` has passed the end of the slice, so that the next one is not needed.
fn passed(last: Option<&impl Keyed>, through: Option<&str>) -> bool {
    last.zip(through).is_some_and(|(last, through)| last.key() >= through)
}

fn object(entry: ListEntry<StoredEntry>) -> Option<StoredEntry> {
    match entry {
        ListEntry::Object(entry) => Some(entry),
        ListEntry::Prefix(_) => None,
    }
}

fn circles(name: &str) -> Error {
    Error::new(
        ErrorKind::Corrupt,
        format!("the listing of {name} goes round in circles: it repeats its token or never ends"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    impl Keyed for String {
        fn key(&self) -> &str {
            self
        }
    }

    fn side(pages: Vec<Vec<&str>>, slice: &Slice) -> Side<String> {
        let pages: Vec<Vec<String>> =
            pages.into_iter().map(|page| page.into_iter().map(str::to_owned).collect()).collect();
        let pages = Pages::ahead(|sender| async move {
            for page in pages {
                if sender.send(Ok(Some(page))).await.is_err() {
                    return;
                }
            }
            let _ = sender.send(Ok(None)).await;
        });
        Side::new("a test", pages, slice.clone())
    }

    async fn join(a: Vec<Vec<&str>>, b: Vec<Vec<&str>>, slice: Slice) -> Result<Vec<(Option<String>, Option<String>)>> {
        let mut merge = Merge { source: side(a, &slice), stored: side(b, &slice) };
        let mut steps = Vec::new();
        while let Some(step) = merge.step().await? {
            steps.push(step);
        }
        Ok(steps)
    }

    #[tokio::test]
    async fn pairs_extras_and_bounds() {
        let slice = Slice { after: Some("a".into()), through: Some("e".into()), ..Slice::default() };
        let steps = join(vec![vec!["b", "c"], vec![], vec!["e", "f"]], vec![vec!["c"], vec!["d", "z"]], slice).await;
        let steps: Vec<_> = steps.unwrap();
        let steps: Vec<_> = steps.iter().map(|(a, b)| (a.as_deref(), b.as_deref())).collect();
        assert_eq!(steps, [(Some("b"), None), (Some("c"), Some("c")), (None, Some("d")), (Some("e"), None)]);
    }

    #[tokio::test]
    async fn disorder_is_refused() {
        for pages in [vec![vec!["b", "a"]], vec![vec!["a", "b"], vec!["a", "b"]], vec![vec!["a", "a"]]] {
            let error = join(pages, vec![], Slice::default()).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Corrupt);
            assert!(error.to_string().contains("not sorted"), "{error}");
        }
        let slice = Slice { after: Some("b".into()), ..Slice::default() };
        assert!(join(vec![vec!["b"]], vec![], slice).await.is_err(), "the bound is exclusive");
        let slice = Slice { prefix: "p/".into(), ..Slice::default() };
        assert!(join(vec![vec!["q"]], vec![], slice).await.is_err());
    }

    #[tokio::test]
    async fn a_listing_that_breaks_off_is_not_its_end() {
        let broken = Pages::ahead(|sender| async move {
            let _ = sender.send(Ok(Some(vec!["a".to_owned()]))).await;
        });
        let slice = Slice::default();
        let mut merge = Merge { source: Side::new("a test", broken, slice.clone()), stored: side(vec![], &slice) };
        assert!(merge.step().await.unwrap().is_some());
        assert!(merge.step().await.is_err());
    }

    proptest! {
        #[test]
        fn every_key_once(a in proptest::collection::btree_set("[a-c]{1,3}", 0..20), b in proptest::collection::btree_set("[a-c]{1,3}", 0..20), page in 1..5_usize) {
            let cut = |keys: &std::collections::BTreeSet<String>| {
                let keys: Vec<_> = keys.iter().cloned().collect();
                keys.chunks(page).map(<[String]>::to_vec).collect::<Vec<_>>()
            };
            let (pages_a, pages_b) = (cut(&a), cut(&b));
            fn borrowed(pages: &[Vec<String>]) -> Vec<Vec<&str>> {
                pages.iter().map(|page| page.iter().map(String::as_str).collect()).collect()
            }
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let steps = runtime.block_on(join(borrowed(&pages_a), borrowed(&pages_b), Slice::default())).unwrap();
            let expected: Vec<_> = a.union(&b).map(|key| (a.get(key).cloned(), b.get(key).cloned())).collect();
            prop_assert_eq!(steps, expected);
        }
    }
}
