//! Keeps secrets out of whatever is written: a type that does not show its text, a registry of the
//! secrets in use, and a filter for text on its way out.

use std::borrow::Cow;
use std::fmt;
use std::fmt::Write as _;
use std::sync::{Arc, LazyLock, Weak};

use arc_swap::ArcSwap;
use base64::Engine as _;
use memchr::memmem::Finder;
use subtle::ConstantTimeEq;

/// What stands in the place of a secret.
pub const MASK: &str = "[redacted]";

/// A text that must not be shown. `Debug` and `Display` mask it, equality takes constant time, and
/// [`scrub`] masks it in any text for as long as somebody holds it.
#[derive(Clone)]
pub struct Secret(Arc<str>);

impl Secret {
    /// Takes a secret and registers it, so that [`scrub`] masks it wherever it turns up.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        let secret = Self(text.into());
        register(&secret.0);
        secret
    }

    /// Takes a secret that lives for one request only. It masks itself and is not registered:
    /// thousands of them a second would make every log line slow.
    pub fn transient(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The secret itself, for the one place that has to use it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for Secret {}

/// Masks the secrets in use, in every spelling in which they may turn up, and whatever looks like a
/// signature or a token.
pub fn scrub(text: &str) -> Cow<'_, str> {
    let mut scrubbed = Cow::Borrowed(text);
    for known in REGISTRY.load().iter() {
        for spelling in &known.spellings {
            mask_all(&mut scrubbed, spelling);
        }
    }
    for marker in MARKERS {
        mask_values(&mut scrubbed, marker);
    }
    scrubbed
}

/// The secrets in use. One per process, and not passed down: a log line written by a foreign crate
/// has to be scrubbed too.
static REGISTRY: LazyLock<ArcSwap<Vec<Arc<Known>>>> = LazyLock::new(ArcSwap::default);

/// A shorter text would be masked inside ordinary words. No credential that we accept is as short.
const SECRET_BYTES_MIN: usize = 6;

struct Known {
    /// Upgrades as long as somebody holds the secret: tokens come and go, the registry must not grow.
    holder: Weak<str>,
    spellings: Vec<Finder<'static>>,
}

fn register(secret: &Arc<str>) {
    if secret.len() < SECRET_BYTES_MIN {
        return;
    }
    let known = Arc::new(Known { holder: Arc::downgrade(secret), spellings: spellings(secret) });
    REGISTRY.rcu(|before| {
        let mut after: Vec<Arc<Known>> =
            before.iter().filter(|known| known.holder.strong_count() > 0).cloned().collect();
        after.push(known.clone());
        after
    });
}

/// A secret as it is, as JSON and `Debug` escape it, in a URL, and in base64; the longest first, so
/// that no rest of a longer one stays behind.
fn spellings(secret: &str) -> Vec<Finder<'static>> {
    let debug = format!("{secret:?}");
    let mut spellings = vec![
        secret.to_owned(),
        debug.trim_matches('"').to_owned(),
        percent_encode(secret),
        percent_encode(secret).to_ascii_lowercase(),
        base64::engine::general_purpose::STANDARD.encode(secret),
    ];
    if let Ok(json) = serde_json::to_string(secret) {
        spellings.push(json.trim_matches('"').to_owned());
    }
    spellings.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    spellings.dedup();
    spellings.iter().map(|spelling| Finder::new(spelling).into_owned()).collect()
}

fn percent_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

fn mask_all(text: &mut Cow<'_, str>, needle: &Finder<'_>) {
    let length = needle.needle().len();
    let mut from = 0;
    while let Some(at) = text.as_bytes().get(from..).and_then(|rest| needle.find(rest)) {
        let start = from + at;
        text.to_mut().replace_range(start..start + length, MASK);
        from = start + MASK.len();
    }
}

/// Texts in front of a value that is secret by its nature, in lower case: SAS and presigned URLs,
/// `Authorization` headers, connection strings, requests for tokens and their answers.
const MARKERS: &[&str] = &[
    "sig=",
    "signature=",
    "bearer ",
    "sharedkey ",
    "accountkey=",
    "accesskey=",
    "security-token=",
    "security-token: ",
    "client_secret=",
    "client_assertion=",
    "access_token\":\"",
    "access_token\\\":\\\"",
    "access_token=",
    "secretaccesskey>",
    "sessiontoken>",
    "webidentitytoken=",
];

