//! ListObjectsV2 and ListObjects.

use std::fmt::Write as _;
use std::sync::Arc;

use super::State;
use super::answer::{Answer, S3Error, escape, iso_date};
use super::bucket::{Bucket, after_prefix, successor};
use super::faults::Fault;
use super::object::Stored;
use super::request::Request;
use crate::harness::random;
use crate::harness::{hash, percent};

/// S3 gives no more on a page, whatever is asked.
const PAGE_MAX: usize = 1000;

enum Entry {
    Object(String, Arc<Stored>),
    Prefix(String),
}

struct Page {
    entries: Vec<Entry>,
    /// The last key or prefix of the page, if there is more behind it.
    last: Option<String>,
}

struct Query<'a> {
    prefix: &'a str,
    delimiter: &'a str,
    max_keys: usize,
    after: Option<String>,
    url: bool,
}

impl State {
    pub(super) fn list(&self, bucket_name: &str, request: &Request, fault: Option<Fault>) -> Result<Answer, S3Error> {
        let bucket = self.buckets.get(bucket_name).ok_or_else(S3Error::no_such_bucket)?;
        let second = match request.query("list-type") {
            None => false,
            Some("2") => true,
            Some(_) => return Err(S3Error::invalid("Invalid List Type specified in the query")),
        };
        let query = self.query(bucket_name, request, second, fault)?;
        let mut page = page(bucket, &query);
        spoil(&mut page.entries, fault);
        let next = page.last.as_deref().map(|last| match fault {
            Some(Fault::TokenRepeated) => request.query("continuation-token").unwrap_or_default().to_owned(),
            _ => self.token(bucket_name, last),
        });
        Ok(Answer::xml(200, &render(bucket_name, request, &query, &page, second, next)))
    }

    fn query<'a>(
        &self,
        bucket: &str,
        request: &'a Request,
        second: bool,
        fault: Option<Fault>,
    ) -> Result<Query<'a>, S3Error> {
        const KNOWN: [&str; 12] = [
            "list-type",
            "prefix",
            "delimiter",
            "max-keys",
            "encoding-type",
            "start-after",
            "continuation-token",
            "fetch-owner",
            "marker",
            "x-id",
            "expected-bucket-owner",
            "request-payer",
        ];
        if let Some((name, _)) = request.query.iter().find(|(name, _)| !KNOWN.contains(&name.as_str())) {
            return Err(S3Error::new(501, "NotImplemented", format!("the source does not know ?{name}")));
        }
        let max_keys = match request.query("max-keys") {
            None => PAGE_MAX,
            Some(text) => text
                .parse::<u32>()
                .ok()
                .filter(|&number| i32::try_from(number).is_ok())
                .map(|number| PAGE_MAX.min(number as usize))
                .ok_or_else(|| S3Error::invalid("Provided max-keys not an integer or within integer range"))?,
        };
        let url = match request.query("encoding-type") {
            None => false,
            Some("url") => true,
            Some(_) => return Err(S3Error::invalid("Invalid Encoding Method specified in Request")),
        };
        let after = match (second, request.query("continuation-token")) {
            (true, Some(token)) => Some(self.read_token(bucket, token, fault)?),
            (true, None) => request.query("start-after").map(str::to_owned),
            (false, _) => request.query("marker").map(str::to_owned),
        };
        Ok(Query {
            prefix: request.query("prefix").unwrap_or_default(),
            delimiter: request.query("delimiter").unwrap_or_default(),
            max_keys,
            after,
            url,
        })
    }

    /// An opaque token: the key is in it, but nobody else can tell or make one.
    fn token(&self, bucket: &str, last: &str) -> String {
        let seal = random::draw(self.seed, &format!("{bucket}\0{last}"));
        let mut bytes = seal.to_be_bytes().to_vec();
        bytes.extend(last.bytes().enumerate().map(|(place, byte)| byte ^ random::mix(seal ^ place as u64) as u8));
        hash::base64(&bytes)
    }

    fn read_token(&self, bucket: &str, token: &str, fault: Option<Fault>) -> Result<String, S3Error> {
        let incorrect = || S3Error::invalid("The continuation token provided is incorrect");
        if fault == Some(Fault::TokenExpired) {
            return Err(incorrect());
        }
        let bytes = hash::unbase64(token).filter(|bytes| bytes.len() > 8).ok_or_else(incorrect)?;
        let seal = bytes[..8].iter().fold(0, |seal: u64, &byte| seal << 8 | u64::from(byte));
        let key =
            bytes[8..].iter().enumerate().map(|(place, byte)| byte ^ random::mix(seal ^ place as u64) as u8).collect();
        let key = String::from_utf8(key).map_err(|_| incorrect())?;
        (random::draw(self.seed, &format!("{bucket}\0{key}")) == seal).then_some(key).ok_or_else(incorrect)
    }
}

