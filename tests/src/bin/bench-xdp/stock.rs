//! What the lists hold while a set of cases is measured, and what it took to fill them.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use gateway_agent::datapath::Datapath;
use gateway_common::{lists::Entry, tables::List};
use gateway_policy::grammar::Prefix;
use gateway_tests::bench::{sources::Sources, stats::Summary};

use crate::{
    cases::{Case, Packet, blocks},
    lists::Draw,
};

/// Single inserts that are timed.
const SINGLE: usize = 1_000;

/// Sizes of the lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stock {
    pub(crate) deny: usize,
    pub(crate) allow: usize,
}

/// What filling the lists took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Filling {
    pub(crate) stock: Stock,
    /// Both lists, by [`Datapath::insert_all`].
    pub(crate) load: Duration,
    /// Microseconds of one [`Datapath::insert`] of a host into the full list.
    pub(crate) insert_us: Summary,
}

impl Stock {
    /// The sizes measured by default.
    pub(crate) const USUAL: [Self; 4] = [
        Self::deny(1_000),
        Self::deny(100_000),
        Self::deny(1_000_000),
        Self {
            deny: 1_000_000,
            allow: 100_000,
        },
    ];

    const fn deny(deny: usize) -> Self {
        Self { deny, allow: 0 }
    }

    /// Whether the lists hold what `case` needs.
    pub(crate) fn serves(&self, case: &Case) -> bool {
        match case.packet {
            Packet::FromAny(Sources::DENIED_EXACT) => self.has_random_hosts(),
            Packet::From(blocks::SAFE) => self.allow > 0,
            Packet::FromAny(_) | Packet::From(_) | Packet::From6(_) => true,
        }
    }

    /// Whether the deny list is long enough to hold [`Sources::DENIED_EXACT`].
    const fn has_random_hosts(&self) -> bool {
        self.deny >= 100_000
    }

    /// Fills the lists of `datapath`.
    pub(crate) fn fill(&self, datapath: &mut Datapath) -> Result<Filling> {
        let mut deny = particular()?;
        if self.has_random_hosts() {
            deny.extend(
                Sources::DENIED_EXACT
                    .addresses()
                    .map(|a| Prefix::host(a.into())),
            );
        }
        let mut draw = Draw::new();
        let random = self
            .deny
            .checked_sub(deny.len())
            .context("too few deny entries to measure anything with")?;
        deny.extend(draw.deny(random)?);
        // A host drawn that is also a particular one would be counted twice; add what is missing.
        deny.sort_unstable();
        deny.dedup();
        let missing = self.deny - deny.len();
        deny.extend(draw.deny(missing)?);
        let mut allow = draw.allow(self.allow.saturating_sub(1))?;
        if self.allow > 0 {
            allow.push(Prefix::v4::<32>(blocks::SAFE.into()));
        }

        let (deny, allow) = (entries(deny), entries(allow));
        let start = Instant::now();
        datapath.insert_all(List::Deny, &deny)?;
        datapath.insert_all(List::Allow, &allow)?;
        let load = start.elapsed();
        Ok(Filling {
            stock: *self,
            load,
            insert_us: single_inserts(datapath)?,
        })
    }
}

/// The entries that the cases with one source are about.
fn particular() -> Result<Vec<Prefix>> {
    let hosts = [blocks::NEIGHBOUR, blocks::EXACT, blocks::PREFIX_NEIGHBOUR];
    let mut prefixes: Vec<_> = hosts.map(|host| Prefix::v4::<32>(host.into())).to_vec();
    prefixes.push(Prefix::v4::<20>(blocks::PREFIX.into()));
    prefixes.push(Prefix::v4::<20>(blocks::PREFIX_MIXED.into()));
    prefixes.push("198.19.0.0/16".parse()?);
    Ok(prefixes)
}

/// Permanent, enforced entries, each with a rule of its own.
fn entries(prefixes: Vec<Prefix>) -> Vec<(Prefix, Entry)> {
    let entry = |rule| Entry {
        rule,
        ..Entry::default()
    };
    prefixes
        .into_iter()
        .zip(1..)
        .map(|(prefix, rule)| (prefix, entry(rule)))
        .collect()
}

/// Adds hosts one by one, timing each, and removes them again.
fn single_inserts(datapath: &mut Datapath) -> Result<Summary> {
    let hosts: Vec<_> = Sources::CLEAN
        .addresses()
        .take(SINGLE)
        .map(|address| Prefix::host(address.into()))
        .collect();
    let mut micros = Vec::with_capacity(SINGLE);
    for host in &hosts {
        let start = Instant::now();
        datapath.insert(List::Deny, *host, Entry::default())?;
        micros.push(start.elapsed().as_nanos() as f64 / 1e3);
    }
    for host in hosts {
        datapath.remove(List::Deny, host)?;
    }
    Ok(Summary::of(micros))
}
