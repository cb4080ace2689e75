//! Ethernet II and VLAN tags (IEEE 802.3, 802.1Q, 802.1ad).

use super::{Parsed, frame::Frame, ipv4, ipv6};
use crate::Verdict;

const HEADER: usize = 14;
const TAG: usize = 4;
/// VLAN tags that are followed; a frame with more is dropped, for a host strips at most these.
const MAX_TAGS: usize = 2;

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
const VLAN: u16 = 0x8100;
const VLAN_SERVICE: u16 = 0x88a8;
const VLAN_QINQ: u16 = 0x9100;

/// Parses a frame down to its transport header.
#[inline(always)]
pub fn parse<F: Frame + ?Sized>(frame: &F) -> Parsed {
    let Some(kind) = frame.read::<2>(HEADER - 2) else {
        return Parsed::Unreadable(Verdict::Truncated);
    };
    let mut kind = u16::from_be_bytes(kind);
    let mut offset = HEADER;
    for _ in 0..MAX_TAGS {
        if !is_tag(kind) {
            break;
        }
        let Some(inner) = frame.read::<2>(offset + 2) else {
            return Parsed::Unreadable(Verdict::Truncated);
        };
        kind = u16::from_be_bytes(inner);
        offset += TAG;
    }
    match kind {
        IPV4 => ipv4::parse(frame, offset),
        IPV6 => ipv6::parse(frame, offset),
        _ if is_tag(kind) => Parsed::Unreadable(Verdict::TooManyVlans),
        _ => Parsed::NotIp,
    }
}

#[inline(always)]
const fn is_tag(kind: u16) -> bool {
    matches!(kind, VLAN | VLAN_SERVICE | VLAN_QINQ)
}
