//! What a token says.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::request::AssumeRole;
use super::role::{AssumedRole, base32};
use crate::facade::access::Policy;
use crate::object::Timestamp;
use crate::object::text::base64url;
use crate::telemetry::Secret;

/// Temporary credentials, as they were given out.
pub struct Session {
    pub access_key_id: String,
    pub secret: Secret,
    /// The access key id that assumed it. The session ends when that pair is taken away.
    pub pair: String,
    pub expires: Timestamp,
    pub role: AssumedRole,
    /// `None`: all that the key pair may do.
    pub policy: Option<Policy>,
    /// The policy as a document without blanks.
    document: Option<Value>,
}

/// The content of a token, as `docs/formats.md` tells it. What it does not know it does not accept:
/// it could be a limit.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    #[serde(rename = "i")]
    access_key_id: String,
    #[serde(rename = "k")]
    pair: String,
    #[serde(rename = "s")]
    secret: String,
    #[serde(rename = "x")]
    expires: i64,
    #[serde(rename = "r")]
    role: AssumedRole,
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    policy: Option<Value>,
}

/// Begins every access key id of a session, as those of AWS.
const ID_PREFIX: &str = "ASIA";
/// 16 characters.
const ID_BYTES: usize = 10;
/// 40 characters.
const SECRET_BYTES: usize = 30;

impl Session {
    /// A session that begins now, with a fresh id and a fresh secret.
    pub fn new(pair: &str, asked: &AssumeRole, now: Timestamp) -> Self {
        let mut random = [0; ID_BYTES + SECRET_BYTES];
        getrandom::fill(&mut random).expect("the operating system provides randomness");
        let (id, secret) = random.split_at(ID_BYTES);
        Self {
            access_key_id: format!("{ID_PREFIX}{}", base32(id)),
            secret: Secret::transient(base64url(secret)),
            pair: pair.to_owned(),
            expires: Timestamp(now.0 + i64::from(asked.duration)),
            role: asked.role.clone(),
            policy: asked.policy.clone(),
            document: asked.document.clone(),
        }
    }

    /// The content of its token.
    pub fn to_bytes(&self) -> Vec<u8> {
        let content = Content {
            access_key_id: self.access_key_id.clone(),
            pair: self.pair.clone(),
            secret: self.secret.expose().to_owned(),
            expires: self.expires.0,
            role: self.role.clone(),
            policy: self.document.clone(),
        };
        serde_json::to_vec(&content).unwrap_or_default()
    }

    /// Reads the content of a token; `None` if it is of another kind.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let content: Content = serde_json::from_slice(bytes).ok()?;
        let policy = match &content.policy {
            Some(document) => Some(Policy::parse(&document.to_string()).ok()?),
            None => None,
        };
        Some(Self {
            access_key_id: content.access_key_id,
            secret: Secret::transient(content.secret),
            pair: content.pair,
            expires: Timestamp(content.expires),
            role: content.role,
            policy,
            document: content.policy,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of `docs/formats.md`.
    const GOLDEN: &str = r#"{"i":"ASIAAAAAAAAAAAAAAAAA","k":"BBPOLARIS","s":"c2VjcmV0","x":1798000000,"r":{"p":"aws","a":"123456789012","r":"polaris","s":"table"},"p":{"Statement":{"Action":"s3:GetObject","Effect":"Allow","Resource":"arn:aws:s3:::local-iceberg-test/ns/*"}}}"#;

    #[test]
    fn golden() {
        let session = Session::from_bytes(GOLDEN.as_bytes()).unwrap();
        assert_eq!((session.pair.as_str(), session.secret.expose()), ("BBPOLARIS", "c2VjcmV0"));
        assert_eq!((session.expires, session.policy.is_some()), (Timestamp(1_798_000_000), true));
        assert_eq!(session.role.arn(), "arn:aws:sts::123456789012:assumed-role/polaris/table");
        assert_eq!(String::from_utf8(session.to_bytes()).unwrap(), GOLDEN);
    }

    #[test]
    fn what_is_not_known_is_not_accepted() {
        for (known, unknown) in [
            (r#""k":"BBPOLARIS""#, r#""k":"BBPOLARIS","limit":1"#),
            (r#""x":1798000000,"#, ""),
            (r#""Effect":"Allow""#, r#""Effect":"Allow","Limit":1"#),
            (r#""p":{"Statement""#, r#""p":{"Nothing""#),
        ] {
            assert!(GOLDEN.contains(known));
            assert!(Session::from_bytes(GOLDEN.replace(known, unknown).as_bytes()).is_none(), "{unknown}");
        }
        assert!(Session::from_bytes(b"").is_none());
    }
}
