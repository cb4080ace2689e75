//! Questions asked from inside a host, with exact numbers of packets.

use std::io::{ErrorKind, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::errno::Errno;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use crate::host::Node;

/// How long a probe waits for one answer unless told otherwise.
const PATIENCE: Duration = Duration::from_secs(1);

/// What became of some echo requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pings {
    /// Echo requests sent.
    pub sent: u16,
    /// Answers received.
    pub received: u16,
}

/// Sends `count` echo requests one after the other, waiting at most a second for each answer.
///
/// # Errors
///
/// When the host cannot be entered or has no route; silence is no error.
pub fn ping(from: &Node, to: IpAddr, count: u16) -> Result<Pings> {
    ping_within(from, to, count, PATIENCE)
}

/// [`ping`] with another patience for each answer.
///
/// # Errors
///
/// Those of [`ping`].
pub fn ping_within(from: &Node, to: IpAddr, count: u16, patience: Duration) -> Result<Pings> {
    from.in_ns(|| echo(to, count, patience))?
        .with_context(|| format!("pinging {to} from {}", from.host()))
}

/// Sends exactly `count` UDP datagrams from a port of its own, and asks for no answer.
///
/// # Errors
///
/// When the host cannot be entered or has no route.
pub fn udp(from: &Node, to: SocketAddr, count: u64, payload: &[u8]) -> Result<()> {
    let send = || -> Result<()> {
        let any: IpAddr = match to {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        // Unconnected: an ICMP error about one datagram must not eat the next.
        let socket = UdpSocket::bind((any, 0))?;
        for _ in 0..count {
            socket.send_to(payload, to)?;
        }
        Ok(())
    };
    from.in_ns(send)?
        .with_context(|| format!("UDP to {to} from {}", from.host()))
}

/// Opens a TCP connection, closes it, and says how long the opening took.
///
/// # Errors
///
/// When it is refused or not opened within `patience`.
pub fn tcp(from: &Node, to: SocketAddr, patience: Duration) -> Result<Duration> {
    let started = Instant::now();
    from.in_ns(|| TcpStream::connect_timeout(&to, patience))?
        .with_context(|| format!("TCP to {to} from {}", from.host()))?;
    Ok(started.elapsed())
}

fn echo(to: IpAddr, count: u16, patience: Duration) -> Result<Pings> {
    let (domain, protocol) = match to {
        IpAddr::V4(_) => (Domain::IPV4, Protocol::ICMPV4),
        IpAddr::V6(_) => (Domain::IPV6, Protocol::ICMPV6),
    };
    let mut socket = Socket::new(domain, Type::RAW, Some(protocol))?;
    let target = SockAddr::from(SocketAddr::new(to, 0));
    let mut pings = Pings {
        sent: 0,
        received: 0,
    };
    for sequence in 0..count {
        let tag = echo_tag(sequence);
        socket.send_to(&echo_request(to, tag), &target)?;
        pings.sent += 1;
        if answered(&mut socket, to, tag, patience)? {
            pings.received += 1;
        }
    }
    Ok(pings)
}

/// Identifier and sequence number; the process id keeps concurrent pings of one host apart.
fn echo_tag(sequence: u16) -> [u8; 4] {
    let [_, _, a, b] = std::process::id().to_be_bytes();
    let [c, d] = sequence.to_be_bytes();
    [a, b, c, d]
}

/// An echo request (RFC 792, RFC 4443). The kernel itself fills in the checksum of ICMPv6.
fn echo_request(to: IpAddr, [a, b, c, d]: [u8; 4]) -> [u8; 8] {
    let plain = match to {
        IpAddr::V4(_) => [8, 0, 0, 0, a, b, c, d],
        IpAddr::V6(_) => return [128, 0, 0, 0, a, b, c, d],
    };
    let [high, low] = crate::flood::checksum(0, &plain).to_be_bytes();
    [8, 0, high, low, a, b, c, d]
}

fn answered(socket: &mut Socket, to: IpAddr, tag: [u8; 4], patience: Duration) -> Result<bool> {
    let deadline = Instant::now() + patience;
    let mut buffer = [0; 512];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(false);
        }
        socket.set_read_timeout(Some(left))?;
        let length = match socket.read(&mut buffer) {
            Ok(length) => length,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                return Ok(false);
            }
            Err(error) if error.raw_os_error() == Some(Errno::EINTR as i32) => continue,
            Err(error) => return Err(error.into()),
        };
        if is_answer(buffer.get(..length).unwrap_or_default(), to, tag) {
            return Ok(true);
        }
    }
}

/// Whether `packet` answers our request. A raw IPv4 socket hands out the IP header as well.
fn is_answer(packet: &[u8], to: IpAddr, tag: [u8; 4]) -> bool {
    let (kind, start) = match to {
        IpAddr::V4(_) => {
            let words = packet.first().map_or(0, |first| usize::from(first & 0x0f));
            (0, words * 4)
        }
        IpAddr::V6(_) => (129, 0),
    };
    packet.get(start) == Some(&kind) && packet.get(start + 4..start + 8) == Some(&tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_reply_to_our_own_request_counts() {
        let four: IpAddr = "10.0.0.1".parse().unwrap();
        let mut packet = vec![0x46; 24];
        packet.extend([0, 0, 0, 0, 1, 2, 3, 4]);
        assert!(is_answer(&packet, four, [1, 2, 3, 4]));
        assert!(!is_answer(&packet, four, [1, 2, 3, 5]));
        packet[24] = 8;
        assert!(
            !is_answer(&packet, four, [1, 2, 3, 4]),
            "a request is no reply"
        );
        assert!(
            !is_answer(&[0x4f], four, [1, 2, 3, 4]),
            "a short packet is none"
        );
        let six: IpAddr = "::1".parse().unwrap();
        assert!(is_answer(&[129, 0, 9, 9, 1, 2, 3, 4], six, [1, 2, 3, 4]));
    }
}
