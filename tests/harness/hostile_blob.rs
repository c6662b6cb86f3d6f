//! The emulator behind a hostile network inside the process: every request and answer takes a random
//! time, and some are lost, refused, or carried out when nobody waits for them any more.
//!
//! All of it is drawn from one seed, so that under virtual time a schedule can be run again.

// Each test binary uses a part of it.
#![allow(dead_code)]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bluebucket::blob::{BlobAccount, BlobClient, Credential, RetryPolicy, SharedKey};
use bluebucket::emulator::{AccountConfig, DEVELOPMENT_ACCOUNT, DEVELOPMENT_KEY, Emulator, EmulatorConfig};
use bluebucket::net::{Backoff, Body, Client, Dialer, PipeNet, PoolLimits};
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, request};
use http_body_util::{BodyExt, Full};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::time::sleep;

use crate::harness::random::Random;

const HOST: &str = "blobs:80";

/// A client waits this long for an answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// How hostile the network is.
#[derive(Clone, Copy, Debug)]
pub struct Hostility {
    /// Longest time that a request or an answer takes, in milliseconds.
    pub delay_max: u64,
    /// Share of the requests that go wrong.
    pub chance: f64,
    /// The same of commits of block lists, where it matters most.
    pub chance_of_commits: f64,
    /// Requests that go wrong in all.
    pub budget: u32,
}

/// One thing that the service carried out.
#[derive(Clone, Debug)]
pub struct Executed {
    pub at: u64,
    pub method: Method,
    pub target: String,
    pub status: StatusCode,
    /// The reserved metadata of what was written.
    pub metadata: String,
    pub fate: &'static str,
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Answered,
    /// The connection breaks and nothing is done.
    LostBefore,
    /// The connection breaks once it is done.
    LostAfter,
    /// 500, nothing done.
    FailedBefore,
    /// 500 although it is done.
    FailedAfter,
    Throttled,
    /// Carried out after the client has given up.
    Late,
}

pub struct HostileBlob {
    net: PipeNet,
    pub wire: Arc<Wire>,
}

/// The network's and the service's common state.
pub struct Wire {
    emulator: Arc<Emulator>,
    clock: AtomicU64,
    weather: Mutex<(Random, Hostility)>,
    log: Mutex<Vec<Executed>>,
}

impl HostileBlob {
    /// Starts the service with these containers in the current runtime.
    pub fn start(seed: u64, hostility: Hostility, containers: &[&str]) -> Self {
        Self::start_with(AccountConfig::memory(DEVELOPMENT_ACCOUNT), seed, hostility, containers)
    }

    /// The same with an account of any kind.
    pub fn start_with(account: AccountConfig, seed: u64, hostility: Hostility, containers: &[&str]) -> Self {
        let accounts = vec![account];
        let emulator = Emulator::new(EmulatorConfig { accounts, event_log: true, ..EmulatorConfig::default() });
        for container in containers {
            emulator.create_container(DEVELOPMENT_ACCOUNT, container);
        }
        let wire = Arc::new(Wire {
            emulator,
            clock: AtomicU64::new(1),
            weather: Mutex::new((Random::new(seed), hostility)),
            log: Mutex::default(),
        });
        let net = PipeNet::new();
        let mut listener = net.listen(HOST);
        let served = wire.clone();
        tokio::spawn(async move {
            loop {
                let pipe = listener.accept().await;
                let wire = served.clone();
                let service = service_fn(move |request| wire.clone().serve(request));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(pipe), service));
            }
        });
        Self { net, wire }
    }

    /// A client with connections of its own.
    pub fn client(&self) -> BlobClient {
        let limits = PoolLimits {
            connections_max: 64,
            idle_max: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(5),
            read_timeout: PATIENCE,
        };
        let backoff = Backoff {
            base: Duration::from_millis(20),
            max: Duration::from_secs(1),
            tries_max: 8,
            total_max: Duration::from_secs(60),
        };
        let account = BlobAccount::parse(&format!("http://{HOST}/{DEVELOPMENT_ACCOUNT}")).unwrap();
        let key = SharedKey::new(DEVELOPMENT_ACCOUNT, DEVELOPMENT_KEY).unwrap();
        let http = Client::new(Dialer::pipes(self.net.clone()), limits);
        BlobClient::new(account, Credential::SharedKey(key), http, RetryPolicy { backoff, resumes_max: 5 })
    }
}

