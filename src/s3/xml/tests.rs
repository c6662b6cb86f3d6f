use proptest::prelude::*;

use super::*;
use crate::object::listing::{ListEntry, ListPage, ListedObject};
use crate::object::{BucketName, Checksum, ETag, ObjectKey, Tags, Timestamp};
use crate::s3::error::{S3Code, S3Error};
use crate::s3::operation::{
    Attributes, GetObjectAttributes, ListMultipartUploads, ListObjectVersions, ListObjectsV1, ListObjectsV2, ListParts,
    Listing, ObjectAddress, PartNumber, UploadAddress, VersionedObject,
};

const AT: Timestamp = Timestamp(1_795_412_511);
const SHOWN: &str = "<LastModified>2026-11-23T05:41:51.000Z</LastModified>";

fn bucket() -> BucketName {
    BucketName::new("bucket").unwrap()
}

fn address(key: &str) -> ObjectAddress {
    ObjectAddress { bucket: bucket(), key: ObjectKey::new(key).unwrap() }
}

/// The inside of the root of a document.
fn body<'a>(document: &'a str, root: &str) -> &'a str {
    let opening = format!("{DECLARATION}<{root} xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    let inner = document.strip_prefix(&opening).unwrap_or_else(|| panic!("{document}"));
    inner.strip_suffix(&format!("</{root}>")).unwrap()
}

fn page() -> ListPage<ListedObject> {
    let object = |key: &str, class: Option<&str>| {
        ListEntry::Object(ListedObject {
            key: ObjectKey::new(key).unwrap(),
            size: 5,
            etag: ETag::parse("e-1"),
            last_modified: AT,
            storage_class: class.map(str::to_owned),
        })
    };
    let entries = vec![object("a&b +\u{1}", None), ListEntry::Prefix("d é/".into()), object("z", Some("GLACIER"))];
    ListPage { entries, truncated: true }
}

fn listing(encoding: KeyEncoding) -> Listing {
    Listing { prefix: "<p>".into(), delimiter: Some("/".into()), max_keys: 3, encoding }
}

const OBJECT_REST: &str = "<ETag>&quot;e-1&quot;</ETag><Size>5</Size>";
const OWNER: &str = "<Owner><ID>bluebucket</ID><DisplayName>bluebucket</DisplayName></Owner>";

#[test]
fn list_objects_v2() {
    let request = ListObjectsV2 {
        bucket: bucket(),
        listing: listing(KeyEncoding::Url),
        continuation_token: Some("tok".into()),
        start_after: Some("s t".into()),
        fetch_owner: false,
    };
    let document = list_objects::render_v2(&request, &page(), Some("next"), &Owner::default());
    let first = list_objects::render_v2(
        &ListObjectsV2 { continuation_token: None, ..request },
        &page(),
        Some("next"),
        &Owner::default(),
    );
    let token = "<NextContinuationToken>next</NextContinuationToken>";
    assert!(body(&first, "ListBucketResult").contains(&format!("{token}<StartAfter>s%20t</StartAfter>")));
    assert_eq!(
        body(&document, "ListBucketResult"),
        format!(
            "<Name>bucket</Name><Prefix>%3Cp%3E</Prefix><Delimiter>/</Delimiter><MaxKeys>3</MaxKeys>\
             <EncodingType>url</EncodingType><IsTruncated>true</IsTruncated><KeyCount>3</KeyCount>\
             <ContinuationToken>tok</ContinuationToken><NextContinuationToken>next</NextContinuationToken>\
             <Contents><Key>a%26b%20%2B%01</Key>{SHOWN}{OBJECT_REST}<StorageClass>STANDARD</StorageClass></Contents>\
             <Contents><Key>z</Key>{SHOWN}{OBJECT_REST}<StorageClass>GLACIER</StorageClass></Contents>\
             <CommonPrefixes><Prefix>d%20%C3%A9/</Prefix></CommonPrefixes>"
        )
    );
}

