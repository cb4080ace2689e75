//! Ports, TCP flags, and what of ICMPv6 is neighbour discovery.

use super::Details;
use crate::{Frame, Verdict};

pub(crate) const TCP: u8 = 6;
pub(super) const UDP: u8 = 17;
pub(super) const ICMPV6: u8 = 58;

/// The shortest TCP header (RFC 9293, 3.1).
const TCP_HEADER: usize = 20;
/// UDP's header (RFC 768).
const UDP_HEADER: usize = 8;
/// The shortest message of neighbour discovery (RFC 4861, 6.1.1).
const NEIGHBOUR: usize = 8;

const FIN: u8 = 0x01;
pub(crate) const SYN: u8 = 0x02;
const RST: u8 = 0x04;
pub(crate) const ACK: u8 = 0x10;

/// Reads ports and checks TCP's flags, in a packet that ends at `end`: what stands in the padding
/// behind it is nobody's header. `more_fragments` says that the rest of the payload comes later;
/// TCP's header must be whole all the same (RFC 1858, 3.2.1).
#[inline(always)]
pub(super) fn inspect<F: Frame + ?Sized>(
    frame: &F,
    offset: usize,
    end: usize,
    more_fragments: bool,
    protocol: u8,
) -> Details {
    let mut details = Details::of(protocol);
    let header = match protocol {
        TCP => TCP_HEADER,
        UDP => UDP_HEADER,
        _ => return details,
    };
    let ports = if offset + header <= end {
        frame.read::<4>(offset)
    } else {
        None
    };
    let Some([s0, s1, d0, d1]) = ports else {
        if protocol == TCP || !more_fragments {
            details.defect = Some(Verdict::Truncated);
        }
        return details;
    };
    details.source_port = u16::from_be_bytes([s0, s1]);
    details.destination_port = u16::from_be_bytes([d0, d1]);
    if protocol == TCP {
        let Some([data_offset, flags]) = frame.read::<2>(offset + 12) else {
            details.defect = Some(Verdict::Truncated);
            return details;
        };
        details.opens = flags & (SYN | ACK) == SYN;
        details.defect = if data_offset >> 4 < 5 {
            Some(Verdict::BadHeader)
        } else if flags_make_sense(flags) {
            None
        } else {
            Some(Verdict::BadTcpFlags)
        };
    }
    details
}

/// Whether a TCP of RFC 9293 could send these flags: SYN alone or with ACK, RST with or without
/// ACK, and everything else with ACK.
#[inline(always)]
const fn flags_make_sense(flags: u8) -> bool {
    let acknowledges = flags & ACK != 0;
    match flags & (SYN | FIN | RST) {
        SYN | RST => true,
        0 | FIN => acknowledges,
        control => control == RST | FIN && acknowledges,
    }
}

/// Whether the message at `offset`, in a packet that ends at `end`, is one of the five of
/// neighbour discovery (RFC 4861, 4).
#[inline(always)]
pub(super) fn is_neighbour<F: Frame + ?Sized>(
    frame: &F,
    offset: usize,
    end: usize,
    protocol: u8,
) -> bool {
    if offset + NEIGHBOUR > end {
        return false;
    }
    match frame.read::<2>(offset) {
        Some([133..=137, _]) => protocol == ICMPV6,
        _ => false,
    }
}
