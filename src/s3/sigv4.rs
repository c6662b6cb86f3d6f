//! AWS Signature Version 4 as S3 uses it, in a header or in a presigned query.
//!
//! Source: Amazon S3 API reference, "Authenticating Requests (AWS Signature Version 4)". S3 differs
//! from the general scheme: the path is signed as sent, neither normalised nor encoded twice, and the
//! payload's hash comes from `x-amz-content-sha256`.

mod authorization;
mod canonical;
mod chunk;
mod credential;
mod key;
mod mac;
mod presigned;
mod sign;
mod verify;

pub use chunk::ChunkSigner;
pub use key::SigningKey;
pub use mac::Mac;
pub use sign::{Credentials, Signable, presign, sign};
pub use verify::{Expectations, Placement, SignedRequest, Verified};

/// The only algorithm that is served.
const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// The longest validity of a presigned URL in seconds: a week (set by S3).
const EXPIRES_MAX: u64 = 604_800;
