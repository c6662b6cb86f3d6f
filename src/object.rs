//! Value types shared by every layer: pure, without I/O.
//!
//! *Bucket, object, key* name the S3 side; *container, blob, name* the Azure side. The two ETags
//! are two types ([`ETag`] is what S3 clients see, [`StoreTag`] is Azure's and stays private), so
//! that neither can be sent where the other belongs.

pub mod body;
pub mod checksum;
pub mod condition;
pub mod content;
pub mod error;
pub mod etag;
pub mod key;
pub mod listing;
pub mod multipart;
pub mod name;
pub mod range;
pub mod read;
pub mod stamp;
pub mod tags;
pub mod text;
pub mod time;
pub mod write;

pub use body::{ByteStream, Payload};
pub use checksum::{Algorithm, Checksum, ChecksumKind, Hasher};
pub use condition::{DeleteCondition, ReadCondition, WriteCondition};
pub use content::{ContentHeaders, UserMetadata};
pub use error::{Error, ErrorKind, Result, Retry};
pub use etag::{ETag, StoreTag};
pub use key::{ObjectKey, Unmappable};
pub use multipart::UploadId;
pub use name::{BucketName, ContainerName};
pub use range::{ByteRange, Span};
pub use read::{ObjectBody, ObjectHead, ObjectMeta, ObjectPart, OutOfRange, Read, ReadRequest, Selection};
pub use stamp::Stamp;
pub use tags::Tags;
pub use time::Timestamp;
pub use write::{Attributes, CopyRequest, DeclaredChecksum, ImportRequest, PutRequest, Stored};
