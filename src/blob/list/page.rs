//! Reading a page of a listing. A thousand entries come in about a megabyte, so this is a hot path.

use std::cmp::Ordering;

use compact_str::CompactString;
use memchr::memmem;

use super::{BlobItem, BlobPage, Named};
use crate::blob::response::marks_directory;
use crate::blob::xml::{Node, Start, Xml, corrupt, utf8};
use crate::blob::{ListedProperties, MetadataPairs};
use crate::object::text::{percent_decode, unbase64};
use crate::object::{Result, StoreTag, Timestamp};

/// Reads a page as its bytes come: a whole page is never held, only what has been read of it and the
/// entry that is still on its way.
pub(super) struct PageReader<T, K> {
    page: BlobPage<T>,
    /// What is kept of each entry.
    keep: K,
    /// Bytes behind the last complete entry.
    rest: Vec<u8>,
    /// Elements that are open around the entries.
    depth: u32,
    /// The root element has been there: an answer without it is none, not a listing of nothing.
    begun: bool,
}

const ROOT: &str = "EnumerationResults";
/// Entries end so. A pair of metadata may be called so too: what ends with one of those is half an entry,
/// and waits for the rest.
const ENTRY_END: &[u8] = b"</Blob>";

impl<T: Named, K: FnMut(BlobItem) -> Option<T>> PageReader<T, K> {
    pub fn new(keep: K) -> Self {
        Self { page: BlobPage::default(), keep, rest: Vec::new(), depth: 0, begun: false }
    }

    /// Takes the next piece of the document.
    ///
    /// # Errors
    /// `Corrupt` if it is not what the service writes.
    pub fn push(&mut self, mut piece: &[u8]) -> Result<()> {
        while !self.rest.is_empty() {
            let Some(at) = memmem::find(piece, ENTRY_END) else {
                self.rest.extend_from_slice(piece);
                return Ok(());
            };
            let (begun, others) = piece.split_at(at + ENTRY_END.len());
            let mut entries = std::mem::take(&mut self.rest);
            entries.extend_from_slice(begun);
            let read = self.read(&entries)?;
            entries.drain(..read);
            self.rest = entries;
            piece = others;
        }
        let complete = memmem::rfind(piece, ENTRY_END).map_or(0, |at| at + ENTRY_END.len());
        let read = self.read(&piece[..complete])?;
        self.rest.extend_from_slice(&piece[read..]);
        Ok(())
    }

    /// The page, once the whole document has been pushed.
    ///
    /// # Errors
    /// `Corrupt` if the document is not complete.
    pub fn finish(mut self) -> Result<BlobPage<T>> {
        let rest = std::mem::take(&mut self.rest);
        if self.read(&rest)? < rest.len() || self.depth > 0 || !self.begun {
            return Err(corrupt("ends early"));
        }
        // Azurite puts all prefixes first. The order of a hierarchical account is another one: left alone.
        let mut page = self.page;
        if !page.is_hierarchical && !page.items.is_sorted_by(|one, next| utf16_order(one.name(), next.name()).is_le()) {
            page.items.sort_by(|one, next| utf16_order(one.name(), next.name()));
        }
        Ok(page)
    }

    /// Reads a part of the document as far as its entries are complete; returns how many bytes that is.
    fn read(&mut self, part: &[u8]) -> Result<usize> {
        let mut xml = Xml::part(utf8(part)?);
        loop {
            let at = part.len() - xml.bytes_left();
            match xml.node()? {
                Node::Open(start) | Node::Empty(start) if !self.begun && start.name != ROOT => {
                    return Err(corrupt("is no listing"));
                }
                Node::Open(start) => match start.name {
                    name @ ("Blob" | "BlobPrefix") => {
                        let entry = match entry(&mut xml) {
                            Err(_) if xml.bytes_left() == 0 => return Ok(at),
                            entry => entry?,
                        };
                        self.page.is_hierarchical |= entry.has_resource_type;
                        self.page.items.extend((self.keep)(match name {
                            "Blob" => BlobItem::Blob { name: entry.name, properties: entry.properties },
                            _ => BlobItem::Prefix(entry.name),
                        }));
                    }
                    "NextMarker" => {
                        self.page.next_marker = Some(xml.text()?.into_owned()).filter(|marker| !marker.is_empty());
                    }
                    "Prefix" | "Marker" | "Delimiter" | "MaxResults" => xml.skip()?,
                    _ => {
                        self.depth += 1;
                        self.begun = true;
                    }
                },
                Node::Empty(_) => self.begun = true,
                Node::Close => {
                    self.depth = self.depth.checked_sub(1).ok_or_else(|| corrupt("is not well-formed"))?;
                }
                Node::End => return Ok(part.len()),
            }
        }
    }
}

