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
    for (prefix, _) in upstreams(config) {
        immune.add(prefix, ImmuneReason::Upstream);
    }
    // Last, since the first reason stays: the management addresses are on the safelist as well.
    for prefix in safelist {
        immune.add(*prefix, ImmuneReason::Safelist);
    }
    immune
}

/// The addresses of the upstreams, each with what it is; those that have a name, at the addresses
/// it has now.
pub(super) fn upstreams(config: &Config) -> Vec<(Prefix, String)> {
    let mut all = Vec::new();
    for upstream in config.access.upstreams() {
        let what = || format!("the upstream {}", upstream.name);
        for target in &upstream.targets {
            match (target.ip(), target.host()) {
                (Some(address), _) => all.push((Prefix::host(address.to_canonical()), what())),
                (None, TargetHost::Name(name)) => all.extend(
                    resolve(name, target.port())
                        .into_iter()
                        .map(|prefix| (prefix, what())),
                ),
                (None, TargetHost::Ip(_)) => {}
            }
        }
    }
    all
}

fn resolve(name: &str, port: u16) -> Vec<Prefix> {
    match (name, port).to_socket_addrs() {
        Ok(addresses) => addresses
            .map(|address| Prefix::host(address.ip().to_canonical()))
            .collect(),
        Err(error) => {
            tracing::warn!(
                upstream = name,
                "its addresses are not known, so they could be banned: {error}"
            );
            Vec::new()
        }
    }
}
