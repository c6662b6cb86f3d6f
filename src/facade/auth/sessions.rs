//! From the access key id and the token of a request to who asks.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use subtle::ConstantTimeEq;

use super::{AccessKeys, Caller};
use crate::facade::sts::{SealingKeys, Session};
use crate::object::Timestamp;
use crate::s3::sigv4::SignedRequest;

/// Tokens that were opened before: opening one decrypts it and reads its policy. Belongs to a thread.
#[derive(Clone, Default)]
pub struct Sessions(Arc<Mutex<HashMap<String, Opened>>>);

struct Opened {
    token: Box<str>,
    /// The keys that opened it: with other ones it may be void.
    keys: Arc<SealingKeys>,
    session: Arc<Session>,
}

/// Why nobody is behind a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionFailure {
    UnknownKey,
    /// No token of ours, or one for another access key id, or its key pair is gone.
    Invalid,
    Expired,
}

/// Sessions kept; a table that is being worked on has one or two.
const SESSIONS_MAX: usize = 1024;

impl Sessions {
    /// Who a request says it comes from; its signature is still to be verified.
    ///
    /// # Errors
    /// [`SessionFailure`]
    pub fn caller(
        &self,
        keys: &AccessKeys,
        signed: &SignedRequest<'_>,
        now: Timestamp,
    ) -> Result<Caller, SessionFailure> {
        let Some(token) = signed.session_token() else {
            let key = keys.find(signed.access_key()).ok_or(SessionFailure::UnknownKey)?;
            return Ok(Caller { key, session: None });
        };
        let session = self.open(keys, signed.access_key(), token).ok_or(SessionFailure::Invalid)?;
        if now >= session.expires {
            return Err(SessionFailure::Expired);
        }
        let key = keys.find(&session.pair).ok_or(SessionFailure::Invalid)?;
        Ok(Caller { key, session: Some(session) })
    }

    fn open(&self, keys: &AccessKeys, id: &str, token: &str) -> Option<Arc<Session>> {
        let keys = keys.sealing()?;
        let mut cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(opened) = cache.get(id)
            && Arc::ptr_eq(&opened.keys, &keys)
            && bool::from(opened.token.as_bytes().ct_eq(token.as_bytes()))
        {
            return Some(opened.session.clone());
        }
        let session = Session::from_bytes(&keys.open(token)?).filter(|session| session.access_key_id == id)?;
        let session = Arc::new(session);
        if cache.len() >= SESSIONS_MAX {
            cache.clear();
        }
        cache.insert(id.to_owned(), Opened { token: token.into(), keys, session: session.clone() });
        Some(session)
    }
}
