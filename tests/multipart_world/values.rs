//! The bytes that clients write, so that whoever reads a piece of them knows whose they are.

use std::collections::BTreeMap;

use bluebucket::object::{ETag, Tags, UserMetadata};
use bytes::Bytes;

use crate::harness::hash;
use crate::harness::oracle::{Label, Value};
use crate::harness::random::Random;

/// The bytes of a part of a value (0: a value of one piece).
pub fn content(value: Value, part: u16, length: usize) -> Bytes {
    let unit = format!("<{value}:{part}>");
    unit.bytes().cycle().take(length).collect::<Vec<_>>().into()
}

/// A set of tags as clients send it.
pub fn tags(label: Label) -> Tags {
    if label == 0 { Tags::default() } else { Tags::parse_query(&format!("set={label}")).unwrap() }
}

/// The set that these tags are; `None` if they are none of ours.
pub fn label_of_tags(tags: &Tags) -> Option<Label> {
    match tags.to_query().as_str() {
        "" => Some(0),
        text => text.strip_prefix("set=")?.parse().ok(),
    }
}

/// User metadata as clients send it.
pub fn user(label: Label) -> UserMetadata {
    let text = label.to_string();
    let pairs: &[(&str, &str)] = if label == 0 { &[] } else { &[("label", text.as_str())] };
    pairs.iter().copied().collect()
}

/// Whose metadata this is; `None` if it is none of ours.
pub fn label_of_user(user: &UserMetadata) -> Option<Label> {
    match user.iter().collect::<Vec<_>>()[..] {
        [] => Some(0),
        [("label", text)] => text.parse().ok(),
        _ => None,
    }
}

/// How an upload is to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One part of no bytes.
    Empty,
    Small,
    /// A part of 5 MiB and another one.
    Large,
    /// Two small parts, of which clients name one each.
    Rivals,
}

impl Shape {
    /// Number and length of each part.
    pub fn parts(self, random: &mut Random) -> Vec<(u16, usize)> {
        let number = 1 + random.below(3) as u16;
        let small = 20 + random.below(200) as usize;
        match self {
            Self::Empty => vec![(number, 0)],
            Self::Small => vec![(number, small)],
            Self::Large => vec![(1, 5 << 20), (number + 1, small)],
            Self::Rivals => vec![(number, small), (number + 1, small / 2 + 7)],
        }
    }
}

/// Whose bytes are whose, and which ETag S3 gives them.
#[derive(Default)]
pub struct Values(BTreeMap<Value, (Bytes, ETag)>);

impl Values {
    /// A value of one piece.
    pub fn add_whole(&mut self, length: impl FnOnce(Value) -> usize) -> Value {
        let value = self.next();
        let bytes = content(value, 0, length(value));
        let etag = ETag::parse(&hash::hex(&hash::md5(&bytes)));
        self.0.insert(value, (bytes, etag));
        value
    }

    /// A value made of parts, which belong to the upload of `owner` (`None`: of this value itself).
    pub fn add_parts(&mut self, owner: Option<Value>, parts: &[(u16, usize)]) -> Value {
        let value = self.next();
        let part = |&(number, length): &(u16, usize)| content(owner.unwrap_or(value), number, length);
        let parts: Vec<_> = parts.iter().map(part).collect();
        let digests: Vec<u8> = parts.iter().flat_map(|part| hash::md5(part)).collect();
        let etag = ETag::parse(&format!("{}-{}", hash::hex(&hash::md5(&digests)), parts.len()));
        self.0.insert(value, (parts.concat().into(), etag));
        value
    }

    /// Whose bytes these are.
    pub fn of_bytes(&self, bytes: &Bytes) -> Option<Value> {
        self.0.iter().find(|(_, (content, _))| content == bytes).map(|(value, _)| *value)
    }

    pub fn of_etag(&self, etag: &ETag) -> Option<Value> {
        self.0.iter().find(|(_, (_, known))| known == etag).map(|(value, _)| *value)
    }

    pub fn bytes(&self, value: Value) -> Bytes {
        self.0.get(&value).map(|(bytes, _)| bytes.clone()).unwrap_or_default()
    }

    pub fn etag(&self, value: Value) -> Option<&ETag> {
        self.0.get(&value).map(|(_, etag)| etag)
    }

    fn next(&self) -> Value {
        self.0.len() as Value + 1
    }
}
