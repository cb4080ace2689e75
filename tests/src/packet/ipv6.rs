//! IPv6 and its extension headers (RFC 8200).

use std::net::Ipv6Addr;

use super::{Transport, protocol};

/// An IPv6 packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ipv6 {
    /// Source address.
    pub source: Ipv6Addr,
    /// Destination address.
    pub destination: Ipv6Addr,
    /// The version field; 6 when right.
    pub version: u8,
    /// The payload length field; counted when `None`.
    pub payload_length: Option<u16>,
    /// Hop limit; 255 says that no router handled the packet.
    pub hop_limit: u8,
    /// Extension headers, in order.
    pub extensions: Vec<Extension>,
    /// What the packet carries.
    pub payload: Transport,
}

/// An extension header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extension {
    /// One of the kinds that say their length in units of eight bytes beyond the first.
    Options(Options, u8),
    /// A fragment header.
    Fragment {
        /// Where the payload belongs, in units of eight bytes.
        offset: u16,
        /// Whether more fragments follow.
        more: bool,
    },
    /// An authentication header with this length field, in words of four bytes beyond two.
    Authentication(u8),
}

/// Extension headers that share one layout (RFC 6564, 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Options {
    /// Hop-by-hop options.
    HopByHop,
    /// Routing.
    Routing,
    /// Destination options.
    Destination,
    /// Mobility (RFC 6275).
    Mobility,
    /// Host Identity Protocol (RFC 7401).
    Hip,
    /// Shim6 (RFC 5533).
    Shim6,
}

impl Options {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::HopByHop,
        Self::Routing,
        Self::Destination,
        Self::Mobility,
        Self::Hip,
        Self::Shim6,
    ];
}

impl Extension {
    /// A whole packet that says it is a fragment (RFC 6946).
    pub const ATOMIC: Self = Self::Fragment {
        offset: 0,
        more: false,
    };

    /// One of every kind, as short as it may be.
    #[must_use]
    pub fn each() -> Vec<Self> {
        Options::ALL
            .into_iter()
            .map(|kind| Self::Options(kind, 0))
            .chain([Self::ATOMIC, Self::Authentication(4)])
            .collect()
    }

    /// Its number in the field before it.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Options(Options::HopByHop, _) => 0,
            Self::Options(Options::Routing, _) => 43,
            Self::Options(Options::Destination, _) => 60,
            Self::Options(Options::Mobility, _) => 135,
            Self::Options(Options::Hip, _) => 139,
            Self::Options(Options::Shim6, _) => 140,
            Self::Fragment { .. } => 44,
            Self::Authentication(_) => 51,
        }
    }

    fn bytes(self, next: u8) -> Vec<u8> {
        match self {
            Self::Options(_, units) => {
                let mut bytes = vec![0; 8 * (usize::from(units) + 1)];
                bytes[..2].copy_from_slice(&[next, units]);
                // One option that pads the rest of the first unit (RFC 8200, 4.2).
                bytes[2..4].copy_from_slice(&[1, 4]);
                bytes
            }
            Self::Fragment { offset, more } => {
                let field = (offset << 3) | u16::from(more);
                let mut bytes = vec![next, 0];
                bytes.extend(field.to_be_bytes());
                bytes.extend([0, 0, 0x12, 0x34]);
                bytes
            }
            Self::Authentication(words) => {
                let mut bytes = vec![0; 4 * (usize::from(words) + 2)];
                bytes[..2].copy_from_slice(&[next, words]);
                bytes
            }
        }
    }
}

impl Ipv6 {
    /// A packet without extension headers.
    #[must_use]
    pub fn new(
        source: impl Into<Ipv6Addr>,
        destination: impl Into<Ipv6Addr>,
        payload: Transport,
    ) -> Self {
        Self {
            source: source.into(),
            destination: destination.into(),
            version: 6,
            payload_length: None,
            hop_limit: 64,
            extensions: Vec::new(),
            payload,
        }
    }

    /// The packet with these extension headers.
    #[must_use]
    pub fn extensions(mut self, extensions: &[Extension]) -> Self {
        self.extensions = extensions.to_vec();
        self
    }

    /// The packet with another version in its first four bits.
    #[must_use]
    pub fn version(mut self, version: u8) -> Self {
        self.version = version;
        self
    }

    /// The packet with another payload length.
    #[must_use]
    pub fn payload_length(mut self, length: u16) -> Self {
        self.payload_length = Some(length);
        self
    }

    /// The packet with another hop limit.
    #[must_use]
    pub fn hop_limit(mut self, hops: u8) -> Self {
        self.hop_limit = hops;
        self
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let numbers = self.extensions.iter().map(|e| e.number());
        let mut next: Vec<u8> = numbers.chain([self.payload.protocol()]).collect();
        let first = next.remove(0);
        let mut payload = Vec::new();
        for (extension, next) in self.extensions.iter().zip(next) {
            payload.extend(extension.bytes(next));
        }
        payload.extend(self.payload.bytes());
        let length = self
            .payload_length
            .unwrap_or(payload.len().min(0xffff) as u16);
        let mut bytes = vec![self.version << 4, 0, 0, 0];
        bytes.extend(length.to_be_bytes());
        bytes.extend([first, self.hop_limit]);
        bytes.extend(self.source.octets());
        bytes.extend(self.destination.octets());
        bytes.extend(payload);
        bytes
    }

    /// Neighbour discovery of this type from the link (RFC 4861, 4).
    #[must_use]
    pub fn neighbour(
        source: impl Into<Ipv6Addr>,
        destination: impl Into<Ipv6Addr>,
        kind: u8,
    ) -> Self {
        let mut bytes = vec![kind, 0, 0, 0];
        bytes.extend([0; 20]);
        let payload = Transport::Other {
            protocol: protocol::ICMPV6,
            bytes,
        };
        Self::new(source, destination, payload).hop_limit(255)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_name_their_followers() {
        let packet = Ipv6::new(
            Ipv6Addr::UNSPECIFIED,
            Ipv6Addr::LOCALHOST,
            Transport::udp(1, 2),
        )
        .extensions(&[
            Extension::Options(Options::HopByHop, 1),
            Extension::Fragment {
                offset: 2,
                more: true,
            },
            Extension::Authentication(4),
        ]);
        let bytes = packet.bytes();
        assert_eq!(bytes[4..8], [0, 16 + 8 + 24 + 16, 0, 64]);
        assert_eq!(bytes[40..42], [44, 1]);
        assert_eq!(bytes[56..60], [51, 0, 0, 17]);
        assert_eq!(bytes[64..66], [17, 4]);
        assert_eq!(bytes.len(), 40 + 16 + 8 + 24 + 16);
    }
}
