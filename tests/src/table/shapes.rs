//! All the shapes a packet can come in: everything that has carried somebody past a filter, and
//! what becomes of each when its source is on no list.

use std::net::{Ipv4Addr, Ipv6Addr};

use gateway_common::{Verdict, packet::MAX_EXTENSIONS};

use super::sources::{TO4, TO6};
use crate::packet::{
    Extension, Ipv4, Ipv6, Options, Packet, Tag, Transport, flags, icmpv6, protocol,
};

/// A packet, and its verdict when its source is on no list.
pub(super) struct Shape {
    pub(super) name: String,
    pub(super) packet: Packet,
    pub(super) clean: Verdict,
}

impl Shape {
    /// The packet behind these tags. What a cut keeps of it, it keeps behind more tags too.
    pub(super) fn tagged(&self, tags: &[Tag]) -> Packet {
        let mut packet = self.packet.clone().tagged(tags);
        packet.cut = packet.cut.map(|length| length + 4 * tags.len());
        packet
    }
}

fn shape(name: impl Into<String>, packet: impl Into<Packet>, clean: Verdict) -> Shape {
    Shape {
        name: name.into(),
        packet: packet.into(),
        clean,
    }
}

/// Stacks of VLAN tags that are looked behind.
pub(super) const TAGS: [(&str, &[Tag]); 7] = [
    ("no tag", &[]),
    ("802.1Q", &[Tag::CUSTOMER]),
    ("802.1ad", &[Tag::SERVICE]),
    ("9100", &[Tag::STACKED]),
    ("802.1Q twice", &[Tag::CUSTOMER, Tag::CUSTOMER]),
    ("QinQ", &[Tag::SERVICE, Tag::CUSTOMER]),
    ("9100 and 802.1Q", &[Tag::STACKED, Tag::CUSTOMER]),
];

/// Transport messages with nothing wrong about them.
fn messages() -> Vec<(String, Transport)> {
    let mut all = vec![
        ("TCP SYN".into(), Transport::syn()),
        ("TCP ACK".into(), Transport::tcp(flags::ACK)),
        ("UDP from port 53".into(), Transport::udp(53, 40_000)),
        ("UDP to port 53".into(), Transport::udp(40_000, 53)),
        ("DHCP request".into(), Transport::udp(68, 67)),
        ("ICMP echo".into(), Transport::ping()),
        ("ICMPv6 echo".into(), Transport::icmpv6(icmpv6::ECHO)),
        (
            "ICMPv6 listener report".into(),
            Transport::icmpv6(icmpv6::LISTENER_REPORT),
        ),
    ];
    for (name, number) in [
        ("GRE", protocol::GRE),
        ("ESP", protocol::ESP),
        ("SCTP", protocol::SCTP),
        ("no next header", protocol::NONE),
        ("an unknown protocol", protocol::EXPERIMENT),
    ] {
        all.push((name.into(), Transport::opaque(number)));
    }
    let dns = Transport::Tcp {
        source: 53,
        destination: 53,
        header_words: 5,
        flags: flags::ACK | flags::PSH,
    };
    all.push(("TCP from and to port 53".into(), dns));
    all
}

/// Transport messages that deserve a verdict of their own.
fn faulty_messages() -> Vec<(String, Transport, Verdict)> {
    let mut all: Vec<(String, Transport, Verdict)> = vec![
        (
            "TCP without flags".into(),
            Transport::tcp(0),
            Verdict::BadTcpFlags,
        ),
        (
            "TCP SYN and FIN".into(),
            Transport::tcp(flags::SYN | flags::FIN),
            Verdict::BadTcpFlags,
        ),
        (
            "TCP with four words of header".into(),
            Transport::Tcp {
                source: 1024,
                destination: 80,
                header_words: 4,
                flags: flags::SYN,
            },
            Verdict::BadHeader,
        ),
    ];
    for length in [0, 3, 13, 19] {
        all.push((
            format!("{length} bytes of TCP"),
            Transport::syn().beginning(length),
            Verdict::Truncated,
        ));
    }
    for length in [0, 3, 7] {
        all.push((
            format!("{length} bytes of UDP"),
            Transport::udp(53, 53).beginning(length),
            Verdict::Truncated,
        ));
    }
    all
}

