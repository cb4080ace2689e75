//! The limits of the configuration in the units of the packet filter, and in words.

use gateway_common::{
    limiter::TICK_NANOS,
    lists::{MODE_ENFORCE, MODE_SHADOW},
    settings::{CLASS_KNOWN, CLASS_UNKNOWN, Further, LIMIT_CLASSES, Limit, PortLimit},
    time::Nanos,
};
use gateway_policy::{
    bans::Mode,
    grammar::{Period, Rate},
    limits::Quota,
    reputation::{AttackPolicy, Trigger},
};

use crate::{
    config::{
        self, AttackMode, AttackTrigger, Config, PacketLimits, SourceLimits, Transport, Watched,
    },
    control::api::LimitStatus,
    reputation::ReputationPolicy,
};

/// The rate class of trusted networks; class 0 is for everybody else.
pub(super) const TRUSTED: u8 = 1;

/// Packet rates by class.
pub(super) fn packets(limits: &PacketLimits, attack: &AttackMode) -> [Limit; LIMIT_CLASSES] {
    let mut classes = [Limit::default(); LIMIT_CLASSES];
    let zones = by_class(&limits.packets, limits.burst, Limit::new);
    fill(&mut classes, zones);
    classes[CLASS_KNOWN] = classes[0];
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

/// Rounded up, so that no rate is nothing.
fn per_second(rate: Rate) -> u64 {
    let count = u128::from(rate.count().get()) * 1_000_000_000;
    u64::try_from(count.div_ceil(u128::from(rate.per().as_nanos().0))).unwrap_or(u64::MAX)
}

/// What holds besides.
pub(super) fn further(limits: &PacketLimits) -> Further {
    let burst = limits.burst;
    let mut further = Further {
        penalty: match (limits.penalty, limits.packets.mode) {
            (Some(penalty), Mode::Enforce) => penalty.as_nanos().0 / TICK_NANOS,
            (None, _) | (_, Mode::Shadow) => 0,
        },
        sites: limits.sites.map(|limit| watched(limit, burst)),
        destinations: watched(limits.destinations, burst),
        ..Further::default()
    };
    let bytes = by_class(&limits.bytes, burst, Limit::bytes);
    let connections = by_class(&limits.connections, burst, Limit::new);
    fill(&mut further.bytes, bytes);
    fill(&mut further.connections, connections);
    further.bytes[CLASS_KNOWN] = further.bytes[0];
    further.connections[CLASS_KNOWN] = further.connections[0];
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

/// The limits in force, as the configuration would write them. Those that are not set are left
/// out.
pub(super) fn in_words(config: &Config) -> Vec<LimitStatus> {
    let (packets, requests) = (&config.packet_limits, &config.rate_limits);
    let quota = |quota: Option<Quota>| match quota {
        Some(quota) => format!("{} with bursts of {}", quota.rate(), quota.burst()),
        None => "unlimited".to_owned(),
    };
    let mut all = vec![
        (
            "packet_limits.trusted".to_owned(),
            packets.packets.trusted.to_string(),
        ),
        (
            "packet_limits.untrusted".to_owned(),
            packets.packets.untrusted.to_string(),
        ),
        ("packet_limits.burst".to_owned(), packets.burst.to_string()),
        (
            "attack_mode.unknown".to_owned(),
            config.attack_mode.unknown.limit.to_string(),
        ),
        ("rate_limits.trusted".to_owned(), quota(requests.trusted)),
        (
            "rate_limits.untrusted".to_owned(),
            quota(requests.untrusted),
        ),
    ];
    if let Some(penalty) = packets.penalty {
        all.push(("packet_limits.penalty".to_owned(), penalty.to_string()));
    }
    let [site56, site48] = packets.sites;
    let mut further: Vec<(String, config::Limit)> = vec![
        ("bytes.trusted".to_owned(), packets.bytes.trusted),
        ("bytes.untrusted".to_owned(), packets.bytes.untrusted),
        (
            "connections.trusted".to_owned(),
            packets.connections.trusted,
        ),
        (
            "connections.untrusted".to_owned(),
            packets.connections.untrusted,
        ),
        ("sites.prefix_56".to_owned(), site56.limit),
        ("sites.prefix_48".to_owned(), site48.limit),
        ("destinations.limit".to_owned(), packets.destinations.limit),
    ];
    for group in &packets.ports {
        let protocol = match group.protocol {
            Transport::Tcp => "tcp",
            Transport::Udp => "udp",
        };
        further.push((
            format!("ports {protocol} {}", group.ports),
            group.limit.limit,
        ));
    }
    let set = further
        .into_iter()
        .filter(|(_, limit)| *limit != config::Limit::Unlimited)
        .map(|(name, limit)| (format!("packet_limits.{name}"), limit.to_string()));
    all.extend(set);
    all.into_iter()
        .map(|(name, value)| LimitStatus { name, value })
        .collect()
}
