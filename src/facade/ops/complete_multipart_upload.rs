//! CompleteMultipartUpload: carried on even if the client goes away, and kept alive while it takes long.

use std::time::Duration;

use bytes::Bytes;
use http::Response;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::{upload_id, write_error};
use crate::facade::Facade;
use crate::facade::handle::Call;
use crate::facade::respond;
use crate::net::Body;
use crate::object::multipart::{CompleteUpload, CompletedPart};
use crate::object::{Stored, UploadId};
use crate::s3::error::{Result, S3Code, S3Error};
use crate::s3::operation::{CompleteMultipartUpload, ObjectAddress};
use crate::s3::xml::{complete, multipart};

/// Until then an error gets its own status; after it the answer has begun as a 200.
const STATUS_WAIT: Duration = Duration::from_secs(10);
/// Between two blanks that keep the connection alive.
const BLANK_INTERVAL: Duration = Duration::from_secs(5);

pub async fn run(call: Call<'_>, request: CompleteMultipartUpload) -> Result<Response<Body>> {
    let Call { facade, body, chunk_signer, resource, request_id, .. } = call;
    let id = upload_id(&request.upload)?;
    let document = facade.document(body, &request.body, chunk_signer, complete::BYTES_MAX).await?;
    let parts = complete::parse(&document)?.into_iter().map(|part| CompletedPart {
        number: part.number.get(),
        etag: part.etag,
        checksums: part.checksum.into_iter().collect(),
    });
    let complete = CompleteUpload {
        parts: parts.collect(),
        condition: request.condition,
        checksums: request.checksum.into_iter().collect(),
        size: request.object_size,
    };
    let address = request.upload.address;
    let mut work = facade.pursuit.spawn(finish(facade.clone(), address.clone(), id, complete));
    match timeout(STATUS_WAIT, &mut work).await {
        Ok(done) => outcome(done).map(|stored| respond::xml(result(&address, &stored))),
        Err(_) => Ok(kept_alive(work, address, resource, request_id.to_owned())),
    }
}

async fn finish(facade: Facade, address: ObjectAddress, id: UploadId, request: CompleteUpload) -> Result<Stored> {
    let route = facade.router.route(&address.bucket).map_err(write_error)?;
    route.complete_upload(&address.key, &id, &request).await.map_err(write_error)
}

fn outcome(done: Result<Result<Stored>, tokio::task::JoinError>) -> Result<Stored> {
    done.unwrap_or_else(|_| Err(S3Code::InternalError.into()))
}

fn result(address: &ObjectAddress, stored: &Stored) -> String {
    let location = format!("/{}/{}", address.bucket, crate::object::text::percent_encode(address.key.as_str(), b"/"));
    multipart::render_completed(address, &location, &stored.etag, &stored.checksums)
}

/// A 200 that has begun: blanks between the XML declaration and the document, which may be an error's,
/// as S3 itself does it.
fn kept_alive(
    work: JoinHandle<Result<Stored>>,
    address: ObjectAddress,
    resource: String,
    request_id: String,
) -> Response<Body> {
    enum Stage {
        Declaration(JoinHandle<Result<Stored>>),
        Waiting(JoinHandle<Result<Stored>>),
        Ended,
    }
    let stream = futures::stream::unfold(Stage::Declaration(work), move |stage| {
        let (address, resource, request_id) = (address.clone(), resource.clone(), request_id.clone());
        async move {
            match stage {
                Stage::Declaration(work) => Some((Ok(Bytes::from_static(DECLARATION)), Stage::Waiting(work))),
                Stage::Waiting(mut work) => tokio::select! {
                    () = sleep(BLANK_INTERVAL) => Some((Ok(Bytes::from_static(b" ")), Stage::Waiting(work))),
                    done = &mut work => {
                        let document = match outcome(done) {
                            Ok(stored) => result(&address, &stored),
                            Err(error) => error_document(&error, &resource, &request_id),
                        };
                        let after_declaration = document.find("?>").map_or(0, |end| end + 2);
                        Some((Ok(Bytes::from(document).slice(after_declaration..)), Stage::Ended))
                    }
                },
                Stage::Ended => None,
            }
        }
    });
    let mut response = respond::xml(String::new());
    *response.body_mut() = Body::Stream { length: None, stream: Box::pin(stream) };
    response
}

const DECLARATION: &[u8] = b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

fn error_document(error: &S3Error, resource: &str, request_id: &str) -> String {
    tracing::warn!(code = error.code().as_str(), resource, request_id, "complete failed after its answer had begun");
    error.to_xml(resource, request_id, respond::HOST_ID)
}
