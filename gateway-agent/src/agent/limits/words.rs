//! The limits of the configuration in words, with the numbers by which the packet filter knows them.

use gateway_common::{
    rule::{LimitKind, limit},
    settings::{CLASS_KNOWN, CLASS_LIMITED, CLASS_UNKNOWN},
};
use gateway_policy::{bans::Mode, limits::Quota};

use super::{OWN, TRUSTED};
use crate::config::{self, Config, CookieMode, PacketLimits, Transport};

/// A limit, as the configuration has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::agent) struct Named {
    /// Its name.
    pub(in crate::agent) name: String,
    /// Its value.
    pub(in crate::agent) value: String,
    /// Whether it acts; none for what has no mode of its own.
    pub(in crate::agent) mode: Option<Mode>,
    /// The packet filter's numbers of it; none for what it does not count.
    pub(in crate::agent) rules: Vec<u32>,
}

/// The limits in force. Those that are not set are left out.
pub(in crate::agent) fn named(config: &Config) -> Vec<Named> {
    let (packets, requests) = (&config.packet_limits, &config.rate_limits);
    let quota = |quota: Option<Quota>| match quota {
        Some(quota) => format!("{} with bursts of {}", quota.rate(), quota.burst()),
        None => "unlimited".to_owned(),
    };
    let mut all = of_sources(packets, LimitKind::Packets);
    all.push(plain("packet_limits.burst", packets.burst.to_string()));
    all.push(Named {
        name: "attack_mode.unknown".to_owned(),
        value: config.attack_mode.unknown.limit.to_string(),
        mode: Some(config.attack_mode.unknown.mode),
        rules: vec![limit(LimitKind::Packets, CLASS_UNKNOWN)],
    });
    all.push(plain("rate_limits.trusted", quota(requests.trusted)));
    all.push(plain("rate_limits.untrusted", quota(requests.untrusted)));
    if let Some(penalty) = packets.penalty {
        all.push(plain("packet_limits.penalty", penalty.to_string()));
    }
    all.extend(further(packets));
    if let Some(watched) = config.country_limit {
        all.push(Named {
            name: "countries.limit".to_owned(),
            value: watched.limit.to_string(),
            mode: Some(watched.mode),
            rules: vec![limit(LimitKind::Countries, 0)],
        });
    }
    if config.syn_cookies.mode == CookieMode::Shadow {
        all.push(Named {
            name: "syn_cookies.threshold".to_owned(),
            value: config.syn_cookies.threshold.to_string(),
            mode: Some(Mode::Shadow),
            rules: vec![limit(LimitKind::Cookies, 0)],
        });
    }
    all
}

/// The limits besides the packet rates.
fn further(packets: &PacketLimits) -> Vec<Named> {
    let mut all = of_sources(packets, LimitKind::Bytes);
    all.extend(of_sources(packets, LimitKind::Connections));
    let one = |name: &str, watched: config::Watched, kind, nth| Named {
        name: format!("packet_limits.{name}"),
        value: watched.limit.to_string(),
        mode: Some(watched.mode),
        rules: vec![limit(kind, nth)],
    };
    let [site56, site48] = packets.sites;
    let whole = packets.destinations;
    all.push(one("sites.prefix_56", site56, LimitKind::Sites, 0));
    all.push(one("sites.prefix_48", site48, LimitKind::Sites, 1));
    all.push(one("destinations.limit", whole, LimitKind::Destinations, 0));
    for (class, own) in (usize::from(OWN)..).zip(&packets.networks) {
        for (what, value, kind) in [
            ("packets", own.packets, LimitKind::Packets),
            ("bytes", own.bytes, LimitKind::Bytes),
            ("connections", own.connections, LimitKind::Connections),
        ] {
            all.push(Named {
                name: format!("packet_limits.networks.{}.{what}", own.name),
                value: value.to_string(),
                mode: Some(own.mode),
                rules: vec![limit(kind, class)],
            });
        }
    }
    for (nth, group) in packets.ports.iter().enumerate() {
        let protocol = match group.protocol {
            Transport::Tcp => "tcp",
            Transport::Udp => "udp",
        };
        let name = format!("ports {protocol} {}", group.ports);
        all.push(one(&name, group.limit, LimitKind::Ports, nth));
    }
    let unlimited = config::Limit::Unlimited.to_string();
    all.retain(|limit| limit.value != unlimited);
    all
}

