//! Signing keys that were derived before: deriving one costs four HMACs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::Caller;
use crate::s3::sigv4::{SignedRequest, SigningKey};

/// Belongs to a thread.
#[derive(Clone, Default)]
pub struct SigningKeys(Arc<Mutex<HashMap<String, CachedKey>>>);

struct CachedKey {
    scope: String,
    /// Whose secret it was derived from.
    caller: Caller,
    key: SigningKey,
}

/// Signing keys kept; a key pair needs one, two around midnight.
const SIGNING_KEYS_MAX: usize = 1024;

impl SigningKeys {
    pub fn get(&self, caller: &Caller, signed: &SignedRequest<'_>) -> SigningKey {
        let mut cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cached) = cache.get(caller.access_key_id())
            && cached.caller.is(caller)
            && is_scope(&cached.scope, signed)
        {
            return cached.key.clone();
        }
        let key = SigningKey::derive(caller.secret().expose(), signed.date(), signed.region(), signed.service());
        if cache.len() >= SIGNING_KEYS_MAX {
            cache.clear();
        }
        let scope = format!("{}/{}/{}", signed.date(), signed.region(), signed.service());
        let cached = CachedKey { scope, caller: caller.clone(), key: key.clone() };
        cache.insert(caller.access_key_id().to_owned(), cached);
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
