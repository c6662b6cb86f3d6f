//! A stand-in for Entra's token endpoint and the metadata service of a machine (IMDS), over a real
//! socket. Its tokens have the shape of real ones; nobody can check their signature.

#![allow(dead_code)]

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use azure_core::time::OffsetDateTime;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

pub const TENANT: &str = "11111111-2222-3333-4444-555555555555";
pub const CLIENT: &str = "66666666-7777-8888-9999-000000000000";

/// A token service on 127.0.0.1; it ends when dropped.
pub struct Entra {
    pub url: String,
    state: Arc<State>,
    task: tokio::task::JoinHandle<()>,
}

struct State {
    /// Life of new tokens in seconds.
    life: AtomicU64,
    down: AtomicBool,
    /// How long an answer takes, in milliseconds.
    delay: AtomicU64,
    requests: AtomicU64,
    issued: AtomicU64,
    /// What each request proved itself with: a client assertion, a secret, or the IMDS query.
    proofs: Mutex<Vec<String>>,
    /// The only client assertion that is accepted; any if `None`.
    assertion: Mutex<Option<String>>,
}

impl Entra {
    pub async fn start(life: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("its address"));
        let state = Arc::new(State {
            life: AtomicU64::new(life.as_secs()),
            down: AtomicBool::new(false),
            delay: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            issued: AtomicU64::new(0),
            proofs: Mutex::default(),
            assertion: Mutex::default(),
        });
        let serving = state.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(connection(stream, serving.clone()));
            }
        });
        Self { url, state, task }
    }

    pub fn set_life(&self, life: Duration) {
        self.state.life.store(life.as_secs(), Ordering::SeqCst);
    }

    /// Down, it answers 400 with an error body, as Entra does in an outage of the identity.
    pub fn set_down(&self, down: bool) {
        self.state.down.store(down, Ordering::SeqCst);
    }

    pub fn set_delay(&self, delay: Duration) {
        self.state.delay.store(delay.as_millis() as u64, Ordering::SeqCst);
    }

    pub fn accept_only(&self, assertion: &str) {
        *self.state.assertion.lock().unwrap() = Some(assertion.to_owned());
    }

    pub fn requests(&self) -> u64 {
        self.state.requests.load(Ordering::SeqCst)
    }

    pub fn issued(&self) -> u64 {
        self.state.issued.load(Ordering::SeqCst)
    }

    pub fn proofs(&self) -> Vec<String> {
        self.state.proofs.lock().unwrap().clone()
    }

    /// The number of the token in an `Authorization` header of this service.
    pub fn number(authorization: &str) -> Option<u64> {
        let payload = authorization.strip_prefix("Bearer ")?.split('.').nth(1)?;
        let claims = URL_SAFE_NO_PAD.decode(payload).ok()?;
        serde_json::from_slice::<serde_json::Value>(&claims).ok()?.get("number")?.as_u64()
    }
}

impl Drop for Entra {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn connection(stream: TcpStream, state: Arc<State>) {
    let mut stream = BufReader::new(stream);
    while let Some((target, body)) = request(&mut stream).await {
        state.requests.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(state.delay.load(Ordering::SeqCst))).await;
        let (status, answer) = answer(&state, &target, &body);
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{answer}",
            answer.len()
        );
        if stream.write_all(head.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn request(stream: &mut BufReader<TcpStream>) -> Option<(String, String)> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok().filter(|&read| read > 0)?;
    let target = line.split(' ').nth(1)?.to_owned();
    let mut length = 0;
    loop {
        line.clear();
        stream.read_line(&mut line).await.ok().filter(|&read| read > 0)?;
        let header = line.trim().to_ascii_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some((target, String::from_utf8(body).ok()?))
}

fn answer(state: &State, target: &str, body: &str) -> (&'static str, String) {
    let imds = target.starts_with("/metadata/identity/oauth2/token?");
    let entra = target.starts_with(&format!("/{TENANT}/oauth2/v2.0/token"));
    if !imds && !entra {
        return ("404 Not Found", String::new());
    }
    let field = |name: &str| {
        let pairs = body.split('&').filter_map(|pair| pair.split_once('='));
        pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
    };
    let proof = match imds {
        true => target.to_owned(),
        false => field("client_assertion").or_else(|| field("client_secret")).unwrap_or_default(),
    };
    state.proofs.lock().unwrap().push(proof.clone());
    let accepted = state.assertion.lock().unwrap().as_ref().is_none_or(|only| *only == proof);
    if state.down.load(Ordering::SeqCst) || !accepted {
        let error = r#"{"error":"invalid_client","error_description":"AADSTS00000: the stand-in refuses"}"#;
        return ("400 Bad Request", error.to_owned());
    }
    let life = state.life.load(Ordering::SeqCst);
    let number = state.issued.fetch_add(1, Ordering::SeqCst) + 1;
    let token = token(life, number);
    let expires_on = now() + life;
    let answer = match imds {
        true => format!(
            r#"{{"access_token":"{token}","expires_on":"{expires_on}","resource":"https://storage.azure.com","token_type":"Bearer"}}"#
        ),
        false => {
            format!(r#"{{"token_type":"Bearer","expires_in":{life},"ext_expires_in":{life},"access_token":"{token}"}}"#)
        }
    };
    ("200 OK", answer)
}

/// A token for storage, valid for `life` seconds.
pub fn token(life: u64, number: u64) -> String {
    let (issued, expires) = (now() - 60, now() + life);
    let claims = format!(
        r#"{{"aud":"https://storage.azure.com","iss":"https://sts.windows.net/{TENANT}/","iat":{issued},"nbf":{issued},"exp":{expires},"oid":"{CLIENT}","tid":"{TENANT}","ver":"1.0","number":{number}}}"#
    );
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.{}", encode(r#"{"alg":"RS256","typ":"JWT"}"#), encode(&claims), encode("signature"))
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// A credential that mints its own tokens, valid for an hour.
#[derive(Debug)]
pub struct Minted;

#[async_trait]
impl TokenCredential for Minted {
    async fn get_token(&self, _: &[&str], _: Option<TokenRequestOptions<'_>>) -> azure_core::Result<AccessToken> {
        let expires = OffsetDateTime::from_unix_timestamp((now() + 3600) as i64).expect("a time");
        Ok(AccessToken::new(token(3600, 0), expires))
    }
}
