//! How a request's body is framed and protected, decided by `x-amz-content-sha256` and never by
//! `Content-Encoding`: SDK for Java v1 frames bodies without announcing it there.

use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, TRANSFER_ENCODING};

use crate::object::{Algorithm, Checksum, text};

use super::error::{Result, S3Code, S3Error};
use super::header;

/// The modes of `x-amz-content-sha256`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayloadMode {
    /// The bytes as they are, not covered by the signature.
    Unsigned,
    /// The bytes as they are, with this SHA-256.
    Signed([u8; 32]),
    /// aws-chunked, each chunk signed; with trailers, they are signed too.
    StreamingSigned { trailer: bool },
    /// aws-chunked with trailers, not covered by the signature.
    StreamingUnsigned,
}

impl PayloadMode {
    /// The word for a body that is not covered by the signature.
    pub const UNSIGNED: &'static str = "UNSIGNED-PAYLOAD";

    /// Reads the header's value.
    ///
    /// # Errors
    /// NotImplemented for the ECDSA modes, InvalidArgument for anything unknown.
    pub fn parse(text: &str) -> Result<Self> {
        match text {
            Self::UNSIGNED => Ok(Self::Unsigned),
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" => Ok(Self::StreamingSigned { trailer: false }),
            "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" => Ok(Self::StreamingSigned { trailer: true }),
            "STREAMING-UNSIGNED-PAYLOAD-TRAILER" => Ok(Self::StreamingUnsigned),
            _ if text.starts_with("STREAMING-AWS4-ECDSA-") => {
                Err(S3Error::new(S3Code::NotImplemented, "Signature Version 4A (ECDSA) is not served."))
            }
            _ => text::unhex(text).map(Self::Signed).ok_or_else(|| {
                S3Error::new(
                    S3Code::InvalidArgument,
                    "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, \
                     STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, STREAMING-UNSIGNED-PAYLOAD-TRAILER or a valid \
                     sha256 value.",
                )
                .with("ArgumentName", "x-amz-content-sha256")
            }),
        }
    }

    /// The mode of a request; one that does not say carries an unsigned body, which only presigned
    /// requests may (the signature check refuses the others).
    ///
    /// # Errors
    /// As [`PayloadMode::parse`].
    pub fn of(headers: &HeaderMap) -> Result<Self> {
        match headers.get(&header::CONTENT_SHA256) {
            None => Ok(Self::Unsigned),
            Some(value) => Self::parse(value.to_str().unwrap_or_default().trim()),
        }
    }

    /// Whether the body is in the aws-chunked framing.
    pub fn chunked(self) -> bool {
        matches!(self, Self::StreamingSigned { .. } | Self::StreamingUnsigned)
    }

    fn trailers(self) -> bool {
        matches!(self, Self::StreamingSigned { trailer: true } | Self::StreamingUnsigned)
    }
}

/// What a request says of its body: framing, length, and all that has to agree with the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BodyDeclaration {
    pub mode: PayloadMode,
    /// Length of the object's bytes, without framing.
    pub length: u64,
    pub content_md5: Option<[u8; 16]>,
    pub checksum: Option<DeclaredChecksum>,
    /// Names of the announced trailers, in lower case; each has to come.
    pub trailers: Vec<String>,
}

/// A flexible checksum that comes with a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeclaredChecksum {
    /// Known before the first byte.
    Header(Checksum),
    /// Comes after the last one.
    Trailer(Algorithm),
}

impl BodyDeclaration {
    /// Reads the headers that describe the body. Checksums of algorithms that are not known here are
    /// accepted and not validated.
    ///
    /// # Errors
    /// MissingContentLength without a length, NotImplemented where HTTP chunks stand in for it;
    /// InvalidDigest, InvalidRequest or InvalidArgument for values that cannot be.
    pub fn parse(headers: &HeaderMap) -> Result<Self> {
        let mut body = Self::parse_without_checksum(headers)?;
        body.checksum = checksum(headers, &body.trailers)?;
        Ok(body)
    }

    /// The same for a request whose checksum headers do not speak of its body.
    ///
    /// # Errors
    /// As [`BodyDeclaration::parse`].
    pub fn parse_without_checksum(headers: &HeaderMap) -> Result<Self> {
        let mode = PayloadMode::of(headers)?;
        Ok(Self {
            mode,
            length: length(headers, mode)?,
            content_md5: content_md5(headers)?,
            checksum: None,
            trailers: announced_trailers(headers, mode)?,
        })
    }
}

