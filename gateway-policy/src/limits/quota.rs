//! The arithmetic of one client's limit.

use std::fmt;
use std::num::NonZeroU32;

use gateway_common::time::Nanos;

use crate::grammar::{Period, Rate};

/// How much a client may ask: a steady rate, and how many requests it may make at once after a
/// pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    rate: Rate,
    burst: NonZeroU32,
    interval: Nanos,
    depth: Nanos,
}

impl Quota {
    /// A quota of `rate` with `burst` requests at once.
    #[must_use]
    pub fn new(rate: Rate, burst: NonZeroU32) -> Self {
        let interval = rate.interval();
        let depth = Nanos(interval.0.saturating_mul(u64::from(burst.get())));
        Self {
            rate,
            burst,
            interval,
            depth,
        }
    }

    /// A quota of `rate` that may be used up at once: what `100/minute` means to most people.
    #[must_use]
    pub fn from_rate(rate: Rate) -> Self {
        let burst = NonZeroU32::try_from(rate.count()).unwrap_or(NonZeroU32::MAX);
        Self::new(rate, burst)
    }

    /// The steady rate.
    #[must_use]
    pub fn rate(&self) -> Rate {
        self.rate
    }

    /// The most requests at once.
    #[must_use]
    pub fn burst(&self) -> u32 {
        self.burst.get()
    }

    /// How long an idle client takes from nothing left to a whole burst; with the burst it is the
    /// pair that `RateLimit-Policy` wants.
    #[must_use]
    pub fn window(&self) -> Nanos {
        self.depth
    }

    /// This quota `times` over, for something that many share.
    pub(super) fn times(&self, times: NonZeroU32) -> Self {
        let burst = self.burst.saturating_mul(times);
        let interval = Nanos((self.interval.0 / u64::from(times.get())).max(1));
        let depth = Nanos(interval.0.saturating_mul(u64::from(burst.get())));
        Self {
            rate: self.rate,
            burst,
            interval,
            depth,
        }
    }
}

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {} at once", self.rate, self.burst)
    }
}

/// Whether a request is within its client's limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is.
    Allowed {
        /// How many more would be at this instant.
        remaining: u32,
        /// How long until a whole burst is there again.
        reset_after: Nanos,
    },
    /// It is not, and did not count.
    Limited {
        /// The limit that the client has.
        quota: Quota,
        /// How long until one request would be; never zero.
        retry_after: Nanos,
        /// How long until a whole burst is there again.
        reset_after: Nanos,
        /// Whether the client, for want of room, shared its budget with other newcomers.
        shared: bool,
    },
}

impl Verdict {
    /// Whether the request may go on.
    #[must_use]
    pub const fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed { .. })
    }

    /// The stable name for logs and metrics.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Allowed { .. } => "allowed",
            Self::Limited { shared: false, .. } => "rate-limited",
            Self::Limited { shared: true, .. } => "rate-limited-shared",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allowed { remaining, .. } => write!(f, "{remaining} more requests may follow"),
            Self::Limited {
                quota,
                retry_after,
                shared,
                ..
            } => {
                let wait = Period::from_nanos(Nanos::from_secs(ceil_secs(*retry_after)));
                write!(f, "over the limit of {quota}; try again in {wait}")?;
                f.write_str(if *shared {
                    " (too many new clients at once)"
                } else {
                    ""
                })
            }
        }
    }
}

/// A span in whole seconds, rounded up: what `Retry-After` and `RateLimit` headers take.
#[must_use]
pub const fn ceil_secs(span: Nanos) -> u64 {
    span.0.div_ceil(1_000_000_000)
}

/// The memory of one client: the instant at which it would have a whole burst again (the
/// theoretical arrival time of GCRA, for a limit that counts the first request as well).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cell {
    full_at: Nanos,
}

impl Cell {
    /// Whether nothing is to be remembered any more.
    pub(super) fn is_replenished(self, now: Nanos) -> bool {
        self.full_at <= now
    }

