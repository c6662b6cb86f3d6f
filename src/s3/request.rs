//! From a request line and headers to an [`Operation`].
//!
//! Nothing here decides who may do it. Parameters of the query that no operation knows are ignored,
//! as S3 does, with one exception: a write with an unknown sub-resource is refused, so that a
//! configuration meant for a newer S3 never becomes the content of an object.

mod attributes;
mod bucket;
mod condition;
mod copy_source;
mod hoisted;
mod object;
mod unserved;

use http::{HeaderMap, Method};

use crate::object::BucketName;
use crate::object::key::{InvalidKey, ObjectKey};

use super::addressing::Addressing;
use super::error::{Result, S3Code, S3Error};
use super::operation::{ObjectAddress, Operation};
use super::query::Query;

pub use attributes::{invalid_bucket_tags, invalid_tags, not_reserved};
pub use condition::byte_count;

/// Parses a request. `path` and `query` are as they stand in the request line.
///
/// # Errors
/// The code that S3 answers: InvalidURI, InvalidBucketName, KeyTooLongError, InvalidArgument,
/// InvalidRequest, InvalidTag, MetadataTooLarge, NotImplemented and others. A key that Blob Storage
/// cannot hold is refused with InvalidArgument where the operation would create it; see
/// [`Operation::unheld`] for the other operations.
pub fn parse(
    method: &Method,
    path: &str,
    query: &str,
    headers: &HeaderMap,
    addressing: &Addressing,
) -> Result<Operation> {
    let host = headers.get(http::header::HOST).and_then(|value| value.to_str().ok());
    let target = addressing.resolve(host, path)?;
    let query = Query::parse(query)?;
    let headers = hoisted::headers(headers, &query);
    let input = Input { method, query: &query, headers: &headers };
    let Some(bucket) = target.bucket else {
        return if method == Method::GET { bucket::list(&input) } else { Ok(Operation::MethodNotAllowed) };
    };
    let bucket = bucket_name(&bucket, method)?;
    match target.key {
        None => bucket::parse(&input, bucket),
        Some(key) => object::parse(&input, ObjectAddress { bucket, key: object_key(key)? }),
    }
}

/// Whether a request is a form upload (POST Object), which carries its credentials in the form.
pub fn is_form_upload(method: &Method, headers: &HeaderMap) -> bool {
    let form = |value: &str| value.trim_start().to_ascii_lowercase().starts_with("multipart/form-data");
    method == Method::POST
        && headers.get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(form)
}

/// The answer to a form upload.
pub fn form_upload_refused() -> S3Error {
    S3Error::new(
        S3Code::NotImplemented,
        "Form uploads (POST Object) are not served. Please upload with PUT; a presigned URL needs no credentials at \
         the client.",
    )
}

/// What the parsers below work on.
struct Input<'a> {
    method: &'a Method,
    query: &'a Query<'a>,
    headers: &'a HeaderMap,
}

impl Input<'_> {
    /// A parameter of the query, `None` for an empty one as well.
    fn non_empty(&self, name: &str) -> Result<Option<String>> {
        Ok(self.query.get(name)?.filter(|value| !value.is_empty()).map(str::to_owned))
    }

    /// A limit on the number of entries: 1000 if not given, and at the most.
    fn limit(&self, name: &'static str) -> Result<usize> {
        Ok(self.number(name)?.map_or(ENTRIES_MAX, |number| number.min(ENTRIES_MAX as u64) as usize))
    }

    fn number(&self, name: &'static str) -> Result<Option<u64>> {
        number(name, self.query.get(name)?)
    }

    /// For a write without a known sub-resource: refused if the query names an unknown one.
    fn unknown_subresource(&self, bucket: &BucketName) -> Option<Operation> {
        let unknown = self.query.iter().any(|(name, value)| {
            value.is_empty() && !KNOWN_PARAMETERS.contains(&name) && !name.to_ascii_lowercase().starts_with("x-amz-")
        });
        unknown.then(|| Operation::Unsupported { name: "UnknownSubresource", bucket: Some(bucket.clone()) })
    }
}

/// Most entries of a page (set by S3).
const ENTRIES_MAX: usize = 1_000;

/// Parameters that may be empty on a write without meaning a sub-resource.
const KNOWN_PARAMETERS: &[&str] = &["x-id", "versionId"];

fn bucket_name(name: &str, method: &Method) -> Result<BucketName> {
    BucketName::new(name).map_err(|_| match *method {
        // A HEAD asks whether the bucket exists, and one of this name cannot.
        Method::HEAD => S3Code::NoSuchBucket.into(),
        _ => S3Error::from(S3Code::InvalidBucketName).with("BucketName", name),
    })
}

fn object_key(key: String) -> Result<ObjectKey> {
    let size = key.len();
    ObjectKey::new(key).map_err(|error| match error {
        InvalidKey::Empty => S3Code::InvalidURI.into(),
        InvalidKey::TooLong => S3Error::from(S3Code::KeyTooLongError)
            .with("Size", size.to_string())
            .with("MaxSizeAllowed", ObjectKey::BYTES_MAX.to_string()),
    })
}

/// A number of 0 or more, `None` if it is not given or empty.
fn number(name: &'static str, text: Option<&str>) -> Result<Option<u64>> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let digits = text.bytes().all(|byte| byte.is_ascii_digit()) && text.len() <= 10;
    match text.parse::<u64>() {
        Ok(number) if digits && number <= i32::MAX as u64 => Ok(Some(number)),
        _ => Err(invalid(name, format!("Provided {name} not an integer or within integer range"))),
    }
}

fn invalid(name: &'static str, message: impl Into<std::borrow::Cow<'static, str>>) -> S3Error {
    S3Error::new(S3Code::InvalidArgument, message).with("ArgumentName", name)
}

#[cfg(test)]
mod tests;
