//! GetObject and HeadObject.

use http::Response;

use super::{only_null_version, read_error};
use crate::facade::handle::Call;
use crate::facade::respond;
use crate::net::Body;
use crate::object::{Error, OutOfRange, Read, ReadRequest, Selection};
use crate::s3::error::{Result, S3Code, S3Error};
use crate::s3::operation::ReadObject;

pub async fn get(call: &Call<'_>, request: &ReadObject) -> Result<Response<Body>> {
    only_null_version(request.version_id.as_deref())?;
    let route = call.route(&request.address.bucket)?;
    let answer = route.get(&request.address.key, &read(request)?).await;
    match answer.map_err(|error| refused(request, error))? {
        Read::NotModified(meta) => Ok(respond::not_modified(&meta)),
        Read::Object(object) => {
            Ok(respond::object_body(&object.head, object.body, &request.overrides, request.checksum_mode))
        }
    }
}

pub async fn head(call: &Call<'_>, request: &ReadObject) -> Result<Response<Body>> {
    only_null_version(request.version_id.as_deref())?;
    let route = call.route(&request.address.bucket)?;
    let answer = route.head(&request.address.key, &read(request)?).await;
    match answer.map_err(|error| refused(request, error))? {
        Read::NotModified(meta) => Ok(respond::not_modified(&meta)),
        Read::Object(head) => Ok(respond::object_head(&head, &request.overrides, request.checksum_mode)),
    }
}

fn read(request: &ReadObject) -> Result<ReadRequest> {
    let selection = match (request.range, request.part_number) {
        (None, None) => Selection::All,
        (Some(range), None) => Selection::Range(range),
        (None, Some(part)) => Selection::Part(part.get().into()),
        (Some(_), Some(_)) => {
            let message = "Cannot specify both Range header and partNumber query parameter";
            return Err(S3Error::new(S3Code::InvalidRequest, message));
        }
    };
    Ok(ReadRequest { selection, condition: request.condition.clone() })
}

/// Where the object does not have what was asked of it, the answer tells what it has.
fn refused(request: &ReadObject, error: Error) -> S3Error {
    let Some(nothing) = OutOfRange::of(&error) else { return read_error(error) };
    match (request.part_number, nothing.parts) {
        (Some(part), Some(parts)) => S3Error::from(S3Code::InvalidPartNumber)
            .with("PartNumberRequested", part.to_string())
            .with("ActualPartCount", parts.to_string()),
        _ => {
            let refusal = S3Error::from(S3Code::InvalidRange);
            let refusal = match request.range {
                Some(range) => refusal.with("RangeRequested", range.to_string()),
                None => refusal,
            };
            refusal.with(respond::ACTUAL_SIZE, nothing.size.to_string())
        }
    }
}
