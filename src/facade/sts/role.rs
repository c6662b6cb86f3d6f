//! The role that a client names. There are no roles here: the name is checked, shown, and means nothing.

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

/// `arn:aws:iam::123456789012:role/path/name`, and the name of a session of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssumedRole {
    #[serde(rename = "p")]
    partition: String,
    #[serde(rename = "a")]
    account: String,
    #[serde(rename = "r")]
    name: String,
    #[serde(rename = "s")]
    pub session_name: String,
}

/// Where a client names no account.
pub const NO_ACCOUNT: &str = "000000000000";

/// Longest name of a role in characters (set by IAM).
const NAME_CHARS_MAX: usize = 64;
/// Longest path and name together (set by IAM: a path of 512).
const PATH_CHARS_MAX: usize = 512 + NAME_CHARS_MAX;

impl AssumedRole {
    /// `None` if the text is no ARN of a role. Other programs than AWS leave the account out.
    pub fn new(role_arn: &str, session_name: &str) -> Option<Self> {
        let parts: Vec<&str> = role_arn.splitn(6, ':').collect();
        let ["arn", partition, "iam", "", account, resource] = parts[..] else { return None };
        let path = resource.strip_prefix("role/")?;
        let name = path.rsplit('/').next().unwrap_or(path);
        let valid = !partition.is_empty()
            && partition.len() <= 32
            && partition.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && (account.is_empty() || account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()))
            && path.len() <= PATH_CHARS_MAX
            && (1..=NAME_CHARS_MAX).contains(&name.len())
            && path.bytes().all(|byte| is_name(byte) || byte == b'/');
        valid.then(|| Self {
            partition: partition.to_owned(),
            account: if account.is_empty() { NO_ACCOUNT } else { account }.to_owned(),
            name: name.to_owned(),
            session_name: session_name.to_owned(),
        })
    }

    /// For a client that names no role, as Polaris does if its catalog has none.
    pub fn unnamed(session_name: &str) -> Self {
        Self {
            partition: "aws".to_owned(),
            account: NO_ACCOUNT.to_owned(),
            name: "bluebucket".to_owned(),
            session_name: session_name.to_owned(),
        }
    }

    pub fn account(&self) -> &str {
        &self.account
    }

    /// `arn:aws:sts::123456789012:assumed-role/name/session`
    pub fn arn(&self) -> String {
        let Self { partition, account, name, session_name } = self;
        format!("arn:{partition}:sts::{account}:assumed-role/{name}/{session_name}")
    }

    /// `AROA...:session`: the same for all sessions of a role but for the session's name.
    pub fn id(&self) -> String {
        let Self { partition, account, name, session_name } = self;
        let hash = digest(&SHA256, format!("{partition}:{account}:{name}").as_bytes());
        format!("AROA{}:{session_name}", base32(&hash.as_ref()[..10]))
    }
}

/// Characters of names in IAM and of sessions.
pub fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+=,.@-_".contains(&byte)
}

/// Capital letters and digits, a character for five bits.
pub fn base32(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let bit = |index: usize| bytes.get(index / 8).map_or(0, |byte| byte >> (7 - index % 8) & 1);
    let digit = |start: usize| (start..start + 5).fold(0, |value, index| value << 1 | usize::from(bit(index)));
    (0..bytes.len() * 8).step_by(5).filter_map(|start| DIGITS.get(digit(start))).map(|&digit| digit as char).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles() {
        let role = AssumedRole::new("arn:aws:iam::123456789012:role/path/demo", "TestAR").unwrap();
        assert_eq!(role.arn(), "arn:aws:sts::123456789012:assumed-role/demo/TestAR");
        let id = role.id();
        assert!(id.starts_with("AROA") && id.ends_with(":TestAR") && id.len() == 20 + 7, "{id}");
        assert_eq!(AssumedRole::new("arn:minio:iam:::role/x", "s").unwrap().account(), NO_ACCOUNT);
        assert_eq!(AssumedRole::new("arn:aws-us-gov:iam::123456789012:role/x", "s").unwrap().partition, "aws-us-gov");
        for bad in [
            "",
            "role",
            "arn:aws:iam::123456789012:user/x",
            "arn:aws:iam::123456789012:role/",
            "arn:aws:iam::12345:role/x",
            "arn:aws:s3::123456789012:role/x",
            "arn:aws:iam:eu-west-1:123456789012:role/x",
            "arn::iam::123456789012:role/x",
            "arn:aws:iam::123456789012:role/x y",
            "arn:aws:iam::123456789012:role/x<",
        ] {
            assert_eq!(AssumedRole::new(bad, "s"), None, "{bad}");
        }
    }

    #[test]
    fn base32_of_rfc_4648() {
        for (bytes, text) in [("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foobar", "MZXW6YTBOI")] {
            assert_eq!(base32(bytes.as_bytes()), text);
        }
        assert_eq!(base32(&[0xff; 10]), "7".repeat(16));
    }
}
