//! The program as operators run it: an emulated account and replicas of the facade, each a process of
//! its own on ports that the system chose. `BLUEBUCKET` names another build of it than cargo's own.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::http1::{Head, Wire, response_framing};
use super::product::{ACCESS_KEY, BUCKET, CONTAINER, REGION, SECRET};
use super::s3_client::S3Client;
use super::sigv4::Credentials;

/// Longest time for a process to begin or to end.
const PATIENCE: Duration = Duration::from_secs(60);
/// The key of the development account, which everybody knows.
const ACCOUNT_KEY: &str = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// The emulated account.
pub struct Store {
    pub address: SocketAddr,
    _process: Process,
}

/// One replica of the facade.
pub struct Replica {
    pub address: SocketAddr,
    pub admin: SocketAddr,
    process: Process,
}

struct Process {
    child: Child,
    output: Lines,
    errors: Lines,
}

impl Store {
    /// Begins an account with the container of [`BUCKET`]; `options` as the command `emulator` knows them.
    pub async fn start(options: &[&str]) -> Self {
        let mut command = command();
        command.args(["emulator", "--listen", "127.0.0.1:0", "--container", CONTAINER]);
        command.args(["--container", "bluebucket-state"]).args(options);
        let process = Process::start(command);
        let line = process.output.await_line("BlobEndpoint=http://").await;
        let address = line.split("BlobEndpoint=http://").nth(1).and_then(|rest| rest.split('/').next());
        Self { address: address.unwrap().parse().unwrap(), _process: process }
    }
}

impl Replica {
    /// Begins a replica; `limits` are the lines of `[facade.limits]`. Returns when it serves.
    pub async fn start(store: &Store, limits: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("replica.toml");
        std::fs::write(&file, config(store.address, limits)).unwrap();
        let process = Process::start(serve_command(&file));
        let line = process.errors.await_line("\"serving\"").await;
        let fields: serde_json::Value = serde_json::from_str(&line).unwrap();
        let address = |name: &str| {
            let text = find(&fields, name).unwrap_or_else(|| panic!("no {name} in {line}"));
            text.trim_start_matches("http://").parse().unwrap()
        };
        Self { address: address("listen"), admin: address("admin"), process }
    }

    pub fn client(&self) -> S3Client {
        client_of(self.address)
    }

    /// Asks it to end, as Kubernetes does it.
    pub fn terminate(&self) {
        self.process.signal("TERM");
    }

    /// Ends it at once.
    pub fn kill(&self) {
        self.process.signal("KILL");
    }

    /// Waits for its end.
    pub async fn ended(&mut self) -> ExitStatus {
        timeout(PATIENCE, self.process.child.wait()).await.expect("the replica does not end").unwrap()
    }

    /// Its log so far.
    pub fn log(&self) -> String {
        self.process.errors.text()
    }

    /// Peak of its resident memory in bytes.
    pub fn peak_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
    }

    /// Status and body of a page of the admin listener.
    pub async fn admin_page(&self, path: &str) -> std::io::Result<(u16, String)> {
        let mut wire = Wire::new(TcpStream::connect(self.admin).await?);
        wire.write(format!("GET {path} HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n").as_bytes()).await?;
        let head = wire.read_head().await?.ok_or(std::io::ErrorKind::UnexpectedEof)?;
        let status = status_of(&head);
        let body = wire.read_body(response_framing("GET", status, &head)).await.map_err(|cut| cut.error)?;
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    }

    /// The value of a metric without labels, or with those given: `name{a="b"}`.
    pub async fn metric(&self, name: &str) -> f64 {
        let (_, text) = self.admin_page("/metrics").await.unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {name} in\n{text}")).parse().unwrap()
    }
}

/// A client of whatever listens at an address and leads to a replica.
pub fn client_of(address: SocketAddr) -> S3Client {
    S3Client::tcp(address, Credentials::new(ACCESS_KEY, SECRET))
}

/// What the command `status` prints about the process of an admin listener.
pub async fn status_of_process(admin: SocketAddr) -> String {
    let output = command().args(["status", "--admin", &admin.to_string()]).output().await.unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The status of an answer; 0 if it says none.
pub fn status_of(head: &Head) -> u16 {
    head.first.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}

fn config(store: SocketAddr, limits: &str) -> String {
    format!(
        "[azure]\nendpoint = \"http://{store}/devstoreaccount1\"\ncredential = \"shared-key\"\n\
         [[bucket]]\nname = \"{BUCKET}\"\ncontainer = \"{CONTAINER}\"\n\
         [facade]\nlisten = \"127.0.0.1:0\"\nregion = \"{REGION}\"\n\
         [facade.limits]\n{limits}\n\
         [[facade.key]]\nname = \"tests\"\naccess_key_id = \"{ACCESS_KEY}\"\nsecret_env = \"REPLICA_SECRET\"\nbuckets = [\"*\"]\n\
         [admin]\nlisten = \"127.0.0.1:0\"\n[log]\nformat = \"json\"\nfilter = \"info\"\n"
    )
}

fn command() -> Command {
    let program = std::env::var_os("BLUEBUCKET").unwrap_or_else(|| env!("CARGO_BIN_EXE_bluebucket").into());
    let mut command = Command::new(program);
    // Of this environment nothing is meant for it, and what it does not know it refuses.
    command.env_clear();
    command
}

fn serve_command(file: &Path) -> Command {
    let mut command = command();
    command.arg("--config").arg(file).arg("serve");
    command.env("AZURE_STORAGE_KEY", ACCOUNT_KEY).env("REPLICA_SECRET", SECRET);
    command
}

/// The value of a field, wherever the log puts it.
fn find<'a>(value: &'a serde_json::Value, name: &str) -> Option<&'a str> {
    let object = value.as_object()?;
    object.get(name).and_then(|found| found.as_str()).or_else(|| object.values().find_map(|inner| find(inner, name)))
}

impl Process {
    fn start(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let (output, errors) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        Self { child, output: Lines::follow(output), errors: Lines::follow(errors) }
    }

    fn id(&self) -> u32 {
        self.child.id().expect("the process has ended")
    }

    fn signal(&self, name: &str) {
        let sent = std::process::Command::new("kill").args([format!("-{name}"), self.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }
}

/// What a process prints, read all the time so that it never blocks.
struct Lines {
    lines: Arc<Mutex<Vec<String>>>,
    _reader: JoinHandle<()>,
}

impl Lines {
    fn follow(source: impl AsyncRead + Unpin + Send + 'static) -> Self {
        let lines: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = lines.clone();
        let mut source = BufReader::new(source).lines();
        let reader = tokio::spawn(async move {
            while let Ok(Some(line)) = source.next_line().await {
                kept.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
        });
        Self { lines, _reader: reader }
    }

    async fn await_line(&self, part: &str) -> String {
        for _ in 0..PATIENCE.as_millis() / 10 {
            let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Some(line) = lines.into_iter().find(|line| line.contains(part)) {
                return line;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("nothing like {part} was printed, but:\n{}", self.text());
    }

    fn text(&self) -> String {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).join("\n")
    }
}
