//! Ports, TCP flags, and what of ICMPv6 is neighbour discovery.

use super::{Packet, frame::Frame};
use crate::Verdict;

pub(super) const TCP: u8 = 6;
pub(super) const UDP: u8 = 17;
pub(super) const ICMPV6: u8 = 58;

const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const ACK: u8 = 0x10;

/// Reads ports and checks TCP's flags. `more_fragments` says that the rest of the payload comes
/// later; TCP's header must be whole all the same (RFC 1858, 3.2.1).
#[inline(always)]
pub(super) fn parse<F: Frame + ?Sized>(
    frame: &F,
    offset: usize,
    more_fragments: bool,
    packet: &mut Packet,
) {
    match packet.protocol {
        TCP => match frame.read::<14>(offset) {
            Some([s0, s1, d0, d1, _, _, _, _, _, _, _, _, data_offset, flags]) => {
                packet.source_port = u16::from_be_bytes([s0, s1]);
                packet.destination_port = u16::from_be_bytes([d0, d1]);
                if data_offset >> 4 < 5 {
                    packet.defect = Some(Verdict::BadHeader);
                } else if !flags_make_sense(flags) {
                    packet.defect = Some(Verdict::BadTcpFlags);
                }
            }
            None => packet.defect = Some(Verdict::Truncated),
        },
        UDP => match frame.read::<4>(offset) {
            Some([s0, s1, d0, d1]) => {
                packet.source_port = u16::from_be_bytes([s0, s1]);
                packet.destination_port = u16::from_be_bytes([d0, d1]);
            }
            None if more_fragments => {}
            None => packet.defect = Some(Verdict::Truncated),
        },
        _ => {}
    }
}

/// Whether a TCP of RFC 9293 could send these flags: SYN alone or with ACK, RST with or without
/// ACK, and everything else with ACK.
#[inline(always)]
const fn flags_make_sense(flags: u8) -> bool {
    let control = flags & (SYN | FIN | RST);
    match control {
        SYN => true,
        RST => true,
        0 | FIN => flags & ACK != 0,
        _ => control == RST | FIN && flags & ACK != 0,
    }
}

/// Whether the message at `offset` is one of the five of neighbour discovery (RFC 4861, 4).
#[inline(always)]
pub(super) fn is_neighbour<F: Frame + ?Sized>(frame: &F, offset: usize, protocol: u8) -> bool {
    if protocol != ICMPV6 {
        return false;
    }
    match frame.read::<1>(offset) {
        Some([kind]) => (133..=137).contains(&kind),
        None => false,
    }
}
