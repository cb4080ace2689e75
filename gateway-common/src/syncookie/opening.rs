//! Which SYNs can be answered, and what their options say.

use super::Endpoint;
use crate::{
    Frame,
    packet::{ACK, Address, Kind, SYN, TCP, destination, locate},
};

/// The IPv4 header without options.
pub(super) const IPV4: usize = 20;
/// The IPv6 header.
pub(super) const IPV6: usize = 40;
/// The TCP header without options.
const HEADER: usize = 20;

/// Options that are looked at for the maximum segment size: as many as there can be of its
/// length. Every stack in use sends it first.
pub const MAX_OPTIONS: usize = 10;

const END: u8 = 0;
const NO_OPERATION: u8 = 1;
const MAXIMUM_SEGMENT_SIZE: u8 = 2;

/// More fragments, and the offset of this one (RFC 791, 3.1).
const FRAGMENTED: u16 = 0x3fff;

/// A SYN that can be answered in place: it came from one station to another, not to a group of
/// them, lies in one buffer, and its TCP header is whole and right behind an IP header without
/// options or extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    /// Where it goes.
    pub to: Endpoint,
    /// Offset of the IP header in the frame.
    pub start: usize,
    /// Offset of the TCP header.
    pub segment: usize,
    /// Offset of what follows the TCP header.
    pub end: usize,
    /// Whether the IP header is one of IPv6.
    pub is_ipv6: bool,
}

impl Opening {
    /// The SYN in `frame`; `None` where that is something else, or cannot be answered.
    #[inline(always)]
    pub fn of<F: Frame + ?Sized>(frame: &F) -> Option<Self> {
        let [to_group, _, _, _, _, _, from_group] = frame.read::<7>(0)?;
        if (to_group | from_group) & 1 != 0 || !frame.is_whole() {
            return None;
        }
        let located = locate(frame);
        let start = located.start;
        let (segment, packet_end, is_ipv6) = match located.kind {
            Kind::V4 => {
                let [version_ihl, _, l0, l1, _, _, f0, f1, _, protocol] =
                    frame.read::<10>(start)?;
                let fragment = u16::from_be_bytes([f0, f1]) & FRAGMENTED;
                if version_ihl != 0x45 || protocol != TCP || fragment != 0 {
                    return None;
                }
                let length = u16::from_be_bytes([l0, l1]) as usize;
                (start + IPV4, start + length, false)
            }
            Kind::V6 => {
                let [_, _, _, _, l0, l1, next, _] = frame.read::<8>(start)?;
                if next != TCP {
                    return None;
                }
                let length = u16::from_be_bytes([l0, l1]) as usize;
                (start + IPV6, start + IPV6 + length, true)
            }
            Kind::NotIp | Kind::Truncated | Kind::TooManyVlans => return None,
        };
        let [_, _, p0, p1] = frame.read::<4>(segment)?;
        let [data_offset, flags] = frame.read::<2>(segment + 12)?;
        let end = segment + (data_offset >> 4) as usize * 4;
        if flags & (SYN | ACK) != SYN || end < segment + HEADER || end > packet_end {
            return None;
        }
        let port = u16::from_be_bytes([p0, p1]);
        let to = match destination(frame, located)? {
            Address::V4(address) => Endpoint::v4(address, port),
            Address::V6(address) => Endpoint::v6(address, port),
        };
        Some(Self {
            to,
            start,
            segment,
            end,
            is_ipv6,
        })
    }

    /// The maximum segment size that its sender announces (RFC 9293, 3.7.1); 0 when it does not.
    #[inline(always)]
    pub(super) fn mss<F: Frame + ?Sized>(&self, frame: &F) -> u16 {
        let end = frame.forget(self.end as u64) as usize;
        let mut at = frame.forget((self.segment + HEADER) as u64) as usize;
        for _ in 0..MAX_OPTIONS {
            if at >= end {
                break;
            }
            let Some([kind]) = frame.read::<1>(at) else {
                break;
            };
            let length = match kind {
                END => break,
                NO_OPERATION => 1,
                _ => match frame.read::<1>(at + 1) {
                    Some([length]) if length >= 2 => length as usize,
                    _ => break,
                },
            };
            if kind == MAXIMUM_SEGMENT_SIZE && length == 4 && at + length <= end {
                return match frame.read::<2>(at + 2) {
                    Some(mss) => u16::from_be_bytes(mss),
                    None => 0,
                };
            }
            // Forgotten, for the verifier would follow each length of option through each round.
            at = frame.forget((at + length) as u64) as usize;
        }
        0
    }
}
