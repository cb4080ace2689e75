//! Answers to floods of connection attempts.

use std::collections::BTreeSet;

use gateway_policy::grammar::Rate;

use super::{Context, setting};
use crate::config::raw;
use crate::config::tree::At;
use crate::config::values::{CookieMode, PortRange};

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
}

impl SynCookies {
    pub(super) fn check(raw: raw::SynCookies, cx: &Context<'_>) -> Self {
        Self {
            threshold: setting(raw.threshold, Rate::per_second::<1000>()),
            ports: ports(raw.ports.0, cx),
            mode: setting(raw.mode, CookieMode::default()),
        }
    }
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
