//! The records of an upload as they lie in the state container (`docs/formats.md`).

use serde::{Deserialize, Serialize};

use crate::blob::{BlobCondition, BlockId, MetadataPairs};
use crate::bucket::block_ids::{PartChecksum, StagedPart};
use crate::bucket::{StoredObject, WriteId};
use crate::object::{
    Algorithm, Attributes, Checksum, ContentHeaders, DeclaredChecksum, ETag, Error, ErrorKind, ObjectKey, Result,
    StoreTag, Stored, Tags, Timestamp, UploadId, UserMetadata, text,
};

/// Format version of both records.
const VERSION: u32 = 1;

/// An upload in progress.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
pub struct Marker {
    v: u32,
    pub key: String,
    /// Unix seconds.
    pub initiated: i64,
    content: Content,
    user: Vec<(String, String)>,
    /// As in the `x-amz-tagging` header.
    tags: String,
    storage_class: Option<String>,
    checksum: Option<Declared>,
    pub state: State,
}

/// Where an upload stands. Every step is a compare-and-swap of the marker; Abort deletes it.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
#[expect(clippy::large_enum_variant, reason = "one is read at a time")]
pub enum State {
    Open,
    Publishing(Publishing),
}

/// A commit that may have been sent. Whoever finds it sends exactly it again.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
pub struct Publishing {
    /// Unix seconds. Staged blocks live for a week: an older commit is not sent any more.
    pub since: i64,
    /// Of the try that staged the blocks, hex.
    nonce: String,
    /// Part number and pieces of each block run, in order.
    parts: Vec<(u16, u16)>,
    /// Checksum of each of `parts`, as block ids carry it; none of any if it is empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    sums: Vec<String>,
    pub base: Base,
    /// Whether the client named a condition.
    pub conditional: bool,
    /// Whole metadata of the result, so that it is the same however often it is sent.
    metadata: MetadataPairs,
    pub size: u64,
    etag: String,
    checksums: Vec<(String, String)>,
    /// Whether somebody has found out that nobody can know any more if it landed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub doubtful: bool,
    /// Azure's ETag of the parts put together beside the key, where a file there takes no blocks: the
    /// commit copies it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    composed: Option<String>,
}

/// A part and the number of blocks it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    pub part: u16,
    pub pieces: u16,
    pub checksum: PartChecksum,
}

/// What was at the key when the commit was made ready.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Base {
    Absent,
    Blob { store_tag: String, write_id: Option<String> },
}

/// How an upload ended. Written once: whoever comes first decides.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
pub struct Done {
    v: u32,
    pub key: String,
    etag: String,
    last_modified: i64,
    size: u64,
    checksums: Vec<(String, String)>,
    /// It was aborted while nobody could tell whether its commit had landed; the rest says nothing then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    given_up: bool,
}

/// What the record of an upload's end says.
#[derive(Clone, Debug)]
pub enum Ended {
    Completed(Stored),
    /// Aborted while nobody could tell whether its commit had landed.
    GivenUp,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq)]
struct Content {
    #[serde(rename = "type")]
    content_type: Option<String>,
    encoding: Option<String>,
    language: Option<String>,
    disposition: Option<String>,
    cache_control: Option<String>,
    expires: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, PartialEq)]
struct Declared {
    algorithm: String,
    full_object: bool,
}

impl Marker {
    pub fn new(
        key: &ObjectKey,
        initiated: Timestamp,
        attributes: &Attributes,
        checksum: Option<DeclaredChecksum>,
    ) -> Self {
        let content = &attributes.content;
        Self {
            v: VERSION,
            key: key.as_str().to_owned(),
            initiated: initiated.0,
            content: Content {
                content_type: content.content_type.clone(),
                encoding: content.content_encoding.clone(),
                language: content.content_language.clone(),
                disposition: content.content_disposition.clone(),
                cache_control: content.cache_control.clone(),
                expires: content.expires.clone(),
            },
            user: attributes.user.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            tags: attributes.tags.to_query(),
            storage_class: attributes.storage_class.clone(),
            checksum: checksum.map(|declared| Declared {
                algorithm: declared.algorithm.name().to_owned(),
                full_object: declared.full_object,
            }),
            state: State::Open,
        }
    }

