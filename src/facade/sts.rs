//! The token service on the facade's own endpoint: AssumeRole and GetCallerIdentity.
//!
//! A session is a token that every replica can open: it holds who assumed it, until when, its secret
//! and its policy, sealed with a key that all replicas mount. Nothing is stored, and nothing is asked
//! of the account. What a session may do is judged at each request: what the key pair that assumed it
//! may do *now*, and what the policy allows.

mod answer;
mod error;
mod request;
mod role;
mod seal;
mod session;

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use http::{Method, Response, request::Parts};
use hyper::body::Incoming;

use super::Facade;
use super::auth::{Caller, SessionFailure};
use super::body::ClientBody;
use super::last_move::LastMove;
use super::tally::Tally;
use crate::net::Body;
use crate::object::text::hex;
use crate::s3::error::S3Code;
use crate::s3::header::CONTENT_SHA256;
use crate::s3::sigv4::{Expectations, SignedRequest, SigningKey};
use crate::telemetry::label::{AuthFailure, S3Operation, ShedReason};
use error::{StsCode, StsError};
use request::{Ask, AssumeRole};

pub use seal::SealingKeys;
pub(super) use session::Session;

/// Longest body of a request, in bytes (set by us: a policy of 2048 characters, each of them escaped,
/// takes a third).
const BODY_BYTES_MAX: usize = 64 << 10;
/// Time for such a body to come: who sends it has not proved anything yet.
const FORM_TIME: Duration = Duration::from_secs(10);

/// Whether a request is one to the token service: no request of S3 posts a form to `/`.
pub(super) fn is_asked(head: &Parts) -> bool {
    let form = |value: &http::HeaderValue| value.as_bytes().starts_with(b"application/x-www-form-urlencoded");
    head.method == Method::POST
        && head.uri.path() == "/"
        && head.uri.query().is_none()
        && head.headers.get(http::header::CONTENT_TYPE).is_some_and(form)
}

impl Facade {
    /// Answers a request to the token service, errors too: they have a format of their own.
    pub(super) async fn answer_sts(
        &self,
        head: Parts,
        body: Incoming,
        request_id: &str,
        tally: &mut Tally,
    ) -> Response<Body> {
        tally.operation = S3Operation::Sts;
        let last_move = LastMove::begin();
        let mut place = tally.place.take();
        let body = ClientBody::new(body, self.settings.body_timeout, last_move, place.as_mut());
        let served = self.serve_sts(&head, body, request_id, tally).await;
        tally.place = place;
        match served {
            Ok(response) => response,
            Err(error) => {
                if let Some(reason) = error.auth_failure() {
                    self.settings.metrics.facade.auth_failed(reason);
                }
                tracing::debug!(component = tally.component(), code = error.code().as_str(), %error, request_id, "token refused");
                answer::error(&error, request_id)
            }
        }
    }

    async fn serve_sts(
        &self,
        head: &Parts,
        body: ClientBody<'_>,
        request_id: &str,
        tally: &mut Tally,
    ) -> Result<Response<Body>, StsError> {
        let signed = SignedRequest::parse(&head.method, head.uri.path(), "", &head.headers)
            .map_err(StsError::of_signature)?
            .ok_or(StsError::from(StsCode::MissingAuthenticationToken))?;
        let now = (self.clock)();
        // The region is not looked at: SDKs sign for that of the bucket, or for the global endpoint.
        let mut expected = Expectations { service: "sts", ..Expectations::s3(None) };
        signed.check(now, &expected).map_err(StsError::of_signature)?;
        let caller = self.sessions.caller(&self.settings.keys, &signed, now).map_err(StsError::of_session)?;
        // Who sends nobody's key id is not read at all.
        let Some(_grant) = self.settings.budget.try_acquire(BODY_BYTES_MAX as u64) else {
            self.settings.metrics.facade.shed(ShedReason::Memory);
            return Err(StsCode::ServiceUnavailable.into());
        };
        let form = tokio::time::timeout(FORM_TIME, body.small(BODY_BYTES_MAX))
            .await
            .unwrap_or_else(|_| Err(S3Code::RequestTimeout.into()))
            .map_err(StsError::of_signature)?;
        tally.received = form.len() as u64;
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(digest(&SHA256, &form).as_ref());
        expected.body_sha256 = Some(sha256);
        if head.headers.get(&CONTENT_SHA256).is_some_and(|told| told.as_bytes() != hex(&sha256).as_bytes()) {
            return Err(StsCode::SignatureDoesNotMatch.into());
        }
        let key = SigningKey::derive(caller.secret().expose(), signed.date(), signed.region(), signed.service());
        signed.verify(&key, now, &expected).map_err(StsError::of_signature)?;
        tally.caller = Some(caller.clone());
        match Ask::parse(&form)? {
            Ask::GetCallerIdentity => Ok(answer::caller_identity(&caller, request_id)),
            Ask::AssumeRole(asked) => self.assume_role(*asked, &caller, now, request_id),
        }
    }

    fn assume_role(
        &self,
        asked: AssumeRole,
        caller: &Caller,
        now: crate::object::Timestamp,
        request_id: &str,
    ) -> Result<Response<Body>, StsError> {
        if caller.session.is_some() {
            return Err(StsError::new(StsCode::AccessDenied, "A session cannot assume a role: ask with a key pair."));
        }
        let Some(keys) = self.settings.keys.sealing().filter(|keys| !keys.is_empty()) else {
            return Err(StsError::new(
                StsCode::NotImplemented,
                "Temporary credentials are not served: the setting facade.sts.keys_dir names no sealing keys.",
            ));
        };
        let session = Session::new(&caller.key.id, &asked, now);
        let token = keys.seal(&session.to_bytes()).ok_or(StsError::from(StsCode::InternalFailure))?;
        tracing::info!(
            component = caller.key.component,
            session = session.role.session_name,
            access_key_id = session.access_key_id,
            seconds = asked.duration,
            narrowed = session.policy.is_some(),
            request_id,
            "role assumed"
        );
        Ok(answer::credentials(&session, &token, asked.packed_percent(), request_id))
    }
}

impl StsError {
    fn of_session(failure: SessionFailure) -> Self {
        match failure {
            SessionFailure::UnknownKey => StsCode::InvalidClientTokenId.into(),
            SessionFailure::Invalid => StsCode::InvalidClientTokenId.into(),
            SessionFailure::Expired => StsCode::ExpiredToken.into(),
        }
    }

    /// How the failure counts, if it is one of identity or rights.
    fn auth_failure(&self) -> Option<AuthFailure> {
        Some(match self.code() {
            StsCode::MissingAuthenticationToken => AuthFailure::Unsigned,
            StsCode::InvalidClientTokenId => AuthFailure::UnknownKey,
            StsCode::SignatureDoesNotMatch => AuthFailure::Signature,
            StsCode::IncompleteSignature => AuthFailure::Malformed,
            StsCode::RequestExpired | StsCode::ExpiredToken => AuthFailure::Expired,
            StsCode::AccessDenied => AuthFailure::NotAllowed,
            _ => return None,
        })
    }
}
