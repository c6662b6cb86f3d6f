//! The mover from a strict S3 source to an emulated account.

#[path = "harness/harness.rs"]
mod harness;
#[path = "mover_world/world.rs"]
mod world;

use std::time::Duration;

use bluebucket::emulator::{
    AccountConfig, DEVELOPMENT_ACCOUNT, EmulatorConfig, Fault as EmulatorFault, FaultPlan, FaultRule, FaultScope,
    Operation, Throttle, Trigger,
};
use bluebucket::mover::report::Line;
use bluebucket::object::Algorithm as OurAlgorithm;
use bluebucket::object::{Attributes, ObjectKey, Payload, PutRequest, WriteCondition};
use harness::hash::Algorithm;
use harness::s3_source::{Fault, Object, Rule};
use world::{BUCKET, World, settings};

const ODD_KEYS: [&str; 12] = [
    "a//b",
    "/a",
    "a b+c%2F?#&=é😀",
    "dir/",
    "~*'()",
    "a/b",
    "a-b",
    "a",
    "x/\u{ff21}",
    "x/\u{1f600}",
    "per%cent",
    "semi;colon:@",
];

fn put(bytes: &'static [u8]) -> PutRequest {
    PutRequest {
        payload: Payload::from(bytes::Bytes::from_static(bytes)),
        attributes: Attributes::default(),
        content_md5: None,
        checksums: Vec::new(),
        condition: WriteCondition::default(),
    }
}

/// What a hierarchical account can hold goes there, in whatever order it lists; the rest is accounted for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn onto_a_hierarchical_account() {
    let account = AccountConfig::memory(DEVELOPMENT_ACCOUNT).hierarchical();
    let world = World::with(EmulatorConfig { accounts: vec![account], ..EmulatorConfig::default() }).await;
    let count = fill(&world);
    // `a//b` and `/a`; and of `a` and `a/b` one.
    let (unmappable, collisions) = (2, 1);
    let copied = count - unmappable - collisions;
    let summary = world.backfill().await.unwrap();
    let total = &summary.total;
    let counted = (total.listed, total.copied, total.unmappable, total.failed);
    assert_eq!(counted, (count, copied, unmappable, collisions), "{summary}");
    let again = world.backfill().await.unwrap();
    let total = &again.total;
    assert_eq!((total.copied, total.unchanged, total.client_newer, total.foreign), (0, copied, 0, 0), "{again}");
    for (key, stored) in world.source.live_objects(BUCKET) {
        if !["a//b", "/a", "a", "a/b"].contains(&key.as_str()) {
            assert!(world.bytes(&key).await.unwrap() == stored.content.to_vec(), "{key}");
        }
    }
}

