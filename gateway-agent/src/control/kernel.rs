//! The data path as the service sees it.

use std::net::IpAddr;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use gateway_common::lists::Entry;
use gateway_common::settings::{Attack, CLASS_LIMITED};
use gateway_common::tables::List;
use gateway_common::time::Nanos;
use gateway_policy::grammar::Prefix;

use super::fault::Fault;
use super::lists::{
    Interface, InterfaceCounters, Lists, ListsError, Probe, Take, VerdictCount, Zones,
};
use crate::datapath::{Datapath, DatapathError, RuleHits, SummaryWalk, identity, name_of};

/// The pinned maps and the program over them, one caller at a time.
pub struct Kernel {
    datapath: Mutex<Datapath>,
    /// Who waits for the data path holds it: a long import must not take it again before.
    door: Mutex<()>,
}

impl Kernel {
    /// Shares a data path that the agent has loaded.
    #[must_use]
    pub fn new(datapath: Datapath) -> Self {
        Self {
            datapath: Mutex::new(datapath),
            door: Mutex::default(),
        }
    }

    /// Opens what an agent left under `pins`.
    ///
    /// # Errors
    /// [`ListsError::Absent`] when there is nothing, [`ListsError::Failed`] when it cannot be
    /// used.
    pub fn open(pins: &Path) -> Result<Self, ListsError> {
        Ok(Self::new(Datapath::open(pins)?))
    }

    /// The data path itself, for what the lists do not cover.
    pub fn datapath(&self) -> MutexGuard<'_, Datapath> {
        // The mirror is only changed when the kernel has agreed, so a panic leaves it sound.
        let _waiting = self.door.lock().unwrap_or_else(PoisonError::into_inner);
        self.datapath.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<DatapathError> for ListsError {
    fn from(error: DatapathError) -> Self {
        match error {
            DatapathError::NotThere { pins } => Self::Absent(format!(
                "nothing is pinned under {}; start the agent with `gateway run`, or name its pins \
                 with --pins",
                pins.display()
            )),
            DatapathError::ListFull {
                list,
                prefix,
                capacity,
                family,
            } => Self::Full {
                what: format!("{family} {} entries", name_of(list)),
                capacity,
                prefix,
            },
            DatapathError::Kernel { what, source } => Self::Failed(format!("{what}: {source:#}")),
            other @ (DatapathError::NotPermitted
            | DatapathError::NoBpffs { .. }
            | DatapathError::KernelTooOld { .. }
            | DatapathError::OtherAbi { .. }
            | DatapathError::ForeignPin { .. }
            | DatapathError::NoInterface { .. }
            | DatapathError::BondMember { .. }
            | DatapathError::ForeignProgram { .. }
            | DatapathError::ModeRefused { .. }
            | DatapathError::NoLink { .. }
            | DatapathError::TooManyInterfaces { .. }) => Self::Failed(other.to_string()),
        }
    }
}

impl From<DatapathError> for Fault {
    fn from(error: DatapathError) -> Self {
        ListsError::from(error).into()
    }
}

impl Lists for Kernel {
    fn insert(&self, list: List, prefix: Prefix, entry: Entry) -> Result<(), ListsError> {
        Ok(self.datapath().insert(list, prefix, entry)?)
    }

    fn insert_all(&self, list: List, entries: &[(Prefix, Entry)]) -> Result<(), ListsError> {
        Ok(self.datapath().insert_all(list, entries)?)
    }

    fn stage(&self, list: List, changes: &[(Prefix, Option<Entry>)]) -> Result<(), ListsError> {
        Ok(self.datapath().stage(list, changes)?)
    }

    fn stage_limited(&self, changes: &[(Prefix, Option<Entry>)]) -> Result<(), ListsError> {
        // Held throughout, so that no trusted network comes between the look and the change.
        let mut datapath = self.datapath();
        let mut sound = Vec::with_capacity(changes.len());
        for change in changes {
            let there = datapath.entry(List::Zone, change.0)?;
            if there.is_none_or(|zone| usize::from(zone.class) == CLASS_LIMITED) {
                sound.push(*change);
            }
        }
        Ok(datapath.stage(List::Zone, &sound)?)
    }

