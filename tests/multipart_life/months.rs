//! Uploads that take longer than Azure keeps staged blocks.

use bluebucket::emulator::Fault;
use bluebucket::object::condition::TagList;
use bluebucket::object::{ErrorKind, WriteCondition};

use super::{DAY, HOUR, Life, kind};

const FIRST: &[u8] = &[1; 5 << 20];

#[tokio::test(start_paused = true)]
async fn an_upload_of_45_days_is_completed() {
    let life = Life::new();
    let mut begun = life.begin("checkpoint", &[(1, FIRST)]).await;
    for day in 1..=45 {
        life.pass(DAY);
        let swept = life.replica().sweep_uploads(life.now(), Some(DAY * 60)).await.unwrap();
        assert_eq!((swept.seen, swept.expired), (1, 0), "day {day}");
        let live = life.replica().live_uploads().await.unwrap();
        assert_eq!(life.replica().sweep_orphan_parts(life.now(), &live).await.unwrap(), 0, "day {day}");
    }
    begun.request.parts.push(life.part(&begun, 7, b"the last part").await.unwrap());
    let stored = life.complete(&begun).await.unwrap();
    assert_eq!(stored.size, FIRST.len() as u64 + 13);
    assert!(life.read(&begun.key).await.unwrap() == [FIRST, b"the last part"].concat());
    // Whoever does not hear of it asks again hours later.
    life.pass(HOUR * 20);
    assert_eq!(life.complete(&begun).await.unwrap().etag, stored.etag);
    assert_eq!(life.landings(&begun), 1);
}

/// The process ends after the blocks were staged and before the commit is sent; nobody comes for days.
#[tokio::test(start_paused = true)]
async fn staged_blocks_that_expired_are_staged_again() {
    for before in [None, Some(b"the object before".as_slice())] {
        let life = Life::new();
        let begun = life.begin("key", &[(1, b"parts outlive blocks")]).await;
        if let Some(before) = before {
            life.put(&begun.key, before, WriteCondition::None).await.unwrap();
        }
        life.fail_commits(Fault::ConnectionLost);
        life.complete(&begun).await.unwrap_err();
        life.heal();
        life.pass(DAY * 8);
        let stored = life.complete(&begun).await.unwrap();
        assert_eq!(life.read(&begun.key).await.as_deref(), Some(b"parts outlive blocks".as_slice()));
        assert_eq!(life.complete(&begun).await.unwrap().etag, stored.etag);
        assert_eq!(life.landings(&begun), 1);
        assert!(life.state("upload!").await.is_empty() && life.state("part!").await.is_empty());
    }
}

/// The commit landed and its answer was lost; nobody comes for days. It must not land again.
#[tokio::test(start_paused = true)]
async fn a_commit_that_landed_unseen_never_lands_again() {
    for (case, expected) in [
        ("still there", Ok(())),
        ("written again", Ok(())),
        ("written on condition", Err(ErrorKind::Unexpected)),
        ("deleted, and a sweep has looked", Err(ErrorKind::Unexpected)),
    ] {
        let life = Life::new();
        let begun = life.begin("key", &[(1, b"landed")]).await;
        life.fail_some_commits(Fault::ResponseLost, 0, 1);
        life.fail_some_commits(Fault::ConnectionLost, 1, u64::MAX);
        life.complete(&begun).await.unwrap_err();
        life.heal();
        assert_eq!(life.landings(&begun), 1, "{case}");
        match case {
            "written again" => drop(life.put(&begun.key, b"newer", WriteCondition::None).await.unwrap()),
            "written on condition" => {
                let any = WriteCondition::Match(TagList::Any);
                life.put(&begun.key, b"newer", any).await.unwrap();
            }
            "deleted, and a sweep has looked" => {
                life.replica().delete(&begun.key, &WriteCondition::None).await.unwrap();
                life.pass(HOUR);
                let swept = life.replica().sweep_uploads(life.now(), None).await.unwrap();
                assert_eq!((swept.seen, swept.settled, swept.failed), (1, 0, 0), "{case}");
            }
            _ => {}
        }
        let before = life.read(&begun.key).await;
        life.pass(DAY * 8);
        match expected {
            Ok(()) => drop(life.complete(&begun).await.unwrap()),
            Err(expected) => {
                assert_eq!(kind(life.complete(&begun).await), expected, "{case}");
                // Nothing will ever be known of it, so it may be given up.
                life.replica().abort_upload(&begun.key, &begun.id).await.unwrap();
            }
        }
        assert_eq!(life.read(&begun.key).await, before, "{case}");
        assert_eq!(life.landings(&begun), 1, "{case}");
        assert!(life.state("upload!").await.is_empty(), "{case}");
    }
}
