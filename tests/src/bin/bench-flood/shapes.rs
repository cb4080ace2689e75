//! The sources of the floods, and what the deny list has of them.

use std::net::Ipv4Addr;

use gateway_policy::grammar::Prefix;
use gateway_tests::bench::sources::Sources;

/// How 65,536 denied sources lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// They fill 256 blocks of /24, and the list has the blocks.
    Blocks,
    /// They fill the same blocks, and the list has each host.
    Hosts,
    /// No two of them are in one /24, and the list has each host.
    Scattered,
}

impl Shape {
    pub(crate) const ALL: [Self; 3] = [Self::Blocks, Self::Hosts, Self::Scattered];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Blocks => "blocks",
            Self::Hosts => "hosts",
            Self::Scattered => "scattered",
        }
    }

    /// The most that a packet of it may cost, as a multiple of what it costs to drop everything.
    pub(crate) const fn goal(self) -> f64 {
        match self {
            Self::Blocks => 1.5,
            Self::Hosts | Self::Scattered => 3.0,
        }
    }

    /// What is drawn from.
    pub(crate) const fn sources(self) -> Sources {
        match self {
            Self::Blocks | Self::Hosts => Sources::DENIED_PREFIX,
            Self::Scattered => Sources::DENIED_EXACT,
        }
    }

    /// What our deny list holds.
    pub(crate) fn prefixes(self) -> Vec<Prefix> {
        match self {
            Self::Blocks => self
                .hosts()
                .filter(|address| address.octets()[3] == 0)
                .map(Prefix::v4::<24>)
                .collect(),
            Self::Hosts | Self::Scattered => {
                self.hosts().map(|host| Prefix::host(host.into())).collect()
            }
        }
    }

    /// Every source, which is what others' lists hold.
    pub(crate) fn hosts(self) -> impl Iterator<Item = Ipv4Addr> {
        self.sources().addresses()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use gateway_lab::Host;

    use super::*;

    #[test]
    fn shapes_are_what_they_say() {
        for (shape, blocks) in [
            (Shape::Blocks, 256),
            (Shape::Hosts, 256),
            (Shape::Scattered, 65_536),
        ] {
            let hosts: HashSet<_> = shape.hosts().collect();
            assert_eq!(hosts.len(), 65_536);
            let lie_in: HashSet<_> = hosts
                .iter()
                .map(|host| host.octets()[..3].to_vec())
                .collect();
            assert_eq!(lie_in.len(), blocks, "{}", shape.name());
            let prefixes = shape.prefixes();
            for host in hosts.iter().step_by(997) {
                assert!(
                    prefixes
                        .iter()
                        .any(|prefix| prefix.contains((*host).into()))
                );
            }
            for host in Host::ALL {
                assert!(!hosts.contains(&host.ip4()), "{host} is denied");
            }
        }
    }
}
