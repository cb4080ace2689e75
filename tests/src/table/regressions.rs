//! Frames that once met the wrong verdict.

use gateway_common::{Verdict, time::Nanos};

use super::{
    Row, Table,
    sources::{CLEAN4, TO4},
};
use crate::{
    packet::{Ipv4, Packet, Transport},
    setup::{Setup, ban, deny},
};

pub(super) fn table() -> Table {
    Table {
        name: "regressions",
        setup: Setup::of([
            deny("10.0.0.0/8", 1),
            ban("10.1.0.0/24", 2),
            ban("10.2.0.0/16", 3).until(Nanos::ZERO),
        ]),
        rows: [vec![header_in_the_padding()], bans_of_whole_blocks()].concat(),
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

/// The summary answered for the whole block before anybody saw that it was banned.
fn bans_of_whole_blocks() -> Vec<Row> {
    let row = |name, source: [u8; 4], rule| {
        let packet = Ipv4::new(source, TO4, Transport::syn());
        Row::new(name, packet, Verdict::Banned).by(rule)
    };
    vec![
        row("a ban inside a denied net", [10, 1, 0, 1], 2),
        row("a ban without an end", [10, 2, 0, 1], 3),
    ]
}