/// The encoding to be stored: what the client set, without the framing of the transfer.
pub fn stored_content_encoding(headers: &HeaderMap) -> Option<String> {
    let values = headers.get_all(CONTENT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let kept: Vec<_> = values
        .flat_map(|value| value.split(','))
        .filter(|coding| !matches!(coding.trim(), coding if coding.is_empty() || is_framing(coding)))
        .collect();
    // Joined as the client had them, blanks included.
    (!kept.is_empty()).then(|| kept.join(",").trim().to_owned())
}

fn is_framing(coding: &str) -> bool {
    coding.eq_ignore_ascii_case("aws-chunked")
}

fn length(headers: &HeaderMap, mode: PayloadMode) -> Result<u64> {
    let name = if mode.chunked() { &header::DECODED_CONTENT_LENGTH } else { &CONTENT_LENGTH };
    let mut values = headers.get_all(name).iter();
    let value = values.next().ok_or_else(|| no_length(headers, mode))?;
    // Two lengths could mean two things; one of them is not valid then.
    let digits = if values.next().is_some() { "" } else { value.to_str().unwrap_or_default().trim() };
    let valid = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| valid).ok_or_else(|| {
        S3Error::new(S3Code::InvalidArgument, "The length of the body must be a number of bytes.")
            .with("ArgumentName", name.as_str())
    })
}

/// S3 has a refusal of its own for a body that comes in HTTP chunks and not in aws-chunked ones.
fn no_length(headers: &HeaderMap, mode: PayloadMode) -> S3Error {
    if mode.chunked() || !headers.contains_key(TRANSFER_ENCODING) {
        return S3Code::MissingContentLength.into();
    }
    S3Error::new(S3Code::NotImplemented, "A header you provided implies functionality that is not implemented")
        .with("Header", "Transfer-Encoding")
}

fn content_md5(headers: &HeaderMap) -> Result<Option<[u8; 16]>> {
    let Some(value) = headers.get(&header::CONTENT_MD5) else { return Ok(None) };
    value.to_str().ok().and_then(text::unbase64).map(Some).ok_or_else(|| S3Code::InvalidDigest.into())
}

fn announced_trailers(headers: &HeaderMap, mode: PayloadMode) -> Result<Vec<String>> {
    let values = headers.get_all(&header::TRAILER).iter().map(|value| value.to_str().unwrap_or("?"));
    let names: Vec<_> = values
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .filter(|name| !name.is_empty())
        .collect();
    if !names.is_empty() && !mode.trailers() {
        return Err(S3Error::new(
            S3Code::InvalidRequest,
            "x-amz-trailer announces trailers, and x-amz-content-sha256 a body without them.",
        ));
    }
    Ok(names)
}

fn checksum(headers: &HeaderMap, trailers: &[String]) -> Result<Option<DeclaredChecksum>> {
    let in_headers = headers.keys().map(http::HeaderName::as_str);
    let in_trailers = trailers.iter().map(String::as_str);
    let mut found = in_headers.chain(in_trailers).filter(|name| is_checksum_value(name));
    let Some(name) = found.next() else { return requested_but_absent(headers) };
    if found.next().is_some() {
        return Err(S3Error::new(
            S3Code::InvalidRequest,
            "Expecting a single x-amz-checksum- header. Multiple checksum types are not allowed.",
        ));
    }
    let Some(algorithm) = Algorithm::ALL.into_iter().find(|algorithm| algorithm.header() == name) else {
        return Ok(None);
    };
    let Some(value) = headers.get(algorithm.header()) else {
        return Ok(Some(DeclaredChecksum::Trailer(algorithm)));
    };
    let checksum = value.to_str().ok().and_then(|text| full_object(algorithm, text)).ok_or_else(|| {
        S3Error::new(S3Code::InvalidRequest, format!("Value for {} header is invalid.", algorithm.header()))
    })?;
    Ok(Some(DeclaredChecksum::Header(checksum)))
}

/// A checksum of the bytes themselves, which is what a body carries.
pub fn full_object(algorithm: Algorithm, text: &str) -> Option<Checksum> {
    Checksum::parse(algorithm, text).filter(|checksum| checksum.kind == crate::object::ChecksumKind::FullObject)
}

/// True for the headers that hold a value, of a known algorithm or not.
fn is_checksum_value(name: &str) -> bool {
    name.strip_prefix(header::CHECKSUM_PREFIX).is_some_and(|rest| !matches!(rest, "algorithm" | "mode" | "type"))
}

