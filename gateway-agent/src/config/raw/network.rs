//! Interfaces and what is held against addresses.

use std::num::NonZeroU32;

use gateway_policy::bans::Mode;
use gateway_policy::grammar::Period;
use serde::Deserialize;

use crate::config::tree::At;
use crate::config::values::{InterfaceName, Limit, XdpMode};

/// One interface of the packet filter.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct Interface {
    /// The name of the interface, such as `eth0`.
    pub(crate) name: At<InterfaceName>,
    /// How the filter is attached: `native` in the driver, `generic` in the kernel's stack, `auto`
    /// native where the driver can. Default: `auto`.
    pub(crate) mode: Option<At<XdpMode>>,
}

/// Packets that one source may send.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub(crate) struct PacketLimits {
    /// For sources in a trusted network: a rate, or `unlimited`. Default: `200000/s`.
    pub(crate) trusted: Option<At<Limit>>,
    /// For all others: a rate, or `unlimited`. Default: `5000/s`.
    pub(crate) untrusted: Option<At<Limit>>,
    /// How long a source may send at twice its rate: it may run ahead of the rate by as many
    /// packets as the rate allows in this time. From `20ms` to `1m`. Default: `2s`.
    pub(crate) burst: Option<At<Period>>,
    /// `enforce`, or `shadow` to count what would be dropped. Default: `enforce`.
    pub(crate) mode: Option<At<Mode>>,
}

/// Requests that one client may make.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub(crate) struct RateLimits {
    /// For clients in a trusted network: a rate, or `unlimited`. Default: `6000/minute`.
    pub(crate) trusted: Option<At<Limit>>,
    /// For all others: a rate, or `unlimited`. Default: `600/minute`.
    pub(crate) untrusted: Option<At<Limit>>,
    /// Requests that may come at once before the rate holds. Default: as many as the rate counts,
    /// 600 for `600/minute`.
    pub(crate) burst: Option<At<NonZeroU32>>,
}
