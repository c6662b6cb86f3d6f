//! The processes: an emulated account and two replicas in front of it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::sleep;

use crate::harness::s3_client::S3Client;
use crate::harness::sigv4::Credentials;

pub const BUCKET: &str = "local-rocksdb-test";
const CONTAINER: &str = "flink";
const KEY: &str = "BBFLINK";
const SECRET: &str = "a-secret-that-is-long-enough";
/// Share of the account's answers, in percent, that are refusals or are lost.
const FAULTS: &str = "4";
const START_MAX: Duration = Duration::from_secs(30);

pub struct Fleet {
    folder: tempfile::TempDir,
    store: String,
    _emulator: Child,
    replicas: [Replica; 2],
}

/// A place where a replica runs, most of the time.
struct Replica {
    address: SocketAddr,
    process: Mutex<Option<Child>>,
}

impl Fleet {
    /// Starts everything. The processes end with it.
    pub async fn start(seed: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut emulator = Command::new(program())
            .args(["emulator", "--listen", "127.0.0.1:0", "--container", CONTAINER, "--faults", FAULTS, "--seed"])
            .arg(seed.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(emulator.stdout.take().unwrap()).lines();
        let store = lines.next_line().await.unwrap().expect("the emulator says how it is reached");
        let replica = || Replica { address: free_address(), process: Mutex::new(None) };
        let fleet = Self { folder, store, _emulator: emulator, replicas: [replica(), replica()] };
        for which in 0..fleet.replicas.len() {
            std::fs::write(fleet.config(which), configuration(fleet.replicas[which].address)).unwrap();
            fleet.launch(which).await;
        }
        fleet
    }

    /// A client of one of the replicas.
    pub fn client(&self, which: usize) -> S3Client {
        S3Client::tcp(self.replicas[which].address, Credentials::new(KEY, SECRET))
    }

    /// SIGKILL: whatever it was doing ends where it is.
    pub async fn kill(&self, which: usize) {
        let process = self.replicas[which].process.lock().unwrap().take();
        if let Some(mut process) = process {
            process.kill().await.unwrap();
        }
    }

    /// Starts a replica and waits until it answers.
    pub async fn launch(&self, which: usize) {
        let began = Instant::now();
        let mut process = self.spawn(which);
        loop {
            if self.client(which).send(&self.client(which).request("GET", "/").anonymous().build()).await.is_ok() {
                break;
            }
            // The account's faults may keep it from starting.
            if process.try_wait().unwrap().is_some() {
                process = self.spawn(which);
            }
            assert!(began.elapsed() < START_MAX, "replica {which} does not start: {}", self.log(which));
            sleep(Duration::from_millis(10)).await;
        }
        *self.replicas[which].process.lock().unwrap() = Some(process);
    }

    fn spawn(&self, which: usize) -> Child {
        let log = std::fs::File::options().create(true).append(true).open(self.log_file(which)).unwrap();
        Command::new(program())
            // Of this environment nothing is meant for it.
            .env_clear()
            .args(["serve", "--config"])
            .arg(self.config(which))
            .env("AZURE_STORAGE_CONNECTION_STRING", &self.store)
            .env("RACES_SECRET", SECRET)
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .unwrap()
    }

    fn config(&self, which: usize) -> PathBuf {
        self.folder.path().join(format!("replica-{which}.toml"))
    }

    fn log_file(&self, which: usize) -> PathBuf {
        self.folder.path().join(format!("replica-{which}.log"))
    }

    fn log(&self, which: usize) -> String {
        let text = std::fs::read_to_string(self.log_file(which)).unwrap_or_default();
        text.lines().rev().take(10).collect::<Vec<_>>().join("\n")
    }
}

/// The program under test: the one that a stage has built, or that of this build.
fn program() -> PathBuf {
    std::env::var_os("BLUEBUCKET").map_or_else(|| Path::new(env!("CARGO_BIN_EXE_bluebucket")).into(), PathBuf::from)
}

fn free_address() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn configuration(address: SocketAddr) -> String {
    format!(
        r#"
[azure]
credential = "connection-string"
allow_plaintext = true

[[bucket]]
name = "{BUCKET}"
container = "{CONTAINER}"

[facade]
listen = "{address}"
region = "us-east-1"

[facade.limits]
threads = 1

[[facade.key]]
name = "races"
access_key_id = "{KEY}"
secret_env = "RACES_SECRET"
buckets = ["{BUCKET}"]

[admin]
listen = "127.0.0.1:0"

[log]
format = "human"
filter = "info"
"#
    )
}
