//! Countries that have a limit: their networks are zones of a rate class of their own.
//!
//! They are the database's, and in no store: the kernel keeps them while no agent runs, and after a
//! reboot they are read again.

use std::collections::{BTreeMap, BTreeSet};

use gateway_common::{
    lists::{Entry as Zone, ORIGIN_FEED},
    settings::CLASS_LIMITED,
    tables::List,
};
use gateway_policy::feeds::shrinks_too_much;
use gateway_policy::grammar::Prefix;

use super::Service;
use super::feed::{FeedOrder, FeedOutcome, FeedTaken};
use crate::config::CountryCode;
use crate::control::api::ImportDone;
use crate::control::{Fault, FaultKind};
use crate::datapath::Datapath;

/// Networks that are written before others get their turn.
const AT_ONCE: usize = 1_000;

const LIMITED: u8 = CLASS_LIMITED as u8;

/// Whether a zone is part of a country that has a limit, and no trusted network.
pub(super) const fn is_limited(zone: &Zone) -> bool {
    zone.class == LIMITED
}

impl Service {
    /// Makes the zones of a country those that its feed says; an import is under way. Networks
    /// inside trusted ones are left out, for the longest prefix decides on the class.
    pub(super) fn limit_country(
        &self,
        country: CountryCode,
        order: FeedOrder,
        accepted: bool,
    ) -> Result<FeedOutcome, Fault> {
        let zones: BTreeMap<Prefix, Zone> = self.lists.entries(List::Zone)?.into_iter().collect();
        let is_its = |zone: &Zone| is_limited(zone) && zone.rule == country.number();
        let trusted = |prefix: Prefix| {
            let around =
                (0..=prefix.len()).filter_map(|l| Prefix::holding(prefix.network(), l).ok());
            let mut zones = around.filter_map(|around| zones.get(&around));
            zones.any(|zone| !is_limited(zone))
        };
        let (kept, left_out): (Vec<_>, Vec<_>) = order
            .entries
            .into_iter()
            .partition(|entry| !trusted(entry.prefix));
        let held = zones.values().filter(|zone| is_its(zone)).count();
        if !accepted && shrinks_too_much(held, kept.len()) {
            let offer = FeedOrder {
                entries: kept,
                ..order
            };
            return Ok(FeedOutcome::HeldBack { held, offer });
        }
        let zone = Zone {
            rule: country.number(),
            origin: ORIGIN_FEED,
            class: LIMITED,
            ..Zone::default()
        };
        let wanted: BTreeSet<Prefix> = kept.iter().map(|entry| entry.prefix).collect();
        let adds = wanted
            .iter()
            .filter(|prefix| zones.get(prefix) != Some(&zone));
        let gone = zones
            .iter()
            .filter(|(prefix, zone)| is_its(zone) && !wanted.contains(prefix));
        let adds: Vec<Change> = adds.map(|prefix| (*prefix, Some(zone))).collect();
        let gone: Vec<Change> = gone.map(|(prefix, _)| (*prefix, None)).collect();
        fits(&zones, &adds, &gone)?;
        let done = ImportDone {
            added: adds.len(),
            removed: gone.len(),
            unchanged: wanted.len() - adds.len(),
            ..ImportDone::default()
        };
        self.change_limited(&gone)?;
        self.change_limited(&adds)?;
        let told = left_out.iter().take(1).map(|entry| {
            let prefix = entry.prefix;
            format!("{prefix} lies in a trusted network, which keeps its own limits")
        });
        Ok(FeedOutcome::Taken(FeedTaken {
            done,
            entries: wanted.len(),
            left_out: left_out.len(),
            told: told.collect(),
        }))
    }

    /// Takes away the zones of every country but these; says how many there were.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn keep_limited(&self, countries: &[CountryCode]) -> Result<usize, Fault> {
        self.lists.ready()?;
        let _one = self.alone();
        let keeps = |zone: &Zone| countries.iter().any(|one| one.number() == zone.rule);
        let mut gone = self.lists.entries(List::Zone)?;
        gone.retain(|(_, zone)| is_limited(zone) && !keeps(zone));
        let gone: Vec<Change> = gone.into_iter().map(|(prefix, _)| (prefix, None)).collect();
        self.change_limited(&gone)?;
        Ok(gone.len())
    }

    /// Writes changes to the zones of countries, a part at a time. Where a trusted network has come
    /// to stand meanwhile, it stays.
    fn change_limited(&self, changes: &[Change]) -> Result<(), Fault> {
        if changes.is_empty() {
            return Ok(());
        }
        let mut parts = changes.chunks(AT_ONCE);
        let staged = parts.try_for_each(|part| self.lists.stage_limited(part));
        // Also what came before a refusal: an entry without its summary is not met by every packet.
        let settled = self.lists.settle();
        Ok(staged.and(settled)?)
    }
}

/// A zone that comes, or goes.
type Change = (Prefix, Option<Zone>);

/// Refuses what the kernel has no room for, before anything is changed.
fn fits(zones: &BTreeMap<Prefix, Zone>, adds: &[Change], gone: &[Change]) -> Result<(), Fault> {
    let capacity = usize::try_from(Datapath::capacity(List::Zone)).unwrap_or(usize::MAX);
    for (family, is_v4) in [("IPv4", true), ("IPv6", false)] {
        let of = |prefix: &Prefix| prefix.network().is_ipv4() == is_v4;
        let new = adds
            .iter()
            .filter(|(prefix, _)| !zones.contains_key(prefix));
        let new = new.filter(|(prefix, _)| of(prefix)).count();
        let gone = gone.iter().filter(|(prefix, _)| of(prefix)).count();
        let after = zones.keys().filter(|prefix| of(prefix)).count() + new - gone;
        if after > capacity {
            return Err(Fault::new(
                FaultKind::Full,
                format!(
                    "with it the trusted networks and countries with a limit would have {after} \
                     {family} prefixes, the kernel's map has room for {capacity}"
                ),
            ));
        }
    }
    Ok(())
}
