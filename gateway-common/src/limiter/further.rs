//! The limits besides the packet rate of a source: its bytes, the connections it opens, the site it
//! is part of, its country, the ports it talks to, and what a network behind this host receives
//! from everybody.
//!
//! Each keeps its own account of a packet, under a hash of its own kind in the same cells.

use super::{
    BYTES_UNIT,
    gcra::{Admission, Charge, identity4},
};
use crate::{
    Outcome, Verdict,
    lists::{MODE_SHADOW, cells::mix, halves},
    pipeline::end,
    rule::{self, LimitKind},
    settings::{CLASS_KNOWN, CLASS_LIMITED, Further, LIMIT_CLASSES, Limit, untrusted},
    tables::Tables,
};

/// What the further limits need to know of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traffic {
    /// [Identity](identity4) of the source.
    pub source: u64,
    /// [Identity](destination4) of the network it is sent to.
    pub destination: u64,
    /// Bytes of the frame.
    pub length: u32,
    /// Rate class of the source.
    pub class: u8,
    /// Protocol of the payload.
    pub protocol: u8,
    /// Destination port; 0 where there is none to read.
    pub port: u16,
    /// Whether it opens a TCP connection.
    pub opens: bool,
}

/// Kinds of accounts; the packet rate of a source is none of them.
const BYTES: u64 = 1;
const CONNECTIONS: u64 = 2;
const SITES: u64 = 3;
const DESTINATIONS: u64 = 5;
const COUNTRIES: u64 = 6;
const PORTS: u64 = 8;
/// That of SYNs to an endpoint ([`crate::syncookie`]); the ports take what stands before.
pub(crate) const SYNS: u64 = PORTS + crate::settings::PORT_GROUPS as u64;

/// The prefix lengths of [`Further::sites`].
const SITE_LENGTHS: [u32; 2] = [56, 48];

/// Charges a packet to every further limit that holds for it. Returns what the first one that it
/// is over makes of it; [`Verdict::WouldLimit`] and the first of them when only limits in shadow
/// mode are exceeded; else [`Verdict::Pass`].
#[inline(always)]
pub fn further<T: Tables>(tables: &T, traffic: Traffic) -> Outcome {
    let limits: &Further = &tables.settings().further;
    let mut account = Account {
        tables,
        shadowed: tables.forget(0),
    };
    // The pipeline gives no class past the last; here the verifier is told so.
    let class = traffic.class as usize % LIMIT_CLASSES;
    if let Some(limit) = limits.bytes.get(class) {
        let cost = limit.interval * traffic.length as u64 / BYTES_UNIT;
        let rule = rule::limit(LimitKind::Bytes, class);
        if account.is_over(BYTES, traffic.source, cost, limit, rule) {
            return end(Verdict::ByteLimited, 0);
        }
    }
    if traffic.opens
        && let Some(limit) = limits.connections.get(class)
    {
        let rule = rule::limit(LimitKind::Connections, class);
        if account.is_over(CONNECTIONS, traffic.source, limit.interval, limit, rule) {
            return end(Verdict::ConnectionLimited, 0);
        }
    }
    let untrusted = untrusted(class) != 0;
    // The class is compared with once it is forgotten: the verifier would follow what comes behind
    // once for each.
    if tables.forget(class as u64) == CLASS_LIMITED as u64 {
        let limit = &limits.countries;
        let rule = rule::limit(LimitKind::Countries, 0);
        if account.is_over(COUNTRIES, traffic.source, limit.interval, limit, rule) {
            return end(Verdict::CountryLimited, 0);
        }
    }
    if untrusted {
        for (nth, limit) in limits.sites.iter().enumerate() {
            let Some(site) = site(traffic.source, nth) else {
                break;
            };
            let rule = rule::limit(LimitKind::Sites, nth);
            if account.is_over(SITES + nth as u64, site, limit.interval, limit, rule) {
                return end(Verdict::SiteLimited, 0);
            }
        }
    }
    if untrusted || tables.forget(class as u64) == CLASS_KNOWN as u64 {
        for (nth, group) in limits.ports.iter().enumerate() {
            let within = group.first <= traffic.port && traffic.port <= group.last;
            let (kind, limit) = (PORTS + nth as u64, &group.limit);
            let rule = rule::limit(LimitKind::Ports, nth);
            if within
                && group.protocol == traffic.protocol as u32
                && account.is_over(kind, traffic.source, limit.interval, limit, rule)
            {
                return end(Verdict::PortLimited, 0);
            }
        }
    }
    // What strangers send to a network or from a site is not held against who is known.
    if untrusted {
        let (limit, rule) = (
            &limits.destinations,
            rule::limit(LimitKind::Destinations, 0),
        );
        if account.is_over(
            DESTINATIONS,
            traffic.destination,
            limit.interval,
            limit,
            rule,
        ) {
            return end(Verdict::DestinationLimited, 0);
        }
    }
    match account.shadowed {
        0 => end(Verdict::Pass, 0),
        rule => end(Verdict::WouldLimit, rule as u32),
    }
}

struct Account<'a, T> {
    tables: &'a T,
    /// The first limit in shadow mode that was exceeded; 0 when none was. Nothing that the verifier
    /// knows: it would follow the limits once for each.
    shadowed: u64,
}

impl<T: Tables> Account<'_, T> {
    /// Charges `cost` ticks to `identity`; says whether that is over a limit in force. `rule` is
    /// the limit's number.
    #[inline(always)]
    fn is_over(&mut self, kind: u64, identity: u64, cost: u64, limit: &Limit, rule: u32) -> bool {
        if limit.interval == 0 {
            return false;
        }
        let seed = self.tables.settings().seed;
        let admission = self.tables.charge(Charge {
            hash: mix(mix(seed, kind), identity),
            interval: cost,
            tolerance: limit.tolerance,
            penalty: 0,
        });
        if admission == Admission::Within {
            return false;
        }
        if limit.mode == MODE_SHADOW as u64 {
            let first = match self.shadowed {
                0 => rule as u64,
                before => before,
            };
            self.shadowed = self.tables.forget(first);
            return false;
        }
        true
    }
}

/// The `nth` larger prefix around an IPv6 source; `None` for IPv4 and link-local sources, whose
/// identities are no prefixes.
#[inline(always)]
fn site(identity: u64, nth: usize) -> Option<u64> {
    let length = *SITE_LENGTHS.get(nth)?;
    match identity >> 56 {
        0xfe | 0xff => None,
        _ => Some(identity >> (64 - length)),
    }
}

/// What the limit of a destination is held against: the /24 of an IPv4 address.
#[inline(always)]
#[must_use]
pub const fn destination4(address: [u8; 4]) -> u64 {
    identity4(address) & !0xff
}

/// The same for IPv6: its /64.
#[inline(always)]
#[must_use]
pub const fn destination6(address: [u8; 16]) -> u64 {
    halves(address).0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sites_are_prefixes_of_global_sources() {
        let source = 0x2001_0db8_0a0b_0c0d;
        assert_eq!(site(source, 0), Some(0x0020_010d_b80a_0b0c));
        assert_eq!(site(source, 1), Some(0x2001_0db8_0a0b));
        assert_eq!(site(source, 2), None);
        assert_eq!(site(identity4([10, 0, 0, 1]), 0), None);
    }
}
