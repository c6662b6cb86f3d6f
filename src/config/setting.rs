//! How single values are written: texts, numbers, sizes, durations, names, addresses, URLs.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use toml::de::DeValue;

use super::suggest::did_you_mean;
use crate::net::Endpoint;
use crate::object::{BucketName, ContainerName};

/// A value as it stands in the file or in the environment.
pub enum Raw<'a> {
    Toml(&'a DeValue<'a>),
    Environment(&'a str),
}

/// A type that a value can be read as.
pub trait Setting: Sized {
    /// # Errors
    /// What was expected instead, as the rest of a sentence that begins with the key.
    fn read(raw: &Raw<'_>) -> Result<Self, String>;
}

impl Raw<'_> {
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Toml(value) => value.as_str(),
            Self::Environment(text) => Some(text),
        }
    }

    fn integer(&self) -> Option<u64> {
        match self {
            Self::Toml(value) => {
                let integer = value.as_integer()?;
                u64::from_str_radix(&integer.as_str().replace('_', ""), integer.radix()).ok()
            }
            Self::Environment(text) => text.trim().parse().ok(),
        }
    }
}

impl Setting for String {
    fn read(raw: &Raw<'_>) -> Result<Self, String> {
        match raw.text().map(str::trim) {
            Some("") => Err("must not be empty".into()),
            Some(text) => Ok(text.to_owned()),
            None => Err("must be a text in quotes".into()),
        }
    }
}

impl Setting for bool {
    fn read(raw: &Raw<'_>) -> Result<Self, String> {
        let value = match raw {
            Raw::Toml(value) => value.as_bool(),
            Raw::Environment(text) => text.parse().ok(),
        };
        value.ok_or_else(|| "must be true or false".into())
    }
}

impl Setting for usize {
    fn read(raw: &Raw<'_>) -> Result<Self, String> {
        let number = raw.integer().and_then(|number| Self::try_from(number).ok());
        number.ok_or_else(|| "must be a whole number, not negative".into())
    }
}

impl Setting for PathBuf {
    fn read(raw: &Raw<'_>) -> Result<Self, String> {
        String::read(raw).map(Self::from)
    }
}

impl Setting for SocketAddr {
    fn read(raw: &Raw<'_>) -> Result<Self, String> {
        let expected = "must be an address and port such as \"127.0.0.1:9000\" or \"[::]:9000\"";
        raw.text().and_then(|text| text.trim().parse().ok()).ok_or_else(|| expected.into())
    }
}

impl Setting for BucketName {
    fn read(raw: &Raw<'_>) -> Result<Self, String> {
        Self::new(&String::read(raw)?).map_err(|error| error.to_string())
    }
}

impl Setting for ContainerName {
    fn read(raw: &Raw<'_>) -> Result<Self, String> {
        Self::new(&String::read(raw)?).map_err(|error| error.to_string())
    }
}

/// A list in the file, or words with commas between them in the environment.
impl<T: Setting> Setting for Vec<T> {
    fn read(raw: &Raw<'_>) -> Result<Self, String> {
        match raw {
            Raw::Toml(value) => {
                let list = value.as_array().ok_or("must be a list in square brackets")?;
                list.iter().map(|value| T::read(&Raw::Toml(value.get_ref()))).collect()
            }
            Raw::Environment(text) => text
                .split(',')
                .filter(|word| !word.trim().is_empty())
                .map(|word| T::read(&Raw::Environment(word.trim())))
                .collect(),
        }
    }
}

/// A number of bytes: `8MiB`, `500kB`, or a plain number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub u64);

const BYTE_UNITS: [(&str, u64); 9] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("kB", 1000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("B", 1),
];

impl Setting for Bytes {
    fn read(raw: &Raw<'_>) -> Result<Self, String> {
        let bytes = raw.integer().or_else(|| quantity(raw.text()?, &BYTE_UNITS));
        bytes.map(Self).ok_or_else(|| "must be a size such as \"8MiB\" (KiB, MiB, GiB, TiB, kB, MB, GB, TB)".into())
    }
}

impl std::str::FromStr for Bytes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::read(&Raw::Environment(text))
    }
}

