//! Who is at the other end of a connection, as the kernel tells (`SO_PEERCRED`, unix(7)).

use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use tokio::net::UnixListener;

use crate::control::Actor;

/// The process that connected.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    actor: Option<Actor>,
}

impl Peer {
    /// Who it is; `None` when the kernel would not say, and then nothing is done for it.
    pub(super) fn actor(&self) -> Option<Actor> {
        self.actor.clone()
    }
}

impl Connected<IncomingStream<'_, UnixListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, UnixListener>) -> Self {
        let actor = stream.io().peer_cred().ok().map(|cred| {
            let pid = cred.pid().and_then(|pid| u32::try_from(pid).ok());
            Actor::cli(cred.uid(), pid)
        });
        Self { actor }
    }
}
