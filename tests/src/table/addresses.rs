//! Sources that no sender may use, and those that only look odd.

use std::net::{Ipv4Addr, Ipv6Addr};

use gateway_common::Verdict::{self, BadSource, Land, Neighbour, NotIp, Pass};

use super::{
    Row, Table,
    sources::{CLEAN4, CLEAN6, TO4, TO6},
};
use crate::{
    packet::{Extension, Ipv4, Ipv6, Network, Options, Packet, Transport, icmpv6, protocol},
    setup::{Setup, allow, deny},
};

pub(super) fn table() -> Table {
    let mut rows = v4();
    rows.extend(v6());
    rows.extend(dhcp());
    rows.extend(unspecified());
    rows.extend(listed());
    Table {
        name: "addresses",
        setup: Setup::of([
            deny("224.0.0.5", 1),
            allow("127.0.0.9", 2),
            deny("ff02::5", 3),
            allow("::9", 4),
        ]),
        rows,
    }
}

fn v4() -> Vec<Row> {
    let source = |(source, verdict): (&str, Verdict)| {
        let address: Ipv4Addr = source.parse().expect(source);
        Row::new(
            format!("from {source}"),
            Ipv4::new(address, TO4, Transport::syn()),
            verdict,
        )
    };
    let destination = |destination: &str| {
        let address: Ipv4Addr = destination.parse().expect(destination);
        let packet = Ipv4::new(CLEAN4, address, Transport::udp(1, 2));
        Row::new(format!("to {destination}"), packet, Pass)
    };
    let sources = [
        ("0.0.0.0", BadSource),
        ("0.0.0.1", BadSource),
        ("0.255.255.255", BadSource),
        ("1.0.0.0", Pass),
        ("126.255.255.255", Pass),
        ("127.0.0.0", BadSource),
        ("127.0.0.1", BadSource),
        ("127.255.255.255", BadSource),
        ("128.0.0.0", Pass),
        ("223.255.255.255", Pass),
        ("224.0.0.0", BadSource),
        ("239.255.255.255", BadSource),
        ("240.0.0.0", Pass),
        ("255.255.255.254", Pass),
        ("255.255.255.255", BadSource),
    ];
    let destinations = ["224.0.0.1", "255.255.255.255", "127.0.0.1", "0.0.0.0"];
    sources
        .into_iter()
        .map(source)
        .chain(destinations.into_iter().map(destination))
        .collect()
}

fn v6() -> Vec<Row> {
    let sources = [
        ("::", BadSource),
        ("::1", BadSource),
        ("::2", Pass),
        ("::192.0.2.1", Pass),
        ("::fffe:192.0.2.1", Pass),
        ("::ffff:192.0.2.1", BadSource),
        ("::ffff:0.0.0.0", BadSource),
        ("::1:ffff:192.0.2.1", Pass),
        ("1::ffff:192.0.2.1", Pass),
        ("64:ff9b::192.0.2.1", Pass),
        ("fc00::1", Pass),
        ("fe80::1", Pass),
        ("feff::1", Pass),
        ("ff00::", BadSource),
        ("ff02::1", BadSource),
        ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", BadSource),
    ];
    let source = |(source, verdict): (&str, Verdict)| {
        let address: Ipv6Addr = source.parse().expect(source);
        Row::new(
            format!("from {source}"),
            Ipv6::new(address, TO6, Transport::syn()),
            verdict,
        )
    };
    let destination = |destination: &str| {
        let address: Ipv6Addr = destination.parse().expect(destination);
        let packet = Ipv6::new(CLEAN6, address, Transport::udp(1, 2));
        Row::new(format!("to {destination}"), packet, Pass)
    };
    let destinations = ["ff02::1", "::1", "::", "::ffff:192.0.2.1"];
    sources
        .into_iter()
        .map(source)
        .chain(destinations.into_iter().map(destination))
        .collect()
}

