//! Entries past their expiry do not count; what they hid comes to light again.

use gateway_common::Verdict;

use super::{Row, Table, sources};
use crate::{
    packet::{Ipv4, Ipv6, Transport},
    setup::{FUTURE, PAST, Setup, allow, ban, deny, shadow},
};

pub(super) fn table() -> Table {
    let setup = Setup::of([
        deny("198.51.100.1", 1).until(PAST),
        deny("198.51.100.2", 2).until(FUTURE),
        deny("198.51.100.3", 3),
        deny("203.0.113.0/24", 4).until(PAST),
        deny("203.0.114.0/24", 5).until(FUTURE),
        // An expired entry inside a denied block, and around a denied address.
        deny("192.0.0.0/16", 6),
        deny("192.0.2.1", 7).until(PAST),
        deny("192.1.0.0/16", 8).until(PAST),
        deny("192.1.2.1", 9),
        // An expired safelist entry protects nobody, one that lives does.
        deny("192.2.0.0/16", 10),
        allow("192.2.2.1", 11).until(PAST),
        allow("192.2.2.2", 12).until(FUTURE),
        ban("198.18.0.1", 13).until(PAST),
        shadow("198.18.0.2", 14).until(PAST),
        deny("2001:db8::1", 15).until(PAST),
        deny("2001:db8:1::/48", 16).until(PAST),
        deny("2001:db8:2::/48", 17).until(FUTURE),
        allow("2001:db8:2:1::/64", 18).until(PAST),
        allow("2001:db8:2:2::/64", 19).until(FUTURE),
    ]);
    let rows = [
        ("198.51.100.1", Verdict::Pass, 0),
        ("198.51.100.2", Verdict::DeniedExact, 2),
        ("198.51.100.3", Verdict::DeniedExact, 3),
        ("203.0.113.1", Verdict::Pass, 0),
        ("203.0.114.1", Verdict::DeniedPrefix, 5),
        ("192.0.2.1", Verdict::DeniedPrefix, 6),
        ("192.1.2.1", Verdict::DeniedExact, 9),
        ("192.1.2.2", Verdict::Pass, 0),
        ("192.2.2.1", Verdict::DeniedPrefix, 10),
        ("192.2.2.2", Verdict::Safelisted, 12),
        ("198.18.0.1", Verdict::Pass, 0),
        ("198.18.0.2", Verdict::Pass, 0),
    ];
    let mut all: Vec<Row> = rows
        .into_iter()
        .map(|(source, verdict, rule)| {
            let source: std::net::Ipv4Addr = source.parse().expect(source);
            let packet = Ipv4::new(source, sources::TO4, Transport::syn());
            Row::new(source.to_string(), packet, verdict).by(rule)
        })
        .collect();
    for (source, verdict, rule) in [
        ("2001:db8::1", Verdict::Pass, 0),
        ("2001:db8:1::1", Verdict::Pass, 0),
        ("2001:db8:2::1", Verdict::DeniedPrefix, 17),
        ("2001:db8:2:1::1", Verdict::DeniedPrefix, 17),
        ("2001:db8:2:2::1", Verdict::Safelisted, 19),
    ] {
        let source: std::net::Ipv6Addr = source.parse().expect(source);
        let packet = Ipv6::new(source, sources::TO6, Transport::syn());
        all.push(Row::new(source.to_string(), packet, verdict).by(rule));
    }
    Table {
        name: "expiry",
        setup,
        rows: all,
    }
}
