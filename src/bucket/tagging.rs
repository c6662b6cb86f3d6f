//! Tags of an object: read with its metadata, replaced by a conditional Set Metadata.

use super::codec::{self, Decoded};
use super::get::{changed_meanwhile, no_object};
use super::put::replaces;
use super::{Bucket, StoredObject};
use crate::blob::BlobCondition;
use crate::object::{Attributes, Error, ErrorKind, ObjectKey, Result, Tags};

/// Rounds of a tag write against others that change the object's metadata.
const ROUNDS_MAX: u32 = 16;

impl Bucket {
    /// # Errors
    /// `NotFound`, and those of the Blob client.
    pub async fn tags(&self, key: &ObjectKey) -> Result<Tags> {
        Ok(self.look(key).await?.ok_or_else(|| no_object(key))?.meta.tags)
    }

    /// Replaces the tags. ETag and Last-Modified as shown stay what they were, also on a foreign blob,
    /// whose Azure ETag this changes.
    ///
    /// # Errors
    /// `NotFound`, `MetadataTooLarge`, `Conflict`, and those of the Blob client.
    pub async fn put_tags(&self, key: &ObjectKey, tags: &Tags) -> Result<()> {
        for _ in 0..ROUNDS_MAX {
            let object = self.look(key).await?.ok_or_else(|| no_object(key))?;
            let metadata =
                codec::encode(&attributes(&object, tags), &kept(&object), self.place(key, object.meta.size))?;
            let condition = BlobCondition::Match(object.store_tag);
            match self.blobs.set_metadata(self.blob(key), &metadata, &condition).await {
                Err(error) if changed_meanwhile(&error) => {}
                Err(error) => return Err(error),
                Ok(_) => return Ok(()),
            }
        }
        Err(Error::new(ErrorKind::Conflict, format!("the metadata of object {key} is being changed by others")))
    }
}

fn attributes(object: &StoredObject, tags: &Tags) -> Attributes {
    Attributes {
        content: object.meta.content.clone(),
        user: object.meta.user.clone(),
        tags: tags.clone(),
        storage_class: object.meta.storage_class.clone(),
    }
}

/// What a write of metadata alone has to keep. It drops the stamp: a client has written.
fn kept(object: &StoredObject) -> Decoded {
    Decoded {
        write_id: Some(object.write_id.unwrap_or_else(super::WriteId::generate)),
        // The first metadata write of a foreign blob gives it a write id. It is no other object by that:
        // whoever meant to replace the foreign blob has to see that its bytes are still there.
        replaced: match object.write_id {
            Some(_) => object.replaced.clone(),
            None => Some(replaces(object)),
        },
        upload_id: object.upload_id.clone(),
        etag: Some(object.meta.etag.clone()),
        last_modified: Some(object.meta.last_modified),
        checksums: object.meta.checksums.clone(),
        ..Default::default()
    }
}
