//! `[admin]`: metrics, health and status, on a listener of their own.

use std::net::SocketAddr;

use super::document::Document;

/// The listener for operators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminConfig {
    pub listen: SocketAddr,
}

impl Default for AdminConfig {
    /// Loopback: what it tells is nobody else's business unless the operator says so.
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 9090)) }
    }
}

impl AdminConfig {
    pub(super) fn read(document: &Document<'_>) -> Self {
        let section = document.section("admin");
        let listen = section.get("listen").unwrap_or_else(|| Self::default().listen);
        section.finish();
        Self { listen }
    }
}
