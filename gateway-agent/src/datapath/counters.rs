//! The per-CPU counters, summed.

use aya::{
    maps::{MapError, PerCpuValues},
    util::nr_cpus,
};
use gateway_common::{
    Verdict,
    counter::{self, Counter, Hits},
    rule::Rule,
};

use super::{
    Datapath,
    attach::Attached,
    error::{DatapathError, is_absent},
};

/// What one interface counted.
#[derive(Clone, Debug)]
pub struct InterfaceCounters {
    /// The interface.
    pub interface: Attached,
    /// One count per verdict, in the order of [`Verdict::ALL`].
    pub verdicts: Vec<VerdictCount>,
}

/// One verdict's counter over all CPUs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerdictCount {
    /// The verdict.
    pub verdict: Verdict,
    /// Packets since the maps were made.
    pub packets: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Sampled events that found the ring buffer full.
    pub events_lost: u64,
}

impl Datapath {
    /// The counters of every guarded interface.
    ///
    /// # Errors
    ///
    /// When the kernel refuses the read.
    pub fn counters(&self) -> Result<Vec<InterfaceCounters>, DatapathError> {
        self.interfaces()
            .into_iter()
            .map(|interface| {
                let verdicts = self.counters_of(interface.slot)?;
                Ok(InterfaceCounters {
                    interface,
                    verdicts,
                })
            })
            .collect()
    }

    /// One block of counters, whether an interface has it or not.
    ///
    /// # Errors
    ///
    /// When the kernel refuses the read, or there is no such slot.
    pub fn counters_of(&self, slot: u32) -> Result<Vec<VerdictCount>, DatapathError> {
        Verdict::ALL
            .iter()
            .map(|verdict| self.verdict_count(slot, *verdict))
            .collect::<Result<_, _>>()
            .map_err(DatapathError::kernel("reading the counters"))
    }

    /// What all guarded interfaces have counted of packets that open a connection.
    ///
    /// # Errors
    ///
    /// When the kernel refuses the read.
    pub fn openings(&self) -> Result<u64, DatapathError> {
        let interfaces = self.interfaces();
        interfaces
            .iter()
            .map(|interface| self.openings_of(interface.slot))
            .sum()
    }

    /// What a block has counted of packets that open a connection.
    ///
    /// # Errors
    ///
    /// As for [`Datapath::counters_of`].
    pub fn openings_of(&self, slot: u32) -> Result<u64, DatapathError> {
        let cpus = self
            .maps
            .counters
            .get(&counter::openings(slot), 0)
            .map_err(DatapathError::kernel("reading the counters"))?;
        Ok(cpus.iter().map(|cpu| cpu.packets).sum())
    }

    /// Sets a block of counters to zero.
    pub(super) fn clear_counters(&mut self, slot: u32) -> Result<(), DatapathError> {
        let cleared = "clearing the counters";
        let cpus = nr_cpus()
            .map_err(|(_, error)| error)
            .map_err(DatapathError::kernel(cleared))?;
        let verdicts = Verdict::ALL.iter().map(|one| counter::index(slot, *one));
        for index in verdicts.chain([counter::openings(slot)]) {
            PerCpuValues::try_from(vec![Counter::default(); cpus])
                .map_err(DatapathError::kernel(cleared))
                .and_then(|zeros| {
                    let set = self.maps.counters.set(index, zeros, 0);
                    set.map_err(DatapathError::kernel(cleared))
                })?;
        }
        Ok(())
    }

    /// What a rule in shadow mode would have dropped, on all CPUs; `None` when it has not met a
    /// packet since the maps were made, or the map was full when it did.
    ///
    /// # Errors
    ///
    /// When the kernel refuses the read.
    pub fn would_drop(&self, rule: u32) -> Result<Option<Hits>, DatapathError> {
        let counted = match self.maps.would.get(&rule, 0) {
            Ok(counted) => counted,
            Err(MapError::KeyNotFound) => return Ok(None),
            Err(error) => return Err(DatapathError::kernel("reading the counts of rules")(error)),
        };
        let mut sum = Hits::default();
        for cpu in counted.iter() {
            sum.packets += cpu.packets;
            sum.bytes += cpu.bytes;
        }
        Ok(Some(sum))
    }

    /// The rules that [`Datapath::would_drop`] knows.
    ///
    /// # Errors
    ///
    /// When the kernel refuses the read.
    pub fn counted_rules(&self) -> Result<Vec<u32>, DatapathError> {
        let rules: Result<Vec<u32>, MapError> = self.maps.would.keys().collect();
        rules.map_err(DatapathError::kernel("reading the counts of rules"))
    }

    /// Forgets the count of a rule, which makes room for another.
    ///
    /// # Errors
    ///
    /// When the kernel refuses.
    pub fn forget_count(&mut self, rule: u32) -> Result<(), DatapathError> {
        match self.maps.would.remove(&rule) {
            Ok(()) => Ok(()),
            Err(error) if is_absent(&error) => Ok(()),
            Err(error) => Err(DatapathError::kernel("clearing the counts of rules")(error)),
        }
    }

    /// Forgets what the limits have counted, whose numbers other limits may have from now on.
    ///
    /// # Errors
    ///
    /// When the kernel refuses.
    pub fn forget_limits(&mut self) -> Result<(), DatapathError> {
        let counted = self.counted_rules()?;
        counted
            .into_iter()
            .filter(|rule| matches!(Rule::of(*rule), Rule::Limit(..)))
            .try_for_each(|rule| self.forget_count(rule))
    }

    fn verdict_count(&self, slot: u32, verdict: Verdict) -> Result<VerdictCount, MapError> {
        let mut sum = VerdictCount {
            verdict,
            packets: 0,
            bytes: 0,
            events_lost: 0,
        };
        for cpu in self
            .maps
            .counters
            .get(&counter::index(slot, verdict), 0)?
            .iter()
        {
            sum.packets += cpu.packets;
            sum.bytes += cpu.bytes;
            sum.events_lost += cpu.events_lost;
        }
        Ok(sum)
    }
}
