//! Object metadata as blobs carry it (`docs/formats.md`), and the one rule for an object's ETag.

use std::fmt;

use memchr::memchr;

use crate::blob::{BlobProperties, MetadataPairs};
use crate::object::{
    Algorithm, Attributes, Checksum, ETag, Error, ErrorKind, ObjectMeta, Result, Stamp, StoreTag, Tags, Timestamp,
    UploadId, UserMetadata, checksum, text,
};

/// The one metadata name that is ours.
pub(super) const RESERVED: &str = "bluebucket";
/// Marks a directory for Hadoop's drivers: a client's metadata must not be able to.
const FOLDER: &str = "hdi_isfolder";
const VERSION: &str = "1";

/// Names and values of a blob's metadata together, in bytes (Azure, Set Blob Metadata).
const METADATA_BYTES_MAX: usize = 8192;
/// Longest version id that a stamp records, in bytes. S3's own are 32.
const VERSION_ID_BYTES_MAX: usize = 64;

/// Identifies one write of ours, so that a write whose answer was lost can be found again.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct WriteId(pub [u8; 12]);

/// What a conditional write replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replaced {
    /// Nothing was there.
    Absent,
    Write(WriteId),
    /// A blob that carried no write id.
    Foreign(StoreTag),
}

/// Who wrote a blob last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The mover, and nobody since.
    Import,
    /// A client of the facade.
    Client,
    /// Anybody else.
    Foreign,
}

/// The blob that metadata is bound to.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    pub container: &'a str,
    pub name: &'a str,
    /// Length in bytes.
    pub length: u64,
}

/// What the reserved metadata of a blob says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decoded {
    pub write_id: Option<WriteId>,
    pub replaced: Option<Replaced>,
    pub upload_id: Option<UploadId>,
    pub etag: Option<ETag>,
    pub last_modified: Option<Timestamp>,
    pub checksums: Vec<Checksum>,
    pub tags: Tags,
    /// Only what is not plain metadata.
    pub hidden: UserMetadata,
    pub expires: Option<String>,
    pub storage_class: Option<String>,
    pub stamp: Option<Stamp>,
}

/// An object and what only we may know of its blob.
#[derive(Clone, Debug)]
pub struct StoredObject {
    pub meta: ObjectMeta,
    pub store_tag: StoreTag,
    /// MD5 of the bytes as Azure holds it.
    pub content_md5: Option<[u8; 16]>,
    pub write_id: Option<WriteId>,
    pub replaced: Option<Replaced>,
    pub upload_id: Option<UploadId>,
}

impl Decoded {
    /// What the metadata of the blob at `place` says; nothing if that is of another version, broken, or bound to
    /// another blob.
    pub fn of(metadata: &MetadataPairs, place: Place<'_>) -> Self {
        let reserved = metadata.iter().find(|(name, _)| name == RESERVED);
        reserved.and_then(|(_, value)| decode(value, place)).unwrap_or_default()
    }

    pub fn origin(&self) -> Origin {
        match (&self.stamp, self.write_id) {
            (Some(_), _) => Origin::Import,
            (None, Some(_)) => Origin::Client,
            (None, None) => Origin::Foreign,
        }
    }

    /// The time that S3 clients see, of a blob that was written at `written`.
    pub fn shown_time(&self, written: Timestamp) -> Timestamp {
        self.last_modified.or(self.stamp.as_ref().map(|stamp| stamp.last_modified)).unwrap_or(written)
    }
}

impl WriteId {
    #[expect(clippy::expect_used, reason = "without randomness nothing may be written")]
    pub fn generate() -> Self {
        let mut id = [0; 12];
        getrandom::fill(&mut id).expect("the operating system provides randomness");
        Self(id)
    }

    fn parse(text: &str) -> Option<Self> {
        text::unbase64url_exactly(text).map(Self)
    }
}

impl fmt::Display for WriteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text::base64url(&self.0))
    }
}

impl fmt::Debug for WriteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WriteId({self})")
    }
}

