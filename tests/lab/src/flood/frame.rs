//! Frames of which only the source changes from one to the next.

use std::net::{IpAddr, SocketAddr};

use anyhow::{Context, Result, bail};

const ETHERNET: usize = 14;
const IPV4: usize = 20;
const IPV6: usize = 40;
const TCP: u8 = 6;
const UDP: u8 = 17;
/// Where the sources' ports begin and how many there are: the ephemeral range of RFC 6335.
const PORTS: (u64, u64) = (49_152, 16_384);

/// A frame with an IP header and a TCP or UDP segment, complete but for source and checksums.
pub(super) struct Template {
    frame: Vec<u8>,
    protocol: u8,
    /// Where the IP addresses begin, and how long each is.
    addresses: (usize, usize),
    /// Where the TCP or UDP header begins.
    segment: usize,
    /// Whether the checksum behind the IP header is wrong.
    spoilt: bool,
}

impl Template {
    /// A TCP segment with nothing but SYN (RFC 9293, section 3.1).
    pub(super) fn syn(from: [u8; 6], next: [u8; 6], to: SocketAddr) -> Self {
        let [high, low] = to.port().to_be_bytes();
        let segment = [
            0, 0, high, low, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 0x02, 0xff, 0xff, 0, 0, 0, 0,
        ];
        Self::new(from, next, to.ip(), TCP, &segment)
    }

    /// A UDP datagram (RFC 768).
    ///
    /// # Errors
    ///
    /// When the payload does not fit into one.
    pub(super) fn udp(
        from: [u8; 6],
        next: [u8; 6],
        to: SocketAddr,
        payload: &[u8],
    ) -> Result<Self> {
        const MOST: usize = 1400;
        if payload.len() > MOST {
            bail!(
                "a payload of {} bytes: at most {MOST} fit into a frame",
                payload.len()
            );
        }
        let length = u16::try_from(8 + payload.len())?;
        let mut segment = vec![0, 0];
        segment.extend(to.port().to_be_bytes());
        segment.extend(length.to_be_bytes());
        segment.extend([0, 0]);
        segment.extend(payload);
        Ok(Self::new(from, next, to.ip(), UDP, &segment))
    }

    fn new(from: [u8; 6], next: [u8; 6], to: IpAddr, protocol: u8, segment: &[u8]) -> Self {
        let mut frame = Vec::with_capacity(ETHERNET + IPV6 + segment.len());
        frame.extend(next);
        frame.extend(from);
        let addresses = match to {
            IpAddr::V4(to) => {
                // Lengths fit: a segment is at most 1420 bytes.
                let [high, low] = be16(IPV4 + segment.len());
                frame.extend([0x08, 0x00]);
                frame.extend([0x45, 0, high, low, 0, 0, 0x40, 0, 64, protocol, 0, 0]);
                frame.extend([0; 4]);
                frame.extend(to.octets());
                (ETHERNET + 12, 4)
            }
            IpAddr::V6(to) => {
                let [high, low] = be16(segment.len());
                frame.extend([0x86, 0xdd]);
                frame.extend([0x60, 0, 0, 0, high, low, protocol, 64]);
                frame.extend([0; 16]);
                frame.extend(to.octets());
                (ETHERNET + 8, 16)
            }
        };
        let segment_at = frame.len();
        frame.extend(segment);
        Self {
            frame,
            protocol,
            addresses,
            segment: segment_at,
            spoilt: false,
        }
    }

    /// The same, with a wrong checksum behind the IP header where `spoilt`.
    pub(super) fn spoilt(self, spoilt: bool) -> Self {
        Self { spoilt, ..self }
    }

    /// The frame number `turn`, from this source; its port follows from the number.
    ///
    /// # Errors
    ///
    /// When the source is of another family than the target.
    pub(super) fn from(&mut self, source: IpAddr, turn: u64) -> Result<&[u8]> {
        let (at, length) = self.addresses;
        match source {
            IpAddr::V4(ip) if length == 4 => self.put(at, &ip.octets()),
            IpAddr::V6(ip) if length == 16 => self.put(at, &ip.octets()),
            IpAddr::V4(_) | IpAddr::V6(_) => {
                bail!("{source} cannot be the source: the target is of the other family")
            }
        }
        .and_then(|()| self.put(self.segment, &source_port(turn)))
        .and_then(|()| self.put_checksums())
        .context("a frame without room for its headers")?;
        Ok(&self.frame)
    }

