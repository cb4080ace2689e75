//! What rules in force have dropped, as far as it is counted by rule.

use std::collections::HashMap;

use aya::maps::{MapError, PerCpuValues};
use gateway_common::{
    hits::{BUCKETS, Bucket, bucket},
    rule::Rule,
    time::Nanos,
};

use super::{Datapath, error::DatapathError};

/// What a rule has dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleHits {
    /// The rule: a list entry, or a block that is denied as a whole.
    pub rule: Rule,
    /// Packets, at least.
    pub packets: u64,
    /// Since when they are counted, on the lists' clock.
    pub since: Nanos,
}

impl Datapath {
    /// What one rule has dropped, by its number; `None` when that is not known.
    ///
    /// # Errors
    ///
    /// When the kernel refuses the read.
    pub fn hits(&self, rule: u32) -> Result<Option<RuleHits>, DatapathError> {
        let cpus = self.bucket(bucket(self.settings.seed, rule))?;
        let mut sums = HashMap::new();
        sum(&mut sums, &cpus);
        Ok(sums.remove(&rule).and_then(|sum| told(rule, sum)))
    }

    /// What every rule has dropped of which that is known, in no order.
    ///
    /// # Errors
    ///
    /// When the kernel refuses the read.
    pub fn all_hits(&self) -> Result<Vec<RuleHits>, DatapathError> {
        let mut sums = HashMap::new();
        for index in 0..BUCKETS {
            sum(&mut sums, &self.bucket(index)?);
        }
        Ok(sums
            .into_iter()
            .filter_map(|(rule, sum)| told(rule, sum))
            .collect())
    }

    fn bucket(&self, index: u32) -> Result<PerCpuValues<Bucket>, DatapathError> {
        let read: Result<_, MapError> = self.maps.hits.get(&index, 0);
        read.map_err(DatapathError::kernel("reading the hits of rules"))
    }
}

/// Packets, and the seconds since which they are counted.
type Sum = (u64, u32);

fn sum(sums: &mut HashMap<u32, Sum>, cpus: &[Bucket]) {
    let counts = cpus.iter().flat_map(|Bucket(counts)| counts);
    for count in counts.filter(|count| count.packets > 0) {
        let (packets, since) = sums.entry(count.rule).or_insert((0, count.since));
        *packets = packets.saturating_add(count.packets);
        *since = count.since.min(*since);
    }
}

fn told(number: u32, (packets, since): Sum) -> Option<RuleHits> {
    let rule = Rule::of(number);
    match rule {
        Rule::Entry(_) | Rule::Block(_) => Some(RuleHits {
            rule,
            packets,
            since: Nanos::from_secs(since.into()),
        }),
        Rule::None | Rule::Limit(..) => None,
    }
}
