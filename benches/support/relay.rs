//! The floor: a user-space TCP relay, two sockets and 64 KiB buffers, on one thread. With a CA it
//! speaks TLS to the backend.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Serves until the process ends; prints its address first.
pub async fn run(backend: SocketAddr, ca_file: Option<&str>) {
    let tls = ca_file.map(connector);
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    println!("{}", listener.local_addr().expect("a bound port"));
    loop {
        let Ok((client, _)) = listener.accept().await else { continue };
        let tls = tls.clone();
        tokio::spawn(async move {
            let Ok(server) = TcpStream::connect(backend).await else { return };
            let _ = (client.set_nodelay(true), server.set_nodelay(true));
            match tls {
                None => {
                    let (from_client, to_client) = client.into_split();
                    let (from_server, to_server) = server.into_split();
                    tokio::join!(pump(from_client, to_server), pump(from_server, to_client));
                }
                Some(tls) => {
                    let name = ServerName::try_from("localhost").expect("a legal name");
                    let Ok(server) = tls.connect(name, server).await else { return };
                    let (from_client, to_client) = client.into_split();
                    let (from_server, to_server) = tokio::io::split(server);
                    tokio::join!(pump(from_client, to_server), pump(from_server, to_client));
                }
            }
        });
    }
}

async fn pump(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        if to.write_all(&buffer[..read]).await.is_err() || to.flush().await.is_err() {
            break;
        }
    }
    let _ = to.shutdown().await;
}

fn connector(ca_file: &str) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca_file).expect("a PEM file")).expect("a certificate");
    TlsConnector::from(Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()))
}
