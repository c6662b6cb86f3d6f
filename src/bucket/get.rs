//! GET and HEAD: one call to Azure, two for a part, and for a suffix of an object that was not seen lately.

use super::block_ids::StagedPart;
use super::{Bucket, StoredObject, codec};
use crate::blob::BlobCondition;
use crate::blob::get_blob::{Download, ReadRange};
use crate::blob::get_block_list::BlockListKind;
use crate::object::condition::Verdict;
use crate::object::range::Unsatisfiable;
use crate::object::{
    ByteRange, ByteStream, Checksum, Error, ErrorKind, Hasher, ObjectBody, ObjectHead, ObjectKey, ObjectMeta,
    ObjectPart, OutOfRange, Read, ReadRequest, Result, Selection, Span, StoreTag,
};

/// Reads that start again because the object changed between two calls.
const TRIES_MAX: u32 = 5;

impl Bucket {
    /// Reads an object or a part of it.
    ///
    /// # Errors
    /// `NotFound`, `PreconditionFailed`, `RangeUnsatisfiable` with [`OutOfRange`] as its source, and those
    /// of the Blob client.
    pub async fn get(&self, key: &ObjectKey, request: &ReadRequest) -> Result<Read<ObjectBody>> {
        if !self.may_hold(key) {
            return Err(no_object(key));
        }
        let range = match request.selection {
            Selection::All => ReadRange::All,
            Selection::Range(ByteRange::From { first }) => ReadRange::From(first),
            Selection::Range(ByteRange::Inclusive { first, last }) => {
                ReadRange::Span(Span { start: first, end: last.saturating_add(1) })
            }
            Selection::Range(ByteRange::Suffix { .. }) | Selection::Part(_) => {
                return Box::pin(self.get_located(key, request)).await;
            }
        };
        let download = match self.blobs.get_blob(self.blob(key), range, &BlobCondition::None).await {
            // The conditions come before the range, and the client is told how long the object is.
            Err(error) if error.kind() == ErrorKind::RangeUnsatisfiable => {
                return Box::pin(self.get_located(key, request)).await;
            }
            other => other?,
        };
        self.received(key, request, download)
    }

