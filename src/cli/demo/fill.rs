//! Fills the source of the demo with what the users of the three buckets leave there.

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::{StreamExt, TryStreamExt};

use crate::bucket::Bucket;
use crate::config::Config;
use crate::daemon::AzureAccess;
use crate::object::multipart::{CompleteUpload, CompletedPart, CreateUpload, PART_BYTES_MIN, UploadPart};
use crate::object::{
    Attributes, BucketName, ContentHeaders, Error, ErrorKind, ObjectKey, Payload, PutRequest, Result, Tags,
    WriteCondition,
};

/// The objects that the source is filled with.
pub struct Contents(Vec<Item>);

/// Objects being written at one time.
const PARALLEL: usize = 32;
/// Parts of multipart objects in bytes, but for the last.
const PART_BYTES: u64 = 8 << 20;
/// Objects of a kind that are large, however many there are of it: the demo is to stay short.
const LARGE_MAX: u64 = 20;

/// An object to be made.
struct Item {
    bucket: &'static str,
    key: String,
    bytes: u64,
    content_type: &'static str,
    multipart: bool,
    tags: &'static str,
}

impl Contents {
    /// About `count` objects, the largest of `largest` bytes: a third each of Flink's checkpoints, an Iceberg
    /// table and WarpStream's files.
    pub fn new(count: u64, largest: u64) -> Self {
        let mut items = Vec::new();
        let each = count / 3;
        flink(&mut items, each, largest);
        iceberg(&mut items, each, largest);
        warpstream(&mut items, each, largest);
        Self(items)
    }

    pub fn objects(&self) -> u64 {
        self.0.len() as u64
    }

    pub fn bytes(&self) -> u64 {
        self.0.iter().map(|item| item.bytes).sum()
    }

    /// How many of the objects are made by multipart upload.
    pub fn multipart(&self) -> usize {
        self.0.iter().filter(|item| item.multipart).count()
    }

    /// Writes all objects into the buckets of `config`, whose bytes `seed` decides.
    pub async fn write(&self, config: &Config, azure: &AzureAccess, seed: u64) -> Result<()> {
        let blobs = azure.client();
        let shared = azure.shared();
        let buckets: Vec<_> = config
            .buckets
            .iter()
            .map(|bucket| {
                let state = azure.state(&blobs);
                Bucket::new(bucket.name.clone(), bucket.container.clone(), blobs.clone(), state, shared.clone())
            })
            .collect();
        let random = random_bytes(seed, 4 << 20);
        let write = |(index, item)| -> BoxFuture<'_, Result<()>> {
            let (bucket, random) = (find(&buckets, item), random.clone());
            Box::pin(async move { put(bucket?, item, &random, index).await })
        };
        futures::stream::iter(self.0.iter().enumerate().map(write)).buffer_unordered(PARALLEL).try_collect().await
    }
}

fn find<'a>(buckets: &'a [Bucket], item: &Item) -> Result<&'a Bucket> {
    let name = BucketName::new(item.bucket).ok();
    buckets
        .iter()
        .find(|bucket| Some(bucket.name()) == name.as_ref())
        .ok_or_else(|| Error::new(ErrorKind::Unexpected, "the demo has no such bucket"))
}

const SHARED: &str = "flink-session-mode/checkpoints/1f0b6d2e/shared";

fn flink(items: &mut Vec<Item>, count: u64, largest: u64) {
    let mut add = |key: String, bytes| {
        items.push(Item {
            bucket: "local-rocksdb-test",
            key,
            bytes,
            content_type: "application/octet-stream",
            multipart: bytes > 2 * PART_BYTES,
            tags: "",
        });
    };
    add("flink-session-mode/checkpoints/".into(), 0);
    add("flink-session-mode/ha/default/submittedJobGraph3f9c2a".into(), 18_304);
    add("flink-session-mode/completed-jobs/1f0b6d2e.json".into(), 4_096);
    add("flink-session-mode/savepoints/savepoint-1f0b6d-90aa/_metadata".into(), 61_440);
    add("flink-session-mode/savepoints/savepoint-1f0b6d-90aa/state-0".into(), largest);
    for number in 0..count.saturating_sub(5) {
        let checkpoint = number / 20;
        let directory = format!("flink-session-mode/checkpoints/1f0b6d2e/chk-{checkpoint}");
        match number % 20 {
            0 => add(format!("{directory}/_metadata"), 24_576 + number),
            1 if checkpoint < LARGE_MAX => add(format!("{SHARED}/sst-{number:06}"), largest / 8 / (1 + checkpoint)),
            1 => add(format!("{SHARED}/sst-{number:06}"), 262_144),
            _ => add(format!("{directory}/op-{number:06}"), (number * 977) % 65_536),
        }
    }
}

