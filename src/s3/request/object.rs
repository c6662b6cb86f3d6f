//! Operations on an object.

use http::header::RANGE;
use http::{HeaderMap, Method};

use crate::object::{Algorithm, ByteRange, Checksum};
use crate::s3::error::{Result, S3Code, S3Error};
use crate::s3::header;
use crate::s3::operation::{
    Attributes, ChecksumType, CompleteMultipartUpload, CopyObject, CopySource, CreateMultipartUpload, DeleteObject,
    GetObjectAttributes, ListParts, ObjectAddress, Operation, PartNumber, PutObject, PutObjectTagging, ReadObject,
    ResponseOverrides, UploadAddress, UploadPart, UploadPartCopy, VersionedObject,
};
use crate::s3::payload::BodyDeclaration;

use super::attributes::text;
use super::bucket::encoding;
use super::{Input, attributes, condition, copy_source, invalid, number, unserved};

/// Longest body of one request in bytes: 5 GiB (set by S3).
const BODY_MAX: u64 = 5 << 30;

pub(super) fn parse(input: &Input<'_>, address: ObjectAddress) -> Result<Operation> {
    attributes::refuse_unserved(input.headers)?;
    match *input.method {
        Method::GET => get(input, address),
        Method::HEAD => Ok(Operation::HeadObject(read(input, address)?)),
        Method::PUT => put(input, address),
        Method::DELETE => delete(input, address),
        Method::POST => post(input, address),
        _ => Ok(Operation::MethodNotAllowed),
    }
}

fn get(input: &Input<'_>, address: ObjectAddress) -> Result<Operation> {
    let query = input.query;
    if query.has("uploadId") {
        return Ok(Operation::ListParts(ListParts {
            upload: upload(input, address)?,
            max_parts: input.limit("max-parts")?,
            part_number_marker: marker(input.number("part-number-marker")?),
            encoding: encoding(input)?,
        }));
    }
    if query.has("tagging") {
        return Ok(Operation::GetObjectTagging(versioned(input, address)?));
    }
    if query.has("attributes") {
        return get_attributes(input, address);
    }
    if query.has("acl") {
        return Ok(Operation::GetObjectAcl(versioned(input, address)?));
    }
    if query.has("retention") || query.has("legal-hold") {
        return Err(attributes::no_object_lock());
    }
    match unserved::find(unserved::OBJECT, input.method, input.query, &address.bucket) {
        Some(refusal) => Ok(refusal),
        None => Ok(Operation::GetObject(read(input, address)?)),
    }
}

fn put(input: &Input<'_>, address: ObjectAddress) -> Result<Operation> {
    let query = input.query;
    if query.has("tagging") {
        let body = BodyDeclaration::parse(input.headers)?;
        return Ok(Operation::PutObjectTagging(PutObjectTagging { object: versioned(input, address)?, body }));
    }
    if query.has("acl") {
        attributes::same_acl(input.headers)?;
        return Ok(Operation::PutObjectAcl(versioned(input, address)?));
    }
    if let Some(refusal) = unserved::find(unserved::OBJECT, input.method, input.query, &address.bucket) {
        return Ok(refusal);
    }
    if query.has("uploadId") || query.has("partNumber") {
        return put_part(input, address);
    }
    if let Some(refusal) = input.unknown_subresource(&address.bucket) {
        return Ok(refusal);
    }
    refuse_unmappable(&address)?;
    if let Some(source) = copy_source::parse(input.headers)? {
        return copy(input, address, source);
    }
    Ok(Operation::PutObject(PutObject {
        object: attributes::new_object(input.headers)?,
        condition: condition::write(input.headers)?,
        body: bounded(BodyDeclaration::parse(input.headers)?)?,
        address,
    }))
}

