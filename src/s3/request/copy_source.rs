//! `x-amz-copy-source`: bucket, key and version of what is to be copied.

use http::HeaderMap;

use crate::object::text::percent_decode;
use crate::object::{BucketName, ByteRange};
use crate::s3::error::{Result, S3Code, S3Error};
use crate::s3::header;
use crate::s3::operation::{CopySource, ObjectAddress};

use super::attributes::text;
use super::{condition, invalid, object_key};

const NAME: &str = "x-amz-copy-source";

/// Reads the source of a copy, if the request is one.
pub fn parse(headers: &HeaderMap) -> Result<Option<CopySource>> {
    let Some(value) = text(headers, &header::COPY_SOURCE)? else { return Ok(None) };
    let (address, version_id) = address(value)?;
    Ok(Some(CopySource { address, version_id, condition: condition::copy_source(headers)? }))
}

/// `[/]bucket/key[?versionId=...]`, percent-encoded or not. A `+` is a plus: clients that encode never
/// send one, and for those that do not it is a part of the key.
fn address(value: &str) -> Result<(ObjectAddress, Option<String>)> {
    let (path, version) = match value.split_once("?versionId=") {
        Some((path, version)) => (path, Some(version.to_owned()).filter(|version| !version.is_empty())),
        None => (value, None),
    };
    let wrong = || invalid(NAME, "Copy Source must mention the source bucket and key: sourcebucket/sourcekey");
    // Decoded before it is split: some clients encode the slash after the bucket too.
    let path = percent_decode(path).ok_or_else(|| invalid(NAME, "Invalid copy source encoding."))?;
    let (bucket, key) = path.strip_prefix('/').unwrap_or(&path).split_once('/').ok_or_else(wrong)?;
    if key.is_empty() {
        return Err(wrong());
    }
    let bucket = BucketName::new(bucket)
        .map_err(|_| S3Error::new(S3Code::InvalidBucketName, "The bucket of the copy source is not valid."))?;
    Ok((ObjectAddress { bucket, key: object_key(key.to_owned())? }, version))
}

/// `x-amz-copy-source-range`: both ends have to be given.
pub fn range(headers: &HeaderMap) -> Result<Option<ByteRange>> {
    let Some(value) = text(headers, &header::COPY_SOURCE_RANGE)? else { return Ok(None) };
    match ByteRange::parse(value) {
        Some(range @ ByteRange::Inclusive { .. }) => Ok(Some(range)),
        _ => Err(invalid(
            "x-amz-copy-source-range",
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the \
             zero-based offsets of the first and last bytes to copy",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        for (value, bucket, key, version) in [
            ("bucket/a/b", "bucket", "a/b", None),
            ("/bucket/a/b", "bucket", "a/b", None),
            ("bucket%2Fa%2Fb", "bucket", "a/b", None),
            ("bucket/a%20b%2Bc+d", "bucket", "a b+c+d", None),
            ("bucket/a%2520", "bucket", "a%20", None),
            ("bucket/é", "bucket", "é", None),
            ("bucket//a", "bucket", "/a", None),
            ("bucket/a?b", "bucket", "a?b", None),
            ("bucket/a?versionId=null", "bucket", "a", Some("null")),
            ("bucket/a?versionId=", "bucket", "a", None),
        ] {
            let (address, found) = address(value).unwrap();
            assert_eq!((address.bucket.as_str(), address.key.as_str()), (bucket, key), "{value}");
            assert_eq!(found.as_deref(), version, "{value}");
        }
        for bad in ["", "/", "bucket", "bucket/", "/bucket/", "bucket/%zz", "Bad_Bucket/a", "arn:aws:s3:::b/k"] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }
}
