use super::*;
use crate::object::text::base64;
use proptest::prelude::*;

fn parse(document: &[u8]) -> Result<BlobPage> {
    let mut reader = PageReader::new(Some);
    reader.push(document)?;
    reader.finish()
}

fn names(page: &BlobPage) -> Vec<&str> {
    page.items.iter().map(BlobItem::name).collect()
}

const FLAT: &str = "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults ServiceEndpoint=\"https://a/\" ContainerName=\"c\"><Prefix>a</Prefix><Blobs><Blob><Name>a&amp;b &lt;c&gt;.txt</Name><VersionId>2023</VersionId><IsCurrentVersion>true</IsCurrentVersion><Properties><Creation-Time>Wed, 22 Mar 2023 05:57:40 GMT</Creation-Time><Last-Modified>Wed, 22 Mar 2023 05:57:41 GMT</Last-Modified><Etag>0x8DB2A9A7C6D0C4B</Etag><Content-Length>11</Content-Length><Content-Type>text/plain</Content-Type><Content-Encoding /><Content-Language /><Content-CRC64 /><Content-MD5>sQqNsWTgdUEFt6mb5y4/5Q==</Content-MD5><Cache-Control /><Content-Disposition /><BlobType>BlockBlob</BlobType><AccessTier>Hot</AccessTier><AccessTierInferred>true</AccessTierInferred><LeaseStatus>unlocked</LeaseStatus><LeaseState>available</LeaseState><ServerEncrypted>true</ServerEncrypted></Properties><Metadata><Foo>b&amp;r</Foo><empty /></Metadata><OrMetadata /></Blob><Blob><Name Encoded=\"true\">b%2F%EF%BF%BE%2Fc</Name><Properties><Content-Length>0</Content-Length><BlobType>BlockBlob</BlobType></Properties><OrMetadata /></Blob></Blobs><NextMarker>2!236!x-</NextMarker></EnumerationResults>";

#[test]
fn flat_page() {
    let page = parse(FLAT.as_bytes()).unwrap();
    assert_eq!(names(&page), ["a&b <c>.txt", "b/\u{fffe}/c"]);
    assert!(!page.is_hierarchical);
    assert_eq!(page.next_marker.as_deref(), Some("2!236!x-"));
    let BlobItem::Blob { properties, .. } = &page.items[0] else { panic!("no blob") };
    assert_eq!(properties.store_tag.as_str(), "0x8DB2A9A7C6D0C4B");
    assert_eq!((properties.length, properties.last_modified.0), (11, 1_679_464_661));
    assert_eq!(properties.content_md5.map(|md5| base64(&md5)).as_deref(), Some("sQqNsWTgdUEFt6mb5y4/5Q=="));
    let pairs = [("foo".into(), "b&r".to_owned()), ("empty".into(), String::new())];
    assert_eq!(properties.metadata, pairs);
    let BlobItem::Blob { properties, .. } = &page.items[1] else { panic!("no blob") };
    assert_eq!(properties.store_tag.as_str(), "");
}

#[test]
fn pieces_of_any_size() {
    // A pair of metadata that is called as an entry is: others than we may write such.
    let flat = FLAT.replace(
        "<Foo>b&amp;r</Foo>",
        "<Blob>x</Blob><Foo>b&amp;r</Foo><BlobPrefix>y</BlobPrefix><Properties /><Name a=\"b\">z</Name><Metadata>m</Metadata>",
    );
    let whole = format!("{:?}", parse(flat.as_bytes()).unwrap());
    assert!(whole.contains("(\"blob\", \"x\")"), "{whole}");
    for size in 1..flat.len() {
        let mut reader = PageReader::new(Some);
        flat.as_bytes().chunks(size).for_each(|piece| reader.push(piece).unwrap());
        assert_eq!(format!("{:?}", reader.finish().unwrap()), whole, "pieces of {size}");
    }
}