/// The metadata to write with a blob.
///
/// # Errors
/// `MetadataTooLarge` if it exceeds what Azure holds.
pub fn encode(attributes: &Attributes, own: &Decoded, place: Place<'_>) -> Result<MetadataPairs> {
    let mut pairs = MetadataPairs::new();
    let mut hidden: Vec<(&str, &str)> = Vec::new();
    for (name, value) in attributes.user.iter() {
        if is_plain(name, value) {
            pairs.push((name.into(), value.to_owned()));
        } else {
            hidden.push((name, value));
        }
    }
    pairs.push((RESERVED.into(), reserved(attributes, own, &hidden, place)));
    fits(&pairs)?;
    Ok(pairs)
}

/// # Errors
/// `MetadataTooLarge` if it exceeds what Azure holds.
pub(super) fn fits(pairs: &MetadataPairs) -> Result<()> {
    let bytes: usize = pairs.iter().map(|(name, value)| name.len() + value.len()).sum();
    if bytes <= METADATA_BYTES_MAX {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::MetadataTooLarge,
        format!("metadata and tags need {bytes} bytes, of which Blob Storage holds {METADATA_BYTES_MAX}"),
    ))
}

/// The value of the reserved name on the container of a bucket that has tags.
pub(super) fn encode_bucket(tags: &Tags) -> String {
    let mut out = VERSION.to_owned();
    field_of_pairs(&mut out, 't', tags.iter().collect());
    out
}

/// Reads what [`encode_bucket`] wrote; `None` if it is of another version or broken.
pub(super) fn decode_bucket(value: &str) -> Option<Tags> {
    let mut fields = value.split(';');
    fields.next().filter(|version| *version == VERSION)?;
    match fields.find_map(|field| field.strip_prefix("t=")) {
        Some(tags) => Tags::of_bucket(parse_pairs(tags)?).ok(),
        None => Some(Tags::default()),
    }
}

/// The value of the reserved name.
fn reserved(attributes: &Attributes, own: &Decoded, hidden: &[(&str, &str)], place: Place<'_>) -> String {
    let mut out = String::with_capacity(160);
    out.push_str(VERSION);
    field(&mut out, 'b', &text::hex(&binding(place)));
    if let Some(id) = own.write_id {
        field(&mut out, 'w', &id.to_string());
    }
    match &own.replaced {
        None => {}
        Some(Replaced::Absent) => field(&mut out, 'r', "-"),
        Some(Replaced::Foreign(tag)) => field(&mut out, 'r', &format!("?{}", escape(tag.as_str()))),
        Some(Replaced::Write(id)) => field(&mut out, 'r', &id.to_string()),
    }
    if let Some(id) = &own.upload_id {
        field(&mut out, 'u', id.as_str());
    }
    if let Some(etag) = &own.etag {
        field(&mut out, 'e', &escape(etag.as_str()));
    }
    if let Some(time) = own.last_modified {
        field(&mut out, 'm', &time.0.to_string());
    }
    if !own.checksums.is_empty() {
        let checksums: Vec<_> = own
            .checksums
            .iter()
            .map(|checksum| format!("{}:{}", checksum.algorithm.name().to_ascii_lowercase(), checksum.text()))
            .collect();
        field(&mut out, 'c', &checksums.join(","));
    }
    field_of_pairs(&mut out, 't', attributes.tags.iter().collect());
    field_of_pairs(&mut out, 'x', hidden.to_vec());
    let expires = attributes.content.expires.as_deref().map(|value| ("expires", value));
    let class = attributes.storage_class.as_deref().map(|value| ("class", value));
    field_of_pairs(&mut out, 'h', expires.into_iter().chain(class).collect());
    if let Some(stamp) = &own.stamp {
        let mut value = format!("{},{},{}", escape(stamp.etag.as_str()), stamp.last_modified.0, stamp.epoch);
        if let Some(version) = stamp.version.as_deref().filter(|version| version.len() <= VERSION_ID_BYTES_MAX) {
            value.push(',');
            value.push_str(&escape(version));
        }
        field(&mut out, 's', &value);
    }
    out
}

