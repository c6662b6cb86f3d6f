//! Multipart uploads: every part a committed blob of its own in the state container.
//!
//! So the service computes each part's MD5, uploading a part again is an atomic overwrite, nothing
//! expires, any replica serves any request, and blocks of two uploads never meet. Complete stages the
//! parts onto the key within the service and commits once; `docs/multipart.md` has its state table.

mod abort;
mod complete;
mod compose;
mod copy_part;
mod create;
mod list_parts;
mod list_uploads;
pub mod names;
pub mod record;
mod seen;
pub(super) mod stage;
mod sweep;
mod upload_part;
pub mod verdict;
mod whole;

use super::Bucket;
use crate::object::{Error, ErrorKind, ObjectKey, Result, UploadId};
use crate::state::Version;
use record::Marker;

pub use seen::SeenUploads;
pub use sweep::Swept;

impl Bucket {
    /// The marker of an upload.
    ///
    /// # Errors
    /// `NoSuchUpload` if there is none.
    async fn marker(&self, key: &ObjectKey, id: &UploadId) -> Result<(Marker, Version)> {
        match self.state.read(&names::marker(&self.name, key, id)).await? {
            Some(found) => Ok(found),
            None => {
                self.shared.uploads_seen.forget(id);
                Err(no_such_upload(id))
            }
        }
    }

    /// Makes sure that an upload is there, by a look that is at most seconds old.
    async fn require_upload(&self, key: &ObjectKey, id: &UploadId) -> Result<()> {
        if self.shared.uploads_seen.recently(id, key) {
            return Ok(());
        }
        self.marker(key, id).await?;
        self.shared.uploads_seen.note(id, key);
        Ok(())
    }
}

fn no_such_upload(id: &UploadId) -> Error {
    Error::new(ErrorKind::NoSuchUpload, format!("there is no upload {id}"))
}
