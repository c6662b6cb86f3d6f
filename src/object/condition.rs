//! S3's conditional requests, judged on what S3 clients are shown.

use super::{ETag, Timestamp};

/// An `If-Match` or `If-None-Match` header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TagList {
    /// `*`
    Any,
    Tags(Vec<ETag>),
}

impl TagList {
    /// Reads a header value; ETags may be quoted, unquoted or weak.
    pub fn parse(header: &str) -> Self {
        let header = header.trim();
        if header == "*" {
            return Self::Any;
        }
        Self::Tags(header.split(',').map(ETag::parse).collect())
    }

    /// Whether the list names `etag` (`*` names every existing object).
    pub fn names(&self, etag: &ETag) -> bool {
        match self {
            Self::Any => true,
            Self::Tags(tags) => tags.contains(etag) || tags.iter().any(|tag| tag.as_str() == "*"),
        }
    }
}

/// Conditions of a GET or HEAD, and of the source of a copy (RFC 9110 section 13).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadCondition {
    pub if_match: Option<TagList>,
    pub if_none_match: Option<TagList>,
    pub if_modified_since: Option<Timestamp>,
    pub if_unmodified_since: Option<Timestamp>,
}

/// What a read condition says of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Proceed,
    /// 304
    NotModified,
    /// 412
    Failed,
}

impl ReadCondition {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Judges the conditions in the order of RFC 9110 section 13.2.2: an ETag condition makes the
    /// time condition of the same direction moot, as S3 documents for GetObject.
    pub fn judge(&self, etag: &ETag, last_modified: Timestamp) -> Verdict {
        match (&self.if_match, self.if_unmodified_since) {
            (Some(list), _) if !list.names(etag) => return Verdict::Failed,
            (None, Some(time)) if last_modified > time => return Verdict::Failed,
            _ => {}
        }
        match (&self.if_none_match, self.if_modified_since) {
            (Some(list), _) if list.names(etag) => Verdict::NotModified,
            (None, Some(time)) if last_modified <= time => Verdict::NotModified,
            _ => Verdict::Proceed,
        }
    }
}

/// Condition of a write on the object it replaces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum WriteCondition {
    #[default]
    None,
    /// `If-None-Match: *`: only if there is no object.
    Absent,
    /// `If-Match`: only if the object has one of these ETags (`*`: if there is one).
    Match(TagList),
}

/// Condition of a delete on the object it removes: all that is given has to hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeleteCondition {
    pub etag: Option<TagList>,
    /// `x-amz-if-match-last-modified-time`, to the second.
    pub last_modified: Option<Timestamp>,
    /// `x-amz-if-match-size`, in bytes.
    pub size: Option<u64>,
}

impl DeleteCondition {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether an object may be deleted.
    pub fn holds(&self, etag: &ETag, last_modified: Timestamp, size: u64) -> bool {
        self.etag.as_ref().is_none_or(|list| list.names(etag))
            && self.last_modified.is_none_or(|time| time == last_modified)
            && self.size.is_none_or(|asked| asked == size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts() {
        let etag = ETag::parse("abc");
        let at = Timestamp(1_000);
        let (earlier, later) = (Some(Timestamp(999)), Some(Timestamp(1_001)));
        let hit = Some(TagList::parse("\"x\", \"abc\""));
        let miss = Some(TagList::parse("x"));
        let any = Some(TagList::parse("*"));
        let read = |if_match: &Option<TagList>, if_none_match: &Option<TagList>, modified, unmodified| ReadCondition {
            if_match: if_match.clone(),
            if_none_match: if_none_match.clone(),
            if_modified_since: modified,
            if_unmodified_since: unmodified,
        };
        let no = &None;
        for (condition, expected) in [
            (read(no, no, None, None), Verdict::Proceed),
            (read(&hit, no, None, None), Verdict::Proceed),
            (read(&any, no, None, None), Verdict::Proceed),
            (read(&miss, no, None, None), Verdict::Failed),
            (read(no, &hit, None, None), Verdict::NotModified),
            (read(no, &any, None, None), Verdict::NotModified),
            (read(no, &miss, None, None), Verdict::Proceed),
            (read(no, no, earlier, None), Verdict::Proceed),
            (read(no, no, Some(at), None), Verdict::NotModified),
            (read(no, no, later, None), Verdict::NotModified),
            (read(no, no, None, earlier), Verdict::Failed),
            (read(no, no, None, Some(at)), Verdict::Proceed),
            // An ETag that matches outweighs a time condition that does not hold (GetObject).
            (read(&hit, no, None, earlier), Verdict::Proceed),
            (read(no, &hit, earlier, None), Verdict::NotModified),
            (read(no, &miss, later, None), Verdict::Proceed),
            (read(&miss, &hit, None, None), Verdict::Failed),
        ] {
            assert_eq!(condition.judge(&etag, at), expected, "{condition:?}");
        }
    }
}
