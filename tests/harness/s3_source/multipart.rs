//! Multipart uploads.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Bytes;

use super::State;
use super::answer::{Answer, S3Error, elements, escape, unescape};
use super::content::Content;
use super::object::Object;
use super::request::Request;
use super::write::{decode_body, described, joined};
use crate::harness::{hash, random, sequence};

#[derive(Default)]
pub(super) struct Uploads(BTreeMap<String, Upload>);

struct Upload {
    bucket: String,
    key: String,
    template: Object,
    parts: BTreeMap<u32, Content>,
}

/// Every part but the last must have that many bytes.
const PART_BYTES_MIN: u64 = 5 << 20;

impl Uploads {
    pub fn open(&self) -> Vec<(String, String, String)> {
        self.0.iter().map(|(id, upload)| (upload.bucket.clone(), upload.key.clone(), id.clone())).collect()
    }
}

impl State {
    pub(super) fn create_upload(&mut self, bucket: &str, key: &str, request: &Request) -> Result<Answer, S3Error> {
        self.check_key(key)?;
        let template = described(request, &[], Object::bytes(Bytes::new()))?;
        let id = format!("up{:016x}", random::mix(self.seed ^ sequence::next()));
        let upload = Upload { bucket: bucket.into(), key: key.into(), template, parts: BTreeMap::new() };
        self.uploads.0.insert(id.clone(), upload);
        Ok(Answer::xml(
            200,
            &format!(
                "<InitiateMultipartUploadResult><Bucket>{}</Bucket><Key>{}</Key><UploadId>{id}</UploadId></InitiateMultipartUploadResult>",
                escape(bucket),
                escape(key)
            ),
        ))
    }

    pub(super) fn upload_part(
        &mut self,
        bucket: &str,
        key: &str,
        request: &Request,
        body: Vec<u8>,
    ) -> Result<Answer, S3Error> {
        let number = part_number(request)?;
        let (content, copied) = match request.header("x-amz-copy-source") {
            Some(_) => (self.copied_range(request)?, true),
            None => (Content::Held(decode_body(request, body)?.0.into()), false),
        };
        let etag = etag_of(&content);
        self.upload(bucket, key, request)?.parts.insert(number, content);
        match copied {
            true => Ok(Answer::xml(200, &format!("<CopyPartResult><ETag>&quot;{etag}&quot;</ETag></CopyPartResult>"))),
            false => Ok(Answer::empty(200).header("ETag", format!("\"{etag}\""))),
        }
    }

    fn copied_range(&self, request: &Request) -> Result<Content, S3Error> {
        let stored = self.copy_source(request)?;
        let Some(range) = request.header("x-amz-copy-source-range") else { return Ok(stored.content.clone()) };
        let bounds = range.strip_prefix("bytes=").and_then(|range| range.split_once('-'));
        let bounds = bounds.and_then(|(first, last)| Some((first.parse::<u64>().ok()?, last.parse::<u64>().ok()?)));
        let (first, last) = bounds.filter(|(first, last)| first <= last && *last < stored.size).ok_or_else(|| {
            S3Error::invalid("The x-amz-copy-source-range value must be of the form bytes=first-last")
        })?;
        Ok(Content::Held(stored.content.to_vec()[first as usize..=last as usize].to_vec().into()))
    }

    pub(super) fn complete_upload(
        &mut self,
        bucket: &str,
        key: &str,
        request: &Request,
        body: &[u8],
    ) -> Result<Answer, S3Error> {
        self.check_write_conditions(bucket, key, request)?;
        let upload = self.upload(bucket, key, request)?;
        let parts = upload.chosen(body)?;
        let object = joined(&parts, &upload.template);
        let now = self.now();
        let version = self.append(bucket, key, Some(Arc::new(object.resolve(now))));
        self.uploads.0.remove(request.query("uploadId").unwrap_or_default());
        let etag = version.object.as_ref().map(|stored| stored.etag.clone()).unwrap_or_default();
        let mut answer = Answer::xml(
            200,
            &format!(
                "<CompleteMultipartUploadResult><Bucket>{}</Bucket><Key>{}</Key><ETag>&quot;{etag}&quot;</ETag></CompleteMultipartUploadResult>",
                escape(bucket),
                escape(key)
            ),
        );
        answer.headers.extend(self.written(bucket, &version.id, None).headers);
        Ok(answer)
    }

