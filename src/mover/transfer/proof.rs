//! Which proof of equality an object offers.

use crate::object::{Algorithm, Checksum, ChecksumKind};
use crate::source::SourceMeta;

/// The checksum over the whole object that costs least to check; `None` if the source keeps none.
pub fn full_object(meta: &SourceMeta) -> Option<Checksum> {
    const CHEAPEST_FIRST: [Algorithm; 5] =
        [Algorithm::Crc64Nvme, Algorithm::Crc32c, Algorithm::Crc32, Algorithm::Sha256, Algorithm::Sha1];
    let whole = |algorithm: &Algorithm| {
        meta.checksums.iter().find(|sum| sum.algorithm == *algorithm && sum.kind == ChecksumKind::FullObject)
    };
    CHEAPEST_FIRST.iter().find_map(whole).cloned()
}

/// The MD5 of the bytes, if the ETag is one: S3 makes it so for objects of one PUT that are not
/// encrypted with a key of KMS or of the owner (S3 API reference, "Object", ETag).
pub fn md5(meta: &SourceMeta) -> Option<[u8; 16]> {
    let own_key = meta.sse_customer || meta.encryption.as_deref().is_some_and(|kind| kind.starts_with("aws:kms"));
    let parts = meta.parts_count.unwrap_or(1) > 1;
    if own_key || parts { None } else { meta.etag.md5() }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::object::{ContentHeaders, ETag, Timestamp, UserMetadata};

    pub fn meta(etag: &str) -> SourceMeta {
        SourceMeta {
            etag: ETag::parse(etag),
            size: 1,
            last_modified: Timestamp(0),
            content: ContentHeaders::default(),
            metadata: UserMetadata::default(),
            metadata_missing: 0,
            checksums: Vec::new(),
            version_id: None,
            tag_count: 0,
            storage_class: None,
            encryption: None,
            sse_customer: false,
            parts_count: None,
            replication_status: None,
            restore: None,
        }
    }

    #[test]
    fn when_an_etag_is_an_md5() {
        let hex = "d41d8cd98f00b204e9800998ecf8427e";
        assert!(md5(&meta(hex)).is_some());
        assert!(md5(&meta(&format!("{hex}-2"))).is_none());
        assert!(md5(&SourceMeta { encryption: Some("AES256".into()), ..meta(hex) }).is_some());
        for kms in ["aws:kms", "aws:kms:dsse"] {
            assert!(md5(&SourceMeta { encryption: Some(kms.into()), ..meta(hex) }).is_none());
        }
        assert!(md5(&SourceMeta { sse_customer: true, ..meta(hex) }).is_none());
    }

    #[test]
    fn composite_checksums_prove_nothing() {
        let sum = |algorithm, value: &[u8]| Checksum::full_object(algorithm, value);
        let crc = sum(Algorithm::Crc32, &[1; 4]);
        let sha = sum(Algorithm::Sha256, &[1; 32]);
        let composite = Checksum::composite(Algorithm::Crc64Nvme, [&sum(Algorithm::Crc64Nvme, &[1; 8])]);
        let with = |checksums| full_object(&SourceMeta { checksums, ..meta("e") });
        assert_eq!(with(vec![sha.clone(), crc.clone(), composite.clone()]), Some(crc));
        assert_eq!(with(vec![sha.clone()]), Some(sha));
        assert_eq!(with(vec![composite]), None);
    }
}