/// Reads the properties of a blob as an object.
pub fn stored_object(properties: BlobProperties, container: &str, name: &str) -> StoredObject {
    let place = Place { container, name, length: properties.length };
    let own = Decoded::of(&properties.metadata, place);
    let etag = shown_etag(&own, properties.content_md5, &properties.store_tag);
    let last_modified = own.shown_time(properties.last_modified);
    let mut user = own.hidden;
    for (name, value) in &properties.metadata {
        if name != RESERVED && name != FOLDER {
            user.insert(name, value);
        }
    }
    let mut content = properties.content;
    content.expires = own.expires;
    StoredObject {
        meta: ObjectMeta {
            size: properties.length,
            etag,
            last_modified,
            content,
            user,
            tags: own.tags,
            checksums: own.checksums,
            storage_class: own.storage_class,
            stamp: own.stamp,
        },
        store_tag: properties.store_tag,
        content_md5: properties.content_md5,
        write_id: own.write_id,
        replaced: own.replaced,
        upload_id: own.upload_id,
    }
}

/// The ETag that S3 clients see: the same for PUT, HEAD, GET and LIST.
pub fn shown_etag(own: &Decoded, content_md5: Option<[u8; 16]>, store_tag: &StoreTag) -> ETag {
    if let Some(etag) = own.etag.as_ref().or(own.stamp.as_ref().map(|stamp| &stamp.etag)) {
        return etag.clone();
    }
    match content_md5 {
        Some(md5) if own.write_id.is_some() => ETag::from_md5(md5),
        _ => ETag::from_store(store_tag),
    }
}

/// Reads a reserved value: see [`Decoded::of`].
fn decode(value: &str, place: Place<'_>) -> Option<Decoded> {
    let mut rest = value.strip_prefix(VERSION)?;
    let mut own = Decoded::default();
    let mut bound = false;
    while !rest.is_empty() {
        let item = rest.strip_prefix(';')?;
        // `split` takes longer to begin than a field is long, and a listing has thousands of them.
        let (item, others) = item.split_at(memchr(b';', item.as_bytes()).unwrap_or(item.len()));
        rest = others;
        match item.split_at_checked(2).unwrap_or_default() {
            ("b=", value) => bound = text::unhex(value) == Some(binding(place)),
            ("w=", value) => own.write_id = Some(WriteId::parse(value)?),
            ("r=", value) => own.replaced = Some(parse_replaced(value)?),
            ("u=", value) => own.upload_id = Some(UploadId::parse(value)?),
            ("e=", value) => own.etag = Some(ETag::parse(&unescape(value)?)),
            ("m=", value) => own.last_modified = Some(Timestamp(value.parse().ok()?)),
            ("c=", value) => own.checksums = parse_checksums(value)?,
            ("t=", value) => own.tags = Tags::new(parse_pairs(value)?).ok()?,
            ("x=", value) => own.hidden = parse_pairs(value)?.into_iter().collect(),
            ("h=", value) => parse_headers(value, &mut own)?,
            ("s=", value) => own.stamp = Some(parse_stamp(value)?),
            _ if item.contains('=') => {}
            _ => return None,
        }
    }
    bound.then_some(own)
}

fn parse_replaced(value: &str) -> Option<Replaced> {
    if value == "-" {
        return Some(Replaced::Absent);
    }
    match value.strip_prefix('?') {
        Some(tag) => Some(Replaced::Foreign(StoreTag::parse(&unescape(tag)?))),
        None => WriteId::parse(value).map(Replaced::Write),
    }
}

fn parse_checksums(value: &str) -> Option<Vec<Checksum>> {
    // Mostly it is one.
    let mut checksums = Vec::with_capacity(1);
    for item in value.split(',') {
        let (algorithm, value) = item.split_once(':')?;
        checksums.push(Checksum::parse(Algorithm::parse(algorithm)?, value)?);
    }
    Some(checksums)
}

fn parse_headers(value: &str, own: &mut Decoded) -> Option<()> {
    for (name, value) in parse_pairs(value)? {
        match name.as_str() {
            "expires" => own.expires = Some(value),
            "class" => own.storage_class = Some(value),
            _ => {}
        }
    }
    Some(())
}

