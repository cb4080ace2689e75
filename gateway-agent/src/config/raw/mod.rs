//! The configuration as it is written: one struct per map, one field per key, nothing checked
//! but the grammar of single values.
//!
//! The comment of each field is what `docs/gateway.schema.json` says about the key. What is
//! beyond one value (names that must exist, files, values that go together) is for `sections`.

mod access;
mod answers;
mod attack;
mod feeds;
mod http;
mod identity;
mod network;
mod operation;
mod packets;
mod protection;

use serde::Deserialize;

#[cfg(test)]
pub(crate) use access::OpenApi;
pub(crate) use access::{Require, Role, Route, RouteMatch, RouteWaf, Upstream, Validate};
pub(crate) use answers::{Leaks, ResponseHeaders};
pub(crate) use attack::AttackMode;
pub(crate) use feeds::{Countries, Feed};
pub(crate) use http::{Certificate, HttpLimits, Listener, Tls};
pub(crate) use identity::{Identity, Jwt};
pub(crate) use network::{Interface, RateLimits};
pub(crate) use operation::{Admin, Log, Paths};
#[cfg(test)]
pub(crate) use packets::{DestinationLimit, SiteLimits};
pub(crate) use packets::{NetworkLimits, PacketLimits, PortLimit, SourceLimits, SynCookies};
pub(crate) use protection::{Ban, Bans, Keep, Waf};

use super::tree::{At, Entries, OneOrMany};
use gateway_policy::grammar::Prefix;

/// The whole configuration of one gateway.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub(crate) struct ConfigFile {
    /// The network interfaces that the packet filter is attached to. None: no packet filter.
    pub(crate) interfaces: OneOrMany<Interface>,
    /// Networks whose clients are trusted, by name: they get the `trusted` limits and are never
    /// banned.
    pub(crate) trusted_networks: Option<At<Entries<OneOrMany<Prefix>>>>,
    /// Proxies in front of this gateway: whom they say they speak for is believed
    /// (`X-Forwarded-For`), and they are never banned.
    pub(crate) trusted_proxies: OneOrMany<Prefix>,
    /// Where operators come from: always passed by the packet filter, never banned.
    pub(crate) management: OneOrMany<Prefix>,
    /// Lists that others keep, by name: they are read again and again, and what they say is on the
    /// deny list or the safelist.
    pub(crate) feeds: Option<At<Entries<Feed>>>,
    /// What becomes of sources by their country.
    pub(crate) countries: Option<At<Countries>>,
    /// Packets that one source may send, an IPv4 address or an IPv6 /64.
    pub(crate) packet_limits: Option<At<PacketLimits>>,
    /// When untrusted sources must have proven themselves to keep their packet rate.
    pub(crate) attack_mode: Option<At<AttackMode>>,
    /// What becomes of floods of connection attempts: those above a threshold are answered with
    /// SYN cookies by the packet filter, and only real clients come back.
    pub(crate) syn_cookies: Option<At<SynCookies>>,
    /// Requests that one client may make, an IPv4 address or an IPv6 /64.
    pub(crate) rate_limits: Option<At<RateLimits>>,
    /// Where requests are accepted. None: only the packet filter runs.
    pub(crate) listeners: OneOrMany<Listener>,
    /// Where `/metrics` and `/healthz` are served, without encryption or login.
    pub(crate) admin: Option<At<Admin>>,
    /// Whose tokens are accepted.
    pub(crate) identity: Option<At<Identity>>,
    /// What the holders of each role may do, by the role's name.
    pub(crate) roles: Option<At<Entries<Role>>>,
    /// Which requests go to which upstream, and what they need for it.
    pub(crate) routes: OneOrMany<Route>,
    /// Header fields that answers get and lose. A route may have its own.
    pub(crate) response_headers: Option<At<ResponseHeaders>>,
    /// What responses must not tell. A route may have its own.
    pub(crate) leaks: Option<At<Leaks>>,
    /// The servers behind the gateway, by name.
    pub(crate) upstreams: Option<At<Entries<Upstream>>>,
    /// The web application firewall.
    pub(crate) waf: Option<At<Waf>>,
    /// What clients are banned for, and for how long.
    pub(crate) bans: Option<At<Bans>>,
    /// Bounds on what one connection may take.
    pub(crate) limits: Option<At<HttpLimits>>,
    /// What is written about the gateway's work, and where.
    pub(crate) log: Option<At<Log>>,
    /// Where the gateway keeps its things.
    pub(crate) paths: Option<At<Paths>>,
}