fn put_part(input: &Input<'_>, address: ObjectAddress) -> Result<Operation> {
    refuse_unmappable(&address)?;
    let part_number = part_number(input)?
        .ok_or_else(|| invalid("partNumber", "Part number must be an integer between 1 and 10000, inclusive"))?;
    let upload = upload(input, address)?;
    if let Some(source) = copy_source::parse(input.headers)? {
        let range = copy_source::range(input.headers)?;
        return Ok(Operation::UploadPartCopy(UploadPartCopy { upload, part_number, source, range }));
    }
    let body = bounded(BodyDeclaration::parse(input.headers)?)?;
    Ok(Operation::UploadPart(UploadPart { upload, part_number, body }))
}

fn copy(input: &Input<'_>, address: ObjectAddress, source: CopySource) -> Result<Operation> {
    let headers = input.headers;
    attributes::refuse_public_acl(headers)?;
    let replace_metadata = match directive(headers, &header::METADATA_DIRECTIVE, "x-amz-metadata-directive")? {
        Directive::Copy => None,
        Directive::Replace => Some((attributes::content(headers)?, attributes::metadata(headers)?)),
    };
    let replace_tags = match directive(headers, &header::TAGGING_DIRECTIVE, "x-amz-tagging-directive")? {
        Directive::Copy => None,
        Directive::Replace => Some(attributes::tags(headers)?),
    };
    let changes = replace_metadata.is_some()
        || headers.contains_key(&header::STORAGE_CLASS)
        || headers.contains_key(&header::SERVER_SIDE_ENCRYPTION)
        || source.version_id.is_some();
    if source.address == address && !changes {
        return Err(S3Error::new(
            S3Code::InvalidRequest,
            "This copy request is illegal because it is trying to copy an object to itself without changing the \
             object's metadata, storage class, website redirect location or encryption attributes.",
        ));
    }
    Ok(Operation::CopyObject(CopyObject {
        address,
        source,
        condition: condition::write(headers)?,
        replace_metadata,
        replace_tags,
        storage_class: attributes::storage_class(headers)?,
        encryption_asked: attributes::encryption(headers)?,
        checksum_algorithm: checksum_algorithm(headers)?,
    }))
}

fn delete(input: &Input<'_>, address: ObjectAddress) -> Result<Operation> {
    if input.query.has("uploadId") {
        return Ok(Operation::AbortMultipartUpload(upload(input, address)?));
    }
    if input.query.has("tagging") {
        return Ok(Operation::DeleteObjectTagging(versioned(input, address)?));
    }
    let refusal = unserved::find(unserved::OBJECT, input.method, input.query, &address.bucket);
    if let Some(refusal) = refusal.or_else(|| input.unknown_subresource(&address.bucket)) {
        return Ok(refusal);
    }
    let condition = condition::delete(input.headers)?;
    Ok(Operation::DeleteObject(DeleteObject { object: versioned(input, address)?, condition }))
}

fn post(input: &Input<'_>, address: ObjectAddress) -> Result<Operation> {
    if input.query.has("uploads") {
        refuse_unmappable(&address)?;
        return create_upload(input, address);
    }
    if input.query.has("uploadId") {
        refuse_unmappable(&address)?;
        return complete_upload(input, address);
    }
    Ok(unserved::find(unserved::OBJECT, input.method, input.query, &address.bucket)
        .unwrap_or(Operation::MethodNotAllowed))
}

fn create_upload(input: &Input<'_>, address: ObjectAddress) -> Result<Operation> {
    let headers = input.headers;
    let checksum_algorithm = checksum_algorithm(headers)?;
    let checksum_type = checksum_type(headers)?;
    let impossible = match (checksum_algorithm, checksum_type) {
        (Some(Algorithm::Sha1 | Algorithm::Sha256), Some(ChecksumType::FullObject)) => true,
        (Some(Algorithm::Crc64Nvme), Some(ChecksumType::Composite)) => true,
        (None, Some(_)) => !headers.contains_key(&header::CHECKSUM_ALGORITHM),
        _ => false,
    };
    if impossible {
        return Err(S3Error::new(
            S3Code::InvalidRequest,
            "The checksum type cannot be used with the specified checksum algorithm.",
        ));
    }
    let object = attributes::new_object(headers)?;
    Ok(Operation::CreateMultipartUpload(CreateMultipartUpload { address, object, checksum_algorithm, checksum_type }))
}

