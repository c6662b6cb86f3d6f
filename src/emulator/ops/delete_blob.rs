//! Delete Blob.

use crate::emulator::answer::Answer;
use crate::emulator::call::Call;
use crate::emulator::condition::Conditions;
use crate::emulator::error::{Outcome, ServiceError};
use crate::emulator::events::CommitKind;
use crate::emulator::tree;

pub fn delete_blob(call: &Call<'_>) -> Outcome<Answer> {
    let conditions = Conditions::of_request(call.headers)?;
    let container = call.open_container()?;
    let mut state = container.open()?;
    let full = tree::is_full_directory(&state, &call.name);
    let entry = state.entry(&call.name, call.now).ok_or_else(ServiceError::blob_not_found)?;
    call.check_lease(Some(entry))?;
    // A name with nothing but uncommitted blocks loses them, and that is a success.
    let committed = entry.committed.as_deref();
    if committed.is_some() {
        conditions.check_write(committed, false, false)?;
        if full {
            return Err(ServiceError::directory_is_not_empty());
        }
        call.record(CommitKind::Delete, None);
    }
    state.blobs.remove(&call.name);
    Ok(Answer::new(202).with("x-ms-delete-type-permanent", "true"))
}
