//! PutObject.

use http::Response;

use super::attributes;
use crate::facade::body::{Verified, refusal};
use crate::facade::handle::Call;
use crate::facade::respond;
use crate::net::Body;
use crate::object::PutRequest;
use crate::s3::error::{Result, S3Code};
use crate::s3::{header, operation};

/// Longest object of one PUT in bytes (S3 user guide, "Uploading objects").
const PUT_BYTES_MAX: u64 = 5 << 30;

pub async fn run(call: Call<'_>, request: operation::PutObject) -> Result<Response<Body>> {
    if request.body.length > PUT_BYTES_MAX {
        return Err(S3Code::EntityTooLarge.into());
    }
    let Call { facade, body, chunk_signer, .. } = call;
    let encryption_asked = request.object.encryption_asked;
    let route = facade.router.route(&request.address.bucket).map_err(super::read_error)?;
    let Verified { payload, outcome, content_md5, checksums, grant: _grant } =
        facade.verified(body, &request.body, chunk_signer).await?;
    let put = PutRequest {
        payload,
        attributes: attributes(request.object),
        content_md5,
        checksums: checksums.clone(),
        condition: request.condition,
    };
    let stored = route.put(&request.address.key, put).await.map_err(|error| refusal(error, Some(&outcome)))?;
    // A checksum behind a long body was verified, though it could not be stored with it any more.
    let verified = outcome.verified().and_then(|body| body.checksum.clone());
    let shown = verified.map_or(checksums, |checksum| vec![checksum]);
    let mut response = respond::written(&stored.etag, &shown);
    if encryption_asked {
        encrypted(&mut response);
    }
    Ok(response)
}

/// Blob Storage encrypts everything at rest with AES-256, as SSE-S3 does.
pub(super) fn encrypted(response: &mut Response<Body>) {
    respond::set(response.headers_mut(), header::SERVER_SIDE_ENCRYPTION.clone(), "AES256");
}
