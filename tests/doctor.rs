//! `bluebucket doctor` as its users run it: the program, a configuration, and what it reports.

#[allow(dead_code)]
#[path = "contract/azurite.rs"]
mod azurite;
#[path = "harness/entra.rs"]
mod entra;
#[path = "harness/harness.rs"]
mod harness;

use std::sync::Arc;
use std::time::Duration;

use azurite::start as start_azurite;
use bluebucket::emulator::{
    DEVELOPMENT_ACCOUNT, DEVELOPMENT_KEY, Emulator, EmulatorConfig, Fault, FaultRule, FaultScope, Operation, Trigger,
};
use entra::{CLIENT, Entra, TENANT};
use harness::s3_source::{Access, Listening, Object, S3Source};
use serde_json::Value;

/// What `contract/azurite.rs` names its backend with; its quirks are of no interest here.
#[derive(Clone, Copy, Debug)]
#[allow(dead_code)]
pub struct Backend {
    pub name: &'static str,
    pub quirks: &'static [Quirk],
}

#[derive(Clone, Copy, Debug)]
#[allow(dead_code)]
pub enum Quirk {
    NoPutBlobFromUrl,
    NoBearerCopySource,
    PutBlobKeepsStagedBlocks,
    EmptyBlockTaken,
    NoNameLimit,
    NoMetadataLimit,
    NoContainerDeletionDelay,
}

const BUCKET: &str = "local-iceberg-test";
const CONTAINER: &str = "iceberg";
const SECRET: &str = "a-secret-that-is-long-enough";

/// An emulated account, a source, and the files of a configuration.
struct World {
    emulator: Arc<Emulator>,
    source: S3Source,
    store: String,
    source_url: String,
    key: String,
    folder: tempfile::TempDir,
    _listening: Listening,
}

/// What a run reported.
struct Run {
    code: i32,
    /// The table.
    table: String,
    /// The file, as it is sent to others.
    file: String,
    report: Value,
}

impl World {
    async fn new() -> Self {
        let emulator = Emulator::new(EmulatorConfig::default());
        emulator.create_container(DEVELOPMENT_ACCOUNT, CONTAINER);
        emulator.create_container(DEVELOPMENT_ACCOUNT, "bluebucket-state");
        emulator.seed_synthetic(DEVELOPMENT_ACCOUNT, CONTAINER, 3, 100, |n| format!("data/{n}"));
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let store = format!("http://{}/{DEVELOPMENT_ACCOUNT}", listener.local_addr().unwrap());
        tokio::spawn(emulator.clone().serve(listener, std::future::pending()));
        let source = S3Source::new(harness::random::seed("doctor"));
        source.create_bucket(BUCKET);
        source.put(BUCKET, "data/1", Object::bytes("content"));
        let listening = source.listen().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let source_url = listening.url();
        let key = DEVELOPMENT_KEY.to_owned();
        Self { emulator, source, store, source_url, key, folder, _listening: listening }
    }

    fn configuration(&self, credential: &str) -> String {
        format!(
            "[azure]\naccount = \"{DEVELOPMENT_ACCOUNT}\"\nendpoint = \"{}\"\n{credential}\nsecrets_dir = \"secrets\"\n\
             [source]\nregion = \"us-east-1\"\nendpoint = \"{}\"\ncredentials = \"directory\"\nsecrets_dir = \"secrets\"\n\
             [[bucket]]\nname = \"{BUCKET}\"\ncontainer = \"{CONTAINER}\"\n\
             [facade]\nlisten = \"127.0.0.1:0\"\n\
             [[facade.key]]\nname = \"trino\"\naccess_key_id = \"trino-key\"\nsecret_file = \"secrets/facade\"\nbuckets = [\"*\"]\n\
             [admin]\nlisten = \"127.0.0.1:0\"\n",
            self.store, self.source_url
        )
    }

    async fn doctor(&self, arguments: &[&str]) -> Run {
        self.doctor_as("credential = \"shared-key\"", &[], arguments).await
    }

    async fn doctor_as(&self, credential: &str, variables: &[(&str, &str)], arguments: &[&str]) -> Run {
        let path = self.folder.path();
        let secrets = path.join("secrets");
        std::fs::create_dir_all(&secrets).unwrap();
        for (name, content) in [
            ("account-key", self.key.as_str()),
            ("access-key-id", "AKIAIOSFODNN7EXAMPLE"),
            ("secret-access-key", SECRET),
            ("client-secret", SECRET),
            ("facade", SECRET),
        ] {
            std::fs::write(secrets.join(name), content).unwrap();
        }
        std::fs::write(path.join("bluebucket.toml"), self.configuration(credential)).unwrap();
        let file = path.join("report.json");
        let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_bluebucket"))
            .env_clear()
            .envs(variables.iter().copied())
            .current_dir(path)
            .args(["doctor", "--log", "error", "--report"])
            .arg(&file)
            .args(arguments)
            .output()
            .await
            .unwrap();
        let table = String::from_utf8(output.stdout).unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        let file = std::fs::read_to_string(&file).unwrap_or_else(|_| panic!("no report: {errors}"));
        for secret in [SECRET, &self.key] {
            assert!(!table.contains(secret) && !file.contains(secret) && !errors.contains(secret));
        }
        assert!(!file.contains(DEVELOPMENT_ACCOUNT), "{file}");
        let report = serde_json::from_str(&file).unwrap();
        Run { code: output.status.code().unwrap(), table, file, report }
    }
}

