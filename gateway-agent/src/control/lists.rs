//! What the service asks of the kernel's maps. The data path answers; tests have maps in memory.

use std::net::IpAddr;

use gateway_common::Verdict;
use gateway_common::lists::Entry;
use gateway_common::settings::{Attack, CLASS_LIMITED};
use gateway_common::tables::List;
use gateway_common::time::Nanos;
use gateway_policy::grammar::Prefix;

use super::fault::Fault;
use crate::datapath::{Drift, RuleHits, SummaryWalk};

/// Who is handed the prefixes of a walk; says whether to go on.
pub type Take<'a> = &'a mut dyn FnMut(&[Prefix]) -> Result<bool, Fault>;

/// Trusted networks that were compared: how many, what was wrong, the last one.
pub type Zones = (usize, Vec<Drift>, Option<Prefix>);

/// The kernel's lists, counters and loaded program.
///
/// Calls may block for as long as a system call takes.
pub trait Lists: Send + Sync {
    /// Whether there is anything to work on.
    ///
    /// # Errors
    /// [`ListsError::Absent`] when there is not.
    fn ready(&self) -> Result<(), ListsError> {
        Ok(())
    }

    /// Puts an entry there, in place of the one on the same prefix.
    ///
    /// # Errors
    /// When the map is full, or the kernel refuses.
    fn insert(&self, list: List, prefix: Prefix, entry: Entry) -> Result<(), ListsError>;

    /// Adds many entries, each in place of the one on the same prefix: all of them or none.
    ///
    /// # Errors
    /// As [`Lists::insert`].
    fn insert_all(&self, list: List, entries: &[(Prefix, Entry)]) -> Result<(), ListsError>;

    /// Takes an entry away; says whether it was there.
    ///
    /// # Errors
    /// When the kernel refuses.
    fn remove(&self, list: List, prefix: Prefix) -> Result<bool, ListsError>;

    /// Puts many entries there and takes some away (`None`). They need not act before
    /// [`Lists::settle`], and those before one that is refused are changed all the same.
    ///
    /// # Errors
    /// As [`Lists::insert`].
    fn stage(&self, list: List, changes: &[(Prefix, Option<Entry>)]) -> Result<(), ListsError> {
        for (prefix, entry) in changes {
            match entry {
                Some(entry) => self.insert(list, *prefix, *entry)?,
                None => drop(self.remove(list, *prefix)?),
            }
        }
        Ok(())
    }

    /// The same for zones of countries, but where a trusted network stands it stays.
    ///
    /// # Errors
    /// As [`Lists::insert`].
    fn stage_limited(&self, changes: &[(Prefix, Option<Entry>)]) -> Result<(), ListsError> {
        for change in changes {
            let there = self.get(List::Zone, change.0)?;
            if there.is_none_or(|zone| usize::from(zone.class) == CLASS_LIMITED) {
                self.stage(List::Zone, &[*change])?;
            }
        }
        Ok(())
    }

    /// What a rule in shadow mode would have dropped: packets and bytes; `None` when that is not
    /// known.
    ///
    /// # Errors
    /// When the kernel refuses.
    fn would_drop(&self, _rule: u32) -> Result<Option<(u64, u64)>, ListsError> {
        Ok(None)
    }

    /// The rules of which there is such a count.
    ///
    /// # Errors
    /// When the kernel refuses.
    fn counted(&self) -> Result<Vec<u32>, ListsError> {
        Ok(Vec::new())
    }

    /// Forgets the count of a rule, which makes room for another.
    ///
    /// # Errors
    /// When the kernel refuses.
    fn forget_count(&self, _rule: u32) -> Result<(), ListsError> {
        Ok(())
    }

    /// What a rule in force has dropped, by its number ([`gateway_common::rule`]); `None` when that
    /// is not known.
    ///
    /// # Errors
    /// When the kernel refuses.
    fn hits(&self, _rule: u32) -> Result<Option<RuleHits>, ListsError> {
        Ok(None)
    }

    /// The same of every rule of which it is known, in no order.
    ///
    /// # Errors
    /// When the kernel refuses.
    fn all_hits(&self) -> Result<Vec<RuleHits>, ListsError> {
        Ok(Vec::new())
    }

    /// Puts in force all that was staged.
    ///
    /// # Errors
    /// When the kernel refuses.
    fn settle(&self) -> Result<(), ListsError> {
        Ok(())
    }

    /// The entry on exactly this prefix, expired or not.
    ///
    /// # Errors
    /// When the kernel refuses.
    fn get(&self, list: List, prefix: Prefix) -> Result<Option<Entry>, ListsError>;

    /// The same, but never from memory: as the kernel's map has it.
    ///
    /// # Errors
    /// When the kernel refuses.
    fn held(&self, list: List, prefix: Prefix) -> Result<Option<Entry>, ListsError> {
        self.get(list, prefix)
    }

