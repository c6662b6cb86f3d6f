//! What the headers of a write say of the new object.

use http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_TYPE, EXPIRES, TRANSFER_ENCODING,
};
use http::{HeaderMap, HeaderName};

use crate::object::tags::InvalidTags;
use crate::object::{ContentHeaders, Tags, UserMetadata};
use crate::s3::error::{Result, S3Code, S3Error};
use crate::s3::header;
use crate::s3::operation::NewObject;
use crate::s3::payload::stored_content_encoding;

use super::invalid;

/// Everything a new object carries besides its bytes.
pub fn new_object(headers: &HeaderMap) -> Result<NewObject> {
    refuse_public_acl(headers)?;
    Ok(NewObject {
        content: content(headers)?,
        metadata: metadata(headers)?,
        tags: tags(headers)?,
        storage_class: storage_class(headers)?,
        encryption_asked: encryption(headers)?,
    })
}

pub fn content(headers: &HeaderMap) -> Result<ContentHeaders> {
    let owned = |name: &HeaderName| Ok::<_, S3Error>(text(headers, name)?.map(str::to_owned));
    Ok(ContentHeaders {
        content_type: owned(&CONTENT_TYPE)?.filter(|value| !value.is_empty()),
        content_encoding: stored_content_encoding(headers),
        content_language: owned(&CONTENT_LANGUAGE)?,
        content_disposition: owned(&CONTENT_DISPOSITION)?,
        cache_control: owned(&CACHE_CONTROL)?,
        expires: owned(&EXPIRES)?,
    })
}

/// # Errors
/// MetadataTooLarge above 2 KiB, InvalidArgument for what is not UTF-8.
pub fn metadata(headers: &HeaderMap) -> Result<UserMetadata> {
    let mut metadata = UserMetadata::default();
    for (name, value) in headers {
        let Some(name) = name.as_str().strip_prefix(header::META_PREFIX) else { continue };
        let value = std::str::from_utf8(value.as_bytes())
            .map_err(|_| S3Error::new(S3Code::InvalidArgument, "The value of a metadata header is not UTF-8."))?;
        metadata.insert(name, value.trim());
    }
    if metadata.bytes() > UserMetadata::BYTES_MAX {
        return Err(S3Error::from(S3Code::MetadataTooLarge)
            .with("Size", metadata.bytes().to_string())
            .with("MaxSizeAllowed", UserMetadata::BYTES_MAX.to_string()));
    }
    Ok(metadata)
}

pub fn tags(headers: &HeaderMap) -> Result<Tags> {
    let Some(query) = text(headers, &header::TAGGING)? else { return Ok(Tags::default()) };
    let tags = Tags::parse_query(query).map_err(|reason| match reason {
        // In the header S3 calls it a matter of form.
        InvalidTags::DuplicateKey => invalid_tags(InvalidTags::Encoding).with("ArgumentValue", query),
        reason => invalid_tags(reason),
    })?;
    not_reserved(tags)
}

/// Refuses tags of the names that AWS keeps for itself.
pub fn not_reserved(tags: Tags) -> Result<Tags> {
    let reserved = |key: &str| key.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("aws:"));
    if let Some((key, _)) = tags.iter().find(|(key, _)| reserved(key)) {
        return Err(S3Error::new(S3Code::InvalidTag, "Your TagKey cannot be prefixed with aws:").with("TagKey", key));
    }
    Ok(tags)
}

/// The answer for a bucket's tag set that S3 refuses.
pub fn invalid_bucket_tags(reason: InvalidTags) -> S3Error {
    match reason {
        InvalidTags::TooMany => S3Error::new(S3Code::BadRequest, "Bucket tag count cannot be greater than 50"),
        reason => invalid_tags(reason),
    }
}

/// The answer for an object's tag set that S3 refuses.
pub fn invalid_tags(reason: InvalidTags) -> S3Error {
    match reason {
        // Of all that can be wrong with tags, this alone has another code in S3.
        InvalidTags::TooMany => S3Error::new(S3Code::BadRequest, "Object tags cannot be greater than 10"),
        InvalidTags::KeyLength => S3Error::new(S3Code::InvalidTag, "The TagKey you have provided is invalid"),
        InvalidTags::ValueLength => S3Error::new(S3Code::InvalidTag, "The TagValue you have provided is invalid"),
        InvalidTags::DuplicateKey => S3Error::new(S3Code::InvalidTag, "Cannot provide multiple Tags with the same key"),
        InvalidTags::Character => {
            S3Error::new(S3Code::InvalidTag, "A tag holds a character that is not allowed in tags")
        }
        InvalidTags::Encoding => invalid(
            "x-amz-tagging",
            "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag \
             name duplicates.",
        ),
    }
}