fn iceberg(items: &mut Vec<Item>, count: u64, largest: u64) {
    let mut add = |key: String, bytes, content_type, tags| {
        items.push(Item {
            bucket: "local-iceberg-test",
            key,
            bytes,
            content_type,
            multipart: bytes > 2 * PART_BYTES,
            tags,
        });
    };
    add("warehouse/events/metadata/v1.metadata.json".into(), 3_210, "application/json", "TrinoCreationId=demo");
    for number in 0..count.saturating_sub(1) {
        match number % 10 {
            0 => add(
                format!("warehouse/events/metadata/snap-{number:06}-1-a.avro"),
                4_300,
                "application/octet-stream",
                "",
            ),
            1 => add(format!("warehouse/events/metadata/{number:06}-m0.avro"), 7_120, "application/octet-stream", ""),
            _ => {
                let day = number % 28 + 1;
                let bytes = if number % 100 == 5 && number / 100 < LARGE_MAX {
                    largest / 16
                } else {
                    4_096 + (number * 7_919) % 200_000
                };
                add(
                    format!("warehouse/events/data/day=2026-11-{day:02}/part {number:05} ü.parquet"),
                    bytes,
                    "application/vnd.apache.parquet",
                    "",
                );
            }
        }
    }
}

fn warpstream(items: &mut Vec<Item>, count: u64, largest: u64) {
    for number in 0..count {
        let bytes =
            if number % 50 == 7 && number / 50 < LARGE_MAX { largest / 32 } else { (number * 48_271) % 131_072 };
        items.push(Item {
            bucket: "local-warpstream-test",
            key: format!("warpstream/cluster_1/data_files/{:02x}/{number:010}", number * 37 % 256),
            bytes,
            content_type: "application/octet-stream",
            multipart: false,
            tags: "",
        });
    }
}

async fn put(bucket: &Bucket, item: &Item, random: &Bytes, index: usize) -> Result<()> {
    let key = ObjectKey::new(item.key.as_str()).map_err(|error| Error::new(ErrorKind::Invalid, error.to_string()))?;
    let attributes = Attributes {
        content: ContentHeaders { content_type: Some(item.content_type.to_owned()), ..Default::default() },
        user: [("written-by", "demo"), ("number", &index.to_string())].into_iter().collect(),
        tags: Tags::parse_query(item.tags).unwrap_or_default(),
        storage_class: None,
    };
    if item.multipart {
        return upload(bucket, &key, attributes, item.bytes, random, index).await;
    }
    let request = PutRequest {
        payload: payload(random, index as u64, item.bytes),
        attributes,
        content_md5: None,
        checksums: Vec::new(),
        condition: WriteCondition::None,
    };
    bucket.put(&key, request).await.map(drop)
}

async fn upload(
    bucket: &Bucket,
    key: &ObjectKey,
    attributes: Attributes,
    bytes: u64,
    random: &Bytes,
    index: usize,
) -> Result<()> {
    let id = bucket.create_upload(key, &CreateUpload { attributes, checksum: None }).await?;
    let mut parts = Vec::new();
    let part_bytes = PART_BYTES.max(PART_BYTES_MIN);
    let mut written = 0;
    while written < bytes {
        let number = parts.len() as u16 + 1;
        let length = part_bytes.min(bytes - written);
        let part = UploadPart {
            number,
            payload: payload(random, index as u64 * 31 + u64::from(number), length),
            content_md5: None,
            checksums: Vec::new(),
            late_checksums: None,
        };
        let stored = bucket.upload_part(key, &id, part).await?;
        parts.push(CompletedPart { number, etag: stored.etag, checksums: Vec::new() });
        written += length;
    }
    bucket.complete_upload(key, &id, &CompleteUpload { parts, ..Default::default() }).await.map(drop)
}

/// `bytes` bytes from somewhere in the random ones: cheap, and different from object to object.
fn payload(random: &Bytes, number: u64, bytes: u64) -> Payload {
    let mut frames = Vec::new();
    let mut at = (number.wrapping_mul(0x9E37_79B9) % (random.len() as u64 / 2)) as usize;
    let mut left = bytes;
    while left > 0 {
        let length = (random.len() - at).min(usize::try_from(left).unwrap_or(usize::MAX));
        frames.push(Ok(random.slice(at..at + length)));
        left -= length as u64;
        at = 0;
    }
    match frames.len() {
        0 | 1 => Payload::from(frames.pop().and_then(Result::ok).unwrap_or_default()),
        _ => Payload::stream(bytes, Box::pin(futures::stream::iter(frames))),
    }
}

fn random_bytes(seed: u64, length: usize) -> Bytes {
    let mut generator = fastrand::Rng::with_seed(seed);
    let mut bytes = vec![0; length];
    generator.fill(&mut bytes);
    Bytes::from(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_objects_do_not_grow_in_number() {
        let largest = 1 << 30;
        for count in [30, 3_000, 20_000, 300_000] {
            let contents = Contents::new(count, largest);
            assert!(contents.objects().abs_diff(count) <= 5, "{count}: {}", contents.objects());
            assert_eq!(contents.0.iter().map(|item| item.bytes).max(), Some(largest));
            let large: Vec<_> = contents.0.iter().map(|item| item.bytes).filter(|&bytes| bytes > 300_000).collect();
            assert!(large.len() <= 61, "{count}: {}", large.len());
            assert!(large.iter().filter(|&&bytes| bytes > largest / 8).count() == 1, "{count}");
        }
    }
}
