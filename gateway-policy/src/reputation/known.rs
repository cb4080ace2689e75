//! The sources that have proven themselves.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};

use gateway_common::time::Nanos;

/// Sources that one subject can make known at once. Whoever has stolen a token can give it to
/// any number of hosts; the ones that come last take the places of those that came first.
pub const SOURCES_PER_SUBJECT: usize = 32;

/// The part of its lifetime after which a known source is written anew when it proves itself
/// once more.
const RENEWED_AFTER: u64 = 4;

/// Who is known, and until when. Sources are named by the number that the packet filter holds
/// them to account by ([`gateway_common::limiter::identity4`]).
#[derive(Debug)]
pub struct KnownSources {
    lifetime: Nanos,
    capacity: usize,
    sources: HashMap<u64, Known>,
    /// The sources of each subject, the one that came first at the front; subjects by their hash.
    subjects: HashMap<u64, VecDeque<u64>>,
    hasher: RandomState,
}

/// A source that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Until when.
    pub until: Nanos,
    /// Hash of the subject that it presented a token of; `None` when that is forgotten.
    subject: Option<u64>,
}

/// What a proof changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Learned {
    /// Nothing: the source has been known for a short time only.
    Fresh,
    /// The source is known until then.
    Remember {
        /// Until when.
        until: Nanos,
        /// The source of the same subject that is known no longer.
        instead_of: Option<u64>,
    },
    /// As many sources are known as can be.
    NoRoom,
}

impl KnownSources {
    /// At most `capacity` sources, each known for `lifetime` after its last proof.
    #[must_use]
    pub fn new(lifetime: Nanos, capacity: usize) -> Self {
        Self {
            lifetime,
            capacity,
            sources: HashMap::new(),
            subjects: HashMap::new(),
            hasher: RandomState::new(),
        }
    }

    /// Changes for how long a proof counts, from the next one on.
    pub fn set_lifetime(&mut self, lifetime: Nanos) {
        self.lifetime = lifetime;
    }

    /// Takes up what an earlier run knew. What does not fit, or has ended, is left out.
    pub fn restore(&mut self, sources: impl IntoIterator<Item = (u64, Nanos)>, now: Nanos) {
        let live = sources.into_iter().filter(|(_, until)| *until > now);
        for (source, until) in live.take(self.capacity) {
            let subject = None;
            self.sources.insert(source, Known { until, subject });
        }
    }

    /// A holder of a valid token of `subject` came from `source`.
    pub fn record(&mut self, source: u64, subject: &str, now: Nanos) -> Learned {
        let until = now.saturating_add(self.lifetime);
        let subject = self.hasher.hash_one(subject);
        if let Some(known) = self.sources.get(&source) {
            let is_same = known.subject.is_none_or(|other| other == subject);
            if is_same && until.since(known.until).0 < self.lifetime.0 / RENEWED_AFTER {
                return Learned::Fresh;
            }
        } else if self.sources.len() >= self.capacity {
            return Learned::NoRoom;
        }
        let known = Known {
            until,
            subject: Some(subject),
        };
        let before = self.sources.insert(source, known);
        if let Some(other) = before.and_then(|known| known.subject)
            && other != subject
        {
            self.leave(other, source);
        }
        let sources = self.subjects.entry(subject).or_default();
        let mut instead_of = None;
        if !sources.contains(&source) {
            if sources.len() >= SOURCES_PER_SUBJECT {
                instead_of = sources.pop_front();
            }
            sources.push_back(source);
        }
        if let Some(gone) = instead_of {
            self.sources.remove(&gone);
        }
        Learned::Remember { until, instead_of }
    }

    /// Forgets a source; says whether it was known.
    pub fn forget(&mut self, source: u64) -> bool {
        match self.sources.remove(&source) {
            Some(known) => {
                if let Some(subject) = known.subject {
                    self.leave(subject, source);
                }
                true
            }
            None => false,
        }
    }

