//! Sockets to listen on.

use std::io;
use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

use crate::http::settings::Listen;

/// How many connections may wait to be accepted, for each worker.
const BACKLOG: i32 = 1024;

/// Why there is no socket.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {bind}: {source}")]
pub struct ListenError {
    /// Where.
    pub bind: SocketAddr,
    /// What the system said.
    pub source: io::Error,
}

/// Opens a socket for each of `workers` on each address; the kernel spreads connections over
/// them. Returns for each address its sockets.
///
/// Sockets that share a port let every process of the same user join in, so a second gateway
/// started by mistake would take half of the connections. The first socket is therefore opened
/// alone, which fails when anybody listens there.
///
/// # Errors
/// When an address cannot be listened on.
pub(super) fn open(
    listens: &[Listen],
    workers: usize,
) -> Result<Vec<Vec<TcpListener>>, ListenError> {
    listens
        .iter()
        .map(|listen| {
            let both = !has_ipv4_twin(listen.bind, listens);
            open_one(listen.bind, both, workers).map_err(|source| ListenError {
                bind: listen.bind,
                source,
            })
        })
        .collect()
}

fn open_one(bind: SocketAddr, both: bool, workers: usize) -> io::Result<Vec<TcpListener>> {
    let probe = socket(bind, both, false)?;
    let bind = probe.local_addr()?;
    drop(probe);
    (0..workers).map(|_| socket(bind, both, true)).collect()
}

fn socket(bind: SocketAddr, both: bool, shared: bool) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(bind), Type::STREAM, Some(Protocol::TCP))?;
    if bind.is_ipv6() {
        socket.set_only_v6(!both)?;
    }
    // Connections of the gateway that ran here before may still linger.
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(shared)?;
    socket.set_nonblocking(true)?;
    socket.bind(&bind.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// `[::]` listens for IPv4 as well, unless IPv4 on that port has a listener of its own.
fn has_ipv4_twin(bind: SocketAddr, listens: &[Listen]) -> bool {
    listens
        .iter()
        .any(|other| other.bind.is_ipv4() && other.bind.port() == bind.port())
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;
    use crate::http::settings::Transport;

    fn listen(bind: &str, port: u16) -> Listen {
        Listen {
            bind: format!("{bind}:{port}").parse().unwrap(),
            transport: Transport::Plain,
        }
    }

    #[test]
    fn the_wildcard_of_ipv6_takes_ipv4_unless_that_has_a_listener_of_its_own() {
        let alone = open(&[listen("[::]", 0)], 2).unwrap();
        let port = alone[0][0].local_addr().unwrap().port();
        assert_eq!(alone[0].len(), 2);
        TcpStream::connect(("127.0.0.1", port)).unwrap();
        TcpStream::connect(("::1", port)).unwrap();
        drop(alone);

        let both = [listen("[::]", port), listen("127.0.0.1", port)];
        let opened = open(&both, 2).unwrap();
        assert_eq!(opened[1][1].local_addr().unwrap(), both[1].bind);
        let taken = open(&both[1..], 1).unwrap_err();
        assert_eq!(taken.source.kind(), io::ErrorKind::AddrInUse);
    }
}