#[test]
fn hierarchical_page_keeps_its_order() {
    let page = parse(b"<EnumerationResults><Delimiter>/</Delimiter><Blobs><BlobPrefix><Name>A/</Name><Properties><Last-Modified>Wed, 22 Mar 2023 05:57:41 GMT</Last-Modified><Etag>0x1</Etag><ResourceType>directory</ResourceType><Content-Length>0</Content-Length><Content-Type /></Properties></BlobPrefix><Blob><Name>A-B</Name><Properties><Last-Modified>Wed, 22 Mar 2023 05:57:41 GMT</Last-Modified><Etag>0x2</Etag><ResourceType>file</ResourceType><Content-Length>3</Content-Length></Properties></Blob><Blob><Name>d</Name><Properties><Content-Length>0</Content-Length></Properties><Metadata><hdi_isfolder>true</hdi_isfolder></Metadata></Blob></Blobs><NextMarker /></EnumerationResults>").unwrap();
    assert_eq!(names(&page), ["A/", "A-B", "d"]);
    assert!(page.is_hierarchical);
    assert!(matches!(&page.items[2], BlobItem::Blob { properties, .. } if properties.is_directory));
    assert_eq!(page.next_marker, None);
}

#[test]
fn what_is_unset_may_come_empty() {
    let page = parse(b"<EnumerationResults><Blobs><Blob><Name>d</Name><Properties><Last-Modified /><Etag></Etag><ResourceType /><Content-Length></Content-Length><Content-MD5 /></Properties><Metadata><hdi_isfolder>true</hdi_isfolder></Metadata></Blob></Blobs></EnumerationResults>").unwrap();
    let [BlobItem::Blob { properties, .. }] = &page.items[..] else { panic!("{page:?}") };
    assert!(properties.is_directory && !page.is_hierarchical);
    assert_eq!((properties.length, properties.last_modified.0, properties.content_md5), (0, 0, None));
}

#[test]
fn what_is_not_kept_is_read_all_the_same() {
    let mut reader = PageReader::new(|item: BlobItem| Some(item).filter(|item| item.name() != "A-B"));
    reader.push(b"<EnumerationResults><Blobs><Blob><Name>A-B</Name><Properties><ResourceType>file</ResourceType></Properties></Blob><Blob><Name>c</Name></Blob></Blobs><NextMarker>m</NextMarker></EnumerationResults>").unwrap();
    let page = reader.finish().unwrap();
    assert_eq!((names(&page), page.next_marker.as_deref(), page.is_hierarchical), (vec!["c"], Some("m"), true));
}

#[test]
fn prefixes_first_are_sorted_in() {
    let page = parse("<EnumerationResults><Blobs><BlobPrefix><Name>b/</Name></BlobPrefix><Blob><Name>a</Name><Properties/></Blob><Blob><Name>c</Name></Blob></Blobs></EnumerationResults>".as_bytes()).unwrap();
    assert_eq!(names(&page), ["a", "b/", "c"]);
}

#[test]
fn orders() {
    let sorted = ["", "A", "a", "a/", "a0", "\u{7ff}", "\u{d7ff}", "\u{10000}", "\u{10ffff}", "\u{e000}", "\u{ffff}"];
    for (at, one) in sorted.iter().enumerate() {
        for (other_at, other) in sorted.iter().enumerate() {
            assert_eq!(utf16_order(one, other), at.cmp(&other_at), "{one:?} {other:?}");
            assert_eq!(utf16_order(one, other), one.encode_utf16().cmp(other.encode_utf16()));
        }
    }
}

#[test]
fn broken_pages_are_errors() {
    for end in 0..FLAT.len() {
        assert!(parse(&FLAT.as_bytes()[..end]).is_err(), "{end}");
    }
    for broken in [&b"\xff"[..], b"<EnumerationResults><Blob><Name>a", b"<html></html>", b"<Blob></Blob>"] {
        assert!(parse(broken).is_err(), "{broken:?}");
    }
    let entry = |entry: &[u8]| [b"<EnumerationResults><Blobs>", entry, b"</Blobs></EnumerationResults>"].concat();
    for broken in [
        &b"<Blob><Name>\xff</Name></Blob>"[..],
        b"<Blob><Name>a</Name><Metadata><k>\xff</k></Metadata></Blob>",
        b"<Blob><Name>a</Name><Metadata><\xff>v</\xff></Metadata></Blob>",
    ] {
        assert!(parse(&entry(broken)).is_err(), "{broken:?}");
    }
    assert!(parse(&entry(b"")).unwrap().items.is_empty());
    assert!(parse(b"<EnumerationResults ServiceEndpoint=\"https://a/\"/>").unwrap().items.is_empty());
}

