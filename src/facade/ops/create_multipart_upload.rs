//! CreateMultipartUpload.

use http::{HeaderValue, Response};

use super::{attributes, write_error};
use crate::facade::handle::Call;
use crate::facade::respond;
use crate::net::Body;
use crate::object::multipart::CreateUpload;
use crate::object::{Algorithm, DeclaredChecksum};
use crate::s3::error::{Result, S3Code, S3Error};
use crate::s3::header;
use crate::s3::operation::{ChecksumType, CreateMultipartUpload};
use crate::s3::xml::multipart;

pub async fn run(call: &Call<'_>, request: CreateMultipartUpload) -> Result<Response<Body>> {
    let route = call.route(&request.address.bucket)?;
    let checksum = declared(request.checksum_algorithm, request.checksum_type)?;
    let encryption_asked = request.object.encryption_asked;
    let create = CreateUpload { attributes: attributes(request.object), checksum };
    let id = route.create_upload(&request.address.key, &create).await.map_err(write_error)?;
    let mut response = respond::xml(multipart::render_initiated(&request.address, id.as_str()));
    if let Some(checksum) = checksum {
        let headers = response.headers_mut();
        let kind = if checksum.full_object { ChecksumType::FullObject } else { ChecksumType::Composite };
        headers.insert(&header::CHECKSUM_ALGORITHM, HeaderValue::from_static(checksum.algorithm.name()));
        headers.insert(&header::CHECKSUM_TYPE, HeaderValue::from_static(kind.name()));
    }
    if encryption_asked {
        super::put_object::encrypted(&mut response);
    }
    Ok(response)
}

/// What the result's checksum covers (S3 user guide, "Checking object integrity"): CRC64NVME always the
/// object, the SHAs always the parts, the other CRCs the parts unless the client asks otherwise.
fn declared(algorithm: Option<Algorithm>, kind: Option<ChecksumType>) -> Result<Option<DeclaredChecksum>> {
    let Some(algorithm) = algorithm else {
        return match kind {
            None => Ok(None),
            Some(_) => Err(S3Error::new(
                S3Code::InvalidRequest,
                "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.",
            )),
        };
    };
    let full_object = match (algorithm, kind) {
        (Algorithm::Crc64Nvme, None | Some(ChecksumType::FullObject)) => true,
        (Algorithm::Crc32 | Algorithm::Crc32c, Some(ChecksumType::FullObject)) => true,
        (Algorithm::Crc64Nvme, Some(ChecksumType::Composite))
        | (Algorithm::Sha1 | Algorithm::Sha256, Some(ChecksumType::FullObject)) => {
            let message = format!(
                "The {} checksum type cannot be used with the {} checksum algorithm.",
                kind.map_or("", ChecksumType::name),
                algorithm.name()
            );
            return Err(S3Error::new(S3Code::InvalidRequest, message));
        }
        (_, None | Some(ChecksumType::Composite)) => false,
    };
    Ok(Some(DeclaredChecksum { algorithm, full_object }))
}
