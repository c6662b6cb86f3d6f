//! A TCP proxy that breaks connections as a test tells it, or by chance from a seed.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::random::{self, Random};

/// The proxy; dropping it closes its port and its connections.
pub struct FaultProxy {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

/// What happens to new connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    Open,
    /// The port is closed: connecting is refused.
    Refuse,
    /// Connections are accepted and reset at once.
    Reset,
    /// Connections are accepted and nothing ever comes through.
    Blackhole,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    ToServer,
    ToClient,
}

/// What happens to one connection.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Plan {
    /// Ends the connection once that many bytes went that way.
    pub close: Option<CloseAt>,
    /// Forwards nothing more once that many bytes went that way; the connection stays open.
    pub blackhole: Option<(Direction, u64)>,
    /// Waits before each piece is forwarded.
    pub delay: Option<Duration>,
    /// Forwards at most so many bytes at once.
    pub piece: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CloseAt {
    pub direction: Direction,
    pub bytes: u64,
    /// With a reset instead of a clean end.
    pub reset: bool,
}

/// Chances for every new connection.
#[derive(Clone, Copy, Debug, Default)]
pub struct Chances {
    pub close: f64,
    /// Closes come within so many bytes, small numbers more often.
    pub close_bytes_max: u64,
    pub blackhole: f64,
    pub delay: f64,
    pub delay_max: Duration,
}

/// What went through so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traffic {
    pub accepted: u64,
    pub broken: u64,
    pub to_server: u64,
    pub to_client: u64,
}

struct Shared {
    seed: u64,
    settings: Mutex<Settings>,
    gate: watch::Sender<Gate>,
    /// Counts up to cut what is open.
    cuts: watch::Sender<u64>,
    accepted: AtomicU64,
    broken: AtomicU64,
    to_server: AtomicU64,
    to_client: AtomicU64,
}

struct Settings {
    upstream: SocketAddr,
    chances: Chances,
    planned: Vec<Plan>,
}