/// An entry as it is written, and what is to be read of it.
#[derive(Clone, Debug)]
struct Written {
    name: String,
    encoded: bool,
    length: Option<u64>,
    tag: Option<String>,
    md5: Option<[u8; 16]>,
    metadata: Vec<(&'static str, String)>,
    /// What nobody asked for, one before each of what is.
    others: [&'static str; 5],
}

const OTHERS: [&str; 10] = [
    "",
    "<AccessTier>Hot</AccessTier>",
    "<Content-Language />",
    "<Cache-Control/>",
    "<Content-Disposition></Content-Disposition>",
    "\n  <Tags a=\"/Blob>\" b=\"1>2\"><TagSet><Tag><Key>k</Key><Value/></Tag></TagSet></Tags>\t",
    "<Odd\n>te&amp;xt</Odd >",
    "<!-- <Etag>no</Etag><Content-Length/> -->",
    "<!--<Etag/>-->",
    "<?target <Etag>?>",
];

fn written() -> impl Strategy<Value = Written> {
    let named = proptest::sample::select(vec!["Blob", "Name", "Properties", "BlobPrefix", "Metadata", "plain_1"]);
    let metadata = proptest::collection::vec((named, "[ -~]{0,12}"), 0..4);
    let others = proptest::array::uniform5(proptest::sample::select(OTHERS.to_vec()));
    let option = |text: &'static str| proptest::option::of(text);
    (
        ("[^\u{0}-\u{1f}\u{fffe}\u{ffff}]{1,20}", any::<bool>()),
        proptest::option::of(any::<u64>()),
        option("0x[0-9A-F]{1,30}"),
        proptest::option::of(any::<[u8; 16]>()),
        metadata,
        others,
    )
        .prop_map(|((name, encoded), length, tag, md5, metadata, others)| Written {
            name,
            encoded,
            length,
            tag,
            md5,
            metadata,
            others,
        })
}

impl Written {
    fn write(&self, out: &mut String) {
        let element = |name: &str, value: Option<String>| match value {
            Some(value) => format!("<{name}>{value}</{name}>"),
            None => format!("<{name} />"),
        };
        out.push_str("<Blob>");
        match self.encoded {
            true => {
                let name = crate::object::text::percent_encode(&self.name, b"");
                out.push_str(&format!("<Name Encoded=\"true\">{name}</Name>"));
            }
            false => out.push_str(&format!("<Name>{}</Name>", quick_xml::escape::escape(&self.name))),
        }
        let [first, second, third, fourth, last] = self.others;
        out.push_str(&format!("{first}<Properties>{second}"));
        out.push_str(&element("Etag", self.tag.clone()));
        out.push_str(third);
        out.push_str(&element("Content-Length", self.length.map(|length| length.to_string())));
        out.push_str(&element("Content-MD5", self.md5.map(|md5| base64(&md5))));
        out.push_str(&format!("{fourth}</Properties><Metadata>"));
        for (name, value) in &self.metadata {
            out.push_str(&element(name, Some(quick_xml::escape::escape(value).into_owned())));
        }
        out.push_str(&format!("</Metadata>{last}</Blob>"));
    }
}

proptest! {
    #[test]
    fn any_page_is_read_as_it_was_written(
        entries in proptest::collection::vec(written(), 0..6),
        piece in 1..700_usize,
    ) {
        let mut document = "<?xml version=\"1.0\"?>\n<EnumerationResults><Blobs>".to_owned();
        entries.iter().for_each(|entry| entry.write(&mut document));
        document.push_str("</Blobs><NextMarker>m</NextMarker></EnumerationResults>\n");
        let mut reader = PageReader::new(Some);
        for piece in document.as_bytes().chunks(piece) {
            reader.push(piece).unwrap();
        }
        let page = reader.finish().unwrap();
        let mut expected = entries;
        expected.sort_by(|one, next| one.name.encode_utf16().cmp(next.name.encode_utf16()));
        prop_assert_eq!(page.next_marker.as_deref(), Some("m"));
        prop_assert_eq!(page.items.len(), expected.len());
        for (item, written) in page.items.iter().zip(expected) {
            let BlobItem::Blob { name, properties } = item else { panic!("{item:?}") };
            prop_assert_eq!(name, &written.name);
            prop_assert_eq!(properties.length, written.length.unwrap_or(0));
            prop_assert_eq!(properties.store_tag.as_str(), written.tag.as_deref().unwrap_or(""));
            prop_assert_eq!(properties.content_md5, written.md5);
            let metadata = written.metadata.into_iter().map(|(name, value)| (name.to_ascii_lowercase().into(), value));
            prop_assert_eq!(&properties.metadata, &metadata.collect::<MetadataPairs>());
        }
    }
}
