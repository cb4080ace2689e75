//! The kernel's lists in memory, for tests: they can be full, refuse, and be looked into.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard};

use gateway_common::Verdict;
use gateway_common::lists::{Entry, MODE_SHADOW, ORIGIN_BAN};
use gateway_common::rule::Rule;
use gateway_common::settings::Attack;
use gateway_common::tables::List;
use gateway_common::time::Nanos;
use gateway_policy::grammar::Prefix;

use super::lists::{Interface, InterfaceCounters, Lists, ListsError, Probe, VerdictCount};
use super::now::Now;
use crate::datapath::RuleHits;
use crate::store::UnixMillis;

/// The present of every test.
pub(crate) const NOW: Now = Now {
    wall: UnixMillis(1_763_830_000_000),
    monotonic: Nanos::from_secs(5_000),
};

/// The clock of every test; [`later`] moves a copy.
pub(crate) fn clock() -> Now {
    NOW
}

/// An hour later.
pub(crate) fn later() -> Now {
    Now {
        wall: UnixMillis(NOW.wall.0 + 3_600_000),
        monotonic: NOW.monotonic.saturating_add(Nanos::from_secs(3_600)),
    }
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) entries: BTreeMap<(List, Prefix), Entry>,
    /// Entries that fit a list; 0 is no bound.
    pub(crate) capacity: usize,
    /// Prefixes that the kernel refuses to add or remove.
    pub(crate) refuses: Vec<Prefix>,
    /// The kernel's clock; that of [`NOW`] when not set.
    pub(crate) now: Option<Nanos>,
    /// Attack mode.
    pub(crate) attack: Attack,
    /// Until when sources are known.
    pub(crate) known: BTreeMap<IpAddr, Nanos>,
    /// Packets and bytes that rules in shadow mode would have dropped.
    pub(crate) would: BTreeMap<u32, (u64, u64)>,
    /// What rules in force have dropped.
    pub(crate) hits: Vec<RuleHits>,
    /// Calls that changed something, in their order.
    pub(crate) calls: Vec<String>,
}

/// Lists in memory.
#[derive(Debug, Default)]
pub(crate) struct FakeLists {
    state: Mutex<State>,
}

impl FakeLists {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn entry(&self, list: List, prefix: &str) -> Option<Entry> {
        let key = (list, prefix.parse().unwrap());
        self.state().entries.get(&key).copied()
    }
}

impl Lists for FakeLists {
    fn insert(&self, list: List, prefix: Prefix, entry: Entry) -> Result<(), ListsError> {
        let mut state = self.state();
        if state.refuses.contains(&prefix) {
            return Err(ListsError::Failed(format!("the kernel refused {prefix}")));
        }
        let held = state.entries.keys().filter(|(l, _)| *l == list).count();
        let new = !state.entries.contains_key(&(list, prefix));
        if new && state.capacity > 0 && held >= state.capacity {
            return Err(ListsError::Full {
                what: "IPv4 deny entries".to_owned(),
                capacity: state.capacity as u32,
                prefix,
            });
        }
        state.calls.push(format!("insert {list:?} {prefix}"));
        state.entries.insert((list, prefix), entry);
        Ok(())
    }

    fn insert_all(&self, list: List, entries: &[(Prefix, Entry)]) -> Result<(), ListsError> {
        let before = self.state().entries.clone();
        for (prefix, entry) in entries {
            if let Err(refused) = self.insert(list, *prefix, *entry) {
                self.state().entries = before;
                return Err(refused);
            }
        }
        Ok(())
    }

    fn remove(&self, list: List, prefix: Prefix) -> Result<bool, ListsError> {
        let mut state = self.state();
        if state.refuses.contains(&prefix) {
            return Err(ListsError::Failed(format!("the kernel refused {prefix}")));
        }
        state.calls.push(format!("remove {list:?} {prefix}"));
        Ok(state.entries.remove(&(list, prefix)).is_some())
    }

