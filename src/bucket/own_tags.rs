//! Tags of the bucket itself, in the metadata of its container.

use super::{Bucket, codec};
use crate::blob::MetadataPairs;
use crate::object::{Error, ErrorKind, Result, Tags};

impl Bucket {
    /// Makes the container, with the bucket's tags.
    ///
    /// # Errors
    /// `ContainerExists`, `ContainerBeingDeleted`, `MetadataTooLarge`, and those of the Blob client.
    pub async fn create(&self, tags: &Tags) -> Result<()> {
        let metadata = with_tags(MetadataPairs::new(), tags)?;
        self.blobs.create_container_with(&self.container, &metadata).await
    }

    /// # Errors
    /// `ContainerMissing`, `Corrupt` for tags that nobody of ours has written, and those of the Blob client.
    pub async fn own_tags(&self) -> Result<Tags> {
        let metadata = self.blobs.container_metadata(&self.container).await?;
        match metadata.iter().find(|(name, _)| name == codec::RESERVED) {
            None => Ok(Tags::default()),
            Some((_, value)) => codec::decode_bucket(value)
                .ok_or_else(|| Error::new(ErrorKind::Corrupt, "the metadata of the container is of another version")),
        }
    }

    /// Replaces the tags and keeps the container's other metadata. Of several writers the last one wins, as
    /// in S3; Blob Storage knows no condition by which one could see the other.
    ///
    /// # Errors
    /// `ContainerMissing`, `MetadataTooLarge`, and those of the Blob client.
    pub async fn put_own_tags(&self, tags: &Tags) -> Result<()> {
        let metadata = self.blobs.container_metadata(&self.container).await?;
        self.blobs.set_container_metadata(&self.container, &with_tags(metadata, tags)?).await
    }
}

fn with_tags(mut metadata: MetadataPairs, tags: &Tags) -> Result<MetadataPairs> {
    metadata.retain(|(name, _)| name != codec::RESERVED);
    if !tags.is_empty() {
        metadata.push((codec::RESERVED.into(), codec::encode_bucket(tags)));
    }
    codec::fits(&metadata)?;
    Ok(metadata)
}
