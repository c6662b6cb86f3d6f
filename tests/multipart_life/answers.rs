//! What clients are told when they ask again, also through another replica.

use std::time::Duration;

use bluebucket::object::multipart::CompleteUpload;
use bluebucket::object::{ErrorKind, WriteCondition};

use super::{DAY, HOUR, Life, kind};
use crate::harness::product::{BUCKET, Product, Setup};
use crate::harness::s3_client::{BodyMode, RawRequest, Response, S3Client};

#[tokio::test(start_paused = true)]
async fn the_same_list_is_answered_the_same_and_another_one_is_not() {
    let life = Life::new();
    let begun = life.begin("key", &[(1, b"one"), (2, b"two")]).await;
    let with = |parts: &[usize]| {
        let parts = parts.iter().map(|&part| begun.request.parts[part].clone()).collect();
        super::Begun { request: CompleteUpload { parts, ..CompleteUpload::default() }, ..begun.clone() }
    };
    let (one, two) = (with(&[0]), with(&[1]));
    let stored = life.complete(&one).await.unwrap();
    // The result is on record for a day, and on the object for as long as it is there.
    for (after, results) in [(HOUR, 1), (HOUR * 12, 1), (DAY, 0), (DAY * 30, 0)] {
        life.pass(after);
        life.replica().sweep_uploads(life.now(), None).await.unwrap();
        assert_eq!(life.state("done!").await.len(), results);
        let again = life.complete(&one).await.unwrap();
        assert_eq!((again.etag, again.size), (stored.etag.clone(), stored.size));
        assert_eq!(kind(life.complete(&two).await), ErrorKind::NoSuchUpload);
        assert_eq!(kind(life.complete(&with(&[1, 0])).await), ErrorKind::InvalidPartOrder);
    }
    assert_eq!(life.landings(&begun), 1);
    assert_eq!(life.read(&begun.key).await.as_deref(), Some(b"one".as_slice()));
    // Once it is written again nothing tells of the upload any more.
    life.put(&begun.key, b"newer", WriteCondition::None).await.unwrap();
    assert_eq!(kind(life.complete(&one).await), ErrorKind::NoSuchUpload);
    assert_eq!(kind(life.replica().abort_upload(&begun.key, &begun.id).await), ErrorKind::NoSuchUpload);
}

#[tokio::test(start_paused = true)]
async fn a_condition_is_judged_once() {
    let life = Life::new();
    let mut begun = life.begin("key", &[(1, b"one")]).await;
    begun.request.condition = WriteCondition::Absent;
    life.complete(&begun).await.unwrap();
    // A retry of the write is no conflict with it, whatever is there by now.
    life.complete(&begun).await.unwrap();
    life.put(&begun.key, b"newer", WriteCondition::None).await.unwrap();
    life.complete(&begun).await.unwrap();
    assert_eq!(life.read(&begun.key).await.as_deref(), Some(b"newer".as_slice()));
    let mut late = life.begin("key", &[(1, b"late")]).await;
    late.request.condition = WriteCondition::Absent;
    assert_eq!(kind(life.complete(&late).await), ErrorKind::PreconditionFailed);
    // Refused, it is open as before.
    late.request.condition = WriteCondition::None;
    life.complete(&late).await.unwrap();
}

/// The commit has landed and is about to be recorded, when the object is deleted and the upload aborted: who aborts
/// finds nothing of it and is told so first, and Complete may not say anything else then.
#[tokio::test(start_paused = true)]
async fn no_upload_is_told_to_be_completed_and_aborted() {
    let life = Life::new();
    let begun = life.begin("key", &[(1, b"one")]).await;
    life.delay_end(&begun, Duration::from_secs(5));
    let abort = async {
        while life.landings(&begun) == 0 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        life.replica().delete(&begun.key, &WriteCondition::None).await.unwrap();
        life.replica().abort_upload(&begun.key, &begun.id).await
    };
    let (completed, aborted) = tokio::join!(life.complete(&begun), abort);
    aborted.unwrap();
    assert_eq!(kind(completed), ErrorKind::Unexpected);
    assert_eq!(life.landings(&begun), 1);
    // Nor later, whoever asks.
    assert_eq!(kind(life.complete(&begun).await), ErrorKind::NoSuchUpload);
    assert_eq!(kind(life.replica().abort_upload(&begun.key, &begun.id).await), ErrorKind::NoSuchUpload);
    for prefix in ["upload!", "part!"] {
        assert_eq!(life.state(prefix).await, Vec::<String>::new());
    }
    life.pass(DAY * 2);
    life.replica().sweep_uploads(life.now(), None).await.unwrap();
    assert_eq!(life.state("done!").await, Vec::<String>::new());
}

/// The client goes away without an answer and asks another replica.
#[tokio::test]
async fn a_lost_answer_is_given_by_another_replica() {
    let one = Product::start().await;
    let other = Product::in_front_of(one.emulator.clone(), one.store_address, Setup::default());
    let upload = Upload::begin(&one.client(), "key").await;
    let (first, second) = (upload.part(&one.client(), 1, b"one").await, upload.part(&other.client(), 2, b"two").await);
    let complete = |client: &S3Client, parts: &[(u32, &str)]| upload.complete(client, parts);
    // All of the request is sent, and nobody reads the answer.
    let request = complete(&one.client(), &[(1, &first)]);
    one.client().send_and_leave(&request, usize::MAX).await.unwrap();
    let again = send(&other.client(), complete(&other.client(), &[(1, &first)])).await;
    assert_eq!(again.status, 200, "{}", again.text());
    let once_more = send(&one.client(), complete(&one.client(), &[(1, &first)])).await;
    assert_eq!((once_more.status, once_more.element("ETag")), (200, again.element("ETag")));
    let different = send(&one.client(), complete(&one.client(), &[(2, &second)])).await;
    assert_eq!((different.status, different.code().as_deref()), (404, Some("NoSuchUpload")));
    let disorder = send(&one.client(), complete(&one.client(), &[(2, &second), (1, &first)])).await;
    assert_eq!((disorder.status, disorder.code().as_deref()), (400, Some("InvalidPartOrder")));
    for product in [&one, &other] {
        assert_eq!(product.client().get(BUCKET, "key").await.unwrap().body, b"one");
    }
}

struct Upload {
    key: &'static str,
    id: String,
}

impl Upload {
    async fn begin(client: &S3Client, key: &'static str) -> Self {
        let created = send(client, client.request("POST", &format!("/{BUCKET}/{key}?uploads")).build()).await;
        Self { key, id: created.element("UploadId").unwrap() }
    }

    async fn part(&self, client: &S3Client, number: u32, content: &[u8]) -> String {
        let target = format!("/{BUCKET}/{}?partNumber={number}&uploadId={}", self.key, self.id);
        let put = send(client, client.request("PUT", &target).body(content, BodyMode::Signed).build()).await;
        put.header("etag").unwrap().trim_matches('"').to_owned()
    }

    fn complete(&self, client: &S3Client, parts: &[(u32, &str)]) -> RawRequest {
        let part =
            |(number, etag): &(u32, &str)| format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>");
        let parts: String = parts.iter().map(part).collect();
        let document = format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>");
        let target = format!("/{BUCKET}/{}?uploadId={}", self.key, self.id);
        client.request("POST", &target).body(document.as_bytes(), BodyMode::Signed).build()
    }
}

async fn send(client: &S3Client, request: RawRequest) -> Response {
    client.send(&request).await.unwrap()
}
