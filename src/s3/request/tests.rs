use http::{HeaderName, HeaderValue};
use proptest::prelude::*;

use super::*;
use crate::object::condition::TagList;
use crate::object::{Algorithm, ByteRange, WriteCondition};
use crate::s3::operation::{ChecksumType, PartNumber, Unheld};
use crate::s3::payload::PayloadMode;
use crate::s3::xml::KeyEncoding;

/// Parses `METHOD target`, with `name: value` lines.
fn ask(line: &str, headers: &[&str]) -> Result<Operation> {
    let (method, target) = line.split_once(' ').unwrap();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut map = HeaderMap::new();
    for header in headers {
        let (name, value) = header.split_once(": ").unwrap();
        map.append(HeaderName::try_from(name).unwrap(), HeaderValue::from_str(value).unwrap());
    }
    parse(&method.parse().unwrap(), path, query, &map, &Addressing::new(["s3.test"]))
}

fn code(line: &str, headers: &[&str]) -> S3Code {
    ask(line, headers).expect_err(line).code()
}

const LENGTH: &str = "content-length: 3";

#[test]
fn every_operation() {
    let source = "x-amz-copy-source: bucket/other";
    for (line, headers, name) in [
        ("GET /", &[][..], "ListBuckets"),
        ("POST /", &[], "MethodNotAllowed"),
        ("HEAD /bucket", &[], "HeadBucket"),
        ("PUT /bucket", &[], "CreateBucket"),
        ("PUT /bucket/", &["content-length: 9"], "CreateBucket"),
        ("DELETE /bucket", &[], "DeleteBucket"),
        ("GET /bucket?location", &[], "GetBucketLocation"),
        ("GET /bucket?versioning=", &[], "GetBucketVersioning"),
        ("GET /bucket?acl", &[], "GetBucketAcl"),
        ("GET /bucket", &[], "ListObjects"),
        ("GET /bucket/?encoding-type=url&list-type=2", &[], "ListObjectsV2"),
        ("GET /bucket?versions", &[], "ListObjectVersions"),
        ("GET /bucket?uploads=", &[], "ListMultipartUploads"),
        ("POST /bucket/?delete=", &[LENGTH], "DeleteObjects"),
        ("POST /bucket", &[LENGTH], "PostObject"),
        ("GET /bucket?lifecycle", &[], "GetBucketLifecycleConfiguration"),
        ("PUT /bucket?versioning", &[LENGTH], "PutBucketVersioning"),
        ("PUT /bucket?acl", &["x-amz-acl: private"], "PutBucketAcl"),
        ("PUT /bucket?tagging=", &[LENGTH], "PutBucketTagging"),
        ("DELETE /bucket?tagging", &[], "DeleteBucketTagging"),
        ("GET /bucket?tagging", &[], "GetBucketTagging"),
        ("DELETE /bucket?policy", &[], "DeleteBucketPolicy"),
        ("DELETE /bucket?brand-new", &[], "UnknownSubresource"),
        ("DELETE /bucket?acl", &[], "MethodNotAllowed"),
        ("PATCH /bucket", &[], "MethodNotAllowed"),
        ("GET /bucket/k", &[], "GetObject"),
        ("GET /bucket/k?x-id=GetObject&unknown=1", &[], "GetObject"),
        ("HEAD /bucket/k?partNumber=1", &[], "HeadObject"),
        ("GET /bucket/k?attributes", &["x-amz-object-attributes: ETag"], "GetObjectAttributes"),
        ("GET /bucket/k?acl", &[], "GetObjectAcl"),
        ("GET /bucket/k?tagging", &[], "GetObjectTagging"),
        ("GET /bucket/k?uploadId=u", &[], "ListParts"),
        ("GET /bucket/k?torrent", &[], "GetObjectTorrent"),
        ("PUT /bucket/k?retention", &[LENGTH], "PutObjectRetention"),
        ("PUT /bucket/k?x-id=PutObject", &[LENGTH], "PutObject"),
        ("PUT /bucket/k", &[source], "CopyObject"),
        ("PUT /bucket/k?tagging=", &[LENGTH], "PutObjectTagging"),
        ("PUT /bucket/k?acl", &["x-amz-acl: bucket-owner-full-control"], "PutObjectAcl"),
        ("PUT /bucket/k?uploads", &[LENGTH], "UnknownSubresource"),
        ("PUT /bucket/k?brand-new", &[LENGTH], "UnknownSubresource"),
        ("PUT /bucket/k?partNumber=1&uploadId=u", &[LENGTH], "UploadPart"),
        ("PUT /bucket/k?partNumber=1&uploadId=u", &[source], "UploadPartCopy"),
        ("DELETE /bucket/k", &[], "DeleteObject"),
        ("DELETE /bucket/k?tagging", &[], "DeleteObjectTagging"),
        ("DELETE /bucket/k?uploadId=u", &[], "AbortMultipartUpload"),
        ("DELETE /bucket/k?legal-hold", &[], "MethodNotAllowed"),
        ("POST /bucket/k?uploads=", &[], "CreateMultipartUpload"),
        ("POST /bucket/k?uploadId=u", &[LENGTH], "CompleteMultipartUpload"),
        ("POST /bucket/k?restore", &[LENGTH], "RestoreObject"),
        ("POST /bucket/k?select&select-type=2", &[LENGTH], "SelectObjectContent"),
        ("POST /bucket/k", &[LENGTH], "MethodNotAllowed"),
        ("OPTIONS /bucket/k", &[], "MethodNotAllowed"),
        ("GET /k", &["host: bucket.s3.test:9000"], "GetObject"),
        ("GET /", &["host: bucket.s3.test"], "ListObjects"),
        ("GET /bucket/k", &["host: s3.test"], "GetObject"),
    ] {
        let operation = ask(line, headers).unwrap_or_else(|error| panic!("{line}: {error}"));
        assert_eq!(operation.name(), name, "{line}");
        let about_bucket = !matches!(operation, Operation::ListBuckets(_) | Operation::MethodNotAllowed);
        assert_eq!(operation.bucket().map(BucketName::as_str), about_bucket.then_some("bucket"), "{line}");
    }
}

