//! From bytes to a packet: every header up to the transport's, nothing resolved or guessed.
//!
//! Parsing never ends before the source address if the frame holds one: a defect that is found
//! on the way is kept in [`Packet::defect`], so that the deny list is asked first.

mod ethernet;
pub mod frame;
mod ipv4;
mod ipv6;
mod transport;

pub use ethernet::parse;
pub use ipv6::MAX_EXTENSIONS;

use crate::Verdict;

/// The source address of a packet. An IPv4-mapped IPv6 source is held as the IPv4 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// IPv4, network byte order.
    V4([u8; 4]),
    /// IPv6, network byte order.
    V6([u8; 16]),
}

/// The destination address of a packet, as it stands in the header.
pub type Destination = Source;

/// What a frame turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// An IP packet, sound or not.
    Ip(Packet),
    /// Something else that the host may want, such as ARP.
    NotIp,
    /// No source address can be read; the verdict stands.
    Unreadable(Verdict),
}

/// An IP packet's headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Where it says it comes from.
    pub source: Source,
    /// Where it goes.
    pub destination: Destination,
    /// Protocol of the payload, after any extension headers.
    pub protocol: u8,
    /// Source port, host order; 0 where there is none to read.
    pub source_port: u16,
    /// Destination port, host order; 0 where there is none to read.
    pub destination_port: u16,
    /// Whether this is neighbour discovery that came from the link itself (RFC 4861, 7.1).
    pub neighbour: bool,
    /// The first thing found wrong, as the verdict it deserves.
    pub defect: Option<Verdict>,
}