impl Wire {
    /// The next moment: greater than all before.
    pub fn tick(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::SeqCst)
    }

    pub fn emulator(&self) -> &Arc<Emulator> {
        &self.emulator
    }

    /// From now on everything is answered at once.
    pub fn calm(&self) {
        self.weather().1 = Hostility { delay_max: 0, chance: 0.0, chance_of_commits: 0.0, budget: 0 };
    }

    /// Writes and deletes that were carried out or refused, in order.
    pub fn log(&self) -> Vec<Executed> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn weather(&self) -> std::sync::MutexGuard<'_, (Random, Hostility)> {
        self.weather.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Draws how long request and answer take and what goes wrong.
    fn draw(&self, head: &request::Parts, body: &[u8]) -> (Duration, Fate, Duration) {
        let mut weather = self.weather();
        let (random, hostility) = &mut *weather;
        let mut delay = || Duration::from_micros(random.below(hostility.delay_max * 1000));
        let (before, after) = (delay(), delay());
        let commits = head.method == Method::PUT && head.uri.query().is_some_and(|query| query == "comp=blocklist");
        let chance = if commits { hostility.chance_of_commits } else { hostility.chance };
        if hostility.budget == 0 || !random.chance(chance) {
            return (before, Fate::Answered, after);
        }
        hostility.budget -= 1;
        use Fate::{FailedAfter, FailedBefore, Late, LostAfter, LostBefore, Throttled};
        let mut fate =
            *random.pick(&[LostBefore, LostAfter, LostAfter, LostAfter, FailedBefore, FailedAfter, Throttled, Late]);
        // A commit of no blocks consumes none: nothing could keep it from landing after it was sent again.
        if fate == Late && commits && !body.windows(6).any(|window| window == b"<Uncom") {
            fate = LostAfter;
        }
        let late = PATIENCE + Duration::from_millis(random.below(4_000));
        (if fate == Late { late } else { before }, fate, after)
    }

    async fn serve(self: Arc<Self>, request: Request<hyper::body::Incoming>) -> Result<Response<Body>, &'static str> {
        let (head, body) = request.into_parts();
        let Ok(body) = body.collect().await else { return Err("the client went away") };
        let body = body.to_bytes();
        let (before, fate, after) = self.draw(&head, &body);
        match fate {
            Fate::LostBefore => return Err("lost before"),
            Fate::FailedBefore => return Ok(failure(500, "OperationTimedOut")),
            Fate::Throttled => return Ok(failure(503, "ServerBusy")),
            _ => {}
        }
        // What is on its way is carried out though the client may go away.
        let wire = self.clone();
        let executed = tokio::spawn(async move {
            sleep(before).await;
            wire.execute(head, body, fate).await
        });
        let answer = executed.await.map_err(|_| "the service broke")?;
        sleep(after).await;
        match fate {
            Fate::LostAfter => Err("lost after"),
            Fate::FailedAfter if answer.status().is_success() => Ok(failure(500, "OperationTimedOut")),
            _ => Ok(answer),
        }
    }

    async fn execute(&self, head: request::Parts, body: Bytes, fate: Fate) -> Response<Body> {
        let (method, target) = (head.method.clone(), head.uri.to_string());
        let metadata = head.headers.get("x-ms-meta-bluebucket").and_then(|value| value.to_str().ok());
        let metadata = metadata.unwrap_or_default().to_owned();
        let answer = self.emulator.handle(Request::from_parts(head, Full::new(body))).await;
        if method != Method::GET && method != Method::HEAD {
            let status = answer.status();
            let fate = if fate == Fate::Answered { "" } else { "unanswered" };
            let executed = Executed { at: self.tick(), method, target, status, metadata, fate };
            self.log.lock().unwrap_or_else(PoisonError::into_inner).push(executed);
        }
        answer
    }
}

fn failure(status: u16, code: &'static str) -> Response<Body> {
    let text = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>On purpose.</Message></Error>");
    let mut answer = Response::new(Body::from(Bytes::from(text)));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap();
    answer.headers_mut().insert("x-ms-error-code", http::HeaderValue::from_static(code));
    answer
}