    pub fn attributes(&self) -> Attributes {
        Attributes {
            content: ContentHeaders {
                content_type: self.content.content_type.clone(),
                content_encoding: self.content.encoding.clone(),
                content_language: self.content.language.clone(),
                content_disposition: self.content.disposition.clone(),
                cache_control: self.content.cache_control.clone(),
                expires: self.content.expires.clone(),
            },
            user: self.user.iter().map(|(name, value)| (name, value)).collect::<UserMetadata>(),
            tags: Tags::parse_query(&self.tags).unwrap_or_default(),
            storage_class: self.storage_class.clone(),
        }
    }

    pub fn checksum(&self) -> Option<DeclaredChecksum> {
        let declared = self.checksum.as_ref()?;
        Some(DeclaredChecksum { algorithm: Algorithm::parse(&declared.algorithm)?, full_object: declared.full_object })
    }

    /// Metadata of the marker blob, so that uploads are listed without reading each.
    pub fn listed(&self) -> MetadataPairs {
        let state = match self.state {
            State::Open => OPEN,
            State::Publishing(_) => "publishing",
        };
        vec![
            ("key".into(), text::base64url(self.key.as_bytes())),
            ("initiated".into(), self.initiated.to_string()),
            (STATE.into(), state.to_owned()),
        ]
    }
}

const STATE: &str = "state";
const OPEN: &str = "open";

/// Whether the metadata of a marker says that no commit is on record: the marker need not be read.
pub fn is_listed_open(metadata: &MetadataPairs) -> bool {
    metadata.iter().any(|(name, value)| name == STATE && value == OPEN)
}

/// Key and time of an upload from the metadata of its marker.
pub fn parse_listed(metadata: &MetadataPairs) -> Option<(ObjectKey, Timestamp)> {
    let get = |name: &str| metadata.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let key = String::from_utf8(text::unbase64url(get("key")?)?).ok()?;
    Some((ObjectKey::new(key).ok()?, Timestamp(get("initiated")?.parse().ok()?)))
}

impl Publishing {
    #[expect(clippy::too_many_arguments, reason = "the fields of the record")]
    pub fn new(
        since: Timestamp,
        nonce: [u8; 8],
        parts: Vec<Run>,
        base: Base,
        conditional: bool,
        metadata: MetadataPairs,
        size: u64,
        etag: &ETag,
        checksums: &[Checksum],
    ) -> Self {
        Self {
            since: since.0,
            nonce: text::hex(&nonce),
            parts: parts.iter().map(|run| (run.part, run.pieces)).collect(),
            sums: match parts.iter().any(|run| run.checksum != PartChecksum::default()) {
                true => parts.iter().map(|run| run.checksum.text()).collect(),
                false => Vec::new(),
            },
            base,
            conditional,
            metadata,
            size,
            etag: etag.as_str().to_owned(),
            checksums: checksums_to_text(checksums),
            doubtful: false,
            composed: None,
        }
    }

    /// The same with a commit that copies the parts put together beside the key.
    #[must_use]
    pub fn of_composed(self, composed: Option<StoreTag>) -> Self {
        Self { composed: composed.map(|tag| tag.as_str().to_owned()), ..self }
    }

    /// Name and version of the parts put together.
    pub fn composed(&self, id: &UploadId) -> Option<(String, StoreTag)> {
        let tag = self.composed.as_deref().map(StoreTag::parse)?;
        Some((super::names::whole(id, &self.nonce), tag))
    }

