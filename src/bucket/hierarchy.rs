//! What is different on accounts with a hierarchical namespace: names are paths, directories are
//! entries, and a name is one thing only (`docs/semantics.md`).

use std::cmp::Reverse;

use super::Bucket;
use crate::blob::list::{BlobItem, ListBlobs};
use crate::blob::{BlobCondition, BlobRef};
use crate::object::{Error, ErrorKind, ObjectKey, Result, StoreTag};

/// Directories below one another that are cleared away for a write at the most.
const EMPTY_DIRECTORIES_MAX: usize = 1000;

/// Whether an account's names are paths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Namespace {
    #[default]
    Flat,
    Hierarchical,
}

impl Bucket {
    pub(super) fn is_hierarchical(&self) -> bool {
        self.shared.namespace == Namespace::Hierarchical
    }

    /// The name of a key's blob.
    pub(super) fn name_of<'a>(&self, key: &'a ObjectKey) -> &'a str {
        if self.is_hierarchical() { key.path_name() } else { key.as_str() }
    }

    /// The key of a blob's name; `None` for a name that is no key.
    pub(super) fn key_of(&self, name: String) -> Option<ObjectKey> {
        if self.is_hierarchical() { ObjectKey::of_path_name(name) } else { ObjectKey::new(name).ok() }
    }

    /// False for a key that the account would take for another one. A flat account refuses by itself what
    /// it cannot hold.
    pub(super) fn may_hold(&self, key: &ObjectKey) -> bool {
        !self.is_hierarchical() || key.mappable_as_path().is_ok()
    }

    /// Whether a refused write may have met a directory.
    pub(super) fn may_be_in_the_way(&self, error: &Error) -> bool {
        self.is_hierarchical() && matches!(error.kind(), ErrorKind::Obstructed | ErrorKind::Exists)
    }

    /// Makes way for a write that was refused: empty directories at the key go, since they are no
    /// objects. After success it can be written again.
    ///
    /// # Errors
    /// `refusal` if an object is there that it is about; `Obstructed` if something else stands in the way.
    pub(super) async fn clear_way(&self, key: &ObjectKey, refusal: Error) -> Result<()> {
        match self.blobs.get_properties(self.blob(key)).await {
            Ok(there) if there.is_directory => self.remove_empty(self.name_of(key), there.store_tag).await,
            Ok(_) => Err(refusal),
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ if refusal.kind() == ErrorKind::Exists => Err(refusal),
            _ => Err(Error::new(
                ErrorKind::Obstructed,
                "the account has a hierarchical namespace, and a part of the key's path is an object",
            )),
        }
    }

    /// The same before a body is sent that cannot be sent twice.
    pub(super) async fn clear_way_early(&self, key: &ObjectKey) -> Result<()> {
        if !self.is_hierarchical() {
            return Ok(());
        }
        match self.blobs.get_properties(self.blob(key)).await {
            Ok(there) if there.is_directory => self.remove_empty(self.name_of(key), there.store_tag).await,
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Says of a write in blocks that a file made through the Data Lake endpoint stands in its way.
    pub(super) fn takes_no_blocks(&self, error: Error) -> Error {
        if self.is_hierarchical() && error.kind() == ErrorKind::Unsupported { too_large_over_file() } else { error }
    }

    /// Removes a directory and those in it, if there is nothing else in them. Each goes only as the
    /// version that was seen: by now an object may have taken its place.
    async fn remove_empty(&self, name: &str, tag: StoreTag) -> Result<()> {
        let mut directories = self.directories_below(name).await?;
        directories.push((name.to_owned(), tag));
        directories.sort_by_key(|(name, _)| Reverse(name.matches('/').count()));
        for (name, tag) in &directories {
            let blob = BlobRef { container: &self.container, name };
            match self.blobs.delete_blob(blob, &BlobCondition::Match(tag.clone())).await {
                Err(error) if error.kind() == ErrorKind::Obstructed => return Err(full()),
                Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PreconditionFailed) => {}
                other => other?,
            }
        }
        Ok(())
    }

    /// All directories in a directory that holds nothing else.
    ///
    /// # Errors
    /// `Obstructed` if it does.
    async fn directories_below(&self, name: &str) -> Result<Vec<(String, StoreTag)>> {
        let prefix = format!("{name}/");
        let mut directories = Vec::new();
        let mut marker: Option<String> = None;
        loop {
            let query = ListBlobs { prefix: &prefix, marker: marker.as_deref(), ..Default::default() };
            let page = self.blobs.list_blobs(&self.container, &query).await?;
            for item in page.items {
                match item {
                    BlobItem::Blob { name, properties } if properties.is_directory => {
                        directories.push((name, properties.store_tag));
                    }
                    _ => return Err(full()),
                }
            }
            marker = page.next_marker;
            if marker.is_none() {
                return Ok(directories);
            }
            if directories.len() > EMPTY_DIRECTORIES_MAX {
                return Err(full());
            }
        }
    }
}

fn full() -> Error {
    Error::new(
        ErrorKind::Obstructed,
        "the account has a hierarchical namespace, and the key is a directory that is not empty",
    )
}

pub(super) fn too_large_over_file() -> Error {
    Error::new(
        ErrorKind::Obstructed,
        "a file written through the Data Lake endpoint is at the key, which can be replaced by at most 5000 MiB",
    )
}
