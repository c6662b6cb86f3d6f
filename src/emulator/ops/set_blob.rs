//! Set Blob Metadata, Set Blob Properties, Set Blob Tier.

use std::sync::Arc;

use crate::emulator::answer::Answer;
use crate::emulator::call::Call;
use crate::emulator::checksum::Claim;
use crate::emulator::error::{Outcome, ServiceError};
use crate::emulator::events::CommitKind;
use crate::emulator::properties::{Metadata, Properties};

pub fn set_metadata(call: &Call<'_>) -> Outcome<Answer> {
    let metadata = Metadata::of_request(call.headers)?;
    let (etag, modified) = call.modify(CommitKind::SetMetadata, |blob| {
        blob.metadata = metadata;
        Ok(())
    })?;
    Ok(Answer::new(200).version(etag, modified).written())
}

/// Every property that is not sent is cleared, MD5 and type among them, as recorded.
pub fn set_properties(call: &Call<'_>) -> Outcome<Answer> {
    let md5 = Claim::parse(call.header("x-ms-blob-content-md5"), None)?.md5;
    let (etag, modified) = call.modify(CommitKind::SetProperties, |blob| {
        blob.properties = Properties::of_request(call.headers);
        blob.md5 = md5;
        Ok(())
    })?;
    Ok(Answer::new(200).version(etag, modified))
}

/// Moves neither ETag nor Last-Modified.
pub fn set_tier(call: &Call<'_>) -> Outcome<Answer> {
    let tier = call.header("x-ms-access-tier").ok_or_else(|| ServiceError::missing_header("x-ms-access-tier"))?;
    if !matches!(tier, "Hot" | "Cool" | "Cold" | "Archive") {
        return Err(ServiceError::header_value("x-ms-access-tier", tier));
    }
    let container = call.open_container()?;
    let mut state = container.open()?;
    let entry = state.entry(&call.name, call.now).ok_or_else(ServiceError::blob_not_found)?;
    let mut blob = entry.committed.as_deref().cloned().ok_or_else(ServiceError::blob_not_found)?;
    blob.tier = Some((tier.to_owned(), call.now));
    entry.committed = Some(Arc::new(blob));
    Ok(Answer::new(200))
}
