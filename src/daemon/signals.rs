//! SIGTERM and SIGINT: the first asks to finish, the second to stop at once.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that end a process.
pub struct Stopping {
    terminate: Signal,
    interrupt: Signal,
}

/// Begins to listen for them.
///
/// # Errors
/// If the operating system refuses a handler.
pub fn stop_signal() -> std::io::Result<Stopping> {
    Ok(Stopping { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
}

impl Stopping {
    /// Waits for the next one and says which.
    pub async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
