//! Connections: one seam for sockets, TLS and in-process pipes, the HTTP/1.1 client pool of a
//! thread, the server loop, backoff, deadlines and the byte budget.

pub mod backoff;
pub mod body;
pub mod budget;
pub mod client;
pub mod dial;
pub mod endpoint;
pub mod listen;
pub mod serve;
pub mod tls;

pub use backoff::Backoff;
pub use body::Body;
pub use budget::ByteBudget;
pub use client::{Client, PoolLimits, SendError};
pub use dial::Dialer;
pub use endpoint::{Endpoint, Scheme};
pub use listen::Listener;
