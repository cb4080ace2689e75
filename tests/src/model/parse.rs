//! Frames, sliced. Every read is from a slice that ends where its header's length field says.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use gateway_common::Verdict;

const TAGS: [u16; 3] = [0x8100, 0x88a8, 0x9100];
/// VLAN tags that are looked behind.
const MAX_TAGS: usize = 2;
/// Hop-by-hop, routing, fragment, authentication, destination, mobility, HIP, shim6.
const EXTENSIONS: [u8; 8] = [0, 43, 44, 51, 60, 135, 139, 140];
/// Extension headers that are followed.
const MAX_EXTENSIONS: usize = 8;

pub(super) enum Parsed {
    NotIp,
    Truncated,
    TooManyVlans,
    Ip(Packet),
}

pub(super) struct Packet {
    /// IPv4 also where it is written in IPv6.
    pub(super) source: IpAddr,
    /// Neighbour discovery from this very link.
    pub(super) neighbour: bool,
    /// What is wrong with it.
    pub(super) fault: Option<Verdict>,
}

/// What the headers behind IP's say.
#[derive(Default)]
struct Payload {
    /// Source and destination port.
    ports: Option<(u16, u16)>,
    fault: Option<Verdict>,
}

pub(super) fn parse(frame: &[u8]) -> Parsed {
    let mut rest = match frame.get(12..) {
        Some(rest) => rest,
        None => return Parsed::Truncated,
    };
    let mut tags = 0;
    loop {
        let ethertype = match rest {
            [high, low, ..] => u16::from_be_bytes([*high, *low]),
            _ => return Parsed::Truncated,
        };
        rest = &rest[2..];
        if !TAGS.contains(&ethertype) {
            let packet = match ethertype {
                0x0800 => v4(rest),
                0x86dd => v6(rest),
                _ => return Parsed::NotIp,
            };
            return packet.map_or(Parsed::Truncated, Parsed::Ip);
        }
        tags += 1;
        if tags > MAX_TAGS {
            return Parsed::TooManyVlans;
        }
        rest = rest.get(2..).unwrap_or_default();
    }
}

fn v4(bytes: &[u8]) -> Option<Packet> {
    let header = bytes.first_chunk::<20>()?;
    let source = Ipv4Addr::new(header[12], header[13], header[14], header[15]);
    let destination = Ipv4Addr::new(header[16], header[17], header[18], header[19]);
    Some(Packet {
        source: source.into(),
        neighbour: false,
        fault: v4_fault(bytes, source, destination),
    })
}

fn v4_fault(bytes: &[u8], source: Ipv4Addr, destination: Ipv4Addr) -> Option<Verdict> {
    let header_length = usize::from(bytes[0] & 0xf) * 4;
    if bytes[0] >> 4 != 4 || header_length < 20 {
        return Some(Verdict::BadHeader);
    }
    let total_length = usize::from(u16::from_be_bytes([bytes[2], bytes[3]]));
    if total_length < header_length || total_length > bytes.len() {
        return Some(Verdict::BadLength);
    }
    let fragment = u16::from_be_bytes([bytes[6], bytes[7]]);
    let more = fragment & 0x2000 != 0;
    let payload = if fragment & 0x1fff == 0 {
        payload(bytes[9], &bytes[header_length..total_length], more)
    } else {
        Payload::default()
    };
    let asks_for_address =
        source.is_unspecified() && bytes[9] == 17 && payload.ports == Some((68, 67));
    let nobody = source.octets()[0] == 0 && !asks_for_address;
    if nobody || source.is_loopback() || source.is_multicast() || source.is_broadcast() {
        Some(Verdict::BadSource)
    } else if source == destination {
        Some(Verdict::Land)
    } else {
        payload.fault
    }
}