/// IPv4 in every shape.
pub(super) fn v4(source: Ipv4Addr) -> Vec<Shape> {
    let syn = || Ipv4::new(source, TO4, Transport::syn());
    let mut all = Vec::new();
    for (name, message) in messages() {
        let packet = Packet::from(Ipv4::new(source, TO4, message)).padded(64);
        all.push(shape(name, packet, Verdict::Pass));
    }
    for (name, message, verdict) in faulty_messages() {
        all.push(shape(name, Ipv4::new(source, TO4, message), verdict));
    }
    for (name, options) in [
        ("one option", &[1_u8][..]),
        ("a source route", &[131, 7, 4, 192, 0, 2, 1]),
        ("a record of the route", &[7, 7, 4, 0, 0, 0, 0]),
        ("a router alert", &[148, 4, 0, 0]),
        ("forty bytes of options", &[1; 40]),
    ] {
        let packet = Ipv4::new(source, TO4, Transport::syn()).options(options);
        all.push(shape(name, packet, Verdict::Pass));
    }
    let udp = || Ipv4::new(source, TO4, Transport::udp(53, 53));
    all.extend([
        shape(
            "the first fragment of TCP",
            syn().fragment(0, true),
            Verdict::Pass,
        ),
        shape(
            "the first fragment of UDP",
            udp().fragment(0, true),
            Verdict::Pass,
        ),
        shape(
            "a fragment in the middle",
            syn().fragment(1, true),
            Verdict::Pass,
        ),
        shape(
            "the last fragment",
            syn().fragment(185, false),
            Verdict::Pass,
        ),
        shape(
            "the farthest fragment",
            udp().fragment(0x1fff, true),
            Verdict::Pass,
        ),
        shape(
            "a fragment that ends inside the TCP header",
            Ipv4::new(source, TO4, Transport::syn().beginning(8)).fragment(0, true),
            Verdict::Truncated,
        ),
        shape("version 6", syn().version(6), Verdict::BadHeader),
        shape("version 0", syn().version(0), Verdict::BadHeader),
        shape("no header words", syn().header_words(0), Verdict::BadHeader),
        shape(
            "four header words",
            syn().header_words(4),
            Verdict::BadHeader,
        ),
        shape(
            "a header longer than the packet",
            syn().header_words(15),
            Verdict::BadLength,
        ),
        shape(
            "a length of zero",
            syn().total_length(0),
            Verdict::BadLength,
        ),
        shape(
            "a length inside the header",
            syn().total_length(19),
            Verdict::BadLength,
        ),
        shape(
            "a length beyond the frame",
            syn().total_length(41),
            Verdict::BadLength,
        ),
        shape(
            "the greatest length",
            syn().total_length(0xffff),
            Verdict::BadLength,
        ),
        shape(
            "a frame that ends in the transport header",
            Packet::from(syn()).cut(40),
            Verdict::BadLength,
        ),
        shape(
            "to itself",
            Ipv4::new(source, source, Transport::syn()),
            Verdict::Land,
        ),
    ]);
    all
}

