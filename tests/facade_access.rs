//! Key pairs, their rules, and the facade's certificate, as a configuration and mounted files give them:
//! from the files to what a client on the network sees, while the facade runs.

#[path = "harness/harness.rs"]
mod harness;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bluebucket::config::{Config, Environment, Secrets, watch};
use bluebucket::daemon::{FacadeServer, Process};
use bluebucket::emulator::{DEVELOPMENT_ACCOUNT, DEVELOPMENT_KEY, Emulator, EmulatorConfig};
use bluebucket::net::tls::{Roots, Trust, client_config};
use harness::http1::Wire;
use harness::s3_client::{BodyMode, Response, S3Client};
use harness::sigv4::Credentials;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

const BUCKET: &str = "local-rocksdb-test";
const OTHER_BUCKET: &str = "local-iceberg-test";

/// A folder with a configuration and what it names.
struct Files {
    folder: tempfile::TempDir,
    store: String,
}

impl Files {
    async fn new() -> (Self, Arc<Emulator>) {
        let emulator = Emulator::new(EmulatorConfig::default());
        for container in ["flink", "iceberg", "bluebucket-state"] {
            emulator.create_container(DEVELOPMENT_ACCOUNT, container);
        }
        let entrance = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let store = format!("http://{}/{DEVELOPMENT_ACCOUNT}", entrance.local_addr().unwrap());
        tokio::spawn(emulator.clone().serve(entrance, std::future::pending()));
        (Self { folder: tempfile::tempdir().unwrap(), store }, emulator)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// The configuration with what a test says of the facade.
    fn configure(&self, facade: &str) {
        let store = &self.store;
        self.write(
            "bluebucket.toml",
            &format!(
                "[azure]\naccount = \"{DEVELOPMENT_ACCOUNT}\"\nendpoint = \"{store}\"\ncredential = \"shared-key\"\n\
                 secrets_dir = \"azure\"\nallow_plaintext = true\n\
                 [[bucket]]\nname = \"{BUCKET}\"\ncontainer = \"flink\"\n\
                 [[bucket]]\nname = \"{OTHER_BUCKET}\"\ncontainer = \"iceberg\"\n\
                 [facade]\nlisten = \"127.0.0.1:0\"\nsecrets_dir = \"keys\"\n[facade.limits]\nthreads = 1\n{facade}"
            ),
        );
        self.write("azure/AZURE_STORAGE_ACCOUNT_KEY", DEVELOPMENT_KEY);
    }

    fn load(&self) -> Result<Config, String> {
        let path = self.path("bluebucket.toml");
        Config::load(&path, &Environment::default(), Secrets::Required).map_err(|mistakes| mistakes.to_string())
    }
}

/// A facade that follows its files, as `serve` does.
struct Running {
    address: SocketAddr,
    _following: tokio::task::JoinHandle<()>,
}

async fn start(files: &Files) -> Running {
    let config = Arc::new(files.load().unwrap());
    let process = Process::new(config.clone()).await.unwrap();
    let first = config.facade.clone().unwrap();
    let facade = FacadeServer::start(&config, &first, &process.azure, &process.metrics).unwrap();
    let address = facade.address;
    let mut changes = watch(files.path("bluebucket.toml"), Environment::default(), config, Duration::from_millis(5));
    let following = tokio::spawn(async move {
        while changes.changed().await.is_ok() {
            let config = changes.borrow_and_update().clone();
            facade.replace_keys(config.facade.as_ref().unwrap(), &process.metrics);
            facade.reload_certificate().unwrap();
        }
    });
    Running { address, _following: following }
}

impl Running {
    fn client(&self, id: &str, secret: &str) -> S3Client {
        S3Client::tcp(self.address, Credentials::new(id, secret))
    }
}

/// Asks until the answer is as expected: a file that has changed is seen soon, not at once.
async fn until(what: &str, mut ask: impl AsyncFnMut() -> bool) {
    let reached = async {
        while !ask().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), reached).await.unwrap_or_else(|_| panic!("never: {what}"));
}

