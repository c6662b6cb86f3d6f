//! The contract of the Blob client with a Blob service, against every service there is.

#[path = "contract/contract.rs"]
mod contract;
#[path = "harness/entra.rs"]
mod entra;

use std::sync::Arc;
use std::time::Duration;

use bluebucket::blob::{BlobAccount, BlobClient, Credential, RetryPolicy, SharedKey, TokenSource};
use bluebucket::emulator::{Emulator, EmulatorConfig};
use bluebucket::net::tls::{Roots, Trust, client_config};
use bluebucket::net::{Client, Dialer, PoolLimits};
use contract::{Backend, Quirk, azurite};

const KEY: &str = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// Azurite closes connections after 5 s of idleness.
fn limits() -> PoolLimits {
    PoolLimits {
        connections_max: 32,
        idle_max: Duration::from_secs(3),
        connect_timeout: Duration::from_secs(10),
        read_timeout: Duration::from_secs(60),
    }
}

fn shared_key() -> Credential {
    Credential::SharedKey(SharedKey::new("devstoreaccount1", KEY).unwrap())
}

/// An emulator on a port of the OS's choice, until the test's runtime ends.
async fn emulator(config: EmulatorConfig) -> BlobAccount {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/devstoreaccount1", listener.local_addr().unwrap());
    tokio::spawn(Emulator::new(config).serve(listener, std::future::pending()));
    BlobAccount::parse(&url).unwrap()
}

const EMULATOR: Backend = Backend { name: "emulator", quirks: &[Quirk::LongNameByAnotherCode] };

#[tokio::test]
async fn emulator_by_shared_key() {
    let account = emulator(EmulatorConfig::default()).await;
    let http = Client::new(Dialer::network(None), limits());
    let client = BlobClient::new(account, shared_key(), http, RetryPolicy::default());
    contract::run(&client, EMULATOR).await;
}

#[tokio::test]
async fn emulator_by_bearer_token() {
    let account = emulator(EmulatorConfig::default()).await;
    let http = Client::new(Dialer::network(None), limits());
    let tokens = TokenSource::start(Arc::new(entra::Minted));
    let client = BlobClient::new(account, Credential::Bearer(tokens), http, RetryPolicy::default());
    contract::run(&client, EMULATOR).await;
}

#[tokio::test]
async fn emulator_with_short_and_empty_pages() {
    let account =
        emulator(EmulatorConfig { page_max: 4, empty_page_every: Some(3), ..EmulatorConfig::default() }).await;
    let http = Client::new(Dialer::network(None), limits());
    let client = BlobClient::new(account, shared_key(), http, RetryPolicy::default());
    contract::run(&client, Backend { name: "emulator with short pages", ..EMULATOR }).await;
}

#[tokio::test]
async fn azurite_by_shared_key() {
    let Some(azurite) = azurite::start(None).await else { return };
    let account = BlobAccount::parse(&azurite.url).unwrap();
    let http = Client::new(Dialer::network(None), limits());
    let client = BlobClient::new(account, shared_key(), http, RetryPolicy::default());
    contract::run(&client, azurite::AZURITE).await;
}

#[tokio::test]
async fn azurite_by_bearer_token() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    let issued = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned(), "localhost".to_owned()]).unwrap();
    std::fs::write(&certificate, issued.cert.pem()).unwrap();
    std::fs::write(&key, issued.signing_key.serialize_pem()).unwrap();
    let files = azurite::Certificate { certificate: &certificate, key: &key };
    let Some(azurite) = azurite::start(Some(files)).await else { return };
    let account = BlobAccount::parse(&azurite.url).unwrap();
    let tls = client_config(&Trust { roots: Roots::None, private_ca: Some(certificate.clone()) }).unwrap();
    let http = Client::new(Dialer::network(Some(tls)), limits());
    let tokens = TokenSource::start(Arc::new(entra::Minted));
    let client = BlobClient::new(account, Credential::Bearer(tokens), http, RetryPolicy::default());
    contract::run(&client, azurite::AZURITE).await;
}
