//! Connections: one seam for sockets, TLS and in-process pipes, the HTTP/1.1 client pool of a
//! thread, the server loop, backoff, deadlines and the byte budget.

pub mod backoff;
pub mod body;
pub mod budget;
pub mod client;
pub mod deadline;
pub mod dial;
mod driven;
pub mod endpoint;
pub mod io;
pub mod listen;
mod outgoing;
pub mod pipe;
mod pool;
pub mod pooled_body;
mod recycled;
mod repoll;
pub mod request_body;
pub mod serve;
mod serve_stage;
pub mod shutdown;
pub mod tls;

pub use backoff::Backoff;
pub use body::Body;
pub use budget::ByteBudget;
pub use client::{Client, ClientStats, PoolLimits, SendError};
pub use dial::Dialer;
pub use endpoint::{Endpoint, Scheme};
pub use io::IoStream;
pub use listen::{Listener, ListenerStats, PeerInfo};
pub use pipe::{PipeListener, PipeNet};
pub use pooled_body::{BodyError, PooledBody};
pub use request_body::RequestBody;
pub use serve::{ServeLimits, serve};
pub use shutdown::{Phase, Shutdown, ShutdownTrigger};

#[cfg(test)]
mod tests;