fn key(name: &str, id: &str, rest: &str) -> String {
    format!("[[facade.key]]\nname = \"{name}\"\naccess_key_id = \"{id}\"\n{rest}\n")
}

const EVERYWHERE: &str = "buckets = [\"*\"]";
const OLD: &str = "canary-old-secret-0123456789";
const NEW: &str = "canary-new-secret-0123456789";

#[tokio::test(flavor = "multi_thread")]
async fn key_pairs_rotate_while_the_facade_runs() {
    let (files, _emulator) = Files::new().await;
    files.write("keys/AKOLD", OLD);
    files.configure(&key("flink", "AKOLD", EVERYWHERE));
    let facade = start(&files).await;
    let (old, new) = (facade.client("AKOLD", OLD), facade.client("AKNEW", NEW));
    assert_eq!(old.put(BUCKET, "key", b"x").await.unwrap().status, 200);
    assert_eq!(new.get(BUCKET, "key").await.unwrap().status, 403);
    // Both are valid for as long as both are there.
    files.write("keys/AKNEW", NEW);
    files.configure(&(key("flink", "AKOLD", EVERYWHERE) + &key("flink", "AKNEW", EVERYWHERE)));
    until("the new key pair is valid", async || new.get(BUCKET, "key").await.unwrap().status == 200).await;
    assert_eq!(old.get(BUCKET, "key").await.unwrap().status, 200);
    // A wrong configuration changes nothing.
    files.write("keys/AKNEW", "short");
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert_eq!(new.get(BUCKET, "key").await.unwrap().status, 200);
    // The same id with another secret.
    files.write("keys/AKNEW", OLD);
    let renewed = facade.client("AKNEW", OLD);
    until("the new secret is valid", async || renewed.get(BUCKET, "key").await.unwrap().status == 200).await;
    assert_eq!(new.get(BUCKET, "key").await.unwrap().code().as_deref(), Some("SignatureDoesNotMatch"));
    files.configure(&key("flink", "AKNEW", EVERYWHERE));
    until("the old key pair is gone", async || {
        old.get(BUCKET, "key").await.unwrap().code().as_deref() == Some("InvalidAccessKeyId")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_name_bucket_prefix_and_verbs() {
    let (files, emulator) = Files::new().await;
    files.write("keys/AKALL", OLD);
    files.write("keys/AKFLINK", NEW);
    let rules = format!(
        "[[facade.key.rule]]\nbuckets = [\"{BUCKET}\"]\nprefix = \"ha/\"\n\
         [[facade.key.rule]]\nbuckets = [\"{OTHER_BUCKET}\"]\nprefix = \"jars/\"\nverbs = [\"read\"]"
    );
    files.configure(&(key("all", "AKALL", EVERYWHERE) + &key("flink", "AKFLINK", &rules)));
    let facade = start(&files).await;
    let (all, flink) = (facade.client("AKALL", OLD), facade.client("AKFLINK", NEW));
    for (bucket, name) in [(BUCKET, "ha/x"), (BUCKET, "hat"), (OTHER_BUCKET, "jars/x"), (OTHER_BUCKET, "x")] {
        assert_eq!(all.put(bucket, name, b"x").await.unwrap().status, 200);
    }
    for (method, bucket, target, status) in [
        ("GET", BUCKET, "/ha/x", 200),
        ("PUT", BUCKET, "/ha/y", 200),
        ("DELETE", BUCKET, "/ha/y", 204),
        ("GET", BUCKET, "?list-type=2&prefix=ha%2F", 200),
        ("HEAD", BUCKET, "", 200),
        ("GET", BUCKET, "?location", 200),
        ("GET", OTHER_BUCKET, "/jars/x", 200),
    ] {
        let answer = ask(&flink, method, &format!("/{bucket}{target}")).await;
        assert_eq!(answer.status, status, "{method} {bucket}{target}: {}", answer.text());
    }
    let before = emulator.counters();
    for (method, bucket, target) in [
        ("GET", BUCKET, "/hat"),
        ("PUT", BUCKET, "/hat"),
        ("DELETE", BUCKET, "/hat"),
        ("GET", BUCKET, "?list-type=2"),
        ("GET", BUCKET, "?list-type=2&prefix=ha"),
        ("GET", BUCKET, "?uploads"),
        ("GET", BUCKET, "?versions&prefix=h"),
        ("DELETE", BUCKET, ""),
        ("PUT", BUCKET, ""),
        ("GET", OTHER_BUCKET, "/x"),
        ("PUT", OTHER_BUCKET, "/jars/y"),
        ("DELETE", OTHER_BUCKET, "/jars/x"),
        ("GET", OTHER_BUCKET, "?list-type=2&prefix=jars%2F"),
    ] {
        let answer = ask(&flink, method, &format!("/{bucket}{target}")).await;
        assert_eq!(answer.code().as_deref(), Some("AccessDenied"), "{method} {bucket}{target}: {}", answer.text());
    }
    assert_eq!(emulator.counters(), before, "what is denied costs nothing");
    assert_eq!(flink.list(BUCKET, "prefix=ha%2F").await.unwrap().elements("Key"), ["ha/x"]);
}

async fn ask(client: &S3Client, method: &str, target: &str) -> Response {
    client.send(&client.request(method, target).body(b"", BodyMode::Signed).build()).await.unwrap()
}

/// Signed in by a handshake that trusts one certificate and no other.
async fn connect(address: SocketAddr, certificate: &Path) -> std::io::Result<Wire<TlsStream<TcpStream>>> {
    let trust = Trust { roots: Roots::None, private_ca: Some(certificate.to_owned()) };
    let connector = TlsConnector::from(client_config(&trust).unwrap());
    let stream = TcpStream::connect(address).await?;
    Ok(Wire::new(connector.connect("localhost".try_into().unwrap(), stream).await?))
}

async fn status_over(wire: &mut Wire<TlsStream<TcpStream>>, client: &S3Client) -> String {
    wire.write(&client.object("HEAD", BUCKET, "absent").build().head_bytes()).await.unwrap();
    wire.flush().await.unwrap();
    wire.read_head().await.unwrap().unwrap().first
}

#[tokio::test(flavor = "multi_thread")]
async fn new_connections_see_the_new_certificate_and_old_ones_go_on() {
    let (files, _emulator) = Files::new().await;
    let issue = |names: &[&str]| {
        let issued = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        for name in names {
            files.write(name, &issued.cert.pem());
        }
        files.write("tls.key", &issued.signing_key.serialize_pem());
    };
    issue(&["tls.crt", "first.crt"]);
    files.write("keys/AKOLD", OLD);
    let tls = "[facade.tls]\ncertificate_file = \"tls.crt\"\nkey_file = \"tls.key\"\n";
    files.configure(&(tls.to_owned() + &key("flink", "AKOLD", EVERYWHERE)));
    let facade = start(&files).await;
    let client = facade.client("AKOLD", OLD);
    let mut first = connect(facade.address, &files.path("first.crt")).await.unwrap();
    assert!(status_over(&mut first, &client).await.contains("404"));
    issue(&["tls.crt", "second.crt"]);
    until("the new certificate is shown", async || connect(facade.address, &files.path("second.crt")).await.is_ok())
        .await;
    assert!(connect(facade.address, &files.path("first.crt")).await.is_err());
    assert!(status_over(&mut first, &client).await.contains("404"), "the open connection goes on");
    // A file that holds no certificate changes nothing.
    files.write("tls.crt", "no certificate");
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert!(connect(facade.address, &files.path("second.crt")).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn sealing_keys_come_from_a_mounted_directory() {
    let (files, _emulator) = Files::new().await;
    files.write("keys/AKOLD", OLD);
    files.write("sealing/current", &"07".repeat(32));
    files.configure(&("[facade.sts]\nkeys_dir = \"sealing\"\n".to_owned() + &key("polaris", "AKOLD", EVERYWHERE)));
    let facade = start(&files).await;
    let session = async || {
        let credentials = Credentials { service: "sts", ..Credentials::new("AKOLD", OLD) };
        let client = facade.client("AKOLD", OLD).with_credentials(credentials);
        let request = client
            .request("POST", "/")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(b"Action=AssumeRole&Version=2011-06-15&RoleSessionName=session", BodyMode::Signed);
        let answer = client.send(&request.build()).await.unwrap();
        let text = |name| answer.element(name).unwrap_or_else(|| panic!("{}", answer.text()));
        let pair = Credentials::new(&text("AccessKeyId"), &text("SecretAccessKey"));
        client.with_credentials(Credentials { session_token: Some(text("SessionToken")), ..pair })
    };
    let status = async |client: &S3Client| client.head(BUCKET, "absent").await.unwrap().status;
    let first = session().await;
    assert_eq!(status(&first).await, 404);
    // The usual turn: the current key becomes the previous one.
    files.write("sealing/previous", &"07".repeat(32));
    files.write("sealing/current", &"09".repeat(32));
    until("the new key seals", async || status(&session().await).await == 404).await;
    tokio::time::sleep(Duration::from_millis(60)).await;
    let second = session().await;
    assert_eq!((status(&first).await, status(&second).await), (404, 404));
    std::fs::remove_file(files.path("sealing/previous")).unwrap();
    until("the removed key opens nothing", async || status(&first).await == 400).await;
    assert_eq!(status(&second).await, 404);
}

#[tokio::test]
async fn what_a_facade_does_not_start_with() {
    let (files, _emulator) = Files::new().await;
    files.write("keys/AKGOOD", OLD);
    files.write("keys/AKSHORT", "fifteen-letters");
    files.write("keys/AKEMPTY", " \n");
    files.write("empty/none", "");
    files.write("sealing/current", "not a key");
    let good = key("good", "AKGOOD", EVERYWHERE);
    for (facade, mistake) in [
        (String::new(), "without a [[facade.key]] nobody can use the facade"),
        (key("short", "AKSHORT", EVERYWHERE), "a secret must have at least 16 characters"),
        (key("empty", "AKEMPTY", EVERYWHERE), "holds no secret"),
        (key("absent", "AKABSENT", EVERYWHERE), "cannot be read"),
        (good.clone() + &good, "belongs to two keys"),
        (key("bare", "AKGOOD", ""), "facade.key.buckets: is missing"),
        (
            key("odd", "AKGOOD", "prefix = \"a/\"\n[[facade.key.rule]]\nbuckets = [\"*\"]"),
            "facade.key.prefix: needs buckets",
        ),
        (key("odd", "AKGOOD", "[[facade.key.rule]]\nprefix = \"a/\""), "facade.key.rule.buckets: is missing"),
        (
            key("odd", "AKGOOD", "[[facade.key.rule]]\nbuckets = [\"*\"]\nverb = [\"read\"]"),
            "facade.key.rule.verb: unknown key",
        ),
        ("[facade.sts]\n".to_owned() + &good, "facade.sts.keys_dir: is missing"),
        ("[facade.sts]\nkeys_dir = \"empty\"\n".to_owned() + &good, "empty/current: cannot be read"),
        ("[facade.sts]\nkeys_dir = \"sealing\"\n".to_owned() + &good, "a sealing key must be 32 random bytes"),
    ] {
        files.configure(&facade);
        let told = files.load().expect_err(mistake);
        assert!(told.contains(mistake), "{mistake:?} is not in {told}");
        assert!(!told.contains("fifteen-letters") && !told.contains("not a key"), "{told}");
    }
    files.configure(&good);
    assert!(files.load().is_ok());
    let text = std::fs::read_to_string(files.path("bluebucket.toml")).unwrap();
    files.write("bluebucket.toml", &text.replace("listen = \"127.0.0.1:0\"", "listen = \"0.0.0.0:0\""));
    assert!(files.load().unwrap_err().contains("other machines reach this address"));
    files.write(
        "bluebucket.toml",
        &text.replace("listen = \"127.0.0.1:0\"", "listen = \"0.0.0.0:0\"\nallow_plaintext = true"),
    );
    assert!(files.load().is_ok());
}
