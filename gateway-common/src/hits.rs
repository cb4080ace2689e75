//! How much each rule in force has dropped, in memory that a flood can neither grow nor take over.
//!
//! A hash map by rule would cost every dropped packet more than all else together. So a rule has
//! two places to go, beside each other in an array; and a rule that finds both taken by others
//! takes one from the count of each instead (Misra and Gries, "Finding repeated elements", 1982).
//! A place whose count is used up is free. So a count is never more than the truth, and short of
//! it by at most a third of what other rules and this one dropped in the same bucket: who drops
//! much cannot be displaced by many that drop little.

use crate::time::Nanos;

/// Buckets of one processor, a power of two; 128 KiB.
pub const BUCKETS: u32 = 1 << 12;

/// What one processor counted for one rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Count {
    /// The rule's number ([`crate::rule`]); 0 where nothing was counted.
    pub rule: u32,
    /// Since when it is counted here, in whole seconds of the lists' clock, rounded down.
    pub since: u32,
    /// Packets that it dropped since then, at least.
    pub packets: u64,
}

/// Counts of the rules that share a hash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Bucket(pub [Count; 2]);

const _: () = assert!(size_of::<Bucket>() == 32);

/// The bucket that a rule is counted in: the upper bits of a product with a secret (multiply-shift,
/// Dietzfelbinger et al. 1997), so that nobody outside can choose addresses whose blocks meet.
#[inline(always)]
#[must_use]
pub const fn bucket(seed: u64, rule: u32) -> u32 {
    ((rule as u64).wrapping_mul(seed | 1) >> (64 - BUCKETS.trailing_zeros())) as u32
}

impl Bucket {
    /// Counts a packet that `rule` has dropped. The clock is read only when the rule takes a place.
    #[inline(always)]
    pub fn add(&mut self, rule: u32, now: impl FnOnce() -> Nanos) {
        let [first, second] = &mut self.0;
        if first.rule == rule {
            first.packets += 1;
        } else if second.rule == rule {
            second.packets += 1;
        } else if first.packets == 0 {
            first.take(rule, now());
        } else if second.packets == 0 {
            second.take(rule, now());
        } else {
            first.packets -= 1;
            second.packets -= 1;
        }
    }
}

impl Count {
    #[inline(always)]
    fn take(&mut self, rule: u32, now: Nanos) {
        self.rule = rule;
        self.since = (now.0 / 1_000_000_000) as u32;
        self.packets = 1;
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;

    fn told(bucket: &Bucket, rule: u32) -> u64 {
        let Bucket(counts) = bucket;
        let of = counts.iter().filter(|count| count.rule == rule);
        of.map(|count| count.packets).sum()
    }

    /// Packets of these rules, in an order that a generator chooses.
    fn run(rules: u32, heavy: u32, packets: u32) {
        let mut bucket = Bucket::default();
        let mut truth = std::collections::BTreeMap::<u32, u64>::new();
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..packets {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            // Half of all packets are of the first few.
            let among = if state >> 63 == 0 { heavy } else { rules };
            let rule = 1 + (state >> 16) as u32 % among;
            *truth.entry(rule).or_default() += 1;
            bucket.add(rule, || Nanos(7_999_999_999));
            for (rule, truth) in &truth {
                assert!(told(&bucket, *rule) <= *truth);
            }
        }
        let all: u64 = truth.values().sum();
        for (rule, truth) in &truth {
            let missing = truth - told(&bucket, *rule);
            assert!(missing <= all / 3, "rule {rule}: {missing} of {all}");
        }
        let mut taken = bucket.0.iter().filter(|count| count.rule != 0);
        assert!(taken.all(|count| count.since == 7));
    }

    #[test]
    fn a_count_is_never_more_than_the_truth_nor_short_by_more_than_a_third() {
        for (rules, heavy) in [(1, 1), (2, 2), (3, 1), (3, 3), (50, 1), (50, 2), (1_000, 3)] {
            run(rules, heavy, 3_000);
        }
    }

    #[test]
    fn many_that_drop_little_displace_nobody() {
        let mut bucket = Bucket::default();
        for round in 0..1_000 {
            for _ in 0..3 {
                bucket.add(1, || Nanos::ZERO);
            }
            bucket.add(10 + round, || Nanos::ZERO);
        }
        assert!(told(&bucket, 1) >= 2_500, "{bucket:?}");
    }

    #[test]
    fn two_rules_beside_each_other_are_counted_to_the_packet() {
        let mut bucket = Bucket::default();
        for _ in 0..1_000 {
            bucket.add(1, || Nanos::ZERO);
            bucket.add(2, || Nanos::ZERO);
        }
        assert_eq!([told(&bucket, 1), told(&bucket, 2)], [1_000, 1_000]);
    }
}
