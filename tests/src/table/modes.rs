//! Entries that only watch, bans, and zones.

use std::net::IpAddr;

use gateway_common::{Verdict, settings::LIMIT_CLASSES};

use super::{
    Row, Table,
    sources::{TO4, TO6},
};
use crate::{
    packet::{Ipv4, Ipv6, Packet, Transport},
    setup::{Setup, allow, ban, deny, shadow, zone},
};

pub(super) fn table() -> Table {
    let setup = Setup::of([
        shadow("198.51.100.1", 1),
        shadow("198.51.0.0/16", 2),
        // What watches hides nothing that acts, whichever is longer.
        deny("198.52.0.0/16", 3),
        shadow("198.52.1.1", 4),
        shadow("198.52.2.0/24", 5),
        shadow("198.53.0.0/16", 6),
        deny("198.53.1.1", 7),
        shadow("198.54.1.1", 8),
        allow("198.54.0.0/16", 9),
        ban("198.18.0.1", 10),
        ban("198.18.1.0/24", 11),
        // A denied net inside a zone, and a zone inside a denied net.
        zone("10.0.0.0/8", 1),
        deny("10.1.0.0/16", 12),
        deny("11.0.0.0/8", 13),
        zone("11.1.0.0/16", 2),
        allow("10.2.0.0/16", 14),
        shadow("10.3.0.0/16", 15),
        // A class that does not exist.
        zone("12.0.0.0/8", LIMIT_CLASSES as u8),
        shadow("2001:db8:1::/48", 20),
        shadow("2001:db8:1:1::1", 21),
        deny("2001:db8:2::/48", 22),
        shadow("2001:db8:2:1::/64", 23),
        zone("2001:db8:3::/48", 1),
        deny("2001:db8:3:1::/64", 24),
        ban("2001:db8:4::/64", 25),
        ban("2001:db8:4::9", 26),
    ]);
    let rows = [
        ("198.51.100.1", Verdict::WouldDeny, 1),
        ("198.51.100.2", Verdict::WouldDeny, 2),
        ("198.52.1.1", Verdict::DeniedPrefix, 3),
        // Its /24 is denied at a glance.
        ("198.52.2.1", Verdict::DeniedPrefix, 0),
        ("198.53.1.1", Verdict::DeniedExact, 7),
        ("198.53.1.2", Verdict::WouldDeny, 6),
        ("198.54.1.1", Verdict::Safelisted, 9),
        ("198.18.0.1", Verdict::Banned, 10),
        ("198.18.0.2", Verdict::Pass, 0),
        ("198.18.1.77", Verdict::Banned, 11),
        ("10.0.0.1", Verdict::Pass, 0),
        ("10.1.0.1", Verdict::DeniedPrefix, 12),
        ("11.1.0.1", Verdict::DeniedPrefix, 13),
        ("10.2.0.1", Verdict::Safelisted, 14),
        ("10.3.0.1", Verdict::WouldDeny, 15),
        ("12.0.0.1", Verdict::Pass, 0),
        ("2001:db8:1::1", Verdict::WouldDeny, 20),
        ("2001:db8:1:1::1", Verdict::WouldDeny, 21),
        ("2001:db8:2:1::1", Verdict::DeniedPrefix, 22),
        ("2001:db8:3::1", Verdict::Pass, 0),
        ("2001:db8:3:1::1", Verdict::DeniedPrefix, 24),
        ("2001:db8:4::1", Verdict::Banned, 25),
        ("2001:db8:4::9", Verdict::Banned, 26),
    ];
    let row = |(source, verdict, rule): (&str, Verdict, u32)| {
        let packet: Packet = match source.parse().expect(source) {
            IpAddr::V4(source) => Ipv4::new(source, TO4, Transport::syn()).into(),
            IpAddr::V6(source) => Ipv6::new(source, TO6, Transport::syn()).into(),
        };
        Row::new(source, packet, verdict).by(rule)
    };
    let mut rows: Vec<Row> = rows.into_iter().map(row).collect();
    // What is wrong with a packet counts before what would have become of its source.
    let land = Ipv4::new([198, 51, 100, 1], [198, 51, 100, 1], Transport::syn());
    rows.push(Row::new("a watched source to itself", land, Verdict::Land));
    // The safelist passes what no rule of form would.
    for (name, packet) in [
        (
            "a safe source to itself",
            Ipv4::new([10, 2, 0, 1], [10, 2, 0, 1], Transport::syn()),
        ),
        (
            "a safe source without flags",
            Ipv4::new([10, 2, 0, 1], TO4, Transport::tcp(0)),
        ),
        (
            "a safe source of version 6",
            Ipv4::new([10, 2, 0, 1], TO4, Transport::syn()).version(6),
        ),
    ] {
        rows.push(Row::new(name, packet, Verdict::Safelisted).by(14));
    }
    Table {
        name: "modes",
        setup,
        rows,
    }
}
