//! Who asks, and what they may do. Everything is denied that no key allows.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use http::{HeaderMap, Method};

use crate::object::{BucketName, Timestamp};
use crate::s3::error::{Result, S3Code, S3Error};
use crate::s3::operation::Operation;
use crate::s3::sigv4::{ChunkSigner, Expectations, SignedRequest, SigningKey};
use crate::telemetry::Secret;
use crate::telemetry::label::AuthFailure;
use crate::telemetry::metrics::ComponentMetrics;

/// A key pair and what its holder may do.
pub struct AccessKey {
    /// Whose key it is, as metrics and logs name it.
    pub component: String,
    pub id: String,
    pub secret: Secret,
    pub buckets: BucketScope,
    pub verbs: Verbs,
    pub metrics: Arc<ComponentMetrics>,
}

/// The buckets that a key reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BucketScope {
    All,
    Only(BTreeSet<BucketName>),
}

/// What a key may do in its buckets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verbs {
    pub read: bool,
    pub write: bool,
    pub delete: bool,
    pub list: bool,
}

/// All key pairs, replaced as a whole when secrets change.
pub struct AccessKeys(ArcSwap<HashMap<String, Arc<AccessKey>>>);

/// Signing keys that were derived before: deriving one costs four HMACs. Belongs to a thread.
#[derive(Clone, Default)]
pub(super) struct SigningKeys(Arc<Mutex<HashMap<String, CachedKey>>>);

struct CachedKey {
    scope: String,
    /// The pair it was derived from: a pair with a new secret is another one.
    pair: Arc<AccessKey>,
    key: SigningKey,
}

/// Signing keys kept; a key pair needs one, two around midnight.
const SIGNING_KEYS_MAX: usize = 1024;

/// A request whose signature has been verified.
pub(super) struct Identity {
    pub key: Arc<AccessKey>,
    /// For a body whose chunks are signed.
    pub chunk_signer: Option<ChunkSigner>,
}

impl AccessKeys {
    pub fn new(keys: impl IntoIterator<Item = AccessKey>) -> Self {
        Self(ArcSwap::from_pointee(by_id(keys)))
    }

    /// Puts new key pairs in place of all; requests that are under way keep theirs.
    pub fn replace(&self, keys: impl IntoIterator<Item = AccessKey>) {
        self.0.store(Arc::new(by_id(keys)));
    }

    fn find(&self, id: &str) -> Option<Arc<AccessKey>> {
        self.0.load().get(id).cloned()
    }
}

fn by_id(keys: impl IntoIterator<Item = AccessKey>) -> HashMap<String, Arc<AccessKey>> {
    keys.into_iter().map(|key| (key.id.clone(), Arc::new(key))).collect()
}

impl BucketScope {
    pub fn reaches(&self, bucket: &BucketName) -> bool {
        match self {
            Self::All => true,
            Self::Only(buckets) => buckets.contains(bucket),
        }
    }
}

/// Verifies the signature of a request.
///
/// # Errors
/// The S3 error, and the reason as metrics count it.
pub(super) fn authenticate(
    keys: &AccessKeys,
    cache: &SigningKeys,
    region: &str,
    request: (&Method, &str, &str, &HeaderMap),
    now: Timestamp,
) -> Result<Identity, (S3Error, AuthFailure)> {
    let (method, path, query, headers) = request;
    let signed = SignedRequest::parse(method, path, query, headers)
        .map_err(|error| (error, AuthFailure::Malformed))?
        .ok_or_else(|| (S3Code::AccessDenied.into(), AuthFailure::Unsigned))?;
    let expected = Expectations::s3(Some(region));
    signed.check(now, &expected).map_err(|error| {
        let reason = failure_of(&error);
        (error, reason)
    })?;
    let key =
        keys.find(signed.access_key()).ok_or_else(|| (S3Code::InvalidAccessKeyId.into(), AuthFailure::UnknownKey))?;
    if signed.session_token().is_some() {
        let message = "Session tokens are not issued here: use the key pair as configured.";
        return Err((S3Error::new(S3Code::InvalidToken, message), AuthFailure::Token));
    }
    let signing_key = cache.get(&key, &signed);
    let verified = signed.verify(&signing_key, now, &expected).map_err(|error| {
        let reason = failure_of(&error);
        (error, reason)
    })?;
    Ok(Identity { key, chunk_signer: verified.chunk_signer })
}

