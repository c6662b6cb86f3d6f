//! UploadPart.

use http::Response;

use super::upload_id;
use crate::facade::body::{Verified, refusal};
use crate::facade::handle::Call;
use crate::facade::respond;
use crate::net::Body;
use crate::object::multipart::{self, LateChecksums, PART_BYTES_MAX};
use crate::s3::error::{Result, S3Code};
use crate::s3::operation;
use crate::s3::payload::DeclaredChecksum;

pub async fn run(call: Call<'_>, request: operation::UploadPart) -> Result<Response<Body>> {
    if request.body.length > PART_BYTES_MAX {
        return Err(S3Code::EntityTooLarge.into());
    }
    let id = upload_id(&request.upload)?;
    let Call { facade, body, chunk_signer, .. } = call;
    let address = &request.upload.address;
    let route = facade.router.route(&address.bucket).map_err(super::read_error)?;
    let Verified { payload, outcome, content_md5, checksums, grant: _grant } =
        facade.verified(body, &request.body, chunk_signer).await?;
    let behind = checksums.is_empty() && matches!(request.body.checksum, Some(DeclaredChecksum::Trailer(_)));
    let late_checksums = behind.then(|| {
        let outcome = outcome.clone();
        let read = move || outcome.verified().and_then(|body| body.checksum.clone()).into_iter().collect();
        Box::new(read) as LateChecksums
    });
    let part =
        multipart::UploadPart { number: request.part_number.get(), payload, content_md5, checksums, late_checksums };
    let stored = route.upload_part(&address.key, &id, part).await.map_err(|error| refusal(error, Some(&outcome)))?;
    Ok(respond::written(&stored.etag, &stored.checksums))
}
