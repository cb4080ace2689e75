//! Which trusted network an address belongs to.

use std::fmt;
use std::net::IpAddr;

use crate::grammar::{NetworkName, Prefix};
use crate::prefix_map::PrefixMap;

/// Where a client stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Zone {
    /// In the trusted network of that name.
    Trusted(NetworkName),
    /// Anywhere else.
    Untrusted,
}

impl Zone {
    /// `trusted` or `untrusted`: the key under which limits are configured.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Trusted(_) => "trusted",
            Self::Untrusted => "untrusted",
        }
    }

    /// Whether limits for trusted clients apply.
    #[must_use]
    pub fn is_trusted(&self) -> bool {
        matches!(self, Self::Trusted(_))
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trusted(network) => write!(f, "trusted network {network}"),
            Self::Untrusted => f.write_str("untrusted"),
        }
    }
}

/// The trusted networks; the longest prefix that holds an address decides.
#[derive(Clone, Debug, Default)]
pub struct Zones {
    networks: PrefixMap<NetworkName>,
}

/// A prefix that two networks claim.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("trusted network {second} lists {prefix}, which belongs to {first} already")]
pub struct ZoneConflict {
    /// The prefix.
    pub prefix: Prefix,
    /// The network that has it.
    pub first: NetworkName,
    /// The network that wants it too.
    pub second: NetworkName,
}

impl Zones {
    /// Adds one prefix of a trusted network. Prefixes inside one another are fine, also across
    /// networks; a prefix given twice to the same network changes nothing.
    ///
    /// # Errors
    /// When exactly this prefix belongs to another network.
    pub fn add(&mut self, network: &NetworkName, prefix: Prefix) -> Result<(), ZoneConflict> {
        match self.networks.get(prefix) {
            Some(first) if first != network => Err(ZoneConflict {
                prefix,
                first: first.clone(),
                second: network.clone(),
            }),
            Some(_) => Ok(()),
            None => {
                // Just seen to be free.
                let _ = self.networks.insert(prefix, network.clone());
                Ok(())
            }
        }
    }

    /// The zone of `addr`.
    #[must_use]
    pub fn zone(&self, addr: IpAddr) -> Zone {
        match self.networks.longest(addr) {
            Some((_, network)) => Zone::Trusted(network.clone()),
            None => Zone::Untrusted,
        }
    }

    /// All prefixes with their network, in listing order.
    pub fn iter(&self) -> impl Iterator<Item = (Prefix, &NetworkName)> {
        self.networks.iter()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::prefix_map::tests::{crowded_addr, crowded_prefix};

    fn network(text: &str) -> NetworkName {
        text.parse().unwrap()
    }

    #[test]
    fn the_longest_prefix_decides() {
        let mut zones = Zones::default();
        zones
            .add(&network("internal"), "10.0.0.0/8".parse().unwrap())
            .unwrap();
        zones
            .add(&network("lab"), "10.9.0.0/16".parse().unwrap())
            .unwrap();
        let zone = |addr: &str| zones.zone(addr.parse().unwrap()).to_string();
        assert_eq!(zone("10.1.2.3"), "trusted network internal");
        assert_eq!(zone("::ffff:10.9.2.3"), "trusted network lab");
        assert_eq!(zone("192.0.2.1"), "untrusted");
        assert_eq!(zone("2001:db8::1"), "untrusted");
    }

    #[test]
    fn one_prefix_in_two_networks_is_refused_with_both_names() {
        let mut zones = Zones::default();
        let prefix = "10.0.0.0/8".parse().unwrap();
        zones.add(&network("internal"), prefix).unwrap();
        zones.add(&network("internal"), prefix).unwrap();
        assert_eq!(
            zones
                .add(&network("partners"), prefix)
                .unwrap_err()
                .to_string(),
            "trusted network partners lists 10.0.0.0/8, which belongs to internal already"
        );
    }

    proptest! {
        #[test]
        fn agrees_with_a_plain_list(
            prefixes in prop::collection::vec((crowded_prefix(), 0u8..3), 0..24),
            addr in crowded_addr(),
        ) {
            let mut zones = Zones::default();
            let mut list: Vec<(Prefix, NetworkName)> = Vec::new();
            for (prefix, owner) in prefixes {
                let owner = network(&format!("n{owner}"));
                if zones.add(&owner, prefix).is_ok() {
                    list.push((prefix, owner));
                }
            }
            let longest = list.iter().filter(|(p, _)| p.contains(addr)).max_by_key(|(p, _)| p.len());
            let expected = longest.map_or(Zone::Untrusted, |(_, n)| Zone::Trusted(n.clone()));
            prop_assert_eq!(zones.zone(addr), expected);
        }
    }
}
