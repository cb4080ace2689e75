//! IPv4 (RFC 791).

use super::{Packet, Parsed, Source, frame::Frame, transport};
use crate::Verdict;

const MIN_HEADER: usize = 20;

/// Parses the packet whose header starts at `start`.
#[inline(always)]
pub(super) fn parse<F: Frame + ?Sized>(frame: &F, start: usize) -> Parsed {
    let Some(header) = frame.read::<MIN_HEADER>(start) else {
        return Parsed::Unreadable(Verdict::Truncated);
    };
    let [
        version_ihl,
        _,
        l0,
        l1,
        _,
        _,
        f0,
        f1,
        _,
        protocol,
        _,
        _,
        s0,
        s1,
        s2,
        s3,
        d0,
        d1,
        d2,
        d3,
    ] = header;
    let source = [s0, s1, s2, s3];
    let destination = [d0, d1, d2, d3];
    let mut packet = Packet {
        source: Source::V4(source),
        destination: Source::V4(destination),
        protocol,
        source_port: 0,
        destination_port: 0,
        neighbour: false,
        defect: None,
    };

    let header_length = (version_ihl & 0x0f) as usize * 4;
    let total_length = u16::from_be_bytes([l0, l1]) as usize;
    if version_ihl >> 4 != 4 || header_length < MIN_HEADER {
        packet.defect = Some(Verdict::BadHeader);
        return Parsed::Ip(packet);
    }
    if total_length < header_length || start + total_length > frame.len() {
        packet.defect = Some(Verdict::BadLength);
        return Parsed::Ip(packet);
    }

    let fragment = u16::from_be_bytes([f0, f1]);
    if fragment & 0x1fff == 0 {
        let more_fragments = fragment & 0x2000 != 0;
        transport::parse(frame, start + header_length, more_fragments, &mut packet);
    }
    if let Some(fault) = address_fault(source, destination, &packet) {
        packet.defect = Some(fault);
    }
    Parsed::Ip(packet)
}

/// Sources that no sender may use (RFC 1122, 3.2.1.3) and packets from a host to itself.
#[inline(always)]
fn address_fault(source: [u8; 4], destination: [u8; 4], packet: &Packet) -> Option<Verdict> {
    let [first, ..] = source;
    let unspecified = first == 0 && !is_dhcp_request(source, packet);
    if unspecified || first == 127 || (224..240).contains(&first) || source == [255; 4] {
        return Some(Verdict::BadSource);
    }
    (source == destination).then_some(Verdict::Land)
}

/// A host without an address asks for one (RFC 2131, 4.1).
#[inline(always)]
fn is_dhcp_request(source: [u8; 4], packet: &Packet) -> bool {
    source == [0; 4]
        && packet.protocol == transport::UDP
        && packet.source_port == 68
        && packet.destination_port == 67
}
