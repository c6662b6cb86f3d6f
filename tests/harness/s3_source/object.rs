//! An object as a test describes it, and as the server stores it.

use std::time::Duration;

use bytes::Bytes;
use md5::{Digest as _, Md5};

use super::content::Content;
use crate::harness::hash::{self, Algorithm, Running};

/// What to store under a key.
#[derive(Clone, Debug)]
pub struct Object {
    content: Content,
    etag: EtagKind,
    /// `content-type` and its like, shown as they are.
    headers: Vec<(String, String)>,
    metadata: Vec<(String, String)>,
    tags: Vec<(String, String)>,
    checksums: Vec<ChecksumKind>,
    storage_class: String,
    archived: bool,
    customer_key: bool,
    kms: bool,
    last_modified: Option<Duration>,
}

/// How the ETag comes about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EtagKind {
    Md5,
    /// `md5(md5s)-N` over parts of these sizes, the last one taking the rest.
    Multipart {
        part_size: u64,
    },
    Parts(Vec<u64>),
    /// 32 hex digits that are not the MD5, as with SSE-KMS.
    NoMd5,
    Given(String),
}

#[derive(Clone, Debug)]
enum ChecksumKind {
    Full(Algorithm),
    Composite(Algorithm),
    Given { algorithm: Algorithm, value: String, composite: bool },
}

/// A checksum as shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    pub algorithm: Algorithm,
    pub value: String,
    pub composite: bool,
}

/// An object with everything worked out.
#[derive(Clone, Debug)]
pub struct Stored {
    pub content: Content,
    /// Without quotes.
    pub etag: String,
    pub size: u64,
    pub part_sizes: Vec<u64>,
    pub headers: Vec<(String, String)>,
    pub metadata: Vec<(String, String)>,
    pub tags: Vec<(String, String)>,
    pub checksums: Vec<Shown>,
    pub storage_class: String,
    pub archived: bool,
    pub customer_key: bool,
    pub kms: bool,
    /// Time since the epoch; shown by the second.
    pub last_modified: Duration,
}

impl Object {
    pub fn new(content: Content) -> Self {
        Self {
            content,
            etag: EtagKind::Md5,
            headers: vec![("content-type".into(), "binary/octet-stream".into())],
            metadata: Vec::new(),
            tags: Vec::new(),
            checksums: Vec::new(),
            storage_class: "STANDARD".into(),
            archived: false,
            customer_key: false,
            kms: false,
            last_modified: None,
        }
    }

    pub fn bytes(bytes: impl Into<Bytes>) -> Self {
        Self::new(Content::Held(bytes.into()))
    }

    pub fn synthetic(seed: u64, length: u64) -> Self {
        Self::new(Content::Synthetic { seed, length })
    }

    /// Uploaded in parts of one size: the ETag is `md5(md5s)-N`.
    pub fn multipart(self, part_size: u64) -> Self {
        Self { etag: EtagKind::Multipart { part_size }, ..self }
    }

    pub fn parts(self, sizes: &[u64]) -> Self {
        Self { etag: EtagKind::Parts(sizes.into()), ..self }
    }

    /// An ETag that says nothing about the bytes (and costs no hashing).
    pub fn etag(self, etag: &str) -> Self {
        Self { etag: EtagKind::Given(etag.into()), ..self }
    }

    /// SSE-KMS: 32 hex digits that are not the MD5.
    pub fn kms(self) -> Self {
        Self { etag: EtagKind::NoMd5, kms: true, ..self }
    }

    /// SSE-C: every read without the key is a 400.
    pub fn customer_key(self) -> Self {
        Self { customer_key: true, ..self }
    }

    /// Archived: listed, but GET answers 403 InvalidObjectState.
    pub fn archived(self, storage_class: &str) -> Self {
        Self { storage_class: storage_class.into(), archived: true, ..self }
    }

    pub fn storage_class(self, storage_class: &str) -> Self {
        Self { storage_class: storage_class.into(), ..self }
    }