fn mask_values(text: &mut Cow<'_, str>, marker: &str) {
    let mut from = 0;
    while let Some(at) = find_ignoring_case(text.as_bytes(), marker.as_bytes(), from) {
        let start = at + marker.len();
        let length = value_length(&text[start..]);
        if length > 0 && !text[start..].starts_with(MASK) {
            text.to_mut().replace_range(start..start + length, MASK);
            from = start + MASK.len();
        } else {
            from = start;
        }
    }
}

fn find_ignoring_case(text: &[u8], marker: &[u8], from: usize) -> Option<usize> {
    let first = *marker.first()?;
    let mut at = from;
    while let Some(found) = memchr::memchr2(first, first.to_ascii_uppercase(), text.get(at..)?) {
        let start = at + found;
        if text.get(start..start + marker.len())?.eq_ignore_ascii_case(marker) {
            return Some(start);
        }
        at = start + 1;
    }
    None
}

/// Bytes up to what ends a value in a URL, a header, XML or JSON.
fn value_length(text: &str) -> usize {
    text.find(|c: char| c.is_whitespace() || c.is_control() || "&,;\"'<>\\)]}".contains(c)).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_shows_itself_to_nobody() {
        let secret = Secret::new("canary-show/+=\"zq");
        assert_eq!(format!("{secret} {secret:?} {:?}", Some(&secret)), "[redacted] [redacted] Some([redacted])");
        assert_eq!(secret.expose(), "canary-show/+=\"zq");
        assert!(secret == Secret::transient("canary-show/+=\"zq"));
        assert!(secret != Secret::transient("canary-show"));
    }

    #[test]
    fn registered_secrets_are_masked_in_every_spelling() {
        let text = "canary-known/+=\"\\zq";
        let _secret = Secret::new(text);
        let base64 = base64::engine::general_purpose::STANDARD.encode(text);
        let json = serde_json::to_string(text).unwrap();
        for spelling in [text.to_owned(), format!("{text:?}"), json, percent_encode(text), base64] {
            let line = format!("before {spelling} after {spelling}.");
            let scrubbed = scrub(&line);
            assert!(!scrubbed.contains(&spelling) && !scrubbed.contains("canary-known"), "{scrubbed}");
            assert!(scrubbed.starts_with("before ") && scrubbed.contains(" after "), "{scrubbed}");
        }
    }

    #[test]
    fn a_secret_that_nobody_holds_leaves_the_registry() {
        let secret = Secret::new("canary-dropped-1");
        assert_eq!(scrub("canary-dropped-1"), MASK);
        drop(secret);
        let _next = Secret::new("canary-dropped-2");
        assert_eq!(scrub("canary-dropped-1"), "canary-dropped-1");
    }

    #[test]
    fn what_looks_like_a_secret_is_masked() {
        let cases = [
            ("https://a.blob/c/b?sv=2023&sig=AbC%2Bd%3D&se=1", "https://a.blob/c/b?sv=2023&sig=[redacted]&se=1"),
            ("X-Amz-Signature=0011ff&X-Amz-Date=1", "X-Amz-Signature=[redacted]&X-Amz-Date=1"),
            ("Credential=AK/1, Signature=feed", "Credential=AK/1, Signature=[redacted]"),
            ("authorization: Bearer ey.J0.x", "authorization: Bearer [redacted]"),
            ("SharedKey acct:c2ln", "SharedKey [redacted]"),
            ("AccountName=a;AccountKey=azE=;X=1", "AccountName=a;AccountKey=[redacted];X=1"),
            ("x-amz-security-token: IQoJ", "x-amz-security-token: [redacted]"),
            (r#"{"access_token":"ey.J0","expires_in":1}"#, r#"{"access_token":"[redacted]","expires_in":1}"#),
            ("<SecretAccessKey>abc</SecretAccessKey>", "<SecretAccessKey>[redacted]</SecretAccessKey>"),
            ("signature mismatch for the bearer", "signature mismatch for the bearer"),
            ("sig=", "sig="),
            ("größe sig=ä", "größe sig=[redacted]"),
        ];
        for (text, expected) in cases {
            assert_eq!(scrub(text), expected);
            assert_eq!(scrub(expected), expected, "scrubbing twice");
        }
    }
}