impl Run {
    /// Result and remedy of a check.
    #[track_caller]
    fn check(&self, name: &str) -> (&str, &str) {
        let checks = self.report["checks"].as_array().unwrap();
        let check = checks.iter().find(|check| check["name"] == name);
        let check = check.unwrap_or_else(|| panic!("{name} is not in\n{}", self.table));
        (check["result"].as_str().unwrap(), check["remedy"].as_str().unwrap_or_default())
    }

    #[track_caller]
    fn assert_problem(&self, name: &str, remedy: &str) {
        let (result, told) = self.check(name);
        assert!(result == "problem" && told.contains(remedy), "{name} {remedy}\n{}", self.table);
        assert_eq!(self.code, 1, "{}", self.table);
        assert!(self.table.contains(&format!("PROBLEM  {name}")), "{}", self.table);
    }

    fn findings(&self) -> impl Iterator<Item = (&str, &str)> {
        let findings = self.report["probe"]["findings"].as_array().unwrap();
        findings.iter().map(|finding| (finding["id"].as_str().unwrap(), finding["verdict"].as_str().unwrap()))
    }

    fn with_verdict(&self, verdict: &str) -> Vec<&str> {
        self.findings().filter(|(_, found)| *found == verdict).map(|(id, _)| id).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_is_well() {
    let world = World::new().await;
    let before = world.emulator.counters();
    let run = world.doctor(&[]).await;
    assert_eq!(run.code, 0, "{}", run.table);
    for name in [
        "configuration",
        "azure/network",
        "azure/clock",
        "azure/account",
        "azure/features",
        "container/iceberg/exists",
        "container/iceberg/list",
        "container/iceberg/read",
        "container/bluebucket-state/state",
        "source/default/network",
        "source/default/clock",
        "source/default/credentials",
        "source-bucket/local-iceberg-test/exists",
        "source-bucket/local-iceberg-test/list",
        "source-bucket/local-iceberg-test/read",
        "facade/keys",
        "facade/address",
    ] {
        assert_eq!(run.check(name), ("ok", ""), "{}", run.table);
    }
    assert_eq!(run.check("azure/identity").0, "warning", "{}", run.table);
    let after = world.emulator.counters();
    let writes = ["PutBlob", "PutBlock", "PutBlockList", "DeleteBlob", "CreateContainer", "SetBlobMetadata"];
    assert!(writes.iter().all(|write| before.get(write) == after.get(write)), "without --probe nothing is written");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_stores() {
    let mut world = World::new().await;
    let good = world.store.clone();
    world.store = "http://127.0.0.1:1/devstoreaccount1".into();
    let run = world.doctor(&[]).await;
    run.assert_problem("azure/network", "its port 1 are right");
    assert_eq!(run.check("source-bucket/local-iceberg-test/read").0, "ok", "the source is looked at all the same");

    world.store = good;
    world.key = "a2V5a2V5a2V5a2V5a2V5a2V5".into();
    world.doctor(&[]).await.assert_problem("azure/account", "has not been rotated");
    world.key = DEVELOPMENT_KEY.into();

    world.emulator.clock().advance(Duration::from_secs(600));
    world.doctor(&[]).await.assert_problem("azure/clock", "NTP");

    let world = World::new().await;
    let emulator = Emulator::new(EmulatorConfig::default());
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let store = format!("http://{}/{DEVELOPMENT_ACCOUNT}", listener.local_addr().unwrap());
    tokio::spawn(emulator.serve(listener, std::future::pending()));
    let world = World { store, ..world };
    let run = world.doctor(&[]).await;
    run.assert_problem("container/iceberg/exists", "az storage container create");
    assert_eq!(run.check("container/bluebucket-state/state").0, "warning", "{}", run.table);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_sources() {
    let mut world = World::new().await;
    world.source.set_region("eu-central-1");
    world.doctor(&[]).await.assert_problem("source-bucket/local-iceberg-test/exists", "region");
    world.source.set_region("us-east-1");

    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    world.source.freeze_clock(since_epoch - Duration::from_secs(500));
    world.doctor(&[]).await.assert_problem("source/default/clock", "NTP");

    world.source.set_access(Access::Verified(Vec::new()));
    world.doctor(&[]).await.assert_problem("source-bucket/local-iceberg-test/exists", "does not know the access key");

    world.source_url = "http://127.0.0.1:1".into();
    world.doctor(&[]).await.assert_problem("source/default/network", "that the service runs");
    world.source_url = "http://nowhere.invalid".into();
    world.doctor(&[]).await.assert_problem("source/default/network", "spelling");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_bucket_is_told() {
    let world = World::new().await;
    let empty = S3Source::new(1);
    let listening = empty.listen().await.unwrap();
    let world = World { source_url: listening.url(), ..world };
    world.doctor(&[]).await.assert_problem("source-bucket/local-iceberg-test/exists", "source_bucket");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_probe_finds_the_emulator_as_expected() {
    let world = World::new().await;
    let run = world.doctor(&["--probe"]).await;
    assert_eq!(run.code, 0, "{}", run.table);
    println!("{}", run.table);
    assert_eq!(run.with_verdict("different"), Vec::<&str>::new(), "{}", run.table);
    assert_eq!(run.with_verdict("unanswered"), Vec::<&str>::new(), "{}", run.table);
    assert!(run.with_verdict("not-applicable").iter().all(|id| id.starts_with("hns-") || id.ends_with("-sas")));
    assert!(run.findings().count() >= 50, "{}", run.table);
    for name in ["probe/cleanup", "container/iceberg/write", "container/create", "probe/findings"] {
        assert_eq!(run.check(name).0, "ok", "{}", run.table);
    }
    assert!(!run.file.contains("bluebucket-probe-"), "nothing is left that would have to be named");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_probe_with_an_entra_identity() {
    let world = World::new().await;
    let entra = Entra::start(Duration::from_secs(3600)).await;
    let credential = format!("credential = \"client-secret\"\ntenant_id = \"{TENANT}\"\nclient_id = \"{CLIENT}\"");
    let variables = [("AZURE_AUTHORITY_HOST", entra.url.as_str())];
    let run = world.doctor_as(&credential, &variables, &["--probe"]).await;
    assert_eq!(run.check("azure/identity").0, "ok", "{}", run.table);
    assert_eq!(run.with_verdict("different"), Vec::<&str>::new(), "{}", run.table);
    assert!(run.with_verdict("as-expected").contains(&"copy-block-delegation-sas"), "{}", run.table);
    assert!(!run.file.contains(TENANT) && !run.file.contains(CLIENT));

    let scope = FaultScope::operation(Operation::PutBlockFromUrl);
    let trigger = Trigger::EveryNth(1);
    world.emulator.set_fault(FaultRule { scope, trigger, fault: Fault::RefuseCopySource });
    let run = world.doctor_as(&credential, &variables, &["--probe"]).await;
    assert!(run.with_verdict("different").contains(&"copy-block"), "{}", run.table);
    assert_eq!((run.code, run.check("probe/findings").0), (0, "warning"), "{}", run.table);

    entra.set_down(true);
    let run = world.doctor_as(&credential, &variables, &["--probe"]).await;
    run.assert_problem("azure/identity", "the secret has not expired");
}

/// Where Azurite is known to be wrong, the probe has to see it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_probe_tells_azurite_from_the_service() {
    let Some(azurite) = start_azurite(None).await else { return };
    let world = World { store: azurite.url.clone(), ..World::new().await };
    let (account, credential) = bluebucket::blob::Credential::from_connection_string(&format!(
        "AccountName={DEVELOPMENT_ACCOUNT};AccountKey={DEVELOPMENT_KEY};BlobEndpoint={}",
        azurite.url
    ))
    .unwrap();
    let limits = bluebucket::net::PoolLimits {
        connections_max: 4,
        idle_max: Duration::from_secs(3),
        connect_timeout: Duration::from_secs(5),
        read_timeout: Duration::from_secs(30),
    };
    let http = bluebucket::net::Client::new(bluebucket::net::Dialer::network(None), limits);
    let client = bluebucket::blob::BlobClient::new(account, credential, http, Default::default());
    client.create_container(&bluebucket::object::ContainerName::new(CONTAINER).unwrap()).await.unwrap();
    let run = world.doctor(&["--probe"]).await;
    println!("{}", run.table);
    let different = run.with_verdict("different");
    for known in [
        "put-discards-blocks",
        "delete-discards-blocks",
        "empty-block",
        "metadata-over-8-kib",
        "name-1025",
        "name-control",
        "copy-blob",
    ] {
        assert!(different.contains(&known), "{known}\n{}", run.table);
    }
    for right in
        ["crc64-reversed", "crc64-as-s3", "put-none-match", "list-order", "start-from", "commit-consumes-blocks"]
    {
        assert!(run.with_verdict("as-expected").contains(&right), "{right}\n{}", run.table);
    }
    assert_eq!(run.check("probe/cleanup").0, "ok", "{}", run.table);
}
