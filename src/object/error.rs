//! One error type for everything that talks to S3 or to Blob Storage.
//!
//! The kind is decided from status and vendor code where the answer is read, never from text, and
//! it alone decides what a facade client is told and whether a mover tries again.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, for whoever has to decide what to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The object or blob does not exist.
    NotFound,
    /// The bucket or container does not exist.
    ContainerMissing,
    /// A bucket or container of this name exists.
    ContainerExists,
    /// A container of this name was deleted moments ago; the name is not free yet.
    ContainerBeingDeleted,
    /// A bucket that is to be deleted still holds objects.
    ContainerNotEmpty,
    /// A write with `If-None-Match: *` met an existing blob.
    Exists,
    /// A condition on the object does not hold.
    PreconditionFailed,
    /// A condition on the source of a copy does not hold.
    SourcePreconditionFailed,
    /// A read condition says that the client's copy is current.
    NotModified,
    /// Two conditional writes met; the caller may try again (S3: 409 ConditionalRequestConflict).
    Conflict,
    /// On a hierarchical account something stands where the object is to be: a directory, an object that
    /// is part of its path, or a file that can be replaced by small objects only.
    Obstructed,
    /// Somebody holds a lease on the blob.
    Leased,
    /// The requested range lies outside the object.
    RangeUnsatisfiable,
    /// The service asks for fewer requests.
    Throttled,
    /// No answer came in time; the outcome of a write is unknown.
    Timeout,
    /// The connection or the service failed; the outcome of a write is unknown.
    Unavailable,
    /// The credential was not accepted, or none could be had.
    AuthExpired,
    /// The identity may not do this.
    Denied,
    /// The service could not read the source of a copy.
    CopySourceUnreadable,
    /// The service does not know the operation or does not support it on this account or blob.
    Unsupported,
    /// The bytes do not have the checksum or MD5 that was announced.
    ChecksumMismatch,
    /// The body ended early or had more bytes than announced.
    BodyIncomplete,
    /// Something exceeds a limit.
    TooLarge,
    /// Metadata does not fit into Azure's 8 KiB.
    MetadataTooLarge,
    /// A key that Blob Storage cannot hold.
    KeyUnmappable,
    /// The request itself is wrong.
    Invalid,
    /// A multipart upload that does not exist (any more).
    NoSuchUpload,
    /// A part that was named at Complete is missing or has another ETag.
    InvalidPart,
    /// The parts named at Complete are not in ascending order.
    InvalidPartOrder,
    /// A part other than the last is smaller than S3 allows.
    PartTooSmall,
    /// A block list names a block that is not there (any more).
    InvalidBlockList,
    /// The object is in an archive tier and has to be restored first.
    Archived,
    /// The peer broke its own protocol.
    Corrupt,
    /// The client went away, or the work was called off.
    Cancelled,
    /// Anything else: a fault of ours or of the service.
    Unexpected,
}

/// Whether the same request may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// It would fail again.
    No,
    /// It may succeed when sent again after the usual backoff.
    Backoff,
    /// The service named the time to wait.
    After(Duration),
}

/// An error with its kind, a message for operators, and what the vendor said.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    retry: Retry,
    message: String,
    status: Option<u16>,
    vendor_code: Option<String>,
    request_id: Option<String>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of ours. The message is for operators: lower case, no full stop, no secrets.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            retry: Self::default_retry(kind),
            message: message.into(),
            status: None,
            vendor_code: None,
            request_id: None,
            source: None,
        }))
    }

    fn default_retry(kind: ErrorKind) -> Retry {
        match kind {
            ErrorKind::Throttled | ErrorKind::Timeout | ErrorKind::Unavailable => Retry::Backoff,
            _ => Retry::No,
        }
    }

    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Self {
        self.0.retry = retry;
        self
    }

    /// Adds what the service answered, verbatim.
    #[must_use]
    pub fn with_answer(mut self, status: u16, vendor_code: Option<String>, request_id: Option<String>) -> Self {
        self.0.status = Some(status);
        self.0.vendor_code = vendor_code;
        self.0.request_id = request_id;
        self
    }

    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Puts what was being done in front of the message, as `doing: message`.
    #[must_use]
    pub fn context(mut self, doing: impl fmt::Display) -> Self {
        self.0.message = format!("{doing}: {}", self.0.message);
        self
    }

    /// The same error under another kind, where a layer knows better what it means.
    #[must_use]
    pub fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self.0.retry = Self::default_retry(kind);
        self
    }

    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    pub fn retry(&self) -> Retry {
        self.0.retry
    }

    pub fn message(&self) -> &str {
        &self.0.message
    }

    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    pub fn vendor_code(&self) -> Option<&str> {
        self.0.vendor_code.as_deref()
    }

    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// True if a write that ended so may have taken effect all the same.
    pub fn outcome_unknown(&self) -> bool {
        matches!(self.kind(), ErrorKind::Timeout | ErrorKind::Unavailable | ErrorKind::Unexpected | ErrorKind::Corrupt)
            || (self.kind() == ErrorKind::Throttled && self.status() == Some(500))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        if let Some(status) = self.0.status {
            write!(f, " (status {status}")?;
            if let Some(code) = &self.0.vendor_code {
                write!(f, ", {code}")?;
            }
            if let Some(id) = &self.0.request_id {
                write!(f, ", request id {id}")?;
            }
            f.write_str(")")?;
        }
        Ok(())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_ref().map(|source| &**source as &(dyn StdError + 'static))
    }
}