fn complete_upload(input: &Input<'_>, address: ObjectAddress) -> Result<Operation> {
    let headers = input.headers;
    Ok(Operation::CompleteMultipartUpload(CompleteMultipartUpload {
        upload: upload(input, address)?,
        condition: condition::write(headers)?,
        checksum: result_checksum(headers)?,
        checksum_type: checksum_type(headers)?,
        object_size: object_size(headers)?,
        // The checksum headers of this request speak of the object, not of the document.
        body: BodyDeclaration::parse_without_checksum(headers)?,
    }))
}

fn read(input: &Input<'_>, address: ObjectAddress) -> Result<ReadObject> {
    let range = text(input.headers, &RANGE)?.and_then(ByteRange::parse);
    let part_number = part_number(input)?;
    if range.is_some() && part_number.is_some() {
        return Err(S3Error::new(
            S3Code::InvalidRequest,
            "Cannot specify both Range header and partNumber query parameter",
        ));
    }
    Ok(ReadObject {
        version_id: input.non_empty("versionId")?,
        range,
        part_number,
        condition: condition::read(input.headers)?,
        overrides: overrides(input)?,
        checksum_mode: text(input.headers, &header::CHECKSUM_MODE)?
            .is_some_and(|mode| mode.eq_ignore_ascii_case("enabled")),
        address,
    })
}

fn overrides(input: &Input<'_>) -> Result<ResponseOverrides> {
    let value = |name: &'static str| {
        let value = input.non_empty(name)?;
        match &value {
            // It becomes a header of the answer: no line may end in it.
            Some(text) if text.chars().any(char::is_control) => {
                Err(invalid(name, "Header value cannot be represented"))
            }
            _ => Ok(value),
        }
    };
    Ok(ResponseOverrides {
        content_type: value("response-content-type")?,
        content_language: value("response-content-language")?,
        expires: value("response-expires")?,
        cache_control: value("response-cache-control")?,
        content_disposition: value("response-content-disposition")?,
        content_encoding: value("response-content-encoding")?,
    })
}

fn get_attributes(input: &Input<'_>, address: ObjectAddress) -> Result<Operation> {
    let mut attributes = Attributes::default();
    let values = input.headers.get_all(&header::OBJECT_ATTRIBUTES).iter().map(|value| value.to_str().unwrap_or("?"));
    for name in values.flat_map(|value| value.split(',')).map(str::trim).filter(|name| !name.is_empty()) {
        let wanted = match name {
            "ETag" => &mut attributes.etag,
            "Checksum" => &mut attributes.checksum,
            "ObjectParts" => &mut attributes.object_parts,
            "StorageClass" => &mut attributes.storage_class,
            "ObjectSize" => &mut attributes.object_size,
            _ => return Err(invalid("x-amz-object-attributes", "Invalid attribute name specified.")),
        };
        *wanted = true;
    }
    if attributes == Attributes::default() {
        return Err(invalid("x-amz-object-attributes", "The x-amz-object-attributes header is missing or empty."));
    }
    let max_parts = number("x-amz-max-parts", text(input.headers, &header::MAX_PARTS)?)?;
    let after = number("x-amz-part-number-marker", text(input.headers, &header::PART_NUMBER_MARKER)?)?;
    Ok(Operation::GetObjectAttributes(GetObjectAttributes {
        object: versioned(input, address)?,
        attributes,
        max_parts: max_parts.map_or(super::ENTRIES_MAX, |parts| parts.min(super::ENTRIES_MAX as u64) as usize),
        part_number_marker: marker(after),
    }))
}

