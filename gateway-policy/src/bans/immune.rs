//! Who is never banned.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::client::ClientKey;
use crate::grammar::{NetworkName, Prefix};
use crate::prefix_map::PrefixMap;

/// Why an address is never banned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImmuneReason {
    /// The operator put it on the safelist.
    Safelist,
    /// It is in a trusted network.
    TrustedNetwork(NetworkName),
    /// It is this host.
    Loopback,
    /// It is an IPv6 link-local address: its /64 is the whole link with the router on it, and a
    /// denied source may not even do neighbour discovery.
    LinkLocal,
    /// An upstream answers there.
    Upstream,
    /// A trusted proxy, which speaks for many clients.
    TrustedProxy,
    /// The operator's way in.
    Management,
}

impl ImmuneReason {
    /// The stable name for logs and metrics.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Safelist => "safelist",
            Self::TrustedNetwork(_) => "trusted-network",
            Self::Loopback => "loopback",
            Self::LinkLocal => "link-local",
            Self::Upstream => "upstream",
            Self::TrustedProxy => "trusted-proxy",
            Self::Management => "management",
        }
    }
}

impl fmt::Display for ImmuneReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Safelist => f.write_str("the safelist holds it"),
            Self::TrustedNetwork(name) => write!(f, "it is in the trusted network {name}"),
            Self::Loopback => f.write_str("it is this host"),
            Self::LinkLocal => f.write_str("it is the local link"),
            Self::Upstream => f.write_str("an upstream is there"),
            Self::TrustedProxy => f.write_str("a trusted proxy is there"),
            Self::Management => f.write_str("the management address is there"),
        }
    }
}

/// The prefixes that no ban may touch. A new one holds loopback and the IPv6 local link.
#[derive(Clone, Debug)]
pub struct Immune {
    prefixes: PrefixMap<ImmuneReason>,
}

impl Default for Immune {
    fn default() -> Self {
        let mut immune = Self {
            prefixes: PrefixMap::default(),
        };
        immune.add(Prefix::v4::<8>(Ipv4Addr::LOCALHOST), ImmuneReason::Loopback);
        immune.add(
            Prefix::host(IpAddr::V6(Ipv6Addr::LOCALHOST)),
            ImmuneReason::Loopback,
        );
        let link = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0);
        immune.add(Prefix::v6::<10>(link), ImmuneReason::LinkLocal);
        immune
    }
}

impl Immune {
    /// Adds a prefix. Where one is added twice the first reason stays; it is immune either way.
    pub fn add(&mut self, prefix: Prefix, reason: ImmuneReason) {
        let _ = self.prefixes.insert(prefix, reason);
    }

    /// Why a ban of the client at `addr` is not allowed. For IPv6 the ban would be of the /64, so
    /// one immune host anywhere in it is enough.
    #[must_use]
    pub fn reason(&self, addr: IpAddr) -> Option<ImmuneReason> {
        self.overlap(ClientKey::from(addr).prefix())
    }

    /// Why `prefix` may not be denied: the reason of an immune address that it covers.
    #[must_use]
    pub fn overlap(&self, prefix: Prefix) -> Option<ImmuneReason> {
        self.prefixes
            .overlapping(prefix)
            .map(|(_, reason)| reason.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(immune: &Immune, addr: &str) -> Option<&'static str> {
        immune.reason(addr.parse().unwrap()).map(|r| r.name())
    }

    #[test]
    fn this_host_and_the_link_are_immune_from_the_start() {
        let immune = Immune::default();
        assert_eq!(reason(&immune, "127.0.0.53"), Some("loopback"));
        assert_eq!(reason(&immune, "::ffff:127.0.0.1"), Some("loopback"));
        assert_eq!(reason(&immune, "::1"), Some("loopback"));
        assert_eq!(reason(&immune, "fe80::1234"), Some("link-local"));
        assert_eq!(reason(&immune, "192.0.2.1"), None);
        assert_eq!(reason(&immune, "2001:db8::1"), None);
    }

    #[test]
    fn a_neighbour_in_the_64_of_an_immune_host_is_spared() {
        let mut immune = Immune::default();
        immune.add("2001:db8::1".parse().unwrap(), ImmuneReason::Upstream);
        immune.add("192.0.2.1".parse().unwrap(), ImmuneReason::Upstream);
        assert_eq!(reason(&immune, "2001:db8::bad"), Some("upstream"));
        assert_eq!(reason(&immune, "2001:db8:0:1::bad"), None);
        assert_eq!(reason(&immune, "192.0.2.2"), None);
    }

    #[test]
    fn the_closest_reason_is_told() {
        let mut immune = Immune::default();
        let lan = ImmuneReason::TrustedNetwork("lan".parse().unwrap());
        immune.add("10.0.0.0/8".parse().unwrap(), lan.clone());
        immune.add("10.0.0.1".parse().unwrap(), ImmuneReason::Management);
        immune.add("10.0.0.1".parse().unwrap(), ImmuneReason::Safelist);
        assert_eq!(reason(&immune, "10.0.0.1"), Some("management"));
        assert_eq!(reason(&immune, "10.0.0.2"), Some("trusted-network"));
        assert_eq!(lan.to_string(), "it is in the trusted network lan");
        assert_eq!(
            immune
                .overlap("0.0.0.0/0".parse().unwrap())
                .map(|r| r.name()),
            Some("trusted-network")
        );
    }
}
