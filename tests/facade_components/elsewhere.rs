//! Work that goes on where nobody waits for it: it counts for whoever asked for it.

use std::time::Duration;

use bluebucket::emulator::{Fault, Operation};

use crate::counted::{FLINK, TRINO, Upload, World, table};
use crate::harness::product::BUCKET;
use crate::harness::s3_client::BodyMode;

#[tokio::test]
async fn a_complete_whose_client_went_away() {
    let mut world = World::new().await;
    let flink = world.flink.clone();
    let upload = Upload::of(&flink, &format!("/{BUCKET}/key"), &[b"one part"]).await;
    world.calls(0);
    world.product.emulator.next_fault(Operation::PutBlockFromUrl, Fault::Latency(Duration::from_millis(300)));
    let request = flink.request("POST", &upload.target).body(&upload.document, BodyMode::Signed).build();
    flink.send_and_leave(&request, upload.document.len()).await.unwrap();
    // Ends with the deletion of its only part.
    let before = world.product.seen();
    while !world.product.calls_since(&before).contains_key("DeleteBlob") {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(world.calls(0), table([(FLINK, "complete_multipart_upload", 1 + 6 + 2 + 1)]));
    assert_eq!(flink.get(BUCKET, "key").await.unwrap().body, b"one part");
}

/// The bytes of a part pass through the facade here, in the body of the request that stages them; what breaks off is
/// read on from there.
#[tokio::test]
async fn a_body_that_is_read_while_another_request_is_sent() {
    let mut world = World::new().await;
    let flink = world.flink.clone();
    let upload = Upload::of(&flink, &format!("/{BUCKET}/key"), &[&[5; 200_000]]).await;
    world.calls(0);
    world.product.fail_always(Operation::PutBlockFromUrl, Fault::RefuseCopySource);
    world.product.emulator.next_fault(Operation::GetBlob, Fault::ResetBody { after: 100_000 });
    let before = world.product.seen();
    let completed = upload.complete(&flink).await;
    assert_eq!(completed.status, 200, "{}", completed.text());
    let reads = world.product.calls_since(&before)["GetBlob"];
    assert!(reads >= 2, "nothing was read on: {reads}");
    let calls = world.calls(0);
    assert_eq!(calls.into_keys().collect::<Vec<_>>(), [(FLINK.to_owned(), "complete_multipart_upload".to_owned())]);
    assert_eq!(flink.get(BUCKET, "key").await.unwrap().body, [5; 200_000]);
}

#[tokio::test]
async fn an_answer_that_is_read_on() {
    let mut world = World::new().await;
    let trino = world.trino.clone();
    let content = vec![3; 3 << 20];
    trino.put(BUCKET, "long", &content).await.unwrap();
    world.calls(0);
    world.product.emulator.next_fault(Operation::GetBlob, Fault::ResetBody { after: 2 << 20 });
    assert!(trino.get(BUCKET, "long").await.unwrap().body == content);
    assert_eq!(world.calls(0), table([(TRINO, "get_object", 2)]));
}
