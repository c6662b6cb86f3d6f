//! GetObject, with resume.

use bytes::Bytes;
use futures::{Stream, StreamExt};
use http::{HeaderMap, Method, StatusCode};

use super::client::{Call, SourceClient, key_path, pair, push_query, request_id};
use super::error::Subject;
use super::header;
use super::meta::{SourceMeta, content_range};
use super::stats::SourceStats;
use crate::net::{BodyError, PooledBody};
use crate::object::{BucketName, ByteStream, ETag, Error, ErrorKind, Result, Span};
use crate::telemetry::SourceOperation;

/// What to read of an object.
#[derive(Clone, Debug, Default)]
pub struct GetSource {
    /// Only this content; `PreconditionFailed` if it is no longer there.
    pub if_match: Option<ETag>,
    /// Only these bytes; bytes beyond the object's end are left out.
    pub range: Option<Span>,
    pub version_id: Option<String>,
    /// Ask for the checksums stored with the object.
    pub checksum_mode: bool,
}

/// An object being read.
pub struct SourceDownload {
    pub meta: SourceMeta,
    /// The bytes that the body holds; `None` for an empty body.
    pub span: Option<Span>,
    /// Exactly the bytes of the span, or an error.
    pub body: ByteStream,
}

/// Times that a body is taken up again without a single byte gained in between.
const RESUMES_MAX: u32 = 4;

impl SourceClient {
    /// Reads an object or a part of it. A body that breaks off is resumed from the byte reached,
    /// pinned to the object's ETag, so that one read never mixes two versions.
    ///
    /// # Errors
    /// `NotFound`, `ContainerMissing`, `PreconditionFailed`, `RangeUnsatisfiable`, `Archived`,
    /// `Unsupported` (the object is encrypted with its owner's key), and the common kinds.
    pub async fn get_object(&self, bucket: &BucketName, key: &str, get: &GetSource) -> Result<SourceDownload> {
        let answer = self.send(&call(bucket, key, get)?).await?;
        let (head, body) = answer.into_parts();
        let meta = SourceMeta::parse(head.status, &head.headers)?;
        let span = answered_span(head.status, &head.headers, &meta, get.range)?;
        if get.if_match.as_ref().is_some_and(|etag| *etag != meta.etag) {
            return Err(corrupt(&head.headers, "the source answered another version than asked for"));
        }
        let span_length = span.map_or(0, Span::length);
        if body.length_left() != Some(span_length) {
            return Err(corrupt(&head.headers, "the length of the body is not that of its range"));
        }
        let pinned = GetSource {
            if_match: Some(meta.etag.clone()),
            version_id: get.version_id.clone().or_else(|| meta.version_id.clone()),
            range: span,
            checksum_mode: false,
        };
        let reading =
            Reading { source: self.clone(), bucket: bucket.clone(), key: key.to_owned(), pinned, body, stalls: 0 };
        Ok(SourceDownload { meta, span, body: Box::pin(reading.stream()) })
    }
}

fn call<'a>(bucket: &'a BucketName, key: &str, get: &GetSource) -> Result<Call<'a>> {
    let mut headers = Vec::with_capacity(3);
    if let Some(etag) = &get.if_match {
        headers.push(pair("if-match", &etag.quoted())?);
    }
    if let Some(span) = get.range {
        headers.push(pair("range", &span.header())?);
    }
    if get.checksum_mode {
        headers.push(pair(header::CHECKSUM_MODE, "ENABLED")?);
    }
    let mut query = String::new();
    if let Some(version) = &get.version_id {
        push_query(&mut query, "versionId", version);
    }
    Ok(Call {
        operation: SourceOperation::GetObject,
        method: Method::GET,
        bucket,
        path: key_path(key),
        query,
        headers,
        subject: Subject::Object,
    })
}

/// The bytes that an answer holds, checked against those asked for.
fn answered_span(
    status: StatusCode,
    headers: &HeaderMap,
    meta: &SourceMeta,
    asked: Option<Span>,
) -> Result<Option<Span>> {
    let whole = (meta.size > 0).then_some(Span { start: 0, end: meta.size });
    match (asked, status) {
        (None, StatusCode::OK) => Ok(whole),
        // A source may answer a range that covers everything with the whole object.
        (Some(asked), StatusCode::OK) if asked.start == 0 && asked.end >= meta.size => Ok(whole),
        (Some(asked), StatusCode::PARTIAL_CONTENT) => {
            let span = content_range(headers).map(|(span, _)| span);
            let expected = Span { start: asked.start, end: asked.end.min(meta.size) };
            if span == Some(expected) {
                Ok(span)
            } else {
                Err(corrupt(headers, "the source answered another range than asked for"))
            }
        }
        _ => Err(corrupt(headers, "the source answered a range where none was asked for, or none where one was")),
    }
}

/// A body on its way: `pinned.range` is what is still to come.
struct Reading {
    source: SourceClient,
    bucket: BucketName,
    key: String,
    pinned: GetSource,
    body: PooledBody,
    stalls: u32,
}

impl Reading {
    fn stream(self) -> impl Stream<Item = Result<Bytes>> + Send {
        futures::stream::unfold(Some(self), |reading| async move {
            let mut reading = reading?;
            match reading.next().await {
                Ok(Some(bytes)) => Some((Ok(bytes), Some(reading))),
                Ok(None) => None,
                Err(error) => Some((Err(error), None)),
            }
        })
    }

    /// The next bytes; `None` once every byte of the range has come.
    async fn next(&mut self) -> Result<Option<Bytes>> {
        while let Some(left) = self.pinned.range {
            let broken = match self.body.next().await {
                Some(Ok(bytes)) if bytes.is_empty() => continue,
                Some(Ok(bytes)) => return self.advance(left, bytes).map(Some),
                Some(Err(error)) => Some(error),
                None => None,
            };
            self.resume(broken).await?;
        }
        Ok(None)
    }

    fn advance(&mut self, left: Span, bytes: Bytes) -> Result<Bytes> {
        let start = left.start + bytes.len() as u64;
        if start > left.end {
            return Err(Error::new(ErrorKind::Corrupt, "the source sent more than it announced"));
        }
        self.pinned.range = (start < left.end).then_some(Span { start, ..left });
        self.stalls = 0;
        Ok(bytes)
    }

    /// Asks for the rest. Waiting between tries is left to the request's own backoff.
    async fn resume(&mut self, broken: Option<BodyError>) -> Result<()> {
        self.stalls += 1;
        if self.stalls > RESUMES_MAX {
            let error = Error::new(ErrorKind::Unavailable, format!("reading {}/{} broke off", self.bucket, self.key));
            return Err(match broken {
                Some(broken) => error.with_source(broken),
                None => error,
            });
        }
        SourceStats::count(&self.source.stats().resumed);
        let answer = self.source.send(&call(&self.bucket, &self.key, &self.pinned)?).await?;
        let (head, body) = answer.into_parts();
        let meta = SourceMeta::parse(head.status, &head.headers)?;
        let span = answered_span(head.status, &head.headers, &meta, self.pinned.range)?;
        let same = self.pinned.if_match.as_ref() == Some(&meta.etag) && span == self.pinned.range;
        if !same || body.length_left() != span.map(Span::length) {
            return Err(corrupt(&head.headers, "the source answered another version or range on resume"));
        }
        self.body = body;
        Ok(())
    }
}

fn corrupt(headers: &HeaderMap, what: &str) -> Error {
    let id = request_id(headers).unwrap_or_default();
    Error::new(ErrorKind::Corrupt, if id.is_empty() { what.to_owned() } else { format!("{what} (request id {id})") })
}