#[test]
fn list_objects_v1_and_versions() {
    let request = ListObjectsV1 { bucket: bucket(), listing: listing(KeyEncoding::Plain), marker: None };
    let document = list_objects::render_v1(&request, &page(), Some("z"), &Owner::default());
    let inner = body(&document, "ListBucketResult");
    assert!(inner.starts_with(
        "<Name>bucket</Name><Prefix>&lt;p&gt;</Prefix><Delimiter>/</Delimiter><MaxKeys>3</MaxKeys>\
         <IsTruncated>true</IsTruncated><Marker></Marker><NextMarker>z</NextMarker>\
         <Contents><Key>a&amp;b +&#x1;</Key>"
    ));
    assert!(inner.contains(OWNER) && inner.ends_with("<CommonPrefixes><Prefix>d é/</Prefix></CommonPrefixes>"));

    let request = ListObjectVersions {
        bucket: bucket(),
        listing: Listing { max_keys: 2, ..Listing::default() },
        key_marker: None,
        version_id_marker: None,
    };
    let document = list_versions::render(&request, &page(), Some("z"), &Owner::default());
    let inner = body(&document, "ListVersionsResult");
    assert!(inner.contains("<NextKeyMarker>z</NextKeyMarker><NextVersionIdMarker>null</NextVersionIdMarker>"));
    assert!(inner.contains(&format!(
        "<Version><Key>z</Key><VersionId>null</VersionId><IsLatest>true</IsLatest>{SHOWN}{OBJECT_REST}{OWNER}\
         <StorageClass>GLACIER</StorageClass></Version>"
    )));
}

#[test]
fn small_documents() {
    let owner = Owner::default();
    let name = bucket();
    let buckets = list_buckets::Page { buckets: &[(&name, AT)], region: "r", prefix: Some("b"), next: Some("t") };
    assert_eq!(body(&location::render("us-east-1"), "LocationConstraint"), "");
    assert_eq!(body(&location::render("eu-west-1"), "LocationConstraint"), "eu-west-1");
    assert_eq!(body(&versioning::render(), "VersioningConfiguration"), "");
    assert_eq!(
        body(&list_buckets::render(&owner, &buckets), "ListAllMyBucketsResult"),
        format!(
            "{OWNER}<Buckets><Bucket><Name>bucket</Name><CreationDate>2026-11-23T05:41:51.000Z</CreationDate>\
             <BucketRegion>r</BucketRegion></Bucket></Buckets><Prefix>b</Prefix><ContinuationToken>t</ContinuationToken>"
        )
    );
    let acl = access_control::render(&owner);
    assert!(body(&acl, "AccessControlPolicy").starts_with(OWNER) && acl.contains("FULL_CONTROL"));
    let crc = Checksum::full_object(crate::object::Algorithm::Crc32, &[0; 4]);
    let etag = ETag::parse("e");
    assert_eq!(
        body(&copy::render_object(&etag, AT, std::slice::from_ref(&crc)), "CopyObjectResult"),
        format!(
            "{SHOWN}<ETag>&quot;e&quot;</ETag><ChecksumCRC32>AAAAAA==</ChecksumCRC32>\
             <ChecksumType>FULL_OBJECT</ChecksumType>"
        )
    );
    assert_eq!(
        body(&copy::render_part(&etag, AT, &[]), "CopyPartResult"),
        format!("{SHOWN}<ETag>&quot;e&quot;</ETag>")
    );
    assert_eq!(
        body(&multipart::render_initiated(&address("k&"), "id"), "InitiateMultipartUploadResult"),
        "<Bucket>bucket</Bucket><Key>k&amp;</Key><UploadId>id</UploadId>"
    );
    let composite = Checksum::composite(crate::object::Algorithm::Crc32, [&crc, &crc]);
    let done = multipart::render_completed(&address("k"), "http://h/bucket/k", &etag, &[composite]);
    assert!(
        body(&done, "CompleteMultipartUploadResult")
            .ends_with("-2</ChecksumCRC32><ChecksumType>COMPOSITE</ChecksumType>")
    );
}

