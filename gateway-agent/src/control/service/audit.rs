//! Comparing what should be enforced with what the kernel's maps really hold, and mending it,
//! while everything else goes on.
//!
//! A round asks the kernel, never memory: every entry that the store wants in force is looked up,
//! every key that the kernel has is looked up in the store, and with them the trusted networks,
//! the settings and a part of the derived summary. It works in steps. Each step holds the lock of
//! the store, so a change is seen whole or not at all, and is no drift; and it stands back while
//! an import is under way, whose entries are neither here nor there for a while.

use std::sync::{MutexGuard, PoisonError, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

use gateway_common::lists::Entry;
use gateway_common::tables::List;
use gateway_common::time::Nanos;
use gateway_policy::grammar::Prefix;

use super::Service;
use super::reconcile::{same, same_rule};
use crate::control::api::{ReconcileStatus, Repairs};
use crate::control::effective::{effective, in_kernel};
use crate::control::{Fault, ListsError};
use crate::datapath::{Drift, SummaryWalk};
use crate::store::ListName;

/// Entries of one step: a few milliseconds.
const STEP: u32 = 512;

/// The same, for walks over keys.
const KEYS: usize = 512;

/// Steps over the summary in one round, unless something was wrong: then it is walked to its end.
const SUMMARY_STEPS: usize = 8;

/// How long an entry that has ended may stay where it is: sweeps come every second.
const SWEEP: Nanos = Nanos::from_secs(10);

/// How long a step waits for an import before the round is given up.
const PATIENCE: Duration = Duration::from_secs(1);

/// What the rounds have found since the start.
#[derive(Debug, Default)]
pub(super) struct Audited {
    last: Option<ReconcileStatus>,
    repairs: Repairs,
}

/// What one round found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Entries that should be in force.
    pub wanted: u64,
    /// Of those, the ones that were, before anything was mended.
    pub in_force: u64,
    /// What was wrong and is mended.
    pub repairs: Repairs,
    /// Entries that the kernel has no room for.
    pub refused: u64,
    /// Whether it came to its end: not when the pace said stop, when an import is under way, or
    /// when entries go faster than one can look.
    pub whole: bool,
    /// How long it took, its pauses included.
    pub took: Duration,
}

/// Asked after each step, with how long it took and whether this round has found something wrong;
/// may sleep. Says whether to go on.
pub type Pace<'a> = &'a mut dyn FnMut(Duration, bool) -> bool;

impl Service {
    /// Makes one round. `walk` is kept from round to round.
    ///
    /// # Errors
    /// When the store or the kernel refuses; what was mended until then is counted.
    pub fn audit(&self, walk: &mut SummaryWalk, pace: Pace<'_>) -> Result<Round, Fault> {
        let started = Instant::now();
        let mut round = Round::default();
        let whole = self.audit_all(&mut round, walk, pace);
        round.took = started.elapsed();
        let mut audited = self.audited();
        audited.repairs.add(&round.repairs);
        round.whole = whole?;
        if round.whole {
            audited.last = Some(ReconcileStatus {
                at_unix_ms: self.now().wall,
                took_ms: u64::try_from(round.took.as_millis()).unwrap_or(u64::MAX),
                wanted: round.wanted,
                in_force: round.in_force,
                refused: round.refused,
                repairs: Repairs::default(),
            });
        }
        Ok(round)
    }

    /// What the rounds have found since the start; `None` before the first one is over.
    #[must_use]
    pub fn reconciled(&self) -> Option<ReconcileStatus> {
        let audited = self.audited();
        audited.last.clone().map(|last| ReconcileStatus {
            repairs: audited.repairs,
            ..last
        })
    }

    fn audit_all(
        &self,
        round: &mut Round,
        walk: &mut SummaryWalk,
        pace: Pace<'_>,
    ) -> Result<bool, Fault> {
        self.lists.ready()?;
        if !self.step(round, pace, |round| self.mend_settings(round))? {
            return Ok(false);
        }
        for list in ListName::ALL {
            if !self.audit_wanted(*list, round, pace)? || !self.audit_held(*list, round, pace)? {
                return Ok(false);
            }
        }
        Ok(self.audit_zones(round, pace)? && self.audit_summary(round, walk, pace)?)
    }