#[test]
fn refusals() {
    let long = format!("GET /bucket/{}", "k".repeat(1_025));
    let meta = format!("x-amz-meta-a: {}", "v".repeat(2_048));
    for (line, headers, expected) in [
        ("GET /Bad_Bucket/k", &[][..], S3Code::InvalidBucketName),
        ("GET //k", &[], S3Code::InvalidBucketName),
        ("HEAD /$extremelyunlikelytoexist$", &[], S3Code::NoSuchBucket),
        ("GET /bucket/%ff", &[], S3Code::InvalidURI),
        ("GET /bucket?prefix=%zz", &[], S3Code::InvalidURI),
        ("GET bucket", &[], S3Code::InvalidURI),
        (&long, &[], S3Code::KeyTooLongError),
        ("GET /bucket?max-keys=-1", &[], S3Code::InvalidArgument),
        ("GET /bucket?max-keys=a", &[], S3Code::InvalidArgument),
        ("GET /bucket?max-keys=2147483648", &[], S3Code::InvalidArgument),
        ("GET /bucket?list-type=3", &[], S3Code::InvalidArgument),
        ("GET /bucket?encoding-type=base64", &[], S3Code::InvalidArgument),
        ("GET /bucket?prefix=a&prefix=b", &[], S3Code::InvalidArgument),
        ("GET /bucket?versions&version-id-marker=1", &[], S3Code::InvalidArgument),
        ("GET /bucket/k?partNumber=0", &[], S3Code::InvalidArgument),
        ("GET /bucket/k?partNumber=10001", &[], S3Code::InvalidArgument),
        ("GET /bucket/k?partNumber=1", &["range: bytes=0-1"], S3Code::InvalidRequest),
        ("GET /bucket/k?response-content-type=a%0d%0ab", &[], S3Code::InvalidArgument),
        ("GET /bucket/k?attributes", &[], S3Code::InvalidArgument),
        ("GET /bucket/k?attributes", &["x-amz-object-attributes: Etag"], S3Code::InvalidArgument),
        ("GET /bucket/k", &["x-amz-server-side-encryption-customer-key: a"], S3Code::NotImplemented),
        ("PUT /bucket/k", &[], S3Code::MissingContentLength),
        ("PUT /bucket/k", &["transfer-encoding: chunked"], S3Code::NotImplemented),
        ("PUT /bucket/k", &["content-length: 5368709121"], S3Code::EntityTooLarge),
        ("PUT /bucket/k", &[LENGTH, &meta], S3Code::MetadataTooLarge),
        ("PUT /bucket/k", &[LENGTH, "x-amz-tagging: a=1&a=2"], S3Code::InvalidArgument),
        ("PUT /bucket/k", &[LENGTH, "x-amz-tagging: AWS:a=1"], S3Code::InvalidTag),
        ("PUT /bucket/k", &[LENGTH, "x-amz-tagging: a=%zz"], S3Code::InvalidArgument),
        ("PUT /bucket/k", &[LENGTH, "x-amz-acl: public-read"], S3Code::AccessControlListNotSupported),
        ("PUT /bucket/k", &[LENGTH, "x-amz-acl: junk"], S3Code::InvalidArgument),
        ("PUT /bucket/k", &[LENGTH, "x-amz-grant-read: id=1"], S3Code::AccessControlListNotSupported),
        ("PUT /bucket", &["x-amz-acl: public-read-write"], S3Code::InvalidBucketAclWithObjectOwnership),
        ("PUT /bucket?acl", &["x-amz-acl: public-read"], S3Code::AccessControlListNotSupported),
        ("PUT /bucket?acl", &["content-length: 80"], S3Code::AccessControlListNotSupported),
        ("PUT /bucket/k?acl", &["x-amz-grant-read: id=1"], S3Code::AccessControlListNotSupported),
        ("PUT /bucket/k?acl", &["content-length: 0"], S3Code::MissingSecurityHeader),
        ("GET /bucket/k?retention", &[], S3Code::InvalidRequest),
        ("GET /?max-buckets=0", &[], S3Code::InvalidArgument),
        ("PUT /bucket/k", &[LENGTH, "x-amz-storage-class: FAST"], S3Code::InvalidStorageClass),
        ("PUT /bucket/k", &[LENGTH, "x-amz-server-side-encryption: aws:kms"], S3Code::NotImplemented),
        ("PUT /bucket/k", &[LENGTH, "x-amz-server-side-encryption: DES"], S3Code::InvalidEncryptionAlgorithmError),
        ("PUT /bucket/k", &[LENGTH, "x-amz-server-side-encryption-aws-kms-key-id: a"], S3Code::NotImplemented),
        ("PUT /bucket/k", &[LENGTH, "x-amz-object-lock-mode: GOVERNANCE"], S3Code::InvalidRequest),
        ("PUT /bucket/k", &[LENGTH, "x-amz-write-offset-bytes: 3"], S3Code::NotImplemented),
        ("PUT /bucket/k", &[LENGTH, "if-none-match: \"a\""], S3Code::NotImplemented),
        ("PUT /bucket/k", &[LENGTH, "if-none-match: *", "if-match: a"], S3Code::NotImplemented),
        ("PUT /bucket/k", &[LENGTH, "if-match: a", "if-match: b"], S3Code::InvalidArgument),
        ("PUT /bucket/k", &[LENGTH, "content-md5: x"], S3Code::InvalidDigest),
        ("PUT /bucket/k?partNumber=1", &[LENGTH], S3Code::InvalidArgument),
        ("PUT /bucket/k?uploadId=u", &[LENGTH], S3Code::InvalidArgument),
        ("PUT /bucket/k?uploadId=&partNumber=1", &[LENGTH], S3Code::InvalidArgument),
        ("PUT /bucket/k", &["x-amz-copy-source: bucket/k"], S3Code::InvalidRequest),
        ("PUT /bucket/k", &["x-amz-copy-source: bucket"], S3Code::InvalidArgument),
        ("PUT /bucket/k", &["x-amz-copy-source: a/b", "x-amz-metadata-directive: NO"], S3Code::InvalidBucketName),
        ("PUT /bucket/k", &["x-amz-copy-source: abc/b", "x-amz-metadata-directive: NO"], S3Code::InvalidArgument),
        ("DELETE /bucket/k", &["x-amz-if-match-size: -3"], S3Code::InvalidArgument),
        ("DELETE /bucket/k", &["x-amz-if-match-last-modified-time: never"], S3Code::InvalidArgument),
        ("PUT /bucket/k", &[LENGTH, "x-amz-if-match-size: 3"], S3Code::NotImplemented),
        ("DELETE /bucket/k?uploadId=", &[], S3Code::InvalidArgument),
        (
            "POST /bucket/k?uploads",
            &["x-amz-checksum-algorithm: SHA256", "x-amz-checksum-type: FULL_OBJECT"],
            S3Code::InvalidRequest,
        ),
        ("POST /bucket/k?uploads", &["x-amz-checksum-type: FULL_OBJECT"], S3Code::InvalidRequest),
        ("POST /bucket/k?uploadId=u", &[LENGTH, "x-amz-mp-object-size: -1"], S3Code::InvalidRequest),
    ] {
        assert_eq!(code(line, headers), expected, "{line} {headers:?}");
    }
}