/// Objects of every kind; returns how many.
fn fill(world: &World) -> u64 {
    let source = &world.source;
    for key in ODD_KEYS {
        source.put(BUCKET, key, key.repeat(10).into_bytes());
    }
    source.put(BUCKET, "empty", Vec::new());
    source.put(BUCKET, "sizes/300k", Object::synthetic(1, 300 << 10));
    source.put(BUCKET, "sizes/large", Object::synthetic(2, (3 << 20) + 17));
    source.put(BUCKET, "mp/small", Object::synthetic(3, 700_000).multipart(300_000));
    source.put(BUCKET, "mp/large", Object::synthetic(4, 2_500_000).multipart(1_000_000));
    for (index, algorithm) in
        [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Crc64Nvme, Algorithm::Sha1, Algorithm::Sha256]
            .into_iter()
            .enumerate()
    {
        source.put(BUCKET, &format!("sum/small-{index}"), Object::synthetic(10, 400_000).checksum(algorithm).kms());
        source.put(
            BUCKET,
            &format!("sum/large-{index}"),
            Object::synthetic(11, 1_500_000).multipart(600_000).checksum(algorithm),
        );
    }
    source.put(BUCKET, "kms/small", Object::synthetic(20, 400_000).kms());
    source.put(BUCKET, "kms/large", Object::synthetic(21, 1_500_000).kms());
    source.put(
        BUCKET,
        "attributes",
        Object::bytes(b"x".to_vec())
            .header("content-type", "application/json")
            .header("content-encoding", "gzip")
            .header("cache-control", "max-age=1")
            .header("content-disposition", "attachment")
            .header("content-language", "de")
            .header("expires", "Thu, 01 Dec 2033 16:00:00 GMT")
            .metadata("with-dash", "a value")
            .metadata("plain", "b")
            .tag("team", "data/lake")
            .tag("k", ""),
    );
    world.source.live_objects(BUCKET).len() as u64
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copies_everything_and_then_nothing() {
    let world = World::new().await;
    let count = fill(&world);
    let summary = world.backfill().await.unwrap();
    println!("{summary}");
    assert_eq!((summary.total.listed, summary.total.copied), (count, count), "{summary}");
    assert!(summary.complete());
    world.assert_equal().await;

    for (key, stored) in world.source.live_objects(BUCKET) {
        let meta = world.get(&key).await.unwrap().head.meta;
        let expected = if key.starts_with("kms/") || key.starts_with("sum/small") {
            format!("{}-1", stored.etag)
        } else {
            stored.etag.clone()
        };
        assert_eq!(meta.etag.as_str(), expected, "{key}");
        assert_eq!(meta.stamp.unwrap().etag.as_str(), stored.etag, "{key}");
    }
    let meta = world.get("attributes").await.unwrap().head.meta;
    assert_eq!(meta.content.content_type.as_deref(), Some("application/json"));
    assert_eq!(meta.content.content_encoding.as_deref(), Some("gzip"));
    assert_eq!(meta.content.expires.as_deref(), Some("Thu, 01 Dec 2033 16:00:00 GMT"));
    assert_eq!(meta.user.get("with-dash"), Some("a value"));
    assert_eq!(meta.tags.to_query(), "team=data%2Flake&k=");
    let meta = world.get("sum/large-2").await.unwrap().head.meta;
    assert!(meta.checksums.iter().any(|sum| sum.algorithm == OurAlgorithm::Crc64Nvme));

    // Small objects cost one GET and one Put Blob; tags and large objects alone cost more.
    assert_eq!(world.source.count("GetObjectTagging").requests, 1);
    let commits = world.emulator.counters();
    println!("{commits:?}");

    world.source.forget_requests();
    let before = world.emulator.events(0).len();
    let summary = world.backfill().await.unwrap();
    assert_eq!((summary.total.listed, summary.total.unchanged), (count, count), "{summary}");
    for operation in ["GetObject", "HeadObject", "GetObjectTagging"] {
        assert_eq!(world.source.count(operation).requests, 0, "{operation}");
    }
    let events = world.emulator.events(before);
    assert!(events.iter().all(|event| event.container != world::CONTAINER), "{events:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_copied_is_reported_and_can_be_fed_back() {
    let world = World::new().await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("report.ndjson");
    let source = &world.source;
    source.put(BUCKET, "fine", b"1".to_vec());
    source.put(BUCKET, "a/../b", b"dots".to_vec());
    source.put(BUCKET, "back\\slash", b"x".to_vec());
    source.put(BUCKET, "archived", Object::bytes(b"cold".to_vec()).archived("GLACIER"));
    source.put(BUCKET, "tiering", Object::bytes(b"cold".to_vec()).archived("INTELLIGENT_TIERING"));
    source.put(BUCKET, "secret", Object::bytes(b"mine".to_vec()).customer_key());
    source.put(BUCKET, "client", b"old".to_vec());
    source.put(BUCKET, "denied", b"x".to_vec());
    source.add_rule(
        Rule::once(Fault::Error { status: 403, code: "AccessDenied" }, |request| {
            request.key.as_deref() == Some("denied") && request.method == "GET"
        })
        .times(u64::MAX),
    );
    world.bucket().put(&ObjectKey::new("client").unwrap(), put(b"new")).await.unwrap();
    let mut options = settings();
    options.report = Some(path.clone());
    let summary = world.backfill_with(options.clone()).await.unwrap();
    let total = summary.total;
    assert!(total.balanced() && !summary.complete(), "{summary}");
    let got = (total.copied, total.unmappable, total.needs_action, total.client_newer, total.failed);
    assert_eq!(got, (1, 2, 3, 1, 1), "{summary}");
    assert_eq!(world.bytes("client").await.unwrap(), b"new");

    let read = || -> Vec<Line> {
        std::fs::read_to_string(&path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let mut lines: Vec<_> = read().into_iter().map(|line| (line.key, line.outcome, line.reason)).collect();
    lines.sort();
    let expected = [
        ("a/../b", "unmappable", "dot_segment"),
        ("archived", "needs_action", "archived"),
        ("back\\slash", "unmappable", "backslash"),
        ("client", "client_newer", ""),
        ("denied", "failed", "access_denied"),
        ("secret", "needs_action", "sse_c"),
        ("tiering", "needs_action", "archived"),
    ];
    assert_eq!(lines, expected.map(|(key, outcome, reason)| (key.into(), outcome.into(), reason.into())));

    source.heal();
    let manifest = directory.path().join("again.ndjson");
    std::fs::rename(&path, &manifest).unwrap();
    options.manifest = Some(manifest);
    let summary = world.backfill_with(options).await.unwrap();
    assert_eq!((summary.total.listed, summary.total.copied, summary.total.failed), (7, 1, 0), "{summary}");
    assert_eq!(world.bytes("denied").await.unwrap(), b"x");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_of_the_source_never_reach_the_store() {
    let on = |key: &'static str| {
        move |request: &harness::s3_source::Request| request.key.as_deref() == Some(key) && request.method == "GET"
    };
    let world = World::new().await;
    let source = &world.source;
    for (index, fault) in [
        Fault::SlowDown { retry_after: None },
        Fault::InternalError,
        Fault::ResponseLost,
        Fault::Truncated { at: 0.4 },
        Fault::TruncatedWithItsLength { at: 0.4 },
        Fault::TruncatedWithoutLength { at: 0.4 },
        Fault::Reset { at: 0.4 },
        Fault::WrongByte { at: 0.4 },
        Fault::ChangedAfter,
    ]
    .into_iter()
    .enumerate()
    {
        for (size, name) in [(1000, "tiny"), (400_000, "small"), (1_600_000, "large")] {
            let key: &'static str = format!("{name}-{index}").leak();
            source.put(BUCKET, key, Object::synthetic(index as u64, size).checksum(Algorithm::Crc64Nvme));
            source.add_rule(Rule::once(fault, on(key)));
        }
    }
    // An MD5 alone catches a wrong byte too.
    source.put(BUCKET, "md5-small", Object::synthetic(99, 400_000));
    source.add_rule(Rule::once(Fault::WrongByte { at: 0.9 }, on("md5-small")));
    source.put(BUCKET, "md5-large", Object::synthetic(98, 1_400_000));
    source.add_rule(Rule::once(Fault::WrongByte { at: 0.9 }, on("md5-large")));
    let summary = world.backfill().await.unwrap();
    assert_eq!((summary.total.failed, summary.total.copied), (0, 29), "{summary}");
    // What changed after it was read is of the version that was read, or of the newer one, as a whole.
    for (key, _) in source.live_objects(BUCKET) {
        let got = world.bytes(&key).await.unwrap();
        let versions = source.versions(BUCKET, &key);
        let same = |version: &std::sync::Arc<harness::s3_source::Version>| {
            version.object.as_ref().is_some_and(|stored| stored.content.to_vec() == got)
        };
        assert!(versions.iter().any(same), "{key} is a mix");
    }
    let summary = world.backfill().await.unwrap();
    assert!(summary.complete(), "{summary}");
    world.assert_equal().await;
    for key in ["md5-small", "md5-large"] {
        let etag = world.get(key).await.unwrap().head.meta.etag;
        assert_eq!(etag.as_str(), source.live(BUCKET, key).unwrap().etag, "{key}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_etag_that_only_looks_like_an_md5() {
    let world = World::new().await;
    for (key, size) in [("tiny", 100), ("small", 400_000), ("large", 1_500_000)] {
        let object = Object::synthetic(5, size).etag("00112233445566778899aabbccddeeff");
        world.source.put(BUCKET, key, object);
    }
    let summary = world.backfill().await.unwrap();
    assert_eq!((summary.total.copied, summary.total.failed), (3, 0), "{summary}");
    world.assert_equal().await;
    for key in ["tiny", "small", "large"] {
        let etag = world.get(key).await.unwrap().head.meta.etag;
        assert_eq!(etag.as_str(), "00112233445566778899aabbccddeeff-1", "{key}");
    }
    assert_eq!(world.backfill().await.unwrap().total.unchanged, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listing_out_of_order_ends_the_run() {
    for fault in [Fault::PageUnsorted, Fault::PageDuplicated, Fault::TokenRepeated] {
        let world = World::new().await;
        for index in 0..2500 {
            world.source.put(BUCKET, &format!("k{index:05}"), b"x".to_vec());
        }
        let rule = Rule::once(fault, |request| {
            request.is_listing()
                && request.query("max-keys").is_none()
                && (request.query("continuation-token").is_some() || request.query("start-after").is_none())
        });
        let rule = if fault == Fault::TokenRepeated { rule.after(1).times(2) } else { rule };
        world.source.add_rule(rule);
        let mut options = settings();
        options.ranges = 1;
        let error = world.backfill_with(options).await.expect_err(&format!("{fault:?}"));
        let text = error.to_string();
        assert!(text.contains("not sorted") || text.contains("circles"), "{fault:?}: {text}");
        // Nothing wrong is left: a second run settles the rest.
        world.source.heal();
        let summary = world.backfill().await.unwrap();
        assert_eq!(summary.total.listed, 2500, "{summary}");
        assert!(summary.complete());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expired_token_costs_nothing() {
    let world = World::new().await;
    for index in 0..3500 {
        world.source.put(BUCKET, &format!("k{index:05}"), b"x".to_vec());
    }
    let rule = Rule::once(Fault::TokenExpired, |request| request.query("continuation-token").is_some());
    world.source.add_rule(rule.after(1).times(2));
    let mut options = settings();
    options.ranges = 1;
    let summary = world.backfill_with(options).await.unwrap();
    assert_eq!((summary.total.listed, summary.total.copied), (3500, 3500), "{summary}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_cut_off_goes_on() {
    let world = World::new().await;
    for index in 0..3000 {
        world.source.put(BUCKET, &format!("k{index:05}"), format!("{index}").into_bytes());
    }
    world.source.put(BUCKET, "l-large", Object::synthetic(7, 6 << 20).checksum(Algorithm::Crc64Nvme));
    let mut rounds = 0;
    let summary = loop {
        rounds += 1;
        assert!(rounds < 40, "no progress");
        let mut options = settings();
        options.concurrency = 8;
        options.ranges = 3;
        let (factory, progress) = (world.factory(), world.progress());
        if rounds <= 3 {
            // As a killed process leaves things: the runtime goes with all its tasks, nothing is saved.
            let killed = CutOff::start(options, factory, progress.clone());
            while progress.total().copied < 300 && !killed.ended() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            killed.kill();
            continue;
        }
        break bluebucket::mover::backfill::run(options, factory, progress).await.unwrap();
    };
    assert_eq!(summary.total.listed, 3001, "{summary}");
    assert!(summary.complete(), "{summary}");
    world.assert_equal().await;
    // No object was written twice with other bytes, and few were read twice.
    let gets = world.source.count("GetObject").requests;
    assert!(gets < 3001 + 24 + 3 * 200, "{gets} reads");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_processes_share_a_run() {
    let world = World::new().await;
    for index in 0..6000 {
        world.source.put(BUCKET, &format!("k{index:05}"), vec![b'x'; index % 7]);
    }
    let run = |host: &str| {
        let mut options = settings();
        options.host = host.to_owned();
        options.ranges = 8;
        world.backfill_with(options)
    };
    let (a, b, c) = tokio::join!(run("a"), run("b"), run("c"));
    for summary in [a.unwrap(), b.unwrap(), c.unwrap()] {
        assert_eq!((summary.total.listed, summary.total.copied), (6000, 6000), "{summary}");
    }
    assert_eq!(world.source.count("GetObject").requests, 6000, "no object is read twice");
    world.assert_equal().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_run_saves_and_goes_on() {
    let world = World::new().await;
    for index in 0..3000 {
        world.source.put(BUCKET, &format!("k{index:05}"), b"x".to_vec());
    }
    let mut options = settings();
    options.concurrency = 4;
    let (stop, progress) = (options.stop.clone(), world.progress());
    let watched = progress.clone();
    let run = bluebucket::mover::backfill::run(options, world.factory(), progress);
    let stopping = async {
        while watched.total().copied < 200 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        stop.request();
    };
    let (summary, ()) = tokio::join!(run, stopping);
    let summary = summary.unwrap();
    assert!(summary.stopped && !summary.complete() && summary.total.balanced());
    assert!(summary.total.copied >= 200 && summary.total.copied < 3000, "{summary}");
    let summary = world.backfill().await.unwrap();
    assert_eq!((summary.total.listed, summary.total.copied), (3000, 3000), "what was saved is not done again");
    assert_eq!(world.source.count("GetObject").requests, 3000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_of_the_store_are_survived() {
    let world = World::new().await;
    for index in 0..300_u64 {
        world.source.put(BUCKET, &format!("k{index:05}"), Object::synthetic(index, 500 * index));
    }
    for index in 0..4 {
        world.source.put(BUCKET, &format!("large-{index}"), Object::synthetic(index, 3 << 20));
    }
    let rule = |operation, probability, fault| FaultRule {
        scope: FaultScope::operation(operation),
        trigger: Trigger::Probability(probability),
        fault,
    };
    let busy = EmulatorFault::Throttle { text: Throttle::Operations, retry_after: None };
    world.emulator.set_faults(FaultPlan {
        seed: harness::random::seed("store"),
        rules: vec![
            rule(Operation::PutBlob, 0.15, busy),
            rule(Operation::PutBlob, 0.1, EmulatorFault::ResponseLost),
            rule(Operation::PutBlob, 0.1, EmulatorFault::ConnectionLost),
            rule(Operation::PutBlob, 0.1, EmulatorFault::TimeoutAfter),
            rule(Operation::PutBlock, 0.2, EmulatorFault::ResponseLost),
            rule(Operation::PutBlockList, 0.3, EmulatorFault::ResponseLost),
            rule(Operation::ListBlobs, 0.2, busy),
            rule(Operation::GetBlob, 0.1, EmulatorFault::ConnectionLost),
        ],
    });
    let summary = world.backfill().await.unwrap();
    world.emulator.set_faults(FaultPlan::default());
    let total = summary.total;
    assert_eq!((total.listed, total.failed, total.client_newer, total.foreign), (304, 0, 0, 0), "{summary}");
    world.assert_equal().await;
    let events = world.emulator.events(0);
    let commits = events.iter().filter(|event| event.container == world::CONTAINER && !event.name.is_empty()).count();
    assert_eq!(commits, 304, "nothing is written twice");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocks_of_an_earlier_try_are_used_again() {
    let world = World::new().await;
    world.source.put(BUCKET, "large", Object::synthetic(1, 4 << 20).multipart(1 << 20).checksum(Algorithm::Crc64Nvme));
    world.emulator.set_fault(FaultRule {
        scope: FaultScope::operation(Operation::PutBlockList),
        trigger: Trigger::Next { skip: 0, times: 1 },
        fault: EmulatorFault::TimeoutBefore,
    });
    let summary = world.backfill().await.unwrap();
    assert_eq!(summary.total.copied, 1, "{summary}");
    assert_eq!(world.source.count("GetObject").requests, 16, "every block is read once");
    world.assert_equal().await;
    assert_eq!(summary.buckets[0].proofs, [1, 0, 0, 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn multipart_etags_prove_if_asked_for() {
    let world = World::new().await;
    world.source.put(BUCKET, "small", Object::synthetic(1, 7 << 20).multipart(5 << 20));
    world.source.put(BUCKET, "large", Object::synthetic(2, (33 << 20) + 5).multipart(8 << 20));
    world.source.put(BUCKET, "odd", Object::synthetic(3, 20 << 20).multipart((6 << 20) + 1));
    let mut options = settings();
    options.transfer.multipart_etags = true;
    options.transfer.large_threshold = 8 << 20;
    let summary = world.backfill_with(options).await.unwrap();
    assert_eq!(summary.buckets[0].proofs, [0, 0, 2, 1], "{summary}");
    world.assert_equal().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changed_objects_are_refreshed_and_foreign_blobs_left() {
    let world = World::new().await;
    for key in ["a", "b", "c"] {
        world.source.put(BUCKET, key, key.repeat(50).into_bytes());
    }
    world.backfill().await.unwrap();
    world.source.advance_clock(Duration::from_secs(5));
    world.source.put(BUCKET, "b", b"newer".to_vec());
    world.source.delete(BUCKET, "c");
    world.bucket().put(&ObjectKey::new("a").unwrap(), put(b"by a client")).await.unwrap();
    world.source.put(BUCKET, "a", b"later at the source".to_vec());
    let progress = world.progress();
    let summary = bluebucket::mover::backfill::run(settings(), world.factory(), progress.clone()).await.unwrap();
    assert_eq!((summary.total.copied, summary.total.client_newer), (1, 1), "{summary}");
    assert_eq!(progress.total().extra, 1, "a copy without a source is counted and left");
    assert_eq!(world.bytes("a").await.unwrap(), b"by a client");
    assert_eq!(world.bytes("b").await.unwrap(), b"newer");
    assert!(world.bytes("c").await.is_some());
}

/// Takes longer than the 20 s after which an idle owner has lost its range.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ranges_of_a_dead_pod_are_taken_over() {
    let world = World::new().await;
    for index in 0..2500 {
        world.source.put(BUCKET, &format!("k{index:05}"), b"x".to_vec());
    }
    let (mut options, progress) = (settings(), world.progress());
    options.host = "pod-1".to_owned();
    options.concurrency = 2;
    let killed = CutOff::start(options, world.factory(), progress.clone());
    while progress.total().copied < 100 && !killed.ended() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    killed.kill();
    let mut options = settings();
    options.host = "pod-2".to_owned();
    let summary = world.backfill_with(options).await.unwrap();
    assert_eq!(summary.total.listed, 2500, "{summary}");
    assert!(summary.complete());
    world.assert_equal().await;
}

/// A backfill in a runtime that can be dropped at any time.
struct CutOff {
    stop: tokio::sync::oneshot::Sender<()>,
    thread: std::thread::JoinHandle<()>,
}

impl CutOff {
    fn start(
        options: bluebucket::mover::backfill::BackfillSettings,
        factory: bluebucket::mover::Factory,
        progress: std::sync::Arc<bluebucket::mover::progress::Progress>,
    ) -> Self {
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                tokio::select! {
                    _ = bluebucket::mover::backfill::run(options, factory, progress) => {}
                    _ = stopped => {}
                }
            });
        });
        Self { stop, thread }
    }

    fn ended(&self) -> bool {
        self.thread.is_finished()
    }

    fn kill(self) {
        let _ = self.stop.send(());
        self.thread.join().unwrap();
    }
}