    /// Looks up in the kernel what the store wants there.
    fn audit_wanted(
        &self,
        list: ListName,
        round: &mut Round,
        pace: Pace<'_>,
    ) -> Result<bool, Fault> {
        let mut after = None;
        let mut more = true;
        // Whether the IPv4 and the IPv6 map are full: what else is missing need not be tried.
        let mut full = [false; 2];
        while more {
            let whole = self.step(round, pace, |round| {
                let now = self.now();
                let store = self.store();
                let lives;
                (lives, more) = store.read().live_behind(list, after, now.wall, STEP)?;
                for on in lives.chunk_by(|a, b| a.prefix == b.prefix) {
                    if let Some(live) = effective(on, now) {
                        let want = (live.prefix, in_kernel(live, now));
                        self.mend_one(list, want, now.monotonic, &mut full, round)?;
                    }
                }
                after = lives.last().map(|live| live.prefix).or(after);
                Ok(())
            })?;
            if !whole {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn mend_one(
        &self,
        list: ListName,
        (prefix, want): (Prefix, Entry),
        now: Nanos,
        full: &mut [bool; 2],
        round: &mut Round,
    ) -> Result<(), Fault> {
        round.wanted += 1;
        let held = self.lists.held(list.list(), prefix)?;
        // One that has just ended may stand over another until the next sweep.
        let unswept = |held: &Entry| !held.is_live(now) && now.since(held.expires) < SWEEP;
        if held.is_some_and(|held| same(&held, &want) || unswept(&held)) {
            round.in_force += 1;
            return Ok(());
        }
        let [full4, full6] = full;
        let full = if prefix.is_ipv4() { full4 } else { full6 };
        if held.is_none() && *full {
            round.refused += 1;
            return Ok(());
        }
        match self.lists.insert(list.list(), prefix, want) {
            Ok(()) => {}
            Err(ListsError::Full { .. }) => {
                *full = true;
                round.refused += 1;
                return Ok(());
            }
            Err(other @ (ListsError::Absent(_) | ListsError::Failed(_))) => {
                return Err(other.into());
            }
        }
        match held {
            None => round.repairs.missing += 1,
            Some(held) if same_rule(&held, &want) => round.repairs.expiry += 1,
            Some(_) => round.repairs.different += 1,
        }
        Ok(())
    }

    /// Looks up in the store what the kernel has.
    fn audit_held(&self, list: ListName, round: &mut Round, pace: Pace<'_>) -> Result<bool, Fault> {
        self.lists.walk(list.list(), KEYS, &mut |prefixes| {
            self.step(round, pace, |round| {
                let now = self.now();
                let store = self.store();
                let on = store.read().live_on_each(list, prefixes, now.wall)?;
                for prefix in prefixes {
                    let on = on.get(prefix).into_iter().flatten();
                    if effective(on, now).is_some() {
                        continue;
                    }
                    // What has expired acts no more, and is swept in its turn.
                    let held = self.lists.held(list.list(), *prefix)?;
                    if held.is_some_and(|held| held.is_live(now.monotonic)) {
                        self.lists.remove(list.list(), *prefix)?;
                        round.repairs.extra += 1;
                    }
                }
                Ok(())
            })
        })
    }

    fn audit_zones(&self, round: &mut Round, pace: Pace<'_>) -> Result<bool, Fault> {
        let mut after = None;
        loop {
            let mut compared = 0;
            let whole = self.step(round, pace, |round| {
                let mended;
                let last;
                (compared, mended, last) = self.lists.mend_zones(after, KEYS)?;
                after = last;
                let wrong = mended.len();
                round.wanted += count(compared);
                round.in_force += count(compared.saturating_sub(wrong));
                for drift in mended {
                    match drift {
                        Drift::Missing => round.repairs.missing += 1,
                        Drift::Different => round.repairs.different += 1,
                    }
                }
                Ok(())
            })?;
            if !whole {
                return Ok(false);
            }
            if compared < KEYS {
                break;
            }
        }
        self.lists.walk(List::Zone, KEYS, &mut |prefixes| {
            self.step(round, pace, |round| {
                round.repairs.extra += count(self.lists.drop_unknown_zones(prefixes)?);
                Ok(())
            })
        })
    }

    fn mend_settings(&self, round: &mut Round) -> Result<(), Fault> {
        round.repairs.settings += u64::from(self.lists.mend_settings()?);
        Ok(())
    }

    fn audit_summary(
        &self,
        round: &mut Round,
        walk: &mut SummaryWalk,
        pace: Pace<'_>,
    ) -> Result<bool, Fault> {
        let mut steps = 0;
        // Where one thing was wrong, others may be.
        while steps < SUMMARY_STEPS || round.repairs.any() || walk.found_any() {
            steps += 1;
            let mut wrong = None;
            let whole = self.step(round, pace, |_| {
                wrong = self.lists.mend_summary(walk)?;
                Ok(())
            })?;
            if let Some(wrong) = wrong {
                round.repairs.summary += count(wrong);
                return Ok(whole);
            }
            if !whole {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Does one step while no import is under way. Says whether there shall be another.
    fn step(
        &self,
        round: &mut Round,
        pace: Pace<'_>,
        work: impl FnOnce(&mut Round) -> Result<(), Fault>,
    ) -> Result<bool, Fault> {
        let waiting = Instant::now();
        let alone = loop {
            match self.bulk.try_lock() {
                Ok(alone) => break alone,
                Err(TryLockError::Poisoned(poisoned)) => break poisoned.into_inner(),
                Err(TryLockError::WouldBlock) if waiting.elapsed() > PATIENCE => return Ok(false),
                Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(20)),
            }
        };
        let started = Instant::now();
        work(round)?;
        drop(alone);
        Ok(pace(started.elapsed(), round.repairs.any()))
    }

    fn audited(&self) -> MutexGuard<'_, Audited> {
        self.audited.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}
