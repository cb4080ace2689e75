//! Listeners, workers and connections.
//!
//! Each worker is a thread with its own runtime and its own sockets, so no connection ever
//! crosses threads.

mod agree;
mod clients;
mod connection;
mod framing;
mod intake;
mod life;
mod listener;
mod strict;
mod wire;
mod worker;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::watch;

#[doc(hidden)]
pub use agree::readings_agree;
pub(super) use connection::Connection;
pub(super) use life::Turn;
pub use listener::ListenError;

use super::gate::Gate;
use super::load::{ConnectionEnd, Load};
use super::settings::{ConnectionLimits, Listen};
use clients::Clients;
use worker::Worker;

/// A running server.
#[derive(Debug)]
pub struct Server {
    addrs: Vec<SocketAddr>,
    load: Arc<Load>,
    drain: watch::Sender<bool>,
    stop: watch::Sender<bool>,
    workers: Vec<JoinHandle<()>>,
}

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A socket.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// A thread or its runtime.
    #[error("cannot start a worker thread: {0}")]
    Worker(#[source] io::Error),
}

/// How a drain ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were still open at the deadline, and were cut off.
    pub cut: usize,
}

impl Server {
    /// Listens, and serves from then on. Privileges that ports below 1024 need may be given up
    /// afterwards. `workers` is the number of threads, at least one.
    ///
    /// # Errors
    /// When a socket or a thread cannot be had; nothing is left behind then.
    pub fn start(
        listens: &[Listen],
        limits: ConnectionLimits,
        workers: usize,
        gate: Arc<Gate>,
    ) -> Result<Self, StartError> {
        let workers = workers.max(1);
        let mut sockets = listener::open(listens, workers)?;
        let addrs = sockets
            .iter()
            .zip(listens)
            .map(|(each, listen)| {
                each.first()
                    .map_or(Ok(listen.bind), std::net::TcpListener::local_addr)
            })
            .collect::<io::Result<_>>()
            .map_err(StartError::Worker)?;
        let (drain, _) = watch::channel(false);
        let (stop, _) = watch::channel(false);
        let mut server = Self {
            addrs,
            load: Arc::clone(gate.load()),
            drain,
            stop,
            workers: Vec::with_capacity(workers),
        };
        let limits = Arc::new(limits);
        let clients = Clients::new();
        for number in 0..workers {
            let worker = Worker {
                listeners: sockets
                    .iter_mut()
                    .zip(listens)
                    .filter_map(|(each, listen)| Some((each.pop()?, listen.transport.clone())))
                    .collect(),
                gate: Arc::clone(&gate),
                limits: Arc::clone(&limits),
                clients: Arc::clone(&clients),
                drain: server.drain.subscribe(),
                stop: server.stop.subscribe(),
            };
            let thread = worker.prepare().and_then(|ready| {
                thread::Builder::new()
                    .name(format!("http-{number}"))
                    .spawn(move || ready.run())
            });
            match thread {
                Ok(thread) => server.workers.push(thread),
                Err(error) => {
                    server.shutdown(Duration::ZERO);
                    return Err(StartError::Worker(error));
                }
            }
        }
        Ok(server)
    }

    /// The addresses listened on, with their ports, in the order they were given.
    #[must_use]
    pub fn addrs(&self) -> &[SocketAddr] {
        &self.addrs
    }

    /// Stops listening, lets the requests under way end, for at most `drain`, and cuts off the
    /// rest. Blocks until all threads have ended.
    pub fn shutdown(mut self, drain: Duration) -> Drained {
        self.drain.send_replace(true);
        let deadline = std::time::Instant::now() + drain;
        // Each worker ends by itself when its last connection has.
        while self.workers.iter().any(|worker| !worker.is_finished())
            && std::time::Instant::now() < deadline
        {
            thread::park_timeout(POLL);
        }
        let cut = self.load.open();
        for _ in 0..cut {
            self.load.end(ConnectionEnd::Cut);
        }
        self.stop.send_replace(true);
        for worker in self.workers.drain(..) {
            // A worker that panicked has nothing left to wait for.
            let _ = worker.join();
        }
        Drained { cut }
    }
}

/// How often the drain looks whether it is done.
const POLL: Duration = Duration::from_millis(5);

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}
