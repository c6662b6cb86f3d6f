//! The end of a process while a Complete is under way whose client has gone.

use std::sync::Arc;
use std::time::Duration;

use bluebucket::config::{Config, Environment, Secrets};
use bluebucket::daemon::{FacadeServer, Process};
use bluebucket::emulator::{
    DEVELOPMENT_ACCOUNT, DEVELOPMENT_KEY, Emulator, EmulatorConfig, Fault, FaultRule, FaultScope, Operation, Trigger,
};

use crate::harness::s3_client::{BodyMode, S3Client};
use crate::harness::sigv4::Credentials;

const BUCKET: &str = "local-rocksdb-test";
const SECRET: &str = "a-secret-that-is-long-enough";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_waits_for_a_complete_whose_client_has_gone() {
    let emulator = Emulator::new(EmulatorConfig::default());
    for container in ["flink", "bluebucket-state"] {
        emulator.create_container(DEVELOPMENT_ACCOUNT, container);
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let store = format!("http://{}/{DEVELOPMENT_ACCOUNT}", listener.local_addr().unwrap());
    tokio::spawn(emulator.clone().serve(listener, std::future::pending()));
    let config = Arc::new(config(&store));
    let process = Process::new(config.clone()).await.unwrap();
    let facade =
        FacadeServer::start(&config, config.facade.as_ref().unwrap(), &process.azure, &process.metrics).unwrap();
    let client = S3Client::tcp(facade.address, Credentials::new("BBFLINK", SECRET));

    let created = client.send(&client.request("POST", &format!("/{BUCKET}/key?uploads")).build()).await.unwrap();
    let id = created.element("UploadId").unwrap();
    let part = client.request("PUT", &format!("/{BUCKET}/key?partNumber=1&uploadId={id}"));
    let part = client.send(&part.body(b"content", BodyMode::Signed).build()).await.unwrap();
    let etag = part.etag().unwrap();
    let list = format!(
        "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
    );
    let complete = client.request("POST", &format!("/{BUCKET}/key?uploadId={id}"));
    let complete = complete.body(list.as_bytes(), BodyMode::Signed).build();

    let scope = FaultScope::operation(Operation::PutBlockList);
    let slow = Fault::Latency(Duration::from_secs(2));
    emulator.set_fault(FaultRule { scope, trigger: Trigger::Probability(1.0), fault: slow });
    let commits = |emulator: &Emulator| emulator.counters().get("PutBlockList").copied().unwrap_or(0);
    let mut connection = client.open().await.unwrap();
    connection.write(&complete.to_bytes()).await.unwrap();
    while commits(&emulator) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    drop(connection);
    // The last connection is closed long before the commit is through.
    facade.drain();
    facade.finished().await;

    let facade =
        FacadeServer::start(&config, config.facade.as_ref().unwrap(), &process.azure, &process.metrics).unwrap();
    let client = S3Client::tcp(facade.address, Credentials::new("BBFLINK", SECRET));
    assert_eq!(client.get(BUCKET, "key").await.unwrap().body, b"content");
    let left = client.send(&client.request("GET", &format!("/{BUCKET}?uploads")).build()).await.unwrap();
    assert!(left.elements("UploadId").is_empty(), "the upload was left to the sweeper: {}", left.text());
    facade.stop();
    facade.finished().await;
}

fn config(store: &str) -> Config {
    let text = format!(
        r#"
[azure]
credential = "connection-string"
allow_plaintext = true

[[bucket]]
name = "{BUCKET}"
container = "flink"
upload_ttl = "45d"

[facade]
listen = "127.0.0.1:0"
region = "us-east-1"

[facade.limits]
threads = 1
drain_delay = "0s"
drain_timeout = "20s"

[[facade.key]]
name = "flink"
access_key_id = "BBFLINK"
secret_env = "FLINK_SECRET"
buckets = ["{BUCKET}"]
"#
    );
    let connection = format!(
        "DefaultEndpointsProtocol=http;AccountName={DEVELOPMENT_ACCOUNT};AccountKey={DEVELOPMENT_KEY};BlobEndpoint={store};"
    );
    let variables = [("FLINK_SECRET", SECRET), ("AZURE_STORAGE_CONNECTION_STRING", connection.as_str())];
    let environment: Environment =
        variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let config = Config::parse(&text, "test.toml", Default::default(), &environment, Secrets::Required);
    config.unwrap_or_else(|mistakes| panic!("{mistakes}"))
}