    fn settle(&self) -> Result<(), ListsError> {
        let mut derived = self.datapath().derive()?;
        while self.datapath().write_some(&mut derived)? {}
        Ok(())
    }

    fn remove(&self, list: List, prefix: Prefix) -> Result<bool, ListsError> {
        Ok(self.datapath().remove(list, prefix)?)
    }

    fn get(&self, list: List, prefix: Prefix) -> Result<Option<Entry>, ListsError> {
        Ok(self.datapath().entry(list, prefix)?)
    }

    fn held(&self, list: List, prefix: Prefix) -> Result<Option<Entry>, ListsError> {
        Ok(self.datapath().held(list, prefix)?)
    }

    fn walk(&self, list: List, chunk: usize, take: Take<'_>) -> Result<bool, Fault> {
        let keys = self.datapath().keys(list).map_err(ListsError::from)?;
        keys.walk(chunk, take)
    }

    fn mend_zones(&self, after: Option<Prefix>, limit: usize) -> Result<Zones, ListsError> {
        Ok(self.datapath().mend_mirrored(List::Zone, after, limit)?)
    }

    fn drop_unknown_zones(&self, prefixes: &[Prefix]) -> Result<usize, ListsError> {
        Ok(self.datapath().drop_unknown(List::Zone, prefixes)?)
    }

    fn mend_settings(&self) -> Result<bool, ListsError> {
        Ok(self.datapath().mend_settings()?)
    }

    fn mend_summary(&self, walk: &mut SummaryWalk) -> Result<Option<usize>, ListsError> {
        Ok(self.datapath().mend_summary(walk)?)
    }

    fn entries(&self, list: List) -> Result<Vec<(Prefix, Entry)>, ListsError> {
        Ok(self
            .datapath()
            .entries(list)?
            .map(|(prefix, entry)| (prefix, *entry))
            .collect())
    }

    fn counters(&self) -> Result<Vec<InterfaceCounters>, ListsError> {
        let counters = self.datapath().counters()?;
        Ok(counters
            .into_iter()
            .map(|counted| InterfaceCounters {
                interface: interface(&counted.interface),
                verdicts: counted
                    .verdicts
                    .into_iter()
                    .map(|count| VerdictCount {
                        verdict: count.verdict,
                        packets: count.packets,
                        bytes: count.bytes,
                        events_lost: count.events_lost,
                    })
                    .collect(),
            })
            .collect())
    }

    fn would_drop(&self, rule: u32) -> Result<Option<(u64, u64)>, ListsError> {
        let counted = self.datapath().would_drop(rule)?;
        Ok(counted.map(|hits| (hits.packets, hits.bytes)))
    }

    fn counted(&self) -> Result<Vec<u32>, ListsError> {
        Ok(self.datapath().counted_rules()?)
    }

    fn forget_count(&self, rule: u32) -> Result<(), ListsError> {
        Ok(self.datapath().forget_count(rule)?)
    }

    fn hits(&self, rule: u32) -> Result<Option<RuleHits>, ListsError> {
        Ok(self.datapath().hits(rule)?)
    }

    fn all_hits(&self) -> Result<Vec<RuleHits>, ListsError> {
        Ok(self.datapath().all_hits()?)
    }

    fn probe(&self, source: IpAddr) -> Result<Probe, ListsError> {
        let probe = self.datapath().probe(source)?;
        Ok(Probe {
            verdict: probe.verdict,
            rule: probe.rule,
        })
    }

    fn attack(&self) -> Result<Attack, ListsError> {
        Ok(self.datapath().settings().attack)
    }

    fn set_attack(&self, attack: Attack) -> Result<(), ListsError> {
        Ok(self.datapath().set_attack(attack)?)
    }

    fn known_until(&self, source: IpAddr) -> Result<Option<Nanos>, ListsError> {
        Ok(self.datapath().known_until(identity(source))?)
    }

    fn interfaces(&self) -> Result<Vec<Interface>, ListsError> {
        Ok(self.datapath().interfaces().iter().map(interface).collect())
    }
}

fn interface(attached: &crate::datapath::Attached) -> Interface {
    Interface {
        name: attached.name.clone(),
        mode: match attached.alive {
            true => attached.mode.name(),
            false => "detached",
        }
        .to_owned(),
    }
}