#[test]
fn keys_that_blob_cannot_hold() {
    for key in ["..", "a/../b", "a/%2e%2e/b", "a%5Cb", "a/b.", "%00", "a%0Ab"] {
        for line in ["PUT /bucket/{}", "POST /bucket/{}?uploads", "PUT /bucket/{}?uploadId=u&partNumber=1"] {
            let line = line.replace("{}", key);
            assert_eq!(code(&line, &[LENGTH]), S3Code::InvalidArgument, "{line}");
        }
        for (line, expected) in [
            ("GET /bucket/{}", Unheld::NoSuchKey),
            ("HEAD /bucket/{}", Unheld::NoSuchKey),
            ("GET /bucket/{}?tagging", Unheld::NoSuchKey),
            ("DELETE /bucket/{}", Unheld::Deleted),
            ("GET /bucket/{}?uploadId=u", Unheld::NoSuchUpload),
            ("DELETE /bucket/{}?uploadId=u", Unheld::NoSuchUpload),
        ] {
            let line = line.replace("{}", key);
            let unheld = ask(&line, &[]).unwrap().unheld().map(|(answer, _)| answer);
            assert_eq!(unheld, Some(expected), "{line}");
        }
        let copy = ask("PUT /bucket/k", &[&format!("x-amz-copy-source: bucket/{key}")]).unwrap();
        assert_eq!(copy.unheld().map(|(answer, _)| answer), Some(Unheld::NoSuchKey));
    }
    // Encoded twice is another key, and one that Blob holds.
    let twice = ask("PUT /bucket/%252e%252e", &[LENGTH]).unwrap();
    assert_eq!(twice.address().unwrap().key.as_str(), "%2e%2e");
    assert!(twice.unheld().is_none());
}