#[test]
fn parts_uploads_and_attributes() {
    let number = PartNumber::new(3).unwrap();
    let request = ListParts {
        upload: UploadAddress { address: address("k"), upload_id: "u".into() },
        max_parts: 1,
        part_number_marker: 2,
        encoding: KeyEncoding::Plain,
    };
    let part = list_parts::ListedPart { number, etag: ETag::parse("e"), size: 9, last_modified: AT, checksum: None };
    let page = list_parts::PartsPage { parts: vec![part], truncated: true, ..Default::default() };
    let document = list_parts::render(&request, &page, &Owner::default());
    assert!(body(&document, "ListPartsResult").ends_with(&format!(
        "<PartNumberMarker>2</PartNumberMarker><NextPartNumberMarker>3</NextPartNumberMarker><MaxParts>1</MaxParts>\
         <IsTruncated>true</IsTruncated><Part><PartNumber>3</PartNumber>{SHOWN}<ETag>&quot;e&quot;</ETag>\
         <Size>9</Size></Part>"
    )));

    let request = ListMultipartUploads {
        bucket: bucket(),
        listing: Listing { max_keys: 1, ..Listing::default() },
        key_marker: None,
        upload_id_marker: None,
    };
    let upload = list_uploads::ListedUpload {
        key: ObjectKey::new("k").unwrap(),
        upload_id: "u".into(),
        initiated: AT,
        storage_class: None,
        checksum_algorithm: None,
        checksum_type: None,
    };
    let page = ListPage { entries: vec![ListEntry::Object(upload)], truncated: true };
    let document = list_uploads::render(&request, &page, Some(("k", "u")), &Owner::default());
    let inner = body(&document, "ListMultipartUploadsResult");
    assert!(inner.contains("<NextKeyMarker>k</NextKeyMarker><NextUploadIdMarker>u</NextUploadIdMarker>"));
    assert!(inner.contains("<MaxUploads>1</MaxUploads>") && inner.contains("<UploadId>u</UploadId><Initiator>"));

    let request = GetObjectAttributes {
        object: VersionedObject { address: address("k"), version_id: None },
        attributes: Attributes { etag: true, object_size: true, ..Attributes::default() },
        max_parts: 1_000,
        part_number_marker: 0,
    };
    let etag = ETag::parse("e");
    let object =
        object_attributes::ObjectAttributes { etag: &etag, size: 7, storage_class: None, checksums: &[], parts: None };
    let document = object_attributes::render(&request, &object);
    assert_eq!(body(&document, "GetObjectAttributesOutput"), "<ETag>e</ETag><ObjectSize>7</ObjectSize>");
}

/// Every form that real clients were seen to send.
#[test]
fn complete_forms() {
    for document in [
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>e</ETag></Part></CompleteMultipartUpload>",
        "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Part><ETag>\"e\"</ETag>\
         <PartNumber>1</PartNumber></Part></CompleteMultipartUpload>",
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<CompleteMultipartUpload>\n  <Part>\n    <ETag>&quot;e&quot;</ETag>\n   \
         <PartNumber> 1 </PartNumber>\n  </Part>\n</CompleteMultipartUpload>\n",
        "<s:CompleteMultipartUpload xmlns:s=\"u\"><s:Part><s:PartNumber>1</s:PartNumber><s:ETag>&#34;e&#x22;</s:ETag>\
         <s:ChecksumXXHASH3>?</s:ChecksumXXHASH3></s:Part></s:CompleteMultipartUpload>",
        "<CompleteMultipartUpload><!-- c --><Part><PartNumber>1</PartNumber><ETag><![CDATA[e]]></ETag><X/></Part>\
         </CompleteMultipartUpload>",
    ] {
        let parts = complete::parse(document.as_bytes()).unwrap_or_else(|error| panic!("{error}: {document}"));
        assert_eq!((parts[0].number.get(), parts[0].etag.as_str()), (1, "e"), "{document}");
        assert_eq!((parts.len(), &parts[0].checksum), (1, &None));
    }
    let with_checksum = "<CompleteMultipartUpload><Part><PartNumber>10000</PartNumber><ETag>e</ETag>\
                         <ChecksumCRC32>AAAAAA==</ChecksumCRC32></Part></CompleteMultipartUpload>";
    assert!(complete::parse(with_checksum.as_bytes()).unwrap()[0].checksum.is_some());
}

fn parts(numbers: impl Iterator<Item = usize>) -> String {
    let parts = numbers.map(|number| format!("<Part><PartNumber>{number}</PartNumber><ETag>e</ETag></Part>"));
    format!("<CompleteMultipartUpload>{}</CompleteMultipartUpload>", parts.collect::<String>())
}