fn page(bucket: &Bucket, query: &Query) -> Page {
    let mut entries: Vec<Entry> = Vec::new();
    let mut from = first_candidate(query);
    let mut last = None;
    while let Some(at) = from.take() {
        let Some((key, stored)) = bucket.live_at_or_after(&at) else { break };
        let Some(rest) = key.strip_prefix(query.prefix.as_bytes()) else { break };
        if entries.len() >= query.max_keys {
            return Page { entries, last: last.filter(|_| query.max_keys > 0) };
        }
        let cut = (!query.delimiter.is_empty()).then(|| find(rest, query.delimiter.as_bytes())).flatten();
        match cut {
            Some(end) => {
                let prefix = key[..query.prefix.len() + end + query.delimiter.len()].to_vec();
                from = after_prefix(&prefix);
                let prefix = String::from_utf8_lossy(&prefix).into_owned();
                last = Some(prefix.clone());
                entries.push(Entry::Prefix(prefix));
            }
            None => {
                from = Some(successor(&key));
                let key = String::from_utf8_lossy(&key).into_owned();
                last = Some(key.clone());
                entries.push(Entry::Object(key, stored));
            }
        }
    }
    Page { entries, last: None }
}

/// Where a page begins: after the given key, or behind the folded prefix it stands for.
fn first_candidate(query: &Query) -> Option<Vec<u8>> {
    let prefix = query.prefix.as_bytes();
    let Some(after) = &query.after else { return Some(prefix.to_vec()) };
    let after = after.as_bytes();
    let folded = after.strip_prefix(prefix).filter(|_| !query.delimiter.is_empty()).and_then(|rest| {
        let end = find(rest, query.delimiter.as_bytes())? + query.delimiter.len();
        (end == rest.len()).then_some(after)
    });
    let start = match folded {
        Some(folded) => after_prefix(folded)?,
        None => successor(after),
    };
    Some(if start.as_slice() < prefix { prefix.to_vec() } else { start })
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

fn spoil(entries: &mut Vec<Entry>, fault: Option<Fault>) {
    match fault {
        Some(Fault::PageDropped) => entries.clear(),
        Some(Fault::PageUnsorted) => entries.reverse(),
        Some(Fault::PageDuplicated) => {
            let again: Vec<_> = entries
                .iter()
                .rev()
                .take(3)
                .map(|entry| match entry {
                    Entry::Object(key, stored) => Entry::Object(key.clone(), stored.clone()),
                    Entry::Prefix(prefix) => Entry::Prefix(prefix.clone()),
                })
                .collect();
            entries.extend(again);
        }
        _ => {}
    }
}

fn render(bucket: &str, request: &Request, query: &Query, page: &Page, second: bool, next: Option<String>) -> String {
    let name = |text: &str| if query.url { url_encode(text) } else { escape(text) };
    let mut xml = String::with_capacity(page.entries.len() * 300 + 500);
    xml.push_str("<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    element(&mut xml, "Name", &escape(bucket));
    element(&mut xml, "Prefix", &name(query.prefix));
    if !query.delimiter.is_empty() {
        element(&mut xml, "Delimiter", &name(query.delimiter));
    }
    element(&mut xml, "MaxKeys", &query.max_keys.to_string());
    if query.url {
        element(&mut xml, "EncodingType", "url");
    }
    element(&mut xml, "IsTruncated", if next.is_some() { "true" } else { "false" });
    if second {
        element(&mut xml, "KeyCount", &page.entries.len().to_string());
        if let Some(token) = request.query("continuation-token") {
            element(&mut xml, "ContinuationToken", &escape(token));
        }
        if let Some(start) = request.query("start-after") {
            element(&mut xml, "StartAfter", &name(start));
        }
        if let Some(token) = &next {
            element(&mut xml, "NextContinuationToken", &escape(token));
        }
    } else {
        element(&mut xml, "Marker", &name(request.query("marker").unwrap_or_default()));
        // S3 gives NextMarker only with a delimiter.
        if let (Some(last), false) = (&page.last, query.delimiter.is_empty()) {
            element(&mut xml, "NextMarker", &name(last));
        }
    }
    for entry in &page.entries {
        if let Entry::Object(key, stored) = entry {
            contents(&mut xml, &name(key), stored);
        }
    }
    for entry in &page.entries {
        if let Entry::Prefix(prefix) = entry {
            let _ = write!(xml, "<CommonPrefixes><Prefix>{}</Prefix></CommonPrefixes>", name(prefix));
        }
    }
    xml.push_str("</ListBucketResult>");
    xml
}

fn contents(xml: &mut String, key: &str, stored: &Stored) {
    let _ = write!(
        xml,
        "<Contents><Key>{key}</Key><LastModified>{}</LastModified><ETag>&quot;{}&quot;</ETag>",
        iso_date(stored.last_modified),
        escape(&stored.etag)
    );
    for checksum in &stored.checksums {
        element(xml, "ChecksumAlgorithm", &checksum.algorithm.name());
        element(xml, "ChecksumType", if checksum.composite { "COMPOSITE" } else { "FULL_OBJECT" });
    }
    let _ = write!(xml, "<Size>{}</Size><StorageClass>{}</StorageClass></Contents>", stored.size, stored.storage_class);
}

fn element(xml: &mut String, name: &str, text: &str) {
    let _ = write!(xml, "<{name}>{text}</{name}>");
}

/// As S3 encodes with `encoding-type=url`: a space becomes `+`, slashes stay.
fn url_encode(text: &str) -> String {
    percent::encode(text.as_bytes(), b"/* ").replace('~', "%7E").replace(' ', "+")
}
