//! The limits of many clients in a table of fixed size.

use std::collections::HashMap;
use std::num::NonZeroU32;

use gateway_common::time::Nanos;

use super::quota::{Cell, Quota, Verdict};
use crate::client::ClientKey;

/// How many places a newcomer looks at for one that is no longer needed.
const SWEEP: usize = 16;
/// The part of the table's clients whose quota all newcomers share when it is full.
const OVERFLOW_PART: usize = 64;

/// One limit, held against each client by itself.
///
/// A client takes a place in the table with its first request. When the table is full, a newcomer
/// gets the place of a client that has its whole burst again, of whom there is nothing to
/// remember; it looks at 16 places, going on where the last one stopped. Failing that, nobody
/// loses his place: the newcomers share one budget, 1/64 of what the whole table may ask. So no
/// flood of new addresses makes the limiter forget a busy client, the requests let through stay
/// bounded, and those who had to share are counted.
#[derive(Debug)]
pub struct RateLimiter {
    quota: Quota,
    capacity: usize,
    places: Vec<Place>,
    by_client: HashMap<ClientKey, usize>,
    hand: usize,
    overflow: Cell,
    overflow_quota: Quota,
    counters: Counters,
}

#[derive(Debug)]
struct Place {
    client: ClientKey,
    cell: Cell,
}

/// What became of newcomers; all but the first only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Clients in the table.
    pub clients: u64,
    /// Places taken over from clients that no longer needed them.
    pub reclaimed: u64,
    /// Requests judged by the shared budget, allowed or not.
    pub overflowed: u64,
}

impl RateLimiter {
    /// A limiter for `capacity` clients; each takes about 100 bytes once it has been seen.
    #[must_use]
    pub fn new(quota: Quota, capacity: usize) -> Self {
        Self {
            quota,
            capacity,
            places: Vec::new(),
            by_client: HashMap::new(),
            hand: 0,
            overflow: Cell::default(),
            overflow_quota: shared(quota, capacity),
            counters: Counters::default(),
        }
    }

    /// The limit that it holds.
    #[must_use]
    pub fn quota(&self) -> Quota {
        self.quota
    }

    /// Changes the limit. What clients have used so far keeps counting.
    pub fn set_quota(&mut self, quota: Quota) {
        self.quota = quota;
        self.overflow_quota = shared(quota, self.capacity);
    }

    /// Judges one request.
    pub fn check(&mut self, client: ClientKey, now: Nanos) -> Verdict {
        let place = self
            .by_client
            .get(&client)
            .copied()
            .or_else(|| self.admit(client, now));
        match place.and_then(|place| self.places.get_mut(place)) {
            Some(place) => place.cell.check(&self.quota, now, false),
            None => {
                self.counters.overflowed += 1;
                self.check_shared(now)
            }
        }
    }

    /// What became of newcomers.
    #[must_use]
    pub fn counters(&self) -> Counters {
        Counters {
            clients: self.places.len() as u64,
            ..self.counters
        }
    }

    /// Judges a newcomer's request by the shared budget, in terms of its own limit.
    fn check_shared(&mut self, now: Nanos) -> Verdict {
        match self.overflow.check(&self.overflow_quota, now, true) {
            Verdict::Allowed {
                remaining,
                reset_after,
            } => {
                let remaining = remaining.min(self.quota.burst() - 1);
                Verdict::Allowed {
                    remaining,
                    reset_after,
                }
            }
            Verdict::Limited {
                retry_after,
                reset_after,
                shared,
                ..
            } => Verdict::Limited {
                quota: self.quota,
                retry_after,
                reset_after,
                shared,
            },
        }
    }

    /// Finds a place for a newcomer.
    fn admit(&mut self, client: ClientKey, now: Nanos) -> Option<usize> {
        let newcomer = Place {
            client,
            cell: Cell::default(),
        };
        let at = if self.places.len() < self.capacity {
            self.places.push(newcomer);
            self.places.len() - 1
        } else {
            let at = self.reclaim(now)?;
            let place = self.places.get_mut(at)?;
            self.by_client.remove(&place.client);
            *place = newcomer;
            at
        };
        self.by_client.insert(client, at);
        Some(at)
    }

    /// The next place that nobody needs, if there is one among the next few.
    fn reclaim(&mut self, now: Nanos) -> Option<usize> {
        for _ in 0..SWEEP.min(self.places.len()) {
            let at = self.hand;
            self.hand = (self.hand + 1) % self.places.len();
            if self
                .places
                .get(at)
                .is_some_and(|place| place.cell.is_replenished(now))
            {
                self.counters.reclaimed += 1;
                return Some(at);
            }
        }
        None
    }
}

