//! The official Rust SDK drives the emulator, without a network between them.

use std::sync::Arc;
use std::time::Duration;

use azure_core::Bytes;
use azure_core::error::ErrorKind;
use azure_core::http::headers::{HeaderName, HeaderValue, Headers};
use azure_core::http::{
    AsyncRawResponse, Body, ClientOptions, Etag, HttpClient, Request, RequestContent, StatusCode, Transport, Url,
};
use azure_storage_blob::models::{
    BlobClientGetPropertiesResultHeaders, BlobClientUploadOptions, BlobContainerClientListBlobsOptions, BlockListType,
    BlockLookupList,
};
use azure_storage_blob::{BlobContainerClient, BlobContainerClientOptions};
use bluebucket::emulator::{DEVELOPMENT_ACCOUNT, Emulator, EmulatorConfig};
use futures::TryStreamExt;
use http_body_util::{BodyExt, Full};

const CONTAINER: &str = "rust-sdk";

/// Hands the SDK's requests to an emulator in this process.
struct InProcess(Arc<Emulator>);

impl std::fmt::Debug for InProcess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InProcess")
    }
}

#[async_trait::async_trait]
impl HttpClient for InProcess {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let body = match request.body().clone() {
            Body::Bytes(bytes) => bytes,
            Body::SeekableStream(stream) => {
                let mut whole = Vec::new();
                let mut stream = stream;
                futures::AsyncReadExt::read_to_end(&mut stream, &mut whole).await?;
                Bytes::from(whole)
            }
        };
        let mut sent = http::Request::builder().method(request.method().as_ref()).uri(request.url().as_str());
        let mut has_length = false;
        for (name, value) in request.headers().iter() {
            has_length |= name.as_str().eq_ignore_ascii_case("content-length");
            sent = sent.header(name.as_str(), value.as_str());
        }
        if !has_length {
            sent = sent.header("content-length", body.len());
        }
        let answer = self.0.handle(sent.body(Full::new(body)).unwrap()).await;
        let (head, body) = answer.into_parts();
        let body = body.collect().await.map_err(|error| azure_core::Error::new(ErrorKind::Io, error))?.to_bytes();
        let mut headers = Headers::new();
        for (name, value) in &head.headers {
            let value = value.to_str().unwrap().to_owned();
            headers.insert(HeaderName::from(name.as_str().to_owned()), HeaderValue::from(value));
        }
        let stream = futures::stream::once(std::future::ready(Ok(body)));
        Ok(AsyncRawResponse::new(StatusCode::from(head.status.as_u16()), headers, Box::pin(stream)))
    }
}

fn container() -> BlobContainerClient {
    let emulator = Emulator::new(EmulatorConfig::default());
    let sas = |life| emulator.container_sas(DEVELOPMENT_ACCOUNT, CONTAINER, "racwdl", life).unwrap();
    emulator.create_container(DEVELOPMENT_ACCOUNT, CONTAINER);
    let sas = sas(Duration::from_secs(600));
    let url = Url::parse(&format!("http://127.0.0.1/{DEVELOPMENT_ACCOUNT}/{CONTAINER}?{sas}")).unwrap();
    let client_options =
        ClientOptions { transport: Some(Transport::new(Arc::new(InProcess(emulator)))), ..ClientOptions::default() };
    let options = BlobContainerClientOptions { client_options, ..BlobContainerClientOptions::default() };
    BlobContainerClient::new(url, None, Some(options)).unwrap()
}

fn status(error: azure_core::Error) -> (u16, String) {
    match error.kind() {
        ErrorKind::HttpResponse { status, error_code, .. } => {
            (u16::from(*status), error_code.clone().unwrap_or_default())
        }
        other => panic!("{other:?} {error}"),
    }
}

#[tokio::test]
async fn blobs() {
    let container = container();
    for (name, size) in [("a", 0), ("dir/b c+%é", 5), ("large", 10 << 20)] {
        let content: Vec<u8> = (0..size).map(|n: u32| n as u8).collect();
        let blob = container.blob_client(name);
        assert!(!blob.exists().await.unwrap());
        blob.upload(RequestContent::from(content.clone()), None).await.unwrap();
        let read = blob.download(None).await.unwrap().body.collect().await.unwrap();
        assert!(read == content, "{name}");
        let head = blob.get_properties(None).await.unwrap();
        assert_eq!(head.content_length().unwrap(), Some(u64::from(size)));
    }
    let missing = container.blob_client("no").get_properties(None).await.unwrap_err();
    assert_eq!(status(missing).0, 404);
}

#[tokio::test]
async fn conditions() {
    let container = container();
    let blob = container.blob_client("key");
    let content = || RequestContent::from(b"content".to_vec());
    let once = || Some(BlobClientUploadOptions { if_none_match: Some(Etag::from("*")), ..Default::default() });
    blob.upload(content(), once()).await.unwrap();
    let refused = blob.upload(content(), once()).await.unwrap_err();
    assert_eq!(status(refused), (409, "BlobAlreadyExists".to_owned()));
    let etag = blob.get_properties(None).await.unwrap().etag().unwrap().unwrap();
    let at = |etag| Some(BlobClientUploadOptions { if_match: Some(etag), ..Default::default() });
    blob.upload(content(), at(etag.clone())).await.unwrap();
    let refused = blob.upload(content(), at(etag)).await.unwrap_err();
    assert_eq!(status(refused), (412, "ConditionNotMet".to_owned()));
    blob.delete(None).await.unwrap();
    assert_eq!(status(blob.delete(None).await.unwrap_err()), (404, "BlobNotFound".to_owned()));
}

#[tokio::test]
async fn blocks() {
    let blob = container().blob_client("key");
    let blocks = blob.block_blob_client();
    for id in [b"1", b"2", b"3"] {
        blocks.stage_block(id, 3, RequestContent::from(id.repeat(3)), None).await.unwrap();
    }
    let list = blocks.get_block_list(BlockListType::All, None).await.unwrap().into_model().unwrap();
    assert_eq!(list.uncommitted_blocks.unwrap().len(), 3);
    let wanted = BlockLookupList { latest: Some(vec![b"3".to_vec(), b"1".to_vec()]), ..Default::default() };
    blocks.commit_block_list(wanted.try_into().unwrap(), None).await.unwrap();
    let read = blob.download(None).await.unwrap().body.collect().await.unwrap();
    assert_eq!(&read[..], b"333111");
    let list = blocks.get_block_list(BlockListType::All, None).await.unwrap().into_model().unwrap();
    assert_eq!((list.committed_blocks.unwrap().len(), list.uncommitted_blocks.unwrap_or_default().len()), (2, 0));
}

#[tokio::test]
async fn lists() {
    let container = container();
    let mut names: Vec<String> = (0..7).map(|n| format!("list/{n} é&<")).collect();
    names.push("list/\u{FFFE}".to_owned());
    for name in &names {
        container.blob_client(name).upload(RequestContent::from(Vec::new()), None).await.unwrap();
    }
    let options = BlobContainerClientListBlobsOptions {
        maxresults: Some(2),
        prefix: Some("list/".to_owned()),
        ..Default::default()
    };
    let mut pages = container.list_blobs(Some(options)).unwrap().into_pages();
    let (mut found, mut count) = (Vec::new(), 0);
    while let Some(page) = pages.try_next().await.unwrap() {
        count += 1;
        found.extend(page.into_model().unwrap().blob_items.into_iter().map(|blob| blob.name.unwrap()));
    }
    assert_eq!((found, count), (names, 4));
}
