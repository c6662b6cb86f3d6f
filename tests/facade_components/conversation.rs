//! What each operation asks of the account, and for whom it counts.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bluebucket::emulator::{Fault, Operation, Throttle};

use crate::counted::{FLINK, TRINO, Table, Upload, World, send, table};
use crate::harness::product::{ACCESS_KEY, BUCKET, OTHER_BUCKET};

const PART: usize = 5 << 20;

fn target(key: &str) -> String {
    format!("/{BUCKET}/{key}")
}

fn delete_document(keys: std::ops::Range<usize>) -> String {
    let entries: String = keys.map(|number| format!("<Object><Key>{number}</Key></Object>")).collect();
    format!("<Delete>{entries}</Delete>")
}

#[tokio::test]
async fn the_calls_of_each_operation() {
    let mut world = World::new().await;
    let flink = world.flink.clone();
    let big = vec![7; PART];
    let copy = [("x-amz-copy-source", "/local-rocksdb-test/a")];
    for (what, operation, calls, (method, target, headers, body)) in [
        ("put", "put_object", 1, ("PUT", target("a"), &[][..], &b"0123456789"[..])),
        ("long put", "put_object", 1, ("PUT", target("long"), &[], &big)),
        ("head", "head_object", 1, ("HEAD", target("a"), &[], b"")),
        ("get", "get_object", 1, ("GET", target("a"), &[], b"")),
        ("range", "get_object", 1, ("GET", target("a"), &[("range", "bytes=2-4")], b"")),
        ("suffix of what was seen", "get_object", 1, ("GET", target("a"), &[("range", "bytes=-4")], b"")),
        ("list", "list_objects_v2", 1, ("GET", format!("/{BUCKET}?list-type=2"), &[], b"")),
        ("copy", "copy_object", 2, ("PUT", target("copy"), &copy, b"")),
        ("tags", "get_object_tagging", 1, ("GET", target("a?tagging"), &[], b"")),
        ("delete", "delete_object", 1, ("DELETE", target("copy"), &[], b"")),
        ("location", "", 0, ("GET", format!("/{BUCKET}?location"), &[], b"")),
        ("no key of Azure's", "", 0, ("GET", target("a%5Cb"), &[], b"")),
    ] {
        let answer = send(&flink, method, &target, headers, body).await;
        assert!(answer.status < 300 || what == "no key of Azure's", "{what}: {}", answer.text());
        let expected = if calls > 0 { table([(FLINK, operation, calls)]) } else { Table::new() };
        assert_eq!(world.calls(0), expected, "{what}");
    }
}

#[tokio::test]
async fn the_calls_of_an_upload() {
    let mut world = World::new().await;
    let flink = world.flink.clone();
    let parts = [&vec![1; PART][..], &vec![2; PART], &[3; 100]];
    let upload = Upload::of(&flink, &target("upload"), &parts).await;
    let begun = table([(FLINK, "create_multipart_upload", 1), (FLINK, "upload_part", 3)]);
    assert_eq!(world.calls(0), begun);

    let completed = upload.complete(&flink).await;
    assert_eq!(completed.status, 200, "{}", completed.text());
    // A copy of each part; marker, key, record, commit, result, end of the marker; the parts listed, and listed again
    // to be deleted in one batch.
    assert_eq!(world.calls(3), table([(FLINK, "complete_multipart_upload", 3 + 6 + 2 + 1)]));

    let given_up = Upload::of(&flink, &target("given-up"), &[b"part"]).await;
    world.calls(0);
    assert_eq!(send(&flink, "DELETE", &given_up.target, &[], b"").await.status, 204);
    let asked = world.calls(0);
    assert_eq!(asked.into_keys().collect::<Vec<_>>(), [(FLINK.to_owned(), "abort_multipart_upload".to_owned())]);
}

#[tokio::test]
async fn the_calls_of_many_deletes() {
    let mut world = World::new().await;
    let flink = world.flink.clone();
    // A few are deleted one by one, many by a batch.
    for (keys, calls, batched) in [(0..3, 3, 0), (0..10, 1, 10), (0..300, 2, 300)] {
        let document = delete_document(keys.clone());
        let answer = send(&flink, "POST", &format!("/{BUCKET}?delete"), &[], document.as_bytes()).await;
        assert_eq!(answer.elements("Deleted").len(), keys.len(), "{}", answer.text());
        assert_eq!(world.calls(batched), table([(FLINK, "delete_objects", calls)]), "{keys:?}");
    }
}

