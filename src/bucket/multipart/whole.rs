//! What the parts that a client names make together, and what is wrong with its list.

use crate::blob::put_block_list::BLOCKS_MAX;
use crate::object::checksum::{Checksum, RunningMd5};
use crate::object::multipart::{CompleteUpload, CompletedPart, PART_BYTES_MIN};
use crate::object::{DeclaredChecksum, ETag, Error, ErrorKind, Result, StoreTag, Timestamp};

/// A part as it lies in the state container.
pub(super) struct StoredPart {
    pub number: u16,
    pub name: String,
    pub store_tag: StoreTag,
    pub size: u64,
    pub etag: ETag,
    pub last_modified: Timestamp,
    pub checksums: Vec<Checksum>,
}

/// What the named parts make together.
pub(super) struct Whole {
    pub size: u64,
    pub etag: ETag,
    pub checksums: Vec<Checksum>,
}

/// Makes sure that the list is in the order of the numbers, whatever has become of the upload.
pub(super) fn in_order(named: &[CompletedPart]) -> Result<()> {
    if named.is_sorted_by(|one, next| one.number < next.number) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::InvalidPartOrder, "the parts are not in ascending order"))
}

/// Whether an object of this ETag is made of the parts that the client names. A repeated Complete is
/// answered by this: the parts themselves are gone.
pub(super) fn is_made_of(etag: &ETag, named: &[CompletedPart]) -> bool {
    *etag == composite_etag(named.iter().map(|part| &part.etag))
}

/// The stored parts that the client names, in its order, which is that of the numbers.
pub(super) fn choose<'a>(stored: &'a [StoredPart], named: &[CompletedPart]) -> Result<Vec<&'a StoredPart>> {
    let mut chosen: Vec<&StoredPart> = Vec::with_capacity(named.len());
    for part in named {
        let found = stored.binary_search_by_key(&part.number, |stored| stored.number);
        let found = found.ok().map(|index| &stored[index]).filter(|stored| stored.etag == part.etag);
        let found = found.ok_or_else(|| invalid_part(part.number))?;
        let agrees = |claimed: &Checksum| {
            let known = found.checksums.iter().find(|known| known.algorithm == claimed.algorithm);
            known.is_none_or(|known| known == claimed)
        };
        if !part.checksums.iter().all(agrees) {
            return Err(invalid_part(part.number));
        }
        chosen.push(found);
    }
    let all_but_last = chosen.split_last().map_or(&[][..], |(_, rest)| rest);
    if let Some(small) = all_but_last.iter().find(|part| part.size < PART_BYTES_MIN) {
        return Err(Error::new(ErrorKind::PartTooSmall, format!("part {} is smaller than 5 MiB", small.number)));
    }
    Ok(chosen)
}

fn invalid_part(number: u16) -> Error {
    Error::new(ErrorKind::InvalidPart, format!("part {number} was not uploaded, or has another ETag"))
}

/// Size, ETag and checksum of the parts together, checked against what the client says of them.
pub(super) fn assemble(
    parts: &[&StoredPart],
    request: &CompleteUpload,
    declared: Option<DeclaredChecksum>,
) -> Result<Whole> {
    let size = parts.iter().map(|part| part.size).sum();
    if request.size.is_some_and(|claimed| claimed != size) {
        return Err(Error::new(ErrorKind::Invalid, format!("the parts have {size} bytes, not the size announced")));
    }
    if parts.len() > BLOCKS_MAX {
        return Err(Error::new(ErrorKind::TooLarge, "too many parts"));
    }
    let checksums: Vec<_> = declared.and_then(|declared| whole_checksum(parts, declared)).into_iter().collect();
    for claimed in &request.checksums {
        if checksums.iter().any(|known| known.algorithm == claimed.algorithm && known.value() != claimed.value()) {
            return Err(Error::new(ErrorKind::ChecksumMismatch, "the object does not have the announced checksum"));
        }
    }
    Ok(Whole { size, etag: composite_etag(parts.iter().map(|part| &part.etag)), checksums })
}

/// `md5(md5s)-N` as S3 makes it; a part whose ETag is no MD5 counts with the MD5 of its ETag.
fn composite_etag<'a>(etags: impl ExactSizeIterator<Item = &'a ETag>) -> ETag {
    let (mut md5, count) = (RunningMd5::default(), etags.len());
    for etag in etags {
        md5.update(&etag.md5().unwrap_or_else(|| crate::object::checksum::md5(etag.as_str().as_bytes())));
    }
    ETag::composite(md5.finish(), count)
}

/// The checksum of the whole, if every part has one of the kind the upload was begun with.
fn whole_checksum(parts: &[&StoredPart], declared: DeclaredChecksum) -> Option<Checksum> {
    let of_part =
        |part: &&StoredPart| part.checksums.iter().find(|checksum| checksum.algorithm == declared.algorithm).cloned();
    let checksums: Vec<_> = parts.iter().map(of_part).collect::<Option<_>>()?;
    if !declared.full_object {
        return Some(Checksum::composite(declared.algorithm, &checksums));
    }
    let pieces = checksums.iter().zip(parts).map(|(checksum, part)| (checksum, part.size));
    Checksum::combine(declared.algorithm, pieces)
}
