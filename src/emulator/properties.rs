//! Content headers and metadata of blobs.

use std::sync::Arc;

use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, header};

use super::error::{Outcome, ServiceError};

/// The five content headers that a blob keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Properties {
    pub content_type: Option<HeaderValue>,
    pub encoding: Option<HeaderValue>,
    pub language: Option<HeaderValue>,
    pub disposition: Option<HeaderValue>,
    pub cache_control: Option<HeaderValue>,
}

impl Properties {
    /// Reads the `x-ms-blob-*` headers.
    pub fn of_request(headers: &HeaderMap) -> Self {
        let get = |name: &str| headers.get(name).filter(|value| !value.is_empty()).cloned();
        Self {
            content_type: get("x-ms-blob-content-type"),
            encoding: get("x-ms-blob-content-encoding"),
            language: get("x-ms-blob-content-language"),
            disposition: get("x-ms-blob-content-disposition"),
            cache_control: get("x-ms-blob-cache-control"),
        }
    }

    /// Puts `other`'s values where this has none.
    pub fn or(self, other: Self) -> Self {
        Self {
            content_type: self.content_type.or(other.content_type),
            encoding: self.encoding.or(other.encoding),
            language: self.language.or(other.language),
            disposition: self.disposition.or(other.disposition),
            cache_control: self.cache_control.or(other.cache_control),
        }
    }

    /// The request's own content headers, which Put Blob takes where no `x-ms-blob-*` is sent.
    pub fn plain(headers: &HeaderMap) -> Self {
        let get = |name: HeaderName| headers.get(name).filter(|value| !value.is_empty()).cloned();
        Self {
            content_type: get(header::CONTENT_TYPE),
            encoding: get(header::CONTENT_ENCODING),
            language: get(header::CONTENT_LANGUAGE),
            disposition: None,
            cache_control: get(header::CACHE_CONTROL),
        }
    }

    /// Gives a written blob the type that the service gives it.
    pub fn or_octet_stream(mut self) -> Self {
        let default = HeaderValue::from_static("application/octet-stream");
        self.content_type.get_or_insert(default);
        self
    }

    pub fn write(&self, headers: &mut HeaderMap) {
        let pairs = [
            (header::CONTENT_TYPE, &self.content_type),
            (header::CONTENT_ENCODING, &self.encoding),
            (header::CONTENT_LANGUAGE, &self.language),
            (header::CONTENT_DISPOSITION, &self.disposition),
            (header::CACHE_CONTROL, &self.cache_control),
        ];
        for (name, value) in pairs {
            if let Some(value) = value {
                headers.insert(name, value.clone());
            }
        }
    }
}

/// User metadata as response headers `x-ms-meta-*`, so that a read only clones them. Names are in
/// lower case: the HTTP library does not keep what was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Metadata(pub Arc<Vec<(HeaderName, HeaderValue)>>);

const PREFIX: &str = "x-ms-meta-";
/// Names and values together (the service: 8 KiB).
const METADATA_MAX: usize = 8192;

impl Metadata {
    /// # Errors
    /// `InvalidMetadata` for a name that is no C# identifier, one sent twice, or a value that is not
    /// ASCII; `MetadataTooLarge`.
    pub fn of_request(headers: &HeaderMap) -> Outcome<Self> {
        let mut pairs = Vec::new();
        let mut size = 0;
        for name in headers.keys().filter(|name| name.as_str().starts_with(PREFIX)) {
            let short = name.as_str().get(PREFIX.len()..).unwrap_or_default();
            if short.is_empty() {
                return Err(ServiceError::empty_metadata_key());
            }
            let mut values = headers.get_all(name).iter();
            let (Some(value), None) = (values.next(), values.next()) else {
                return Err(ServiceError::invalid_metadata());
            };
            if !is_identifier(short) || value.to_str().is_err() {
                return Err(ServiceError::invalid_metadata());
            }
            size += short.len() + value.len();
            pairs.push((name.clone(), value.clone()));
        }
        if size > METADATA_MAX {
            return Err(ServiceError::metadata_too_large());
        }
        Ok(Self(Arc::new(pairs)))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn write(&self, headers: &mut HeaderMap) {
        for (name, value) in self.0.iter() {
            headers.insert(name.clone(), value.clone());
        }
    }

    /// The `<Metadata>` element of lists.
    pub fn xml(&self, out: &mut String) {
        if self.is_empty() {
            out.push_str("<Metadata />");
            return;
        }
        out.push_str("<Metadata>");
        for (name, value) in self.0.iter() {
            let short = name.as_str().get(PREFIX.len()..).unwrap_or_default();
            super::xml::element(out, short, value.to_str().unwrap_or_default());
        }
        out.push_str("</Metadata>");
    }
}

/// A C# identifier, as far as header names can hold one.
fn is_identifier(name: &str) -> bool {
    let first_fits = name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    first_fits && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(pairs: &[(&str, &str)]) -> Result<usize, &'static str> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            let name: HeaderName = format!("{PREFIX}{name}").parse().unwrap();
            headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        Metadata::of_request(&headers).map(|metadata| metadata.0.len()).map_err(|error| error.code)
    }

    #[test]
    fn rules() {
        assert_eq!(metadata(&[("a", "1"), ("_b2", ""), ("c_d", "x y")]), Ok(3));
        for name in ["1a", "a-b", "a.b", "a!"] {
            assert_eq!(metadata(&[(name, "1")]), Err("InvalidMetadata"), "{name}");
        }
        assert_eq!(metadata(&[("", "1")]), Err("EmptyMetadataKey"));
        assert_eq!(metadata(&[("a", "1"), ("A", "2")]), Err("InvalidMetadata"));
        assert_eq!(metadata(&[("a", "é")]), Err("InvalidMetadata"));
        let fill = "v".repeat(8191);
        assert_eq!(metadata(&[("a", &fill)]), Ok(1));
        assert_eq!(metadata(&[("ab", &fill)]), Err("MetadataTooLarge"));
    }
}
