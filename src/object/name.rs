//! Names of buckets and containers.

use std::fmt;

/// The name of an S3 bucket.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BucketName(Box<str>);

/// The name of a Blob container.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContainerName(Box<str>);

/// A name that breaks the rules; the text says which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidName(&'static str);

impl BucketName {
    /// # Errors
    /// If the name breaks S3's rules for general purpose buckets: 3 to 63 lower-case letters,
    /// digits, dots and hyphens, letter or digit at both ends, no two dots in a row, no IPv4 address.
    pub fn new(name: &str) -> Result<Self, InvalidName> {
        check_label(name, |byte| byte == b'.')?;
        if name.contains("..") {
            return Err(InvalidName("must not hold two dots in a row"));
        }
        if name.parse::<std::net::Ipv4Addr>().is_ok() {
            return Err(InvalidName("must not look like an IP address"));
        }
        Ok(Self(name.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ContainerName {
    /// # Errors
    /// If the name breaks Azure's rules: 3 to 63 lower-case letters, digits and single hyphens,
    /// letter or digit at both ends. The special containers `$root`, `$logs` and `$web` are refused.
    pub fn new(name: &str) -> Result<Self, InvalidName> {
        check_label(name, |_| false)?;
        if name.contains("--") {
            return Err(InvalidName("must not hold two hyphens in a row"));
        }
        Ok(Self(name.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn check_label(name: &str, also: fn(u8) -> bool) -> Result<(), InvalidName> {
    let bytes = name.as_bytes();
    if !(3..=63).contains(&bytes.len()) {
        return Err(InvalidName("must have 3 to 63 characters"));
    }
    let alphanumeric = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    if !bytes.iter().all(|&byte| alphanumeric(byte) || byte == b'-' || also(byte)) {
        return Err(InvalidName("must hold only lower-case letters, digits and hyphens"));
    }
    if !alphanumeric(bytes[0]) || !alphanumeric(bytes[bytes.len() - 1]) {
        return Err(InvalidName("must begin and end with a letter or digit"));
    }
    Ok(())
}

impl fmt::Display for InvalidName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for InvalidName {}

impl fmt::Display for BucketName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for ContainerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules() {
        for good in ["local-rocksdb-test", "a.b.c", "123"] {
            assert!(BucketName::new(good).is_ok(), "{good}");
        }
        for bad in ["ab", "-abc", "abc-", "Abc", "a_b", "a..b", "10.0.0.1", "abc/", "a b"] {
            assert!(BucketName::new(bad).is_err(), "{bad}");
        }
        for good in ["flink", "bluebucket-state", "0-0"] {
            assert!(ContainerName::new(good).is_ok(), "{good}");
        }
        for bad in ["$web", "a.b.c", "a--b", "no", "-ab"] {
            assert!(ContainerName::new(bad).is_err(), "{bad}");
        }
    }
}
