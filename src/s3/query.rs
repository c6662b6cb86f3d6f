//! The query of a request: decoded once, in the order given.

use std::borrow::Cow;

use super::error::{Result, S3Code, S3Error};

/// The decoded parameters of a query.
#[derive(Debug, Default)]
pub struct Query<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Query<'a> {
    /// Decodes a raw query (without `?`): `%XX` once, and `+` as a space.
    ///
    /// # Errors
    /// InvalidURI for a broken escape or what is not UTF-8.
    pub fn parse(raw: &'a str) -> Result<Self> {
        let decoded = pairs(raw).map(|(name, value)| Ok((decode(name)?, decode(value)?)));
        Ok(Self(decoded.collect::<Result<_>>()?))
    }

    /// The value of a parameter, empty if it was given without one.
    ///
    /// # Errors
    /// InvalidArgument if the parameter was given twice with different values: whoever reads the
    /// first one and whoever reads the last one would serve different requests.
    pub fn get(&self, name: &str) -> Result<Option<&str>> {
        let mut values = self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| &**value);
        let first = values.next();
        match values.find(|value| Some(*value) != first) {
            None => Ok(first),
            Some(_) => Err(S3Error::new(S3Code::InvalidArgument, "A query parameter was given more than once.")
                .with("ArgumentName", name)),
        }
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The undecoded pairs of a raw query; a name without `=` has an empty value.
pub fn pairs(raw: &str) -> impl Iterator<Item = (&str, &str)> {
    raw.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

fn decode(text: &str) -> Result<Cow<'_, str>> {
    if !text.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
        return Ok(Cow::Borrowed(text));
    }
    let decoded = crate::object::text::percent_decode(&text.replace('+', " "));
    decoded.map(Cow::Owned).ok_or_else(|| S3Code::InvalidURI.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let query = Query::parse("prefix=a+b%2Bc&uploads&delete=&&x-id=Put&=v&prefix=a%20b%2bc").unwrap();
        assert_eq!(query.get("prefix").unwrap(), Some("a b+c"));
        assert_eq!(query.get("uploads").unwrap(), Some(""));
        assert_eq!(query.get("delete").unwrap(), Some(""));
        assert_eq!(query.get("missing").unwrap(), None);
        assert!(query.has("x-id") && !query.has("X-Id"));
        assert!(Query::parse("a=1&a=2").unwrap().get("a").is_err());
        assert!(Query::parse("").unwrap().is_empty());
        for bad in ["a=%", "a=%zz", "%ff=1", "a=%C3"] {
            assert_eq!(Query::parse(bad).unwrap_err().code(), S3Code::InvalidURI, "{bad}");
        }
    }
}
