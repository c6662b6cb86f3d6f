//! How a connection is opened: to a socket, with TLS, or to an in-process pipe.

use std::sync::Arc;

/// Opens connections.
#[derive(Clone)]
pub struct Dialer {
    pub(super) tls: Option<Arc<rustls::ClientConfig>>,
}
