//! IPv4 (RFC 791).

use std::net::Ipv4Addr;

use super::Transport;

/// An IPv4 packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ipv4 {
    /// Source address.
    pub source: Ipv4Addr,
    /// Destination address.
    pub destination: Ipv4Addr,
    /// The version field; 4 when right.
    pub version: u8,
    /// The header length field in words of four bytes; counted when `None`.
    pub header_words: Option<u8>,
    /// The total length field; counted when `None`.
    pub total_length: Option<u16>,
    /// Whether more fragments follow.
    pub more_fragments: bool,
    /// Where the payload belongs in the whole packet, in units of eight bytes.
    pub fragment_offset: u16,
    /// Options, a multiple of four bytes.
    pub options: Vec<u8>,
    /// What the packet carries.
    pub payload: Transport,
}

impl Ipv4 {
    /// A whole packet without options.
    #[must_use]
    pub fn new(
        source: impl Into<Ipv4Addr>,
        destination: impl Into<Ipv4Addr>,
        payload: Transport,
    ) -> Self {
        Self {
            source: source.into(),
            destination: destination.into(),
            version: 4,
            header_words: None,
            total_length: None,
            more_fragments: false,
            fragment_offset: 0,
            options: Vec::new(),
            payload,
        }
    }

    /// The packet as a fragment at `offset`, in units of eight bytes.
    #[must_use]
    pub fn fragment(mut self, offset: u16, more: bool) -> Self {
        self.fragment_offset = offset;
        self.more_fragments = more;
        self
    }

    /// The packet with these options, padded to whole words.
    #[must_use]
    pub fn options(mut self, options: &[u8]) -> Self {
        self.options = options.to_vec();
        self.options.resize(options.len().next_multiple_of(4), 0);
        self
    }

    /// The packet with another version in its first four bits.
    #[must_use]
    pub fn version(mut self, version: u8) -> Self {
        self.version = version;
        self
    }

    /// The packet with another header length, in words of four bytes.
    #[must_use]
    pub fn header_words(mut self, words: u8) -> Self {
        self.header_words = Some(words);
        self
    }

    /// The packet with another total length.
    #[must_use]
    pub fn total_length(mut self, length: u16) -> Self {
        self.total_length = Some(length);
        self
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let payload = self.payload.bytes();
        let header = 20 + self.options.len();
        let words = self.header_words.unwrap_or((header / 4) as u8);
        let length = self
            .total_length
            .unwrap_or((header + payload.len()).min(0xffff) as u16);
        let fragment = u16::from(self.more_fragments) << 13 | (self.fragment_offset & 0x1fff);
        let mut bytes = vec![self.version << 4 | (words & 0xf), 0];
        bytes.extend(length.to_be_bytes());
        bytes.extend([0x12, 0x34]);
        bytes.extend(fragment.to_be_bytes());
        bytes.extend([64, self.payload.protocol(), 0, 0]);
        bytes.extend(self.source.octets());
        bytes.extend(self.destination.octets());
        bytes.extend(&self.options);
        let sum = checksum(&bytes);
        bytes[10..12].copy_from_slice(&sum.to_be_bytes());
        bytes.extend(payload);
        bytes
    }
}

/// The Internet checksum of a whole number of 16-bit words (RFC 1071).
fn checksum(bytes: &[u8]) -> u16 {
    let mut sum: u32 = bytes
        .chunks_exact(2)
        .map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]])))
        .sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_sums_to_zero() {
        let packet = Ipv4::new([192, 0, 2, 1], [192, 0, 2, 2], Transport::udp(1, 2))
            .options(&[7, 3, 4])
            .fragment(3, true);
        let bytes = packet.bytes();
        assert_eq!(bytes[0], 0x46);
        assert_eq!(bytes[6..8], [0x20, 3]);
        assert_eq!(
            u16::from_be_bytes([bytes[2], bytes[3]]) as usize,
            bytes.len()
        );
        assert_eq!(checksum(&bytes[..24]), 0);
    }
}
