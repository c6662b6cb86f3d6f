//! Get Blob and Get Blob Properties.

use std::ops::Range;

use crate::emulator::answer::{Answer, content_length};
use crate::emulator::call::Call;
use crate::emulator::checksum::md5;
use crate::emulator::content::Content;
use crate::emulator::error::{Outcome, ServiceError};
use crate::net::Body;

pub fn get_blob(call: &Call<'_>) -> Outcome<Answer> {
    let (blob, lease) = call.read()?;
    let length = blob.content.length();
    let wanted = requested_range(call, ["x-ms-range", "range"])?;
    let hash_range = call.header("x-ms-range-get-content-md5") == Some("true");
    let Some(wanted) = wanted else {
        if hash_range {
            return Err(ServiceError::header_value("x-ms-range-get-content-md5", "true"));
        }
        let mut answer = Answer::new(200).blob(&blob, &lease, call, false)?.md5(blob.md5);
        answer.body = body(&blob.content, 0..length);
        return Ok(answer);
    };
    let range = wanted.within(length)?;
    if hash_range && range.end - range.start > RANGE_MD5_MAX {
        return Err(ServiceError::header_value("x-ms-range-get-content-md5", "true"));
    }
    let range_md5 = hash_range.then(|| md5(&blob.content.slice(range.clone())));
    let mut answer = Answer::new(206)
        .blob(&blob, &lease, call, false)?
        .with("content-range", format!("bytes {}-{}/{length}", range.start, range.end - 1))
        .with("x-ms-blob-content-md5", blob.md5.map(|md5| crate::emulator::checksum::base64(&md5)))
        .md5(range_md5);
    answer.body = body(&blob.content, range);
    Ok(answer)
}

pub fn get_properties(call: &Call<'_>) -> Outcome<Answer> {
    let (blob, lease) = call.read()?;
    let answer = Answer::new(200).blob(&blob, &lease, call, true)?.md5(blob.md5);
    Ok(content_length(answer, blob.content.length()))
}

/// Longest range whose MD5 the service computes.
const RANGE_MD5_MAX: u64 = 4 << 20;

/// `bytes=a-` or `bytes=a-b`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WantedRange {
    first: u64,
    last: Option<u64>,
}

impl WantedRange {
    /// # Errors
    /// 416 if nothing of the range is there.
    pub fn within(self, length: u64) -> Outcome<Range<u64>> {
        if self.first >= length {
            let range = format!("bytes */{length}");
            return Err(ServiceError::invalid_range().header(http::header::CONTENT_RANGE, &range));
        }
        Ok(self.first..self.last.map_or(length, |last| last.saturating_add(1).min(length)))
    }
}

/// Reads the first of the named headers that is there. There are no suffix ranges.
///
/// # Errors
/// `InvalidHeaderValue`.
pub fn requested_range(call: &Call<'_>, names: [&'static str; 2]) -> Outcome<Option<WantedRange>> {
    let Some((name, text)) = names.into_iter().find_map(|name| Some((name, call.header(name)?))) else {
        return Ok(None);
    };
    parse_range(text).map(Some).ok_or_else(|| ServiceError::header_value(name, text))
}

fn parse_range(text: &str) -> Option<WantedRange> {
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    let first = first.parse().ok()?;
    let last = if last.is_empty() { None } else { Some(last.parse().ok()?) };
    if last.is_some_and(|last| last < first) { None } else { Some(WantedRange { first, last }) }
}

/// A body that reads the content as it is sent.
fn body(content: &Content, range: Range<u64>) -> Body {
    let length = range.end - range.start;
    match content.piece(range.clone()) {
        None => Body::Empty,
        Some(whole) if whole.len() as u64 == length => Body::Full(whole),
        Some(_) => {
            let pieces = Pieces { content: content.clone(), rest: range };
            Body::Stream { length: Some(length), stream: Box::pin(futures::stream::iter(pieces)) }
        }
    }
}

struct Pieces {
    content: Content,
    rest: Range<u64>,
}

impl Iterator for Pieces {
    type Item = Result<bytes::Bytes, crate::net::body::BoxError>;

    fn next(&mut self) -> Option<Self::Item> {
        let piece = self.content.piece(self.rest.clone())?;
        self.rest.start += piece.len() as u64;
        Some(Ok(piece))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        let range = |text| parse_range(text).map(|wanted| wanted.within(10).map_err(|error| error.code));
        assert_eq!(range("bytes=0-"), Some(Ok(0..10)));
        assert_eq!(range("bytes=3-3"), Some(Ok(3..4)));
        assert_eq!(range("bytes=9-99"), Some(Ok(9..10)));
        assert_eq!(range("bytes=10-"), Some(Err("InvalidRange")));
        for bad in ["bytes=-1", "bytes=5-4", "bytes=a-", "0-1", "bytes=0-1,3-4", "bytes=99999999999999999999-"] {
            assert_eq!(range(bad), None, "{bad}");
        }
    }
}
