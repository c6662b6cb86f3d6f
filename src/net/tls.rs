//! TLS settings for both sides: roots, private CAs, certificate files.
//!
//! The provider is named in every configuration; none is installed for the process, so no order of
//! start-up can make TLS panic.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};

/// Whom a client trusts.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    pub roots: Roots,
    /// A PEM file with more certificates to trust.
    pub private_ca: Option<PathBuf>,
}

/// The public roots to start from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Roots {
    /// Those of the operating system; Mozilla's where it has none (distroless images).
    #[default]
    System,
    /// Mozilla's, compiled in.
    Mozilla,
    /// None: the private CA alone is trusted.
    None,
}

/// A certificate or key that cannot be used.
#[derive(Debug)]
pub struct TlsError {
    message: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The server's certificate, read again on demand while connections go on.
#[derive(Clone)]
pub struct ServerTls {
    certificate: PathBuf,
    key: PathBuf,
    current: Arc<ArcSwap<ServerConfig>>,
}

/// Settings for the client side, HTTP/1.1 only.
///
/// # Errors
/// [`TlsError`] if the private CA file cannot be read or nothing at all would be trusted.
pub fn client_config(trust: &Trust) -> Result<Arc<ClientConfig>, TlsError> {
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsError::new("no usable protocol version", error))?
        .with_root_certificates(root_store(trust)?)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Settings for the server side from PEM files: certificate chain, and its key.
///
/// # Errors
/// [`TlsError`] if a file cannot be read or the two do not belong together.
pub fn server_config(certificate: &Path, key: &Path) -> Result<ServerConfig, TlsError> {
    let chain = certificates(certificate)?;
    let secret = PrivateKeyDer::from_pem_file(key)
        .map_err(|error| TlsError::new(format!("cannot read a private key from {}", key.display()), error))?;
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsError::new("no usable protocol version", error))?
        .with_no_client_auth()
        .with_single_cert(chain, secret)
        .map_err(|error| TlsError::new("certificate and key cannot be used", error))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

impl ServerTls {
    /// Reads the files for the first time.
    ///
    /// # Errors
    /// As [`server_config`].
    pub fn load(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let config = server_config(certificate, key)?;
        Ok(Self {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
            current: Arc::new(ArcSwap::from_pointee(config)),
        })
    }

    /// Reads the files again; connections accepted from now on see the new certificate.
    ///
    /// # Errors
    /// As [`server_config`]; the old certificate then stays in use.
    pub fn reload(&self) -> Result<(), TlsError> {
        let config = server_config(&self.certificate, &self.key)?;
        self.current.store(Arc::new(config));
        Ok(())
    }

    /// For [`super::Listener::with_tls`].
    pub fn current(&self) -> Arc<ArcSwap<ServerConfig>> {
        self.current.clone()
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

fn root_store(trust: &Trust) -> Result<RootCertStore, TlsError> {
    let mut store = RootCertStore::empty();
    if trust.roots == Roots::System {
        let _ = store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    if trust.roots == Roots::Mozilla || (trust.roots == Roots::System && store.is_empty()) {
        store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    if let Some(path) = &trust.private_ca {
        for certificate in certificates(path)? {
            store
                .add(certificate)
                .map_err(|error| TlsError::new(format!("unusable certificate in {}", path.display()), error))?;
        }
    }
    if store.is_empty() {
        return Err(TlsError { message: "no root certificate is trusted".to_owned(), source: None });
    }
    Ok(store)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let unreadable = |error| TlsError::new(format!("cannot read certificates from {}", path.display()), error);
    let chain: Vec<_> =
        CertificateDer::pem_file_iter(path).map_err(unreadable)?.collect::<Result<_, _>>().map_err(unreadable)?;
    if chain.is_empty() {
        return Err(TlsError { message: format!("no certificate in {}", path.display()), source: None });
    }
    Ok(chain)
}

impl TlsError {
    fn new(message: impl Into<String>, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self { message: message.into(), source: Some(Box::new(source)) }
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.source.as_ref().map_or(Ok(()), |source| write!(f, ": {source}"))
    }
}

impl std::error::Error for TlsError {}
