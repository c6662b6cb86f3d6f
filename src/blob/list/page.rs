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
mod tests;
