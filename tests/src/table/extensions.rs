//! Chains of IPv6 extension headers, at the bound and beyond it, and broken off anywhere.

use gateway_common::{Verdict, packet::MAX_EXTENSIONS};

use super::{
    Row, Table,
    sources::{self, CLEAN6, TO6},
};
use crate::packet::{Extension, Ipv6, Options, Packet, Transport, protocol};

const PADDING: Extension = Extension::Options(Options::Destination, 0);
const LATER: Extension = Extension::Fragment {
    offset: 1,
    more: false,
};

pub(super) fn table() -> Table {
    let mut rows = bound();
    rows.extend(ends());
    rows.extend(broken_off());
    Table {
        name: "extension headers",
        setup: sources::lists(),
        rows,
    }
}

fn syn(extensions: &[Extension]) -> Ipv6 {
    Ipv6::new(CLEAN6, TO6, Transport::syn()).extensions(extensions)
}

/// Up to the bound they are followed; beyond it the packet is dropped and counted as such.
fn bound() -> Vec<Row> {
    let mut rows = Vec::new();
    for kind in Extension::each() {
        for count in [MAX_EXTENSIONS - 1, MAX_EXTENSIONS, MAX_EXTENSIONS + 1, 20] {
            let verdict = if count > MAX_EXTENSIONS {
                Verdict::TooManyExtensions
            } else {
                Verdict::Pass
            };
            rows.push(Row::new(
                format!("{count} times {kind:?}"),
                syn(&vec![kind; count]),
                verdict,
            ));
        }
    }
    let fault = Ipv6::new(CLEAN6, TO6, Transport::tcp(0));
    rows.push(Row::new(
        "bad flags behind as many headers as are followed",
        fault.extensions(&[PADDING; MAX_EXTENSIONS]),
        Verdict::BadTcpFlags,
    ));
    let denied: std::net::Ipv6Addr = [0x2001, 0xdb8, 7, 0, 0, 0, 0, 7].into();
    rows.push(
        Row::new(
            "a denied source behind one header too many",
            Ipv6::new(denied, TO6, Transport::syn()).extensions(&[PADDING; MAX_EXTENSIONS + 1]),
            Verdict::DeniedExact,
        )
        .by(21),
    );
    let mut chain = [PADDING; MAX_EXTENSIONS];
    chain[MAX_EXTENSIONS - 1] = LATER;
    rows.push(Row::new(
        "a later fragment as the last header",
        syn(&chain),
        Verdict::Pass,
    ));
    let mut chain = [PADDING; MAX_EXTENSIONS + 1];
    chain[MAX_EXTENSIONS] = LATER;
    rows.push(Row::new(
        "a later fragment as one header too many",
        syn(&chain),
        Verdict::TooManyExtensions,
    ));
    rows
}

/// What ends a chain without being a transport header that is read.
fn ends() -> Vec<Row> {
    let mut rows = Vec::new();
    for number in [
        protocol::NONE,
        protocol::ESP,
        protocol::EXPERIMENT,
        254,
        255,
        4,
        41,
    ] {
        rows.push(Row::new(
            format!("protocol {number} behind a header"),
            Ipv6::new(CLEAN6, TO6, Transport::opaque(number)).extensions(&[PADDING]),
            Verdict::Pass,
        ));
    }
    rows.push(Row::new(
        "no next header and nothing behind it",
        Ipv6::new(CLEAN6, TO6, Transport::opaque(protocol::NONE).beginning(0)),
        Verdict::Pass,
    ));
    // What follows the header of a later fragment is payload, whatever it looks like.
    for following in [Extension::ATOMIC, PADDING, Extension::Authentication(4)] {
        rows.push(Row::new(
            format!("a later fragment, then {following:?}"),
            syn(&[LATER, following, following]),
            Verdict::Pass,
        ));
    }
    for words in [0, 1, 255] {
        rows.push(Row::new(
            format!("an authentication header of {words} words and two"),
            syn(&[Extension::Authentication(words)]),
            Verdict::Pass,
        ));
    }
    rows
}

/// The packet's end at every byte of a chain.
fn broken_off() -> Vec<Row> {
    let chain = [
        Extension::Options(Options::HopByHop, 0),
        Extension::Options(Options::Routing, 1),
        Extension::ATOMIC,
        Extension::Authentication(4),
    ];
    let whole = Packet::from(syn(&chain)).bytes();
    let headers = 8 + 16 + 8 + 24;
    let mut rows = Vec::new();
    for length in 0..headers + 20 {
        // Shorter than it says on the outside, too, or padded as Ethernet does.
        let packet = syn(&chain).payload_length(length as u16);
        rows.push(Row::new(
            format!("a packet of {length} bytes and more behind it"),
            packet.clone(),
            Verdict::Truncated,
        ));
        rows.push(Row::new(
            format!("a packet of {length} bytes"),
            Packet::from(packet).cut(14 + 40 + length),
            Verdict::Truncated,
        ));
    }
    rows.push(Row {
        name: "the whole packet".into(),
        frame: whole,
        expected: gateway_common::Outcome {
            verdict: Verdict::Pass,
            rule: 0,
        },
    });
    rows
}
