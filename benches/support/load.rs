//! A closed loop over keep-alive connections with requests made beforehand.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Requests as they go over the wire, taken in turn.
pub struct Requests {
    pub wire: Vec<Vec<u8>>,
    pub expected_status: u16,
    pub is_head: bool,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    pub requests: u64,
    pub elapsed: Duration,
    /// Sorted, microseconds.
    pub latencies: Vec<u32>,
}

impl Outcome {
    pub fn percentile(&self, percent: usize) -> u32 {
        let place = (self.latencies.len() * percent / 100).min(self.latencies.len().saturating_sub(1));
        self.latencies.get(place).copied().unwrap_or(0)
    }
}

/// Keeps `connections` busy for `duration`.
///
/// # Errors
/// The first answer that is not as expected, with its beginning.
pub async fn closed_loop(
    address: SocketAddr,
    requests: Arc<Requests>,
    connections: usize,
    duration: Duration,
) -> io::Result<Outcome> {
    let began = Instant::now();
    let turn = Arc::new(AtomicU64::new(0));
    let tasks: Vec<_> = (0..connections)
        .map(|_| tokio::spawn(one_connection(address, requests.clone(), turn.clone(), began + duration)))
        .collect();
    let mut outcome = Outcome::default();
    for task in tasks {
        outcome.latencies.extend(task.await.map_err(io::Error::other)??);
    }
    outcome.elapsed = began.elapsed();
    outcome.requests = outcome.latencies.len() as u64;
    outcome.latencies.sort_unstable();
    Ok(outcome)
}

/// Sends each request once, one after the other.
pub async fn once_each(address: SocketAddr, requests: &Requests) -> io::Result<()> {
    let mut connection = Connection::open(address).await?;
    for wire in &requests.wire {
        connection.exchange(wire, requests).await?;
    }
    Ok(())
}

async fn one_connection(
    address: SocketAddr,
    requests: Arc<Requests>,
    turn: Arc<AtomicU64>,
    until: Instant,
) -> io::Result<Vec<u32>> {
    let mut connection = Connection::open(address).await?;
    let mut latencies = Vec::with_capacity(1 << 16);
    loop {
        let began = Instant::now();
        if began >= until {
            return Ok(latencies);
        }
        let place = turn.fetch_add(1, Ordering::Relaxed) as usize % requests.wire.len();
        connection.exchange(&requests.wire[place], &requests).await?;
        latencies.push(u32::try_from(began.elapsed().as_micros()).unwrap_or(u32::MAX));
    }
}

struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: vec![0; 256 * 1024] })
    }

    async fn exchange(&mut self, wire: &[u8], requests: &Requests) -> io::Result<()> {
        self.stream.write_all(wire).await?;
        let (head_end, mut filled) = self.read_head().await?;
        let head = std::str::from_utf8(&self.buffer[..head_end]).map_err(io::Error::other)?;
        let status: u16 = head.get(9..12).and_then(|status| status.parse().ok()).unwrap_or(0);
        if status != requests.expected_status {
            let shown = String::from_utf8_lossy(&self.buffer[..filled.min(2000)]).into_owned();
            return Err(io::Error::other(format!("expected status {}, got: {shown}", requests.expected_status)));
        }
        if requests.is_head || status == 204 {
            return Ok(());
        }
        match body_length(head) {
            Some(length) => {
                let mut left = (head_end as u64 + length).saturating_sub(filled as u64);
                while left > 0 {
                    let room = self.buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                    left -= nonzero(self.stream.read(&mut self.buffer[..room]).await?)? as u64;
                }
                Ok(())
            }
            // Chunked: only the end matters, and nothing follows it on this connection.
            None => loop {
                if self.buffer[..filled].ends_with(b"\r\n0\r\n\r\n") {
                    return Ok(());
                }
                if filled == self.buffer.len() {
                    self.buffer.copy_within(filled - 16.., 0);
                    filled = 16;
                }
                filled += nonzero(self.stream.read(&mut self.buffer[filled..]).await?)?;
            },
        }
    }

    async fn read_head(&mut self) -> io::Result<(usize, usize)> {
        let mut filled = 0;
        loop {
            filled += nonzero(self.stream.read(&mut self.buffer[filled..]).await?)?;
            if let Some(end) = self.buffer[..filled].windows(4).position(|window| window == b"\r\n\r\n") {
                return Ok((end + 4, filled));
            }
        }
    }
}

fn nonzero(read: usize) -> io::Result<usize> {
    if read == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(read) }
}

fn body_length(head: &str) -> Option<u64> {
    head.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok()).flatten()
    })
}