struct Entry {
    name: String,
    properties: ListedProperties,
    /// Only hierarchical accounts tell one.
    has_resource_type: bool,
}

/// Reads a `Blob` or `BlobPrefix` up to its end.
fn entry(xml: &mut Xml<'_>) -> Result<Entry> {
    let mut entry = Entry { name: String::new(), properties: unset(), has_resource_type: false };
    loop {
        match xml.node()? {
            Node::Open(start) => match start.name {
                "Name" => entry.name = name(xml, &start)?,
                "Properties" => properties(xml, &mut entry)?,
                "Metadata" => entry.properties.metadata = metadata(xml)?,
                _ => xml.skip()?,
            },
            Node::Empty(_) => {}
            Node::Close => break,
            Node::End => return Err(corrupt("ends early")),
        }
    }
    // Anybody may write the metadata: where the account tells the type, that counts.
    if !entry.has_resource_type {
        entry.properties.is_directory = marks_directory(&entry.properties.metadata);
    }
    Ok(entry)
}

/// Names that XML cannot carry come percent-encoded, slashes included, and are marked so.
fn name(xml: &mut Xml<'_>, start: &Start<'_>) -> Result<String> {
    let encoded = start.attributes.contains("Encoded=\"true\"");
    let name = xml.text()?;
    if encoded {
        percent_decode(&name).ok_or_else(|| corrupt("has a wrongly encoded name"))
    } else {
        Ok(name.into_owned())
    }
}

/// What is unset comes as an empty element, or not at all.
fn properties(xml: &mut Xml<'_>, entry: &mut Entry) -> Result<()> {
    let out = &mut entry.properties;
    xml.leaves(|leaf| {
        match leaf.name {
            "Last-Modified" if !leaf.is_empty() => {
                let time = Timestamp::parse_http(&leaf.text()?);
                out.last_modified = time.ok_or_else(|| corrupt("has an entry with a broken date"))?;
            }
            "Etag" => out.store_tag = StoreTag::parse(&leaf.text()?),
            "Content-Length" if !leaf.is_empty() => {
                out.length = leaf.text()?.parse().map_err(|_| corrupt("has an entry with a broken length"))?;
            }
            "Content-MD5" => out.content_md5 = unbase64(&leaf.text()?),
            "ResourceType" if !leaf.is_empty() => {
                entry.has_resource_type = true;
                out.is_directory = leaf.text()? == "directory";
            }
            _ => {}
        }
        Ok(())
    })
}

/// Names come in the letter case they were sent in; headers, where other operations read them, are
/// lower case, so these are made to be.
fn metadata(xml: &mut Xml<'_>) -> Result<MetadataPairs> {
    // Mostly the reserved pair alone.
    let mut pairs = MetadataPairs::with_capacity(1);
    xml.leaves(|leaf| {
        let mut name = CompactString::from(leaf.name);
        name.make_ascii_lowercase();
        pairs.push((name, leaf.text()?.into_owned()));
        Ok(())
    })?;
    Ok(pairs)
}

/// What an entry has that tells nothing else: a blob with only staged blocks.
fn unset() -> ListedProperties {
    ListedProperties {
        store_tag: StoreTag::parse(""),
        last_modified: Timestamp(0),
        length: 0,
        content_md5: None,
        metadata: MetadataPairs::new(),
        is_directory: false,
    }
}

/// The order of names by their UTF-16 code units, without converting them: of all UTF-8 lead bytes
/// only those of U+E000 to U+FFFF stand elsewhere, behind the supplementary planes.
fn utf16_order(one: &str, other: &str) -> Ordering {
    if one.is_ascii() && other.is_ascii() {
        return one.cmp(other);
    }
    let key = |byte: u8| if matches!(byte, 0xee | 0xef) { byte | 0x10 } else { byte };
    one.bytes().map(key).cmp(other.bytes().map(key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::text::base64;

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
        let sorted =
            ["", "A", "a", "a/", "a0", "\u{7ff}", "\u{d7ff}", "\u{10000}", "\u{10ffff}", "\u{e000}", "\u{ffff}"];
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
}
