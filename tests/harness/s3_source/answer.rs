//! Answers, S3 errors and XML text.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use super::object::Stored;

/// An answer before faults and framing.
#[derive(Debug)]
pub(super) struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Body,
}

#[derive(Clone, Debug)]
pub(super) enum Body {
    Text(String),
    /// Bytes of an object.
    Slice {
        stored: Arc<Stored>,
        offset: u64,
        length: u64,
    },
}

impl Body {
    pub fn len(&self) -> u64 {
        match self {
            Self::Text(text) => text.len() as u64,
            Self::Slice { length, .. } => *length,
        }
    }
}

impl Answer {
    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Body::Text(String::new()) }
    }

    pub fn xml(status: u16, root: &str) -> Self {
        let text = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{root}");
        Self { status, headers: vec![("Content-Type".into(), "application/xml".into())], body: Body::Text(text) }
    }

    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}

/// An error answer.
#[derive(Clone, Debug)]
pub(super) struct S3Error {
    pub status: u16,
    pub code: &'static str,
    pub message: String,
    pub headers: Vec<(String, String)>,
}

impl S3Error {
    pub fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), headers: Vec::new() }
    }

    pub fn no_such_bucket() -> Self {
        Self::new(404, "NoSuchBucket", "The specified bucket does not exist")
    }

    pub fn no_such_key() -> Self {
        Self::new(404, "NoSuchKey", "The specified key does not exist.")
    }

    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "InvalidArgument", message)
    }

    pub fn precondition() -> Self {
        Self::new(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
    }

    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub fn answer(self, resource: &str) -> Answer {
        if self.status == 304 {
            return Answer { headers: self.headers, ..Answer::empty(304) };
        }
        let root = format!(
            "<Error><Code>{}</Code><Message>{}</Message><Resource>{}</Resource><RequestId>TEST</RequestId></Error>",
            self.code,
            escape(&self.message),
            escape(resource)
        );
        let mut answer = Answer::xml(self.status, &root);
        answer.headers.extend(self.headers);
        answer
    }
}

/// Text for XML; control characters as S3 writes them, even those XML 1.0 does not allow.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => escaped.push_str(&format!("&#x{:x};", u32::from(character))),
            _ => escaped.push(character),
        }
    }
    escaped
}

/// The reverse of [`escape`] for the requests that carry XML.
pub(super) fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        plain.push_str(&rest[..start]);
        rest = &rest[start..];
        let end = rest.find(';').map_or(rest.len(), |end| end + 1);
        plain.push_str(&entity(&rest[..end]));
        rest = &rest[end..];
    }
    plain + rest
}

fn entity(entity: &str) -> String {
    let name = entity.trim_start_matches('&').trim_end_matches(';');
    let number = match name.strip_prefix("#x") {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => name.strip_prefix('#').and_then(|decimal| decimal.parse().ok()),
    };
    match (name, number.and_then(char::from_u32)) {
        (_, Some(character)) => character.to_string(),
        ("amp", _) => "&".into(),
        ("lt", _) => "<".into(),
        ("gt", _) => ">".into(),
        ("quot", _) => "\"".into(),
        ("apos", _) => "'".into(),
        _ => entity.into(),
    }
}

/// The texts of every `<name>...</name>` in a flat piece of XML.
pub(super) fn elements<'a>(xml: &'a str, name: &str) -> Vec<&'a str> {
    let mut found = Vec::new();
    let mut rest = xml;
    while let Some(start) = open_tag_end(rest, name) {
        rest = &rest[start..];
        let Some(end) = rest.find(&format!("</{name}>")) else { break };
        found.push(&rest[..end]);
        rest = &rest[end..];
    }
    found
}

/// Where the content of the first element of that name begins; attributes are skipped.
fn open_tag_end(xml: &str, name: &str) -> Option<usize> {
    let tag = format!("<{name}");
    let mut from = 0;
    loop {
        let start = from + xml[from..].find(&tag)? + tag.len();
        match xml[start..].chars().next()? {
            '>' => return Some(start + 1),
            ' ' => return Some(start + xml[start..].find('>')? + 1),
            _ => from = start,
        }
    }
}

/// `Mon, 23 Nov 2026 05:41:51 GMT`
pub(super) fn http_date(since_epoch: Duration) -> String {
    httpdate::fmt_http_date(UNIX_EPOCH + since_epoch)
}

/// `2026-11-23T05:41:51.000Z`: S3 shows whole seconds.
pub(super) fn iso_date(since_epoch: Duration) -> String {
    // The HTTP date holds the civil date already: `Mon, 23 Nov 2026 05:41:51 GMT`.
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let http = http_date(since_epoch);
    let month = MONTHS.find(&http[8..11]).unwrap_or(0) / 3 + 1;
    format!("{}-{month:02}-{}T{}.000Z", &http[12..16], &http[5..7], &http[17..25])
}
