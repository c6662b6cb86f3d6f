//! The source of a copy: found, authenticated, judged, read.

use std::ops::Range;
use std::sync::Arc;

use super::get_blob::requested_range;
use crate::emulator::auth::authorize_source;
use crate::emulator::call::Call;
use crate::emulator::checksum::{Summer, Sums};
use crate::emulator::condition::{Conditions, Verdict};
use crate::emulator::content::Content;
use crate::emulator::error::{Outcome, ServiceError};
use crate::emulator::faults::Fault;
use crate::emulator::operation::Operation;
use crate::emulator::store::{Blob, Container};
use crate::emulator::target::parse_url;
use http::header::HeaderName;

/// 2 KiB.
const SOURCE_URL_MAX: usize = 2048;

/// Finds the blob that `x-ms-copy-source` names in one of the emulator's accounts.
///
/// # Errors
/// `CannotVerifyCopySource` with the source's own status and code, `SourceConditionNotMet`.
pub fn open(call: &Call<'_>) -> Outcome<Arc<Blob>> {
    let url = call.header("x-ms-copy-source").ok_or_else(|| ServiceError::missing_header("x-ms-copy-source"))?;
    if url.len() > SOURCE_URL_MAX {
        return Err(ServiceError::header_value("x-ms-copy-source", url));
    }
    if call.faults.contains(&Fault::RefuseCopySource) {
        let message = "Could not verify the copy source within the specified time.";
        return Err(refused(call, 401, ServiceError::new(401, "CannotVerifyCopySource", message)));
    }
    let (target, query) = parse_url(url)?;
    let missing = || refused(call, 404, ServiceError::blob_not_found());
    let account = call.emulator.account(&target.account).ok_or_else(missing)?;
    // Copy Blob within an account is covered by the request's own credentials, the others are not.
    let covered = call.operation == Operation::CopyBlob && account.config.name == call.account.config.name;
    if !(covered && query.get("sig").is_none()) {
        let bearer = call.header("x-ms-copy-source-authorization");
        authorize_source(account, &target, &query, bearer, call.now)
            .map_err(|error| refused(call, error.status.as_u16(), error))?;
    }
    let (Some(container), Some(name)) = (target.container, target.blob) else { return Err(missing()) };
    let container = account.container(&container).map_err(|error| refused(call, 404, error))?;
    let blob = {
        let mut state = container.open()?;
        state
            .entry(&account.blob_name(&name), call.now)
            .and_then(|entry| entry.committed.clone())
            .ok_or_else(missing)?
    };
    check_conditions(call, &blob)?;
    Ok(blob)
}

fn check_conditions(call: &Call<'_>, blob: &Blob) -> Outcome<()> {
    match Conditions::of_source(call.headers)?.verdict(blob) {
        Verdict::Met => Ok(()),
        Verdict::OtherTag => Err(ServiceError::source_condition_not_met()),
        Verdict::Changed => Err(refused(call, 412, ServiceError::condition_not_met())),
        Verdict::SameTag | Verdict::Unchanged => Err(refused(call, 304, ServiceError::condition_not_met())),
    }
}

/// Words a failure at the source.
fn refused(call: &Call<'_>, status: u16, cause: ServiceError) -> ServiceError {
    if call.operation == Operation::CopyBlob {
        return ServiceError { status: http::StatusCode::from_u16(status).unwrap_or(cause.status), ..cause };
    }
    let error = ServiceError::new(status, "CannotVerifyCopySource", cause.message.clone());
    if !call.version_at_least("2025-11-05") {
        return error;
    }
    let status = status.to_string();
    error
        .header(HeaderName::from_static("x-ms-copy-source-status-code"), &status)
        .header(HeaderName::from_static("x-ms-copy-source-error-code"), cause.code)
        .detail("CopySourceStatusCode", status)
        .detail("CopySourceErrorCode", cause.code)
        .detail("CopySourceErrorMessage", cause.message)
}

/// `x-ms-source-range`, or all of it.
pub fn range(call: &Call<'_>, length: u64) -> Outcome<Range<u64>> {
    match requested_range(call, ["x-ms-source-range", "x-ms-source-range"])? {
        None => Ok(0..length),
        Some(wanted) => wanted.within(length),
    }
}

/// The content that a copy of a range of `source` has here, and its checksums. What is known of the
/// source's bytes holds for a whole copy, even where the bytes themselves are not kept.
pub async fn take(
    call: &Call<'_>,
    container: &Container,
    source: &Blob,
    range: Range<u64>,
    md5_needed: bool,
) -> (Content, Sums) {
    let length = range.end - range.start;
    let whole = length == source.content.length();
    let md5_wanted = md5_needed || call.operation != Operation::PutBlockFromUrl;
    let pieces = source.content.slice(range);
    let known = (source.crc64.filter(|_| whole), source.md5.filter(|_| whole));
    let sums = match known {
        (Some(crc64), Some(md5)) => Sums { length, crc64, md5: Some(md5) },
        (Some(crc64), None) if !md5_wanted => Sums { length, crc64, md5: None },
        _ => {
            let mut summer = if md5_wanted {
                Summer::new(call.account.config.content_md5, md5_needed, length)
            } else {
                Summer::without_md5()
            };
            for (index, piece) in pieces.iter().enumerate() {
                summer.update(piece);
                // A long copy must not hold up other requests of this thread.
                if index % 64 == 63 {
                    tokio::task::yield_now().await;
                }
            }
            summer.finish(&call.account.known_md5)
        }
    };
    (container.content(call.account, &call.name, pieces, length), sums)
}