    /// Sets a content header such as `content-type`.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(have, _)| !have.eq_ignore_ascii_case(name));
        self.headers.push((name.to_ascii_lowercase(), value.into()));
        self
    }

    /// Adds user metadata; the name without `x-amz-meta-`.
    pub fn metadata(mut self, name: &str, value: &str) -> Self {
        self.metadata.push((name.to_ascii_lowercase(), value.into()));
        self
    }

    pub fn tag(mut self, name: &str, value: &str) -> Self {
        self.tags.push((name.into(), value.into()));
        self
    }

    /// A true full-object checksum.
    pub fn checksum(mut self, algorithm: Algorithm) -> Self {
        self.checksums.push(ChecksumKind::Full(algorithm));
        self
    }

    /// A true checksum over the checksums of the parts.
    pub fn composite_checksum(mut self, algorithm: Algorithm) -> Self {
        self.checksums.push(ChecksumKind::Composite(algorithm));
        self
    }

    /// A checksum that may be wrong.
    pub fn checksum_given(mut self, algorithm: Algorithm, value: &str, composite: bool) -> Self {
        self.checksums.push(ChecksumKind::Given { algorithm, value: value.into(), composite });
        self
    }

    /// Shows this time instead of the clock's.
    pub fn last_modified(self, since_epoch: Duration) -> Self {
        Self { last_modified: Some(since_epoch), ..self }
    }

    pub(super) fn tags(self, tags: Vec<(String, String)>) -> Self {
        Self { tags, ..self }
    }

    /// Headers and all of this one on other bytes.
    pub(super) fn with_content(&self, content: Content, etag: EtagKind) -> Self {
        Self { content, etag, ..self.clone() }
    }

    pub(super) fn resolve(self, now: Duration) -> Stored {
        let part_sizes = self.part_sizes();
        Stored {
            etag: self.make_etag(&part_sizes),
            checksums: self.checksums.iter().map(|kind| kind.resolve(&self.content, &part_sizes)).collect(),
            size: self.content.len(),
            content: self.content,
            part_sizes,
            headers: self.headers,
            metadata: self.metadata,
            tags: self.tags,
            storage_class: self.storage_class,
            archived: self.archived,
            customer_key: self.customer_key,
            kms: self.kms,
            last_modified: self.last_modified.unwrap_or(now),
        }
    }

    fn part_sizes(&self) -> Vec<u64> {
        let length = self.content.len();
        match &self.etag {
            EtagKind::Parts(sizes) => {
                assert_eq!(sizes.iter().sum::<u64>(), length, "the parts do not add up to the object");
                sizes.clone()
            }
            EtagKind::Multipart { part_size } => {
                let mut sizes = vec![*part_size; (length / part_size) as usize];
                if !length.is_multiple_of(*part_size) || sizes.is_empty() {
                    sizes.push(length % part_size);
                }
                sizes
            }
            EtagKind::Md5 | EtagKind::NoMd5 | EtagKind::Given(_) => Vec::new(),
        }
    }

    fn make_etag(&self, part_sizes: &[u64]) -> String {
        match &self.etag {
            EtagKind::Given(etag) => etag.clone(),
            EtagKind::Md5 => hash::hex(&md5_of(&self.content, 0, self.content.len())),
            EtagKind::NoMd5 => {
                let mut other = md5_of(&self.content, 0, self.content.len()).to_vec();
                other.extend_from_slice(&super::super::sequence::next().to_be_bytes());
                hash::hex(&hash::md5(&other))
            }
            EtagKind::Multipart { .. } | EtagKind::Parts(_) => {
                let mut digests = Vec::new();
                for (offset, size) in spans(part_sizes) {
                    digests.extend_from_slice(&md5_of(&self.content, offset, size));
                }
                format!("{}-{}", hash::hex(&hash::md5(&digests)), part_sizes.len())
            }
        }
    }
}

impl<B: Into<Bytes>> From<B> for Object {
    fn from(bytes: B) -> Self {
        Self::bytes(bytes)
    }
}

impl ChecksumKind {
    fn resolve(&self, content: &Content, part_sizes: &[u64]) -> Shown {
        match self {
            Self::Given { algorithm, value, composite } => {
                Shown { algorithm: *algorithm, value: value.clone(), composite: *composite }
            }
            Self::Full(algorithm) => {
                let value = hash::base64(&checksum_of(*algorithm, content, 0, content.len()));
                Shown { algorithm: *algorithm, value, composite: false }
            }
            Self::Composite(algorithm) => {
                let mut values = Vec::new();
                for (offset, size) in spans(part_sizes) {
                    values.extend_from_slice(&checksum_of(*algorithm, content, offset, size));
                }
                let value = format!("{}-{}", hash::checksum(*algorithm, &values), part_sizes.len());
                Shown { algorithm: *algorithm, value, composite: true }
            }
        }
    }
}

/// Offset and size of each part.
fn spans(sizes: &[u64]) -> impl Iterator<Item = (u64, u64)> + '_ {
    sizes.iter().scan(0, |offset, &size| {
        let start = *offset;
        *offset += size;
        Some((start, size))
    })
}

fn md5_of(content: &Content, offset: u64, length: u64) -> [u8; 16] {
    let mut digest = Md5::new();
    walk(content, offset, length, |piece| digest.update(piece));
    digest.finalize().into()
}

fn checksum_of(algorithm: Algorithm, content: &Content, offset: u64, length: u64) -> Vec<u8> {
    let mut running = Running::new(algorithm);
    walk(content, offset, length, |piece| running.update(piece));
    running.finish()
}

fn walk(content: &Content, mut offset: u64, mut length: u64, mut take: impl FnMut(&[u8])) {
    while length > 0 {
        let piece = content.read(offset, super::content::PIECE.min(length as usize));
        take(&piece);
        offset += piece.len() as u64;
        length -= piece.len() as u64;
    }
}
