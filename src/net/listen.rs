//! Where connections come in: a socket, TLS on a socket, or an in-process pipe.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use arc_swap::ArcSwap;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;
use tokio_rustls::{Accept, TlsAcceptor, TlsStream};

use super::io::IoStream;
use super::pipe::PipeListener;

/// A source of incoming connections.
pub struct Listener {
    entrance: Entrance,
    tls: Option<Arc<ArcSwap<rustls::ServerConfig>>>,
    stats: Arc<ListenerStats>,
}

/// Who is at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerInfo {
    /// `None` for an in-process pipe.
    pub address: Option<SocketAddr>,
    pub tls: bool,
}

/// A connection just accepted, its TLS handshake still to be done.
pub enum Accepted {
    Ready(IoStream),
    Handshake(Box<Accept<tokio::net::TcpStream>>),
}

/// Counts of a listener and of the connections that came through it.
#[derive(Debug, Default)]
pub struct ListenerStats {
    /// Connections open now.
    pub open: AtomicUsize,
    pub accepted: AtomicU64,
    /// Accept failed, mostly for want of file descriptors.
    pub accept_errors: AtomicU64,
    pub handshake_failures: AtomicU64,
    /// Connections cut for their slowness: head not complete in time, or an answer not taken.
    pub timeouts: AtomicU64,
    /// Handlers that panicked.
    pub panics: AtomicU64,
    pub requests: AtomicU64,
}

enum Entrance {
    Socket(TcpListener),
    Pipe(PipeListener),
}

/// Connections the kernel keeps for us until we accept them.
const BACKLOG: i32 = 1024;

impl Listener {
    /// Listens on an address. With `reuse_port` several listeners of one process share the port and
    /// the kernel spreads connections over them.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn bind(address: SocketAddr, reuse_port: bool) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        if reuse_port {
            socket.set_reuse_port(true)?;
        }
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        Ok(Self::new(Entrance::Socket(TcpListener::from_std(socket.into())?)))
    }

    /// Listens on a pipe.
    pub fn from_pipe(pipe: PipeListener) -> Self {
        Self::new(Entrance::Pipe(pipe))
    }

    fn new(entrance: Entrance) -> Self {
        Self { entrance, tls: None, stats: Arc::default() }
    }

    /// Speaks TLS on sockets, with whatever settings `config` holds when a connection comes in.
    #[must_use]
    pub fn with_tls(mut self, config: Arc<ArcSwap<rustls::ServerConfig>>) -> Self {
        self.tls = Some(config);
        self
    }

    /// The address listened on.
    ///
    /// # Errors
    /// `Unsupported` for a pipe.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        match &self.entrance {
            Entrance::Socket(socket) => socket.local_addr(),
            Entrance::Pipe(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// Counts, alive for as long as anybody holds them.
    pub fn stats(&self) -> Arc<ListenerStats> {
        self.stats.clone()
    }

    /// The next connection. Its handshake is left to [`Accepted::secure`], so that a slow peer
    /// keeps nobody waiting.
    ///
    /// # Errors
    /// What the operating system says; the listener can be used again.
    pub async fn accept(&mut self) -> io::Result<(Accepted, PeerInfo)> {
        let accepted = match &mut self.entrance {
            Entrance::Pipe(pipe) => {
                let pipe = pipe.accept().await;
                (Accepted::Ready(IoStream::Pipe(pipe)), PeerInfo { address: None, tls: false })
            }
            Entrance::Socket(socket) => {
                let (tcp, address) = socket.accept().await?;
                tcp.set_nodelay(true)?;
                let accepted = match &self.tls {
                    None => Accepted::Ready(IoStream::Tcp(tcp)),
                    Some(config) => Accepted::Handshake(Box::new(TlsAcceptor::from(config.load_full()).accept(tcp))),
                };
                (accepted, PeerInfo { address: Some(address), tls: self.tls.is_some() })
            }
        };
        self.stats.accepted.fetch_add(1, Ordering::Relaxed);
        Ok(accepted)
    }
}

impl Accepted {
    /// Completes the TLS handshake, if there is one.
    ///
    /// # Errors
    /// What TLS or the socket says.
    pub async fn secure(self) -> io::Result<IoStream> {
        match self {
            Self::Ready(io) => Ok(io),
            Self::Handshake(accept) => Ok(IoStream::Tls(Box::new(TlsStream::Server(accept.await?)))),
        }
    }
}
