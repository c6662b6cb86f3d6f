//! GetObject, HeadObject, GetObjectTagging.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use super::State;
use super::answer::{Answer, Body, S3Error, escape, http_date};
use super::faults::Fault;
use super::object::Stored;
use super::request::Request;

/// What part of an object is asked for.
enum Wanted {
    Whole,
    Slice {
        start: u64,
        length: u64,
    },
    /// A part number of a multipart object.
    Part {
        start: u64,
        length: u64,
    },
}

impl State {
    pub(super) fn read(
        &self,
        bucket: &str,
        key: &str,
        request: &Request,
        fault: Option<Fault>,
    ) -> Result<Answer, S3Error> {
        let (stored, version) = self.find(bucket, key, request)?;
        refuse_unreadable(&stored, request)?;
        check_conditions(&stored, request)?;
        let wanted = match fault {
            Some(Fault::RangeIgnored) => Wanted::Whole,
            _ => wanted(&stored, request)?,
        };
        let mut answer = describe(&stored, request, &wanted);
        if let Some(version) = version {
            answer = answer.header("x-amz-version-id", version);
        }
        Ok(answer)
    }

    pub(super) fn read_tags(&self, bucket: &str, key: &str, request: &Request) -> Result<Answer, S3Error> {
        let (stored, _) = self.find(bucket, key, request)?;
        let mut xml = String::from("<Tagging xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><TagSet>");
        for (name, value) in &stored.tags {
            let _ = write!(xml, "<Tag><Key>{}</Key><Value>{}</Value></Tag>", escape(name), escape(value));
        }
        Ok(Answer::xml(200, &(xml + "</TagSet></Tagging>")))
    }

    /// The version asked for, and its id if the bucket shows ids.
    fn find(&self, bucket: &str, key: &str, request: &Request) -> Result<(Arc<Stored>, Option<String>), S3Error> {
        let bucket = self.buckets.get(bucket).ok_or_else(S3Error::no_such_bucket)?;
        if let Some(id) = request.query("versionId") {
            let missing = || S3Error::new(404, "NoSuchVersion", "The specified version does not exist.");
            let version = bucket.version(key.as_bytes(), id).filter(|_| bucket.versioned).ok_or_else(missing)?;
            let object = version.object.clone();
            let gone =
                S3Error::new(405, "MethodNotAllowed", "The specified method is not allowed against this resource.");
            return object.map(|object| (object, Some(version.id.clone()))).ok_or(gone);
        }
        let id = bucket.latest(key.as_bytes()).filter(|_| bucket.versioned).map(|version| version.id.clone());
        bucket.live(key.as_bytes()).map(|stored| (stored, id)).ok_or_else(S3Error::no_such_key)
    }
}

fn refuse_unreadable(stored: &Stored, request: &Request) -> Result<(), S3Error> {
    if stored.customer_key && request.header("x-amz-server-side-encryption-customer-key").is_none() {
        let message = "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.";
        return Err(S3Error::new(400, "InvalidRequest", message));
    }
    if stored.archived && request.method == "GET" {
        let message = "The operation is not valid for the object's storage class";
        return Err(S3Error::new(403, "InvalidObjectState", message));
    }
    Ok(())
}

/// RFC 9110 section 13.2.2, with S3's rule that a true If-Match silences If-Unmodified-Since and a
/// false If-None-Match silences If-Modified-Since.
fn check_conditions(stored: &Stored, request: &Request) -> Result<(), S3Error> {
    let seconds = |header: &str| {
        let time = httpdate::parse_http_date(request.header(header)?).ok()?;
        time.duration_since(std::time::UNIX_EPOCH).ok()
    };
    let shown = Duration::from_secs(stored.last_modified.as_secs());
    match request.header("if-match") {
        Some(etags) if !names(etags, &stored.etag) => return Err(S3Error::precondition()),
        Some(_) => {}
        None if seconds("if-unmodified-since").is_some_and(|limit| shown > limit) => {
            return Err(S3Error::precondition());
        }
        None => {}
    }
    let not_modified = || {
        S3Error::new(304, "NotModified", "")
            .header("ETag", format!("\"{}\"", stored.etag))
            .header("Last-Modified", http_date(stored.last_modified))
    };
    match request.header("if-none-match") {
        Some(etags) if names(etags, &stored.etag) => Err(not_modified()),
        Some(_) => Ok(()),
        None if seconds("if-modified-since").is_some_and(|limit| shown <= limit) => Err(not_modified()),
        None => Ok(()),
    }
}