    fn put(&mut self, at: usize, bytes: &[u8]) -> Option<()> {
        self.frame
            .get_mut(at..at + bytes.len())?
            .copy_from_slice(bytes);
        Some(())
    }

    fn put_checksums(&mut self) -> Option<()> {
        let (at, length) = self.addresses;
        if length == 4 {
            self.put(ETHERNET + 10, &[0, 0])?;
            let header = checksum(0, self.frame.get(ETHERNET..ETHERNET + IPV4)?);
            self.put(ETHERNET + 10, &header.to_be_bytes())?;
        }
        let place = self.segment + if self.protocol == TCP { 16 } else { 6 };
        self.put(place, &[0, 0])?;
        let addresses = self.frame.get(at..at + 2 * length)?;
        let segment = self.frame.get(self.segment..)?;
        // The pseudo-header of RFC 768 and RFC 8200, section 8.1.
        let pseudo = sum(
            u64::try_from(segment.len()).ok()? + u64::from(self.protocol),
            addresses,
        );
        let sum = match checksum(pseudo, segment) {
            0 if self.protocol == UDP => 0xffff,
            sum => sum,
        };
        let sum = if self.spoilt { sum ^ 1 } else { sum };
        self.put(place, &sum.to_be_bytes())
    }
}

/// The Internet checksum (RFC 1071) of `bytes` after what has been summed up already.
pub(crate) fn checksum(start: u64, bytes: &[u8]) -> u16 {
    let mut total = sum(start, bytes);
    while total > 0xffff {
        total = (total & 0xffff) + (total >> 16);
    }
    !u16::try_from(total).unwrap_or(u16::MAX)
}

fn sum(start: u64, bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<2>();
    let words: u64 = words
        .iter()
        .map(|word| u64::from(u16::from_be_bytes(*word)))
        .sum();
    let last = rest.first().map_or(0, |byte| u64::from(*byte) << 8);
    start + words + last
}

fn source_port(turn: u64) -> [u8; 2] {
    let (first, count) = PORTS;
    u16::try_from(first + turn % count)
        .unwrap_or(u16::MAX)
        .to_be_bytes()
}

fn be16(length: usize) -> [u8; 2] {
    u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: [u8; 6] = [2, 0, 0, 0, 0, 1];
    const B: [u8; 6] = [2, 0, 0, 0, 0, 2];

    #[test]
    fn the_checksum_is_that_of_rfc_1071() {
        assert_eq!(
            checksum(0, &[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]),
            !0xddf2
        );
        assert_eq!(checksum(0, &[0xff]), 0x00ff);
    }

    #[test]
    fn a_receiver_sums_every_header_to_zero() {
        let four = "192.0.2.1:80".parse().unwrap();
        let six = "[2001:db8::1]:80".parse().unwrap();
        for (to, source) in [(four, "198.18.3.4"), (six, "2001:2:0:7::1")] {
            let source: IpAddr = source.parse().unwrap();
            for mut template in [
                Template::syn(A, B, to),
                Template::udp(A, B, to, b"odd").unwrap(),
            ] {
                let (at, length) = template.addresses;
                let (protocol, segment) = (template.protocol, template.segment);
                let frame = template.from(source, 5).unwrap();
                if length == 4 {
                    assert_eq!(checksum(0, &frame[14..34]), 0);
                }
                let body = &frame[segment..];
                let pseudo = sum(
                    body.len() as u64 + u64::from(protocol),
                    &frame[at..at + 2 * length],
                );
                assert_eq!(checksum(pseudo, body), 0, "{to} {protocol}");
                assert_eq!(body[..2], 49_157_u16.to_be_bytes());
            }
        }
    }

    #[test]
    fn families_do_not_mix() {
        let mut template = Template::syn(A, B, "192.0.2.1:80".parse().unwrap());
        assert!(template.from("::1".parse().unwrap(), 0).is_err());
    }
}