    /// Forgets those whose time has ended, and tells which they were.
    pub fn expire(&mut self, now: Nanos) -> Vec<u64> {
        let ended: Vec<u64> = self
            .sources
            .iter()
            .filter(|(_, known)| known.until <= now)
            .map(|(source, _)| *source)
            .collect();
        for source in &ended {
            self.forget(*source);
        }
        ended
    }

    /// How many are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sources.len()
    }

    /// Whether nobody is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    fn leave(&mut self, subject: u64, source: u64) {
        if let Some(sources) = self.subjects.get_mut(&subject) {
            sources.retain(|one| *one != source);
            if sources.is_empty() {
                self.subjects.remove(&subject);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Nanos = Nanos::from_secs(3_600);

    fn at(secs: u64) -> Nanos {
        Nanos::from_secs(10_000 + secs)
    }

    fn remembered(until: Nanos) -> Learned {
        Learned::Remember {
            until,
            instead_of: None,
        }
    }

    #[test]
    fn a_proof_counts_for_the_lifetime_and_is_renewed_when_a_quarter_has_passed() {
        let mut known = KnownSources::new(HOUR, 10);
        assert_eq!(known.record(1, "ada", at(0)), remembered(at(3_600)));
        assert_eq!(known.record(1, "ada", at(0)), Learned::Fresh);
        assert_eq!(known.record(1, "ada", at(899)), Learned::Fresh);
        assert_eq!(known.record(1, "ada", at(900)), remembered(at(4_500)));
        assert!(known.expire(at(4_499)).is_empty());
        assert_eq!(known.expire(at(4_500)), [1]);
        assert!(known.is_empty() && known.subjects.is_empty());
    }

    #[test]
    fn a_subject_has_so_many_sources_and_the_first_makes_room() {
        let mut known = KnownSources::new(HOUR, 1_000);
        for source in 0..SOURCES_PER_SUBJECT as u64 {
            known.record(source, "ada", at(0));
        }
        known.record(7_000, "bob", at(0));
        let learned = known.record(99, "ada", at(1));
        let expected = Learned::Remember {
            until: at(3_601),
            instead_of: Some(0),
        };
        assert_eq!(learned, expected);
        assert_eq!(known.len(), SOURCES_PER_SUBJECT + 1);
        // Who is known already takes nobody's place.
        assert_eq!(known.record(5, "ada", at(2_000)), remembered(at(5_600)));
    }

    #[test]
    fn a_source_shared_by_subjects_counts_for_the_last() {
        let mut known = KnownSources::new(HOUR, 1_000);
        known.record(1, "ada", at(0));
        assert_eq!(known.record(1, "bob", at(0)), remembered(at(3_600)));
        assert_eq!(known.subjects.len(), 1);
        assert_eq!(known.len(), 1);
    }

    #[test]
    fn when_all_places_are_taken_nobody_loses_one() {
        let mut known = KnownSources::new(HOUR, 2);
        known.record(1, "ada", at(0));
        known.record(2, "bob", at(0));
        assert_eq!(known.record(3, "eve", at(0)), Learned::NoRoom);
        assert_eq!(known.record(1, "ada", at(1_000)), remembered(at(4_600)));
        assert!(known.forget(2) && !known.forget(2));
        assert_eq!(known.record(3, "eve", at(1_000)), remembered(at(4_600)));
    }

    #[test]
    fn what_an_earlier_run_knew_is_taken_up_as_far_as_it_fits() {
        let mut known = KnownSources::new(HOUR, 2);
        known.restore([(1, at(0)), (2, at(10)), (3, at(20)), (4, at(30))], at(5));
        assert_eq!(known.len(), 2);
        assert_eq!(known.record(2, "ada", at(6)), remembered(at(3_606)));
        known.set_lifetime(Nanos::from_secs(60));
        assert_eq!(known.record(3, "ada", at(10)), remembered(at(70)));
    }
}
