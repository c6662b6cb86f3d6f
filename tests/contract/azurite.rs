//! Azurite as a second opinion: started if it is installed, on a port of the OS's choice.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::{Backend, Quirk};

/// Where Azurite 3.37.0 is known to be wrong.
pub const AZURITE: Backend = Backend {
    name: "azurite",
    quirks: &[
        Quirk::NoPutBlobFromUrl,
        Quirk::NoBearerCopySource,
        Quirk::PutBlobKeepsStagedBlocks,
        Quirk::EmptyBlockTaken,
        Quirk::NoNameLimit,
        Quirk::NoMetadataLimit,
        Quirk::NoContainerDeletionDelay,
    ],
};

/// A running Azurite; it ends when dropped.
pub struct Azurite {
    pub url: String,
    _process: Child,
}

/// Certificate and key files for https.
pub struct Certificate<'a> {
    pub certificate: &'a Path,
    pub key: &'a Path,
}

/// Starts Azurite in memory; with a certificate over https and with bearer tokens. `None`, said
/// loudly, if it is not installed.
pub async fn start(certificate: Option<Certificate<'_>>) -> Option<Azurite> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(SCRIPT);
    if !script.exists() {
        eprintln!("SKIPPED: azurite is not installed ({SCRIPT}); its half of the contract was not tested");
        return None;
    }
    let port = free_port();
    let mut command = Command::new("node");
    command.arg(&script).args(["--blobHost", "127.0.0.1", "--blobPort", &port.to_string()]);
    command.args(["--inMemoryPersistence", "--skipApiVersionCheck", "--silent", "--disableTelemetry"]);
    let scheme = if certificate.is_some() { "https" } else { "http" };
    if let Some(Certificate { certificate, key }) = certificate {
        command.args(["--oauth", "basic", "--cert"]).arg(certificate).arg("--key").arg(key);
    }
    let mut process = command.stdout(Stdio::piped()).kill_on_drop(true).spawn().expect("node starts");
    let mut lines = BufReader::new(process.stdout.take().expect("piped")).lines();
    let ready = async {
        while let Some(line) = lines.next_line().await.expect("azurite's output") {
            if line.contains("successfully listen") {
                return true;
            }
        }
        false
    };
    assert!(tokio::time::timeout(START_WAIT, ready).await.expect("azurite starts in time"), "azurite ended");
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    Some(Azurite { url: format!("{scheme}://127.0.0.1:{port}/devstoreaccount1"), _process: process })
}

const SCRIPT: &str = "target/azurite/node_modules/azurite/dist/src/blob/main.js";
const START_WAIT: Duration = Duration::from_secs(60);

/// Azurite does not tell a port that it chose itself.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}
