//! Expiry against clients that are just completing: an upload that Complete has laid hands on is not
//! removed any more.
//!
//! 100 schedules, 2,000 with `BLUEBUCKET_FULL=1`.

use std::time::Duration;

use bluebucket::object::ErrorKind;
use http::Method;
use tokio::time::sleep;

use super::{DAY, Hostility, Life};
use crate::harness::random::{Random, seed};

const UPLOADS: usize = 4;

#[test]
fn an_upload_that_is_being_completed_is_not_removed() {
    let count = if std::env::var("BLUEBUCKET_FULL").is_ok() { 2_000 } else { 100 };
    let mut random = Random::new(seed("an_upload_that_is_being_completed_is_not_removed"));
    let (mut kept, mut removed) = (0, 0);
    for _ in 0..count {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        let outcomes = runtime.block_on(race(&mut random));
        kept += outcomes.iter().filter(|kept| **kept).count();
        removed += outcomes.iter().filter(|kept| !**kept).count();
    }
    println!("{kept} completed, {removed} removed before");
    assert!(kept > 0 && removed > 0, "{kept} completed, {removed} removed: nothing was raced");
}

/// Whether each upload was completed. That it was removed first is all right where nobody had begun yet.
async fn race(random: &mut Random) -> Vec<bool> {
    let life = Life::with(random.next(), Hostility { delay_max: 30, chance: 0.0, chance_of_commits: 0.0, budget: 0 });
    let mut uploads = Vec::new();
    for number in 0..UPLOADS {
        uploads.push(life.begin(&format!("key-{number}"), &[(1, b"content")]).await);
    }
    life.pass(DAY * 31);
    let sweeps = (0..2).map(|_| {
        let (replica, now) = (life.replica(), life.now());
        let pause = Duration::from_micros(random.below(600_000));
        async move {
            sleep(pause).await;
            replica.sweep_uploads(now, Some(DAY * 30)).await.unwrap()
        }
    });
    let sweeps = futures::future::join_all(sweeps);
    let completes = uploads.iter().map(|begun| {
        let pause = Duration::from_micros(random.below(900_000));
        let life = &life;
        async move {
            sleep(pause).await;
            let called = life.blob.wire.tick();
            (called, life.complete(begun).await)
        }
    });
    let completes = futures::future::join_all(completes);
    let (_, outcomes) = tokio::join!(sweeps, completes);
    let mut kept = Vec::new();
    for (begun, (called, outcome)) in uploads.iter().zip(outcomes) {
        let content = life.read(&begun.key).await;
        let touched = life.blob.wire.log().into_iter().any(|one| {
            let of_marker = one.target.contains("upload!") || one.target.contains("upload%21");
            of_marker
                && one.target.contains(begun.id.as_str())
                && one.method == Method::PUT
                && one.status == 201
                && one.at > called
        });
        match outcome {
            Ok(_) => assert_eq!(content.as_deref(), Some(b"content".as_slice()), "{}", begun.key),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::NoSuchUpload, "{error}");
                assert!(!touched, "{} was removed while it was being completed", begun.key);
                assert_eq!(content, None, "{}", begun.key);
            }
        }
        kept.push(content.is_some());
    }
    kept
}