    /// Hands every prefix that the kernel's map of a list has to `take`, at most `chunk` at a
    /// time, until `take` says `false`; no lock is held meanwhile. Says whether it came to the
    /// end.
    ///
    /// # Errors
    /// When the kernel refuses, or what `take` returns.
    fn walk(&self, list: List, chunk: usize, take: Take<'_>) -> Result<bool, Fault> {
        let prefixes: Vec<Prefix> = self.entries(list)?.into_iter().map(|(p, _)| p).collect();
        for prefixes in prefixes.chunks(chunk.max(1)) {
            if !take(prefixes)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Mends the next trusted networks behind `after`, at most `limit`, which are the
    /// configuration's and not the store's. Returns how many were compared, what was wrong, and
    /// the last one.
    ///
    /// # Errors
    /// When the kernel refuses.
    fn mend_zones(&self, after: Option<Prefix>, limit: usize) -> Result<Zones, ListsError> {
        let _ = (after, limit);
        Ok((0, Vec::new(), None))
    }

    /// Takes those of `prefixes` away that are no trusted networks of the configuration; says
    /// how many.
    ///
    /// # Errors
    /// When the kernel refuses.
    fn drop_unknown_zones(&self, prefixes: &[Prefix]) -> Result<usize, ListsError> {
        let _ = prefixes;
        Ok(0)
    }

    /// Writes the program's settings again if they are not those in force; says whether they
    /// were not.
    ///
    /// # Errors
    /// When the kernel refuses.
    fn mend_settings(&self) -> Result<bool, ListsError> {
        Ok(false)
    }

    /// Compares the next words that are derived from the lists; `Some` at the end of the walk:
    /// how many were wrong and have been mended.
    ///
    /// # Errors
    /// When the kernel refuses.
    fn mend_summary(&self, walk: &mut SummaryWalk) -> Result<Option<usize>, ListsError> {
        let _ = walk;
        Ok(Some(0))
    }

    /// Every entry of a list, in no order.
    ///
    /// # Errors
    /// When the kernel refuses.
    fn entries(&self, list: List) -> Result<Vec<(Prefix, Entry)>, ListsError>;

    /// What was counted per interface and verdict.
    ///
    /// # Errors
    /// When the kernel refuses.
    fn counters(&self) -> Result<Vec<InterfaceCounters>, ListsError>;

    /// What the loaded program says of a packet from `source`; nothing is sent.
    ///
    /// # Errors
    /// When the kernel refuses.
    fn probe(&self, source: IpAddr) -> Result<Probe, ListsError>;

    /// Whether attack mode is on, and what was ordered.
    ///
    /// # Errors
    /// When there is nothing to work on.
    fn attack(&self) -> Result<Attack, ListsError>;

    /// Puts attack mode in force, or ends it.
    ///
    /// # Errors
    /// When the kernel refuses.
    fn set_attack(&self, attack: Attack) -> Result<(), ListsError>;

    /// Until when a source is known, if it is; it may have passed.
    ///
    /// # Errors
    /// When the kernel refuses.
    fn known_until(&self, source: IpAddr) -> Result<Option<Nanos>, ListsError>;

    /// The interfaces that the program filters.
    ///
    /// # Errors
    /// When the kernel refuses.
    fn interfaces(&self) -> Result<Vec<Interface>, ListsError>;
}

/// What can go wrong with the maps, in one sentence each.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListsError {
    /// There are no maps to work on.
    #[error("no filter is loaded: {0}")]
    Absent(String),
    /// A map has no room for one more entry.
    #[error("the kernel's map for {what} is full ({capacity} entries); {prefix} was not added")]
    Full {
        /// The map, in words: "IPv4 deny entries".
        what: String,
        /// How many it holds.
        capacity: u32,
        /// The entry too many.
        prefix: Prefix,
    },
    /// The kernel refused for another reason.
    #[error("{0}")]
    Failed(String),
}

/// An interface that the program filters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its name, such as `eth0`.
    pub name: String,
    /// How the program is attached: `native`, `generic`, or `detached`.
    pub mode: String,
}

/// The counters of one interface, summed over all CPUs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterfaceCounters {
    /// The interface.
    pub interface: Interface,
    /// One count per verdict, in the order of [`Verdict::ALL`].
    pub verdicts: Vec<VerdictCount>,
}

/// What was counted for one verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerdictCount {
    /// The verdict.
    pub verdict: Verdict,
    /// Packets.
    pub packets: u64,
    /// Their bytes, Ethernet header included.
    pub bytes: u64,
    /// Sampled events that found the ring buffer full.
    pub events_lost: u64,
}

/// The loaded program's answer about a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// What becomes of its packets.
    pub verdict: Verdict,
    /// The rule that decided; 0 when none did, or when a whole block is denied at once.
    pub rule: u32,
}

/// Lists that are not there: every call answers with the reason.
#[derive(Clone, Debug)]
pub struct Absent(pub ListsError);

impl Lists for Absent {
    fn ready(&self) -> Result<(), ListsError> {
        Err(self.0.clone())
    }

    fn insert(&self, _: List, _: Prefix, _: Entry) -> Result<(), ListsError> {
        Err(self.0.clone())
    }

    fn insert_all(&self, _: List, _: &[(Prefix, Entry)]) -> Result<(), ListsError> {
        Err(self.0.clone())
    }

    fn remove(&self, _: List, _: Prefix) -> Result<bool, ListsError> {
        Err(self.0.clone())
    }

    fn get(&self, _: List, _: Prefix) -> Result<Option<Entry>, ListsError> {
        Err(self.0.clone())
    }

    fn entries(&self, _: List) -> Result<Vec<(Prefix, Entry)>, ListsError> {
        Err(self.0.clone())
    }

    fn counters(&self) -> Result<Vec<InterfaceCounters>, ListsError> {
        Err(self.0.clone())
    }

    fn probe(&self, _: IpAddr) -> Result<Probe, ListsError> {
        Err(self.0.clone())
    }

    fn attack(&self) -> Result<Attack, ListsError> {
        Err(self.0.clone())
    }

    fn set_attack(&self, _: Attack) -> Result<(), ListsError> {
        Err(self.0.clone())
    }

    fn known_until(&self, _: IpAddr) -> Result<Option<Nanos>, ListsError> {
        Err(self.0.clone())
    }

    fn interfaces(&self) -> Result<Vec<Interface>, ListsError> {
        Err(self.0.clone())
    }
}