/// IPv6 in every shape.
pub(super) fn v6(source: Ipv6Addr) -> Vec<Shape> {
    let syn = || Ipv6::new(source, TO6, Transport::syn());
    let udp = || Ipv6::new(source, TO6, Transport::udp(53, 53));
    let mut all = Vec::new();
    for (name, message) in messages() {
        let packet = Packet::from(Ipv6::new(source, TO6, message)).padded(84);
        all.push(shape(name, packet, Verdict::Pass));
    }
    for (name, message, verdict) in faulty_messages() {
        all.push(shape(name, Ipv6::new(source, TO6, message), verdict));
    }
    for kind in icmpv6::NEIGHBOUR_DISCOVERY {
        let packet = Ipv6::neighbour(source, TO6, kind);
        all.push(shape(
            format!("neighbour discovery {kind}"),
            packet.clone(),
            Verdict::Neighbour,
        ));
        all.push(shape(
            format!("neighbour discovery {kind} from afar"),
            packet.hop_limit(254),
            Verdict::Pass,
        ));
    }
    let solicitation = || Ipv6::neighbour(source, TO6, icmpv6::NEIGHBOUR_SOLICITATION);
    for extension in Extension::each() {
        let one = [extension];
        all.push(shape(
            format!("TCP behind {extension:?}"),
            syn().extensions(&one),
            Verdict::Pass,
        ));
        all.push(shape(
            format!("UDP port 53 behind {extension:?}"),
            udp().extensions(&one),
            Verdict::Pass,
        ));
        all.push(shape(
            format!("neighbour discovery behind {extension:?}"),
            solicitation().extensions(&one),
            Verdict::Neighbour,
        ));
        all.push(shape(
            format!("a frame that ends inside {extension:?}"),
            Packet::from(syn().extensions(&one)).cut(14 + 40 + 3),
            Verdict::BadLength,
        ));
        all.push(shape(
            format!("a packet that ends inside {extension:?}"),
            syn().extensions(&one).payload_length(7),
            Verdict::Truncated,
        ));
    }
    let fragment = |offset, more| [Extension::Fragment { offset, more }];
    let padding = [Extension::Options(Options::Destination, 0); MAX_EXTENSIONS + 1];
    all.extend([
        shape(
            "every extension header",
            syn().extensions(&Extension::each()),
            Verdict::Pass,
        ),
        shape(
            "long extension headers",
            syn().extensions(&[
                Extension::Options(Options::HopByHop, 255),
                Extension::Authentication(254),
            ]),
            Verdict::Pass,
        ),
        shape(
            "as many headers as are followed",
            syn().extensions(&padding[1..]),
            Verdict::Pass,
        ),
        shape(
            "one header too many",
            syn().extensions(&padding),
            Verdict::TooManyExtensions,
        ),
        shape(
            "the first fragment of TCP",
            syn().extensions(&fragment(0, true)),
            Verdict::Pass,
        ),
        shape(
            "the first fragment of UDP",
            udp().extensions(&fragment(0, true)),
            Verdict::Pass,
        ),
        shape(
            "a fragment in the middle",
            syn().extensions(&fragment(1, true)),
            Verdict::Pass,
        ),
        shape(
            "the last fragment",
            syn().extensions(&fragment(185, false)),
            Verdict::Pass,
        ),
        shape(
            "a fragment of neighbour discovery",
            solicitation().extensions(&fragment(0, true)),
            Verdict::Pass,
        ),
        shape(
            "a later fragment that looks like neighbour discovery",
            solicitation().extensions(&fragment(1, false)),
            Verdict::Pass,
        ),
        shape(
            "a fragment that ends inside the TCP header",
            Ipv6::new(source, TO6, Transport::syn().beginning(8)).extensions(&fragment(0, true)),
            Verdict::Truncated,
        ),
        shape("version 4", syn().version(4), Verdict::BadHeader),
        shape("version 0", syn().version(0), Verdict::BadHeader),
        shape(
            "a length beyond the frame",
            syn().payload_length(21),
            Verdict::BadLength,
        ),
        shape(
            "the greatest length",
            syn().payload_length(0xffff),
            Verdict::BadLength,
        ),
        shape(
            "a length of zero",
            syn().payload_length(0),
            Verdict::Truncated,
        ),
        shape(
            "a frame that ends in the transport header",
            Packet::from(syn()).cut(60),
            Verdict::BadLength,
        ),
        shape(
            "to itself",
            Ipv6::new(source, source, Transport::syn()),
            Verdict::Land,
        ),
        shape(
            "neighbour discovery to itself",
            Ipv6::neighbour(source, source, icmpv6::NEIGHBOUR_SOLICITATION),
            Verdict::Land,
        ),
    ]);
    all
}
