//! OAuth bearer tokens: audience and times of a JWT, whose signature is not checked.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::with_challenge;
use crate::emulator::config::BearerPolicy;
use crate::emulator::error::{Outcome, ServiceError};
use crate::emulator::store::Account;

#[derive(Deserialize)]
struct Claims {
    aud: String,
    exp: u64,
    #[serde(default)]
    nbf: u64,
}

/// # Errors
/// 401 `InvalidAuthenticationInfo` with a challenge.
pub fn verify(account: &Account, token: &str, now: SystemTime) -> Outcome<()> {
    let BearerPolicy::Accept { audience } = &account.config.bearer else {
        return Err(refuse("Bearer tokens are not accepted."));
    };
    let claims = claims(token).ok_or_else(|| refuse("IDX12741: the token is malformed."))?;
    let bare = |audience: &str| audience.trim_end_matches('/').to_ascii_lowercase();
    if bare(&claims.aud) != bare(audience) {
        return Err(refuse("Audience validation failed. Audience did not match."));
    }
    let seconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    if claims.exp <= seconds {
        return Err(refuse("Lifetime validation failed. The token is expired."));
    }
    if claims.nbf > seconds {
        return Err(refuse("Lifetime validation failed. The token is not yet valid."));
    }
    Ok(())
}

/// The answer to a token that is not taken.
pub fn refuse(detail: &str) -> ServiceError {
    with_challenge(ServiceError::invalid_authentication_info().detail("AuthenticationErrorDetail", detail))
}

fn claims(token: &str) -> Option<Claims> {
    let mut parts = token.split('.');
    let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
    let json = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    serde_json::from_slice(&json).ok()
}

/// A token with an empty signature that the emulator takes for an audience, for tests and demos.
pub fn mint(audience: &str, not_before: SystemTime, expires: SystemTime) -> String {
    let seconds = |time: SystemTime| time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let payload = serde_json::json!({"aud": audience, "nbf": seconds(not_before), "exp": seconds(expires)});
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.{}", encode(r#"{"alg":"none","typ":"JWT"}"#), encode(&payload.to_string()), encode("x"))
}
