//! What the packet filter lets through of those on no list.

use gateway_common::settings::PORT_GROUPS;
use gateway_policy::bans::Mode;
use gateway_policy::grammar::{NetworkName, Period, Rate};

use super::network::{limits, network_name};
use super::{Context, Networks, setting};
use crate::config::raw;
use crate::config::tree::{At, Entries};
use crate::config::values::{Limit, PortRange, Transport};

/// What sources may send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PacketLimits {
    /// Packets of a source.
    pub packets: SourceLimits,
    /// How far a source may run ahead of its rate, as time at that rate; 20 ms to 1 min.
    pub burst: Period,
    /// How long an untrusted source is shut out that sends too many packets; 1 s to 1 h.
    pub penalty: Option<Period>,
    /// Bytes of a source.
    pub bytes: SourceLimits,
    /// TCP connections that a source opens.
    pub connections: SourceLimits,
    /// Packets of an IPv6 /56, and of a /48.
    pub sites: [Watched; 2],
    /// Packets of a source to some ports; at most [`PORT_GROUPS`].
    pub ports: Vec<PortLimit>,
    /// Trusted networks with limits of their own; at most [`LIMITED_NETWORKS`].
    pub networks: Vec<NetworkLimits>,
    /// Packets to one network.
    pub destinations: Watched,
}

/// The limits of one trusted network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetworkLimits {
    /// Which.
    pub name: NetworkName,
    /// Packets of a source in it.
    pub packets: Limit,
    /// Bytes of a source in it.
    pub bytes: Limit,
    /// TCP connections that a source in it opens.
    pub connections: Limit,
    /// Whether what is over a limit is dropped or only counted.
    pub mode: Mode,
}

/// Trusted networks that can have limits of their own.
pub const LIMITED_NETWORKS: usize = 11;

/// A pair of limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceLimits {
    /// For sources in a trusted network.
    pub trusted: Limit,
    /// For all others.
    pub untrusted: Limit,
    /// Whether what is over the limit is dropped or only counted.
    pub mode: Mode,
}

/// A limit that is enforced or only watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watched {
    /// The limit.
    pub limit: Limit,
    /// Whether what is over the limit is dropped or only counted.
    pub mode: Mode,
}

/// The limit of some ports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortLimit {
    /// The ports.
    pub ports: PortRange,
    /// What they are ports of.
    pub protocol: Transport,
    /// The limit.
    pub limit: Watched,
}

/// The least burst of packets: the clock that packets are timed with moves in steps of up to
/// 10 ms.
const LEAST_BURST: Period = Period::from_millis(20);

const PENALTY: (Period, Period) = (Period::from_secs(1), Period::from_secs(3_600));

impl PacketLimits {
    pub(super) fn check(raw: raw::PacketLimits, networks: &Networks, cx: &Context<'_>) -> Self {
        let (trusted, untrusted) = limits(
            raw.trusted,
            raw.untrusted,
            Limit::Rate(Rate::per_second::<200_000>()),
            Limit::Rate(Rate::per_second::<5000>()),
            cx,
        );
        let mode = setting(raw.mode, Mode::Enforce);
        let sites = raw.sites.and_then(At::take).unwrap_or_default();
        let destinations = raw.destinations.and_then(At::take).unwrap_or_default();
        let site_mode = setting(sites.mode, mode);
        let site = |limit| Watched {
            limit: setting(limit, Limit::Unlimited),
            mode: site_mode,
        };
        let packets = SourceLimits {
            trusted,
            untrusted,
            mode,
        };
        let bytes = SourceLimits::check(raw.bytes, mode, cx);
        let connections = SourceLimits::check(raw.connections, mode, cx);
        let own = raw.networks.and_then(At::take).unwrap_or_default();
        Self {
            networks: own_limits(own, networks, [packets, bytes, connections], cx),
            packets,
            burst: cx.period(
                raw.burst,
                Period::from_secs(2),
                (LEAST_BURST, Period::from_secs(60)),
            ),
            penalty: raw
                .penalty
                .map(|raw| cx.period(Some(raw), PENALTY.0, PENALTY)),
            bytes,
            connections,
            sites: [site(sites.prefix_56), site(sites.prefix_48)],
            ports: ports(raw.ports.0, mode, cx),
            destinations: Watched {
                limit: setting(destinations.limit, Limit::Unlimited),
                mode: setting(destinations.mode, mode),
            },
        }
    }
}

impl SourceLimits {
    fn check(raw: Option<At<raw::SourceLimits>>, mode: Mode, cx: &Context<'_>) -> Self {
        let raw = raw.and_then(At::take).unwrap_or_default();
        let none = Limit::Unlimited;
        let (trusted, untrusted) = limits(raw.trusted, raw.untrusted, none, none, cx);
        Self {
            trusted,
            untrusted,
            mode: setting(raw.mode, mode),
        }
    }
}

/// The limits of single networks; what they do not say is as `all` have it: packets, bytes and
/// connections.
fn own_limits(
    raw: Entries<raw::NetworkLimits>,
    networks: &Networks,
    [packets, bytes, connections]: [SourceLimits; 3],
    cx: &Context<'_>,
) -> Vec<NetworkLimits> {
    let mut own = Vec::new();
    for (key, raw) in raw.0 {
        let (Some(name), Some(raw)) = (network_name(&key, cx), raw.take()) else {
            continue;
        };
        if !networks.trusted.iter().any(|(known, _)| *known == name) {
            let message = format!("found {name}, expected the name of a trusted network");
            cx.report.fault(key.place(), message);
            continue;
        }
        if own.len() == LIMITED_NETWORKS {
            let message = format!("found more than {LIMITED_NETWORKS} networks with limits");
            cx.report.fault(key.place(), message);
            break;
        }
        own.push(NetworkLimits {
            name,
            packets: setting(raw.packets, packets.trusted),
            bytes: setting(raw.bytes, bytes.trusted),
            connections: setting(raw.connections, connections.trusted),
            mode: setting(raw.mode, packets.mode),
        });
    }
    own
}

fn ports(raw: Vec<At<raw::PortLimit>>, mode: Mode, cx: &Context<'_>) -> Vec<PortLimit> {
    let mut groups: Vec<PortLimit> = Vec::new();
    for raw in raw {
        let place = raw.place();
        let Some(raw) = raw.take() else {
            continue;
        };
        let ports = raw.ports.take();
        let (Some(ports), Some(protocol), Some(limit)) =
            (ports, raw.protocol.take(), raw.limit.take())
        else {
            continue;
        };
        if groups.len() == PORT_GROUPS {
            let message = format!("found more than {PORT_GROUPS} groups of ports with a limit");
            cx.report.fault(place, message);
            break;
        }
        groups.push(PortLimit {
            ports,
            protocol,
            limit: Watched {
                limit,
                mode: setting(raw.mode, mode),
            },
        });
    }
    groups
}
