//! Ethernet II, VLAN tags, and what else an ethertype can announce.

use std::net::Ipv4Addr;

use super::{Ipv4, Ipv6};

const ETHERTYPE_IPV4: u16 = 0x0800;
const ETHERTYPE_ARP: u16 = 0x0806;
const ETHERTYPE_IPV6: u16 = 0x86dd;

/// A frame, from the destination's hardware address to the padding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// VLAN tags, outermost first.
    pub tags: Vec<Tag>,
    /// What the frame carries.
    pub network: Network,
    /// Bytes behind the network packet.
    pub padding: Vec<u8>,
    /// Keeps this many bytes of the frame, when it is longer.
    pub cut: Option<usize>,
}

/// A VLAN tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag {
    /// The tag protocol: what stands where an ethertype would.
    pub protocol: u16,
    /// Priority and VLAN id.
    pub control: u16,
}

/// What a frame carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Network {
    /// IPv4.
    V4(Ipv4),
    /// IPv6.
    V6(Ipv6),
    /// An ARP request from this address for the next one.
    Arp(Ipv4Addr, Ipv4Addr),
    /// Anything else.
    Other {
        /// Its ethertype.
        ethertype: u16,
        /// Its bytes.
        bytes: Vec<u8>,
    },
}

impl Tag {
    /// A customer tag (IEEE 802.1Q).
    pub const CUSTOMER: Self = Self::of(0x8100);
    /// A service tag (IEEE 802.1ad).
    pub const SERVICE: Self = Self::of(0x88a8);
    /// The tag of stacked VLANs before they had a standard.
    pub const STACKED: Self = Self::of(0x9100);

    /// A tag of any protocol, for VLAN 7.
    #[must_use]
    pub const fn of(protocol: u16) -> Self {
        Self {
            protocol,
            control: 7,
        }
    }
}

impl Packet {
    /// The frame with these tags in front of what it carries.
    #[must_use]
    pub fn tagged(mut self, tags: &[Tag]) -> Self {
        self.tags = tags.to_vec();
        self
    }

    /// The frame with zeros behind it, up to `length` bytes in all.
    #[must_use]
    pub fn padded(mut self, length: usize) -> Self {
        let missing = length.saturating_sub(self.bytes().len());
        self.padding.extend(vec![0; missing]);
        self
    }

    /// The first `length` bytes of the frame.
    #[must_use]
    pub fn cut(mut self, length: usize) -> Self {
        self.cut = Some(length);
        self
    }

    /// The frame as it goes over the wire.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut frame = vec![0x02, 0, 0, 0, 0, 1, 0x02, 0, 0, 0, 0, 2];
        for tag in &self.tags {
            frame.extend(tag.protocol.to_be_bytes());
            frame.extend(tag.control.to_be_bytes());
        }
        frame.extend(self.network.ethertype().to_be_bytes());
        frame.extend(self.network.bytes());
        frame.extend(&self.padding);
        if let Some(length) = self.cut {
            frame.truncate(length);
        }
        frame
    }
}

impl Network {
    fn ethertype(&self) -> u16 {
        match self {
            Self::V4(_) => ETHERTYPE_IPV4,
            Self::V6(_) => ETHERTYPE_IPV6,
            Self::Arp(..) => ETHERTYPE_ARP,
            Self::Other { ethertype, .. } => *ethertype,
        }
    }

    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::V4(packet) => packet.bytes(),
            Self::V6(packet) => packet.bytes(),
            Self::Arp(sender, target) => {
                let mut bytes = vec![0, 1, 8, 0, 6, 4, 0, 1, 0x02, 0, 0, 0, 0, 2];
                bytes.extend(sender.octets());
                bytes.extend([0; 6]);
                bytes.extend(target.octets());
                bytes
            }
            Self::Other { bytes, .. } => bytes.clone(),
        }
    }
}

impl From<Network> for Packet {
    fn from(network: Network) -> Self {
        Self {
            tags: Vec::new(),
            network,
            padding: Vec::new(),
            cut: None,
        }
    }
}

impl From<Ipv4> for Packet {
    fn from(packet: Ipv4) -> Self {
        Network::V4(packet).into()
    }
}

impl From<Ipv6> for Packet {
    fn from(packet: Ipv6) -> Self {
        Network::V6(packet).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::Transport;

    #[test]
    fn tags_stand_outermost_first() {
        let packet = Packet::from(Ipv4::new(
            [192, 0, 2, 1],
            [192, 0, 2, 2],
            Transport::udp(1, 2),
        ))
        .tagged(&[Tag::SERVICE, Tag::CUSTOMER]);
        let bytes = packet.bytes();
        assert_eq!(bytes[12..22], [0x88, 0xa8, 0, 7, 0x81, 0, 0, 7, 0x08, 0x00]);
        assert_eq!(bytes[22], 0x45);
        assert_eq!(packet.clone().cut(13).bytes(), bytes[..13]);
        assert_eq!(packet.padded(64).bytes().len(), 64);
    }
}