    /// Asks for one request.
    pub(super) fn check(&mut self, quota: &Quota, now: Nanos, shared: bool) -> Verdict {
        let start = self.full_at.max(now);
        let full_at = start.saturating_add(quota.interval);
        let used = full_at.since(now);
        if used > quota.depth {
            let retry_after = used.since(quota.depth);
            let reset_after = start.since(now);
            return Verdict::Limited {
                quota: *quota,
                retry_after,
                reset_after,
                shared,
            };
        }
        self.full_at = full_at;
        let remaining = quota.depth.since(used).0 / quota.interval.0.max(1);
        let remaining = u32::try_from(remaining).unwrap_or(u32::MAX);
        Verdict::Allowed {
            remaining,
            reset_after: used,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn quota(rate: &str, burst: u32) -> Quota {
        Quota::new(rate.parse().unwrap(), NonZeroU32::new(burst).unwrap())
    }

    #[test]
    fn a_burst_then_the_steady_rate() {
        let quota = quota("10/minute", 3);
        let mut cell = Cell::default();
        let at = |s: u64| Nanos::from_secs(1000 + s);
        for (remaining, reset) in [(2, 6), (1, 12), (0, 18)] {
            let reset_after = Nanos::from_secs(reset);
            assert_eq!(
                cell.check(&quota, at(0), false),
                Verdict::Allowed {
                    remaining,
                    reset_after
                }
            );
        }
        let limited = |retry, reset| Verdict::Limited {
            quota,
            retry_after: Nanos::from_secs(retry),
            reset_after: Nanos::from_secs(reset),
            shared: false,
        };
        assert_eq!(cell.check(&quota, at(0), false), limited(6, 18));
        assert_eq!(cell.check(&quota, at(5), false), limited(1, 13));
        assert!(cell.check(&quota, at(6), false).is_allowed());
        assert!(!cell.check(&quota, at(6), false).is_allowed());
        assert!(!cell.is_replenished(at(23)));
        assert!(cell.is_replenished(at(24)));
    }

    #[test]
    fn a_plain_rate_may_be_used_up_at_once() {
        let quota = Quota::from_rate("100/minute".parse().unwrap());
        assert_eq!((quota.burst(), quota.window()), (100, Nanos::from_secs(60)));
        let mut cell = Cell::default();
        let allowed = (0..500)
            .filter(|_| cell.check(&quota, Nanos::ZERO, false).is_allowed())
            .count();
        assert_eq!(allowed, 100);
    }

    #[test]
    fn verdicts_have_names_and_sentences() {
        let quota = quota("10/minute", 1);
        let mut cell = Cell::default();
        assert_eq!(
            cell.check(&quota, Nanos::ZERO, true).to_string(),
            "0 more requests may follow"
        );
        let limited = cell.check(&quota, Nanos(1), true);
        assert_eq!(limited.name(), "rate-limited-shared");
        assert_eq!(
            limited.to_string(),
            "over the limit of 10/minute, 1 at once; try again in 6s (too many new clients at once)"
        );
        assert_eq!(ceil_secs(Nanos(1)), 1);
        assert_eq!(ceil_secs(Nanos::from_secs(6)), 6);
    }

    #[test]
    fn the_end_of_the_clock_is_no_trap() {
        let quota = quota("1/day", u32::MAX);
        let mut cell = Cell::default();
        for now in [Nanos::ZERO, Nanos(u64::MAX - 1), Nanos::MAX] {
            let _ = cell.check(&quota, now, false);
        }
        let _ = quota.times(NonZeroU32::MAX);
    }

    proptest! {
        /// A bucket of credit in nanoseconds, one interval a request, is the same thing.
        #[test]
        fn agrees_with_a_token_bucket(
            count in 1u64..50, per in 50u64..100_000, burst in 1u32..20,
            steps in prop::collection::vec(0u64..10_000, 1..200),
        ) {
            let quota = quota(&format!("{count}/{per}ns"), burst);
            let cost = per / count;
            let most = cost * u64::from(burst);
            let (mut cell, mut credit, mut now) = (Cell::default(), most, 0u64);
            for step in steps {
                now += step;
                credit = most.min(credit + step);
                match cell.check(&quota, Nanos(now), false) {
                    Verdict::Allowed { remaining, reset_after } => {
                        prop_assert!(credit >= cost);
                        credit -= cost;
                        prop_assert_eq!(u64::from(remaining), credit / cost);
                        prop_assert_eq!(reset_after, Nanos(most - credit));
                    }
                    Verdict::Limited { retry_after, reset_after, .. } => {
                        prop_assert!(credit < cost);
                        prop_assert_eq!(retry_after, Nanos(cost - credit));
                        prop_assert_eq!(reset_after, Nanos(most - credit));
                    }
                }
            }
        }

        #[test]
        fn who_waits_as_told_is_let_in(burst in 1u32..20, now in 0u64..1 << 60) {
            let quota = quota("7/s", burst);
            let mut cell = Cell::default();
            let mut now = Nanos(now);
            for _ in 0..100 {
                if let Verdict::Limited { retry_after, .. } = cell.check(&quota, now, false) {
                    prop_assert!(retry_after > Nanos::ZERO);
                    let just_before = Nanos(now.0 + retry_after.0 - 1);
                    prop_assert!(!cell.clone().check(&quota, just_before, false).is_allowed());
                    now = now.saturating_add(retry_after);
                    prop_assert!(cell.check(&quota, now, false).is_allowed());
                }
            }
        }
    }
}