/// A pair of limits, for trusted sources and for all others.
fn of_sources(packets: &PacketLimits, kind: LimitKind) -> Vec<Named> {
    let (name, limits) = match kind {
        LimitKind::Bytes => ("packet_limits.bytes", packets.bytes),
        LimitKind::Connections => ("packet_limits.connections", packets.connections),
        LimitKind::Packets
        | LimitKind::Countries
        | LimitKind::Sites
        | LimitKind::Destinations
        | LimitKind::Ports
        | LimitKind::Cookies => ("packet_limits", packets.packets),
    };
    let one = |whose: &str, value: config::Limit, classes: &[usize]| Named {
        name: format!("{name}.{whose}"),
        value: value.to_string(),
        mode: Some(limits.mode),
        rules: classes.iter().map(|class| limit(kind, *class)).collect(),
    };
    vec![
        one("trusted", limits.trusted, &[TRUSTED.into()]),
        // In attack mode those who are known go by a class of their own, and countries that have a
        // limit always do.
        one(
            "untrusted",
            limits.untrusted,
            &[0, CLASS_LIMITED, CLASS_KNOWN],
        ),
    ]
}

fn plain(name: &str, value: String) -> Named {
    Named {
        name: name.to_owned(),
        value,
        mode: None,
        rules: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::config::tests::good;

    #[test]
    fn each_limit_has_a_name_and_numbers_of_its_own() {
        let text = "listeners: [{ bind: ':80', plaintext: true }]\n\
                    routes: [{ require: none, upstream: app }]\n\
                    upstreams: { app: { targets: http://127.0.0.1:9000 } }\n\
                    trusted_networks: { a: 10.0.0.0/8, b: 192.0.2.0/24 }\n\
                    syn_cookies: { mode: shadow }\n\
                    packet_limits:\n  \
                      untrusted: 1000/s\n  bytes: { untrusted: 9000/s, mode: shadow }\n  \
                      sites: { prefix_48: 50/s }\n  destinations: { limit: 7/s }\n  \
                      ports: [{ ports: 53, protocol: udp, limit: 5/s, mode: shadow },\n    \
                              { ports: 80-81, protocol: tcp, limit: 6/s }]\n  \
                      networks: { b: { packets: 2000/s, mode: shadow } }\n";
        let (config, _) = good(text);
        let all = named(&config);
        let of = |name: &str| all.iter().find(|one| one.name == name).unwrap();
        let expected = [
            ("packet_limits.trusted", LimitKind::Packets, 1),
            ("packet_limits.untrusted", LimitKind::Packets, 0),
            ("attack_mode.unknown", LimitKind::Packets, CLASS_UNKNOWN),
            ("packet_limits.bytes.untrusted", LimitKind::Bytes, 0),
            ("packet_limits.sites.prefix_48", LimitKind::Sites, 1),
            (
                "packet_limits.destinations.limit",
                LimitKind::Destinations,
                0,
            ),
            ("packet_limits.ports udp 53", LimitKind::Ports, 0),
            ("packet_limits.ports tcp 80-81", LimitKind::Ports, 1),
            ("packet_limits.networks.b.packets", LimitKind::Packets, 3),
            ("syn_cookies.threshold", LimitKind::Cookies, 0),
        ];
        for (name, kind, nth) in expected {
            assert!(of(name).rules.contains(&limit(kind, nth)), "{name}");
        }
        let shadow: Vec<&str> = all
            .iter()
            .filter(|one| one.mode == Some(Mode::Shadow))
            .map(|one| one.name.as_str())
            .collect();
        assert_eq!(
            shadow,
            [
                "packet_limits.bytes.untrusted",
                "packet_limits.networks.b.packets",
                "packet_limits.ports udp 53",
                "syn_cookies.threshold"
            ]
        );
        assert!(
            all.iter()
                .all(|one| one.name != "packet_limits.sites.prefix_56")
        );
        let rules: Vec<u32> = all.iter().flat_map(|one| one.rules.clone()).collect();
        let each: BTreeSet<u32> = rules.iter().copied().collect();
        assert_eq!(each.len(), rules.len());
    }
}
