//! CreateMultipartUpload.

use super::names;
use super::record::Marker;
use crate::bucket::Bucket;
use crate::bucket::codec::{self, Decoded, Place};
use crate::object::multipart::CreateUpload;
use crate::object::{ObjectKey, Result, UploadId};

impl Bucket {
    /// Begins an upload.
    ///
    /// # Errors
    /// `KeyUnmappable`; `MetadataTooLarge` now rather than at Complete; those of the Blob client.
    pub async fn create_upload(&self, key: &ObjectKey, request: &CreateUpload) -> Result<UploadId> {
        self.mappable(key)?;
        self.check_metadata_fits(key, request)?;
        let id = UploadId::generate();
        let marker = Marker::new(key, self.now(), &request.attributes, request.checksum);
        self.state.create(&names::marker(&self.name, key, &id), &marker, marker.listed()).await?;
        self.shared.uploads_seen.note(&id, key);
        Ok(id)
    }

    /// Tries the encoding with the longest fields that Complete may add.
    fn check_metadata_fits(&self, key: &ObjectKey, request: &CreateUpload) -> Result<()> {
        use crate::bucket::WriteId;
        use crate::object::{ETag, Hasher};
        let longest = Decoded {
            write_id: Some(WriteId::generate()),
            replaced: Some(codec::Replaced::Write(WriteId::generate())),
            upload_id: Some(UploadId::generate()),
            etag: Some(ETag::composite([0; 16], 10_000)),
            checksums: request.checksum.map(|declared| Hasher::new(declared.algorithm).finish()).into_iter().collect(),
            ..Default::default()
        };
        let place = Place { container: self.container.as_str(), name: key.as_str(), length: u64::MAX };
        codec::encode(&request.attributes, &longest, place).map(drop)
    }
}
