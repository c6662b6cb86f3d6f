//! `arn:<partition>:s3:::<bucket>[/<key>]`, each part with wildcards of its own.

use super::pattern::{self, Name};

/// The resources that an element of `Resource` or `NotResource` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResourcePattern {
    Everything,
    /// None that is here.
    Nothing,
    /// A pattern of bucket, or of bucket, slash and key.
    Named(Box<str>),
}

const PARTITIONS: &[&str] = &["aws", "aws-cn", "aws-us-gov"];

impl ResourcePattern {
    /// Reads a pattern; `when_unknown` says whether one that is not understood stands for everything.
    pub fn new(text: &str, when_unknown: bool) -> Self {
        let unknown = if when_unknown { Self::Everything } else { Self::Nothing };
        if text == "*" {
            return Self::Everything;
        }
        // `${...}` is a variable.
        if text.contains("${") {
            return unknown;
        }
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let [arn, partition, service, region, account, name] = parts[..] else { return unknown };
        let fits = |pattern, text| pattern::matches(pattern, Name::text(text));
        let plain = |part: &str| !part.contains(['*', '?']);
        match arn == "arn" {
            true if plain(service) && service != "s3" => Self::Nothing,
            true if fits(service, "s3")
                && PARTITIONS.iter().any(|known| fits(partition, known))
                && fits(region, "")
                && fits(account, "")
                && !name.is_empty() =>
            {
                Self::Named(name.into())
            }
            _ => unknown,
        }
    }

    pub fn matches(&self, name: Name<'_>) -> bool {
        match self {
            Self::Everything => true,
            Self::Nothing => false,
            Self::Named(pattern) => pattern::matches(pattern, name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let named = |name: &str| Some(ResourcePattern::Named(name.into()));
        for (text, expected) in [
            ("*", Some(ResourcePattern::Everything)),
            ("arn:aws:s3:::bucket", named("bucket")),
            ("arn:aws-cn:s3:::bucket/a:b/*", named("bucket/a:b/*")),
            ("arn:*:s3:::*", named("*")),
            ("arn:aws:s3:*:*:bucket", named("bucket")),
            ("arn:aws:kms:eu-central-1:123456789012:key/*", Some(ResourcePattern::Nothing)),
            // None: not understood.
            ("arn:aws:s3:eu-central-1:123456789012:accesspoint/a", None),
            ("arn:aws:s3:::${aws:username}/*", None),
            ("arn:minio:s3:::bucket", None),
            ("arn:aws:s3:::", None),
            ("arn:aws:s3*", None),
            ("bucket/*", None),
            ("", None),
            ("ARN:aws:s3:::bucket", None),
        ] {
            for when_unknown in [true, false] {
                let unknown = if when_unknown { ResourcePattern::Everything } else { ResourcePattern::Nothing };
                assert_eq!(ResourcePattern::new(text, when_unknown), expected.clone().unwrap_or(unknown), "{text}");
            }
        }
    }
}
