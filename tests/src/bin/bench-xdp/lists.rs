//! Lists of many lengths, as operators' lists are: mostly hosts and /24s.

use std::{collections::HashSet, net::Ipv4Addr};

use anyhow::Result;
use gateway_policy::grammar::Prefix;

use gateway_tests::bench::sources::Sources;

/// Prefix lengths of the deny list and their share in thousandths.
const DENY_MIX: [(u8, u32); 13] = [
    (32, 620),
    (31, 5),
    (30, 10),
    (29, 15),
    (28, 15),
    (27, 10),
    (26, 10),
    (25, 10),
    (24, 250),
    (23, 15),
    (22, 25),
    (21, 8),
    (20, 7),
];

/// Prefixes too wide to miss the clean sources, in a region that has none: 199.0.0.0/8 and up.
const WIDE: [([u8; 4], u8); 6] = [
    ([223, 0, 0, 0], 8),
    ([199, 0, 0, 0], 12),
    ([200, 16, 0, 0], 16),
    ([201, 32, 0, 0], 17),
    ([202, 48, 0, 0], 18),
    ([203, 64, 0, 0], 19),
];

/// The same for the safelist.
const ALLOW_MIX: [(u8, u32); 3] = [(32, 800), (28, 50), (24, 150)];

/// Draws prefixes that cover none of the sources a case relies on.
pub(crate) struct Draw {
    state: u64,
    /// Addresses that nothing drawn may cover, sorted.
    kept_free: Vec<u32>,
    drawn: HashSet<Prefix>,
}

impl Draw {
    /// A fixed sequence: two runs measure the same lists.
    pub(crate) fn new() -> Self {
        let mut kept_free: Vec<u32> = Sources::CLEAN.addresses().map(u32::from).collect();
        kept_free.sort_unstable();
        Self {
            state: 0x6a09_e667_f3bc_c908,
            kept_free,
            drawn: HashSet::new(),
        }
    }

    /// `count` prefixes for the deny list.
    pub(crate) fn deny(&mut self, count: usize) -> Result<Vec<Prefix>> {
        let wide = WIDE
            .iter()
            .map(|(address, length)| Prefix::holding(Ipv4Addr::from(*address).into(), *length));
        let mut prefixes = wide.take(count).collect::<Result<Vec<_>, _>>()?;
        self.fill(&mut prefixes, count, &DENY_MIX)?;
        Ok(prefixes)
    }

    /// `count` prefixes for the safelist; none of them lies on the deny list too.
    pub(crate) fn allow(&mut self, count: usize) -> Result<Vec<Prefix>> {
        let denied = Sources::DENIED_EXACT.addresses().map(u32::from);
        self.kept_free.extend(denied);
        self.kept_free.sort_unstable();
        let mut prefixes = Vec::new();
        self.fill(&mut prefixes, count, &ALLOW_MIX)?;
        Ok(prefixes)
    }

    fn fill(&mut self, into: &mut Vec<Prefix>, count: usize, mix: &[(u8, u32)]) -> Result<()> {
        while into.len() < count {
            let random = self.next();
            let length = pick(mix, (random >> 32) as u32 % 1000);
            let address = random as u32;
            let Some(prefix) = self.usable(address, length)? else {
                continue;
            };
            if self.drawn.insert(prefix) {
                into.push(prefix);
            }
        }
        Ok(())
    }

    /// The prefix, unless it lies outside where public hosts live or covers an address to keep
    /// free.
    fn usable(&self, address: u32, length: u8) -> Result<Option<Prefix>> {
        let [network, ..] = address.to_be_bytes();
        if !(1..198).contains(&network) || network == 127 {
            return Ok(None);
        }
        let last = address | u32::MAX.checked_shr(length.into()).unwrap_or(0);
        let first = last & !u32::MAX.checked_shr(length.into()).unwrap_or(0);
        let next_free = self.kept_free.partition_point(|free| *free < first);
        if self
            .kept_free
            .get(next_free)
            .is_some_and(|free| *free <= last)
        {
            return Ok(None);
        }
        Ok(Some(Prefix::holding(
            Ipv4Addr::from(address).into(),
            length,
        )?))
    }

    /// SplitMix64.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = self.state;
        let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// The length whose share holds the `thousandth`.
fn pick(mix: &[(u8, u32)], thousandth: u32) -> u8 {
    let mut left = thousandth;
    for (length, share) in mix {
        if left < *share {
            return *length;
        }
        left -= share;
    }
    32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_add_up() {
        for mix in [&DENY_MIX[..], &ALLOW_MIX] {
            assert_eq!(mix.iter().map(|(_, share)| share).sum::<u32>(), 1000);
        }
    }

    #[test]
    fn covers_no_clean_source_and_repeats_nothing() {
        let denied = Draw::new().deny(20_000).unwrap();
        assert_eq!(denied.iter().collect::<HashSet<_>>().len(), 20_000);
        let lengths: HashSet<_> = denied.iter().map(|prefix| prefix.len()).collect();
        assert!(lengths.contains(&8) && lengths.contains(&32));
        let clean: Vec<_> = Sources::CLEAN.addresses().step_by(97).collect();
        for prefix in denied {
            assert!(!clean.iter().any(|a| prefix.contains((*a).into())));
        }
    }
}
