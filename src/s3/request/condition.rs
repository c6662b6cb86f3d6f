//! Conditions of reads and writes.

use http::header::{IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_UNMODIFIED_SINCE};
use http::{HeaderMap, HeaderName};

use crate::object::condition::TagList;
use crate::object::{DeleteCondition, ReadCondition, Timestamp, WriteCondition};
use crate::s3::error::{Result, S3Code, S3Error};
use crate::s3::header;

use super::attributes::text;
use super::invalid;

/// Conditions of a GET or HEAD.
pub fn read(headers: &HeaderMap) -> Result<ReadCondition> {
    of(headers, [&IF_MATCH, &IF_NONE_MATCH, &IF_MODIFIED_SINCE, &IF_UNMODIFIED_SINCE])
}

/// Conditions on the source of a copy.
pub fn copy_source(headers: &HeaderMap) -> Result<ReadCondition> {
    of(
        headers,
        [
            &header::COPY_SOURCE_IF_MATCH,
            &header::COPY_SOURCE_IF_NONE_MATCH,
            &header::COPY_SOURCE_IF_MODIFIED_SINCE,
            &header::COPY_SOURCE_IF_UNMODIFIED_SINCE,
        ],
    )
}

/// The condition of a write. What S3 does not evaluate on writes is refused: a condition that is
/// ignored is a write that should not have happened.
pub fn write(headers: &HeaderMap) -> Result<WriteCondition> {
    if headers.contains_key(IF_UNMODIFIED_SINCE)
        || headers.contains_key(&header::IF_MATCH_LAST_MODIFIED_TIME)
        || headers.contains_key(&header::IF_MATCH_SIZE)
    {
        return Err(not_implemented());
    }
    match (tags(headers, &IF_MATCH)?, tags(headers, &IF_NONE_MATCH)?) {
        (None, None) => Ok(WriteCondition::None),
        (None, Some(TagList::Any)) => Ok(WriteCondition::Absent),
        (Some(list), None) => Ok(WriteCondition::Match(list)),
        (_, Some(_)) => Err(not_implemented()),
    }
}

/// The condition of a delete. Time and size S3 evaluates in directory buckets only; here they mean the
/// same in every bucket.
pub fn delete(headers: &HeaderMap) -> Result<DeleteCondition> {
    if headers.contains_key(IF_UNMODIFIED_SINCE) || headers.contains_key(IF_NONE_MATCH) {
        return Err(not_implemented());
    }
    let last_modified = match text(headers, &header::IF_MATCH_LAST_MODIFIED_TIME)? {
        None => None,
        Some(text) => Some(
            Timestamp::parse_http(text)
                .or_else(|| Timestamp::parse_iso8601(text))
                .ok_or_else(|| invalid("x-amz-if-match-last-modified-time", "The time is not valid."))?,
        ),
    };
    let size = match text(headers, &header::IF_MATCH_SIZE)? {
        None => None,
        Some(text) => Some(byte_count(text).ok_or_else(|| invalid("x-amz-if-match-size", "The size is not valid."))?),
    };
    Ok(DeleteCondition { etag: tags(headers, &IF_MATCH)?, last_modified, size })
}

/// A number of bytes, without a sign.
pub fn byte_count(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

fn of(headers: &HeaderMap, names: [&HeaderName; 4]) -> Result<ReadCondition> {
    let [if_match, if_none_match, if_modified_since, if_unmodified_since] = names;
    Ok(ReadCondition {
        if_match: tags(headers, if_match)?,
        if_none_match: tags(headers, if_none_match)?,
        if_modified_since: time(headers, if_modified_since),
        if_unmodified_since: time(headers, if_unmodified_since),
    })
}

fn tags(headers: &HeaderMap, name: &HeaderName) -> Result<Option<TagList>> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(_), Some(_)) => Err(S3Error::new(S3Code::InvalidArgument, "A condition was given more than once.")),
        _ => Ok(text(headers, name)?.map(TagList::parse)),
    }
}

/// A date that cannot be read is no condition (RFC 9110 section 13.1.3).
fn time(headers: &HeaderMap, name: &HeaderName) -> Option<Timestamp> {
    headers.get(name).and_then(|value| value.to_str().ok()).and_then(Timestamp::parse_http)
}

fn not_implemented() -> S3Error {
    S3Error::new(S3Code::NotImplemented, "A header you provided implies functionality that is not implemented")
}
