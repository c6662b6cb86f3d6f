//! The whole program at its most talkative level, with every kind of credential: nothing secret is in its log, its
//! output, its reports, its metrics or its status.

#[path = "harness/entra.rs"]
mod entra;
#[path = "harness/harness.rs"]
mod harness;

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use bluebucket::emulator::{
    AccountConfig, DEVELOPMENT_ACCOUNT, Emulator, EmulatorConfig, Fault, FaultRule, FaultScope, Operation, Trigger,
};
use entra::{CLIENT, Entra, TENANT};
use harness::hash;
use harness::s3_client::{BodyMode, RawRequest, S3Client};
use harness::s3_source::{Access, Listening, Object, S3Source};
use harness::sigv4::Credentials;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

const BUCKET: &str = "local-iceberg-test";
const CONTAINER: &str = "iceberg";
const STATE: &str = "bluebucket-state";
const ACCESS_KEY: &str = "AKTRINO";
const FACADE_SECRET: &str = "canary-facade+secret/0123456789";
const SOURCE_KEY: &str = "AKSOURCE";
const SOURCE_SECRET: &str = "canary-source+secret/0123456789";
const SOURCE_TOKEN: &str = "canary-source-session-token-0123456789";
const CLIENT_SECRET: &str = "canary~client.secret-0123456789";
const ACCOUNT_KEY: &[u8] = b"canary account key of thirty-two";

/// An account with a key of its own, a source that checks signatures, an identity service, and a configuration.
struct World {
    emulator: Arc<Emulator>,
    entra: Entra,
    folder: tempfile::TempDir,
    store: String,
    source: S3Source,
    listening: Listening,
    /// Everything that was written, with the name of who wrote it.
    written: Vec<(String, String)>,
    /// Signatures and tokens that went over the wire.
    secrets: Vec<String>,
}

impl World {
    async fn new() -> Self {
        let account =
            AccountConfig { key_base64: Some(hash::base64(ACCOUNT_KEY)), ..AccountConfig::memory(DEVELOPMENT_ACCOUNT) };
        let emulator = Emulator::new(EmulatorConfig { accounts: vec![account], ..EmulatorConfig::default() });
        emulator.create_container(DEVELOPMENT_ACCOUNT, CONTAINER);
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let store = format!("http://{}/{DEVELOPMENT_ACCOUNT}", listener.local_addr().unwrap());
        tokio::spawn(emulator.clone().serve(listener, std::future::pending()));
        let source = S3Source::new(harness::random::seed("program_secrets"));
        source.create_bucket(BUCKET);
        for index in 0..20 {
            source.put(BUCKET, &format!("data/{index}"), Object::synthetic(index, 100_000 * index));
        }
        source.put(BUCKET, "archived", Object::bytes("x").archived("GLACIER"));
        let credentials =
            Credentials { session_token: Some(SOURCE_TOKEN.into()), ..Credentials::new(SOURCE_KEY, SOURCE_SECRET) };
        source.set_access(Access::Verified(vec![credentials]));
        let listening = source.listen().await.unwrap();
        let entra = Entra::start(Duration::from_secs(3600)).await;
        let folder = tempfile::tempdir().unwrap();
        let mut world =
            Self { emulator, entra, folder, store, source, listening, written: Vec::new(), secrets: Vec::new() };
        world.write_secrets();
        world
    }

    fn write_secrets(&mut self) {
        let secrets = self.folder.path().join("secrets");
        std::fs::create_dir_all(&secrets).unwrap();
        let sas = account_sas();
        for (name, content) in [
            ("AZURE_STORAGE_ACCOUNT_KEY", hash::base64(ACCOUNT_KEY)),
            ("AZURE_STORAGE_SAS_TOKEN", sas.clone()),
            ("AZURE_CLIENT_SECRET", CLIENT_SECRET.into()),
            ("AWS_ACCESS_KEY_ID", SOURCE_KEY.into()),
            ("AWS_SECRET_ACCESS_KEY", SOURCE_SECRET.into()),
            ("AWS_SESSION_TOKEN", SOURCE_TOKEN.into()),
            ("facade", FACADE_SECRET.into()),
        ] {
            std::fs::write(secrets.join(name), content).unwrap();
        }
        self.secrets.push(sas.rsplit_once("sig=").unwrap().1.to_owned());
    }

