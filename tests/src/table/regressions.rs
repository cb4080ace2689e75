//! Frames that once met the wrong verdict.

use gateway_common::Verdict;

use super::{
    Row, Table,
    sources::{CLEAN4, TO4},
};
use crate::{
    packet::{Ipv4, Packet, Transport},
    setup::Setup,
};

pub(super) fn table() -> Table {
    Table {
        name: "regressions",
        setup: Setup::default(),
        rows: vec![header_in_the_padding()],
    }
}

/// The flags of a tiny first fragment stood in the padding behind the packet, where a sender can
/// write what a later fragment will then contradict (RFC 1858, 3).
fn header_in_the_padding() -> Row {
    let tiny = Transport::syn().beginning(8);
    let mut packet = Packet::from(Ipv4::new(CLEAN4, TO4, tiny).fragment(0, true));
    packet.padding = vec![0, 0, 0, 0, 0x50, 0x10, 0, 0, 0, 0, 0, 0];
    Row::new(
        "a TCP header in the padding of a fragment",
        packet,
        Verdict::Truncated,
    )
}
