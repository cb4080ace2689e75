//! The connections of one worker to upstream targets.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::UpstreamTimes;
use super::body::Outgoing;
use super::target::Target;
use crate::http::refusal::UpstreamFault;

/// How many targets are kept in mind before those without connections are forgotten.
const SWEEP_ABOVE: usize = 64;

/// Idle connections by target. The lock is never contended: the pool belongs to one worker.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    idle: Mutex<HashMap<Arc<str>, Vec<Idle>>>,
}

#[derive(Debug)]
struct Idle {
    sender: SendRequest<Outgoing>,
    until: Instant,
}

/// A connection in use; dropped, it is closed.
#[derive(Debug)]
pub(super) struct Lease {
    pub(super) sender: SendRequest<Outgoing>,
    /// Whether it served a request before: such a one may have been closed by the target
    /// meanwhile.
    pub(super) used: bool,
    target: Arc<str>,
    keep: Keep,
    pool: Arc<Pool>,
}

/// How an unused connection is kept.
#[derive(Clone, Copy, Debug)]
struct Keep {
    idle: Duration,
    connections: usize,
}

impl Pool {
    /// The idle connection to `target` that was used last, if there is one.
    pub(super) fn reuse(self: &Arc<Self>, target: &Target, times: &UpstreamTimes) -> Option<Lease> {
        let now = Instant::now();
        let mut idle = self.lock();
        let connections = idle.get_mut(target.authority())?;
        let sender = loop {
            let last = connections.pop()?;
            if last.until > now && last.sender.is_ready() {
                break last.sender;
            }
        };
        Some(self.lease(target, times, sender, true))
    }

    /// A new connection to `target`.
    pub(super) async fn connect(
        self: &Arc<Self>,
        target: &Target,
        times: &UpstreamTimes,
    ) -> Result<Lease, (UpstreamFault, String)> {
        let stream = match timeout(times.connect, TcpStream::connect(target.address())).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Err((UpstreamFault::Unreachable, error.to_string())),
            Err(_) => {
                return Err((
                    UpstreamFault::ConnectTimeout,
                    "no connection in time".into(),
                ));
            }
        };
        let unreachable = |error: String| (UpstreamFault::Unreachable, error);
        stream
            .set_nodelay(true)
            .map_err(|error| unreachable(error.to_string()))?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| unreachable(error.to_string()))?;
        // Ends when the sender is dropped or the target closes; what went wrong is told to the
        // request that was under way.
        tokio::spawn(async move {
            let _ = connection.await;
        });
        Ok(self.lease(target, times, sender, false))
    }

    /// Closes connections that were not used in time.
    pub(crate) fn sweep(&self) {
        let now = Instant::now();
        let mut idle = self.lock();
        for connections in idle.values_mut() {
            connections.retain(|idle| idle.until > now && !idle.sender.is_closed());
        }
        if idle.len() > SWEEP_ABOVE {
            idle.retain(|_, connections| !connections.is_empty());
        }
    }

    fn lease(
        self: &Arc<Self>,
        target: &Target,
        times: &UpstreamTimes,
        sender: SendRequest<Outgoing>,
        used: bool,
    ) -> Lease {
        Lease {
            sender,
            used,
            target: Arc::clone(target.authority()),
            keep: Keep {
                idle: times.idle,
                connections: times.idle_connections,
            },
            pool: Arc::clone(self),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, Vec<Idle>>> {
        self.idle
            .lock()
            .unwrap_or_else(|poison| poison.into_inner())
    }
}

impl Lease {
    /// Puts the connection back, to be used again as soon as it is ready for it.
    pub(super) fn give_back(self) {
        if self.sender.is_closed() {
            return;
        }
        let mut idle = self.pool.lock();
        let connections = idle.entry(self.target).or_default();
        if connections.len() < self.keep.connections {
            connections.push(Idle {
                sender: self.sender,
                until: Instant::now() + self.keep.idle,
            });
        }
    }
}
