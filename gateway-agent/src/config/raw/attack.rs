//! When sources must have proven themselves.

use gateway_policy::bans::Mode;
use gateway_policy::grammar::Period;
use serde::Deserialize;

use crate::config::tree::At;
use crate::config::values::{AttackTrigger, Limit};

/// Attack mode: while it is on, untrusted sources keep their packet rate only if they are known
/// as good clients, which is who has lately been let through with a valid token over TLS.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(default)]
pub(crate) struct AttackMode {
    /// `auto` for when one of the two thresholds below is passed, `on`, or `off`. What an operator
    /// orders with `gateway attack` comes before it. Default: `auto`.
    pub(crate) trigger: Option<At<AttackTrigger>>,
    /// Packets dropped for a limit or a defect, on all interfaces, above which it begins: a rate,
    /// or `unlimited`. What denied sources send is not counted. Default: `50000/s`.
    pub(crate) dropped: Option<At<Limit>>,
    /// TCP connections that anybody opens, above which it begins: a rate, or `unlimited`.
    /// Default: `20000/s`.
    pub(crate) connections: Option<At<Limit>>,
    /// For how long both must have been below half of that before it ends. From `1s` to `1h`.
    /// Default: `1m`.
    pub(crate) hold: Option<At<Period>>,
    /// Packets that one source may send that is not known, an IPv4 address or an IPv6 /64.
    /// Default: a tenth of `packet_limits.untrusted`, or `500/s` where that is `unlimited`.
    pub(crate) unknown: Option<At<Limit>>,
    /// `enforce` or `shadow`, for that limit. Default: the `mode` of the packet limits.
    pub(crate) mode: Option<At<Mode>>,
    /// For how long a source is known after it was last let through. From `1m` to `90d`.
    /// Default: `24h`.
    pub(crate) known_for: Option<At<Period>>,
}
