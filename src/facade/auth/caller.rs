//! Who asks, and so what may be done.

use std::sync::Arc;

use super::AccessKey;
use crate::facade::access::{Action, Resource, permits};
use crate::facade::sts::Session;
use crate::object::BucketName;
use crate::s3::error::{Result, S3Code, S3Error};
use crate::s3::operation::Operation;
use crate::telemetry::Secret;

/// A key pair, or a session that one assumed.
#[derive(Clone)]
pub struct Caller {
    pub key: Arc<AccessKey>,
    pub session: Option<Arc<Session>>,
}

impl Caller {
    /// The id that requests are signed with.
    pub fn access_key_id(&self) -> &str {
        self.session.as_ref().map_or(&self.key.id, |session| &session.access_key_id)
    }

    /// The secret that requests are signed with.
    pub fn secret(&self) -> &Secret {
        self.session.as_ref().map_or(&self.key.secret, |session| &session.secret)
    }

    /// Whether it is the very same: a pair that was read again is another one.
    pub fn is(&self, other: &Self) -> bool {
        let same_session = match (&self.session, &other.session) {
            (None, None) => true,
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            _ => false,
        };
        same_session && Arc::ptr_eq(&self.key, &other.key)
    }

    /// Whether the rules of the key pair allow it, and the policy of the session too.
    pub fn allows(&self, action: Action, on: Resource<'_>) -> bool {
        let policy = self.session.as_ref().and_then(|session| session.policy.as_ref());
        self.key.rules.allows(action, on) && policy.is_none_or(|policy| policy.allows(action, on))
    }

    /// Whether the bucket appears in the list of buckets.
    pub fn sees(&self, bucket: &BucketName) -> bool {
        self.key.rules.reaches(bucket)
    }

    /// Says whether what is asked may be done.
    ///
    /// # Errors
    /// AccessDenied.
    pub fn authorize(&self, operation: &Operation) -> Result<()> {
        if permits(operation, |action, on| self.allows(action, on)) { Ok(()) } else { Err(denied()) }
    }

    /// Says whether one object may be deleted, in a version if one is named.
    ///
    /// # Errors
    /// AccessDenied.
    pub fn authorize_delete(&self, bucket: &BucketName, key: &str, version_id: Option<&str>) -> Result<()> {
        let on = Resource::Object { bucket, key };
        let allowed = self.allows(Action::DeleteObject, on)
            && (version_id.is_none() || self.allows(Action::DeleteObjectVersion, on));
        if allowed { Ok(()) } else { Err(denied()) }
    }
}

fn denied() -> S3Error {
    S3Error::new(S3Code::AccessDenied, "The credentials do not allow this operation.")
}
