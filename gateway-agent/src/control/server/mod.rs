//! The agent's side of the Unix socket: HTTP/1.1 with JSON, for root alone.

mod peer;
mod routes;
mod socket;
#[cfg(test)]
mod tests;

use std::future::{Future, IntoFuture};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UnixListener;
use tokio::sync::oneshot;

pub use socket::{Socket, SocketError};

use super::Service;
use peer::Peer;

/// How long calls under way may take once the agent is told to stop.
const DRAIN: Duration = Duration::from_secs(5);

/// Answers on `socket` until `stop` is done, then finishes the calls under way, for five seconds
/// at most, and removes the socket.
///
/// # Errors
/// When the socket cannot be handed to the runtime.
pub async fn serve(
    socket: Socket,
    service: Arc<Service>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    serve_and_drain(socket, service, stop, DRAIN).await
}

async fn serve_and_drain(
    socket: Socket,
    service: Arc<Service>,
    stop: impl Future<Output = ()> + Send + 'static,
    drain: Duration,
) -> io::Result<()> {
    let listener = UnixListener::from_std(socket.listener()?)?;
    let app = routes::router(service).into_make_service_with_connect_info::<Peer>();
    let (tell, told) = oneshot::channel();
    let stop = async move {
        stop.await;
        let _ = tell.send(());
    };
    // Somebody who never finishes a request must not keep the agent from ending.
    let patience = async {
        match told.await {
            Ok(()) => tokio::time::sleep(drain).await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        served = axum::serve(listener, app).with_graceful_shutdown(stop).into_future() => served?,
        () = patience => tracing::warn!("calls on the control socket were cut off"),
    }
    drop(socket);
    Ok(())
}
