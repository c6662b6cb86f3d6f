//! What the sweeper removes, and what it leaves.

use bluebucket::bucket::multipart::Swept;
use bluebucket::emulator::Fault;
use bluebucket::object::multipart::CreateUpload;
use bluebucket::object::{ErrorKind, ObjectKey};

use super::{DAY, HOUR, Life, kind};

#[tokio::test(start_paused = true)]
async fn abandoned_uploads_expire_with_their_parts() {
    let life = Life::new();
    let old = life.begin("old", &[(1, b"a"), (2, b"b")]).await;
    let busy = life.begin("busy", &[(1, b"a")]).await;
    life.pass(DAY * 20);
    let young = life.begin("young", &[(1, b"c")]).await;
    life.pass(DAY * 11);
    life.part(&busy, 2, b"still at it").await.unwrap();
    // Each bucket has a time of its own, and some have none.
    assert_eq!(life.replica().sweep_uploads(life.now(), None).await.unwrap(), Swept { seen: 3, ..Swept::default() });
    let longer = life.replica().sweep_uploads(life.now(), Some(DAY * 40)).await.unwrap();
    assert_eq!((longer.seen, longer.expired), (3, 0));
    let swept = life.replica().sweep_uploads(life.now(), Some(DAY * 30)).await.unwrap();
    assert_eq!((swept.seen, swept.expired, swept.failed), (3, 1, 0));
    assert_eq!(kind(life.complete(&old).await), ErrorKind::NoSuchUpload);
    assert!(life.state(&format!("part!{}", old.id)).await.is_empty());
    life.complete(&young).await.unwrap();
    // A day without a sign of life, and the other one is gone too.
    life.pass(DAY + HOUR);
    assert_eq!(life.replica().sweep_uploads(life.now(), Some(DAY * 30)).await.unwrap().expired, 1);
    assert_eq!(kind(life.complete(&busy).await), ErrorKind::NoSuchUpload);
    assert!(life.state("part!").await.is_empty() && life.state("upload!").await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn interrupted_completes_are_finished_and_results_removed_after_a_day() {
    let life = Life::new();
    let begun = life.begin("key", &[(1, b"content")]).await;
    life.fail_commits(Fault::ConnectionLost);
    life.complete(&begun).await.unwrap_err();
    life.heal();
    // Whoever is at it is left alone for some minutes.
    assert_eq!(life.replica().sweep_uploads(life.now(), None).await.unwrap().settled, 0);
    life.pass(HOUR);
    let swept = life.replica().sweep_uploads(life.now(), None).await.unwrap();
    assert_eq!((swept.settled, swept.results), (1, 0));
    assert_eq!(life.read(&begun.key).await.as_deref(), Some(b"content".as_slice()));
    assert!(life.state("upload!").await.is_empty() && life.state("part!").await.is_empty());
    life.complete(&begun).await.unwrap();
    life.pass(DAY - HOUR * 2);
    assert_eq!(life.replica().sweep_uploads(life.now(), None).await.unwrap().results, 0);
    life.pass(HOUR * 3);
    assert_eq!(life.replica().sweep_uploads(life.now(), None).await.unwrap().results, 1);
    assert!(life.state("").await.is_empty());
}

/// A part that was on its way when its upload was aborted; the parts of an upload to a bucket that this
/// process has never heard of.
#[tokio::test(start_paused = true)]
async fn orphans_are_removed_and_the_parts_of_other_deployments_are_not() {
    let life = Life::new();
    let aborted = life.begin("aborted", &[(1, b"a")]).await;
    let late = life.replica();
    let request = |content: &'static [u8]| bluebucket::object::multipart::UploadPart {
        number: 9,
        payload: bluebucket::object::Payload::from(bytes::Bytes::from_static(content)),
        content_md5: None,
        checksums: Vec::new(),
        late_checksums: None,
    };
    // This replica has just seen that the upload is there.
    late.upload_part(&aborted.key, &aborted.id, request(b"before")).await.unwrap();
    life.replica().abort_upload(&aborted.key, &aborted.id).await.unwrap();
    late.upload_part(&aborted.key, &aborted.id, request(b"late")).await.unwrap();
    let elsewhere = life.replica_of("of-another-deployment");
    let key = ObjectKey::new("elsewhere").unwrap();
    let id = elsewhere.create_upload(&key, &CreateUpload::default()).await.unwrap();
    elsewhere.upload_part(&key, &id, request(b"x")).await.unwrap();

    let sweep = async || {
        let live = life.replica().live_uploads().await.unwrap();
        life.replica().sweep_orphan_parts(life.now(), &live).await.unwrap()
    };
    assert_eq!(sweep().await, 0, "it may be about to appear");
    life.pass(DAY * 2);
    assert_eq!(sweep().await, 1);
    assert_eq!(life.state("part!").await, [format!("part!{id}!00009")]);
}

/// Replicas sweep at the same time, over uploads in every state.
#[tokio::test(start_paused = true)]
async fn sweeps_at_once_do_no_harm() {
    let life = Life::new();
    let done = life.begin("done", &[(1, b"done")]).await;
    life.complete(&done).await.unwrap();
    let mut interrupted = Vec::new();
    for number in 0..5 {
        let begun = life.begin(&format!("interrupted-{number}"), &[(1, b"content")]).await;
        life.fail_commits(Fault::ConnectionLost);
        life.complete(&begun).await.unwrap_err();
        life.heal();
        interrupted.push(begun);
    }
    for number in 0..5 {
        life.begin(&format!("old-{number}"), &[(1, b"old")]).await;
    }
    life.pass(DAY * 3);
    let young = life.begin("young", &[(1, b"young")]).await;
    let replicas = [life.replica(), life.replica(), life.replica()];
    let sweeps = replicas.iter().map(|replica| replica.sweep_uploads(life.now(), Some(DAY * 2)));
    let swept: Vec<_> = futures::future::join_all(sweeps).await.into_iter().map(Result::unwrap).collect();
    assert!(swept.iter().all(|swept| swept.failed == 0), "{swept:?}");
    for begun in &interrupted {
        assert_eq!(life.read(&begun.key).await.as_deref(), Some(b"content".as_slice()));
        assert_eq!(life.landings(begun), 1);
    }
    assert_eq!(life.state("upload!").await.len(), 1);
    assert_eq!(life.state("part!").await, [format!("part!{}!00001", young.id)]);
    assert_eq!(life.read(&done.key).await.as_deref(), Some(b"done".as_slice()));
    life.complete(&young).await.unwrap();
}