fn v6(bytes: &[u8]) -> Option<Packet> {
    let header = bytes.first_chunk::<40>()?;
    let address = |at: usize| {
        let bytes: [u8; 16] = header[at..at + 16].try_into().unwrap_or_default();
        Ipv6Addr::from(bytes)
    };
    let (source, destination) = (address(8), address(24));
    let mut packet = Packet {
        source: IpAddr::from(source).to_canonical(),
        neighbour: false,
        fault: None,
    };
    if header[0] >> 4 != 6 {
        packet.fault = Some(Verdict::BadHeader);
        return Some(packet);
    }
    let length = usize::from(u16::from_be_bytes([header[4], header[5]]));
    let Some(rest) = bytes[40..].get(..length) else {
        packet.fault = Some(Verdict::BadLength);
        return Some(packet);
    };
    let behind = extensions(header[6], rest);
    let icmp = matches!(behind, Ok(Behind { protocol: 58, .. }));
    let no_source = source.is_unspecified() && !icmp;
    let written_in_v6 = source.to_ipv4_mapped().is_some();
    let bad = no_source || source.is_loopback() || source.is_multicast() || written_in_v6;
    packet.fault = if bad {
        Some(Verdict::BadSource)
    } else if source == destination {
        Some(Verdict::Land)
    } else {
        match &behind {
            Err(fault) => Some(*fault),
            Ok(behind) if behind.later_fragment => None,
            Ok(behind) => payload(behind.protocol, behind.bytes, behind.more).fault,
        }
    };
    if let Ok(behind) = behind {
        packet.neighbour = header[7] == 255
            && icmp
            && !behind.later_fragment
            && !behind.more
            && behind.bytes.len() >= 8
            && (133..=137).contains(&behind.bytes[0]);
    }
    Some(packet)
}

/// What stands behind the extension headers.
struct Behind<'a> {
    protocol: u8,
    bytes: &'a [u8],
    /// Whether more fragments follow.
    more: bool,
    later_fragment: bool,
}

fn extensions(first: u8, bytes: &[u8]) -> Result<Behind<'_>, Verdict> {
    let mut behind = Behind {
        protocol: first,
        bytes,
        more: false,
        later_fragment: false,
    };
    let mut followed = 0;
    while EXTENSIONS.contains(&behind.protocol) && !behind.later_fragment {
        if followed == MAX_EXTENSIONS {
            return Err(Verdict::TooManyExtensions);
        }
        followed += 1;
        let [next, length, a, b, ..] = *behind.bytes else {
            return Err(Verdict::Truncated);
        };
        let size = match behind.protocol {
            44 => 8,
            51 => (usize::from(length) + 2) * 4,
            _ => (usize::from(length) + 1) * 8,
        };
        if behind.protocol == 44 {
            let field = u16::from_be_bytes([a, b]);
            behind.later_fragment = field >> 3 != 0;
            behind.more |= field & 1 != 0;
        }
        behind.protocol = next;
        behind.bytes = behind.bytes.get(size..).ok_or(Verdict::Truncated)?;
    }
    Ok(behind)
}

/// A packet's payload, or the first fragment of it.
fn payload(protocol: u8, bytes: &[u8], more: bool) -> Payload {
    let needed = match protocol {
        6 => 20,
        17 => 8,
        _ => return Payload::default(),
    };
    if bytes.len() < needed {
        // The rest of a datagram may come later, that of a TCP header may not.
        let excused = protocol == 17 && more;
        return Payload {
            ports: None,
            fault: (!excused).then_some(Verdict::Truncated),
        };
    }
    let port = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
    let fault = match protocol {
        6 if bytes[12] >> 4 < 5 => Some(Verdict::BadHeader),
        6 if !sane(bytes[13]) => Some(Verdict::BadTcpFlags),
        _ => None,
    };
    Payload {
        ports: Some((port(0), port(2))),
        fault,
    }
}

/// Whether a TCP would send these flags: it opens with SYN, ends with FIN or RST, never two of
/// these at once but for RST with FIN, and acknowledges whenever it does not open or reset.
fn sane(flags: u8) -> bool {
    let [fin, syn, rst, ack] = [1, 2, 4, 16].map(|bit| flags & bit != 0);
    match (syn, rst, fin) {
        (true, false, false) | (false, true, false) => true,
        (false, true, true) | (false, false, _) => ack,
        (true, _, _) => false,
    }
}