fn failure_of(error: &S3Error) -> AuthFailure {
    match error.code() {
        S3Code::SignatureDoesNotMatch => AuthFailure::Signature,
        S3Code::RequestTimeTooSkewed | S3Code::AccessDenied => AuthFailure::Expired,
        _ => AuthFailure::Malformed,
    }
}

impl SigningKeys {
    fn get(&self, pair: &Arc<AccessKey>, signed: &SignedRequest<'_>) -> SigningKey {
        let mut cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cached) = cache.get(&pair.id)
            && Arc::ptr_eq(&cached.pair, pair)
            && is_scope(&cached.scope, signed)
        {
            return cached.key.clone();
        }
        let key = SigningKey::derive(pair.secret.expose(), signed.date(), signed.region(), signed.service());
        if cache.len() >= SIGNING_KEYS_MAX {
            cache.clear();
        }
        let scope = format!("{}/{}/{}", signed.date(), signed.region(), signed.service());
        cache.insert(pair.id.clone(), CachedKey { scope, pair: pair.clone(), key: key.clone() });
        key
    }
}

/// Compares without putting the scope together.
fn is_scope(scope: &str, signed: &SignedRequest<'_>) -> bool {
    let mut parts = scope.splitn(3, '/');
    parts.next() == Some(signed.date())
        && parts.next() == Some(signed.region())
        && parts.next() == Some(signed.service())
}

/// Says whether a key may do what is asked.
///
/// # Errors
/// AccessDenied.
pub(super) fn authorize(key: &AccessKey, operation: &Operation) -> Result<()> {
    let reaches = operation.bucket().is_none_or(|bucket| key.buckets.reaches(bucket));
    let reads_source =
        operation.copy_source().is_none_or(|source| key.verbs.read && key.buckets.reaches(&source.address.bucket));
    if reaches && reads_source && has_verb(key.verbs, operation) {
        return Ok(());
    }
    Err(S3Error::new(S3Code::AccessDenied, "The key pair does not allow this operation."))
}

/// The verb that an operation needs.
fn has_verb(verbs: Verbs, operation: &Operation) -> bool {
    match operation {
        Operation::ListBuckets(_) | Operation::Unsupported { .. } | Operation::MethodNotAllowed => true,
        Operation::HeadBucket(_)
        | Operation::GetBucketLocation(_)
        | Operation::GetBucketVersioning(_)
        | Operation::GetBucketAcl(_)
        | Operation::GetBucketSetting(..) => verbs.list || verbs.read || verbs.write,
        Operation::ListObjectsV1(_)
        | Operation::ListObjectsV2(_)
        | Operation::ListObjectVersions(_)
        | Operation::ListMultipartUploads(_) => verbs.list,
        Operation::GetObject(_)
        | Operation::HeadObject(_)
        | Operation::GetObjectAttributes(_)
        | Operation::GetObjectAcl(_)
        | Operation::GetObjectTagging(_) => verbs.read,
        Operation::CreateBucket(_)
        | Operation::PutBucketAcl(_)
        | Operation::PutObjectAcl(_)
        | Operation::PutObject(_)
        | Operation::CopyObject(_)
        | Operation::PutObjectTagging(_)
        | Operation::DeleteObjectTagging(_)
        | Operation::CreateMultipartUpload(_)
        | Operation::UploadPart(_)
        | Operation::UploadPartCopy(_)
        | Operation::CompleteMultipartUpload(_)
        | Operation::AbortMultipartUpload(_)
        | Operation::ListParts(_) => verbs.write,
        Operation::DeleteObject(_) | Operation::DeleteObjects(_) | Operation::DeleteBucket(_) => verbs.delete,
    }
}
