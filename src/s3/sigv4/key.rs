//! Signing keys, derived once a day per secret and cached by the caller.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::hmac;

use super::Mac;

/// The key for one day, region and service. Cheap to clone; never shown.
#[derive(Clone)]
pub struct SigningKey(Arc<hmac::Key>);

impl SigningKey {
    /// Derives the key; `date` is `yyyymmdd`, as in the credential scope.
    pub fn derive(secret: &str, date: &str, region: &str, service: &str) -> Self {
        let secret = [b"AWS4", secret.as_bytes()].concat();
        let mut key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
        for part in [date, region, service, "aws4_request"] {
            key = hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&key, part.as_bytes()).as_ref());
        }
        Self(Arc::new(key))
    }

    pub(super) fn sign(&self, message: &[u8]) -> Mac {
        let mut out = [0; 32];
        out.copy_from_slice(hmac::sign(&self.0, message).as_ref());
        Mac::new(out)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(..)")
    }
}
