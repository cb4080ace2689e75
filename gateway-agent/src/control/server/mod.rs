//! The agent's side of the Unix socket: HTTP/1.1 with JSON, for root alone.

mod peer;
mod routes;
mod socket;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::io;
use std::sync::Arc;

use tokio::net::UnixListener;

pub use socket::{Socket, SocketError};

use super::Service;
use peer::Peer;

/// Answers on `socket` until `stop` is done, then finishes the calls under way and removes the
/// socket.
///
/// # Errors
/// When the socket cannot be handed to the runtime.
pub async fn serve(
    socket: Socket,
    service: Arc<Service>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let listener = UnixListener::from_std(socket.listener()?)?;
    let app = routes::router(service).into_make_service_with_connect_info::<Peer>();
    axum::serve(listener, app)
        .with_graceful_shutdown(stop)
        .await?;
    drop(socket);
    Ok(())
}
