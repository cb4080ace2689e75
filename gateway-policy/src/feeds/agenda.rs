//! When each feed is asked for.

use std::collections::BTreeMap;

use gateway_common::time::Nanos;

use crate::grammar::{FeedName, Period};

/// How long after its first failure a feed is asked for again; each further failure doubles it,
/// up to the feed's own interval.
pub const FIRST_RETRY: Period = Period::from_secs(30);

/// The feeds, and when each is due. At most a few are under way at a time; the others wait for
/// their turn, the longest overdue first.
#[derive(Clone, Debug)]
pub struct Agenda {
    feeds: BTreeMap<FeedName, Turn>,
    at_once: usize,
}

#[derive(Clone, Copy, Debug)]
struct Turn {
    interval: Period,
    due: Nanos,
    under_way: bool,
    /// It was asked for while it was under way.
    again: bool,
    /// Failures since the last success.
    failures: u32,
}

impl Agenda {
    /// No feeds; `at_once` of them may be under way at a time.
    #[must_use]
    pub const fn new(at_once: usize) -> Self {
        Self {
            feeds: BTreeMap::new(),
            at_once,
        }
    }

    /// Takes up a feed, which is due at once, or another interval of one that is known.
    pub fn set(&mut self, name: &FeedName, interval: Period, now: Nanos) {
        let turn = self.feeds.entry(name.clone()).or_insert(Turn {
            interval,
            due: now,
            under_way: false,
            again: false,
            failures: 0,
        });
        turn.interval = interval;
        turn.due = turn.due.min(now.saturating_add(interval.as_nanos()));
    }

    /// Forgets every feed but those that `keeps` names.
    pub fn retain(&mut self, mut keeps: impl FnMut(&FeedName) -> bool) {
        self.feeds.retain(|name, _| keeps(name));
    }

    /// Makes a feed due now; one that is under way is asked for again right behind. Says whether
    /// it is known.
    pub fn hasten(&mut self, name: &FeedName, now: Nanos) -> bool {
        let Some(turn) = self.feeds.get_mut(name) else {
            return false;
        };
        turn.due = turn.due.min(now);
        turn.again = turn.under_way;
        true
    }

    /// The feed that is to be asked for now, if there is one and room for it. It is under way
    /// until [`Agenda::end`].
    pub fn begin(&mut self, now: Nanos) -> Option<FeedName> {
        if self.feeds.values().filter(|turn| turn.under_way).count() >= self.at_once {
            return None;
        }
        let (name, turn) = self
            .feeds
            .iter_mut()
            .filter(|(_, turn)| !turn.under_way && turn.due <= now)
            .min_by_key(|(_, turn)| turn.due)?;
        turn.under_way = true;
        Some(name.clone())
    }

    /// A feed has come to an end, well or not; one that was forgotten meanwhile is none.
    pub fn end(&mut self, name: &FeedName, well: bool, now: Nanos) {
        let Some(turn) = self.feeds.get_mut(name) else {
            return;
        };
        turn.under_way = false;
        turn.failures = match well {
            true => 0,
            false => turn.failures.saturating_add(1),
        };
        let pause = match turn.failures {
            0 => turn.interval,
            failures => retry(failures).min(turn.interval),
        };
        turn.due = match std::mem::take(&mut turn.again) {
            true => now,
            false => now.saturating_add(pause.as_nanos()),
        };
    }

    /// When the next feed is due that is not under way; `None` when there is none, or no room.
    #[must_use]
    pub fn wake(&self) -> Option<Nanos> {
        if self.feeds.values().filter(|turn| turn.under_way).count() >= self.at_once {
            return None;
        }
        self.feeds
            .values()
            .filter(|turn| !turn.under_way)
            .map(|turn| turn.due)
            .min()
    }

    /// When a feed is due next, and how often it has failed in a row.
    #[must_use]
    pub fn standing(&self, name: &FeedName) -> Option<(Nanos, u32)> {
        self.feeds.get(name).map(|turn| (turn.due, turn.failures))
    }
}