fn versioned(input: &Input<'_>, address: ObjectAddress) -> Result<VersionedObject> {
    Ok(VersionedObject { address, version_id: input.non_empty("versionId")? })
}

fn upload(input: &Input<'_>, address: ObjectAddress) -> Result<UploadAddress> {
    match input.non_empty("uploadId")? {
        Some(upload_id) => Ok(UploadAddress { address, upload_id }),
        None => Err(invalid("uploadId", "This operation needs an uploadId")),
    }
}

fn part_number(input: &Input<'_>) -> Result<Option<PartNumber>> {
    let Some(text) = input.query.get("partNumber")? else { return Ok(None) };
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|_| digits).and_then(PartNumber::new);
    number.map(Some).ok_or_else(|| {
        invalid("partNumber", "Part number must be an integer between 1 and 10000, inclusive")
            .with("ArgumentValue", text)
    })
}

/// A marker past the last possible part leaves nothing to list.
fn marker(number: Option<u64>) -> u16 {
    number.map_or(0, |number| number.min(u64::from(PartNumber::MAX)) as u16)
}

fn refuse_unmappable(address: &ObjectAddress) -> Result<()> {
    let refuse = |why| invalid("key", format!("Azure Blob Storage cannot hold this key: {why}."));
    address.key.mappable().map_err(refuse)
}

fn bounded(body: BodyDeclaration) -> Result<BodyDeclaration> {
    if body.length <= BODY_MAX {
        return Ok(body);
    }
    Err(S3Error::new(S3Code::EntityTooLarge, "Your proposed upload exceeds the maximum allowed size")
        .with("ProposedSize", body.length.to_string())
        .with("MaxSizeAllowed", BODY_MAX.to_string()))
}

enum Directive {
    Copy,
    Replace,
}

fn directive(headers: &HeaderMap, header: &http::HeaderName, name: &'static str) -> Result<Directive> {
    match text(headers, header)? {
        None | Some("COPY") => Ok(Directive::Copy),
        Some("REPLACE") => Ok(Directive::Replace),
        Some(_) => Err(invalid(name, "Unknown directive: it must be COPY or REPLACE.")),
    }
}

/// The algorithm asked for; one that is not known here is accepted and not served.
fn checksum_algorithm(headers: &HeaderMap) -> Result<Option<Algorithm>> {
    Ok(text(headers, &header::CHECKSUM_ALGORITHM)?.and_then(Algorithm::parse))
}

fn checksum_type(headers: &HeaderMap) -> Result<Option<ChecksumType>> {
    let Some(name) = text(headers, &header::CHECKSUM_TYPE)? else { return Ok(None) };
    let unknown = || S3Error::new(S3Code::InvalidRequest, "Value for x-amz-checksum-type header is invalid.");
    ChecksumType::parse(name).map(Some).ok_or_else(unknown)
}

fn result_checksum(headers: &HeaderMap) -> Result<Option<Checksum>> {
    for algorithm in Algorithm::ALL {
        let Some(value) = headers.get(algorithm.header()) else { continue };
        let checksum = value.to_str().ok().and_then(|value| Checksum::parse(algorithm, value));
        return checksum.map(Some).ok_or_else(|| {
            S3Error::new(S3Code::InvalidRequest, format!("Value for {} header is invalid.", algorithm.header()))
        });
    }
    Ok(None)
}

fn object_size(headers: &HeaderMap) -> Result<Option<u64>> {
    let Some(size) = text(headers, &header::MP_OBJECT_SIZE)? else { return Ok(None) };
    let digits = !size.is_empty() && size.bytes().all(|byte| byte.is_ascii_digit());
    let wrong = || S3Error::new(S3Code::InvalidRequest, "Value for x-amz-mp-object-size header is invalid.");
    size.parse().ok().filter(|_| digits).map(Some).ok_or_else(wrong)
}