    /// A suffix in one call, where the length of the object was seen lately; `None` where it was not, or where
    /// the object is another by now.
    async fn get_suffix_of_seen(
        &self,
        key: &ObjectKey,
        suffix: ByteRange,
        request: &ReadRequest,
    ) -> Result<Option<Read<ObjectBody>>> {
        let Some(seen) = self.shared.lengths.of(&self.container, self.name_of(key)) else { return Ok(None) };
        let Ok(span) = suffix.resolve(seen.length) else { return Ok(None) };
        match self.blobs.get_blob(self.blob(key), ReadRange::Span(span), &BlobCondition::Match(seen.tag)).await {
            Ok(download) => self.received(key, request, download).map(Some),
            Err(error) if error.kind() == ErrorKind::PreconditionFailed => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What the account has sent, as the client sees it.
    fn received(&self, key: &ObjectKey, request: &ReadRequest, download: Download) -> Result<Read<ObjectBody>> {
        let Download { properties, span, body } = download;
        if properties.is_directory {
            return Err(no_object(key));
        }
        let object = codec::stored_object(properties, self.container.as_str(), self.name_of(key));
        self.note_length(key, &object.store_tag, object.meta.size);
        let whole = matches!(request.selection, Selection::All);
        let span = if whole { None } else { span };
        let head = ObjectHead { span, parts: None, part_checksum: None, meta: object.meta };
        answer(request, ObjectBody { head, body })
    }

    /// Reads the head of an object, with the span that a GET would answer.
    ///
    /// # Errors
    /// As [`Bucket::get`].
    pub async fn head(&self, key: &ObjectKey, request: &ReadRequest) -> Result<Read<ObjectHead>> {
        let object = self.look(key).await?.ok_or_else(|| no_object(key))?;
        match judge(request, &object.meta)? {
            Verdict::NotModified => Ok(Read::NotModified(Box::new(object.meta))),
            _ => {
                let located = Box::pin(self.locate(key, request.selection, &object)).await?;
                Ok(Read::Object(located.head(object.meta)))
            }
        }
    }

    /// The parts of a multipart object, in order, and what it is all part of; no parts of any other.
    ///
    /// # Errors
    /// `NotFound`, and those of the Blob client.
    pub async fn parts(&self, key: &ObjectKey) -> Result<(ObjectMeta, Vec<ObjectPart>)> {
        let object = self.look(key).await?.ok_or_else(|| no_object(key))?;
        let parts = match &object.upload_id {
            Some(_) => self.parts_of(key, &object).await?,
            None => Vec::new(),
        };
        Ok((object.meta, parts))
    }

    /// A read that has to know the object before it can say which bytes to ask for.
    async fn get_located(&self, key: &ObjectKey, request: &ReadRequest) -> Result<Read<ObjectBody>> {
        if let Selection::Range(suffix @ ByteRange::Suffix { .. }) = request.selection
            && let Some(read) = self.get_suffix_of_seen(key, suffix, request).await?
        {
            return Ok(read);
        }
        for _ in 0..TRIES_MAX {
            let object = self.look(key).await?.ok_or_else(|| no_object(key))?;
            if judge(request, &object.meta)? == Verdict::NotModified {
                return Ok(Read::NotModified(Box::new(object.meta)));
            }
            let located = Box::pin(self.locate(key, request.selection, &object)).await?;
            let body = match located.span {
                Some(span) if span.length() == 0 => empty(),
                span => match self.read_version(key, span, &object.store_tag).await {
                    Err(error) if changed_meanwhile(&error) => continue,
                    other => other?,
                },
            };
            return Ok(Read::Object(ObjectBody { head: located.head(object.meta), body }));
        }
        Err(Error::new(ErrorKind::Unavailable, format!("object {key} changes faster than it can be read")))
    }

    pub(super) async fn read_version(
        &self,
        key: &ObjectKey,
        span: Option<Span>,
        version: &StoreTag,
    ) -> Result<ByteStream> {
        let range = span.map_or(ReadRange::All, ReadRange::Span);
        let download = self.blobs.get_blob(self.blob(key), range, &BlobCondition::Match(version.clone())).await?;
        Ok(download.body)
    }

    /// The bytes that a selection means.
    async fn locate(&self, key: &ObjectKey, selection: Selection, object: &StoredObject) -> Result<Located> {
        let size = object.meta.size;
        match selection {
            Selection::All => Ok(Located::default()),
            Selection::Range(range) => {
                let span = range.resolve(size).map_err(|Unsatisfiable| OutOfRange { size, parts: None })?;
                Ok(Located { span: Some(span), ..Located::default() })
            }
            Selection::Part(number) => {
                let parts = self.parts_of(key, object).await?;
                let count = parts.len() as u32;
                let index = usize::try_from(number).unwrap_or(usize::MAX).checked_sub(1);
                let part = index.and_then(|index| parts.into_iter().nth(index));
                let part = part.ok_or(OutOfRange { size, parts: Some(count) })?;
                Ok(Located {
                    span: Some(part.span),
                    parts: object.upload_id.is_some().then_some(count),
                    part_checksum: part.checksum,
                })
            }
        }
    }

    /// The bytes of each part: from the block list of a multipart result, else one part.
    async fn parts_of(&self, key: &ObjectKey, object: &StoredObject) -> Result<Vec<ObjectPart>> {
        let whole = || vec![ObjectPart { span: Span { start: 0, end: object.meta.size }, checksum: None }];
        if object.upload_id.is_none() {
            return Ok(whole());
        }
        let list = self.blobs.get_block_list(self.blob(key), BlockListKind::Committed).await?;
        if list.store_tag.as_ref() != Some(&object.store_tag) {
            return Err(Error::new(ErrorKind::Unavailable, format!("object {key} changed while it was read")));
        }
        if list.committed.is_empty() && object.meta.size > 0 {
            // Put together elsewhere and copied as a whole.
            return Ok(whole());
        }
        let algorithm = object.meta.checksums.first().map(|checksum| checksum.algorithm);
        let mut parts: Vec<(u16, ObjectPart)> = Vec::new();
        let mut at = 0;
        for block in &list.committed {
            let Some(staged) = StagedPart::parse(&block.id) else { return Ok(whole()) };
            let end = at + block.length;
            match parts.last_mut() {
                Some((number, part)) if *number == staged.part => part.span.end = end,
                _ => {
                    let checksum = algorithm.and_then(|algorithm| staged.checksum.of(algorithm));
                    parts.push((staged.part, ObjectPart { span: Span { start: at, end }, checksum }));
                }
            }
            at = end;
        }
        let mut parts: Vec<_> = parts.into_iter().map(|(_, part)| part).collect();
        // A part of no bytes has no block; only the last one may have none.
        if object.meta.etag.parts().is_some_and(|count| count as usize == parts.len() + 1) {
            let checksum = algorithm.map(|algorithm| Hasher::new(algorithm).finish());
            parts.push(ObjectPart { span: Span { start: at, end: at }, checksum });
        }
        Ok(if parts.is_empty() { whole() } else { parts })
    }
}

/// Where the bytes lie that a selection means; all of the object if there is no span.
#[derive(Default)]
struct Located {
    span: Option<Span>,
    parts: Option<u32>,
    part_checksum: Option<Checksum>,
}

impl Located {
    fn head(self, meta: ObjectMeta) -> ObjectHead {
        ObjectHead { meta, span: self.span, parts: self.parts, part_checksum: self.part_checksum }
    }
}

fn answer(request: &ReadRequest, object: ObjectBody) -> Result<Read<ObjectBody>> {
    match judge(request, &object.head.meta)? {
        Verdict::NotModified => Ok(Read::NotModified(Box::new(object.head.meta))),
        _ => Ok(Read::Object(object)),
    }
}

fn judge(request: &ReadRequest, meta: &ObjectMeta) -> Result<Verdict> {
    match request.condition.judge(&meta.etag, meta.last_modified) {
        Verdict::Failed => Err(Error::new(ErrorKind::PreconditionFailed, "a condition of the read does not hold")),
        verdict => Ok(verdict),
    }
}

/// True where the blob is not the version any more that was looked at.
pub(super) fn changed_meanwhile(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::PreconditionFailed | ErrorKind::NotFound)
}

pub(super) fn no_object(key: &ObjectKey) -> Error {
    Error::new(ErrorKind::NotFound, format!("there is no object {key}"))
}

fn empty() -> ByteStream {
    Box::pin(futures::stream::empty())
}