    /// The block that stands by while an empty object is committed where nothing was: as long as it is
    /// staged, the commit has not landed. `None` where the commit itself cannot land twice, because it
    /// consumes its blocks or replaces one version of a blob.
    ///
    /// # Errors
    /// `Corrupt` if the record is not one of ours.
    pub fn witness(&self) -> Result<Option<BlockId>> {
        if self.base != Base::Absent || !self.parts.is_empty() {
            return Ok(None);
        }
        let checksum = PartChecksum::default();
        Ok(Some(StagedPart { nonce: self.nonce()?, part: 0, piece: 0, checksum }.id()))
    }

    fn nonce(&self) -> Result<[u8; 8]> {
        text::unhex(&self.nonce)
            .ok_or_else(|| Error::new(ErrorKind::Corrupt, "the nonce of a publishing record is not readable"))
    }

    /// The commit's block ids.
    ///
    /// # Errors
    /// `Corrupt` if the record is not one of ours.
    pub fn blocks(&self) -> Result<Vec<BlockId>> {
        let nonce = self.nonce()?;
        let mut blocks = Vec::new();
        for (index, &(part, pieces)) in self.parts.iter().enumerate() {
            let checksum = match self.sums.get(index) {
                Some(text) => PartChecksum::parse(text).ok_or_else(|| {
                    Error::new(ErrorKind::Corrupt, "a checksum of a publishing record is not readable")
                })?,
                None => PartChecksum::default(),
            };
            blocks.extend((0..pieces).map(|piece| StagedPart { nonce, part, piece, checksum }.id()));
        }
        Ok(blocks)
    }

    pub fn metadata(&self) -> MetadataPairs {
        self.metadata.clone()
    }

    pub fn etag(&self) -> ETag {
        ETag::parse(&self.etag)
    }

    /// What the client is answered once the commit has landed.
    pub fn stored(&self, last_modified: Timestamp) -> Stored {
        Stored { etag: self.etag(), last_modified, checksums: checksums_from_text(&self.checksums), size: self.size }
    }
}

impl Base {
    pub fn of(object: Option<&StoredObject>) -> Self {
        match object {
            None => Self::Absent,
            Some(object) => Self::Blob {
                store_tag: object.store_tag.as_str().to_owned(),
                write_id: object.write_id.map(|id| id.to_string()),
            },
        }
    }

    pub fn condition(&self) -> BlobCondition {
        match self {
            Self::Absent => BlobCondition::Absent,
            Self::Blob { store_tag, .. } => BlobCondition::Match(StoreTag::parse(store_tag)),
        }
    }

    /// Whether `object` is the same write, if only its metadata may have moved.
    pub fn is(&self, object: &StoredObject) -> bool {
        match self {
            Self::Absent => false,
            Self::Blob { store_tag, write_id } => {
                object.store_tag.as_str() == store_tag
                    || write_id.is_some() && *write_id == object.write_id.map(|id: WriteId| id.to_string())
            }
        }
    }

    /// Whether `object` was written on condition that it replaces this very write. Absence is no write:
    /// a key may be absent, written, deleted and absent again.
    pub fn named_by(&self, object: &StoredObject) -> bool {
        use crate::bucket::codec::Replaced;
        match (self, &object.replaced) {
            (Self::Blob { write_id: Some(base), .. }, Some(Replaced::Write(id))) => *base == id.to_string(),
            (Self::Blob { write_id: None, store_tag }, Some(Replaced::Foreign(tag))) => store_tag == tag.as_str(),
            _ => false,
        }
    }
}

impl Done {
    pub fn new(key: &ObjectKey, stored: &Stored) -> Self {
        Self {
            v: VERSION,
            key: key.as_str().to_owned(),
            etag: stored.etag.as_str().to_owned(),
            last_modified: stored.last_modified.0,
            size: stored.size,
            checksums: checksums_to_text(&stored.checksums),
            given_up: false,
        }
    }

