//! The addresses that a flood claims to come from.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use anyhow::{Result, ensure};

/// The first address of [`crate::net::SPOOF4`].
const FIRST4: u32 = u32::from_be_bytes([198, 18, 0, 0]);
/// How many addresses [`crate::net::SPOOF4`] has.
const COUNT4: u32 = 1 << 17;
/// The first address of [`crate::net::SPOOF6`].
const FIRST6: u128 = 0x2001_0002 << 96;
/// How many /64 networks [`crate::net::SPOOF6`] has.
const COUNT6: u32 = 1 << 16;
/// An odd number, so that stepping by it visits every address of a power of two before the first
/// comes again, and neighbours in time are no neighbours in the range.
const STRIDE: u64 = 0x9E37_79B1;

/// Source addresses in a fixed, scattered order.
#[derive(Clone, Debug)]
pub struct Sources(Kind);

#[derive(Clone, Debug)]
enum Kind {
    One(IpAddr),
    Spread4 { count: u32 },
    Spread6 { count: u32 },
}

impl Sources {
    /// One address, whoever it belongs to.
    pub fn only(address: IpAddr) -> Self {
        Self(Kind::One(address))
    }

    /// `count` addresses of [`crate::net::SPOOF4`], from its first on.
    ///
    /// # Errors
    ///
    /// When `count` is zero or above 131072.
    pub fn spread4(count: u32) -> Result<Self> {
        ensure!(
            (1..=COUNT4).contains(&count),
            "there are 1 to {COUNT4} IPv4 sources to spoof"
        );
        Ok(Self(Kind::Spread4 { count }))
    }

    /// `count` addresses of [`crate::net::SPOOF6`], each in a /64 of its own, from the first on.
    ///
    /// # Errors
    ///
    /// When `count` is zero or above 65536.
    pub fn spread6(count: u32) -> Result<Self> {
        ensure!(
            (1..=COUNT6).contains(&count),
            "there are 1 to {COUNT6} IPv6 sources to spoof"
        );
        Ok(Self(Kind::Spread6 { count }))
    }

    /// How many different addresses there are.
    pub fn count(&self) -> u32 {
        match self.0 {
            Kind::One(_) => 1,
            Kind::Spread4 { count } | Kind::Spread6 { count } => count,
        }
    }

    /// The address of the packet number `turn`. Every `count` packets all have had their turn.
    pub fn nth(&self, turn: u64) -> IpAddr {
        match self.0 {
            Kind::One(address) => address,
            Kind::Spread4 { count } => Ipv4Addr::from(FIRST4 + scatter(turn, count)).into(),
            Kind::Spread6 { count } => {
                let network = u128::from(scatter(turn, count));
                Ipv6Addr::from(FIRST6 | network << 64 | 1).into()
            }
        }
    }
}

/// A number below `count`; any `count` turns in a row that start at a multiple of it differ.
fn scatter(turn: u64, count: u32) -> u32 {
    let turn = turn % u64::from(count);
    // For a power of two the odd stride is a permutation; elsewhere plain order is as good.
    let at = if count.is_power_of_two() {
        turn.wrapping_mul(STRIDE)
    } else {
        turn
    };
    u32::try_from(at % u64::from(count)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_source_has_its_turn_and_stays_in_the_range() {
        for count in [1, 1000, 4096, COUNT4] {
            let sources = Sources::spread4(count).unwrap();
            let seen: HashSet<_> = (0..u64::from(count)).map(|n| sources.nth(n)).collect();
            assert_eq!(seen.len(), count as usize);
            assert!(seen.iter().all(|ip| match ip {
                IpAddr::V4(ip) => ip.octets()[0] == 198 && ip.octets()[1] & 0xfe == 18,
                IpAddr::V6(_) => false,
            }));
        }
    }

    #[test]
    fn ipv6_sources_are_networks_of_their_own() {
        let sources = Sources::spread6(COUNT6).unwrap();
        let seen: HashSet<_> = (0..u64::from(COUNT6))
            .map(|n| match sources.nth(n) {
                IpAddr::V6(ip) => {
                    assert_eq!(ip.segments()[..3], [0x2001, 2, 0]);
                    u128::from(ip) >> 64
                }
                IpAddr::V4(ip) => panic!("{ip}"),
            })
            .collect();
        assert_eq!(seen.len(), COUNT6 as usize);
    }

    #[test]
    fn more_sources_than_there_are_is_refused() {
        assert!(Sources::spread4(0).is_err());
        assert!(Sources::spread4(COUNT4 + 1).is_err());
        assert!(Sources::spread6(COUNT6 + 1).is_err());
    }
}
