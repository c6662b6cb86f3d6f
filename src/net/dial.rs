//! How a connection is opened: to a socket, with TLS, or to an in-process pipe.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::{TlsConnector, TlsStream};

use super::io::IoStream;
use super::pipe::PipeNet;
use super::{Endpoint, Scheme};

/// Opens connections.
#[derive(Clone)]
pub struct Dialer(Way);

#[derive(Clone)]
enum Way {
    Network(Option<TlsConnector>),
    Pipes(PipeNet),
}

/// Quiet time after which the kernel asks whether the peer is still there, so that an idle
/// connection that a middlebox forgot is not kept for ever.
const TCP_KEEPALIVE: Duration = Duration::from_secs(60);

impl Dialer {
    /// Dials sockets. Without TLS settings https endpoints are refused.
    pub fn network(tls: Option<Arc<rustls::ClientConfig>>) -> Self {
        Self(Way::Network(tls.map(TlsConnector::from)))
    }

    /// Dials in-process pipes by `host:port`; https is plain there.
    pub fn pipes(net: PipeNet) -> Self {
        Self(Way::Pipes(net))
    }

    /// Opens a connection, TLS handshake included.
    ///
    /// # Errors
    /// `TimedOut` after `limit`; otherwise what the operating system or TLS said.
    pub async fn dial(&self, endpoint: &Endpoint, limit: Duration) -> io::Result<IoStream> {
        match &self.0 {
            Way::Pipes(net) => net.connect(&format!("{}:{}", endpoint.host, endpoint.port)).map(IoStream::Pipe),
            Way::Network(tls) => timeout(limit, dial_socket(endpoint, tls.as_ref(), limit))
                .await
                .unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, format!("connecting to {endpoint}")))),
        }
    }
}

async fn dial_socket(endpoint: &Endpoint, tls: Option<&TlsConnector>, limit: Duration) -> io::Result<IoStream> {
    let host = endpoint.host.trim_start_matches('[').trim_end_matches(']');
    let tcp = dial_any(host, endpoint.port, limit).await?;
    tcp.set_nodelay(true)?;
    socket2::SockRef::from(&tcp).set_tcp_keepalive(&socket2::TcpKeepalive::new().with_time(TCP_KEEPALIVE))?;
    if endpoint.scheme == Scheme::Http {
        return Ok(IoStream::Tcp(tcp));
    }
    let Some(tls) = tls else {
        return Err(io::Error::new(io::ErrorKind::Unsupported, "no TLS settings for an https endpoint"));
    };
    let name =
        ServerName::try_from(host.to_owned()).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    let secured = tls.connect(name, tcp).await?;
    Ok(IoStream::Tls(Box::new(TlsStream::Client(secured))))
}

/// Tries the addresses of a name in turn. Each but the last has only its share of the time, so that
/// one dead address (often IPv6) does not use it all.
async fn dial_any(host: &str, port: u16, limit: Duration) -> io::Result<TcpStream> {
    let addresses: Vec<_> = tokio::net::lookup_host((host, port)).await?.collect();
    let share = limit / u32::try_from(addresses.len() + 1).unwrap_or(u32::MAX).clamp(1, 4);
    let mut failure = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for (index, address) in addresses.iter().enumerate() {
        let patience = if index + 1 == addresses.len() { limit } else { share };
        match timeout(patience, TcpStream::connect(address)).await {
            Ok(Ok(tcp)) => return Ok(tcp),
            Ok(Err(error)) => failure = error,
            Err(_) => failure = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(failure)
}