/// Whether a list of entity tags names this one.
pub(super) fn names(etags: &str, etag: &str) -> bool {
    etags.split(',').map(str::trim).any(|one| one == "*" || one.trim_matches('"') == etag)
}

fn wanted(stored: &Stored, request: &Request) -> Result<Wanted, S3Error> {
    if let Some(number) = request.query("partNumber") {
        let number: usize = number
            .parse()
            .ok()
            .filter(|number| (1..=10_000).contains(number))
            .ok_or_else(|| S3Error::invalid("Part number must be an integer between 1 and 10000, inclusive"))?;
        return part(stored, number);
    }
    let Some(range) = request.header("range") else { return Ok(Wanted::Whole) };
    let Some((first, last)) = range.strip_prefix("bytes=").and_then(|range| range.split_once('-')) else {
        return Ok(Wanted::Whole);
    };
    slice(stored.size, first.trim(), last.trim())
}

fn part(stored: &Stored, number: usize) -> Result<Wanted, S3Error> {
    let sizes = if stored.part_sizes.is_empty() { std::slice::from_ref(&stored.size) } else { &stored.part_sizes };
    let length = *sizes
        .get(number - 1)
        .ok_or_else(|| S3Error::new(416, "InvalidPartNumber", "The requested partnumber is not satisfiable"))?;
    Ok(Wanted::Part { start: sizes[..number - 1].iter().sum(), length })
}

/// RFC 9110 section 14.1.2. A range that is none is ignored, one that fits nowhere is a 416.
fn slice(size: u64, first: &str, last: &str) -> Result<Wanted, S3Error> {
    let unsatisfiable = || {
        S3Error::new(416, "InvalidRange", "The requested range is not satisfiable")
            .header("Content-Range", format!("bytes */{size}"))
    };
    let (start, end) = match (first.parse::<u64>().ok(), last.parse::<u64>().ok()) {
        (None, Some(suffix)) if first.is_empty() => {
            if suffix == 0 || size == 0 {
                return Err(unsatisfiable());
            }
            (size.saturating_sub(suffix), size - 1)
        }
        (Some(start), None) if last.is_empty() => (start, size.saturating_sub(1)),
        (Some(start), Some(end)) if start <= end => (start, end.min(size.saturating_sub(1))),
        _ => return Ok(Wanted::Whole),
    };
    if start >= size {
        return Err(unsatisfiable());
    }
    Ok(Wanted::Slice { start, length: end - start + 1 })
}

fn describe(stored: &Arc<Stored>, request: &Request, wanted: &Wanted) -> Answer {
    let (status, offset, length) = match *wanted {
        Wanted::Whole => (200, 0, stored.size),
        Wanted::Slice { start, length } | Wanted::Part { start, length } => (206, start, length),
    };
    let mut answer = Answer { body: Body::Slice { stored: stored.clone(), offset, length }, ..Answer::empty(status) }
        .header("Accept-Ranges", "bytes")
        .header("ETag", format!("\"{}\"", stored.etag))
        .header("Last-Modified", http_date(stored.last_modified));
    if status == 206 {
        let end = (offset + length).saturating_sub(1);
        answer = answer.header("Content-Range", format!("bytes {offset}-{end}/{}", stored.size));
    }
    if let (Wanted::Part { .. }, false) = (wanted, stored.part_sizes.is_empty()) {
        answer = answer.header("x-amz-mp-parts-count", stored.part_sizes.len().to_string());
    }
    for (name, value) in &stored.headers {
        let value = request.query(&format!("response-{name}")).unwrap_or(value);
        answer = answer.header(name, value);
    }
    for (name, value) in &stored.metadata {
        answer = answer.header(&format!("x-amz-meta-{name}"), value);
    }
    if !stored.tags.is_empty() {
        answer = answer.header("x-amz-tagging-count", stored.tags.len().to_string());
    }
    if stored.storage_class != "STANDARD" {
        answer = answer.header("x-amz-storage-class", &stored.storage_class);
    }
    if stored.kms {
        answer = answer.header("x-amz-server-side-encryption", "aws:kms");
    }
    let asks = request.header("x-amz-checksum-mode").is_some_and(|mode| mode.eq_ignore_ascii_case("enabled"));
    if asks && matches!(wanted, Wanted::Whole) {
        for checksum in &stored.checksums {
            let kind = if checksum.composite { "COMPOSITE" } else { "FULL_OBJECT" };
            answer = answer.header(&checksum.algorithm.header(), &checksum.value).header("x-amz-checksum-type", kind);
        }
    }
    answer
}
