//! Interfaces, networks, and limits that hold for addresses.

use gateway_policy::grammar::{NetworkName, Prefix, Rate};
use gateway_policy::limits::Quota;
use gateway_policy::zones::Zones;

use super::{Context, setting};
use crate::config::raw;
use crate::config::tree::{At, Entries, OneOrMany};
use crate::config::values::{InterfaceName, Limit, XdpMode};

/// One interface of the packet filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its name.
    pub name: InterfaceName,
    /// How the filter is attached.
    pub mode: XdpMode,
}

pub(super) fn interfaces(raw: Vec<At<raw::Interface>>, cx: &Context<'_>) -> Vec<Interface> {
    let mut interfaces: Vec<Interface> = Vec::new();
    for raw in raw.into_iter().filter_map(At::take) {
        let place = raw.name.place();
        let Some(name) = raw.name.take() else {
            continue;
        };
        if interfaces.iter().any(|known| known.name == name) {
            cx.report
                .fault(place, format!("found the interface {name} again"));
        } else {
            interfaces.push(Interface {
                name,
                mode: setting(raw.mode, XdpMode::default()),
            });
        }
    }
    interfaces
}

/// Who is trusted, and who must always get through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Networks {
    /// The trusted networks, in the order of the file.
    pub trusted: Vec<(NetworkName, Vec<Prefix>)>,
    /// Proxies in front of the gateway.
    pub proxies: Vec<Prefix>,
    /// Where operators come from.
    pub management: Vec<Prefix>,
}

impl Networks {
    /// The trusted networks as a lookup by address.
    #[must_use]
    pub fn zones(&self) -> Zones {
        let mut zones = Zones::default();
        for (name, prefixes) in &self.trusted {
            for prefix in prefixes {
                // A prefix in two networks was refused by the check.
                let _ = zones.add(name, *prefix);
            }
        }
        zones
    }

    pub(super) fn check(
        trusted: Entries<OneOrMany<Prefix>>,
        proxies: Vec<At<Prefix>>,
        management: Vec<At<Prefix>>,
        cx: &Context<'_>,
    ) -> Self {
        let mut networks = Self {
            proxies: prefixes(proxies, "trusted proxies", cx),
            management: prefixes(management, "the management addresses", cx),
            ..Self::default()
        };
        let mut zones = Zones::default();
        for (key, raw) in trusted.0 {
            let Some(name) = network_name(&key, cx) else {
                continue;
            };
            let mut kept = Vec::new();
            for raw in raw.take().unwrap_or_default().0 {
                let place = raw.place();
                let Some(prefix) = raw.take() else {
                    continue;
                };
                warn_of_everything(prefix, &format!("the trusted network {name}"), place, cx);
                if cx.report.take(place, zones.add(&name, prefix)).is_some() {
                    kept.push(prefix);
                }
            }
            networks.trusted.push((name, kept));
        }
        networks
    }
}

pub(super) fn network_name(key: &At<String>, cx: &Context<'_>) -> Option<NetworkName> {
    cx.report.take(key.place(), key.get()?.parse())
}

fn prefixes(raw: Vec<At<Prefix>>, what: &str, cx: &Context<'_>) -> Vec<Prefix> {
    let mut prefixes = Vec::new();
    for raw in raw {
        let place = raw.place();
        if let Some(prefix) = raw.take() {
            warn_of_everything(prefix, what, place, cx);
            prefixes.push(prefix);
        }
    }
    prefixes
}

fn warn_of_everything(
    prefix: Prefix,
    what: &str,
    place: crate::config::report::Place,
    cx: &Context<'_>,
) {
    if prefix.is_everything() {
        let family = if prefix.is_ipv4() { "IPv4" } else { "IPv6" };
        let message = format!(
            "{prefix} puts every {family} address into {what}: none of them \
             can be banned"
        );
        cx.report.warning(place, message);
    }
}

/// Requests that one client may make; `None` is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimits {
    /// For clients in a trusted network.
    pub trusted: Option<Quota>,
    /// For all others.
    pub untrusted: Option<Quota>,
}

impl RateLimits {
    pub(super) fn check(raw: raw::RateLimits, cx: &Context<'_>) -> Self {
        let (trusted, untrusted) = limits(
            raw.trusted,
            raw.untrusted,
            Limit::Rate(Rate::per_minute::<6000>()),
            Limit::Rate(Rate::per_minute::<600>()),
            cx,
        );
        let burst = raw.burst.and_then(At::take);
        let quota = |limit: Limit| {
            limit.rate().map(|rate| match burst {
                Some(burst) => Quota::new(rate, burst),
                None => Quota::from_rate(rate),
            })
        };
        Self {
            trusted: quota(trusted),
            untrusted: quota(untrusted),
        }
    }
}

/// Both limits of a pair, with a warning when trust is worth less than none.
pub(super) fn limits(
    trusted: Option<At<Limit>>,
    untrusted: Option<At<Limit>>,
    default_trusted: Limit,
    default_untrusted: Limit,
    cx: &Context<'_>,
) -> (Limit, Limit) {
    let place = trusted.as_ref().or(untrusted.as_ref()).map(At::place);
    let trusted = setting(trusted, default_trusted);
    let untrusted = setting(untrusted, default_untrusted);
    if let Some(place) = place
        && trusted.is_below(untrusted)
    {
        let message = format!(
            "the limit for trusted networks, {trusted}, is below the one for all others, {untrusted}"
        );
        cx.report.warning(place, message);
    }
    (trusted, untrusted)
}