#[test]
fn complete_refusals() {
    assert_eq!(complete::parse(parts(1..=10_000).as_bytes()).unwrap().len(), 10_000);
    let deep = format!("{}{}", "<CompleteMultipartUpload>".repeat(7), "</CompleteMultipartUpload>".repeat(7));
    let bomb = "<!DOCTYPE x [<!ENTITY a \"aa\">]><CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>&a;</ETag>\
                </Part></CompleteMultipartUpload>";
    for (document, expected) in [
        (parts(1..=10_001), S3Code::MalformedXML),
        (parts(0..1), S3Code::InvalidArgument),
        (parts(10_001..10_002), S3Code::InvalidArgument),
        (parts([2, 1].into_iter()), S3Code::InvalidPartOrder),
        (parts([1, 1].into_iter()), S3Code::InvalidPartOrder),
        (parts(0..0), S3Code::MalformedXML),
        (deep, S3Code::MalformedXML),
        (bomb.into(), S3Code::MalformedXML),
        (bomb[bomb.find("<C").unwrap()..].into(), S3Code::MalformedXML),
        (parts(1..2).replace("e</ETag>", "</ETag>"), S3Code::MalformedXML),
        (parts(1..2).replace("<ETag>e</ETag>", ""), S3Code::MalformedXML),
        (parts(1..2).replace("<ETag>", "<ETag>a</ETag><ETag>"), S3Code::MalformedXML),
        (parts(1..2).replace("</Part>", ""), S3Code::MalformedXML),
        (parts(1..2).replace(">1<", ">one<"), S3Code::MalformedXML),
        (parts(1..2).replace("Upload>", "Download>"), S3Code::MalformedXML),
        (parts(1..2) + "x", S3Code::MalformedXML),
        (parts(1..2) + "<a/>", S3Code::MalformedXML),
        (parts(1..2)[..50].into(), S3Code::MalformedXML),
        (parts(1..2).replace("<ETag>", "<?php ?><ETag>"), S3Code::MalformedXML),
        (parts(1..2).replace("<ETag>", &format!("{}<ETag>", "<a/>".repeat(100_000))), S3Code::MalformedXML),
        (String::new(), S3Code::InvalidRequest),
        (" \n".into(), S3Code::MalformedXML),
    ] {
        assert_eq!(complete::parse(document.as_bytes()).unwrap_err().code(), expected, "{document:.200}");
    }
    assert_eq!(complete::parse(b"<a>\xff</a>").unwrap_err().code(), S3Code::MalformedXML);
}

#[test]
fn delete_both_ways() {
    let document = "<?xml version=\"1.0\"?><Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Object><Key> a&amp;&#233; \
                    </Key></Object><Object><Key>b</Key><VersionId>null</VersionId><ETag>\"e\"</ETag></Object>\
                    <Quiet>true</Quiet></Delete>";
    let delete = delete::parse(document.as_bytes()).unwrap();
    assert!(delete.quiet);
    assert_eq!(delete.objects[0].key.as_str(), " a&é ");
    assert_eq!(delete.objects[1].version_id.as_deref(), Some("null"));
    assert!(delete.objects[0].condition.is_empty() && delete.objects[1].condition.etag.is_some());
    let [first, second] = &delete.objects[..] else { panic!() };
    let outcomes = [
        delete::DeleteOutcome { entry: first, result: Ok(()) },
        delete::DeleteOutcome { entry: second, result: Err(S3Error::new(S3Code::AccessDenied, "no")) },
    ];
    let error = "<Error><Key>b</Key><VersionId>null</VersionId><Code>AccessDenied</Code><Message>no</Message></Error>";
    let all = delete::render(&outcomes, false);
    assert_eq!(body(&all, "DeleteResult"), format!("<Deleted><Key> a&amp;é </Key></Deleted>{error}"));
    assert_eq!(body(&delete::render(&outcomes, true), "DeleteResult"), error);

    let of = |count: usize| format!("<Delete>{}</Delete>", "<Object><Key>k</Key></Object>".repeat(count));
    assert_eq!(delete::parse(of(1_000).as_bytes()).unwrap().objects.len(), 1_000);
    let demanding = of(1).replace(
        "</Key>",
        "</Key><ETag>*</ETag><LastModifiedTime>2026-11-23T05:41:51Z</LastModifiedTime><Size>3</Size>",
    );
    let condition = delete::parse(demanding.as_bytes()).unwrap().objects.remove(0).condition;
    assert_eq!((condition.last_modified, condition.size), (Some(AT), Some(3)));
    let long = of(1).replace(">k<", &format!(">{}<", "k".repeat(1_025)));
    for (document, expected) in [
        (of(0), S3Code::MalformedXML),
        (of(1_001), S3Code::MalformedXML),
        (of(1).replace(">k<", "><"), S3Code::MalformedXML),
        (long, S3Code::KeyTooLongError),
        (of(1).replace("</Key>", "</Key><Size>-3</Size>"), S3Code::MalformedXML),
        (of(1).replace("</Key>", "</Key><LastModifiedTime>never</LastModifiedTime>"), S3Code::MalformedXML),
        (of(1).replace("<Delete>", "<Delete><Quiet>yes</Quiet>"), S3Code::MalformedXML),
    ] {
        assert_eq!(delete::parse(document.as_bytes()).unwrap_err().code(), expected, "{document:.200}");
    }
}

