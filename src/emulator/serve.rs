//! The emulator over TCP.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;

use super::Emulator;

impl Emulator {
    /// Serves connections until `stop` is done; open connections then end with the runtime.
    pub async fn serve(self: Arc<Self>, listener: TcpListener, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = &mut stop => return,
            };
            // A failed accept concerns one connection, or passes: the next one may work.
            let Ok((socket, _)) = accepted else {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
                continue;
            };
            let _ = socket.set_nodelay(true);
            tokio::spawn(self.clone().serve_connection(TokioIo::new(socket)));
        }
    }

    /// Serves one connection, over whatever it runs.
    pub async fn serve_connection<I>(self: Arc<Self>, io: I)
    where
        I: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
    {
        let service = service_fn(move |request| {
            let emulator = self.clone();
            async move { Ok::<_, Infallible>(emulator.handle(request).await) }
        });
        // A client that goes away is no concern of the service.
        let _ = http1::Builder::new().timer(TokioTimer::new()).serve_connection(io, service).await;
    }
}