fn parse_stamp(value: &str) -> Option<Stamp> {
    let mut items = value.split(',');
    Some(Stamp {
        etag: ETag::parse(&unescape(items.next()?)?),
        last_modified: Timestamp(items.next()?.parse().ok()?),
        epoch: items.next()?.parse().ok()?,
        version: match items.next() {
            Some(version) => Some(unescape(version)?),
            None => None,
        },
    })
}

/// CRC-64 of where the blob is and how long: enough to notice a value that was copied along.
fn binding(place: Place<'_>) -> [u8; 8] {
    let mut bound = String::with_capacity(place.container.len() + place.name.len() + 22);
    bound.push_str(place.container);
    bound.push('\0');
    bound.push_str(place.name);
    bound.push('\0');
    text::push_decimal(&mut bound, place.length);
    checksum::crc64(bound.as_bytes()).to_be_bytes()
}

/// Whether Azure can hold the pair as it is.
fn is_plain(name: &str, value: &str) -> bool {
    let name_fits = name != RESERVED
        && name != FOLDER
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        && !name.starts_with(|first: char| first.is_ascii_digit());
    let value_fits = !value.is_empty()
        && value.bytes().all(|byte| (0x20..=0x7e).contains(&byte))
        && !value.starts_with(' ')
        && !value.ends_with(' ');
    name_fits && !name.is_empty() && value_fits
}

fn field(out: &mut String, name: char, value: &str) {
    out.push(';');
    out.push(name);
    out.push('=');
    out.push_str(value);
}

/// Writes pairs in the shorter of the two forms.
fn field_of_pairs(out: &mut String, name: char, pairs: Vec<(&str, &str)>) {
    if pairs.is_empty() {
        return;
    }
    let as_text: Vec<_> = pairs.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value))).collect();
    let as_text = as_text.join("&");
    let raw: usize = pairs.iter().map(|(name, value)| name.len() + value.len() + 2).sum();
    if as_text.len() <= raw.div_ceil(3) * 4 {
        return field(out, name, &as_text);
    }
    let mut packed = Vec::with_capacity(raw);
    for (name, value) in pairs {
        packed.extend_from_slice(name.as_bytes());
        packed.push(0);
        packed.extend_from_slice(value.as_bytes());
        packed.push(0);
    }
    field(out, name, &format!("~{}", text::base64url(&packed)));
}

fn parse_pairs(value: &str) -> Option<Vec<(String, String)>> {
    let Some(packed) = value.strip_prefix('~') else {
        return value
            .split('&')
            .map(|pair| {
                let (name, value) = pair.split_once('=')?;
                Some((unescape(name)?, unescape(value)?))
            })
            .collect();
    };
    let packed = String::from_utf8(text::unbase64url(packed)?).ok()?;
    let mut items = packed.split('\0');
    let mut pairs = Vec::new();
    while let (Some(name), Some(value)) = (items.next(), items.next()) {
        pairs.push((name.to_owned(), value.to_owned()));
    }
    Some(pairs)
}

/// Printable ASCII without the characters that structure a value.
fn escape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b' ' => out.push('+'),
            b'%' | b'&' | b';' | b'=' | b'~' | b'+' | b',' => push_escaped(&mut out, byte),
            0x21..=0x7e => out.push(byte as char),
            _ => push_escaped(&mut out, byte),
        }
    }
    out
}

fn push_escaped(out: &mut String, byte: u8) {
    out.push('%');
    out.push_str(&text::hex(&[byte]).to_ascii_uppercase());
}

