//! The limits of the configuration in the units of the packet filter, and in words.

mod words;

pub(super) use words::{Named, named};

use gateway_common::{
    limiter::TICK_NANOS,
    lists::{MODE_ENFORCE, MODE_SHADOW},
    settings::{
        CLASS_KNOWN, CLASS_LIMITED, CLASS_UNKNOWN, Further, LIMIT_CLASSES, Limit, PortLimit,
    },
    time::Nanos,
};
use gateway_policy::{
    bans::Mode,
    grammar::{NetworkName, Period, Rate},
    reputation::{AttackPolicy, Trigger},
};

use crate::{
    config::{
        self, AttackMode, AttackTrigger, LIMITED_NETWORKS, NetworkLimits, PacketLimits,
        SourceLimits, Transport, Watched,
    },
    reputation::ReputationPolicy,
};

/// The rate class of trusted networks; class 0 is for everybody else.
pub(super) const TRUSTED: u8 = 1;

/// The rate class of countries that have a limit.
pub(super) const LIMITED: u8 = CLASS_LIMITED as u8;

/// The first of the classes of those trusted networks that have limits of their own.
const OWN: u8 = 3;

const _: () = assert!(OWN as usize + LIMITED_NETWORKS <= CLASS_UNKNOWN);

/// The rate class of a trusted network.
pub(super) fn class_of(network: &NetworkName, limits: &PacketLimits) -> u8 {
    let own = limits.networks.iter().map(|own| &own.name);
    (OWN..)
        .zip(own)
        .find_map(|(class, name)| (name == network).then_some(class))
        .unwrap_or(TRUSTED)
}

/// Packet rates by class.
pub(super) fn packets(limits: &PacketLimits, attack: &AttackMode) -> [Limit; LIMIT_CLASSES] {
    let mut classes = [Limit::default(); LIMIT_CLASSES];
    let zones = by_class(&limits.packets, limits.burst, Limit::new);
    fill(&mut classes, zones);
    fill_own(&mut classes, limits, |own| own.packets, Limit::new);
    classes[CLASS_KNOWN] = classes[0];
    classes[CLASS_LIMITED] = classes[0];
    classes[CLASS_UNKNOWN] = watched(attack.unknown, limits.burst);
    classes
}

/// When attack mode is on, in the units of the counters.
pub(super) fn reputation(attack: &AttackMode) -> ReputationPolicy {
    ReputationPolicy {
        attack: AttackPolicy {
            trigger: match attack.trigger {
                AttackTrigger::Auto => Trigger::Auto,
                AttackTrigger::On => Trigger::On,
                AttackTrigger::Off => Trigger::Off,
            },
            dropped: attack.dropped.rate().map(per_second),
            connections: attack.connections.rate().map(per_second),
            hold: attack.hold.as_nanos(),
        },
        lifetime: attack.known_for.as_nanos(),
    }
}

/// Events a second, rounded up, so that no rate is nothing.
pub(super) fn per_second(rate: Rate) -> u64 {
    let count = u128::from(rate.count().get()) * 1_000_000_000;
    u64::try_from(count.div_ceil(u128::from(rate.per().as_nanos().0))).unwrap_or(u64::MAX)
}

/// What holds besides.
pub(super) fn further(limits: &PacketLimits, countries: Option<Watched>) -> Further {
    let burst = limits.burst;
    let mut further = Further {
        penalty: match (limits.penalty, limits.packets.mode) {
            (Some(penalty), Mode::Enforce) => penalty.as_nanos().0 / TICK_NANOS,
            (None, _) | (_, Mode::Shadow) => 0,
        },
        sites: limits.sites.map(|limit| watched(limit, burst)),
        destinations: watched(limits.destinations, burst),
        countries: countries.map_or_else(Limit::default, |limit| watched(limit, burst)),
        ..Further::default()
    };
    let bytes = by_class(&limits.bytes, burst, Limit::bytes);
    let connections = by_class(&limits.connections, burst, Limit::new);
    fill(&mut further.bytes, bytes);
    fill(&mut further.connections, connections);
    fill_own(&mut further.bytes, limits, |own| own.bytes, Limit::bytes);
    fill_own(
        &mut further.connections,
        limits,
        |own| own.connections,
        Limit::new,
    );
    further.bytes[CLASS_KNOWN] = further.bytes[0];
    further.connections[CLASS_KNOWN] = further.connections[0];
    further.bytes[CLASS_LIMITED] = further.bytes[0];
    further.connections[CLASS_LIMITED] = further.connections[0];
    fill(
        &mut further.ports,
        limits.ports.iter().map(|group| port_limit(group, burst)),
    );
    further.settled()
}

