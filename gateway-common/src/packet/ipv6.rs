//! IPv6 and its extension headers (RFC 8200).

use super::{Packet, Parsed, Source, frame::Frame, transport};
use crate::Verdict;

const HEADER: usize = 40;

/// Extension headers that are followed. RFC 8200, 4.1 names six kinds, each at most once but
/// for destination options, twice: nobody honest sends more than seven.
pub const MAX_EXTENSIONS: usize = 8;

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
const DESTINATION: u8 = 60;
const MOBILITY: u8 = 135;
const HIP: u8 = 139;
const SHIM6: u8 = 140;

/// Parses the packet whose header starts at `start`.
#[inline(always)]
pub(super) fn parse<F: Frame + ?Sized>(frame: &F, start: usize) -> Parsed {
    let (Some(head), Some(source), Some(destination)) = (
        frame.read::<8>(start),
        frame.read::<16>(start + 8),
        frame.read::<16>(start + 24),
    ) else {
        return Parsed::Unreadable(Verdict::Truncated);
    };
    let [version, _, _, _, l0, l1, next, hop_limit] = head;
    let mut packet = Packet {
        source: fold(source),
        destination: Source::V6(destination),
        protocol: next,
        source_port: 0,
        destination_port: 0,
        neighbour: false,
        defect: None,
    };
    if version >> 4 != 6 {
        packet.defect = Some(Verdict::BadHeader);
        return Parsed::Ip(packet);
    }
    let payload = u16::from_be_bytes([l0, l1]) as usize;
    if start + HEADER + payload > frame.len() {
        packet.defect = Some(Verdict::BadLength);
        return Parsed::Ip(packet);
    }
    follow(frame, start + HEADER, hop_limit, &mut packet);
    if let Some(fault) = address_fault(source, destination, &packet) {
        packet.defect = Some(fault);
    }
    Parsed::Ip(packet)
}

/// Follows the extension headers to the transport header.
#[inline(always)]
fn follow<F: Frame + ?Sized>(frame: &F, start: usize, hop_limit: u8, packet: &mut Packet) {
    let mut next = packet.protocol;
    let mut offset = start;
    let mut fragmented = false;
    for _ in 0..MAX_EXTENSIONS {
        if !is_extension(next) {
            break;
        }
        let Some([following, length, o0, o1]) = frame.read::<4>(offset) else {
            packet.defect = Some(Verdict::Truncated);
            return;
        };
        match next {
            FRAGMENT => {
                let field = u16::from_be_bytes([o0, o1]);
                fragmented |= field & 1 != 0;
                offset += 8;
                if field >> 3 != 0 {
                    // A later fragment: what follows is payload, not headers.
                    packet.protocol = following;
                    return;
                }
            }
            AUTHENTICATION => offset += (length as usize + 2) * 4,
            _ => offset += (length as usize + 1) * 8,
        }
        next = following;
    }
    packet.protocol = next;
    if is_extension(next) {
        packet.defect = Some(Verdict::TooManyExtensions);
        return;
    }
    transport::parse(frame, offset, fragmented, packet);
    packet.neighbour =
        hop_limit == 255 && !fragmented && transport::is_neighbour(frame, offset, next);
}

#[inline(always)]
const fn is_extension(next: u8) -> bool {
    matches!(
        next,
        HOP_BY_HOP | ROUTING | FRAGMENT | AUTHENTICATION | DESTINATION | MOBILITY | HIP | SHIM6
    )
}

/// An IPv4-mapped source is the IPv4 address in another coat: it meets the IPv4 lists.
#[inline(always)]
const fn fold(source: [u8; 16]) -> Source {
    let bits = u128::from_be_bytes(source);
    if (bits >> 32) as u64 == 0xffff && bits >> 96 == 0 {
        Source::V4((bits as u32).to_be_bytes())
    } else {
        Source::V6(source)
    }
}

/// Sources that no packet on a wire may carry (RFC 4291, 2.5 and 2.7), and packets from a host
/// to itself. The unspecified source is for ICMPv6 alone (RFC 4861 and 3810).
#[inline(always)]
fn address_fault(source: [u8; 16], destination: [u8; 16], packet: &Packet) -> Option<Verdict> {
    let bits = u128::from_be_bytes(source);
    let unspecified = bits == 0 && packet.protocol != transport::ICMPV6;
    let mapped = matches!(packet.source, Source::V4(_));
    if unspecified || bits == 1 || bits >> 120 == 0xff || mapped {
        return Some(Verdict::BadSource);
    }
    (source == destination).then_some(Verdict::Land)
}
