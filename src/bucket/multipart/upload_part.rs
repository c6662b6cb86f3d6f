//! UploadPart: one Put Blob into the state container.

use super::names;
use crate::blob::BlobCondition;
use crate::bucket::Bucket;
use crate::bucket::codec::{self, Decoded, Place, WriteId};
use crate::bucket::put::{Landed, Write, write_blob};
use crate::object::multipart::UploadPart;
use crate::object::{Attributes, Checksum, ErrorKind, ObjectKey, Result, Stored, UploadId};

impl Bucket {
    /// Stores a part; a part of the same number is replaced.
    ///
    /// # Errors
    /// `NoSuchUpload`, whatever the payload's stream ends in, and those of the Blob client.
    pub async fn upload_part(&self, key: &ObjectKey, id: &UploadId, request: UploadPart) -> Result<Stored> {
        self.require_upload(key, id).await?;
        let UploadPart { number, payload, content_md5, mut checksums, late_checksums } = request;
        let name = names::part(id, number);
        let length = payload.length;
        let place = Place { container: self.state.container().as_str(), name: &name, length };
        let own = Decoded { write_id: Some(WriteId::generate()), checksums: checksums.clone(), ..Default::default() };
        let attributes = Attributes::default();
        let write = Write { attributes: &attributes, own: own.clone(), content_md5, condition: BlobCondition::None };
        let landed = write_blob(&self.blobs, self.state.blob(&name), place, payload, write).await?;
        let late = late_checksums.map(|late| late()).unwrap_or_default();
        if !late.is_empty() {
            self.record_late(place, own, &landed, &late).await?;
            checksums.extend(late);
        }
        Ok(landed.stored(length, checksums))
    }

    /// Adds checksums that came behind the body. If the part was uploaded again meanwhile, it is that
    /// one's business.
    async fn record_late(&self, place: Place<'_>, own: Decoded, landed: &Landed, late: &[Checksum]) -> Result<()> {
        let own = Decoded { checksums: late.to_vec(), ..own };
        let metadata = codec::encode(&Attributes::default(), &own, place)?;
        let condition = BlobCondition::Match(landed.store_tag.clone());
        match self.blobs.set_metadata(self.state.blob(place.name), &metadata, &condition).await {
            Err(error) if error.kind() != ErrorKind::PreconditionFailed => Err(error),
            _ => Ok(()),
        }
    }
}
