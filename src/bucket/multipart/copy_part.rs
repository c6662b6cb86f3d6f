//! UploadPartCopy: a part made of an object, or a range of one, within the service.

use super::{names, stage};
use crate::blob::put_block_list::PutBlockList;
use crate::bucket::Bucket;
use crate::bucket::codec::{self, Decoded, Place, WriteId};
use crate::object::multipart::CopyPart;
use crate::object::{Attributes, ETag, Error, ErrorKind, ObjectKey, Result, Span, Stored, UploadId, checksum, text};

/// Rounds of a copy whose source changes while it is staged.
const ROUNDS_MAX: u32 = 8;

impl Bucket {
    /// Stores a part copied from `from`.
    ///
    /// Its ETag is the source's MD5 where the whole source is copied and has one. The service tells no
    /// MD5 of a range, so that part's ETag is made of the staged blocks' CRCs; it is compared at
    /// Complete like any other.
    ///
    /// # Errors
    /// `NoSuchUpload`, `NotFound` and `PreconditionFailed` of the source, `RangeUnsatisfiable`, and those
    /// of the Blob client.
    pub async fn copy_part(&self, key: &ObjectKey, id: &UploadId, from: &Bucket, request: &CopyPart) -> Result<Stored> {
        self.require_upload(key, id).await?;
        for _ in 0..ROUNDS_MAX {
            match self.copy_part_once(id, from, request).await {
                Err(error) if error.kind() == ErrorKind::SourcePreconditionFailed => {}
                other => return other,
            }
        }
        Err(Error::new(ErrorKind::Conflict, "the source of the copy is being changed by others"))
    }

    async fn copy_part_once(&self, id: &UploadId, from: &Bucket, request: &CopyPart) -> Result<Stored> {
        let source = from.source(&request.source, &request.source_condition).await?;
        let size = source.meta.size;
        let span = request.span.unwrap_or(Span { start: 0, end: size });
        if span.end > size {
            return Err(Error::new(ErrorKind::RangeUnsatisfiable, "the range exceeds the source of the copy"));
        }
        let name = names::part(id, request.number);
        let blob = self.state.blob(&name);
        let source_blob = from.blob(&request.source);
        let pieces = stage::pieces(request.number, source_blob, &source.store_tag, span.start, span.length());
        let staged = stage::stage_with_crcs(self, blob, stage::nonce(), &pieces).await?;
        let whole_md5 = source.content_md5.filter(|_| span.length() == size);
        let etag = whole_md5.map_or_else(|| etag_of_crcs(&staged, span), ETag::from_md5);
        let own = Decoded {
            write_id: Some(WriteId::generate()),
            etag: Some(etag.clone()),
            checksums: if span.length() == size { full_object(&source.meta.checksums) } else { Vec::new() },
            ..Default::default()
        };
        let place = Place { container: self.state.container().as_str(), name: &name, length: span.length() };
        let commit = PutBlockList {
            blocks: staged.iter().map(|(id, _)| *id).collect(),
            blob_md5: whole_md5,
            metadata: codec::encode(&Attributes::default(), &own, place)?,
            ..Default::default()
        };
        let written = self.blobs.put_block_list(blob, &commit).await?;
        Ok(Stored { etag, last_modified: written.last_modified, checksums: own.checksums, size: span.length() })
    }
}

/// A composite checksum says nothing of the bytes as one part.
fn full_object(checksums: &[checksum::Checksum]) -> Vec<checksum::Checksum> {
    checksums.iter().filter(|checksum| checksum.kind == checksum::ChecksumKind::FullObject).cloned().collect()
}

/// Not 32 hex digits, so that nobody takes it for an MD5.
fn etag_of_crcs(staged: &[(crate::blob::BlockId, Option<u64>)], span: Span) -> ETag {
    let mut digest = Vec::with_capacity(staged.len() * 8);
    for (id, crc64) in staged {
        match crc64 {
            Some(crc64) => digest.extend_from_slice(&crc64.to_be_bytes()),
            None => digest.extend_from_slice(&id.0),
        }
    }
    ETag::parse(&format!("{}-{}", text::hex(&checksum::crc64(&digest).to_be_bytes()), span.length()))
}
