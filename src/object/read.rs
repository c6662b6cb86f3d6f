//! Reading an object: what is asked, and what comes back.

use std::fmt;

use super::{
    ByteRange, ByteStream, Checksum, ContentHeaders, ETag, Error, ErrorKind, ReadCondition, Span, Stamp, Tags,
    Timestamp, UserMetadata,
};

/// Everything S3 shows of an object but its bytes.
#[derive(Clone, Debug)]
pub struct ObjectMeta {
    /// Length of the whole object in bytes.
    pub size: u64,
    pub etag: ETag,
    pub last_modified: Timestamp,
    pub content: ContentHeaders,
    pub user: UserMetadata,
    pub tags: Tags,
    /// Of the whole object, or composite.
    pub checksums: Vec<Checksum>,
    /// S3's name; `None` = STANDARD.
    pub storage_class: Option<String>,
    /// Set on a blob that the mover wrote and nobody has written since.
    pub stamp: Option<Stamp>,
}

/// What part of an object is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Selection {
    #[default]
    All,
    Range(ByteRange),
    /// The bytes of one part of a multipart object; part 1 of any other object is all of it.
    Part(u32),
}

/// A GET or HEAD.
#[derive(Clone, Debug, Default)]
pub struct ReadRequest {
    pub selection: Selection,
    pub condition: ReadCondition,
}

/// The answer to a read that did not fail.
pub enum Read<T> {
    Object(T),
    /// The condition says that the client has it already.
    NotModified(Box<ObjectMeta>),
}

/// What an object has, where something else was asked for: the source of `RangeUnsatisfiable`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfRange {
    /// Length of the whole object in bytes.
    pub size: u64,
    /// Number of its parts, told where a part was asked for.
    pub parts: Option<u32>,
}

impl OutOfRange {
    /// What an error says of the object, if it is one of these.
    pub fn of(error: &Error) -> Option<Self> {
        std::error::Error::source(error)?.downcast_ref::<Self>().copied()
    }
}

impl From<OutOfRange> for Error {
    fn from(nothing: OutOfRange) -> Self {
        Self::new(ErrorKind::RangeUnsatisfiable, "the object does not have the range or part").with_source(nothing)
    }
}

impl fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the object has {} bytes", self.size)?;
        self.parts.map_or(Ok(()), |parts| write!(f, " in {parts} parts"))
    }
}

impl std::error::Error for OutOfRange {}

/// The head of a read.
#[derive(Debug)]
pub struct ObjectHead {
    pub meta: ObjectMeta,
    /// Set if a part of the object was selected: 206 and Content-Range.
    pub span: Option<Span>,
    /// Number of parts, told where a part of a multipart object was asked for.
    pub parts: Option<u32>,
    /// Checksum of the selected part alone, if it is known.
    pub part_checksum: Option<Checksum>,
}

impl ObjectHead {
    /// Bytes that the body has.
    pub fn length(&self) -> u64 {
        self.span.map_or(self.meta.size, Span::length)
    }

    /// Whether the body has all bytes of the object.
    pub fn is_whole(&self) -> bool {
        self.length() == self.meta.size
    }
}

/// A part of a multipart object, as it lies in the object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectPart {
    pub span: Span,
    pub checksum: Option<Checksum>,
}

/// An object being read.
pub struct ObjectBody {
    pub head: ObjectHead,
    pub body: ByteStream,
}