/// A host without an IPv4 address may ask for one, and may do nothing else.
fn dhcp() -> Vec<Row> {
    let nobody = Ipv4Addr::UNSPECIFIED;
    let ask = || Ipv4::new(nobody, Ipv4Addr::BROADCAST, Transport::udp(68, 67));
    vec![
        Row::new("a DHCP request", ask(), Pass),
        Row::new("a DHCP request with options", ask().options(&[1; 8]), Pass),
        Row::new(
            "the first fragment of a DHCP request",
            ask().fragment(0, true),
            Pass,
        ),
        Row::new(
            "a later fragment of a DHCP request",
            ask().fragment(2, false),
            BadSource,
        ),
        Row::new(
            "a DHCP answer from nobody",
            Ipv4::new(nobody, Ipv4Addr::BROADCAST, Transport::udp(67, 68)),
            BadSource,
        ),
        Row::new(
            "DHCP's ports in another protocol",
            Ipv4::new(
                nobody,
                Ipv4Addr::BROADCAST,
                Transport::Other {
                    protocol: protocol::SCTP,
                    bytes: vec![0, 68, 0, 67, 0, 0, 0, 0, 0, 0, 0, 0],
                },
            ),
            BadSource,
        ),
        Row::new(
            "a DHCP request from 0.0.0.1",
            Ipv4::new([0, 0, 0, 1], Ipv4Addr::BROADCAST, Transport::udp(68, 67)),
            BadSource,
        ),
        Row::new(
            "a DHCP request to nobody",
            Ipv4::new(nobody, nobody, Transport::udp(68, 67)),
            Land,
        ),
        Row::new(
            "a DHCP request that ends in its ports",
            Ipv4::new(
                nobody,
                Ipv4Addr::BROADCAST,
                Transport::udp(68, 67).beginning(3),
            ),
            BadSource,
        ),
    ]
}

/// A host without an IPv6 address may use ICMPv6 to find that one is free.
fn unspecified() -> Vec<Row> {
    let nobody = Ipv6Addr::UNSPECIFIED;
    let all_nodes = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
    let router_alert = [Extension::Options(Options::HopByHop, 0)];
    let report = || {
        Ipv6::new(
            nobody,
            all_nodes,
            Transport::icmpv6(icmpv6::LISTENER_REPORT),
        )
    };
    let padding = [Extension::Options(Options::Destination, 0); 9];
    vec![
        Row::new(
            "duplicate address detection",
            Ipv6::neighbour(nobody, all_nodes, icmpv6::NEIGHBOUR_SOLICITATION),
            Neighbour,
        ),
        Row::new("a listener report", report(), Pass),
        Row::new(
            "a listener report with a router alert",
            report().extensions(&router_alert),
            Pass,
        ),
        Row::new(
            "an ICMPv6 message behind too many headers",
            report().extensions(&padding),
            BadSource,
        ),
        Row::new(
            "an ICMPv6 message behind half a header",
            report().extensions(&router_alert).payload_length(4),
            BadSource,
        ),
        Row::new(
            "ICMPv6 from nobody to nobody",
            Ipv6::new(nobody, nobody, Transport::icmpv6(128)),
            Land,
        ),
        Row::new(
            "UDP from nobody",
            Ipv6::new(nobody, all_nodes, Transport::udp(546, 547)),
            BadSource,
        ),
        Row::new(
            "neighbour discovery from a multicast address",
            Ipv6::neighbour(all_nodes, TO6, icmpv6::NEIGHBOUR_SOLICITATION),
            BadSource,
        ),
        Row::new(
            "neighbour discovery from loopback",
            Ipv6::neighbour(Ipv6Addr::LOCALHOST, TO6, icmpv6::NEIGHBOUR_SOLICITATION),
            BadSource,
        ),
    ]
}

/// The lists are asked before an address is judged.
fn listed() -> Vec<Row> {
    let v4 = |source: [u8; 4]| Ipv4::new(source, TO4, Transport::syn());
    let v6 = |source: [u16; 8]| Ipv6::new(source, TO6, Transport::syn());
    let arp = |sender| Packet::from(Network::Arp(sender, TO4));
    vec![
        Row::new(
            "a denied multicast source",
            v4([224, 0, 0, 5]),
            Verdict::DeniedExact,
        )
        .by(1),
        Row::new(
            "a safe loopback source",
            v4([127, 0, 0, 9]),
            Verdict::Safelisted,
        )
        .by(2),
        Row::new(
            "a denied IPv6 multicast source",
            v6([0xff02, 0, 0, 0, 0, 0, 0, 5]),
            Verdict::DeniedExact,
        )
        .by(3),
        Row::new(
            "a safe odd IPv6 source",
            v6([0, 0, 0, 0, 0, 0, 0, 9]),
            Verdict::Safelisted,
        )
        .by(4),
        Row::new("ARP", arp(CLEAN4), NotIp),
        Row::new(
            "ARP from a denied address",
            arp(Ipv4Addr::new(224, 0, 0, 5)),
            NotIp,
        ),
    ]
}
