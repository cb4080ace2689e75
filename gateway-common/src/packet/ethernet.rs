//! Ethernet II and VLAN tags (IEEE 802.3, 802.1Q, 802.1ad).

use super::{Kind, Located};
use crate::Frame;

const HEADER: usize = 14;
const TAG: usize = 4;

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
const VLAN: u16 = 0x8100;
const VLAN_SERVICE: u16 = 0x88a8;
const VLAN_QINQ: u16 = 0x9100;

/// Finds the network header of a frame, behind up to two VLAN tags.
#[inline(always)]
pub fn locate<F: Frame + ?Sized>(frame: &F) -> Located {
    let mut start = HEADER;
    let Some(mut ethertype) = ethertype_before(frame, start) else {
        return Located {
            kind: Kind::Truncated,
            start,
        };
    };
    for _ in 0..2 {
        if !is_tag(ethertype) {
            break;
        }
        start += TAG;
        ethertype = match ethertype_before(frame, start) {
            Some(inner) => inner,
            None => {
                return Located {
                    kind: Kind::Truncated,
                    start,
                };
            }
        };
    }
    let kind = match ethertype {
        IPV4 => Kind::V4,
        IPV6 => Kind::V6,
        _ if is_tag(ethertype) => Kind::TooManyVlans,
        _ => Kind::NotIp,
    };
    Located { kind, start }
}

/// The ethertype right before `end`.
#[inline(always)]
fn ethertype_before<F: Frame + ?Sized>(frame: &F, end: usize) -> Option<u16> {
    frame.read::<2>(end - 2).map(u16::from_be_bytes)
}

#[inline(always)]
const fn is_tag(kind: u16) -> bool {
    matches!(kind, VLAN | VLAN_SERVICE | VLAN_QINQ)
}