impl std::fmt::Display for Bytes {
    /// The largest unit that needs no fraction.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let units = [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)];
        match units.iter().find(|(_, shift)| self.0 > 0 && self.0.trailing_zeros() >= *shift) {
            Some((unit, shift)) => write!(f, "{}{unit}", self.0 >> shift),
            None => write!(f, "{}B", self.0),
        }
    }
}

const MILLISECOND_UNITS: [(&str, u64); 5] =
    [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// A span of time: `250ms`, `30s`, `5m`, `1h`, `30d`. A number without a unit is refused: it would be guesswork.
impl Setting for Duration {
    fn read(raw: &Raw<'_>) -> Result<Self, String> {
        let milliseconds = raw.text().and_then(|text| quantity(text, &MILLISECOND_UNITS));
        milliseconds.map(Self::from_millis).ok_or_else(|| "must be a time such as \"30s\" (ms, s, m, h, d)".into())
    }
}

/// A whole number and its unit, with or without a space between them.
fn quantity(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let (_, factor) = units.iter().find(|(name, _)| *name == unit.trim())?;
    number.parse::<u64>().ok()?.checked_mul(*factor)
}

/// An `http(s)` URL without query: where a server is, and the path in front of everything on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    pub endpoint: Endpoint,
    /// Empty, or begins with `/` and ends without one.
    pub path: String,
}

impl Url {
    /// # Errors
    /// Why the text is no such URL, as the rest of a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (endpoint, path) = Endpoint::parse(text).map_err(|error| error.to_string())?;
        Ok(Self { endpoint, path })
    }

    /// Whether the server is on this machine.
    pub fn is_loopback(&self) -> bool {
        let host = self.endpoint.host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

impl std::fmt::Display for Url {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.endpoint, self.path)
    }
}

impl Setting for Url {
    fn read(raw: &Raw<'_>) -> Result<Self, String> {
        Self::parse(&String::read(raw)?)
    }
}

/// Reads one of a closed set of words.
///
/// # Errors
/// The words that there are.
pub fn one_of<T: Copy>(raw: &Raw<'_>, words: &[(&str, T)]) -> Result<T, String> {
    let names = || words.iter().map(|(name, _)| *name);
    let list = || names().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
    let Some(word) = raw.text().map(str::trim) else { return Err(format!("must be one of {}", list())) };
    match words.iter().find(|(name, _)| *name == word) {
        Some((_, value)) => Ok(*value),
        None => Err(format!("must be one of {}, not \"{word}\"{}", list(), did_you_mean(word, names()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T: Setting>(text: &str) -> Option<T> {
        T::read(&Raw::Environment(text)).ok()
    }

    #[test]
    fn sizes() {
        let cases = [
            ("8MiB", Some(8 << 20)),
            ("8 MiB", Some(8 << 20)),
            ("500kB", Some(500_000)),
            ("1TiB", Some(1 << 40)),
            ("17", Some(17)),
            ("17B", Some(17)),
            ("8mib", None),
            ("-1", None),
            ("1.5MiB", None),
            ("MiB", None),
            ("99999999999TiB", None),
        ];
        for (text, bytes) in cases {
            assert_eq!(read::<Bytes>(text).map(|size| size.0), bytes, "{text}");
        }
        for (bytes, text) in [(8 << 20, "8MiB"), (1 << 40, "1TiB"), (1500, "1500B"), (0, "0B")] {
            assert_eq!(Bytes(bytes).to_string(), text);
        }
    }

    #[test]
    fn durations() {
        let cases = [
            ("250ms", Some(250)),
            ("30s", Some(30_000)),
            ("5m", Some(300_000)),
            ("1h", Some(3_600_000)),
            ("45d", Some(3_888_000_000)),
            ("30", None),
        ];
        for (text, milliseconds) in cases {
            assert_eq!(read::<Duration>(text), milliseconds.map(Duration::from_millis), "{text}");
        }
    }

    #[test]
    fn urls() {
        let url = Url::parse("http://127.0.0.1:10000/devstoreaccount1/").unwrap();
        assert_eq!(url.to_string(), "http://127.0.0.1:10000/devstoreaccount1");
        assert!(url.is_loopback() && !Url::parse("http://azurite:10000").unwrap().is_loopback());
        assert!(Url::parse("http://[::1]:1").unwrap().is_loopback());
        assert!(Url::parse("ftp://x").is_err());
    }
}
