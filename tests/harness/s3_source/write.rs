//! PutObject, DeleteObject, DeleteObjects, CopyObject and tagging, as clients send them.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use super::State;
use super::answer::{Answer, S3Error, elements, escape, iso_date, unescape};
use super::content::Content;
use super::object::{EtagKind, Object, Stored};
use super::read::names;
use super::request::Request;
use crate::harness::hash::{self, Algorithm};
use crate::harness::percent;

/// Names and values that followed an aws-chunked body.
pub(super) type Trailers = Vec<(String, String)>;

impl State {
    pub(super) fn put_object(
        &mut self,
        bucket: &str,
        key: &str,
        request: &Request,
        body: Vec<u8>,
    ) -> Result<Answer, S3Error> {
        self.check_key(key)?;
        self.check_write_conditions(bucket, key, request)?;
        let (body, trailers) = decode_body(request, body)?;
        let object = described(request, &trailers, Object::bytes(Bytes::from(body)))?;
        let now = self.now();
        let version = self.append(bucket, key, Some(Arc::new(object.resolve(now))));
        Ok(self.written(bucket, &version.id, version.object.as_ref()))
    }

    pub(super) fn copy_object(&mut self, bucket: &str, key: &str, request: &Request) -> Result<Answer, S3Error> {
        let stored = self.copy_source(request)?;
        self.check_write_conditions(bucket, key, request)?;
        let mut object = Object::new(stored.content.clone());
        if request.header("x-amz-metadata-directive").is_some_and(|word| word.eq_ignore_ascii_case("replace")) {
            object = described(request, &[], object)?;
        } else {
            object = stored.headers.iter().fold(object, |object, (name, value)| object.header(name, value));
            object = stored.metadata.iter().fold(object, |object, (name, value)| object.metadata(name, value));
        }
        if !request.header("x-amz-tagging-directive").is_some_and(|word| word.eq_ignore_ascii_case("replace")) {
            object = object.tags(stored.tags.clone());
        }
        let now = self.now();
        let version = self.append(bucket, key, Some(Arc::new(object.resolve(now))));
        let etag = version.object.as_ref().map(|stored| stored.etag.clone()).unwrap_or_default();
        Ok(Answer::xml(
            200,
            &format!(
                "<CopyObjectResult><LastModified>{}</LastModified><ETag>&quot;{etag}&quot;</ETag></CopyObjectResult>",
                iso_date(version.at)
            ),
        ))
    }

    /// The object that `x-amz-copy-source` names, its conditions checked.
    pub(super) fn copy_source(&self, request: &Request) -> Result<Arc<Stored>, S3Error> {
        let header = request.header("x-amz-copy-source").unwrap_or_default();
        let (path, _version) = header.split_once("?versionId=").unwrap_or((header, ""));
        let path = percent::decode(path.trim_start_matches('/'), false).and_then(|bytes| String::from_utf8(bytes).ok());
        let path = path.ok_or_else(|| S3Error::invalid("Invalid copy source encoding."))?;
        let (bucket, key) = path.split_once('/').ok_or_else(|| S3Error::invalid("Invalid copy source object key"))?;
        let bucket = self.buckets.get(bucket).ok_or_else(S3Error::no_such_bucket)?;
        let stored = bucket.live(key.as_bytes()).ok_or_else(S3Error::no_such_key)?;
        let wrong =
            |header: &str, when: bool| request.header(header).is_some_and(|etags| names(etags, &stored.etag) == when);
        if wrong("x-amz-copy-source-if-match", false) || wrong("x-amz-copy-source-if-none-match", true) {
            return Err(S3Error::precondition());
        }
        Ok(stored)
    }

    pub(super) fn delete_object(&mut self, bucket: &str, key: &str, request: &Request) -> Result<Answer, S3Error> {
        if let Some(etag) = request.header("if-match") {
            let live = self.buckets.get(bucket).and_then(|bucket| bucket.live(key.as_bytes()));
            if live.is_some_and(|stored| !names(etag, &stored.etag)) {
                return Err(S3Error::precondition());
            }
        }
        self.append(bucket, key, None);
        Ok(Answer::empty(204))
    }

