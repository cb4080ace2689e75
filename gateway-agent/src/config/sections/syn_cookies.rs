//! Answers to floods of connection attempts.

use std::collections::BTreeSet;

use gateway_policy::grammar::Rate;

use super::{Context, setting};
use crate::config::raw;
use crate::config::tree::At;
use crate::config::values::{CookieMode, CookieWhen, Limit, PortRange};

/// Ports that may be named.
const MOST_PORTS: usize = 64;

/// When SYNs are answered by the packet filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SynCookies {
    /// SYNs to one port of one address that the stack gets.
    pub threshold: Rate,
    /// The ports whose SYNs may be answered, at most 64; none stands for those of the listeners.
    pub ports: BTreeSet<u16>,
    /// Whether they are.
    pub mode: CookieMode,
    /// When everything is made ready for it.
    pub when: CookieWhen,
}

impl SynCookies {
    pub(super) fn check(raw: raw::SynCookies, cx: &Context<'_>) -> Self {
        Self {
            threshold: threshold(raw.threshold, cx),
            ports: ports(raw.ports.0, cx),
            mode: setting(raw.mode, CookieMode::default()),
            when: setting(raw.when, CookieWhen::default()),
        }
    }
}

/// The stack forgets within two minutes that it made cookies, and refuses them then: it must get
/// SYNs all the time.
fn threshold(raw: Option<At<Rate>>, cx: &Context<'_>) -> Rate {
    let least = Rate::per_second::<1>();
    let place = raw.as_ref().map(At::place);
    let threshold = setting(raw, Rate::per_second::<1000>());
    if let Some(place) = place
        && Limit::Rate(threshold).is_below(Limit::Rate(least))
    {
        let message = format!("found {threshold}, expected at least {least}");
        cx.report.fault(place, message);
    }
    threshold
}

fn ports(raw: Vec<At<PortRange>>, cx: &Context<'_>) -> BTreeSet<u16> {
    let mut ports = BTreeSet::new();
    for raw in raw {
        let place = raw.place();
        let Some(range) = raw.take() else {
            continue;
        };
        let (first, last) = range.ends();
        ports.extend(first..=last);
        if ports.len() > MOST_PORTS {
            let message = format!("found more than {MOST_PORTS} ports");
            cx.report.fault(place, message);
            return BTreeSet::new();
        }
    }
    ports
}
