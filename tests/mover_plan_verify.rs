//! What a backfill would meet, and how both sides compare after it.

#[path = "harness/harness.rs"]
mod harness;
#[path = "mover_world/world.rs"]
mod world;

use bluebucket::mover::plan::{self, PlanSettings};
use bluebucket::mover::verify::{self, Difference, Verification, VerifyMode, VerifySettings};
use bluebucket::object::{Attributes, ObjectKey, Payload, PutRequest, WriteCondition};
use harness::hash::Algorithm;
use harness::s3_source::Object;
use world::{BUCKET, World};

fn put(bytes: &'static [u8]) -> PutRequest {
    PutRequest {
        payload: Payload::from(bytes::Bytes::from_static(bytes)),
        attributes: Attributes::default(),
        content_md5: None,
        checksums: Vec::new(),
        condition: WriteCondition::default(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_says_what_a_backfill_meets() {
    let world = World::new().await;
    let source = &world.source;
    for index in 0..3500_u32 {
        source.put(BUCKET, &format!("data/{index:06}"), vec![b'x'; (index % 5) as usize]);
    }
    for key in ["file", "file-2", "file/below", "file/below/more", "file/other"] {
        source.put(BUCKET, key, b"x".to_vec());
    }
    source.put(BUCKET, "a/../b", b"x".to_vec());
    source.put(BUCKET, "cold", Object::bytes(b"cold".to_vec()).archived("DEEP_ARCHIVE"));
    source.put(BUCKET, "large", Object::synthetic(1, 40 << 20).multipart(8 << 20));
    source.put(BUCKET, "sum", Object::bytes(b"x".to_vec()).checksum(Algorithm::Crc32));
    world.bucket().put(&ObjectKey::new("only-blob").unwrap(), put(b"new")).await.unwrap();
    let plan = plan::run(PlanSettings { ranges: 4, samples: 40, ..PlanSettings::default() }, world.factory());
    let plan = plan.await.unwrap();
    println!("{plan}");
    let total = &plan.total;
    assert_eq!((total.objects, total.to_copy, total.large), (3509, 3507, 1));
    assert_eq!((total.archived, total.multipart, total.with_checksum, total.extra), (1, 1, 1, 1));
    assert_eq!(total.unmappable.get("dot_segment"), Some(&1));
    assert_eq!((total.collisions, total.largest_bytes), (2, 40 << 20), "{:?}", total.collision_examples);
    assert_eq!(total.histogram.iter().sum::<u64>(), 3509);
    assert_eq!(total.histogram[0], 700);
    assert!(total.sampled.objects >= 10 && total.sampled.unreadable == 0);
    assert!(!plan.clean() && plan.estimate.seconds > 0.0);
    assert_eq!(source.count("GetObject").requests, 0, "not one byte is copied");
    let json: serde_json::Value = serde_json::to_value(&plan).unwrap();
    assert_eq!(json["total"]["objects"], 3509);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn differences_are_found_whatever_the_stamps_say() {
    let world = World::new().await;
    let directory = tempfile::tempdir().unwrap();
    let source = &world.source;
    for index in 0..40 {
        source.put(BUCKET, &format!("same/{index}"), Object::synthetic(index, 1000 * index).metadata("m", "v"));
    }
    source.put(BUCKET, "kms", Object::synthetic(9, 5000).kms());
    source.put(BUCKET, "mp", Object::synthetic(8, 3_000_000).multipart(1_000_000));
    source.put(BUCKET, "tagged", Object::bytes(b"t".to_vec()).tag("a", "b").header("content-type", "text/x"));
    for key in ["changed", "longer", "gone-from-source", "client"] {
        source.put(BUCKET, key, b"one".to_vec());
    }
    assert!(world.backfill().await.unwrap().complete());
    for mode in [VerifyMode::List, VerifyMode::Hash] {
        let verification = compare(&world, mode, None).await;
        assert!(verification.clean() && verification.total.equal == 47, "{mode:?}\n{verification}");
    }

    source.put(BUCKET, "changed", b"two".to_vec());
    source.put(BUCKET, "longer", b"longer".to_vec());
    source.put(BUCKET, "new", b"n".to_vec());
    source.delete(BUCKET, "gone-from-source");
    source.put(BUCKET, "dots/..", b"n".to_vec());
    world.bucket().put(&ObjectKey::new("client").unwrap(), put(b"mine")).await.unwrap();
    // The same bytes and ETag, other headers: only reading finds it.
    source.put(BUCKET, "tagged", Object::bytes(b"t".to_vec()).tag("a", "c").header("content-type", "text/x"));
    for (mode, expected) in [
        (
            VerifyMode::List,
            [
                "changed etag import",
                "client size client",
                "dots/.. unmappable ",
                "gone-from-source extra import",
                "longer size import",
                "new missing ",
            ]
            .as_slice(),
        ),
        (
            VerifyMode::Hash,
            &[
                "changed content import",
                "client size client",
                "dots/.. unmappable ",
                "gone-from-source extra import",
                "longer size import",
                "new missing ",
                "tagged headers import",
            ],
        ),
    ] {
        let path = directory.path().join(format!("{mode:?}"));
        let verification = compare(&world, mode, Some(path.clone())).await;
        assert!(!verification.clean());
        assert_eq!(verification.total.by_client, 1);
        let mut found: Vec<String> = std::fs::read_to_string(path)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str::<Difference>(line).unwrap())
            .map(|line| format!("{} {} {}", line.key, line.difference, line.written_by))
            .collect();
        found.sort();
        assert_eq!(found, expected, "{mode:?}");
    }
}

async fn compare(world: &World, mode: VerifyMode, report: Option<std::path::PathBuf>) -> Verification {
    verify::run(VerifySettings { mode, report, ..VerifySettings::default() }, world.factory()).await.unwrap()
}
