//! GET and HEAD: one call to Azure, two for a suffix range or a part.

use super::block_ids::StagedPart;
use super::{Bucket, StoredObject, codec};
use crate::blob::BlobCondition;
use crate::blob::get_blob::{Download, ReadRange};
use crate::blob::get_block_list::BlockListKind;
use crate::object::condition::Verdict;
use crate::object::range::Unsatisfiable;
use crate::object::{
    ByteRange, ByteStream, Error, ErrorKind, ObjectBody, ObjectHead, ObjectKey, Read, ReadRequest, Result, Selection,
    Span, StoreTag,
};

/// Reads that start again because the object changed between two calls.
const TRIES_MAX: u32 = 5;

impl Bucket {
    /// Reads an object or a part of it.
    ///
    /// # Errors
    /// `NotFound`, `PreconditionFailed`, `RangeUnsatisfiable`, and those of the Blob client.
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
            Err(error) if error.kind() == ErrorKind::RangeUnsatisfiable => {
                return Box::pin(self.refuse_range(key, request, error)).await;
            }
            other => other?,
        };
        let Download { properties, span, body } = download;
        if properties.is_directory {
            return Err(no_object(key));
        }
        let object = codec::stored_object(properties, self.container.as_str(), self.name_of(key));
        let whole = matches!(request.selection, Selection::All);
        let head = ObjectHead { span: if whole { None } else { span }, parts: None, meta: object.meta };
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
                let (span, parts) = Box::pin(self.locate(key, request.selection, &object)).await?;
                Ok(Read::Object(ObjectHead { meta: object.meta, span, parts }))
            }
        }
    }

    /// A read that has to know the object before it can say which bytes to ask for.
    async fn get_located(&self, key: &ObjectKey, request: &ReadRequest) -> Result<Read<ObjectBody>> {
        for _ in 0..TRIES_MAX {
            let object = self.look(key).await?.ok_or_else(|| no_object(key))?;
            if judge(request, &object.meta)? == Verdict::NotModified {
                return Ok(Read::NotModified(Box::new(object.meta)));
            }
            let (span, parts) = Box::pin(self.locate(key, request.selection, &object)).await?;
            let body = match span {
                Some(span) if span.length() == 0 => empty(),
                _ => match self.read_version(key, span, &object.store_tag).await {
                    Err(error) if changed_meanwhile(&error) => continue,
                    other => other?,
                },
            };
            return Ok(Read::Object(ObjectBody { head: ObjectHead { meta: object.meta, span, parts }, body }));
        }
        Err(Error::new(ErrorKind::Unavailable, format!("object {key} changes faster than it can be read")))
    }

    async fn read_version(&self, key: &ObjectKey, span: Option<Span>, version: &StoreTag) -> Result<ByteStream> {
        let range = span.map_or(ReadRange::All, ReadRange::Span);
        let download = self.blobs.get_blob(self.blob(key), range, &BlobCondition::Match(version.clone())).await?;
        Ok(download.body)
    }

    /// The bytes that a selection means, and the number of parts where one was asked for.
    async fn locate(
        &self,
        key: &ObjectKey,
        selection: Selection,
        object: &StoredObject,
    ) -> Result<(Option<Span>, Option<u32>)> {
        let size = object.meta.size;
        match selection {
            Selection::All => Ok((None, None)),
            Selection::Range(range) => {
                let span = range.resolve(size).map_err(|Unsatisfiable| unsatisfiable(key))?;
                Ok((Some(span), None))
            }
            Selection::Part(number) => {
                let spans = self.part_spans(key, object).await?;
                let index = usize::try_from(number).unwrap_or(usize::MAX).checked_sub(1);
                let span = index.and_then(|index| spans.get(index)).ok_or_else(|| {
                    Error::new(ErrorKind::RangeUnsatisfiable, format!("object {key} has no part {number}"))
                })?;
                let parts = object.upload_id.is_some().then_some(spans.len() as u32);
                Ok((Some(*span), parts))
            }
        }
    }

    /// The bytes of each part: from the block list of a multipart result, else one part.
    async fn part_spans(&self, key: &ObjectKey, object: &StoredObject) -> Result<Vec<Span>> {
        let whole = vec![Span { start: 0, end: object.meta.size }];
        if object.upload_id.is_none() {
            return Ok(whole);
        }
        let list = self.blobs.get_block_list(self.blob(key), BlockListKind::Committed).await?;
        if list.store_tag.as_ref() != Some(&object.store_tag) {
            return Err(Error::new(ErrorKind::Unavailable, format!("object {key} changed while it was read")));
        }
        let mut spans: Vec<(u16, Span)> = Vec::new();
        let mut at = 0;
        for block in &list.committed {
            let Some(staged) = StagedPart::parse(&block.id) else { return Ok(whole) };
            let end = at + block.length;
            match spans.last_mut() {
                Some((part, span)) if *part == staged.part => span.end = end,
                _ => spans.push((staged.part, Span { start: at, end })),
            }
            at = end;
        }
        Ok(if spans.is_empty() { whole } else { spans.into_iter().map(|(_, span)| span).collect() })
    }

    /// A range that the object does not have: its conditions are judged first all the same.
    async fn refuse_range(&self, key: &ObjectKey, request: &ReadRequest, error: Error) -> Result<Read<ObjectBody>> {
        // A directory of a hierarchical account has no range, and is no object.
        if request.condition.is_empty() && !self.is_hierarchical() {
            return Err(error);
        }
        let object = self.look(key).await?.ok_or_else(|| no_object(key))?;
        match judge(request, &object.meta)? {
            Verdict::NotModified => Ok(Read::NotModified(Box::new(object.meta))),
            _ => Err(error),
        }
    }
}

fn answer(request: &ReadRequest, object: ObjectBody) -> Result<Read<ObjectBody>> {
    match judge(request, &object.head.meta)? {
        Verdict::NotModified => Ok(Read::NotModified(Box::new(object.head.meta))),
        _ => Ok(Read::Object(object)),
    }
}

fn judge(request: &ReadRequest, meta: &crate::object::ObjectMeta) -> Result<Verdict> {
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

fn unsatisfiable(key: &ObjectKey) -> Error {
    Error::new(ErrorKind::RangeUnsatisfiable, format!("object {key} does not have the range"))
}

fn empty() -> ByteStream {
    Box::pin(futures::stream::empty())
}