#[test]
fn put_object_fields() {
    let headers = [
        "x-amz-content-sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
        "x-amz-decoded-content-length: 12",
        "content-length: 999",
        "x-amz-trailer: x-amz-checksum-crc32",
        "x-amz-sdk-checksum-algorithm: CRC32",
        "content-encoding: aws-chunked,gzip",
        "content-type: application/x-directory",
        "cache-control: no-cache",
        "expires: whenever",
        "x-amz-meta-Name: A",
        "x-amz-meta-name: B",
        "x-amz-tagging: TrinoCreationId=a%2Fb",
        "x-amz-storage-class: GLACIER_IR",
        "x-amz-server-side-encryption: AES256",
        "x-amz-acl: private",
        "if-none-match: *",
    ];
    let Operation::PutObject(put) = ask("PUT /bucket/day%3D1/a+b%20c", &headers).unwrap() else { panic!() };
    assert_eq!(put.address.key.as_str(), "day=1/a+b c");
    assert_eq!(put.body.mode, PayloadMode::StreamingSigned { trailer: true });
    assert_eq!((put.body.length, put.body.trailers), (12, vec!["x-amz-checksum-crc32".to_owned()]));
    assert_eq!(put.object.content.content_encoding.as_deref(), Some("gzip"));
    assert_eq!(put.object.content.expires.as_deref(), Some("whenever"));
    assert_eq!(put.object.metadata.get("name"), Some("A,B"));
    assert_eq!(put.object.tags.iter().collect::<Vec<_>>(), [("TrinoCreationId", "a/b")]);
    assert_eq!(put.object.storage_class.as_deref(), Some("GLACIER_IR"));
    assert!(put.object.encryption_asked);
    assert_eq!(put.condition, WriteCondition::Absent);
}