    /// The end of an upload that was aborted while its outcome was unknown. Builds that know no such end
    /// read a result of no parts, and answer `NoSuchUpload` as well.
    pub fn given_up(key: &ObjectKey) -> Self {
        let nothing = Stored { etag: ETag::parse(""), last_modified: Timestamp(0), checksums: Vec::new(), size: 0 };
        Self { given_up: true, ..Self::new(key, &nothing) }
    }

    pub fn ended(&self) -> Ended {
        if self.given_up {
            return Ended::GivenUp;
        }
        Ended::Completed(Stored {
            etag: ETag::parse(&self.etag),
            last_modified: Timestamp(self.last_modified),
            checksums: checksums_from_text(&self.checksums),
            size: self.size,
        })
    }
}

fn checksums_to_text(checksums: &[Checksum]) -> Vec<(String, String)> {
    checksums.iter().map(|checksum| (checksum.algorithm.name().to_owned(), checksum.text())).collect()
}

fn checksums_from_text(checksums: &[(String, String)]) -> Vec<Checksum> {
    let parse = |(name, value): &(String, String)| Checksum::parse(Algorithm::parse(name)?, value);
    checksums.iter().filter_map(parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden() {
        let key = ObjectKey::new("a/b").unwrap();
        let attributes = Attributes {
            user: [("k", "v")].into_iter().collect(),
            tags: Tags::parse_query("t=1").unwrap(),
            ..Default::default()
        };
        let checksum = DeclaredChecksum { algorithm: Algorithm::Crc32, full_object: false };
        let run = |(part, pieces)| Run { part, pieces, checksum: PartChecksum::default() };
        let mut marker = Marker::new(&key, Timestamp(5), &attributes, Some(checksum));
        marker.state = State::Publishing(Publishing::new(
            Timestamp(6),
            [1; 8],
            vec![(1, 1), (3, 2)].into_iter().map(run).collect(),
            Base::Blob { store_tag: "0x8D".into(), write_id: None },
            true,
            vec![("bluebucket".into(), "1".into())],
            10,
            &ETag::parse("x-2"),
            &[],
        ));
        let json = serde_json::to_string(&marker).unwrap();
        assert_eq!(
            json,
            r#"{"v":1,"key":"a/b","initiated":5,"content":{"type":null,"encoding":null,"language":null,"disposition":null,"cache_control":null,"expires":null},"user":[["k","v"]],"tags":"t=1","storage_class":null,"checksum":{"algorithm":"CRC32","full_object":false},"state":{"publishing":{"since":6,"nonce":"0101010101010101","parts":[[1,1],[3,2]],"base":{"blob":{"store_tag":"0x8D","write_id":null}},"conditional":true,"metadata":[["bluebucket","1"]],"size":10,"etag":"x-2","checksums":[]}}}"#
        );
        let read: Marker = serde_json::from_str(&json).unwrap();
        assert_eq!(read, marker);
        assert_eq!(read.attributes(), attributes);
        assert_eq!(parse_listed(&read.listed()), Some((key.clone(), Timestamp(5))));
        let State::Publishing(publishing) = read.state else { panic!("state") };
        assert_eq!(publishing.blocks().unwrap().len(), 3);
        let done = Done::new(&key, &publishing.stored(Timestamp(7)));
        assert_eq!(
            serde_json::to_string(&done).unwrap(),
            r#"{"v":1,"key":"a/b","etag":"x-2","last_modified":7,"size":10,"checksums":[]}"#
        );
        assert!(matches!(done.ended(), Ended::Completed(stored) if stored.size == 10));
        let given_up = serde_json::to_string(&Done::given_up(&key)).unwrap();
        assert_eq!(
            given_up,
            r#"{"v":1,"key":"a/b","etag":"","last_modified":0,"size":0,"checksums":[],"given_up":true}"#
        );
        assert!(matches!(serde_json::from_str::<Done>(&given_up).unwrap().ended(), Ended::GivenUp));
    }
}
