//! Identities against a stand-in of the token services: rotation, background refresh, outage, expiry.

#[path = "harness/entra.rs"]
mod entra;
#[path = "harness/scripted.rs"]
mod scripted;

use std::time::{Duration, Instant};

use bluebucket::blob::{BlobAccount, BlobClient, BlobRef, Credential, Identity, RetryPolicy, TokenSource};
use bluebucket::net::{Client, Dialer, PoolLimits};
use bluebucket::object::{ContainerName, ErrorKind, Result};
use entra::{CLIENT, Entra, TENANT};
use futures::future::join_all;
use scripted::{Reply, Scripted, Seen};

fn http() -> Client {
    let limits = PoolLimits {
        connections_max: 64,
        idle_max: Duration::from_secs(30),
        connect_timeout: Duration::from_secs(5),
        read_timeout: Duration::from_secs(10),
    };
    Client::new(Dialer::network(None), limits)
}

fn workload(entra: &Entra, token_file: &std::path::Path) -> Identity {
    Identity::Workload {
        tenant_id: TENANT.to_owned(),
        client_id: CLIENT.to_owned(),
        token_file: token_file.to_owned(),
        authority: Some(entra.url.clone()),
    }
}

/// A Blob service that takes any token, and a client of it.
struct Store {
    server: Scripted,
    client: BlobClient,
    tokens: TokenSource,
}

impl Store {
    async fn new(identity: Identity) -> Self {
        let answer = |_: usize, _: &Seen| {
            let headers = [("ETag", "\"0x1\""), ("Last-Modified", "Wed, 22 Mar 2023 05:57:41 GMT")];
            Reply::new("200 OK", &headers, b"")
        };
        let server = Scripted::start(answer).await;
        let tokens = identity.token_source(http()).unwrap();
        let account = BlobAccount::parse(&server.url).unwrap();
        let credential = Credential::Bearer(tokens.clone());
        let client = BlobClient::new(account, credential, http(), RetryPolicy::default());
        Self { server, client, tokens }
    }

    async fn request(&self) -> Result<()> {
        let container = ContainerName::new("flink").unwrap();
        self.client.set_metadata(BlobRef { container: &container, name: "k" }, &vec![], &Default::default()).await?;
        Ok(())
    }

    /// The number of the token that the last request came with.
    fn last_token(&self) -> Option<u64> {
        Entra::number(self.server.seen().last()?.header("authorization")?)
    }

    /// Sends requests, none of which may fail or be slow, until `done` says so.
    async fn requests_until(&self, what: &str, done: impl Fn(&Self) -> bool) {
        let began = Instant::now();
        while !done(self) {
            assert!(began.elapsed() < Duration::from_secs(30), "waited too long for {what}");
            let sent = Instant::now();
            self.request().await.unwrap_or_else(|error| panic!("while waiting for {what}: {error}"));
            assert!(sent.elapsed() < Duration::from_millis(900), "a request waited for a token");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

#[tokio::test]
async fn one_token_request_serves_all_that_wait() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "file-1\n").unwrap();
    let entra = Entra::start(Duration::from_secs(3600)).await;
    entra.set_delay(Duration::from_millis(200));
    let store = Store::new(workload(&entra, &file)).await;
    assert!(store.tokens.expires_in().is_none());
    for result in join_all((0..50).map(|_| store.request())).await {
        result.unwrap();
    }
    assert_eq!((entra.requests(), entra.proofs()), (1, vec!["file-1".to_owned()]));
    let left = store.tokens.expires_in().unwrap();
    assert!((3500..=3600).contains(&left.as_secs()), "{left:?}");
}

#[tokio::test]
async fn a_rotated_token_file_is_read_and_refresh_is_in_nobodys_way() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "file-1").unwrap();
    let entra = Entra::start(Duration::from_secs(4)).await;
    let store = Store::new(workload(&entra, &file)).await;
    store.requests_until("the first token", |store| store.last_token() == Some(1)).await;
    std::fs::write(&file, "file-2").unwrap();
    entra.accept_only("file-2");
    // The token service takes longer than any request may.
    entra.set_delay(Duration::from_secs(1));
    store.requests_until("the second token", |store| store.last_token() == Some(2)).await;
    assert_eq!(entra.proofs(), ["file-1", "file-2"]);
}

#[tokio::test]
async fn an_outage_is_not_felt_before_the_token_expires() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "file-1").unwrap();
    let entra = Entra::start(Duration::from_secs(6)).await;
    let store = Store::new(workload(&entra, &file)).await;
    store.requests_until("the first token", |store| store.last_token() == Some(1)).await;
    entra.set_down(true);
    store.requests_until("a failed refresh", |_| entra.requests() >= 2).await;
    let nearly = Duration::from_millis(500);
    store.requests_until("the last moments", |store| store.tokens.expires_in().is_none_or(|left| left < nearly)).await;
    while store.tokens.expires_in().is_some() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let error = store.request().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AuthExpired, "{error}");
    assert!(!error.to_string().contains("file-1"), "{error}");
    entra.set_down(false);
    entra.set_life(Duration::from_secs(3600));
    let began = Instant::now();
    while store.request().await.is_err() {
        assert!(began.elapsed() < Duration::from_secs(20), "did not recover");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(store.last_token(), Some(2));
}

#[tokio::test]
async fn managed_identity() {
    let entra = Entra::start(Duration::from_secs(3600)).await;
    let metadata_service = Some(entra.url.clone());
    let store = Store::new(Identity::Managed { client_id: Some(CLIENT.to_owned()), metadata_service }).await;
    store.request().await.unwrap();
    assert_eq!(store.last_token(), Some(1));
    let asked = entra.proofs().remove(0);
    assert!(asked.contains(&format!("client_id={CLIENT}")) && asked.contains("storage.azure.com"), "{asked}");
}

#[tokio::test]
async fn client_secret() {
    let entra = Entra::start(Duration::from_secs(3600)).await;
    entra.accept_only("s3cret");
    let identity = |secret: &str| Identity::ClientSecret {
        tenant_id: TENANT.to_owned(),
        client_id: CLIENT.to_owned(),
        secret: secret.to_owned(),
        authority: Some(entra.url.clone()),
    };
    let store = Store::new(identity("s3cret")).await;
    store.request().await.unwrap();
    assert_eq!(store.last_token(), Some(1));
    let wrong = Store::new(identity("wr0ng")).await;
    let error = wrong.request().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AuthExpired);
    assert!(!format!("{error} {error:?} {:?}", identity("wr0ng")).contains("wr0ng"), "{error:?}");
}

#[tokio::test]
async fn identities_that_cannot_be() {
    let entra = Entra::start(Duration::from_secs(3600)).await;
    let secret = |tenant_id: &str, authority: &str| Identity::ClientSecret {
        tenant_id: tenant_id.to_owned(),
        client_id: CLIENT.to_owned(),
        secret: "x".to_owned(),
        authority: Some(authority.to_owned()),
    };
    for identity in [secret("bad tenant!", &entra.url), secret(TENANT, "http://login.example.com"), secret(TENANT, "x")]
    {
        assert_eq!(identity.token_source(http()).unwrap_err().kind(), ErrorKind::Invalid);
    }
    // A token file that is not there yet is no mistake of the configuration.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("late");
    let store = Store::new(workload(&entra, &file)).await;
    assert_eq!(store.request().await.unwrap_err().kind(), ErrorKind::AuthExpired);
}
