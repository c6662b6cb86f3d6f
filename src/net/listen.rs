//! Where connections come in: a socket, TLS on a socket, or an in-process pipe.

/// A source of incoming connections.
pub struct Listener(());