#[test]
fn read_fields() {
    let line = "GET /bucket/k?versionId=null&response-content-disposition=attachment%3B%20a&partNumber=7";
    let headers =
        ["if-match: \"e\"", "x-amz-checksum-mode: enabled", "x-amz-checksum-crc32: AAAAAA==", "x-amz-te: append-md5"];
    let Operation::GetObject(get) = ask(line, &headers).unwrap() else { panic!() };
    assert_eq!(get.version_id.as_deref(), Some("null"));
    assert_eq!(get.part_number, PartNumber::new(7));
    assert_eq!(get.condition.if_match, Some(TagList::parse("e")));
    assert_eq!(get.overrides.content_disposition.as_deref(), Some("attachment; a"));
    assert!(get.checksum_mode);
    let Operation::GetObject(get) = ask("GET /bucket/k", &["range: bytes=-5"]).unwrap() else { panic!() };
    assert_eq!(get.range, Some(ByteRange::Suffix { length: 5 }));
    let Operation::GetObject(get) = ask("GET /bucket/k", &["range: bytes=0-1,3-4"]).unwrap() else { panic!() };
    assert_eq!(get.range, None);
}

#[test]
fn listing_fields() {
    let line = "GET /bucket?list-type=2&prefix=a+b%2Fc%2B&delimiter=&max-keys=5000&encoding-type=url&start-after=&fetch-owner=true";
    let Operation::ListObjectsV2(list) = ask(line, &[]).unwrap() else { panic!() };
    assert_eq!(list.listing.prefix, "a b/c+");
    assert_eq!((list.listing.delimiter, list.listing.max_keys), (None, 1_000));
    assert_eq!(list.listing.encoding, KeyEncoding::Url);
    assert!(list.start_after.is_none() && list.fetch_owner && list.continuation_token.is_none());
    let Operation::ListObjectsV1(list) = ask("GET /bucket/?max-keys=0&marker=m&delimiter=ab", &[]).unwrap() else {
        panic!()
    };
    assert_eq!((list.listing.max_keys, list.marker.as_deref()), (0, Some("m")));
    assert_eq!(list.listing.delimiter.as_deref(), Some("ab"));
}

#[test]
fn copy_fields() {
    let headers = [
        "x-amz-copy-source: /source-bucket/a%20b?versionId=v1",
        "x-amz-copy-source-if-match: \"e\"",
        "x-amz-metadata-directive: REPLACE",
        "x-amz-tagging-directive: REPLACE",
        "x-amz-tagging: a=b",
        "x-amz-meta-m: v",
        "x-amz-checksum-algorithm: SHA256",
    ];
    let Operation::CopyObject(copy) = ask("PUT /bucket/k", &headers).unwrap() else { panic!() };
    assert_eq!(copy.source.address.bucket.as_str(), "source-bucket");
    assert_eq!(copy.source.address.key.as_str(), "a b");
    assert_eq!(copy.source.version_id.as_deref(), Some("v1"));
    assert_eq!(copy.source.condition.if_match, Some(TagList::parse("e")));
    assert_eq!(copy.condition, WriteCondition::None);
    assert_eq!(copy.replace_metadata.unwrap().1.get("m"), Some("v"));
    assert_eq!(copy.replace_tags.unwrap().len(), 1);
    assert_eq!(copy.checksum_algorithm, Some(Algorithm::Sha256));
    let range = ["x-amz-copy-source: abc/k", "x-amz-copy-source-range: bytes=0-9"];
    let Operation::UploadPartCopy(copy) = ask("PUT /bucket/k?uploadId=u&partNumber=2", &range).unwrap() else {
        panic!()
    };
    assert_eq!(copy.range, Some(ByteRange::Inclusive { first: 0, last: 9 }));
    for bad in ["bytes=0-", "bytes=-9", "0-9", "bytes=9-0"] {
        let headers = ["x-amz-copy-source: abc/k", &format!("x-amz-copy-source-range: {bad}")];
        assert_eq!(code("PUT /bucket/k?uploadId=u&partNumber=2", &headers), S3Code::InvalidArgument, "{bad}");
    }
}

