//! Tags of objects and of buckets, and their limits.

/// A tag set, in the order given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags(Vec<(String, String)>);

/// Why S3 refuses a tag set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidTags {
    TooMany,
    KeyLength,
    ValueLength,
    DuplicateKey,
    Character,
    Encoding,
}

impl Tags {
    /// S3's limits (S3 user guide, "Categorizing your storage using tags" and "Using cost allocation
    /// S3 bucket tags"): tags of an object and of a bucket, and Unicode characters of a key and of a value.
    pub const COUNT_MAX: usize = 10;
    pub const BUCKET_COUNT_MAX: usize = 50;
    pub const KEY_CHARACTERS_MAX: usize = 128;
    pub const VALUE_CHARACTERS_MAX: usize = 256;

    /// The tags of an object.
    ///
    /// # Errors
    /// [`InvalidTags`] where S3 refuses them.
    pub fn new(pairs: Vec<(String, String)>) -> Result<Self, InvalidTags> {
        Self::at_most(Self::COUNT_MAX, pairs)
    }

    /// The tags of a bucket.
    ///
    /// # Errors
    /// As [`Tags::new`].
    pub fn of_bucket(pairs: Vec<(String, String)>) -> Result<Self, InvalidTags> {
        Self::at_most(Self::BUCKET_COUNT_MAX, pairs)
    }

    fn at_most(count: usize, pairs: Vec<(String, String)>) -> Result<Self, InvalidTags> {
        if pairs.len() > count {
            return Err(InvalidTags::TooMany);
        }
        for (index, (key, value)) in pairs.iter().enumerate() {
            if key.is_empty() || key.chars().count() > Self::KEY_CHARACTERS_MAX {
                return Err(InvalidTags::KeyLength);
            }
            if value.chars().count() > Self::VALUE_CHARACTERS_MAX {
                return Err(InvalidTags::ValueLength);
            }
            if pairs[..index].iter().any(|(earlier, _)| earlier == key) {
                return Err(InvalidTags::DuplicateKey);
            }
            if key.chars().chain(value.chars()).any(|character| !allowed(character)) {
                return Err(InvalidTags::Character);
            }
        }
        Ok(Self(pairs))
    }

    /// Reads the `x-amz-tagging` header: `key=value&...`, encoded as a query.
    ///
    /// # Errors
    /// [`InvalidTags`] as [`Tags::new`], and for a broken encoding.
    pub fn parse_query(query: &str) -> Result<Self, InvalidTags> {
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            if value.contains('=') {
                return Err(InvalidTags::Encoding);
            }
            let decode = |text: &str| super::text::percent_decode(&text.replace('+', " ")).ok_or(InvalidTags::Encoding);
            Ok((decode(key)?, decode(value)?))
        });
        Self::new(pairs.collect::<Result<_, _>>()?)
    }

    /// The form that [`Tags::parse_query`] reads.
    pub fn to_query(&self) -> String {
        let mut out = String::new();
        for (key, value) in &self.0 {
            if !out.is_empty() {
                out.push('&');
            }
            super::text::percent_encode_into(&mut out, key.as_bytes(), b"");
            out.push('=');
            super::text::percent_encode_into(&mut out, value.as_bytes(), b"");
        }
        out
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Letters, digits and spaces of any script, and `+ - = . _ : / @`.
fn allowed(character: char) -> bool {
    character.is_alphanumeric() || character.is_whitespace() || "+-=._:/@".contains(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_round_trip_and_limits() {
        let tags = Tags::parse_query("TrinoCreationId=a%2Fb&empty=&sp+ace=%C3%A9").unwrap();
        assert_eq!(tags.iter().collect::<Vec<_>>(), [("TrinoCreationId", "a/b"), ("empty", ""), ("sp ace", "é")]);
        assert_eq!(Tags::parse_query(&tags.to_query()), Ok(tags));
        let many = (0..11).map(|n| format!("k{n}=v")).collect::<Vec<_>>().join("&");
        assert_eq!(Tags::parse_query(&many), Err(InvalidTags::TooMany));
        assert_eq!(Tags::parse_query("a=1&a=2"), Err(InvalidTags::DuplicateKey));
        assert_eq!(Tags::parse_query("a=%zz"), Err(InvalidTags::Encoding));
        assert_eq!(Tags::parse_query("a=1,b=2"), Err(InvalidTags::Encoding));
        assert_eq!(Tags::parse_query("a=b%3Bc"), Err(InvalidTags::Character));
        assert_eq!(Tags::parse_query(&format!("{}=x", "k".repeat(129))), Err(InvalidTags::KeyLength));
        assert_eq!(Tags::parse_query(&format!("k={}", "é".repeat(257))), Err(InvalidTags::ValueLength));
    }
}
