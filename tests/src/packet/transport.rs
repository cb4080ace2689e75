//! What an IP packet carries.

/// Protocol numbers (IANA, "Protocol Numbers").
pub mod protocol {
    /// Internet Control Message Protocol.
    pub const ICMP: u8 = 1;
    /// Transmission Control Protocol.
    pub const TCP: u8 = 6;
    /// User Datagram Protocol.
    pub const UDP: u8 = 17;
    /// Generic Routing Encapsulation.
    pub const GRE: u8 = 47;
    /// Encapsulating Security Payload.
    pub const ESP: u8 = 50;
    /// ICMP for IPv6.
    pub const ICMPV6: u8 = 58;
    /// No next header.
    pub const NONE: u8 = 59;
    /// Stream Control Transmission Protocol.
    pub const SCTP: u8 = 132;
    /// For experiments (RFC 3692): nothing knows what it means.
    pub const EXPERIMENT: u8 = 253;
}

/// Flags of TCP (RFC 9293, 3.1).
pub mod flags {
    /// The sender has no more data.
    pub const FIN: u8 = 0x01;
    /// Opens a connection.
    pub const SYN: u8 = 0x02;
    /// Ends a connection at once.
    pub const RST: u8 = 0x04;
    /// Push.
    pub const PSH: u8 = 0x08;
    /// Acknowledges.
    pub const ACK: u8 = 0x10;
    /// Urgent.
    pub const URG: u8 = 0x20;
}

/// Message types of ICMPv6.
pub mod icmpv6 {
    /// Echo request (RFC 4443, 4.1).
    pub const ECHO: u8 = 128;
    /// Multicast listener report (RFC 3810, 5.2).
    pub const LISTENER_REPORT: u8 = 143;
    /// Neighbour solicitation (RFC 4861, 4.3).
    pub const NEIGHBOUR_SOLICITATION: u8 = 135;
    /// All of neighbour discovery (RFC 4861, 4).
    pub const NEIGHBOUR_DISCOVERY: std::ops::RangeInclusive<u8> = 133..=137;
}

/// What an IP packet carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transport {
    /// TCP without options.
    Tcp {
        /// Source port.
        source: u16,
        /// Destination port.
        destination: u16,
        /// The header's length in words of four bytes; 5 when right.
        header_words: u8,
        /// Flags.
        flags: u8,
    },
    /// UDP with eight bytes of payload.
    Udp {
        /// Source port.
        source: u16,
        /// Destination port.
        destination: u16,
    },
    /// Anything else.
    Other {
        /// Its number.
        protocol: u8,
        /// Its bytes.
        bytes: Vec<u8>,
    },
}

impl Transport {
    /// A TCP segment to port 443.
    #[must_use]
    pub const fn tcp(flags: u8) -> Self {
        Self::Tcp {
            source: 49_152,
            destination: 443,
            header_words: 5,
            flags,
        }
    }

    /// The first segment of a connection.
    #[must_use]
    pub const fn syn() -> Self {
        Self::tcp(flags::SYN)
    }

    /// A UDP datagram.
    #[must_use]
    pub const fn udp(source: u16, destination: u16) -> Self {
        Self::Udp {
            source,
            destination,
        }
    }

    /// An echo request of ICMP.
    #[must_use]
    pub fn ping() -> Self {
        Self::Other {
            protocol: protocol::ICMP,
            bytes: vec![8, 0, 0, 0, 0, 1, 0, 1],
        }
    }

    /// A message of ICMPv6 with this type.
    #[must_use]
    pub fn icmpv6(kind: u8) -> Self {
        Self::Other {
            protocol: protocol::ICMPV6,
            bytes: vec![kind, 0, 0, 0, 0, 1, 0, 1],
        }
    }

    /// Sixteen bytes of a protocol that has no ports, or none that anybody reads.
    #[must_use]
    pub fn opaque(protocol: u8) -> Self {
        Self::Other {
            protocol,
            bytes: vec![0; 16],
        }
    }

    /// The first bytes of a message of `protocol`.
    #[must_use]
    pub fn beginning(&self, length: usize) -> Self {
        let mut bytes = self.bytes();
        bytes.truncate(length);
        Self::Other {
            protocol: self.protocol(),
            bytes,
        }
    }

    /// Its number.
    #[must_use]
    pub const fn protocol(&self) -> u8 {
        match self {
            Self::Tcp { .. } => protocol::TCP,
            Self::Udp { .. } => protocol::UDP,
            Self::Other { protocol, .. } => *protocol,
        }
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Tcp {
                source,
                destination,
                header_words,
                flags,
            } => {
                let mut bytes = [source.to_be_bytes(), destination.to_be_bytes()].concat();
                bytes.extend([0, 0, 0, 1, 0, 0, 0, 0]);
                bytes.extend([header_words << 4, *flags, 0xff, 0xff, 0, 0, 0, 0]);
                bytes
            }
            Self::Udp {
                source,
                destination,
            } => {
                let mut bytes = [source.to_be_bytes(), destination.to_be_bytes()].concat();
                bytes.extend([0, 16, 0, 0]);
                bytes.extend(b"datagram");
                bytes
            }
            Self::Other { bytes, .. } => bytes.clone(),
        }
    }
}