#[test]
fn multipart_fields() {
    let headers = ["x-amz-checksum-algorithm: CRC32", "x-amz-checksum-type: FULL_OBJECT"];
    let Operation::CreateMultipartUpload(create) = ask("POST /bucket/k?uploads=", &headers).unwrap() else { panic!() };
    assert_eq!(create.checksum_algorithm, Some(Algorithm::Crc32));
    assert_eq!(create.checksum_type, Some(ChecksumType::FullObject));
    let headers = [LENGTH, "if-none-match: *", "x-amz-checksum-crc32: AAAAAA==-2", "x-amz-mp-object-size: 7"];
    let Operation::CompleteMultipartUpload(complete) = ask("POST /bucket/k?uploadId=u", &headers).unwrap() else {
        panic!()
    };
    assert_eq!(complete.condition, WriteCondition::Absent);
    assert_eq!(complete.checksum.unwrap().text(), "AAAAAA==-2");
    assert_eq!(complete.object_size, Some(7));
    assert_eq!(complete.body.checksum, None);
}

/// A presigned URL may carry the headers of the request in its query; unsigned ones may not.
#[test]
fn hoisted_headers() {
    let line = "PUT /bucket/k?X-Amz-Meta-A=b&x-amz-acl=public-read&X-Amz-Date=d&X-Amz-Signature=s";
    assert_eq!(code(line, &[LENGTH]), S3Code::AccessControlListNotSupported);
    let line = "PUT /bucket/k?X-Amz-Meta-A=b&x-amz-tagging=t%3Dv&X-Amz-Date=d&X-Amz-Signature=s";
    let Operation::PutObject(put) = ask(line, &[LENGTH, "x-amz-tagging: t=w"]).unwrap() else { panic!() };
    assert_eq!(put.object.metadata.get("a"), Some("b"));
    assert_eq!(put.object.tags.iter().collect::<Vec<_>>(), [("t", "w")]);
    let Operation::PutObject(put) = ask("PUT /bucket/k?X-Amz-Meta-A=b", &[LENGTH]).unwrap() else { panic!() };
    assert!(put.object.metadata.is_empty());
}

proptest! {
    /// A key is the bytes between the slashes, encoded once.
    #[test]
    fn keys_survive(key in "\\PC{1,60}") {
        let path = format!("/bucket/{}", crate::object::text::percent_encode(&key, b"/"));
        let operation = parse(&Method::GET, &path, "", &HeaderMap::new(), &Addressing::default()).unwrap();
        prop_assert_eq!(operation.address().unwrap().key.as_str(), key);
    }

    #[test]
    fn junk_never_panics(
        method in prop_oneof![Just(Method::GET), Just(Method::PUT), Just(Method::POST), Just(Method::DELETE), Just(Method::HEAD)],
        path in "(/[a-z%2F+.é]{0,6}){0,3}",
        query in "((uploads|uploadId|partNumber|delete|tagging|acl|max-keys|prefix|versionId|X-Amz-Signature|x-amz-acl)(=[a-z0-9%&+=-]{0,5})?&?){0,3}",
        names in proptest::collection::vec(0_usize..12, 0..4),
        value in "[ -~]{0,24}",
    ) {
        let known = ["content-length", "x-amz-copy-source", "range", "if-match", "if-none-match", "x-amz-tagging",
            "x-amz-content-sha256", "x-amz-trailer", "x-amz-checksum-crc32", "host", "x-amz-copy-source-range", "content-md5"];
        let mut headers = HeaderMap::new();
        for name in names {
            headers.append(known[name], HeaderValue::from_str(&value).unwrap());
        }
        let _ = parse(&method, &path, &query, &headers, &Addressing::new(["s3.test"]));
        let _ = crate::s3::SignedRequest::parse(&method, &path, &query, &headers);
    }
}