/// A client that names its algorithm and sends no value has lost it on the way.
fn requested_but_absent(headers: &HeaderMap) -> Result<Option<DeclaredChecksum>> {
    if headers.contains_key(&header::SDK_CHECKSUM_ALGORITHM) && !headers.contains_key(&header::CONTENT_MD5) {
        return Err(S3Error::new(
            S3Code::InvalidRequest,
            "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers \
             were found.",
        ));
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    const SHA: &str = "x-amz-content-sha256";
    const UNSIGNED_TRAILER: (&str, &str) = (SHA, "STREAMING-UNSIGNED-PAYLOAD-TRAILER");

    #[test]
    fn modes() {
        let hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert!(matches!(PayloadMode::parse(hex), Ok(PayloadMode::Signed(_))));
        assert_eq!(PayloadMode::parse("UNSIGNED-PAYLOAD").unwrap(), PayloadMode::Unsigned);
        for (text, code) in [
            ("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", S3Code::NotImplemented),
            ("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER", S3Code::NotImplemented),
            ("STREAMING-UNSIGNED-PAYLOAD", S3Code::InvalidArgument),
            ("unsigned-payload", S3Code::InvalidArgument),
            ("", S3Code::InvalidArgument),
            (&hex[1..], S3Code::InvalidArgument),
        ] {
            assert_eq!(PayloadMode::parse(text).unwrap_err().code(), code, "{text}");
        }
    }

    #[test]
    fn lengths() {
        let plain = BodyDeclaration::parse(&headers(&[("content-length", "12")])).unwrap();
        assert_eq!((plain.length, plain.mode), (12, PayloadMode::Unsigned));
        let framed = BodyDeclaration::parse(&headers(&[
            UNSIGNED_TRAILER,
            ("content-length", "99"),
            ("x-amz-decoded-content-length", "5"),
        ]))
        .unwrap();
        assert_eq!(framed.length, 5);
        for (pairs, code) in [
            (&[][..], S3Code::MissingContentLength),
            (&[("transfer-encoding", "chunked")], S3Code::NotImplemented),
            (&[UNSIGNED_TRAILER, ("transfer-encoding", "chunked")], S3Code::MissingContentLength),
            (&[UNSIGNED_TRAILER, ("content-length", "1")], S3Code::MissingContentLength),
            (&[("content-length", "-1")], S3Code::InvalidArgument),
            (&[("content-length", "+1")], S3Code::InvalidArgument),
            (&[("content-length", "99999999999999999999")], S3Code::InvalidArgument),
        ] {
            assert_eq!(BodyDeclaration::parse(&headers(pairs)).unwrap_err().code(), code, "{pairs:?}");
        }
    }

    #[test]
    fn checksums() {
        let with = |pairs: &[(&'static str, &str)]| {
            let mut all = headers(pairs);
            all.insert("content-length", "1".parse().unwrap());
            all.insert("x-amz-decoded-content-length", "1".parse().unwrap());
            BodyDeclaration::parse(&all)
        };
        let crc = with(&[("x-amz-checksum-crc32", "AAAAAA==")]).unwrap().checksum;
        assert!(matches!(crc, Some(DeclaredChecksum::Header(checksum)) if checksum.crc() == Some(0)));
        let trailer = with(&[UNSIGNED_TRAILER, ("x-amz-trailer", "X-Amz-Checksum-CRC64NVME")]).unwrap();
        assert_eq!(trailer.checksum, Some(DeclaredChecksum::Trailer(Algorithm::Crc64Nvme)));
        assert_eq!(trailer.trailers, ["x-amz-checksum-crc64nvme"]);
        let unknown = with(&[("x-amz-checksum-xxhash3", "junk"), ("x-amz-sdk-checksum-algorithm", "XXHASH3")]);
        assert_eq!(unknown.unwrap().checksum, None);
        for (pairs, code) in [
            (&[("x-amz-checksum-crc32", "AAAA")][..], S3Code::InvalidRequest),
            (&[("x-amz-checksum-crc32", "AAAAAA==-2")], S3Code::InvalidRequest),
            (&[("x-amz-checksum-crc32", "AAAAAA=="), ("x-amz-checksum-sha1", "x")], S3Code::InvalidRequest),
            (&[("x-amz-sdk-checksum-algorithm", "CRC32")], S3Code::InvalidRequest),
            (&[("x-amz-trailer", "x-amz-checksum-crc32")], S3Code::InvalidRequest),
            (&[("content-md5", "AAAA")], S3Code::InvalidDigest),
            (&[("content-md5", "?")], S3Code::InvalidDigest),
        ] {
            assert_eq!(with(pairs).unwrap_err().code(), code, "{pairs:?}");
        }
    }

    #[test]
    fn the_framing_is_not_stored() {
        for (value, expected) in [
            ("aws-chunked", None),
            ("aws-chunked,gzip", Some("gzip")),
            ("gzip, AWS-Chunked", Some("gzip")),
            ("gzip, br", Some("gzip, br")),
            ("gzip,br", Some("gzip,br")),
            ("aws-chunked, gzip", Some("gzip")),
            ("deflate, aws-chunked, gzip", Some("deflate, gzip")),
            ("aws-chunked, aws-chunked", None),
            ("", None),
        ] {
            let stored = stored_content_encoding(&headers(&[("content-encoding", value)]));
            assert_eq!(stored.as_deref(), expected, "{value}");
        }
    }
}
