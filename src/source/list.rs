//! ListObjectsV2.

use bytes::Bytes;
use http::Method;

use super::client::{Call, SourceClient, push_query};
use super::error::Subject;
use super::xml::{Step, walk};
use crate::object::{Algorithm, BucketName, ETag, Error, ErrorKind, Result, Timestamp, text};
use crate::telemetry::SourceOperation;

/// What to list. Keys always travel URL-encoded, since XML cannot carry every key.
#[derive(Clone, Debug, Default)]
pub struct SourceList {
    pub prefix: String,
    pub delimiter: Option<String>,
    /// Only keys after this one.
    pub start_after: Option<String>,
    /// Goes on where an earlier page ended; `start_after` is moot then.
    pub continuation_token: Option<String>,
    /// Entries at the most; `None` = S3's own 1000.
    pub max_keys: Option<u32>,
}

/// A page of keys in the byte order of UTF-8.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourcePage {
    pub objects: Vec<SourceObject>,
    pub prefixes: Vec<String>,
    pub truncated: bool,
    pub next_token: Option<String>,
}

/// An object as the source lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceObject {
    /// As it is: Blob Storage may be unable to hold it.
    pub key: String,
    /// Size in bytes.
    pub size: u64,
    pub etag: ETag,
    pub last_modified: Timestamp,
    /// S3's name of the storage class; `None` if the source does not say.
    pub storage_class: Option<String>,
    /// Algorithms of the checksums stored with the object; unknown ones are left out.
    pub checksum_algorithms: Vec<Algorithm>,
}

/// Longest page read in bytes: 1000 keys of 1024 bytes, each byte encoded as three, and the rest.
const PAGE_BYTES_MAX: usize = 16 << 20;

impl SourceClient {
    /// Lists one page.
    ///
    /// # Errors
    /// `ContainerMissing`, `Denied`, the common kinds, and `Corrupt` for a page that cannot be
    /// trusted: an object without key, size, ETag or date, or truncated without a token.
    pub async fn list_objects(&self, bucket: &BucketName, list: &SourceList) -> Result<SourcePage> {
        let call = Call {
            operation: SourceOperation::ListObjects,
            method: Method::GET,
            bucket,
            path: String::new(),
            query: query(list),
            headers: Vec::new(),
            subject: Subject::Bucket,
        };
        let mut tries = 0;
        loop {
            // A page that breaks off is asked for again as a whole.
            match self.send(&call).await?.into_body().collect(PAGE_BYTES_MAX).await {
                Ok(page) => return parse(&page),
                Err(error) if tries >= BODY_TRIES => {
                    return Err(
                        Error::new(ErrorKind::Unavailable, "a page of the listing broke off").with_source(error)
                    );
                }
                Err(_) => tries += 1,
            }
        }
    }
}

/// Times that a page is asked for again because its body broke off.
const BODY_TRIES: u32 = 3;

fn query(list: &SourceList) -> String {
    let mut query = String::with_capacity(128);
    let max_keys = list.max_keys.map(|max| max.to_string());
    for (name, value) in [
        ("continuation-token", list.continuation_token.as_deref()),
        ("delimiter", list.delimiter.as_deref()),
        ("encoding-type", Some("url")),
        ("list-type", Some("2")),
        ("max-keys", max_keys.as_deref()),
        ("prefix", Some(list.prefix.as_str())),
        ("start-after", list.start_after.as_deref().filter(|_| list.continuation_token.is_none())),
    ] {
        if let Some(value) = value {
            push_query(&mut query, name, value);
        }
    }
    query
}

/// An object as far as it has been read.
#[derive(Default)]
struct Draft {
    key: Option<String>,
    size: Option<u64>,
    etag: Option<ETag>,
    last_modified: Option<Timestamp>,
    storage_class: Option<String>,
    checksum_algorithms: Vec<Algorithm>,
}

fn parse(document: &Bytes) -> Result<SourcePage> {
    let mut page = SourcePage::default();
    let mut draft = Draft::default();
    let mut encoded = false;
    let mut is_listing = false;
    walk(document, |parent, name, step| {
        let text = match step {
            Step::Begin => {
                is_listing |= parent.is_empty() && name == "ListBucketResult";
                return Ok(());
            }
            Step::End(text) => text,
        };
        match (parent, name) {
            ("ListBucketResult", "EncodingType") => encoded = text == "url",
            ("ListBucketResult", "IsTruncated") => page.truncated = text == "true",
            ("ListBucketResult", "NextContinuationToken") => page.next_token = Some(text.to_owned()),
            ("ListBucketResult", "Contents") => page.objects.push(std::mem::take(&mut draft).finish()?),
            ("CommonPrefixes", "Prefix") => page.prefixes.push(text.to_owned()),
            ("Contents", name) => draft.set(name, text),
            _ => {}
        }
        Ok(())
    })?;
    if !is_listing {
        return Err(corrupt("the answer is no listing"));
    }
    if page.truncated && page.next_token.is_none() {
        return Err(corrupt("a truncated page without a token"));
    }
    if encoded {
        // Only now: the element that says so may follow the keys.
        let keys = page.objects.iter_mut().map(|object| &mut object.key);
        for name in keys.chain(&mut page.prefixes) {
            *name = decode(std::mem::take(name))?;
        }
    }
    Ok(page)
}

