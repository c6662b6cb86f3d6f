//! What an object carries besides its bytes.

/// The headers that describe an object's content; `None` = not set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContentHeaders {
    pub content_type: Option<String>,
    pub content_encoding: Option<String>,
    pub content_language: Option<String>,
    pub content_disposition: Option<String>,
    pub cache_control: Option<String>,
    /// Kept as the client sent it: S3 does not parse it either. Azure has no such property.
    pub expires: Option<String>,
}

/// User metadata (`x-amz-meta-*`): lower-case names without the prefix, values as sent, in the order
/// of the names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserMetadata(Vec<(String, String)>);

impl UserMetadata {
    /// S3's limit on the sum of names and values, in bytes (S3 user guide, "Working with object metadata").
    pub const BYTES_MAX: usize = 2048;

    /// Adds a value; a second value of one name is appended after a comma, as S3 does.
    pub fn insert(&mut self, name: &str, value: &str) {
        let name = name.to_ascii_lowercase();
        match self.0.binary_search_by(|(known, _)| known.as_str().cmp(&name)) {
            Ok(index) => {
                let known = &mut self.0[index].1;
                known.push(',');
                known.push_str(value);
            }
            Err(index) => self.0.insert(index, (name, value.to_owned())),
        }
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        let index = self.0.binary_search_by(|(known, _)| known.as_str().cmp(name)).ok()?;
        Some(&self.0[index].1)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Size as S3 counts it: bytes of all names and values.
    pub fn bytes(&self) -> usize {
        self.0.iter().map(|(name, value)| name.len() + value.len()).sum()
    }
}

impl<N: AsRef<str>, V: AsRef<str>> FromIterator<(N, V)> for UserMetadata {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let mut metadata = Self::default();
        for (name, value) in pairs {
            metadata.insert(name.as_ref(), value.as_ref());
        }
        metadata
    }
}