    pub(super) fn delete_objects(&mut self, bucket: &str, body: &[u8]) -> Result<Answer, S3Error> {
        let malformed = || {
            S3Error::new(
                400,
                "MalformedXML",
                "The XML you provided was not well-formed or did not validate against our published schema",
            )
        };
        let body = std::str::from_utf8(body).map_err(|_| malformed())?;
        let keys: Vec<String> = elements(body, "Key").into_iter().map(unescape).collect();
        if keys.is_empty() || keys.len() > 1000 {
            return Err(malformed());
        }
        let quiet = elements(body, "Quiet").first().is_some_and(|quiet| quiet.trim() == "true");
        let mut xml = String::from("<DeleteResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
        for key in keys {
            self.append(bucket, &key, None);
            if !quiet {
                xml.push_str(&format!("<Deleted><Key>{}</Key></Deleted>", escape(&key)));
            }
        }
        Ok(Answer::xml(200, &(xml + "</DeleteResult>")))
    }

    /// Replaces the tags; neither ETag nor Last-Modified moves.
    pub(super) fn set_tags(&mut self, bucket: &str, key: &str, tags: Vec<(String, String)>) -> Result<Answer, S3Error> {
        let live = self.buckets.get(bucket).and_then(|bucket| bucket.live(key.as_bytes()));
        let stored = live.ok_or_else(S3Error::no_such_key)?;
        let status = if tags.is_empty() { 204 } else { 200 };
        let stored = Stored { tags, ..(*stored).clone() };
        self.append(bucket, key, Some(Arc::new(stored)));
        Ok(Answer::empty(status))
    }

    pub(super) fn check_key(&self, key: &str) -> Result<(), S3Error> {
        match key.len() {
            1..=1024 => Ok(()),
            _ => Err(S3Error::new(400, "KeyTooLongError", "Your key is too long")),
        }
    }

    pub(super) fn check_write_conditions(&self, bucket: &str, key: &str, request: &Request) -> Result<(), S3Error> {
        let bucket = self.buckets.get(bucket).ok_or_else(S3Error::no_such_bucket)?;
        let live = bucket.live(key.as_bytes());
        match (request.header("if-match"), request.header("if-none-match"), live) {
            (Some(_), _, None) => Err(S3Error::no_such_key()),
            (Some(etag), _, Some(stored)) if !names(etag, &stored.etag) => Err(S3Error::precondition()),
            (None, Some("*"), Some(_)) => Err(S3Error::precondition()),
            (None, Some(other), _) if other != "*" => {
                Err(S3Error::new(501, "NotImplemented", "If-None-Match takes * only"))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn written(&self, bucket: &str, version: &str, stored: Option<&Arc<Stored>>) -> Answer {
        let mut answer = Answer::empty(200);
        if let Some(stored) = stored {
            answer = answer.header("ETag", format!("\"{}\"", stored.etag));
            for checksum in &stored.checksums {
                answer = answer.header(&checksum.algorithm.header(), &checksum.value);
            }
        }
        match self.buckets.get(bucket).is_some_and(|bucket| bucket.versioned) {
            true => answer.header("x-amz-version-id", version),
            false => answer,
        }
    }
}

/// Tags from the body of PutObjectTagging.
pub(super) fn tags_of_xml(body: &[u8]) -> Result<Vec<(String, String)>, S3Error> {
    let malformed = || S3Error::new(400, "MalformedXML", "The XML you provided was not well-formed");
    let body = std::str::from_utf8(body).map_err(|_| malformed())?;
    let (names, values) = (elements(body, "Key"), elements(body, "Value"));
    if names.len() != values.len() || names.len() > 10 {
        return Err(malformed());
    }
    Ok(names.into_iter().map(unescape).zip(values.into_iter().map(unescape)).collect())
}

/// Everything that a writing request says about an object besides its bytes.
pub(super) fn described(
    request: &Request,
    trailers: &[(String, String)],
    mut object: Object,
) -> Result<Object, S3Error> {
    const CONTENT: [&str; 6] =
        ["content-type", "content-encoding", "content-disposition", "content-language", "cache-control", "expires"];
    for (name, value) in &request.headers {
        let name = name.to_ascii_lowercase();
        if CONTENT.contains(&name.as_str()) {
            let value =
                value.split(',').map(str::trim).filter(|word| *word != "aws-chunked").collect::<Vec<_>>().join(",");
            if !value.is_empty() {
                object = object.header(&name, &value);
            }
        } else if let Some(name) = name.strip_prefix("x-amz-meta-") {
            object = object.metadata(name, value);
        }
    }
    if let Some(tags) = request.header("x-amz-tagging") {
        let tags = percent::query_pairs(tags)
            .ok_or_else(|| S3Error::invalid("The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded"))?;
        object = object.tags(tags);
    }
    if let Some(class) = request.header("x-amz-storage-class") {
        object = object.storage_class(class);
    }
    if request.header("x-amz-server-side-encryption").is_some_and(|kind| kind.starts_with("aws:kms")) {
        object = object.kms();
    }
    for algorithm in Algorithm::ALL {
        if checksum_header(request, trailers, algorithm).is_some() {
            object = object.checksum(algorithm);
        }
    }
    Ok(object)
}

fn checksum_header<'a>(
    request: &'a Request,
    trailers: &'a [(String, String)],
    algorithm: Algorithm,
) -> Option<&'a str> {
    let name = algorithm.header();
    let trailer =
        || trailers.iter().find(|(have, _)| have.eq_ignore_ascii_case(&name)).map(|(_, value)| value.as_str());
    request.header(&name).or_else(trailer)
}

/// The payload of a request body with every digest that came along checked.
pub(super) fn decode_body(request: &Request, body: Vec<u8>) -> Result<(Vec<u8>, Trailers), S3Error> {
    let payload = request.header("x-amz-content-sha256").unwrap_or("UNSIGNED-PAYLOAD");
    let (body, trailers) = match payload.starts_with("STREAMING-") {
        true => unchunk(request, &body)?,
        false => (body, Vec::new()),
    };
    let is_hash = payload.len() == 64 && payload.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hash && hash::sha256_hex(&body) != payload {
        return Err(S3Error::new(
            400,
            "XAmzContentSHA256Mismatch",
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
        ));
    }
    if let Some(md5) = request.header("content-md5")
        && hash::base64(&hash::md5(&body)) != md5
    {
        return Err(S3Error::new(400, "BadDigest", "The Content-MD5 you specified did not match what we received."));
    }
    for algorithm in Algorithm::ALL {
        if let Some(given) = checksum_header(request, &trailers, algorithm)
            && given != hash::checksum(algorithm, &body)
        {
            return Err(S3Error::new(
                400,
                "BadDigest",
                format!("The {} you specified did not match the calculated checksum.", algorithm.name()),
            ));
        }
    }
    Ok((body, trailers))
}

/// Takes aws-chunked apart. Chunk signatures are not checked.
fn unchunk(request: &Request, body: &[u8]) -> Result<(Vec<u8>, Trailers), S3Error> {
    let incomplete = || S3Error::new(400, "IncompleteBody", "The request body terminated unexpectedly");
    let mut rest = body;
    let mut payload = Vec::new();
    loop {
        let (line, tail) = split_line(rest).ok_or_else(incomplete)?;
        let digits = line.split(';').next().unwrap_or_default();
        let length = usize::from_str_radix(digits, 16).map_err(|_| incomplete())?;
        rest = tail;
        if length == 0 {
            break;
        }
        payload.extend_from_slice(rest.get(..length).ok_or_else(incomplete)?);
        rest = rest.get(length..).and_then(|rest| rest.strip_prefix(b"\r\n")).ok_or_else(incomplete)?;
    }
    let mut trailers = Vec::new();
    while let Some((line, tail)) = split_line(rest).filter(|(line, _)| !line.is_empty()) {
        let (name, value) = line.split_once(':').ok_or_else(incomplete)?;
        trailers.push((name.to_owned(), value.trim().to_owned()));
        rest = tail;
    }
    let declared: Option<usize> = request.header("x-amz-decoded-content-length").and_then(|length| length.parse().ok());
    match declared {
        Some(length) if payload.len() == length => Ok((payload, trailers)),
        Some(_) => Err(incomplete()),
        None => Err(S3Error::new(411, "MissingContentLength", "You must provide the Content-Length HTTP header.")),
    }
}

fn split_line(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.windows(2).position(|window| window == b"\r\n")?;
    Some((std::str::from_utf8(&bytes[..end]).ok()?, &bytes[end + 2..]))
}

/// An object put together from parts.
pub(super) fn joined(parts: &BTreeMap<u32, Content>, template: &Object) -> Object {
    let sizes: Vec<u64> = parts.values().map(Content::len).collect();
    template.with_content(Content::Joined(parts.values().cloned().collect()), EtagKind::Parts(sizes))
}