impl FaultProxy {
    pub async fn start(upstream: SocketAddr, seed: u64) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let settings = Settings { upstream, chances: Chances::default(), planned: Vec::new() };
        let shared = Arc::new(Shared {
            seed,
            settings: Mutex::new(settings),
            gate: watch::Sender::new(Gate::Open),
            cuts: watch::Sender::new(0),
            accepted: AtomicU64::new(0),
            broken: AtomicU64::new(0),
            to_server: AtomicU64::new(0),
            to_client: AtomicU64::new(0),
        });
        let task = tokio::spawn(run(shared.clone(), listener, address));
        Ok(Self { address, shared, task })
    }

    /// `http://127.0.0.1:port`
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn set_gate(&self, gate: Gate) {
        self.shared.gate.send_replace(gate);
    }

    pub fn set_upstream(&self, upstream: SocketAddr) {
        self.shared.settings().upstream = upstream;
    }

    pub fn set_chances(&self, chances: Chances) {
        self.shared.settings().chances = chances;
    }

    /// Fixes the fate of the next connection that has none yet.
    pub fn plan_next(&self, plan: Plan) {
        self.shared.settings().planned.push(plan);
    }

    /// Ends every open connection with a reset.
    pub fn cut_all(&self) {
        self.shared.cuts.send_modify(|cuts| *cuts += 1);
    }

    pub fn heal(&self) {
        let mut settings = self.shared.settings();
        settings.chances = Chances::default();
        settings.planned.clear();
        drop(settings);
        self.set_gate(Gate::Open);
    }

    pub fn traffic(&self) -> Traffic {
        let shared = &self.shared;
        let read = |counter: &AtomicU64| counter.load(Ordering::SeqCst);
        Traffic {
            accepted: read(&shared.accepted),
            broken: read(&shared.broken),
            to_server: read(&shared.to_server),
            to_client: read(&shared.to_client),
        }
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Plan {
    pub fn close(direction: Direction, bytes: u64) -> Self {
        Self { close: Some(CloseAt { direction, bytes, reset: false }), ..Self::default() }
    }

    pub fn reset(direction: Direction, bytes: u64) -> Self {
        Self { close: Some(CloseAt { direction, bytes, reset: true }), ..Self::default() }
    }

    pub fn blackhole(direction: Direction, bytes: u64) -> Self {
        Self { blackhole: Some((direction, bytes)), ..Self::default() }
    }

    pub fn delay(delay: Duration) -> Self {
        Self { delay: Some(delay), ..Self::default() }
    }
}

impl Chances {
    fn draw(&self, random: &mut Random) -> Plan {
        let direction =
            |random: &mut Random| if random.chance(0.5) { Direction::ToServer } else { Direction::ToClient };
        let mut plan = Plan::default();
        if random.chance(self.close) {
            let bytes = (self.close_bytes_max as f64).powf(random.fraction()) as u64;
            plan.close = Some(CloseAt { direction: direction(random), bytes, reset: random.chance(0.5) });
        }
        if random.chance(self.blackhole) {
            plan.blackhole = Some((direction(random), random.below(self.close_bytes_max)));
        }
        if random.chance(self.delay) {
            plan.delay = Some(self.delay_max.mul_f64(random.fraction()));
        }
        plan
    }
}

impl Shared {
    fn settings(&self) -> MutexGuard<'_, Settings> {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Upstream and fate of the connection with this number.
    fn fate(&self, number: u64) -> (SocketAddr, Plan) {
        let mut settings = self.settings();
        let plan = match settings.planned.is_empty() {
            false => settings.planned.remove(0),
            true => settings.chances.draw(&mut Random::new(self.seed ^ random::mix(number))),
        };
        (settings.upstream, plan)
    }
}

async fn run(shared: Arc<Shared>, listener: TcpListener, address: SocketAddr) {
    let mut gate = shared.gate.subscribe();
    let mut connections = JoinSet::new();
    let mut listener = Some(listener);
    loop {
        let state = *gate.borrow_and_update();
        if state == Gate::Refuse {
            listener = None;
            if gate.changed().await.is_err() {
                return;
            }
            continue;
        }
        if listener.is_none() {
            // The port was ours a moment ago; it is taken again as soon as the system lets go of it.
            listener = TcpListener::bind(address).await.ok();
        }
        let Some(open) = &listener else {
            tokio::time::sleep(Duration::from_millis(5)).await;
            continue;
        };
        tokio::select! {
            _ = gate.changed() => {}
            accepted = open.accept() => if let Ok((client, _)) = accepted {
                connections.spawn(connection(shared.clone(), client, state));
            },
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn connection(shared: Arc<Shared>, mut client: TcpStream, gate: Gate) {
    let number = shared.accepted.fetch_add(1, Ordering::SeqCst);
    let mut cuts = shared.cuts.subscribe();
    let _ = client.set_nodelay(true);
    match gate {
        Gate::Reset => {
            let _ = client.set_zero_linger();
            return;
        }
        Gate::Blackhole => {
            let _ = cuts.changed().await;
            return;
        }
        Gate::Open | Gate::Refuse => {}
    }
    let (upstream, plan) = shared.fate(number);
    let Ok(mut server) = TcpStream::connect(upstream).await else {
        let _ = client.set_zero_linger();
        return;
    };
    let _ = server.set_nodelay(true);
    let end = {
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        let there = pump(from_client, to_server, plan, Direction::ToServer, &shared.to_server);
        let back = pump(from_server, to_client, plan, Direction::ToClient, &shared.to_client);
        tokio::select! {
            both = async { tokio::try_join!(there, back) } => both.err(),
            _ = cuts.changed() => Some(Broken { reset: true }),
        }
    };
    if let Some(broken) = end {
        shared.broken.fetch_add(1, Ordering::SeqCst);
        if broken.reset {
            let _ = client.set_zero_linger();
            let _ = server.set_zero_linger();
        }
    }
}

/// The connection is to be torn down.
struct Broken {
    reset: bool,
}

async fn pump(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    plan: Plan,
    direction: Direction,
    counter: &AtomicU64,
) -> Result<(), Broken> {
    let mut buffer = vec![0; plan.piece.unwrap_or(64 * 1024).max(1)];
    let close = plan.close.filter(|close| close.direction == direction);
    let hole = plan.blackhole.filter(|(way, _)| *way == direction).map(|(_, bytes)| bytes);
    let mut passed = 0;
    loop {
        if let Some(close) = close.filter(|close| passed >= close.bytes) {
            return Err(Broken { reset: close.reset });
        }
        let read = from.read(&mut buffer).await.map_err(|_| Broken { reset: true })?;
        if read == 0 {
            let _ = to.shutdown().await;
            return Ok(());
        }
        if let Some(delay) = plan.delay {
            tokio::time::sleep(delay).await;
        }
        let limit = close.map(|close| close.bytes).into_iter().chain(hole).min().unwrap_or(u64::MAX);
        let pass = read.min(usize::try_from(limit - passed.min(limit)).unwrap_or(usize::MAX));
        to.write_all(&buffer[..pass]).await.map_err(|_| Broken { reset: true })?;
        passed += pass as u64;
        counter.fetch_add(pass as u64, Ordering::SeqCst);
        if hole.is_some_and(|hole| passed >= hole) {
            std::future::pending::<()>().await;
        }
    }
}
