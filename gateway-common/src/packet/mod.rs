//! From bytes to a packet, in two steps, so that the deny list stands between them.
//!
//! [`locate`] and [`source`] read just far enough to know the source address: VLAN tags and the
//! fixed part of the IP header. [`inspect`] reads the rest: options, extension headers, ports, flags, and
//! what is wrong with them. A denied source never gets to the second step, so there is nothing
//! in a packet that could carry it past the first.

mod ethernet;
pub mod frame;
mod ipv4;
mod ipv6;
mod transport;

pub use ethernet::locate;
pub use ipv6::{MAX_EXTENSIONS, follow};
pub(crate) use transport::{ACK, SYN, TCP};

use crate::{Frame, Verdict};

/// An address of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// IPv4, network byte order.
    V4([u8; 4]),
    /// IPv6, network byte order.
    V6([u8; 16]),
}

/// Where a frame's network header stands. Every field always has a value: the verifier rejects
/// a program that so much as copies one that may have none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Located {
    /// What the network header is.
    pub kind: Kind,
    /// Offset of the network header in the frame.
    pub start: usize,
}

/// What a frame carries, by its ethertype.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// IPv4 (RFC 791).
    V4,
    /// IPv6 (RFC 8200).
    V6,
    /// Something else that the host may want, such as ARP.
    NotIp,
    /// The frame ends before its ethertype.
    Truncated,
    /// More VLAN tags than are followed.
    TooManyVlans,
}

/// What the rest of the headers say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Details {
    /// Protocol of the payload, after any extension headers.
    pub protocol: u8,
    /// Source port, host order; 0 where there is none to read.
    pub source_port: u16,
    /// Destination port, host order; 0 where there is none to read.
    pub destination_port: u16,
    /// Whether this opens a TCP connection: SYN without ACK.
    pub opens: bool,
    /// Whether this is neighbour discovery that came from the link itself (RFC 4861, 7.1).
    pub neighbour: bool,
    /// The first thing found wrong, as the verdict it deserves.
    pub defect: Option<Verdict>,
}

impl Details {
    const fn of(protocol: u8) -> Self {
        Self {
            protocol,
            source_port: 0,
            destination_port: 0,
            opens: false,
            neighbour: false,
            defect: None,
        }
    }

    const fn defective(protocol: u8, defect: Verdict) -> Self {
        Self {
            defect: Some(defect),
            ..Self::of(protocol)
        }
    }
}

/// The address that lists and limits go by; `None` when the fixed header is cut short. An
/// IPv4-mapped IPv6 source is given as IPv4.
#[inline(always)]
pub fn source<F: Frame + ?Sized>(frame: &F, located: Located) -> Option<Address> {
    match located.kind {
        Kind::V4 => ipv4::source(frame, located.start),
        Kind::V6 => ipv6::source(frame, located.start),
        Kind::NotIp | Kind::Truncated | Kind::TooManyVlans => None,
    }
}

/// The destination address, as it stands in the header.
#[inline(always)]
pub fn destination<F: Frame + ?Sized>(frame: &F, located: Located) -> Option<Address> {
    match located.kind {
        Kind::V4 => frame.read::<4>(located.start + 16).map(Address::V4),
        Kind::V6 => frame.read::<16>(located.start + 24).map(Address::V6),
        Kind::NotIp | Kind::Truncated | Kind::TooManyVlans => None,
    }
}

/// Reads the headers behind the source address.
#[inline(always)]
pub fn inspect<F: Frame + ?Sized>(frame: &F, located: Located) -> Details {
    match located.kind {
        Kind::V4 => ipv4::inspect(frame, located.start),
        Kind::V6 => ipv6::inspect(frame, located.start),
        Kind::NotIp | Kind::Truncated | Kind::TooManyVlans => Details::of(0),
    }
}