/// The budget that newcomers to a full table of `capacity` clients share.
fn shared(quota: Quota, capacity: usize) -> Quota {
    let clients = u32::try_from(capacity / OVERFLOW_PART).unwrap_or(u32::MAX);
    quota.times(NonZeroU32::new(clients).unwrap_or(NonZeroU32::MIN))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::net::{IpAddr, Ipv4Addr};

    use proptest::prelude::*;

    use super::*;

    fn client(n: u32) -> ClientKey {
        IpAddr::from(Ipv4Addr::from_bits(n)).into()
    }

    fn limiter(rate: &str, capacity: usize) -> RateLimiter {
        RateLimiter::new(Quota::from_rate(rate.parse().unwrap()), capacity)
    }

    #[test]
    fn each_client_has_its_own_limit() {
        let mut limiter = limiter("2/minute", 10);
        for n in 0..5 {
            let allowed = (0..4).filter(|_| limiter.check(client(n), Nanos(7)).is_allowed());
            assert_eq!(allowed.count(), 2);
        }
        assert_eq!(
            limiter.counters(),
            Counters {
                clients: 5,
                ..Counters::default()
            }
        );
    }

    #[test]
    fn a_flood_of_newcomers_makes_it_forget_nobody() {
        let mut limiter = limiter("2/minute", 128);
        for n in 0..128 {
            assert!(limiter.check(client(n), Nanos::ZERO).is_allowed());
            assert!(limiter.check(client(n), Nanos::ZERO).is_allowed());
        }
        // 128 places: newcomers share the quota of two clients.
        let allowed = (1000..11_000).filter(|n| limiter.check(client(*n), Nanos(1)).is_allowed());
        assert_eq!(allowed.count(), 4);
        for n in 0..128 {
            assert!(
                !limiter.check(client(n), Nanos(2)).is_allowed(),
                "{n} was forgotten"
            );
        }
        let counters = limiter.counters();
        assert_eq!(
            (counters.clients, counters.reclaimed, counters.overflowed),
            (128, 0, 10_000)
        );
    }

    #[test]
    fn the_places_of_the_idle_are_taken_over() {
        let mut limiter = limiter("2/minute", 128);
        for n in 0..128 {
            limiter.check(client(n), Nanos::ZERO);
        }
        // One of them goes on; the others are replenished half a minute later.
        let later = Nanos::from_secs(30);
        limiter.check(client(5), later);
        limiter.check(client(5), later);
        for n in 1000..1127 {
            let verdict = limiter.check(client(n), later);
            assert!(
                matches!(verdict, Verdict::Allowed { remaining: 1, .. }),
                "{n}: {verdict:?}"
            );
        }
        assert!(!limiter.check(client(5), later).is_allowed());
        let counters = limiter.counters();
        assert_eq!(
            (counters.clients, counters.reclaimed, counters.overflowed),
            (128, 127, 0)
        );
        limiter.check(client(2000), later);
        assert_eq!(limiter.counters().overflowed, 1);
    }

    #[test]
    fn without_room_everybody_shares() {
        let mut limiter = limiter("2/minute", 0);
        assert!(limiter.check(client(1), Nanos::ZERO).is_allowed());
        assert!(limiter.check(client(2), Nanos::ZERO).is_allowed());
        let limited = limiter.check(client(3), Nanos::ZERO);
        assert_eq!(limited.name(), "rate-limited-shared");
        assert!(
            limited.to_string().contains("limit of 2/minute, 2 at once"),
            "{limited}"
        );
    }

    #[test]
    fn a_share_of_the_common_budget_is_told_as_no_more_than_ones_own() {
        let mut limiter = limiter("2/minute", 1280);
        for n in 0..1280 {
            limiter.check(client(n), Nanos::ZERO);
        }
        // The newcomers have 40 requests together.
        let verdict = limiter.check(client(5000), Nanos::ZERO);
        assert!(
            matches!(verdict, Verdict::Allowed { remaining: 1, .. }),
            "{verdict:?}"
        );
        assert_eq!(limiter.counters().overflowed, 1);
    }

    #[test]
    fn another_limit_counts_what_was_used() {
        let mut limiter = limiter("2/minute", 8);
        limiter.check(client(1), Nanos::ZERO);
        limiter.check(client(1), Nanos::ZERO);
        limiter.set_quota(Quota::from_rate("1/minute".parse().unwrap()));
        assert!(!limiter.check(client(1), Nanos::ZERO).is_allowed());
        assert!(limiter.check(client(2), Nanos::ZERO).is_allowed());
        assert!(!limiter.check(client(2), Nanos::ZERO).is_allowed());
    }

    proptest! {
        /// Who is in the table is judged as if he were alone, whatever the others do.
        #[test]
        fn a_place_in_the_table_is_a_limiter_of_its_own(
            capacity in 0usize..6,
            steps in prop::collection::vec((0u32..12, 0u64..20), 1..300),
        ) {
            let mut limiter = limiter("3/30s", capacity);
            let quota = limiter.quota();
            let mut alone: HashMap<u32, Cell> = HashMap::new();
            let mut now = Nanos::ZERO;
            for (n, wait) in steps {
                now = now.saturating_add(Nanos::from_secs(wait));
                let before = limiter.counters().overflowed;
                let verdict = limiter.check(client(n), now);
                prop_assert!(limiter.counters().clients <= capacity as u64);
                if limiter.counters().overflowed == before {
                    let cell = alone.entry(n).or_default();
                    prop_assert_eq!(verdict, cell.check(&quota, now, false));
                } else {
                    let busy = alone.values().filter(|cell| !cell.is_replenished(now)).count();
                    prop_assert!(busy >= capacity, "there was room for {}", n);
                }
            }
        }
    }
}
