//! What the packet filter lets through of those on no list.

use gateway_policy::bans::Mode;
use gateway_policy::grammar::{Period, Rate};
use serde::Deserialize;

use crate::config::tree::{At, Entries, OneOrMany};
use crate::config::values::{CookieMode, CookieWhen, Limit, PortRange, Transport};

/// Packets that one source may send, an IPv4 address or an IPv6 /64.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub(crate) struct PacketLimits {
    /// For sources in a trusted network: a rate, or `unlimited`. Default: `200000/s`.
    pub(crate) trusted: Option<At<Limit>>,
    /// For all others: a rate, or `unlimited`. Default: `5000/s`.
    pub(crate) untrusted: Option<At<Limit>>,
    /// How long a source may send at twice its rate: it may run ahead of the rate by as many
    /// packets as the rate allows in this time. Holds for the limits below too. From `20ms` to
    /// `1m`. Default: `2s`.
    pub(crate) burst: Option<At<Period>>,
    /// `enforce`, or `shadow` to count what would be dropped. Default: `enforce`.
    pub(crate) mode: Option<At<Mode>>,
    /// How long the kernel shuts out an untrusted source once it exceeds `untrusted`; what it
    /// sends meanwhile does not prolong it. A sender of forged packets can do this to the address
    /// that it forges. From `1s` to `1h`. Default: not at all.
    pub(crate) penalty: Option<At<Period>>,
    /// Bytes that a source may send, whole frames: `10000000/s` is 10 MB a second.
    pub(crate) bytes: Option<At<SourceLimits>>,
    /// TCP connections that a source may open: packets with SYN and without ACK.
    pub(crate) connections: Option<At<SourceLimits>>,
    /// Packets from all untrusted sources of one IPv6 site.
    pub(crate) sites: Option<At<SiteLimits>>,
    /// Packets of one untrusted source to certain ports; at most eight groups of ports.
    pub(crate) ports: OneOrMany<PortLimit>,
    /// Sources in a trusted network that have limits of their own, by the network's name; at most
    /// eleven networks.
    pub(crate) networks: Option<At<Entries<NetworkLimits>>>,
    /// Packets from all untrusted sources to one network behind this host, an IPv4 /24 or an
    /// IPv6 /64: against floods that are spread over many addresses.
    pub(crate) destinations: Option<At<DestinationLimit>>,
}

/// What one source may do.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub(crate) struct SourceLimits {
    /// For sources in a trusted network: a rate, or `unlimited`. Default: `unlimited`.
    pub(crate) trusted: Option<At<Limit>>,
    /// For all others: a rate, or `unlimited`. Default: `unlimited`.
    pub(crate) untrusted: Option<At<Limit>>,
    /// `enforce` or `shadow`. Default: the `mode` of the packet limits.
    pub(crate) mode: Option<At<Mode>>,
}

/// What a source in one trusted network may do.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub(crate) struct NetworkLimits {
    /// Packets: a rate, or `unlimited`. Default: that of all trusted networks.
    pub(crate) packets: Option<At<Limit>>,
    /// Bytes, whole frames: a rate, or `unlimited`. Default: that of all trusted networks.
    pub(crate) bytes: Option<At<Limit>>,
    /// TCP connections that it opens: a rate, or `unlimited`. Default: that of all trusted
    /// networks.
    pub(crate) connections: Option<At<Limit>>,
    /// `enforce` or `shadow`, for all three. Default: the `mode` of the packet limits.
    pub(crate) mode: Option<At<Mode>>,
}

/// What the subnets of an IPv6 site may send together.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub(crate) struct SiteLimits {
    /// For a /56: a rate, or `unlimited`. Default: `unlimited`.
    pub(crate) prefix_56: Option<At<Limit>>,
    /// For a /48: a rate, or `unlimited`. Default: `unlimited`.
    pub(crate) prefix_48: Option<At<Limit>>,
    /// `enforce` or `shadow`. Default: the `mode` of the packet limits.
    pub(crate) mode: Option<At<Mode>>,
}

/// What one source may send to some ports.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct PortLimit {
    /// The ports: one, or a range such as `8000-8999`.
    pub(crate) ports: At<PortRange>,
    /// `tcp` or `udp`.
    pub(crate) protocol: At<Transport>,
    /// A rate for all of them together.
    pub(crate) limit: At<Limit>,
    /// `enforce` or `shadow`. Default: the `mode` of the packet limits.
    pub(crate) mode: Option<At<Mode>>,
}

/// What one network may receive.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub(crate) struct DestinationLimit {
    /// A rate, or `unlimited`. Default: `unlimited`.
    pub(crate) limit: Option<At<Limit>>,
    /// `enforce` or `shadow`. Default: the `mode` of the packet limits.
    pub(crate) mode: Option<At<Mode>>,
}

/// Answers to floods of connection attempts.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub(crate) struct SynCookies {
    /// SYNs to one port of one address that the kernel's stack gets; those above are answered by
    /// the packet filter. At least `1/s`. Default: `1000/s`.
    pub(crate) threshold: Option<At<Rate>>,
    /// The ports whose SYNs may be answered, at most 64. One that no listener has is taken to be
    /// open at every address of this host. Default: those of the listeners.
    pub(crate) ports: OneOrMany<PortRange>,
    /// `enforce`, `shadow` to count what would be answered, or `off`. Default: `enforce`.
    pub(crate) mode: Option<At<CookieMode>>,
    /// `flood`: the filter and the kernel's stack are made ready when more SYNs than the threshold
    /// come, to all ports together, and until there were less than half of it for a minute; or
    /// `always`. Default: `flood`.
    pub(crate) when: Option<At<CookieWhen>>,
}
