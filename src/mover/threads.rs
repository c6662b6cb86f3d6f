//! Runtime threads of the mover: each has its own runtime, clients and connections.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::sync::oneshot;

use super::{Factory, ThreadClients};
use crate::object::{Error, ErrorKind, Result};

/// Runs `work` on a thread of its own, with clients made there. The receiver gets its result; when it
/// is dropped the work ends where it is.
///
/// # Errors
/// `Unexpected` if the operating system gives no thread.
pub fn start<T, W, F>(name: &str, factory: &Factory, work: W) -> Result<oneshot::Receiver<Result<T>>>
where
    T: Send + 'static,
    W: FnOnce(ThreadClients) -> F + Send + 'static,
    F: Future<Output = Result<T>>,
{
    let (mut sender, receiver) = oneshot::channel();
    let factory = factory.clone();
    let body = move || {
        let result =
            catch_unwind(AssertUnwindSafe(|| run(&factory, work, &mut sender))).unwrap_or_else(|_| Err(panicked()));
        // Nobody waits any more if the run was dropped.
        let _ = sender.send(result);
    };
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(body)
        .map_err(|error| Error::new(ErrorKind::Unexpected, "no thread to be had").with_source(error))?;
    Ok(receiver)
}

/// Waits for a thread's result.
///
/// # Errors
/// The work's own, and `Unexpected` if it panicked.
pub async fn finish<T>(receiver: oneshot::Receiver<Result<T>>) -> Result<T> {
    receiver.await.unwrap_or_else(|_| Err(panicked()))
}

fn run<T, W, F>(factory: &Factory, work: W, sender: &mut oneshot::Sender<Result<T>>) -> Result<T>
where
    W: FnOnce(ThreadClients) -> F,
    F: Future<Output = Result<T>>,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::new(ErrorKind::Unexpected, "no runtime to be had").with_source(error))?;
    runtime.block_on(async {
        let clients = factory()?;
        tokio::select! {
            result = work(clients) => result,
            () = sender.closed() => Err(Error::new(ErrorKind::Cancelled, "the run was dropped")),
        }
    })
}

fn panicked() -> Error {
    Error::new(ErrorKind::Unexpected, "a thread of the mover panicked")
}
