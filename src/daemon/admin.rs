//! The admin listener.

use std::net::SocketAddr;

use crate::admin::Admin;
use crate::net::Listener;
use crate::net::serve::{ServeLimits, serve};
use crate::net::shutdown::Shutdown;

/// Metrics, health and status, on the background runtime, so that they answer while the facade is busy.
pub struct AdminServer {
    pub address: SocketAddr,
}

impl AdminServer {
    /// Binds and begins to answer; it goes on until the process ends, drain included.
    ///
    /// # Errors
    /// If the address cannot be bound.
    pub fn start(listen: SocketAddr, admin: Admin) -> std::io::Result<Self> {
        let listener = Listener::bind(listen, false)?;
        let address = listener.local_addr()?;
        let handler = move |request, _peer| {
            let admin = admin.clone();
            async move { admin.handle(request).await }
        };
        let limits = ServeLimits { connections_max: CONNECTIONS_MAX, ..ServeLimits::default() };
        tokio::spawn(serve(listener, limits, handler, Shutdown::never()));
        Ok(Self { address })
    }
}

/// Scrapers and probes are few.
const CONNECTIONS_MAX: usize = 256;
