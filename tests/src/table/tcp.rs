//! Every combination of TCP's flags, and every length of its header.

use gateway_common::Verdict;

use super::{
    Row, Table,
    sources::{CLEAN4, CLEAN6, TO4, TO6},
};
use crate::{
    packet::{
        Ipv4, Ipv6, Transport,
        flags::{ACK, FIN, RST, SYN},
    },
    setup::Setup,
};

/// What a TCP sends, as far as these four flags go.
const SENT: [u8; 7] = [
    SYN,
    SYN | ACK,
    ACK,
    FIN | ACK,
    RST,
    RST | ACK,
    RST | FIN | ACK,
];

pub(super) fn table() -> Table {
    let mut rows = Vec::new();
    for flags in 0..=255_u8 {
        let verdict = if SENT.contains(&(flags & (SYN | ACK | FIN | RST))) {
            Verdict::Pass
        } else {
            Verdict::BadTcpFlags
        };
        let segment = || Transport::tcp(flags);
        rows.push(Row::new(
            format!("IPv4, flags {flags:08b}"),
            Ipv4::new(CLEAN4, TO4, segment()),
            verdict,
        ));
        rows.push(Row::new(
            format!("IPv6, flags {flags:08b}"),
            Ipv6::new(CLEAN6, TO6, segment()),
            verdict,
        ));
    }
    for header_words in 0..16 {
        let segment = Transport::Tcp {
            source: 1024,
            destination: 443,
            header_words,
            flags: SYN,
        };
        let verdict = if header_words < 5 {
            Verdict::BadHeader
        } else {
            Verdict::Pass
        };
        rows.push(Row::new(
            format!("{header_words} words of header"),
            Ipv4::new(CLEAN4, TO4, segment),
            verdict,
        ));
    }
    Table {
        name: "TCP",
        setup: Setup::default(),
        rows,
    }
}