#[tokio::test]
async fn everybody_pays_for_himself() {
    let mut world = World::new().await;
    let (flink, trino) = (world.flink.clone(), world.trino.clone());
    let stranger = world.product.client_as(ACCESS_KEY, "not the secret");
    let nobody = world.product.client_as("AKNOBODY", "secret");
    flink.put(BUCKET, "key", b"0123456789").await.unwrap();
    // At the same time, on one thread.
    let mut all = Vec::new();
    for _ in 0..20 {
        let (flink, trino, stranger, nobody) = (flink.clone(), trino.clone(), stranger.clone(), nobody.clone());
        all.push(tokio::spawn(async move {
            let (got, seen, missing, listed, refused, unknown) = tokio::join!(
                flink.get(BUCKET, "key"),
                trino.head(BUCKET, "key"),
                trino.get(BUCKET, "none"),
                trino.list(OTHER_BUCKET, ""),
                stranger.get(BUCKET, "key"),
                nobody.put(BUCKET, "key", b"mine"),
            );
            [got, seen, missing, listed, refused, unknown].map(|answer| answer.unwrap().status)
        }));
    }
    for one in all {
        assert_eq!(one.await.unwrap(), [200, 200, 404, 200, 403, 403]);
    }
    let calls = table([
        (FLINK, "put_object", 1),
        (FLINK, "get_object", 20),
        (TRINO, "head_object", 20),
        (TRINO, "get_object", 20),
        (TRINO, "list_objects_v2", 20),
    ]);
    assert_eq!(world.calls(0), calls);

    world.ended(121).await;
    let statuses = table([(FLINK, "2xx", 21), (TRINO, "2xx", 40), (TRINO, "4xx", 20), ("unknown", "4xx", 40)]);
    assert_eq!(world.table("bluebucket_facade_requests_total", "status"), statuses);
    let received = world.table("bluebucket_facade_component_received_bytes_total", "");
    // Whose signature is wrong is not read.
    assert_eq!(received, table([(FLINK, "", 10), (TRINO, "", 0), ("unknown", "", 0)]));
    let sent = world.table("bluebucket_facade_component_sent_bytes_total", "");
    assert_eq!(sent[&(FLINK.to_owned(), String::new())], 200);
    let of_all: u64 = world.table("bluebucket_facade_sent_bytes_total", "operation").values().sum();
    assert_eq!(sent.values().sum::<u64>(), of_all);
}

#[tokio::test]
async fn the_last_request_is_known_of_those_who_came() {
    let world = World::new().await;
    let last = |world: &World| world.table("bluebucket_facade_last_request_timestamp_seconds", "");
    assert!(last(&world).is_empty());
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let begun = now();
    world.trino.head(BUCKET, "none").await.unwrap();
    world.ended(1).await;
    let last = last(&world);
    assert_eq!(last.len(), 1);
    let at = Duration::from_secs(last[&(TRINO.to_owned(), String::new())]);
    assert!(at + Duration::from_secs(1) > begun && at <= now(), "{at:?}");
}

#[tokio::test]
async fn each_try_counts() {
    let mut world = World::new().await;
    let trino = world.trino.clone();
    trino.put(BUCKET, "key", b"0123456789").await.unwrap();
    world.calls(0);
    let throttled = Fault::Throttle { text: Throttle::Operations, retry_after: None };
    for (fault, calls) in [(throttled, 2), (Fault::ConnectionLost, 2), (Fault::ResetBody { after: 4 }, 2)] {
        world.product.emulator.next_fault(Operation::GetBlob, fault);
        assert_eq!(trino.get(BUCKET, "key").await.unwrap().body, b"0123456789", "{fault:?}");
        assert_eq!(world.calls(0), table([(TRINO, "get_object", calls)]), "{fault:?}");
    }
    // A write that nobody answered is looked for rather than sent again.
    world.product.emulator.next_fault(Operation::PutBlob, Fault::ResponseLost);
    assert_eq!(trino.put(BUCKET, "key", b"new").await.unwrap().status, 200);
    assert_eq!(world.calls(0), table([(TRINO, "put_object", 2)]));
}
