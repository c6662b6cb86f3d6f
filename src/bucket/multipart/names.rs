//! Names in the state container (`docs/formats.md`): no `/`, and never the key itself.

use crate::object::multipart::PART_NUMBER_MAX;
use crate::object::{BucketName, ObjectKey, UploadId, checksum, text};

/// What all markers begin with.
pub const ALL_MARKERS: &str = "upload!";
/// What all parts begin with.
pub const ALL_PARTS: &str = "part!";

/// The marker of an upload.
pub fn marker(bucket: &BucketName, key: &ObjectKey, id: &UploadId) -> String {
    format!("upload!{bucket}!{}!{id}", text::hex(&checksum::sha256(key.as_str().as_bytes())))
}

/// What the markers of a bucket begin with.
pub fn markers(bucket: &BucketName) -> String {
    format!("upload!{bucket}!")
}

/// The upload that a marker's name belongs to.
pub fn marker_id(name: &str) -> Option<UploadId> {
    UploadId::parse(name.rsplit('!').next()?)
}

/// A part.
pub fn part(id: &UploadId, number: u16) -> String {
    format!("part!{id}!{number:05}")
}

/// All parts put together by a try (its nonce in hex), where that cannot be done on the key. It counts as
/// part 0, which no client can name, so it goes with the parts.
pub fn whole(id: &UploadId, nonce: &str) -> String {
    format!("{}!{nonce}", part(id, 0))
}

/// What the parts of an upload begin with.
pub fn parts(id: &UploadId) -> String {
    format!("part!{id}!")
}

/// The upload and number that a part's name belongs to; 0 for what [`whole`] names.
pub fn part_of(name: &str) -> Option<(UploadId, u16)> {
    let (id, number) = name.strip_prefix(ALL_PARTS)?.split_once('!')?;
    let (number, nonce) = number.split_once('!').map_or((number, None), |(number, nonce)| (number, Some(nonce)));
    let number = number.parse().ok().filter(|number| *number <= PART_NUMBER_MAX)?;
    if (number == 0) != nonce.is_some() {
        return None;
    }
    Some((UploadId::parse(id)?, number))
}

/// The result of a completed upload.
pub fn done(bucket: &BucketName, id: &UploadId) -> String {
    format!("done!{bucket}!{id}")
}

/// What the results of a bucket begin with.
pub fn all_done(bucket: &BucketName) -> String {
    format!("done!{bucket}!")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden() {
        let bucket = BucketName::new("local-rocksdb-test").unwrap();
        let key = ObjectKey::new("a/b").unwrap();
        let id = UploadId::parse("b1AAAAAAAAAAAAAAAAAAAAAAAA").unwrap();
        assert_eq!(
            marker(&bucket, &key, &id),
            "upload!local-rocksdb-test!c14cddc033f64b9dea80ea675cf280a015e672516090a5626781153dc68fea11!b1AAAAAAAAAAAAAAAAAAAAAAAA"
        );
        assert_eq!(part(&id, 7), "part!b1AAAAAAAAAAAAAAAAAAAAAAAA!00007");
        assert_eq!(part_of(&part(&id, 10_000)), Some((id.clone(), 10_000)));
        assert_eq!(marker_id(&marker(&bucket, &key, &id)), Some(id.clone()));
        assert_eq!(done(&bucket, &id), "done!local-rocksdb-test!b1AAAAAAAAAAAAAAAAAAAAAAAA");
        for none in ["10001", "00000", "00001!0101010101010101"] {
            assert_eq!(part_of(&format!("part!{id}!{none}")), None);
        }
        assert_eq!(whole(&id, "0101010101010101"), format!("part!{id}!00000!0101010101010101"));
        assert_eq!(part_of(&whole(&id, "0101010101010101")), Some((id.clone(), 0)));
    }
}
