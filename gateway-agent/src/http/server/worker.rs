//! One thread of the server.

use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::time::Duration;

use gateway_policy::client::ClientKey;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::clients::Clients;
use super::connection::{self, Host};
use crate::http::address::PeerAddr;
use crate::http::gate::{Connections, Gate};
use crate::http::load::ConnectionEnd;
use crate::http::settings::{ConnectionLimits, Transport};
use crate::http::upstream::Pool;

/// What a worker is made of.
#[derive(Debug)]
pub(super) struct Worker {
    pub listeners: Vec<(StdListener, Transport)>,
    pub gate: Arc<Gate>,
    pub limits: Arc<ConnectionLimits>,
    pub clients: Arc<Clients>,
    pub drain: watch::Receiver<bool>,
    pub stop: watch::Receiver<bool>,
}

/// A worker with its runtime.
#[derive(Debug)]
pub(super) struct Ready {
    worker: Worker,
    runtime: Runtime,
    listeners: Vec<(TcpListener, Transport)>,
}

/// How often idle upstream connections are looked through.
const SWEEP: Duration = Duration::from_secs(5);
/// How long `accept` waits when there are no file descriptors.
const BREATHE: Duration = Duration::from_millis(50);

impl Worker {
    /// Makes the runtime.
    ///
    /// # Errors
    /// When the system does not give what it needs.
    pub(super) fn prepare(mut self) -> io::Result<Ready> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let guard = runtime.enter();
        let listeners = std::mem::take(&mut self.listeners)
            .into_iter()
            .map(|(listener, transport)| Ok((TcpListener::from_std(listener)?, transport)))
            .collect::<io::Result<_>>()?;
        drop(guard);
        Ok(Ready {
            worker: self,
            runtime,
            listeners,
        })
    }
}

impl Ready {
    /// Serves until the drain is over or the server stops.
    pub(super) fn run(self) {
        let Self {
            worker,
            runtime,
            listeners,
        } = self;
        let mut stop = worker.stop.clone();
        runtime.block_on(async {
            tokio::select! {
                biased;
                () = raised(&mut stop) => {}
                () = work(worker, listeners) => {}
            }
        });
        // Name look-ups may hang in a thread of their own.
        runtime.shutdown_timeout(Duration::ZERO);
    }
}

async fn work(worker: Worker, listeners: Vec<(TcpListener, Transport)>) {
    let pool = Arc::new(Pool::default());
    let mut tasks = JoinSet::new();
    for (listener, transport) in listeners {
        let host = Host {
            gate: Arc::clone(&worker.gate),
            pool: Arc::clone(&pool),
            limits: Arc::clone(&worker.limits),
            drain: worker.drain.clone(),
        };
        tasks.spawn(accept(
            listener,
            transport,
            host,
            Arc::clone(&worker.clients),
        ));
    }
    let mut sweep = interval(SWEEP);
    sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = sweep.tick() => pool.sweep(),
            ended = tasks.join_next() => if ended.is_none() { return },
        }
    }
}

/// Accepts connections until the drain, and ends when the last of them has.
async fn accept(listener: TcpListener, transport: Transport, host: Host, clients: Arc<Clients>) {
    let transport = Arc::new(transport);
    let mut connections = JoinSet::new();
    let mut drain = host.drain.clone();
    loop {
        tokio::select! {
            biased;
            () = raised(&mut drain) => break,
            // Takes the ended ones out.
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    admit(stream, peer, &transport, &host, &clients, &mut connections);
                }
                Err(_) => {
                    host.gate.load().accept_error();
                    sleep(BREATHE).await;
                }
            }
        }
    }
    // Who has been connected by the kernel already would get a reset.
    while let Some((stream, peer)) = accepted_already(&listener).await {
        admit(stream, peer, &transport, &host, &clients, &mut connections);
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Waits until a flag is raised, or nobody is left to raise it.
pub(super) async fn raised(flag: &mut watch::Receiver<bool>) {
    // What it gives would hold the flag's lock.
    let _ = flag.wait_for(|raised| *raised).await;
}

async fn accepted_already(listener: &TcpListener) -> Option<(TcpStream, SocketAddr)> {
    tokio::select! {
        biased;
        accepted = listener.accept() => accepted.ok(),
        () = std::future::ready(()) => None,
    }
}

/// Takes a connection, or closes it at once when there are too many.
fn admit(
    stream: TcpStream,
    peer: SocketAddr,
    transport: &Arc<Transport>,
    host: &Host,
    clients: &Arc<Clients>,
    connections: &mut JoinSet<()>,
) {
    let load = host.gate.load();
    load.accept();
    let Some(present) = Connections::enter(load, host.limits.total) else {
        load.end(ConnectionEnd::RefusedTotal);
        return;
    };
    let addr = PeerAddr::from(peer).ip();
    let most = if host.gate.settings().proxies.trusts(addr) {
        usize::MAX
    } else {
        host.limits.per_client
    };
    let Some(counted) = clients.enter(ClientKey::from(addr), most) else {
        load.end(ConnectionEnd::RefusedClient);
        return;
    };
    let (transport, host) = (Arc::clone(transport), host.clone());
    connections.spawn(async move {
        let _counted = (present, counted);
        let load = Arc::clone(host.gate.load());
        load.end(connection::run(stream, peer, &transport, host).await);
    });
}