fn unescape(value: &str) -> Option<String> {
    if value.contains('+') { text::percent_decode(&value.replace('+', " ")) } else { text::percent_decode(value) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::ContentHeaders;
    use proptest::prelude::*;

    const PLACE: Place<'static> = Place { container: "flink", name: "a/b", length: 5 };

    #[test]
    fn tags_of_a_bucket() {
        let tags = Tags::parse_query("team=flink&sp+ace=1%2B").unwrap();
        assert_eq!(encode_bucket(&tags), "1;t=team=flink&sp+ace=1%2B");
        assert_eq!(decode_bucket("1;t=team=flink&sp+ace=1%2B"), Some(tags));
        assert_eq!(decode_bucket("1;later=field"), Some(Tags::default()));
        for broken in ["", "2;t=a=b", "1;t=a", "1;t=a=b&a=c", "1;t=~!"] {
            assert_eq!(decode_bucket(broken), None, "{broken}");
        }
    }

    fn properties(metadata: MetadataPairs) -> BlobProperties {
        BlobProperties {
            store_tag: StoreTag::parse("\"0x8DC0FFEE\""),
            last_modified: Timestamp(2_000),
            length: PLACE.length,
            content_md5: Some(checksum::md5(b"hello")),
            content: ContentHeaders::default(),
            metadata,
            is_directory: false,
        }
    }

    fn full() -> (Attributes, Decoded) {
        let attributes = Attributes {
            content: ContentHeaders { expires: Some("Thu, 01 Dec 2027 16:00:00 GMT".into()), ..Default::default() },
            user: [("plain", "v 1"), ("with-hyphen", "a=b&c"), ("uml", "ä"), ("empty", "")].into_iter().collect(),
            tags: Tags::parse_query("TrinoCreationId=x%2Fy&sp+ace=1").unwrap(),
            storage_class: Some("STANDARD_IA".into()),
        };
        let own = Decoded {
            write_id: Some(WriteId([7; 12])),
            replaced: Some(Replaced::Absent),
            etag: Some(ETag::parse("5d41402abc4b2a76b9719d911017c592-2")),
            last_modified: Some(Timestamp(1_000)),
            checksums: vec![Checksum::parse(Algorithm::Crc32, "y/Q5Jg==-2").unwrap()],
            stamp: Some(Stamp {
                etag: ETag::parse("abc"),
                last_modified: Timestamp(900),
                epoch: 3,
                version: Some("v,1".into()),
            }),
            ..Default::default()
        };
        (attributes, own)
    }

    #[test]
    fn golden() {
        let (attributes, own) = full();
        let pairs = encode(&attributes, &own, PLACE).unwrap();
        assert_eq!(
            pairs,
            [
                ("plain".into(), "v 1".to_owned()),
                (
                    "bluebucket".into(),
                    "1;b=db32ad6262bf90c2;w=BwcHBwcHBwcHBwcH;r=-;e=5d41402abc4b2a76b9719d911017c592-2;m=1000\
                     ;c=crc32:y/Q5Jg==-2;t=TrinoCreationId=x/y&sp+ace=1;x=empty=&uml=%C3%A4&with-hyphen=a%3Db%26c\
                     ;h=expires=Thu%2C+01+Dec+2027+16:00:00+GMT&class=STANDARD_IA;s=abc,900,3,v%2C1"
                        .to_owned()
                ),
            ]
        );
    }

    #[test]
    fn what_is_written_is_read() {
        let (attributes, own) = full();
        let pairs = encode(&attributes, &own, PLACE).unwrap();
        assert_eq!(Decoded::of(&pairs, PLACE).origin(), Origin::Import);
        let object = stored_object(properties(pairs), "flink", "a/b");
        assert_eq!(object.meta.user, attributes.user);
        assert_eq!(object.meta.tags, attributes.tags);
        assert_eq!(object.meta.content.expires, attributes.content.expires);
        assert_eq!(object.meta.storage_class, attributes.storage_class);
        assert_eq!(object.meta.checksums, own.checksums);
        assert_eq!(object.meta.stamp, own.stamp);
        assert_eq!(object.meta.last_modified, Timestamp(1_000));
        assert_eq!(Some(object.meta.etag.clone()), own.etag);
        assert_eq!((object.write_id, object.replaced), (own.write_id, own.replaced));
    }

    #[test]
    fn metadata_of_another_blob_is_ignored() {
        let (attributes, own) = full();
        let pairs = encode(&attributes, &own, PLACE).unwrap();
        for (container, name, length) in [("iceberg", "a/b", 5), ("flink", "a/c", 5), ("flink", "a/b", 6)] {
            assert_eq!(Decoded::of(&pairs, Place { container, name, length }).origin(), Origin::Foreign);
            let mut properties = properties(pairs.clone());
            properties.length = length;
            let object = stored_object(properties, container, name);
            assert_eq!(object.meta.etag.as_str(), "8dc0ffee-1");
            assert_eq!(object.meta.user.get("plain"), Some("v 1"));
            assert_eq!(object.meta.last_modified, Timestamp(2_000));
        }
    }

    #[test]
    fn etag_rule() {
        let md5 = Some(checksum::md5(b"hello"));
        let tag = StoreTag::parse("0x8DAA");
        let mut own = Decoded::default();
        assert_eq!(shown_etag(&own, md5, &tag).as_str(), "8daa-1", "an MD5 of a foreign blob is not trusted");
        own.write_id = Some(WriteId([1; 12]));
        assert_eq!(shown_etag(&own, md5, &tag).as_str(), "5d41402abc4b2a76b9719d911017c592");
        assert_eq!(shown_etag(&own, None, &tag).as_str(), "8daa-1");
        own.etag = Some(ETag::parse("x-3"));
        assert_eq!(shown_etag(&own, md5, &tag).as_str(), "x-3");
    }

    #[test]
    fn s3_maxima_fit_and_more_is_refused() {
        let tags = (0..10).map(|n| (format!("{n}{}", "k".repeat(127)), "v".repeat(256))).collect();
        let value = "ä".repeat(7);
        let user: UserMetadata = (0..100).map(|n| (format!("n-{n:04}"), value.as_str())).collect();
        assert!(user.bytes() <= UserMetadata::BYTES_MAX);
        let (_, mut own) = full();
        own.upload_id = Some(UploadId::generate());
        own.checksums = Algorithm::ALL.map(|algorithm| crate::object::Hasher::new(algorithm).finish()).to_vec();
        let mut attributes = Attributes { user, tags: Tags::new(tags).unwrap(), ..Default::default() };
        assert!(encode(&attributes, &own, PLACE).is_ok());
        let wide = (0..10).map(|n| (format!("{n}{}", "ä".repeat(127)), "ä".repeat(256))).collect();
        attributes.tags = Tags::new(wide).unwrap();
        assert_eq!(encode(&attributes, &own, PLACE).unwrap_err().kind(), ErrorKind::MetadataTooLarge);
    }

    #[test]
    fn broken_values_are_foreign() {
        let good = encode(&Attributes::default(), &Decoded::default(), PLACE).unwrap().remove(0).1;
        assert!(decode(&good, PLACE).is_some());
        assert!(decode(&format!("{good};zz=new"), PLACE).is_some(), "unknown fields are skipped");
        for odd in ["ww=x", "w\u{e9}=x", "="] {
            assert!(
                decode(&format!("{good};{odd};w={}", WriteId([7; 12])), PLACE)
                    .is_some_and(|own| own.write_id.is_some())
            );
        }
        for bad in [
            good.replacen('1', "2", 1),
            format!("1{good}"),
            format!("{good};"),
            format!("{good};;w={}", WriteId([7; 12])),
            format!("{good};w"),
            format!("{good};w=short"),
            format!("{good};x=~!"),
            "1".into(),
            "1;w=".into(),
        ] {
            assert!(decode(&bad, PLACE).is_none(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_user_metadata_round_trips(pairs in proptest::collection::btree_map(
            "[a-z0-9!#$%&'*+.^_`|~-]{1,12}", "[^\0\r\n]{0,40}", 0..12)
        ) {
            let attributes = Attributes { user: pairs.iter().collect(), ..Default::default() };
            let own = Decoded { write_id: Some(WriteId([1; 12])), ..Default::default() };
            let encoded = encode(&attributes, &own, PLACE).unwrap();
            for (name, value) in &encoded {
                prop_assert!(value.bytes().all(|byte| (0x20..=0x7e).contains(&byte)), "{name}: {value}");
            }
            let object = stored_object(properties(encoded), "flink", "a/b");
            prop_assert_eq!(object.meta.user, attributes.user);
        }
    }
}
