//! UploadPartCopy.

use http::Response;

use super::{only_null_version, upload_id, write_error};
use crate::facade::handle::Call;
use crate::facade::respond;
use crate::net::Body;
use crate::object::multipart::CopyPart;
use crate::object::{ByteRange, Error, ErrorKind, Span};
use crate::s3::error::{Result, S3Code, S3Error};
use crate::s3::operation::UploadPartCopy;
use crate::s3::xml::copy;

pub async fn run(call: &Call<'_>, request: UploadPartCopy) -> Result<Response<Body>> {
    only_null_version(request.source.version_id.as_deref())?;
    let id = upload_id(&request.upload)?;
    let address = &request.upload.address;
    let route = call.route(&address.bucket)?;
    let from = call.route(&request.source.address.bucket)?;
    let part = CopyPart {
        number: request.part_number.get(),
        source: request.source.address.key,
        source_condition: request.source.condition,
        span: request.range.map(span).transpose()?,
    };
    let stored =
        route.copy_part(&address.key, &id, &from, &part).await.map_err(|error| refused(error, request.range))?;
    Ok(respond::xml(copy::render_part(&stored.etag, stored.last_modified, &stored.checksums)))
}

/// A range of a copy has to lie inside its source; S3 calls any other an argument that is not valid.
fn refused(error: Error, range: Option<ByteRange>) -> S3Error {
    match error.kind() {
        ErrorKind::RangeUnsatisfiable => {
            S3Error::new(S3Code::InvalidArgument, "Range specified is not valid for the size of the source object")
                .with("ArgumentName", "x-amz-copy-source-range")
                .with("ArgumentValue", range.map(|range| range.to_string()).unwrap_or_default())
        }
        _ => write_error(error),
    }
}

fn span(range: ByteRange) -> Result<Span> {
    match range {
        ByteRange::Inclusive { first, last } => Ok(Span { start: first, end: last.saturating_add(1) }),
        ByteRange::From { .. } | ByteRange::Suffix { .. } => Err(S3Error::new(
            S3Code::InvalidArgument,
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the \
             zero-based offsets of the first and last bytes to copy",
        )),
    }
}