/// The pause after so many failures in a row.
fn retry(failures: u32) -> Period {
    // Beyond 2^16 of them the interval is the shorter one anyway.
    let doubled = 1_u64 << failures.saturating_sub(1).min(16);
    Period::from_nanos(Nanos(FIRST_RETRY.as_nanos().0.saturating_mul(doubled)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Period = Period::from_secs(3600);

    fn name(text: &str) -> FeedName {
        text.parse().unwrap()
    }

    fn at(seconds: u64) -> Nanos {
        Nanos::from_secs(seconds)
    }

    #[test]
    fn a_feed_is_due_at_once_and_then_by_its_interval() {
        let mut agenda = Agenda::new(4);
        let a = name("a");
        assert_eq!((agenda.wake(), agenda.begin(at(0))), (None, None));
        agenda.set(&a, HOUR, at(10));
        assert_eq!(agenda.wake(), Some(at(10)));
        assert_eq!(agenda.begin(at(9)), None);
        assert_eq!(agenda.begin(at(10)), Some(a.clone()));
        assert_eq!((agenda.wake(), agenda.begin(at(11))), (None, None));
        agenda.end(&a, true, at(20));
        assert_eq!(agenda.wake(), Some(at(3620)));
        assert_eq!(agenda.begin(at(3619)), None);
        // The same configuration once more changes nothing; a shorter interval holds at once.
        agenda.set(&a, HOUR, at(100));
        assert_eq!(agenda.wake(), Some(at(3620)));
        agenda.set(&a, Period::from_secs(60), at(100));
        assert_eq!(agenda.wake(), Some(at(160)));
    }

    #[test]
    fn failures_are_retried_ever_later_up_to_the_interval() {
        let mut agenda = Agenda::new(1);
        let a = name("a");
        agenda.set(&a, Period::from_secs(200), at(0));
        let mut now = 0;
        for pause in [30, 60, 120, 200, 200] {
            assert_eq!(agenda.begin(at(now)), Some(a.clone()));
            agenda.end(&a, false, at(now));
            assert_eq!(agenda.wake(), Some(at(now + pause)));
            now += pause;
        }
        assert_eq!(agenda.standing(&a), Some((at(now), 5)));
        agenda.begin(at(now));
        agenda.end(&a, true, at(now));
        assert_eq!(agenda.standing(&a), Some((at(now + 200), 0)));
        assert_eq!(retry(u32::MAX).min(HOUR), HOUR);
    }

    #[test]
    fn the_longest_overdue_goes_first_and_only_so_many_at_once() {
        let mut agenda = Agenda::new(2);
        for (feed, from) in [("c", 1), ("a", 3), ("b", 2)] {
            agenda.set(&name(feed), HOUR, at(from));
        }
        assert_eq!(agenda.begin(at(5)), Some(name("c")));
        assert_eq!(agenda.begin(at(5)), Some(name("b")));
        assert_eq!((agenda.begin(at(5)), agenda.wake()), (None, None));
        agenda.end(&name("c"), true, at(6));
        assert_eq!(agenda.wake(), Some(at(3)));
        assert_eq!(agenda.begin(at(6)), Some(name("a")));
    }

    #[test]
    fn one_that_is_asked_for_comes_now_or_again() {
        let mut agenda = Agenda::new(1);
        let a = name("a");
        assert!(!agenda.hasten(&a, at(0)));
        agenda.set(&a, HOUR, at(0));
        agenda.begin(at(0));
        // What it reads now may be older than the wish.
        assert!(agenda.hasten(&a, at(1)));
        agenda.end(&a, true, at(2));
        assert_eq!(agenda.begin(at(2)), Some(a.clone()));
        agenda.end(&a, true, at(3));
        assert_eq!(agenda.begin(at(4)), None);
        assert!(agenda.hasten(&a, at(5)));
        assert_eq!(agenda.begin(at(5)), Some(a.clone()));
        agenda.retain(|_| false);
        agenda.end(&a, true, at(6));
        assert_eq!((agenda.wake(), agenda.standing(&a)), (None, None));
    }
}
