//! A network inside the process: names instead of addresses, pipes instead of sockets.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::DuplexStream;
use tokio::sync::mpsc;

/// Names and who listens there. Clones share the net. A name is `host:port`; `*.host:port` takes
/// every name one label longer, for virtual-host addressing.
#[derive(Clone, Default)]
pub struct PipeNet(Arc<Mutex<HashMap<String, mpsc::UnboundedSender<DuplexStream>>>>);

/// Takes the connections made to one name; the name is refused once this is dropped.
pub struct PipeListener {
    name: String,
    incoming: mpsc::UnboundedReceiver<DuplexStream>,
}

/// Bytes on their way in each direction of a pipe, as a socket buffer would hold.
const PIPE_BYTES: usize = 64 * 1024;

impl PipeNet {
    pub fn new() -> Self {
        Self::default()
    }

    /// Listens on `name` (`host:port`); an earlier listener of that name gets no more connections.
    pub fn listen(&self, name: &str) -> PipeListener {
        let (sender, incoming) = mpsc::unbounded_channel();
        self.names().insert(name.to_owned(), sender);
        PipeListener { name: name.to_owned(), incoming }
    }

    /// Connects to the listener of `name`.
    ///
    /// # Errors
    /// `ConnectionRefused` if nobody listens.
    pub fn connect(&self, name: &str) -> io::Result<DuplexStream> {
        let (near, far) = tokio::io::duplex(PIPE_BYTES);
        let names = self.names();
        let listener = names.get(name).or_else(|| names.get(&format!("*.{}", name.split_once('.')?.1)));
        match listener.map(|listener| listener.send(far)) {
            Some(Ok(())) => Ok(near),
            _ => Err(io::Error::new(io::ErrorKind::ConnectionRefused, format!("nobody listens on {name}"))),
        }
    }

    fn names(&self) -> std::sync::MutexGuard<'_, HashMap<String, mpsc::UnboundedSender<DuplexStream>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PipeListener {
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The next connection; none ever comes once another listener took the name.
    pub async fn accept(&mut self) -> DuplexStream {
        match self.incoming.recv().await {
            Some(pipe) => pipe,
            None => std::future::pending().await,
        }
    }
}
