//! Whom no ban may touch.

use std::net::ToSocketAddrs;

use gateway_policy::{
    bans::{Immune, ImmuneReason},
    grammar::Prefix,
};

use crate::config::{Config, TargetHost};

/// Everybody that the configuration and the safelist put beyond bans; loopback and link-local
/// addresses are beyond them by themselves.
pub(super) fn of(config: &Config, safelist: &[Prefix]) -> Immune {
    let mut immune = Immune::default();
    for (name, prefixes) in &config.networks.trusted {
        for prefix in prefixes {
            immune.add(*prefix, ImmuneReason::TrustedNetwork(name.clone()));
        }
    }
    for prefix in &config.networks.proxies {
        immune.add(*prefix, ImmuneReason::TrustedProxy);
    }
    for prefix in &config.networks.management {
        immune.add(*prefix, ImmuneReason::Management);
    }
    for upstream in config.access.upstreams() {
        for target in &upstream.targets {
            match (target.ip(), target.host()) {
                (Some(address), _) => immune.add(address.into(), ImmuneReason::Upstream),
                (None, TargetHost::Name(name)) => resolve(&mut immune, name, target.port()),
                (None, TargetHost::Ip(_)) => {}
            }
        }
    }
    // Last, since the first reason stays: the management addresses are on the safelist as well.
    for prefix in safelist {
        immune.add(*prefix, ImmuneReason::Safelist);
    }
    immune
}

/// Upstreams that have a name are immune at the addresses it has now.
fn resolve(immune: &mut Immune, name: &str, port: u16) {
    match (name, port).to_socket_addrs() {
        Ok(addresses) => {
            for address in addresses {
                immune.add(address.ip().to_canonical().into(), ImmuneReason::Upstream);
            }
        }
        Err(error) => {
            tracing::warn!(
                upstream = name,
                "its addresses are not known, so they could be banned: {error}"
            );
        }
    }
}