    pub(super) fn abort_upload(&mut self, bucket: &str, key: &str, request: &Request) -> Result<Answer, S3Error> {
        self.upload(bucket, key, request)?;
        self.uploads.0.remove(request.query("uploadId").unwrap_or_default());
        Ok(Answer::empty(204))
    }

    pub(super) fn list_parts(&mut self, bucket: &str, key: &str, request: &Request) -> Result<Answer, S3Error> {
        let upload = self.upload(bucket, key, request)?;
        let mut xml = format!("<ListPartsResult><Key>{}</Key><IsTruncated>false</IsTruncated>", escape(key));
        for (number, content) in &upload.parts {
            let _ = write!(
                xml,
                "<Part><PartNumber>{number}</PartNumber><ETag>&quot;{}&quot;</ETag><Size>{}</Size></Part>",
                etag_of(content),
                content.len()
            );
        }
        Ok(Answer::xml(200, &(xml + "</ListPartsResult>")))
    }

    pub(super) fn list_uploads(&self, bucket: &str) -> Result<Answer, S3Error> {
        let mut xml = String::from("<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>");
        for (id, upload) in self.uploads.0.iter().filter(|(_, upload)| upload.bucket == bucket) {
            let _ = write!(xml, "<Upload><Key>{}</Key><UploadId>{id}</UploadId></Upload>", escape(&upload.key));
        }
        Ok(Answer::xml(200, &(xml + "</ListMultipartUploadsResult>")))
    }

    fn upload(&mut self, bucket: &str, key: &str, request: &Request) -> Result<&mut Upload, S3Error> {
        let missing = S3Error::new(404, "NoSuchUpload", "The specified multipart upload does not exist.");
        self.uploads
            .0
            .get_mut(request.query("uploadId").unwrap_or_default())
            .filter(|upload| upload.bucket == bucket && upload.key == key)
            .ok_or(missing)
    }
}

impl Upload {
    /// The parts that the client's list names.
    fn chosen(&self, body: &[u8]) -> Result<BTreeMap<u32, Content>, S3Error> {
        let malformed = || S3Error::new(400, "MalformedXML", "The XML you provided was not well-formed");
        let body = std::str::from_utf8(body).map_err(|_| malformed())?;
        let mut chosen = BTreeMap::new();
        let mut previous = 0;
        for part in elements(body, "Part") {
            let number: u32 =
                elements(part, "PartNumber").first().and_then(|text| text.trim().parse().ok()).ok_or_else(malformed)?;
            let etag = unescape(elements(part, "ETag").first().ok_or_else(malformed)?);
            if number <= previous {
                return Err(S3Error::new(400, "InvalidPartOrder", "The list of parts was not in ascending order."));
            }
            previous = number;
            let content = self.parts.get(&number).filter(|content| etag_of(content) == etag.trim().trim_matches('"'));
            let content = content.ok_or_else(|| {
                S3Error::new(400, "InvalidPart", "One or more of the specified parts could not be found.")
            })?;
            chosen.insert(number, content.clone());
        }
        let short = chosen.iter().rev().skip(1).any(|(_, content)| content.len() < PART_BYTES_MIN);
        match (chosen.is_empty(), short) {
            (true, _) => Err(malformed()),
            (_, true) => Err(S3Error::new(
                400,
                "EntityTooSmall",
                "Your proposed upload is smaller than the minimum allowed size",
            )),
            _ => Ok(chosen),
        }
    }
}

fn part_number(request: &Request) -> Result<u32, S3Error> {
    request
        .query("partNumber")
        .and_then(|number| number.parse().ok())
        .filter(|number| (1..=10_000).contains(number))
        .ok_or_else(|| S3Error::invalid("Part number must be an integer between 1 and 10000, inclusive"))
}

fn etag_of(content: &Content) -> String {
    hash::hex(&hash::md5(&content.to_vec()))
}