fn fill<T>(slots: &mut [T], values: impl IntoIterator<Item = T>) {
    for (slot, value) in slots.iter_mut().zip(values) {
        *slot = value;
    }
}

/// Fills in the classes of the networks that have limits of their own.
fn fill_own(
    classes: &mut [Limit; LIMIT_CLASSES],
    limits: &PacketLimits,
    which: fn(&NetworkLimits) -> config::Limit,
    unit: Unit,
) {
    let own = limits
        .networks
        .iter()
        .map(|own| in_units(which(own), own.mode, limits.burst, unit));
    fill(classes.get_mut(OWN as usize..).unwrap_or_default(), own);
}

/// [`Limit::new`] or [`Limit::bytes`].
type Unit = fn(u64, Nanos, Nanos, u8) -> Limit;

fn by_class(limits: &SourceLimits, burst: Period, unit: Unit) -> [Limit; 2] {
    [limits.untrusted, limits.trusted].map(|limit| in_units(limit, limits.mode, burst, unit))
}

fn watched(limit: Watched, burst: Period) -> Limit {
    in_units(limit.limit, limit.mode, burst, Limit::new)
}

fn port_limit(group: &config::PortLimit, burst: Period) -> PortLimit {
    let (first, last) = group.ports.ends();
    PortLimit {
        first,
        last,
        // IANA's protocol numbers.
        protocol: match group.protocol {
            Transport::Tcp => 6,
            Transport::Udp => 17,
        },
        limit: watched(group.limit, burst),
    }
}

fn in_units(limit: config::Limit, mode: Mode, burst: Period, unit: Unit) -> Limit {
    let mode = match mode {
        Mode::Enforce => MODE_ENFORCE,
        Mode::Shadow => MODE_SHADOW,
    };
    let in_units = |rate: Rate| {
        let per = rate.per().as_nanos();
        unit(rate.count().get(), per, burst.as_nanos(), mode)
    };
    limit.rate().map(in_units).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::good;

    #[test]
    fn a_network_with_limits_of_its_own_has_a_class_of_its_own() {
        let text = "listeners: [{ bind: ':80', plaintext: true }]\n\
                    routes: [{ require: none, upstream: app }]\n\
                    upstreams: { app: { targets: http://127.0.0.1:9000 } }\n\
                    trusted_networks: { a: 10.0.0.0/8, b: 192.0.2.0/24, c: 198.51.100.0/24 }\n\
                    packet_limits:\n  \
                      trusted: 8000/s\n  untrusted: 1000/s\n  burst: 1s\n  \
                      networks: { c: { connections: 5/s }, b: { packets: 2000/s, mode: shadow } }\n";
        let (config, _) = good(text);
        let limits = &config.packet_limits;
        let class = |name: &str| usize::from(class_of(&name.parse().unwrap(), limits));
        assert_eq!([class("a"), class("b"), class("c")], [1, 4, 3]);
        let packets = packets(limits, &config.attack_mode);
        let interval = |per_second: u64| 1_000_000_000 / TICK_NANOS / per_second;
        assert_eq!(packets[class("a")].interval, interval(8_000));
        assert_eq!(packets[class("b")].interval, interval(2_000));
        assert_eq!(packets[class("b")].mode, u64::from(MODE_SHADOW));
        assert_eq!(packets[class("c")], packets[class("a")]);
        assert_eq!(packets[CLASS_KNOWN], packets[0]);
        assert_eq!(packets[CLASS_UNKNOWN].interval, interval(100));
        let further = further(limits, None);
        assert_eq!(further.connections[class("c")].interval, interval(5));
        assert_eq!(further.connections[class("b")], Limit::default());
        assert_eq!(further.any, 1);
    }
}
