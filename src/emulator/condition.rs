//! Conditional headers and their verdicts.

use std::time::SystemTime;

use http::HeaderMap;

use super::error::{Outcome, ServiceError};
use super::store::Blob;

/// The conditions of a request on its own blob.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Conditions {
    matches: Option<Tags>,
    none_match: Option<Tags>,
    modified_since: Option<SystemTime>,
    unmodified_since: Option<SystemTime>,
    /// A condition on index tags, which no blob here has.
    if_tags: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Tags {
    Any,
    /// ETags without quotes.
    These(Vec<String>),
}

impl Conditions {
    /// # Errors
    /// `InvalidHeaderValue` for a date that is none.
    pub fn of_request(headers: &HeaderMap) -> Outcome<Self> {
        Self::parse(headers, ["if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "x-ms-if-tags"])
    }

    /// The conditions on a copy source.
    pub fn of_source(headers: &HeaderMap) -> Outcome<Self> {
        Self::parse(
            headers,
            [
                "x-ms-source-if-match",
                "x-ms-source-if-none-match",
                "x-ms-source-if-modified-since",
                "x-ms-source-if-unmodified-since",
                "x-ms-source-if-tags",
            ],
        )
    }

    fn parse(headers: &HeaderMap, names: [&'static str; 5]) -> Outcome<Self> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let time = |name| match text(name) {
            None => Ok(None),
            Some(date) => httpdate::parse_http_date(date).map(Some).map_err(|_| ServiceError::header_value(name, date)),
        };
        let [matches, none_match, modified, unmodified, tags] = names;
        Ok(Self {
            matches: text(matches).map(Tags::parse),
            none_match: text(none_match).map(Tags::parse),
            modified_since: time(modified)?,
            unmodified_since: time(unmodified)?,
            if_tags: headers.contains_key(tags),
        })
    }

    /// Judges a read of `blob`.
    ///
    /// # Errors
    /// 412, or 304 if the reader has it already, or 400 for `If-None-Match: *`.
    pub fn check_read(&self, blob: &Blob) -> Outcome<()> {
        if self.none_match == Some(Tags::Any) {
            return Err(ServiceError::unsatisfiable_condition());
        }
        match self.verdict(blob) {
            Verdict::Met => Ok(()),
            Verdict::Changed | Verdict::OtherTag => Err(ServiceError::condition_not_met()),
            Verdict::SameTag | Verdict::Unchanged => Err(ServiceError::new(
                304,
                "ConditionNotMet",
                "The condition specified using HTTP conditional header(s) is not met.",
            )),
        }
    }

    /// Judges a write over `blob`. `lease_held`: the request names the active lease, which switches
    /// `If-None-Match: *` off. `from_url`: a copy, which words an unmet If-Match differently.
    ///
    /// # Errors
    /// 409 `BlobAlreadyExists`, 412 otherwise.
    pub fn check_write(&self, blob: Option<&Blob>, lease_held: bool, from_url: bool) -> Outcome<()> {
        let Some(blob) = blob else {
            let unmet = self.matches.is_some() || self.if_tags;
            return if unmet { Err(ServiceError::condition_not_met()) } else { Ok(()) };
        };
        if self.none_match == Some(Tags::Any) && !lease_held {
            return Err(ServiceError::blob_already_exists());
        }
        match self.verdict(blob) {
            Verdict::Met => Ok(()),
            Verdict::OtherTag if from_url => Err(ServiceError::target_condition_not_met()),
            Verdict::SameTag if self.none_match == Some(Tags::Any) => Ok(()),
            _ => Err(ServiceError::condition_not_met()),
        }
    }

    pub fn verdict(&self, blob: &Blob) -> Verdict {
        let etag = blob.etag.to_string();
        // Last-Modified is compared as it is shown, in whole seconds.
        let modified = whole_seconds(blob.modified);
        if self.if_tags || self.matches.as_ref().is_some_and(|tags| !tags.hold(&etag)) {
            return Verdict::OtherTag;
        }
        if self.unmodified_since.is_some_and(|since| modified > since) {
            return Verdict::Changed;
        }
        let same_tag = self.none_match.as_ref().map(|tags| tags.hold(&etag));
        let unchanged = self.modified_since.map(|since| modified <= since);
        match (same_tag, unchanged) {
            (Some(true), None | Some(true)) => Verdict::SameTag,
            (None, Some(true)) => Verdict::Unchanged,
            _ => Verdict::Met,
        }
    }
}

/// Which condition a blob does not meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Met,
    /// If-Match, or a condition on tags.
    OtherTag,
    /// If-Unmodified-Since.
    Changed,
    /// If-None-Match.
    SameTag,
    /// If-Modified-Since.
    Unchanged,
}

impl Tags {
    fn parse(text: &str) -> Self {
        if text.trim() == "*" {
            return Self::Any;
        }
        let bare = |tag: &str| tag.trim().trim_start_matches("W/").trim_matches('"').to_owned();
        Self::These(text.split(',').map(bare).collect())
    }

    fn hold(&self, etag: &str) -> bool {
        match self {
            Self::Any => true,
            Self::These(tags) => tags.iter().any(|tag| tag == etag),
        }
    }
}

fn whole_seconds(time: SystemTime) -> SystemTime {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(since.as_secs())
}
