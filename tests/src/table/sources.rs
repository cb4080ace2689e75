//! Denied and clean sources of either family, and the lists that make them so.

use std::net::{Ipv4Addr, Ipv6Addr};

use gateway_common::Verdict;

use crate::setup::{Setup, ban, deny};

/// Where all packets go that are not meant to be odd in this.
pub(super) const TO4: Ipv4Addr = Ipv4Addr::new(100, 64, 0, 1);
/// The same for IPv6.
pub(super) const TO6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, 1);

/// On no list.
pub(super) const CLEAN4: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 8);
/// On no list.
pub(super) const CLEAN6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0xc1ea, 0, 0, 0, 0, 1);

/// A denied source, the verdict on it and the rule that is named.
pub(super) struct Denied<A> {
    pub(super) source: A,
    pub(super) verdict: Verdict,
    pub(super) rule: u32,
}

pub(super) fn lists() -> Setup {
    Setup::of([
        deny("198.51.100.7", 11),
        deny("203.0.113.0/24", 12),
        deny("192.0.2.0/25", 13),
        ban("198.18.0.9", 14),
        deny("2001:db8:7::7", 21),
        deny("2001:db8:8::/48", 22),
        deny("2001:db9::/32", 23),
        deny("2a00::/12", 24),
        ban("2001:db8:9:9::/64", 25),
    ])
}

/// IPv4 sources that [`lists`] denies, one for each way to be denied.
pub(super) fn denied4() -> Vec<Denied<Ipv4Addr>> {
    let of = |source: &str, verdict, rule| Denied {
        source: source.parse().expect(source),
        verdict,
        rule,
    };
    vec![
        of("198.51.100.7", Verdict::DeniedExact, 11),
        // A whole block is denied at a glance: no rule is named.
        of("203.0.113.77", Verdict::DeniedPrefix, 0),
        of("192.0.2.5", Verdict::DeniedPrefix, 13),
        of("198.18.0.9", Verdict::Banned, 14),
    ]
}

/// The same for IPv6; the last two are IPv4 in disguise.
pub(super) fn denied6() -> Vec<Denied<Ipv6Addr>> {
    let of = |source: &str, verdict, rule| Denied {
        source: source.parse().expect(source),
        verdict,
        rule,
    };
    vec![
        of("2001:db8:7::7", Verdict::DeniedExact, 21),
        of("2001:db8:8:1::5", Verdict::DeniedPrefix, 22),
        of("2001:db9:1::5", Verdict::DeniedPrefix, 23),
        of("2a0f:db9:1::5", Verdict::DeniedPrefix, 24),
        of("2001:db8:9:9::5", Verdict::Banned, 25),
        of("::ffff:198.51.100.7", Verdict::DeniedExact, 11),
        of("::ffff:203.0.113.77", Verdict::DeniedPrefix, 0),
    ]
}