#[test]
fn tagging_both_ways() {
    let tags = Tags::new(vec![("a b".into(), "é/+".into()), ("k".into(), String::new())]).unwrap();
    assert_eq!(tagging::parse(tagging::render(&tags).as_bytes()).unwrap(), tags);
    assert_eq!(tagging::parse(b"<Tagging><TagSet/></Tagging>").unwrap(), Tags::default());
    for (document, expected) in [
        ("<Tagging/>", S3Code::MalformedXML),
        ("<Tagging><TagSet/><TagSet/></Tagging>", S3Code::MalformedXML),
        ("<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>", S3Code::MalformedXML),
        ("<Tagging><TagSet><Tag><Key></Key><Value>v</Value></Tag></TagSet></Tagging>", S3Code::InvalidTag),
        ("<Tagging><TagSet><Tag><Key>aws:a</Key><Value>v</Value></Tag></TagSet></Tagging>", S3Code::InvalidTag),
    ] {
        assert_eq!(tagging::parse(document.as_bytes()).unwrap_err().code(), expected, "{document}");
    }
}

/// A bucket may have more of them than an object.
#[test]
fn tags_of_buckets() {
    let many = |count: usize| {
        let tags = (0..count).map(|number| format!("<Tag><Key>k{number}</Key><Value/></Tag>")).collect::<String>();
        format!("<Tagging><TagSet>{tags}</TagSet></Tagging>")
    };
    assert_eq!(tagging::parse(many(11).as_bytes()).unwrap_err().code(), S3Code::BadRequest);
    assert_eq!(tagging::parse_of_bucket(many(50).as_bytes()).unwrap().len(), 50);
    let refused = tagging::parse_of_bucket(many(51).as_bytes()).unwrap_err();
    assert_eq!((refused.code(), refused.message()), (S3Code::BadRequest, "Bucket tag count cannot be greater than 50"));
    let reserved = many(1).replace("k0", "aws:a");
    assert_eq!(tagging::parse_of_bucket(reserved.as_bytes()).unwrap_err().code(), S3Code::InvalidTag);
}

#[test]
fn create_bucket_configuration() {
    let document =
        "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>";
    let asked = create_bucket::parse(document.as_bytes()).unwrap();
    assert_eq!((asked.region.as_deref(), asked.tags.len()), (Some("eu-west-1"), 0));
    let tagged =
        "<CreateBucketConfiguration><Tags><Tag><Key>a</Key><Value>b</Value></Tag></Tags></CreateBucketConfiguration>";
    let asked = create_bucket::parse(tagged.as_bytes()).unwrap();
    assert_eq!((asked.region, asked.tags.iter().collect::<Vec<_>>()), (None, vec![("a", "b")]));
    let nothing = create_bucket::Configuration::default();
    assert_eq!(create_bucket::parse(b" \n").unwrap(), nothing);
    assert_eq!(create_bucket::parse(b"<CreateBucketConfiguration/>").unwrap(), nothing);
    for refused in [
        "<Other/>",
        "<CreateBucketConfiguration><Tags/><Tags/></CreateBucketConfiguration>",
        &tagged.replace("<Value>b</Value>", ""),
        &tagged.replace(">a<", ">aws:a<"),
    ] {
        assert!(create_bucket::parse(refused.as_bytes()).is_err(), "{refused}");
    }
}

proptest! {
    /// Whatever stands in a key, a reader of XML gets it back.
    #[test]
    fn keys_survive_escaping(key in "[ -~é😀\t\n\u{7f}]{1,40}") {
        let document = format!("<Delete>{}</Delete>", {
            let mut xml = writer::Writer::document(64);
            xml.open("Object");
            xml.text("Key", &key);
            xml.close("Object");
            xml.finish().replace(DECLARATION, "")
        });
        let delete = delete::parse(document.as_bytes()).unwrap();
        prop_assert_eq!(delete.objects[0].key.as_str(), key);
    }

    #[test]
    fn junk_never_panics(document in "(<|>|/|&|;|#|x|!|\\[|\\]|-|Delete|Object|Key|\"| |\\?){0,60}") {
        let _ = delete::parse(document.as_bytes());
        let _ = complete::parse(document.as_bytes());
        let _ = tagging::parse(document.as_bytes());
        let _ = create_bucket::parse(document.as_bytes());
    }
}
