//! Ever-changing sources, as the programs generate them.

use std::net::Ipv4Addr;

/// A set of sources that a program draws from at random.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sources {
    /// How many, as a power of two.
    pub bits: u32,
    /// By how many bits the number of a source is moved before it is spread: by 16, 2^16 sources
    /// fill 2^16 addresses.
    pub shift: u32,
    /// The first address, counted without 127.0.0.0/8.
    pub first: u32,
    /// The number of addresses they are spread over, counted likewise.
    pub span: u32,
}

/// Where public hosts live, but for 198.0.0.0 and up, which the benchmark keeps for itself:
/// 1.0.0.0 to 197.255.255.255 without 127.0.0.0/8.
const FIRST: u32 = 1 << 24;
const SPAN: u32 = 196 << 24;

impl Sources {
    /// 262,144 sources on no list.
    pub const CLEAN: Self = Self {
        bits: 18,
        shift: 0,
        first: FIRST,
        span: SPAN,
    };

    /// 65,536 sources, each of them denied by an entry of its own.
    pub const DENIED_EXACT: Self = Self {
        bits: 16,
        shift: 0,
        first: FIRST + 5_003,
        span: SPAN,
    };

    /// The hosts of 198.19.0.0/16, which is denied as a whole.
    pub const DENIED_PREFIX: Self = Self {
        bits: 16,
        shift: 16,
        // One /8 less than the address says: 127.0.0.0/8 is not counted.
        first: (197 << 24) + (19 << 16),
        span: 1 << 16,
    };

    /// The generator's state as the programs read it; each round draws another sequence.
    #[must_use]
    pub fn state(self, round: u32) -> [u64; 4] {
        [
            0x9e37_79b9_7f4a_7c15u64.wrapping_mul(2 * u64::from(round) + 1),
            ((1 << self.bits) - 1) << self.shift,
            self.first.into(),
            self.span.into(),
        ]
    }

    /// Every source, in no order. The programs compute the same from a random `n`; that they
    /// agree is seen by the counters, for otherwise verdicts would come out wrong.
    pub fn addresses(self) -> impl Iterator<Item = Ipv4Addr> {
        (0..1u32 << self.bits).map(move |n| {
            let spread = u64::from((n << self.shift).wrapping_mul(0x9e37_79b1));
            let counted = u64::from(self.first) + ((spread * u64::from(self.span)) >> 32);
            let loopback = if counted >= 127 << 24 { 1 << 24 } else { 0 };
            // Both sets end below 200.0.0.0.
            Ipv4Addr::from(u32::try_from(counted + loopback).unwrap_or(u32::MAX))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn clean_sources_are_distinct_public_and_not_the_denied_ones() {
        let clean: HashSet<_> = Sources::CLEAN.addresses().collect();
        assert_eq!(clean.len(), 1 << 18);
        assert!(clean.iter().all(|a| !a.is_loopback() && !a.is_multicast()));
        assert!(clean.iter().all(|a| (1..198).contains(&a.octets()[0])));
        let denied: HashSet<_> = Sources::DENIED_EXACT.addresses().collect();
        assert_eq!(denied.len(), 1 << 16);
        assert!(clean.is_disjoint(&denied));
    }

    #[test]
    fn a_denied_block_is_its_own() {
        let denied: HashSet<_> = Sources::DENIED_PREFIX.addresses().collect();
        assert_eq!(denied.len(), 1 << 16);
        for address in denied {
            assert_eq!(address.octets()[..2], [198, 19]);
        }
    }
}