    fn configure(&self, credential: &str) {
        let identity = match credential {
            "client-secret" => format!("tenant_id = \"{TENANT}\"\nclient_id = \"{CLIENT}\"\n"),
            _ => String::new(),
        };
        let text = format!(
            "[azure]\naccount = \"{DEVELOPMENT_ACCOUNT}\"\nendpoint = \"{}\"\ncredential = \"{credential}\"\n{identity}\
             secrets_dir = \"secrets\"\n\
             [source]\nregion = \"us-east-1\"\nendpoint = \"{}\"\naddressing = \"path\"\ncredentials = \"directory\"\n\
             secrets_dir = \"secrets\"\n\
             [[bucket]]\nname = \"{BUCKET}\"\ncontainer = \"{CONTAINER}\"\n\
             [facade]\nlisten = \"127.0.0.1:0\"\n[facade.limits]\ndrain_delay = \"0s\"\ndrain_timeout = \"1s\"\n\
             [[facade.key]]\nname = \"trino\"\naccess_key_id = \"{ACCESS_KEY}\"\nsecret_file = \"secrets/facade\"\n\
             buckets = [\"*\"]\n\
             [mover]\nreport = \"report.ndjson\"\n\
             [admin]\nlisten = \"127.0.0.1:0\"\n[log]\nfilter = \"trace\"\n",
            self.store,
            self.listening.url(),
        );
        std::fs::write(self.folder.path().join("bluebucket.toml"), text).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bluebucket"));
        command.env_clear().env("AZURE_AUTHORITY_HOST", &self.entra.url).env("RUST_BACKTRACE", "1");
        command.current_dir(self.folder.path()).args(arguments).stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    /// Runs a command to its end, whatever that is.
    async fn run(&mut self, credential: &str, arguments: &[&str]) -> Option<i32> {
        let output = self.command(arguments).output().await.unwrap();
        let name = format!("{credential}: {}", arguments.join(" "));
        self.written.push((format!("{name}, output"), String::from_utf8_lossy(&output.stdout).into_owned()));
        self.written.push((format!("{name}, log"), String::from_utf8_lossy(&output.stderr).into_owned()));
        output.status.code()
    }

    /// Files that the program wrote itself.
    fn read_reports(&mut self, credential: &str) {
        for name in ["report.ndjson", "doctor.json"] {
            if let Ok(text) = std::fs::read_to_string(self.folder.path().join(name)) {
                self.written.push((format!("{credential}: {name}"), text));
            }
        }
    }

    /// A server, asked well and badly, that meets faults of the account.
    async fn serve(&mut self, credential: &str) {
        let mut child = self.command(&["serve"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut errors = child.stderr.take().unwrap();
        let mut log = Vec::new();
        let (facade, admin) = loop {
            let mut piece = [0; 64 << 10];
            let read = tokio::time::timeout(Duration::from_secs(30), errors.read(&mut piece)).await;
            let count = read.expect("the server starts").unwrap();
            assert!(count > 0, "the server ended: {}", String::from_utf8_lossy(&log));
            log.extend_from_slice(&piece[..count]);
            if let Some(found) = addresses(&String::from_utf8_lossy(&log)) {
                break found;
            }
        };
        let rest = tokio::spawn(async move {
            let mut rest = Vec::new();
            let _ = errors.read_to_end(&mut rest).await;
            rest
        });
        self.ask(facade).await;
        for path in ["/metrics", "/status", "/", "/readyz", "/healthz", "/config", "/env", "/debug/pprof"] {
            let answer = get(admin, path).await;
            assert!(answer.starts_with("HTTP/1.1 "), "{path}: {answer}");
            self.written.push((format!("{credential}: {path}"), answer));
        }
        let pid = child.id().unwrap().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
        let output = child.wait_with_output().await.unwrap();
        log.extend(rest.await.unwrap());
        self.written
            .push((format!("{credential}: serve, output"), String::from_utf8_lossy(&output.stdout).into_owned()));
        self.written.push((format!("{credential}: serve, log"), String::from_utf8_lossy(&log).into_owned()));
    }

    async fn ask(&mut self, facade: std::net::SocketAddr) {
        let client = S3Client::tcp(facade, Credentials::new(ACCESS_KEY, FACADE_SECRET));
        let with_token = Credentials {
            session_token: Some("canary-client-session-token".into()),
            ..Credentials::new(ACCESS_KEY, FACADE_SECRET)
        };
        self.secrets.push("canary-client-session-token".into());
        let stranger = Credentials::new("AKNOBODY", "canary-secret-of-nobody-0123456789");
        let mut requests: Vec<RawRequest> = BodyMode::ALL
            .into_iter()
            .map(|mode| client.object("PUT", BUCKET, "key").body(&[7; 200_000], mode).build())
            .collect();
        for client in [client.clone(), client.with_credentials(with_token), client.with_credentials(stranger)] {
            requests.push(client.object("GET", BUCKET, "data/3").build());
            requests.push(client.object("GET", BUCKET, "data/3").presigned(60).build());
            requests.push(client.object("GET", BUCKET, "none").presigned(60).skewed(-3_600).build());
            requests.push(client.object("GET", BUCKET, "none").skewed(-3_600).build());
            requests.push(client.request("GET", &format!("/{BUCKET}?list-type=2")).build());
            requests.push(client.request("POST", &format!("/{BUCKET}/big?uploads")).build());
            requests.push(
                client.object("PUT", BUCKET, "copy").header("x-amz-copy-source", "local-iceberg-test/data/3").build(),
            );
        }
        for index in 0..requests.len() {
            let mut spoiled = requests[index].clone();
            spoiled.spoil_signature();
            requests.push(spoiled);
        }
        for request in &requests {
            self.secrets.extend(signature(request));
            let answer = client.send(request).await.unwrap();
            let head: Vec<_> = answer.head.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
            self.written.push((
                format!("answer to {} {}", request.method, request.target.split('?').next().unwrap()),
                format!("{head:?}\n{}", answer.text()),
            ));
        }
        let fault = |operation, fault| {
            let scope = FaultScope::operation(operation);
            self.emulator.set_fault(FaultRule { scope, trigger: Trigger::EveryNth(2), fault });
        };
        fault(Operation::GetBlob, Fault::TokenExpired);
        fault(Operation::PutBlob, Fault::ConnectionLost);
        fault(Operation::ListBlobs, Fault::TimeoutBefore);
        for request in requests.iter().take(12) {
            let mut again = client.request(&request.method, &request.target).build();
            again.headers.retain(|(name, _)| name != "content-length");
            let _ = client.send(&again).await;
        }
        self.emulator.set_faults(Default::default());
    }

    fn assert_nothing_leaked(&self) {
        let known = [
            FACADE_SECRET,
            SOURCE_SECRET,
            SOURCE_TOKEN,
            CLIENT_SECRET,
            "canary-secret-of-nobody",
            "canary account key",
            "canary-",
            "canary~",
            "canary%",
        ];
        let mut known: Vec<String> = known.map(str::to_owned).to_vec();
        known.extend([FACADE_SECRET, SOURCE_SECRET, CLIENT_SECRET].map(|secret| hash::base64(secret.as_bytes())));
        known.push(hash::base64(ACCOUNT_KEY).trim_end_matches('=').to_owned());
        // Every token of the identity service begins so.
        known.push(entra::token(3_600, 1).split('.').next().unwrap().to_owned());
        known.extend(self.secrets.iter().cloned());
        let mut leaks = Vec::new();
        for (who, text) in &self.written {
            for secret in &known {
                if let Some(at) = text.find(secret.as_str()) {
                    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
                    let line: String = text[start..].chars().take(400).collect();
                    leaks.push(format!("{who} holds {secret}: {line}"));
                }
            }
            leaks.extend(unmasked(text).into_iter().map(|found| format!("{who} holds {found}")));
        }
        assert!(leaks.is_empty(), "{} leaks\n{}", leaks.len(), leaks[..leaks.len().min(20)].join("\n"));
    }
}

/// `sig=`, `Signature=` and their like with a value behind them that is not masked.
fn unmasked(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for marker in [
        "sig=",
        "Signature=",
        "SharedKey devstoreaccount1:",
        "Bearer ey",
        "AccountKey=",
        "client_secret=",
        "client_assertion=",
    ] {
        for (at, _) in text.match_indices(marker) {
            let value: String = text[at + marker.len()..].chars().take(24).collect();
            let word = value.chars().take_while(|c| c.is_ascii_alphanumeric() || "%+/_-".contains(*c)).count();
            if word >= 12 {
                found.push(format!("{marker}{value}"));
            }
        }
    }
    found
}

fn signature(request: &RawRequest) -> Option<String> {
    let of = |text: &str| Some(text.split_once("Signature=")?.1.chars().take(64).collect());
    request.header("authorization").and_then(of).or_else(|| of(&request.target))
}

/// The addresses of facade and admin listener, once the log tells them.
fn addresses(log: &str) -> Option<(std::net::SocketAddr, std::net::SocketAddr)> {
    let line = log.lines().find(|line| line.contains(" serving ") && line.contains("admin="))?;
    let after = |name: &str| line.split_once(name)?.1.split_whitespace().next()?.trim_matches('"').parse().ok();
    Some((after("listen=http://").or_else(|| after("listen=\"http://"))?, after("admin=")?))
}

async fn get(address: std::net::SocketAddr, path: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

/// A SAS for the whole account (Azure Storage REST reference, "Create an account SAS").
fn account_sas() -> String {
    let (permissions, expires, version) = ("rwdlac", "2099-01-01T00:00:00Z", "2021-12-02");
    let text = format!("{DEVELOPMENT_ACCOUNT}\n{permissions}\nb\nsco\n\n{expires}\n\n\n{version}\n\n");
    let signature = hash::base64(&hash::hmac_sha256(ACCOUNT_KEY, text.as_bytes()));
    let signature = harness::percent::encode(signature.as_bytes(), b"");
    format!("sv={version}&ss=b&srt=sco&sp={permissions}&se={expires}&sig={signature}")
}

/// The search can fail.
#[test]
fn the_search_finds_what_it_should() {
    for text in [
        "GET /c/b?sv=1&sig=AbCdEf%2F0123456789&se=1",
        "Credential=AK/1, Signature=0123456789abcdef",
        "authorization: SharedKey devstoreaccount1:AbCdEf/0123456789=",
        "Bearer eyJhbGciOiJSUzI1NiJ9.e30.x",
        "AccountName=a;AccountKey=AbCdEf0123456789==",
    ] {
        assert_eq!(unmasked(text).len(), 1, "{text}");
        assert!(unmasked(&bluebucket::telemetry::redact::scrub(text)).is_empty(), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_secret_is_written_at_the_most_talkative_level() {
    let mut world = World::new().await;
    world.emulator.create_container(DEVELOPMENT_ACCOUNT, STATE);
    for credential in ["shared-key", "client-secret", "sas"] {
        world.configure(credential);
        assert_eq!(world.run(credential, &["config", "check"]).await, Some(0), "{:?}", world.written);
        assert_eq!(world.run(credential, &["config", "show"]).await, Some(0));
        world.run(credential, &["doctor", "--probe", "--report", "doctor.json"]).await;
        world.run(credential, &["plan", "--json"]).await;
        let code = world.run(credential, &["backfill", "--json"]).await;
        assert_eq!(code, Some(3), "one object is archived: {:?}", world.written.last());
        let code = world.run(credential, &["verify", "--mode", "hash", "--json"]).await;
        assert!(matches!(code, Some(0 | 3)), "{:?}", world.written.last());
        world.run(credential, &["status"]).await;
        world.serve(credential).await;
        world.read_reports(credential);
    }
    // The same where nothing works: errors tell most.
    world.source.set_access(Access::Verified(Vec::new()));
    world.entra.set_down(true);
    for credential in ["client-secret", "sas"] {
        world.configure(credential);
        world.run(credential, &["doctor", "--report", "doctor.json"]).await;
        world.run(credential, &["backfill", "--json"]).await;
        world.read_reports(credential);
    }
    let log: usize = world.written.iter().filter(|(who, _)| who.ends_with("log")).map(|(_, text)| text.len()).sum();
    let traced = world.written.iter().filter(|(_, text)| text.contains("TRACE") || text.contains("DEBUG")).count();
    assert!(log > 10_000 && traced > 5, "hardly anything was logged: {log} bytes, {traced} texts");
    world.assert_nothing_leaked();
}
