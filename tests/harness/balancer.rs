//! A layer-4 balancer: round robin over the backends that say they are ready, as a Kubernetes
//! Service does it. Connections that are open stay where they are.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use super::http1::Wire;

/// The balancer; dropping it closes its port and its connections.
pub struct Balancer {
    pub address: SocketAddr,
    backends: Arc<Mutex<Vec<Backend>>>,
    task: JoinHandle<()>,
}

/// Says whether a backend gets new connections.
pub type Readiness = Arc<dyn Fn() -> bool + Send + Sync>;

#[derive(Clone)]
struct Backend {
    address: SocketAddr,
    ready: Readiness,
    taken: Arc<AtomicUsize>,
}

impl Balancer {
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let backends = Arc::new(Mutex::new(Vec::new()));
        let task = tokio::spawn(run(listener, backends.clone()));
        Ok(Self { address, backends, task })
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn add(&self, address: SocketAddr, ready: impl Fn() -> bool + Send + Sync + 'static) {
        let backend = Backend { address, ready: Arc::new(ready), taken: Arc::default() };
        self.backends.lock().unwrap_or_else(PoisonError::into_inner).push(backend);
    }

    pub fn remove(&self, address: SocketAddr) {
        self.backends.lock().unwrap_or_else(PoisonError::into_inner).retain(|backend| backend.address != address);
    }

    /// Connections that each backend got, by its address.
    pub fn taken(&self) -> Vec<(SocketAddr, usize)> {
        let backends = self.backends.lock().unwrap_or_else(PoisonError::into_inner);
        backends.iter().map(|backend| (backend.address, backend.taken.load(Ordering::SeqCst))).collect()
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Asks `GET path` at an address every `interval` and remembers whether the answer was 200.
pub fn poll_readiness(address: SocketAddr, path: &str, interval: Duration) -> (Readiness, JoinHandle<()>) {
    let ready = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    let seen = ready.clone();
    let poll = tokio::spawn(async move {
        loop {
            let answer = tokio::time::timeout(interval.max(Duration::from_millis(200)), ask(address, &request)).await;
            ready.store(matches!(answer, Ok(Ok(true))), Ordering::SeqCst);
            tokio::time::sleep(interval).await;
        }
    });
    (Arc::new(move || seen.load(Ordering::SeqCst)), poll)
}

async fn ask(address: SocketAddr, request: &str) -> io::Result<bool> {
    let mut wire = Wire::new(TcpStream::connect(address).await?);
    wire.write(request.as_bytes()).await?;
    let head = wire.read_head().await?;
    Ok(head.is_some_and(|head| head.first.split(' ').nth(1) == Some("200")))
}

async fn run(listener: TcpListener, backends: Arc<Mutex<Vec<Backend>>>) {
    let mut connections = JoinSet::new();
    let mut turn = 0_usize;
    loop {
        let Ok((client, _)) = listener.accept().await else { continue };
        let mut candidates: Vec<Backend> = backends
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .filter(|backend| (backend.ready)())
            .cloned()
            .collect();
        if !candidates.is_empty() {
            let first = turn % candidates.len();
            candidates.rotate_left(first);
            turn = turn.wrapping_add(1);
        }
        connections.spawn(forward(client, candidates));
        while connections.try_join_next().is_some() {}
    }
}

/// Forwards to the first candidate that takes the connection; with none, resets it.
async fn forward(mut client: TcpStream, candidates: Vec<Backend>) {
    for backend in candidates {
        let Ok(mut server) = TcpStream::connect(backend.address).await else { continue };
        backend.taken.fetch_add(1, Ordering::SeqCst);
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        if tokio::io::copy_bidirectional(&mut client, &mut server).await.is_err() {
            // What broke on one side breaks on the other.
            let _ = (client.set_zero_linger(), server.set_zero_linger());
        } else {
            let _ = client.shutdown().await;
        }
        return;
    }
    let _ = client.set_zero_linger();
}
