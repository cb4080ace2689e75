//! Reminds listening sockets that there is a flood.
//!
//! The stack takes up a connection by its cookie only at a socket that has itself answered a SYN
//! with a cookie within the last two minutes (`tcp_synq_no_recent_overflow`). The SYNs that the
//! filter lets through see to that, but not all of them are answered: those with a wrong checksum,
//! or from sources that there is no route to, are thrown away. A flood of such SYNs would have the
//! filter answer everybody else, and the stack refuse them when they come back. So the agent opens
//! a connection of its own to each endpoint, from inside the host, past the filter.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use gateway_common::syncookie::Endpoint;
use socket2::{Domain, Protocol, Socket, Type};

/// Endpoints that are knocked at. Beyond them it is the SYNs that the filter lets through that
/// count.
const MOST: usize = 256;

/// Opens a connection to each endpoint and drops it. It does not wait: the stack answers a SYN
/// from inside the host before `connect` is over. Returns how many could not be knocked at, and
/// the last error.
pub(super) fn knock<'a>(
    endpoints: impl Iterator<Item = &'a Endpoint>,
) -> Option<(usize, io::Error)> {
    let failed = endpoints
        .take(MOST)
        .filter_map(|endpoint| connect(endpoint).err());
    failed.fold(None, |before, error| {
        let failed = before.map_or(0, |(failed, _)| failed);
        Some((failed + 1, error))
    })
}

fn connect(endpoint: &Endpoint) -> io::Result<()> {
    let ip = match (endpoint.family, endpoint.address) {
        (4, [a, b, c, d, ..]) => IpAddr::from([a, b, c, d]),
        (_, address) => IpAddr::from(address),
    };
    // On a link-local address it is known by its interface too, which no endpoint tells.
    if matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local()) {
        return Ok(());
    }
    let address = SocketAddr::new(ip, endpoint.port);
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    socket.set_nonblocking(true)?;
    // It ends at once, and leaves nothing behind.
    socket.set_linger(Some(Duration::ZERO))?;
    match socket.connect(&address.into()) {
        Err(error) if error.raw_os_error() == Some(nix::libc::EINPROGRESS) => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn who_listens_is_knocked_at_and_who_does_not_is_told() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let open = Endpoint::v4([127, 0, 0, 1], port);
        assert!(knock([open].iter()).is_none());
        listener.accept().unwrap();
        drop(listener);
        // Whether the refusal is there at once is the stack's affair; it is no panic.
        let _maybe = knock([open].iter());
        // A broadcast address is none to connect to.
        let (failed, error) = knock([Endpoint::v4([255; 4], 9)].iter()).unwrap();
        assert_eq!(failed, 1, "{error}");
    }
}