    fn get(&self, list: List, prefix: Prefix) -> Result<Option<Entry>, ListsError> {
        Ok(self.state().entries.get(&(list, prefix)).copied())
    }

    fn entries(&self, list: List) -> Result<Vec<(Prefix, Entry)>, ListsError> {
        let state = self.state();
        let of_list = state.entries.iter().filter(|((l, _), _)| *l == list);
        Ok(of_list.map(|((_, p), e)| (*p, *e)).collect())
    }

    fn counters(&self) -> Result<Vec<InterfaceCounters>, ListsError> {
        let count = |(i, verdict): (usize, &Verdict)| VerdictCount {
            verdict: *verdict,
            packets: i as u64 * 10,
            bytes: i as u64 * 1_000,
            events_lost: u64::from(*verdict == Verdict::Banned),
        };
        Ok(vec![InterfaceCounters {
            interface: self.interfaces()?.remove(0),
            verdicts: Verdict::ALL.iter().enumerate().map(count).collect(),
        }])
    }

    fn would_drop(&self, rule: u32) -> Result<Option<(u64, u64)>, ListsError> {
        Ok(self.state().would.get(&rule).copied())
    }

    fn counted(&self) -> Result<Vec<u32>, ListsError> {
        Ok(self.state().would.keys().copied().collect())
    }

    fn forget_count(&self, rule: u32) -> Result<(), ListsError> {
        self.state().would.remove(&rule);
        Ok(())
    }

    fn hits(&self, rule: u32) -> Result<Option<RuleHits>, ListsError> {
        let state = self.state();
        let mut hits = state.hits.iter().copied();
        Ok(hits.find(|hits| hits.rule == Rule::of(rule)))
    }

    fn all_hits(&self) -> Result<Vec<RuleHits>, ListsError> {
        Ok(self.state().hits.clone())
    }

    fn probe(&self, source: IpAddr) -> Result<Probe, ListsError> {
        let state = self.state();
        let now = state.now.unwrap_or(NOW.monotonic);
        let host = Prefix::host(source);
        let mut shadow = None;
        for len in (0..=host.len()).rev() {
            let prefix = Prefix::holding(host.network(), len).unwrap();
            let live = |list| {
                let entry = state.entries.get(&(list, prefix)).copied();
                entry.filter(|e: &Entry| e.is_live(now))
            };
            if let Some(entry) = live(List::Allow) {
                return Ok(Probe {
                    verdict: Verdict::Safelisted,
                    rule: entry.rule,
                });
            }
            let Some(entry) = live(List::Deny) else {
                continue;
            };
            if entry.mode == MODE_SHADOW {
                shadow = Some(entry.rule);
                continue;
            }
            // As the program does where a whole /24 is denied: it names no rule.
            let (verdict, rule) = match (entry.origin, len) {
                (ORIGIN_BAN, _) => (Verdict::Banned, entry.rule),
                (_, 24) => (Verdict::DeniedPrefix, 0),
                (_, 32 | 128) => (Verdict::DeniedExact, entry.rule),
                _ => (Verdict::DeniedPrefix, entry.rule),
            };
            return Ok(Probe { verdict, rule });
        }
        Ok(match shadow {
            Some(rule) => Probe {
                verdict: Verdict::WouldDeny,
                rule,
            },
            None => Probe {
                verdict: Verdict::Pass,
                rule: 0,
            },
        })
    }

    fn attack(&self) -> Result<Attack, ListsError> {
        Ok(self.state().attack)
    }

    fn set_attack(&self, attack: Attack) -> Result<(), ListsError> {
        self.state().attack = attack;
        Ok(())
    }

    fn known_until(&self, source: IpAddr) -> Result<Option<Nanos>, ListsError> {
        Ok(self.state().known.get(&source).copied())
    }

    fn interfaces(&self) -> Result<Vec<Interface>, ListsError> {
        Ok(vec![Interface {
            name: "eth0".to_owned(),
            mode: "native".to_owned(),
        }])
    }
}