/// Names of S3's storage classes.
const STORAGE_CLASSES: &[&str] = &[
    "STANDARD",
    "REDUCED_REDUNDANCY",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "GLACIER",
    "DEEP_ARCHIVE",
    "OUTPOSTS",
    "GLACIER_IR",
    "SNOW",
    "EXPRESS_ONEZONE",
];

/// The storage class as given; `None` for STANDARD.
pub fn storage_class(headers: &HeaderMap) -> Result<Option<String>> {
    match text(headers, &header::STORAGE_CLASS)? {
        None | Some("STANDARD") => Ok(None),
        Some(class) if STORAGE_CLASSES.contains(&class) => Ok(Some(class.to_owned())),
        Some(_) => Err(S3Code::InvalidStorageClass.into()),
    }
}

/// True if SSE-S3 was asked for, which Blob Storage does anyway.
///
/// # Errors
/// NotImplemented for KMS, InvalidEncryptionAlgorithmError for what S3 does not know.
pub fn encryption(headers: &HeaderMap) -> Result<bool> {
    match text(headers, &header::SERVER_SIDE_ENCRYPTION)? {
        None => Ok(false),
        Some("AES256") => Ok(true),
        Some(kms) if kms.starts_with("aws:") => {
            Err(not_implemented("Server-side encryption with KMS keys (SSE-KMS) is not implemented; use AES256."))
        }
        Some(_) => Err(S3Code::InvalidEncryptionAlgorithmError.into()),
    }
}

/// Refuses an access control list that would open the object to anybody else: there are none here.
pub fn refuse_public_acl(headers: &HeaderMap) -> Result<()> {
    if headers.keys().any(|name| name.as_str().starts_with(header::GRANT_PREFIX)) {
        return Err(S3Code::AccessControlListNotSupported.into());
    }
    match text(headers, &header::ACL)? {
        None | Some("private" | "bucket-owner-full-control") => Ok(()),
        Some(
            "public-read" | "public-read-write" | "authenticated-read" | "aws-exec-read" | "bucket-owner-read"
            | "log-delivery-write",
        ) => Err(S3Code::AccessControlListNotSupported.into()),
        Some(_) => Err(invalid("x-amz-acl", "Invalid Argument")),
    }
}

/// Accepts an access control list that changes nothing: the owner has full control, and nobody else any.
pub fn same_acl(headers: &HeaderMap) -> Result<()> {
    refuse_public_acl(headers)?;
    let lengths = [CONTENT_LENGTH, header::DECODED_CONTENT_LENGTH.clone()];
    let is_empty = lengths.iter().all(|name| headers.get(name).is_none_or(|length| length == "0"))
        && !headers.contains_key(TRANSFER_ENCODING);
    match (headers.contains_key(&header::ACL), is_empty) {
        (true, true) => Ok(()),
        (false, true) => {
            Err(S3Error::from(S3Code::MissingSecurityHeader).with("MissingHeaderName", header::ACL.as_str()))
        }
        (_, false) => Err(S3Code::AccessControlListNotSupported.into()),
    }
}

/// The answer to whatever speaks of object lock.
pub fn no_object_lock() -> S3Error {
    S3Error::new(S3Code::InvalidRequest, "Bucket is missing Object Lock Configuration")
}

/// Refuses headers whose function is not served, on any operation on an object: to ignore one of
/// them would be to do something else than was asked.
pub fn refuse_unserved(headers: &HeaderMap) -> Result<()> {
    for name in headers.keys().map(HeaderName::as_str).filter(|name| name.starts_with(header::AMZ_PREFIX)) {
        if name.starts_with(header::SSE_C_PREFIX) || name.starts_with(header::COPY_SOURCE_SSE_C_PREFIX) {
            return Err(not_implemented(
                "Server-side encryption with customer-provided keys (SSE-C) is not implemented.",
            ));
        }
        if name.starts_with(header::SSE_KMS_PREFIX) {
            return Err(not_implemented("Server-side encryption with KMS keys (SSE-KMS) is not implemented."));
        }
        if name.starts_with(header::LOCK_PREFIX) {
            return Err(no_object_lock());
        }
    }
    if headers.contains_key(&header::WRITE_OFFSET_BYTES) {
        return Err(not_implemented("Appending to an object is not implemented."));
    }
    if headers.contains_key(&header::WEBSITE_REDIRECT_LOCATION) {
        return Err(not_implemented("Website redirects are not implemented."));
    }
    Ok(())
}

/// The first value of a header as text.
///
/// # Errors
/// InvalidArgument for what is not UTF-8.
pub fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    match std::str::from_utf8(value.as_bytes()) {
        Ok(text) => Ok(Some(text.trim())),
        Err(_) => Err(S3Error::new(S3Code::InvalidArgument, "The value of a header is not UTF-8.")
            .with("ArgumentName", name.as_str())),
    }
}

fn not_implemented(message: &'static str) -> S3Error {
    S3Error::new(S3Code::NotImplemented, message)
}
