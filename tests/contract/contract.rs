//! What every Blob service has to do, run against each that there is. Where one is known to be wrong
//! it is named as a [`Quirk`], and its wrong behaviour is asserted: the day it is mended shows.

pub mod azurite;
mod blobs;
mod blocks;
mod conditions;
mod containers;
mod copies;
mod listing;
mod names;
mod ranges;

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};

use bluebucket::blob::list::{BlobItem, BlobPage, LIST_PAGE_MAX, ListBlobs};
use bluebucket::blob::{BlobClient, BlobRef, MetadataPairs};
use bluebucket::object::body::collect;
use bluebucket::object::{ByteStream, ContainerName, Error, ErrorKind, Result};
use bytes::Bytes;

/// A service under test.
#[derive(Clone, Copy, Debug)]
pub struct Backend {
    pub name: &'static str,
    pub quirks: &'static [Quirk],
}

/// A known departure from the real service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quirk {
    /// Put Blob From URL is not there.
    NoPutBlobFromUrl,
    /// Put Block From URL refuses the bearer token of its source.
    NoBearerCopySource,
    /// Put Blob leaves the staged blocks of its blob alone.
    PutBlobKeepsStagedBlocks,
    /// A block without bytes is taken.
    EmptyBlockTaken,
    /// Names of any length are taken.
    NoNameLimit,
    /// Names that are too long are refused with InvalidInput in the place of OutOfRangeInput (the real
    /// service: Azure/Azurite#398).
    LongNameByAnotherCode,
    /// Metadata of any size is taken.
    NoMetadataLimit,
    /// The name of a deleted container is free at once.
    NoContainerDeletionDelay,
}

/// One case's surroundings: a container of its own.
#[derive(Clone)]
pub struct Case {
    pub client: BlobClient,
    pub backend: Backend,
    pub container: ContainerName,
}

impl Case {
    pub fn blob<'a>(&'a self, name: &'a str) -> BlobRef<'a> {
        BlobRef { container: &self.container, name }
    }

    pub fn has(&self, quirk: Quirk) -> bool {
        self.backend.quirks.contains(&quirk)
    }

    pub async fn put(&self, name: &str, content: &'static str) -> bluebucket::blob::Written {
        let payload = Bytes::from_static(content.as_bytes()).into();
        self.client.put_blob(self.blob(name), payload, Default::default()).await.expect("a plain put")
    }

    pub async fn read(&self, name: &str) -> Result<Bytes> {
        use bluebucket::blob::get_blob::ReadRange;
        let download = self.client.get_blob(self.blob(name), ReadRange::All, &Default::default()).await?;
        collect(download.body, 1 << 30).await
    }

    /// Every entry of a listing; pages may be short or empty.
    pub async fn list(&self, query: ListBlobs<'_>) -> Vec<BlobItem> {
        let mut all = Vec::new();
        let mut marker: Option<String> = None;
        loop {
            let query = ListBlobs { marker: marker.as_deref(), ..query.clone() };
            let BlobPage { items, next_marker, .. } =
                self.client.list_blobs(&self.container, &query).await.expect("a page");
            assert!(items.len() <= query.max_results.unwrap_or(LIST_PAGE_MAX));
            all.extend(items);
            match next_marker {
                Some(next) => marker = Some(next),
                None => return all,
            }
        }
    }
}

type Run = fn(Case) -> Pin<Box<dyn Future<Output = ()> + Send>>;

/// Names a module's cases.
macro_rules! cases {
    ($($case:ident),+ $(,)?) => {
        pub const CASES: &[(&str, super::Run)] =
            &[$((concat!(module_path!(), "::", stringify!($case)), |case| Box::pin($case(case)))),+];
    };
}
use cases;

/// Runs every case and panics with the list of those that failed.
pub async fn run(client: &BlobClient, backend: Backend) {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let groups = [
        blobs::CASES,
        blocks::CASES,
        conditions::CASES,
        containers::CASES,
        copies::CASES,
        listing::CASES,
        names::CASES,
        ranges::CASES,
    ];
    let mut running = Vec::new();
    for &(name, run) in groups.into_iter().flatten() {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let container = ContainerName::new(&format!("contract-{}-{number}", std::process::id())).expect("a name");
        client.create_container(&container).await.expect("a container for the case");
        let case = Case { client: client.clone(), backend, container };
        running.push((name, tokio::spawn(run(case))));
    }
    let total = running.len();
    let mut failed = Vec::new();
    for (name, case) in running {
        if case.await.is_err() {
            failed.push(name);
        }
    }
    assert!(failed.is_empty(), "{}: {} of {total} cases failed: {failed:#?}", backend.name, failed.len());
    println!("{}: {total} cases passed", backend.name);
}

/// The kind of the error that a call has to give.
#[track_caller]
pub fn kind<T>(result: Result<T>) -> ErrorKind {
    match result {
        Ok(_) => panic!("succeeded where it has to fail"),
        Err(error) => error.kind(),
    }
}

/// A stream of pieces, the last of which may be an error.
pub fn stream(pieces: Vec<Result<Bytes>>) -> ByteStream {
    Box::pin(futures::stream::iter(pieces))
}

pub fn error(kind: ErrorKind) -> Error {
    Error::new(kind, "given by the test")
}

pub fn pairs(pairs: &[(&str, &str)]) -> MetadataPairs {
    pairs.iter().map(|&(name, value)| (name.into(), value.to_owned())).collect()
}
