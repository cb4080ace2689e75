//! What the limiter admits, held against the plain model, which has a place for every source.
//!
//! The host's pipeline comes to the same figures at every run; the loaded program, which has the
//! machine's clock and processors, comes to others each time.

pub mod alone;
pub mod crowd;
pub mod flood;
pub mod loaded;

use gateway_common::{settings::Limit, time::Nanos};

use crate::model::Bucket;

/// The longest step of the kernel's coarse clock in the configurations that distributions ship:
/// 250 jiffies a second.
pub const JIFFY: Nanos = Nanos::from_millis(4);

/// Accounts that a source may find in its places at the most: its own in the small table, its own
/// in the large one, and the one that it shares when all places are busy. Each of them alone
/// keeps to the limit, so in any span nobody is admitted more than so many times its limit.
pub const ACCOUNTS: u32 = 3;

/// What the sources of one scenario were admitted.
#[derive(Clone, Debug)]
pub struct Measured {
    /// The scenario, for people.
    pub name: String,
    /// How many sources are looked at.
    pub sources: u32,
    /// Packets that they sent.
    pub offered: u64,
    /// Packets that the model admits.
    pub allowed: u64,
    /// Packets that the limiter admitted.
    pub admitted: u64,
    /// Packets that the model admits and the limiter did not, source by source.
    pub short: u64,
    /// How many times its limit the worst source was held to, in every span of the run: 1 where
    /// all kept to it.
    pub times: Option<u32>,
    /// What is promised.
    pub bound: Bound,
}

/// What is promised of a scenario.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bound {
    /// The most packets that are admitted in all.
    pub admitted: Option<u64>,
    /// The most times its limit that a source is held to.
    pub times: Option<u32>,
    /// The share of what is allowed that may be refused.
    pub short: Option<f64>,
}

impl Measured {
    /// Packets admitted for each that is allowed.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        self.admitted as f64 / self.allowed.max(1) as f64
    }

    /// The share of what is allowed that was refused.
    #[must_use]
    pub fn short_share(&self) -> f64 {
        self.short as f64 / self.allowed.max(1) as f64
    }

    /// Whether everything that is promised was kept.
    #[must_use]
    pub fn holds(&self) -> bool {
        let Bound {
            admitted,
            times,
            short,
        } = self.bound;
        admitted.is_none_or(|most| self.admitted <= most)
            && times.is_none_or(|most| self.times.is_some_and(|times| times <= most))
            && short.is_none_or(|most| self.short_share() <= most)
    }
}

/// What becomes of one source, and how far its admitted packets run ahead of the limit.
#[derive(Clone, Copy, Default)]
struct Source {
    model: Bucket,
    allowed: u32,
    admitted: u32,
    /// For each number of times the limit, when the account of all admitted packets is even.
    even: [u64; ACCOUNTS as usize],
    /// How many times the limit it has been held to.
    times: u32,
}

impl Source {
    /// Notes a packet at `now`, in ticks.
    fn note(&mut self, limit: &Limit, now: u64, admitted: bool) {
        let expected = self.model.admit(
            limit.interval.into(),
            limit.tolerance.into(),
            u128::from(now),
        );
        self.allowed += u32::from(expected);
        if !admitted {
            return;
        }
        self.admitted += 1;
        for (even, times) in self.even.iter_mut().zip(1_u64..) {
            // Ticks are cut into so many parts, in each of which one packet's interval is whole.
            let now = now * times;
            *even = now.max(*even) + limit.interval;
            if *even - now > times * (limit.tolerance + limit.interval) {
                self.times = self.times.max(times as u32);
            }
        }
    }
}

/// The sources of a scenario.
struct Tally {
    sources: Vec<Source>,
    offered: u64,
}

impl Tally {
    fn of(sources: u32) -> Self {
        Self {
            sources: vec![Source::default(); sources as usize],
            offered: 0,
        }
    }

    fn note(&mut self, source: u32, limit: &Limit, now: u64, admitted: bool) {
        self.offered += 1;
        self.sources[source as usize].note(limit, now, admitted);
    }

    fn measured(self, name: String, bound: Bound) -> Measured {
        let sum = |of: fn(&Source) -> u32| {
            self.sources
                .iter()
                .map(|source| u64::from(of(source)))
                .sum()
        };
        Measured {
            name,
            sources: self.sources.len() as u32,
            offered: self.offered,
            allowed: sum(|source| source.allowed),
            admitted: sum(|source| source.admitted),
            short: sum(|source| source.allowed.saturating_sub(source.admitted)),
            times: self.sources.iter().map(|source| source.times + 1).max(),
            bound,
        }
    }
}

#[cfg(test)]
mod tests {
    use gateway_common::lists::MODE_ENFORCE;

    use super::*;

    #[test]
    fn a_source_that_has_two_budgets_is_seen() {
        let limit = Limit {
            interval: 100,
            tolerance: 900,
            mode: MODE_ENFORCE.into(),
        };
        let at_once = |packets: u32| {
            let mut tally = Tally::of(1);
            for _ in 0..packets {
                tally.note(0, &limit, 5_000, true);
            }
            tally.measured(String::new(), Bound::default())
        };
        // Ten at once are the limit's burst and the packet that is due anyhow.
        for (packets, times) in [(10, 1), (11, 2), (20, 2), (21, 3), (30, 3), (31, 4)] {
            let measured = at_once(packets);
            assert_eq!(measured.times, Some(times), "{packets}");
            assert_eq!(measured.allowed, 10);
        }
        // At twice the rate over a long time, the second budget is used up as fast as the first.
        let mut tally = Tally::of(1);
        for n in 0..1_000 {
            tally.note(0, &limit, 5_000 + n * 50, true);
        }
        assert_eq!(
            tally.measured(String::new(), Bound::default()).times,
            Some(2)
        );
    }

    #[test]
    fn a_bound_that_is_broken_does_not_hold() {
        let measured = |admitted, times, short| Measured {
            name: String::new(),
            sources: 1,
            offered: 100,
            allowed: 10,
            admitted,
            short,
            times: Some(times),
            bound: Bound {
                admitted: Some(12),
                times: Some(2),
                short: Some(0.1),
            },
        };
        assert!(measured(12, 2, 1).holds());
        assert!(!measured(13, 2, 1).holds());
        assert!(!measured(12, 3, 1).holds());
        assert!(!measured(12, 2, 2).holds());
    }
}