impl Draft {
    fn set(&mut self, name: &str, text: &str) {
        match name {
            "Key" => self.key = Some(text.to_owned()),
            "Size" => self.size = text.parse().ok(),
            "ETag" => self.etag = Some(ETag::parse(text)),
            "LastModified" => self.last_modified = Timestamp::parse_iso8601(text),
            "StorageClass" => self.storage_class = Some(text.to_owned()).filter(|class| !class.is_empty()),
            "ChecksumAlgorithm" => self.checksum_algorithms.extend(Algorithm::parse(text)),
            _ => {}
        }
    }

    fn finish(self) -> Result<SourceObject> {
        Ok(SourceObject {
            key: self.key.ok_or_else(|| corrupt("an object without a key"))?,
            size: self.size.ok_or_else(|| corrupt("an object without a size"))?,
            etag: self.etag.ok_or_else(|| corrupt("an object without an etag"))?,
            last_modified: self.last_modified.ok_or_else(|| corrupt("an object without a date"))?,
            storage_class: self.storage_class,
            checksum_algorithms: self.checksum_algorithms,
        })
    }
}

/// Decodes `encoding-type=url`: S3 writes a space as `+`, and a plus as `%2B`.
fn decode(name: String) -> Result<String> {
    if !name.contains(['+', '%']) {
        return Ok(name);
    }
    let spaced = name.replace('+', " ");
    text::percent_decode(&spaced).ok_or_else(|| corrupt("a key with a broken encoding"))
}

fn corrupt(what: &str) -> Error {
    Error::new(ErrorKind::Corrupt, format!("unusable listing: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page() {
        let page = parse(&Bytes::from_static(
            br#"<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><Prefix>p+</Prefix>
<NextContinuationToken>1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM=</NextContinuationToken>
<Contents><Key>a+b%2Bc%2F%0A%C3%A9//./%252F</Key><LastModified>2026-11-23T05:41:51.000Z</LastModified>
<ETag>&quot;d41d8cd98f00b204e9800998ecf8427e-2&quot;</ETag><ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm>
<ChecksumAlgorithm>XXHASH3</ChecksumAlgorithm><Size>5368709121</Size><Owner><ID>x</ID></Owner>
<StorageClass>GLACIER</StorageClass></Contents>
<Contents><Key>%5C</Key><LastModified>2026-11-23T05:41:51Z</LastModified><ETag>"e"</ETag><Size>0</Size><StorageClass/></Contents>
<CommonPrefixes><Prefix>a+%2B/</Prefix></CommonPrefixes>
<EncodingType>url</EncodingType><IsTruncated>true</IsTruncated></ListBucketResult>"#,
        ))
        .unwrap();
        let time = Timestamp(1_795_412_511);
        assert_eq!(
            page,
            SourcePage {
                objects: vec![
                    SourceObject {
                        key: "a b+c/\né//./%2F".to_owned(),
                        size: 5_368_709_121,
                        etag: ETag::parse("d41d8cd98f00b204e9800998ecf8427e-2"),
                        last_modified: time,
                        storage_class: Some("GLACIER".to_owned()),
                        checksum_algorithms: vec![Algorithm::Crc64Nvme],
                    },
                    SourceObject {
                        key: "\\".to_owned(),
                        size: 0,
                        etag: ETag::parse("e"),
                        last_modified: time,
                        storage_class: None,
                        checksum_algorithms: vec![],
                    },
                ],
                prefixes: vec!["a +/".to_owned()],
                truncated: true,
                next_token: Some("1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM=".to_owned()),
            }
        );
    }

    #[test]
    fn keys_of_a_source_that_does_not_encode_are_taken_as_they_are() {
        let page = parse(&Bytes::from_static(
            b"<ListBucketResult><Contents><Key>a+b%20&amp;&#x63;</Key><LastModified>2026-11-23T05:41:51Z</LastModified>\
              <ETag>e</ETag><Size>1</Size></Contents></ListBucketResult>",
        ));
        assert_eq!(page.unwrap().objects[0].key, "a+b%20&c");
    }

    #[test]
    fn pages_that_cannot_be_trusted() {
        for bad in [
            "",
            "<html/>",
            "<ListBucketResult><Contents>",
            "<ListBucketResult><Contents><Key>k</Key></Contents></ListBucketResult>",
            "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
            "<ListBucketResult><EncodingType>url</EncodingType><CommonPrefixes><Prefix>%zz</Prefix></CommonPrefixes></ListBucketResult>",
        ] {
            assert_eq!(parse(&Bytes::from(bad)).unwrap_err().kind(), ErrorKind::Corrupt, "{bad}");
        }
    }

    #[test]
    fn queries() {
        let list =
            SourceList { prefix: "a b/+é".to_owned(), start_after: Some("x/y".to_owned()), ..Default::default() };
        assert_eq!(query(&list), "encoding-type=url&list-type=2&prefix=a%20b%2F%2B%C3%A9&start-after=x%2Fy");
        let list = SourceList { continuation_token: Some("t/=".to_owned()), max_keys: Some(7), ..list };
        assert_eq!(
            query(&list),
            "continuation-token=t%2F%3D&encoding-type=url&list-type=2&max-keys=7&prefix=a%20b%2F%2B%C3%A9"
        );
    }
}
