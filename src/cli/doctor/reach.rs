//! Name, connection and TLS of an endpoint, one after the other, so that it shows which of them fails.

use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use rustls::CertificateError;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use super::check::Check;
use crate::net::tls::{Roots, Trust};
use crate::net::{Dialer, Endpoint, Scheme};

/// Why no connection came about.
#[derive(Debug)]
enum Unreachable {
    Name(String),
    Refused,
    TimedOut,
    Network(io::Error),
    CertificateUnknown,
    CertificateExpired,
    CertificateName,
    Tls(String),
}

/// A network that drops packets is not waited for any longer.
const CONNECT_WAIT: Duration = Duration::from_secs(5);
const NAME_WAIT: Duration = Duration::from_secs(5);
const TLS_WAIT: Duration = Duration::from_secs(10);

/// Opens a connection to an endpoint and closes it again. False if there is none.
pub async fn check(name: String, endpoint: &Endpoint, private_ca: Option<PathBuf>) -> (Check, bool) {
    match connect(endpoint, private_ca).await {
        Ok(found) => (Check::ok(name, found), true),
        Err(failure) => (Check::problem(name, failure.found(endpoint), failure.remedy(endpoint)), false),
    }
}

/// Dials with the trust that the configuration gives.
pub fn dialer(private_ca: Option<PathBuf>) -> Result<Dialer, String> {
    let trust = Trust { roots: Roots::System, private_ca };
    let tls = crate::net::tls::client_config(&trust).map_err(|error| error.to_string())?;
    Ok(Dialer::network(Some(tls)))
}

async fn connect(endpoint: &Endpoint, private_ca: Option<PathBuf>) -> Result<String, Unreachable> {
    let addresses = resolve(endpoint).await?;
    let private = addresses.iter().all(|address| is_private(address.ip()));
    open(&addresses).await?;
    let kind = if private { "a private address" } else { "a public address" };
    if endpoint.scheme == Scheme::Http {
        return Ok(format!("resolved to {kind} and connected, without TLS"));
    }
    let dialer = dialer(private_ca).map_err(Unreachable::Tls)?;
    dialer.dial(endpoint, TLS_WAIT).await.map_err(|error| Unreachable::of_tls(&error))?;
    Ok(format!("resolved to {kind}, connected, and the certificate is trusted"))
}

async fn resolve(endpoint: &Endpoint) -> Result<Vec<std::net::SocketAddr>, Unreachable> {
    let host = endpoint.host.trim_start_matches('[').trim_end_matches(']');
    let looked_up = timeout(NAME_WAIT, lookup_host((host, endpoint.port))).await;
    let answer = looked_up.map_err(|_| Unreachable::Name("the name server does not answer".into()))?;
    let addresses: Vec<_> = answer.map_err(|error| Unreachable::Name(error.to_string()))?.collect();
    if addresses.is_empty() { Err(Unreachable::Name("the name has no address".into())) } else { Ok(addresses) }
}

/// Connects to the first address that answers.
async fn open(addresses: &[std::net::SocketAddr]) -> Result<(), Unreachable> {
    let mut failure = Unreachable::TimedOut;
    for address in addresses {
        failure = match timeout(CONNECT_WAIT, TcpStream::connect(address)).await {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => Unreachable::Refused,
            Ok(Err(error)) if error.kind() == io::ErrorKind::TimedOut => Unreachable::TimedOut,
            Ok(Err(error)) => Unreachable::Network(error),
            Err(_) => Unreachable::TimedOut,
        };
    }
    Err(failure)
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_private() || v4.is_loopback() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

impl Unreachable {
    fn of_tls(error: &io::Error) -> Self {
        let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        match tls {
            Some(rustls::Error::InvalidCertificate(certificate)) => match certificate {
                CertificateError::UnknownIssuer => Self::CertificateUnknown,
                CertificateError::Expired
                | CertificateError::ExpiredContext { .. }
                | CertificateError::NotValidYet
                | CertificateError::NotValidYetContext { .. } => Self::CertificateExpired,
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                    Self::CertificateName
                }
                other => Self::Tls(other.to_string()),
            },
            Some(other) => Self::Tls(other.to_string()),
            None => Self::Tls(error.to_string()),
        }
    }

    fn found(&self, endpoint: &Endpoint) -> String {
        let (host, port) = (&endpoint.host, endpoint.port);
        match self {
            Self::Name(reason) => format!("the name {host} cannot be resolved: {reason}"),
            Self::Refused => format!("{host} refuses connections on port {port}"),
            Self::TimedOut => format!("{host} does not answer on port {port}"),
            Self::Network(error) => format!("no connection to {host} on port {port}: {error}"),
            Self::CertificateUnknown => format!("the certificate of {host} is signed by nobody that we trust"),
            Self::CertificateExpired => format!("the certificate of {host} is not valid at this time"),
            Self::CertificateName => format!("the certificate of {host} is for another name"),
            Self::Tls(reason) => format!("TLS with {host} fails: {reason}"),
        }
    }

    fn remedy(&self, endpoint: &Endpoint) -> String {
        match self {
            Self::Name(_) => "Check the spelling of the account or endpoint, and with a private endpoint that its private DNS zone is linked to this network.".into(),
            Self::Refused => format!("Check that the endpoint and its port {} are right and that the service runs.", endpoint.port),
            Self::TimedOut | Self::Network(_) => format!("Let firewalls, network policies and routes pass TCP to port {} of the endpoint.", endpoint.port),
            Self::CertificateUnknown => "Name the certificate of the private CA or of the intercepting proxy as ca_file of the section.".into(),
            Self::CertificateExpired => "Set the clock of this machine right, or have the certificate renewed.".into(),
            Self::CertificateName => "Use the name in the certificate as endpoint (for buckets with dots in their names, addressing = \"path\").".into(),
            Self::Tls(_) => "Check that the endpoint speaks TLS 1.2 or newer on this port and that nothing in between cuts it.".into(),
        }
    }
}
